"""What is asked of the disk: names and bytes that stay, and what is said when it refuses."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from parsers.errors import ArchiveDamaged, ArchiveError

SAFE = "; nothing kept was harmed"
_AGAIN = f"then run the same command{SAFE}"
_SPACE = f"free some space, {_AGAIN}"
_RIGHTS = f"see who may write to it, {_AGAIN}"
_OTHER = f"close the other program, {_AGAIN}"
_SQLITE = {
    sqlite3.SQLITE_FULL: ("no space left on the disk", _SPACE),
    sqlite3.SQLITE_IOERR: ("the disk failed, or is full", _SPACE),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", _SPACE),
    sqlite3.SQLITE_READONLY: ("it may only be read", _RIGHTS),
    sqlite3.SQLITE_BUSY: ("another program is writing to it", _OTHER),
    sqlite3.SQLITE_PROTOCOL: ("another program is writing to it", _OTHER),
}


def sync(path: Path) -> None:
    """Make a file's bytes durable, or of a folder the names in it (fsync(2))."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        os.close(handle)


def make_folder(path: Path) -> None:
    """A folder that stays, and those above it."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        sync(path.parent)


def write(path: Path, text: str) -> None:
    """Write a text file that is there whole or not at all, and stays."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(text, "utf-8")
        sync(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    sync(path.parent)


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Raises ArchiveError where the disk or SQLite refuses what is done inside with `path`, ArchiveDamaged where it is damaged."""
    try:
        yield
    except (OSError, sqlite3.DatabaseError) as error:
        words = refused(path, error)
        if words is None:
            raise
        raise words from error


def damaged(error: sqlite3.Error) -> bool:
    """Whether SQLite found that a file is not what it wrote."""
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _code(error: sqlite3.Error) -> int:
    """The primary code of an error (SQLite, result codes); 0 where there is none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def refused(path: Path, error: OSError | sqlite3.DatabaseError) -> ArchiveError | None:
    """The words for a refusal at `path`; None for an error that is none, a mistake of our own."""
    if isinstance(error, OSError):
        step = _SPACE if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else _RIGHTS
        if error.errno == errno.EIO:
            step = f"look after the disk, {_AGAIN}"
        return ArchiveError(f"cannot use {error.filename or path}", cause=error.strerror or str(error), next=step)
    if damaged(error):
        return ArchiveDamaged(
            f"{path} cannot be read",
            cause=str(error),
            next=f"newsmorgue rebuild --archive {path.parent}   makes it anew from the WARC files",
        )
    if _code(error) not in _SQLITE:
        return None
    cause, step = _SQLITE[_code(error)]
    return ArchiveError(f"cannot use {path}", cause=cause, next=step)
