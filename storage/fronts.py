"""Fronts, cards and placements: what stood where, from which visit to which."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from parsers.article import Card
from storage.timing import stamp


def keep(
    conn: sqlite3.Connection,
    visit: int,
    url: str,
    cards: Sequence[Card],
    *,
    site: int,
    kind: str,
    title: str,
    now: datetime,
) -> int:
    """Keep the cards that a front shows at a visit; gives the number of addresses never announced before.

    A placement that the front's last visit showed, too, is prolonged; any other begins with this visit. A visit that lies
    before the last one (an import) prolongs nothing.
    """
    at = stamp(now)
    row = conn.execute("SELECT id, last_seen FROM front WHERE url = ?", (url,)).fetchone()
    last = _last(conn, *row) if row and row[1] <= at else None
    front = conn.execute(
        "INSERT INTO front (site_id, url, kind, title, first_seen, last_seen) VALUES (?1, ?2, ?3, ?4, ?5, ?5) ON CONFLICT (url) DO UPDATE "
        "SET title = iif(?5 >= last_seen, ?4, title), first_seen = min(first_seen, ?5), last_seen = max(last_seen, ?5) RETURNING id",
        (site, url, kind, title, at),
    ).fetchone()[0]
    new = 0
    for card in cards:
        new += conn.execute("SELECT 1 FROM card WHERE url = ? LIMIT 1", (card.url,)).fetchone() is None
        key = conn.execute(
            "INSERT INTO card (site_id, url, title, teaser, section, first_seen, last_seen) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) "
            "ON CONFLICT DO UPDATE SET first_seen = min(first_seen, ?6), last_seen = max(last_seen, ?6) RETURNING id",
            (site, card.url, card.title, card.teaser, card.section, at),
        ).fetchone()[0]
        prolonged = conn.execute(
            "UPDATE placement SET until = ? WHERE front_id = ? AND card_id = ? AND position = ? AND until IN (?, ?)",
            (visit, front, key, card.position, last, visit),
        )
        if not prolonged.rowcount:
            conn.execute(
                "INSERT INTO placement (front_id, card_id, position, since, until) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (front, key, card.position, visit, visit),
            )
    return new


def unchanged(conn: sqlite3.Connection, visit: int, url: str, *, now: datetime) -> None:
    """Everything that the front's last visit showed still stands there; a visit that lies before that one says nothing."""
    row = conn.execute("SELECT id, last_seen FROM front WHERE url = ?", (url,)).fetchone()
    if row is None or row[1] > stamp(now):
        return
    front, last = row[0], _last(conn, *row)
    conn.execute("UPDATE front SET last_seen = ? WHERE id = ?", (stamp(now), front))
    conn.execute(
        "UPDATE card SET last_seen = max(last_seen, ?) WHERE id IN (SELECT card_id FROM placement WHERE front_id = ? AND until = ?)",
        (stamp(now), front, last),
    )
    conn.execute("UPDATE placement SET until = ? WHERE front_id = ? AND until = ?", (visit, front, last))


def _last(conn: sqlite3.Connection, front: int, last_seen: str) -> int | None:
    """The visit at which a front was last seen, if it showed anything. Not the highest key: imports come late."""
    row = conn.execute(
        "SELECT p.until FROM placement p JOIN visit v ON v.id = p.until WHERE p.front_id = ? AND v.at = ? ORDER BY p.until DESC LIMIT 1",
        (front, last_seen),
    ).fetchone()
    return row[0] if row else None
