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

    A placement that the front's last visit showed, too, is prolonged; any other begins with this visit.
    """
    at = stamp(now)
    front = conn.execute(
        "INSERT INTO front (site_id, url, kind, title, first_seen, last_seen) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (url) DO UPDATE SET "
        "title = excluded.title, last_seen = max(last_seen, excluded.last_seen) RETURNING id",
        (site, url, kind, title, at, at),
    ).fetchone()[0]
    last = conn.execute("SELECT max(until) FROM placement WHERE front_id = ?", (front,)).fetchone()[0]
    new = 0
    for card in cards:
        new += conn.execute("SELECT 1 FROM card WHERE url = ? LIMIT 1", (card.url,)).fetchone() is None
        key = conn.execute(
            "INSERT INTO card (site_id, url, title, teaser, section, first_seen, last_seen) VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET last_seen = max(last_seen, excluded.last_seen) RETURNING id",
            (site, card.url, card.title, card.teaser, card.section, at, at),
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
    """Everything that the front's last visit showed still stands there."""
    row = conn.execute("SELECT id FROM front WHERE url = ?", (url,)).fetchone()
    if row is None:
        return
    front = row[0]
    last = conn.execute("SELECT max(until) FROM placement WHERE front_id = ?", (front,)).fetchone()[0]
    conn.execute("UPDATE front SET last_seen = max(last_seen, ?) WHERE id = ?", (stamp(now), front))
    conn.execute(
        "UPDATE card SET last_seen = max(last_seen, ?) WHERE id IN (SELECT card_id FROM placement WHERE front_id = ? AND until = ?)",
        (stamp(now), front, last),
    )
    conn.execute("UPDATE placement SET until = ? WHERE front_id = ? AND until = ?", (visit, front, last))
