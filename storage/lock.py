"""One writer at a time: an advisory lock on the file `lock` of the archive's folder. Dies with its process."""

import fcntl
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from parsers.errors import ArchiveError, ArchiveLocked

NAME = "lock"


def take(folder: Path) -> IO[str]:
    """Take the lock; keep the file open as long as it is wanted. Raises ArchiveLocked naming who holds it."""
    path = folder / NAME
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise ArchiveError(f"cannot write to {folder}", cause=str(error), next=f"chmod u+w {folder}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        text = file.read()
        file.close()
        holder = json.loads(text) if text else {}
        raise ArchiveLocked(
            f"another run writes to {folder}",
            cause=f"process {holder.get('pid', 'unknown')}, since {holder.get('since', 'unknown')}",
            next="wait for it, or stop that process; readers are not blocked",
        ) from error
    file.seek(0)
    file.truncate()
    file.write(json.dumps({"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}))
    file.flush()
    return file


def release(file: IO[str]) -> None:
    """Give the lock back."""
    file.close()
