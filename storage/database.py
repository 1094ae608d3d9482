"""Connections to `archive.db`, and what SQLite says when it fails, in our words."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from parsers.errors import ArchiveDamaged, ArchiveError, ArchiveLocked
from storage import lock, schema
from storage.names import Connection

DATABASE = "archive.db"
BUSY = 30_000
"""Milliseconds to wait for a checkpoint, or for a program that is not ours and writes."""
FREE = "free some space or look after the disk, then run the same command; nothing kept was harmed"
"""The next step when a disk refuses."""
CACHE = 65_536
"""KiB of pages that the writer keeps in memory: the upper levels of every index, and what full text merges."""
CHECKPOINT = 4_000
"""Pages in the -wal before they are copied into the database: one page changed by many groups is copied once."""
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_DISK = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_CLOSED = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}


def connect(path: Path, mode: str, *, immutable: bool = False) -> Database:
    """A connection in SQLite's URI `mode` (ro, rw, rwc). `immutable`: nobody writes, so that nothing is locked or made."""
    flags = "&immutable=1" if immutable else ""
    conn = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}{flags}", uri=True, isolation_level=None, factory=Connection
    )
    conn.execute(f"PRAGMA busy_timeout = {BUSY}")
    conn.execute("PRAGMA foreign_keys = ON")
    return Database(conn)


def writing(path: Path) -> Database:
    """The connection of the one writer, its tables brought to this edition. Raises SchemaTooNew, sqlite3.Error."""
    db = connect(path, "rwc")
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute(f"PRAGMA cache_size = {-CACHE}")
        db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT}")
        schema.upgrade(db)
        assert isinstance(db.conn, Connection)
        db.conn.remember()
    except BaseException:
        db.close()
        raise
    return db


def reading(path: Path, *, frozen: bool = False) -> Database:
    """A connection that only reads, beside a writer or in a folder that nobody can write to. `frozen`: see `Archive.open`."""
    log = path.with_name(f"{path.name}-wal")
    logged = log.exists() and log.stat().st_size > 0
    writable = os.access(path.parent, os.W_OK)
    if logged and not writable and not path.with_name(f"{path.name}-shm").exists():
        raise ArchiveError(
            f"{path} cannot be read where it is",
            cause="its write-ahead log holds changes, and SQLite needs a folder that it can write to in order to read them",
            next="copy the archive's folder to a disk that can be written to, and ask there",
        )
    # An immutable connection makes no -wal and -shm files, but would not see what a writer does meanwhile.
    quiet = not logged and (not writable or (frozen and not lock.held(path.parent)))
    return connect(path, "ro", immutable=quiet)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """An error of SQLite or of the disk inside becomes one of ours that names the database, or the file."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise in_our_words(error, path) from error


def damaged(error: sqlite3.Error) -> bool:
    """Whether SQLite found that a file is not what it wrote."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED


def in_our_words(error: sqlite3.Error | OSError, path: Path) -> ArchiveError:
    """What an error of SQLite or of the system means for who works with the database at `path`, and the files beside it."""
    folder = path.parent
    if isinstance(error, OSError):
        name = error.filename or folder
        return ArchiveError(f"cannot write to {name}", cause=error.strerror or str(error), next=FREE)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _BUSY:
        return ArchiveLocked(
            f"another program holds {path}",
            cause=f"it has not let go of it for {BUSY // 1000} seconds",
            next="close it (a database browser, sqlite3 in a terminal), then run the same command",
        )
    if damaged(error):
        return ArchiveDamaged(f"{path} is damaged", cause=str(error), next=f"newsmorgue verify --archive {folder}")
    if code in _DISK:
        return ArchiveError(f"cannot read or write {path}", cause=str(error), next=FREE)
    if code in _CLOSED:
        return ArchiveError(
            f"cannot open {path}", cause=str(error), next=f"ls -l {folder}   shows who may read and write"
        )
    return ArchiveError(f"{path} cannot answer", cause=str(error), next=f"newsmorgue verify --archive {folder}")
