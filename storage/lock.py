"""One writer at a time: an advisory lock on the file `lock` of the archive's folder. Dies with its process."""

import contextlib
import fcntl
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from parsers.errors import ArchiveError, ArchiveLocked


def take(folder: Path) -> BinaryIO:
    """Take the lock; keep the file open as long as it is wanted. Raises ArchiveLocked naming who holds it."""
    path = folder / "lock"
    try:
        file = path.open("a+b", buffering=0)
    except OSError as error:
        raise ArchiveError(f"cannot write to {path}", cause=str(error), next=f"chmod u+w {folder}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = _signed(file)
        file.close()
        raise ArchiveLocked(
            f"another run writes to {folder}",
            cause=f"process {holder.get('pid', 'unknown')}, since {holder.get('since', 'unknown')}",
            next="wait for it, or stop that process; readers are not blocked",
        ) from error
    with contextlib.suppress(OSError):  # a full disk: the lock holds without a signature
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}).encode())
    return file


def _signed(file: BinaryIO) -> dict[str, Any]:
    """Who holds the lock, as far as it can be read."""
    file.seek(0)
    try:
        return dict(json.loads(file.read()))
    except ValueError:
        return {}


def release(file: BinaryIO) -> None:
    """Give the lock back."""
    file.close()
