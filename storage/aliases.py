"""Aliases: which addresses lead to one story, and which that say so are not believed."""

import re
import sqlite3
from typing import NamedTuple

from parsers.article import Article
from parsers.text import normalised

SHARED = 0.2
"""Share of the shorter text's runs of three words that two forms of one story have in common at least. Other stories of a
site have next to none."""
_WORD = re.compile(r"\w+")
_KEEP = (
    "INSERT INTO alias VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET source = excluded.source, article_id = excluded.article_id "
    "WHERE source = 'hreflang' OR (source = 'canonical' AND excluded.article_id = article_id AND excluded.source <> 'hreflang')"
)


def at_address(conn: sqlite3.Connection, url: str, *, seen: bool = False) -> int | None:
    """Key of the article that a canonical address leads to; with `seen`, not if only hreflang says so."""
    row = conn.execute("SELECT article_id, source FROM alias WHERE url = ?", (url,)).fetchone()
    return None if row is None or (seen and row[1] == "hreflang") else int(row[0])


class Found(NamedTuple):
    """A page's story: its key, whether it is new, and its own address if the page came from another one, else ""."""

    key: int
    fresh: bool
    variant_of: str


def article(
    conn: sqlite3.Connection, article: Article, body: str, asked: str, given: str, at: str, site: int | None
) -> Found:
    """The story of a page, made if there is none; all the page's addresses lead to it from now on.

    `asked`, `given`: canonical addresses of the request and of the answer. What the page calls its own address is believed
    if nothing else is known there, or a story that shares text with it: many pages of a site may name one address.
    """
    own, answered = article.canonical_url, (given, asked)
    key = next((key for url in (own, *answered) if (key := _known(conn, url, article, body, answered))), None)
    if own not in answered and at_address(conn, own) not in (None, key):
        own = given
    if key is None:
        fresh, home = True, own
        cursor = conn.execute(
            "INSERT INTO article (site_id, url, first_seen, last_seen) VALUES (?, ?, ?, ?)", (site, own, at, at)
        )
        key = int(cursor.lastrowid or 0)
    else:
        fresh = False
        (home,) = conn.execute(
            "UPDATE article SET last_seen = max(last_seen, ?) WHERE id = ? RETURNING url", (at, key)
        ).fetchone()
    called = {own: "canonical", given: "redirect" if given != asked else "asked", asked: "asked"}
    for url, source in called.items():
        conn.execute(_KEEP, (url, key, source, at))
    for url in article.alternates:
        conn.execute("INSERT INTO alias VALUES (?, ?, 'hreflang', ?) ON CONFLICT DO NOTHING", (url, key, at))
    # An address that once was another story's stays an alias of that one, and what it shows now is read.
    return Found(key, fresh, "" if home in answered or at_address(conn, asked) != key else home)


def read_at_home(conn: sqlite3.Connection, key: int, home: str) -> tuple[int, int] | None:
    """Keys of the latest revision of a story and of its latest reading, if it stands and was ever read at its own address."""
    row = conn.execute(
        "SELECT v.id, r.id FROM article a JOIN revision v ON v.article_id = a.id JOIN reading r ON r.revision_id = v.id AND r.latest = 1 "
        "WHERE a.id = ?1 AND a.withdrawn IS NULL "
        "AND EXISTS (SELECT 1 FROM alias WHERE url = ?2 AND article_id = ?1 AND source IN ('asked', 'redirect')) ORDER BY v.n DESC LIMIT 1",
        (key, home),
    ).fetchone()
    return (row[0], row[1]) if row else None


def _known(conn: sqlite3.Connection, url: str, article: Article, body: str, answered: tuple[str, str]) -> int | None:
    """The story that an address leads to, if it is the page's own story."""
    key = at_address(conn, url)
    if key is None:
        return None
    # Once a page of an address was that story, it stays so however it is rewritten.
    sure = any(at_address(conn, one, seen=True) == key for one in answered)
    return key if sure or _alike(conn, key, article, body) else None


def _alike(conn: sqlite3.Connection, key: int, article: Article, body: str) -> bool:
    """Whether a page shows the text that a story showed last; a text too short to tell counts by its headline."""
    row = conn.execute(
        "SELECT r.title, r.body FROM reading r JOIN revision v ON v.id = r.revision_id WHERE v.article_id = ? AND r.latest = 1 "
        "ORDER BY v.n DESC LIMIT 1",
        (key,),
    ).fetchone()
    if row is None:
        return True
    one, other = _runs(row[1]), _runs(body)
    shorter = min(len(one), len(other))
    if shorter < 10:
        return normalised(str(row[0])) == normalised(article.title)
    return len(one & other) >= SHARED * shorter


def _runs(text: str) -> set[tuple[str, str, str]]:
    words = _WORD.findall(normalised(text))
    return set(zip(words, words[1:], words[2:], strict=False))
