"""Keys of names: tags, authors, affiliations. One row a name as compared; its first spelling is kept."""

import sqlite3
from typing import Literal

from parsers.text import normalised

Table = Literal["tag", "author", "affiliation"]
MOST, LONGEST = 50_000, 100
"""Names remembered at most, and characters of the longest that is: some megabytes."""


class Connection(sqlite3.Connection):
    """A connection that can remember the keys of names it met, as a name's row never changes."""

    known: dict[tuple[str, str], int] | None = None

    def remember(self) -> None:
        """Remember from now on. SQLite gives a key again once its row is gone: a name that is deleted empties the memory
        by itself, and whoever rolls back calls `forget`."""
        self.known = {}
        self.create_function("forget_names", 0, self.forget)
        for table in ("tag", "author", "affiliation"):
            self.execute(
                f"CREATE TEMP TRIGGER {table}_forgotten AFTER DELETE ON main.{table} BEGIN SELECT forget_names(); END"
            )

    def forget(self) -> None:
        """Look every name up again."""
        if self.known:
            self.known.clear()


def key(conn: sqlite3.Connection, table: Table, name: str) -> int:
    """The key of a name, which gets a row if it has none."""
    known = conn.known if isinstance(conn, Connection) else None
    if known is None:
        return _look_up(conn, table, name)
    found = known.get((table, name))
    if found is None:
        found = _look_up(conn, table, name)
        if len(name) <= LONGEST:
            if len(known) >= MOST:
                known.clear()
            known[table, name] = found
    return found


def _look_up(conn: sqlite3.Connection, table: Table, name: str) -> int:
    plain = normalised(name)
    if table == "affiliation":
        plain = plain.removeprefix("the ")
    row = conn.execute(f"SELECT id FROM {table} WHERE normalised = ?", (plain,)).fetchone()
    if row is not None:
        return int(row[0])
    return int(conn.execute(f"INSERT INTO {table} (name, normalised) VALUES (?, ?)", (name, plain)).lastrowid or 0)
