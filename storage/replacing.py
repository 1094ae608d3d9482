"""A database made beside another one, which it replaces in one step."""

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from storage import disk
from storage.database import damaged

_PARTS = ("-wal", "-shm", "-journal")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to make a database at; when all went well it becomes `path`. Else nothing is changed.

    The new file must be closed and checkpointed by then. Pages of the old one's write-ahead log must never be taken for
    the new one's, so that they are brought home first, or, if the old database is beyond that, set aside with it.
    """
    made = path.with_name(f"{path.name}.new")
    _remove(made, "", *_PARTS)
    try:
        yield made
        disk.sync(made)
        _settle(path)
        made.replace(path)
        disk.sync(path.parent)
    finally:
        _remove(made, "", *_PARTS)


def _remove(path: Path, *parts: str) -> None:
    for part in parts:
        path.with_name(path.name + part).unlink(missing_ok=True)


def _settle(path: Path) -> None:
    """Leave no write-ahead log beside a database that is to be replaced."""
    if path.exists():
        try:
            with closing(sqlite3.connect(path)) as db:
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                with contextlib.suppress(sqlite3.OperationalError):  # a reader has it open
                    db.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.DatabaseError as error:
            if not damaged(error):  # if it is, that is why it is replaced
                raise
    _remove(path, *_PARTS)
    disk.sync(path.parent)  # a log that a power cut brought back would be taken for the new database's
