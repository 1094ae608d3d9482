"""One writer at a time: an advisory lock on the file `lock` of the archive's folder. Dies with its process."""

import fcntl
import json
import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from parsers.errors import ArchiveError, ArchiveLocked

NAME = "lock"
TRIES = 5
"""Before a lock counts as held: whoever only asks whether it is, holds it for a moment."""


def take(folder: Path) -> IO[str]:
    """Take the lock; keep the file open as long as it is wanted. Raises ArchiveLocked naming who holds it."""
    path = folder / NAME
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise ArchiveError(f"cannot write to {folder}", cause=str(error), next=f"chmod u+w {folder}") from error
    if not _lock(file, fcntl.LOCK_EX, TRIES):
        holder = _holder(file)
        file.close()
        raise ArchiveLocked(
            f"another run writes to {folder}",
            cause=f"process {holder.get('pid', 'unknown')}, since {holder.get('since', 'unknown')}",
            next="wait for it, or stop that process; readers are not blocked",
        )
    signature = {"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
    with suppress(OSError):  # a lock without a signature locks, too: a full disk stops nobody here
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), json.dumps(signature).encode())
    return file


def held(folder: Path) -> bool:
    """Whether somebody writes to the archive at this moment."""
    try:
        with (folder / NAME).open(encoding="utf-8") as file:
            return not _lock(file, fcntl.LOCK_SH, 1)
    except OSError:
        return False  # nobody ever wrote here, or nobody could


def release(file: IO[str]) -> None:
    """Give the lock back."""
    file.close()


def _holder(file: IO[str]) -> dict[str, object]:
    file.seek(0)
    try:
        return dict(json.loads(file.read()))
    except ValueError:
        return {}


def _lock(file: IO[str], kind: int, tries: int) -> bool:
    for left in reversed(range(tries)):
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if left:
                time.sleep(0.02)
        else:
            return True
    return False
