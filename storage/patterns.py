"""Budgets: how many pages of one shape a host may show that bring nothing, before addresses of that shape are left alone.

A calendar and an archive of news look alike from outside; what tells them apart is what they bring.
"""

import sqlite3
from datetime import datetime, timedelta

from parsers.links import numbered
from parsers.shapes import endless, shape
from parsers.url import host
from storage.articles import KeptArticle
from storage.timing import stamp

BARREN = 30
"""Pages that brought nothing until a shape is given up, if fewer than one page in SHARE brought a story."""
SHARE = 20
WINDOW = timedelta(days=7)
"""After that a shape is counted anew: a site may have changed."""
PROVEN = 5
"""Stories that a shape must have brought to vouch for a link that does not look like one."""
FORMS = 3
"""Addresses with a query of some names that must have shown the story of the address without it, and no other, to vouch for more."""
DROPPED = "pattern"
"""The outcome of what is left alone; the reason in the ledger, too."""


def count(conn: sqlite3.Connection, kind: str, url: str, *, news: bool, now: datetime) -> int:
    """Count a story's page or a further page of a list that came for the first time: whether it brought something new.

    Gives how many waiting addresses are left alone from now on, because it was one barren page too many.
    """
    if not _limited(kind, url):
        return 0
    key = host(url), kind, shape(url)
    before = _closed(conn, key, now)
    _add(conn, key, news=news, now=now)
    if before or not _closed(conn, key, now):
        return 0
    conn.create_function("shape", 1, shape, deterministic=True)
    return conn.execute(
        "UPDATE frontier SET state = 'done', due = NULL, leased_by = NULL, leased_until = NULL, outcome = ? "
        "WHERE host_id = (SELECT id FROM host WHERE name = ?) AND kind = ? AND shape(url) = ? AND url <> ? "
        "AND state <> 'done' AND checks = 0 AND found_on IS NOT NULL",
        (DROPPED, *key, url),
    ).rowcount


def trap(conn: sqlite3.Connection, kind: str, url: str, *, now: datetime) -> str:
    """Why an address that was found on a page is not to be queued; "" if it is."""
    cause = endless(url)
    if cause or not _limited(kind, url):
        return cause
    return DROPPED if _closed(conn, (host(url), kind, shape(url)), now) else ""


def proven(conn: sqlite3.Connection, url: str, *, now: datetime) -> bool:
    """Whether stories' addresses of this shape led to stories, and hardly to anything else."""
    barren, fruitful = _counts(conn, (host(url), "story", shape(url)), now)
    return fruitful >= PROVEN and barren * 4 <= fruitful


def form_of(conn: sqlite3.Connection, url: str, *, now: datetime) -> str:
    """The address without its query, if queries of such names have only ever led to the story that stands there; else itself."""
    home, mark, query = url.partition("?")
    if not mark:
        return url
    barren, fruitful = _counts(conn, (host(url), "form", _names(query)), now)
    return home if barren >= FORMS and not fruitful else url


def count_form(conn: sqlite3.Connection, url: str, shown: str, *, now: datetime) -> None:
    """Count what an address with a query showed when it was first asked for. `shown`: the story's own address, as far as
    the page is believed: many pages may name one."""
    home, mark, query = url.partition("?")
    if mark:
        _add(conn, (host(url), "form", _names(query)), news=shown != home, now=now)


def _names(query: str) -> str:
    return "&".join(pair.partition("=")[0] for pair in query.split("&"))


def repeats(conn: sqlite3.Connection, kept: KeptArticle) -> bool:
    """Whether a new article shows the very text of another one of its own site, as the pages of a trap do."""
    (sites,) = conn.execute(
        "SELECT count(DISTINCT coalesce(site_id, 0)) FROM article WHERE id IN (?, ?)", (kept.article, kept.copy_of)
    ).fetchone()
    return kept.copy_of is not None and sites == 1


def _add(conn: sqlite3.Connection, key: tuple[str, str, str], *, news: bool, now: datetime) -> None:
    conn.execute(
        "INSERT INTO host_pattern VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET "
        "fruitful = iif(since < ?7, 0, fruitful) + ?4, barren = iif(since < ?7, 0, barren) + ?5, since = iif(since < ?7, ?6, since)",
        (*key, int(news), int(not news), stamp(now), stamp(now - WINDOW)),
    )


def _limited(kind: str, url: str) -> bool:
    """Whether there may be any number of such addresses: stories and further pages of lists, but not sections."""
    return kind == "story" or (kind == "front" and numbered(url))


def _closed(conn: sqlite3.Connection, key: tuple[str, str, str], now: datetime) -> bool:
    barren, fruitful = _counts(conn, key, now)
    return barren >= BARREN and fruitful * SHARE < barren


def _counts(conn: sqlite3.Connection, key: tuple[str, str, str], now: datetime) -> tuple[int, int]:
    row = conn.execute(
        "SELECT barren, fruitful FROM host_pattern WHERE host = ? AND kind = ? AND shape = ? AND since >= ?",
        (*key, stamp(now - WINDOW)),
    ).fetchone()
    return row or (0, 0)
