"""A database made beside another one, which it replaces in one step."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

_PARTS = ("-wal", "-shm", "-journal")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to make a database at; when all went well it becomes `path`. Else nothing is changed.

    The new file must be closed and checkpointed by then. Pages of the old one's write-ahead log must never be taken for
    the new one's, so that they are brought home first, or, if the old database is beyond that, set aside with it.
    """
    made = path.with_name(f"{path.name}.new")
    _remove(made)
    try:
        yield made
        with made.open("rb") as file:
            os.fsync(file.fileno())
        _settle(path)
        made.replace(path)
    finally:
        _remove(made)


def _remove(path: Path) -> None:
    for part in ("", *_PARTS):
        path.with_name(path.name + part).unlink(missing_ok=True)


def _settle(path: Path) -> None:
    """Leave no write-ahead log beside a database that is to be replaced."""
    if not path.exists():
        _remove(path)
        return
    try:
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            db.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.DatabaseError:
        pass  # damaged: that is why it is replaced
    for part in _PARTS:
        path.with_name(path.name + part).unlink(missing_ok=True)
