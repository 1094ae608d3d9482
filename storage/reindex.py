"""Rows brought to where their records lie after WARC files were rewritten."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from parsers.errors import ArchiveError
from storage.rewrite import Change

if TYPE_CHECKING:
    from storage.archive import Archive


def reindex(conn: sqlite3.Connection, changes: Sequence[Change]) -> None:
    """Point captures and visits to the new files, and say of struck captures what they hold now.

    Captures of one address that were told apart by what was struck alone become one.
    """
    addresses: set[str] = set()
    for change in changes:
        _move(conn, change)
        for offset, struck in change.struck.items():
            place = (change.made.name, change.place(offset))
            row = conn.execute(
                "UPDATE capture SET size = ?, digest = ?, payload_digest = ?, charset = ?, charset_source = ? "
                "WHERE file = ? AND offset = ? RETURNING asked",
                (struck.size, struck.digest, struck.payload_digest, struck.charset, struck.charset_source, *place),
            ).fetchone()
            if row is not None:
                addresses.add(row[0])
    for asked in sorted(addresses):
        _merge(conn, asked)


def _move(conn: sqlite3.Connection, change: Change) -> None:
    old, new = change.path.name, change.made.name
    conn.execute("DROP TABLE IF EXISTS temp.moved")
    conn.execute("CREATE TEMP TABLE moved (old INTEGER PRIMARY KEY, new INTEGER, length INTEGER)")
    conn.executemany(
        "INSERT INTO moved VALUES (?, ?, ?)", [(begin, place, length) for begin, _, place, length in change.moved]
    )
    # Records inside of bytes that cannot be read: they were copied as they are, and so are their lengths.
    strays = conn.execute(
        "SELECT offset FROM visit WHERE file = ?1 AND offset NOT IN (SELECT old FROM moved) "
        "UNION SELECT offset FROM capture WHERE file = ?1 AND offset NOT IN (SELECT old FROM moved)",
        (old,),
    ).fetchall()
    conn.executemany("INSERT INTO moved VALUES (?, ?, NULL)", [(offset, change.place(offset)) for (offset,) in strays])
    for table in ("visit", "capture"):
        conn.execute(
            f"UPDATE {table} SET file = ?1, (offset, length) = (SELECT new, coalesce(m.length, {table}.length) FROM moved m "
            f"WHERE m.old = {table}.offset) WHERE file = ?2",
            (new, old),
        )
    conn.execute("DELETE FROM warc WHERE file = ?", (old,))
    conn.execute("INSERT INTO warc VALUES (?, ?)", (new, change.size))


def _merge(conn: sqlite3.Connection, asked: str) -> None:
    last: tuple[int, bytes] | None = None
    rows = conn.execute("SELECT id, digest, withheld FROM capture WHERE asked = ? ORDER BY id", (asked,)).fetchall()
    for key, digest, withheld in rows:
        if last is None or digest != last[1] or withheld is not None:
            last = (key, digest)
            continue
        for table in ("visit", "revision", "reading"):
            conn.execute(f"UPDATE {table} SET capture_id = ? WHERE capture_id = ?", (last[0], key))
        conn.execute("DELETE FROM capture WHERE id = ?", (key,))


def readable(archive: "Archive", captures: Iterable[int]) -> list[int]:
    """Those of some captures that are there and can be read; of the others the rows say why they cannot."""
    conn = archive.db.conn
    found = []
    for key in captures:
        if not conn.execute("SELECT 1 FROM capture WHERE id = ?", (key,)).fetchone():
            continue
        try:
            archive.page(key)
        except ArchiveError as error:
            conn.execute("UPDATE capture SET verdict = 'error', problem = ? WHERE id = ?", (error.what, key))
        else:
            found.append(key)
    return found
