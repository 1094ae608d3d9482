"""One SQLite file with the chosen rows: the archive's own schema, views, full text and dictionary, without its queue."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from storage import schema
from storage.export_choice import LEFT_OUT, PUBLIC, TABLES, Choice
from storage.export_record import Release

Counted = Callable[[str, Iterable[Any]], Iterator[Any]]
"""Passes rows on, counts them under a name and says so."""

RELEASE = (
    ("_release", "", "table", "", "", "What this export holds: filters, span, counts, editions."),
    ("_release", "key", "column", "TEXT", "", "Name of the fact."),
    ("_release", "value", "column", "TEXT", "JSON", "The fact."),
)


def write(conn: sqlite3.Connection, path: Path, choice: Choice, counted: Counted) -> None:
    """Make a database at `path` and copy the chosen rows into it."""
    db = Database(sqlite3.connect(path, isolation_level=None))
    try:
        db.execute("PRAGMA journal_mode = OFF")  # whoever kills us leaves a file that nobody will open
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA foreign_keys = ON")
        schema.upgrade(db)
        db.execute("BEGIN")
        for table in TABLES:
            rows = conn.execute(f"SELECT * FROM temp.{table} ORDER BY 1")
            marks = ", ".join("?" * len(rows.description))
            # Cards that are one to the public may stand at one place from one visit on: that is one placement.
            verb = "INSERT OR IGNORE" if choice.public and table == "placement" else "INSERT"
            db.conn.executemany(f"{verb} INTO {table} VALUES ({marks})", counted(table, rows))
        if choice.public:
            _say_what_is_left_out(db.conn)
        db.execute("COMMIT")
    finally:
        db.close()


def _say_what_is_left_out(conn: sqlite3.Connection) -> None:
    columns = {name for name, value in PUBLIC.items() if value in ("''", "'[]'", "'{}'", "NULL")}
    columns |= {(view, column) for view, names in LEFT_OUT.items() for column in names}
    conn.executemany(
        "UPDATE _dictionary SET meaning = 'Left out of this public export. ' || meaning WHERE object = ? AND \"column\" = ?",
        sorted(columns),
    )


def finish(path: Path, target: Path, release: Release) -> None:
    """Put the record of the release in, and write the database anew to `target`: no page of it ever held anything else."""
    conn = sqlite3.connect(path, isolation_level=None)
    try:
        conn.execute("CREATE TABLE _release (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID")
        facts = [
            (key, json.dumps(value, ensure_ascii=False)) for key, value in release.as_dict().items() if key != "files"
        ]
        conn.executemany("INSERT INTO _release VALUES (?, ?)", facts)
        conn.executemany("INSERT INTO _dictionary VALUES (?, ?, ?, ?, ?, ?)", RELEASE)
        conn.execute("INSERT INTO text_fts (text_fts) VALUES ('optimize')")
        conn.execute("PRAGMA optimize")
        conn.execute("VACUUM INTO ?", (str(target),))
    finally:
        conn.close()
