"""Questions that the command line asks: search, quotes, people. Read-only; `storage/standing.py` says how the sites are.

A date that cannot be right (`published_flag`) is given as it is, but neither filters nor sorts.
"""

import json
import re
import sqlite3
from collections.abc import Collection
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from parsers.errors import UsageError
from storage.timing import stamp

_TERM = re.compile(r'"([^"]+)"|(\S+)')
_WORDS = re.compile(r"\w")


def rows_of(cursor: sqlite3.Cursor) -> list[dict[str, Any]]:
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def known_sites(conn: sqlite3.Connection, names: Collection[str]) -> dict[str, int]:
    """Keys of the sites of those names, of all if there are none. Raises UsageError for a name that is not known."""
    known = dict(conn.execute("SELECT name, id FROM main.site ORDER BY name").fetchall())
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            raise UsageError(
                f"the archive has no site {name!r}",
                cause=f"did you mean {close[0]!r}?" if close else f"its sites: {', '.join(known) or 'none'}",
                next="newsmorgue status",
            )
    return {name: known[name] for name in names or known}


def match(words: str) -> str:
    """An FTS5 query that finds texts holding every word; "phrases in quotes" stay phrases, a trailing * is a prefix.

    Each term is quoted, so no input is a syntax error (FTS5 documentation, section 3).
    """
    terms = []
    # SQLite takes no lone surrogates (undecodable bytes of a command line), and FTS5 ends a query at a NUL.
    for phrase, word in _TERM.findall(words.encode("utf-8", "replace").decode("utf-8").replace("\0", " ")):
        text = (phrase or word).replace('"', "")
        prefix = "*" if not phrase and text.endswith("*") else ""
        if _WORDS.search(text):
            terms.append(f'"{text.rstrip("*")}"{prefix}')
    return " ".join(terms)


def search(
    conn: sqlite3.Connection,
    words: str,
    *,
    site: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 20,
) -> list[dict[str, Any]]:
    """Articles that hold every word, best first: title, url, site, published_utc, published_flag, snippet, rank (smaller is
    better). `since`, `until`: by when it was published, else first seen. Raises UsageError for a site that is not known."""
    known_sites(conn, [site] if site else [])
    query = match(words)
    if not query:
        return []
    cursor = conn.execute(
        "WITH hit AS (SELECT rowid AS id, bm25(text_fts, 8.0, 4.0, 1.0) AS rank, snippet(text_fts, -1, '[', ']', ' ... ', 16) AS snippet "
        "FROM text_fts WHERE text_fts MATCH ?1) "
        "SELECT r.title, a.url, s.name AS site, r.section, r.published_utc, r.published_flag, h.snippet, round(h.rank, 4) AS rank, a.id "
        "FROM hit h JOIN reading r ON r.id = h.id JOIN revision v ON v.id = r.revision_id JOIN article a ON a.id = v.article_id "
        "LEFT JOIN site s ON s.id = a.site_id WHERE (?2 IS NULL OR s.name = ?2) "
        "AND (?3 IS NULL OR coalesce(iif(r.published_flag IS NULL, r.published_utc, NULL), a.first_seen) >= ?3) "
        "AND (?4 IS NULL OR coalesce(iif(r.published_flag IS NULL, r.published_utc, NULL), a.first_seen) < ?4) "
        "ORDER BY h.rank, a.id LIMIT ?5",
        (query, site, stamp(since) if since else None, stamp(until) if until else None, limit),
    )
    return rows_of(cursor)


def quotes(
    conn: sqlite3.Connection, *, speaker: str | None = None, site: str | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """Statements, newest first; `speaker` is looked for anywhere in the name, in any case.

    Raises UsageError for a site that is not known.
    """
    known_sites(conn, [site] if site else [])
    wanted = f"%{speaker.replace('!', '!!').replace('%', '!%').replace('_', '!_')}%" if speaker else None
    cursor = conn.execute(
        "SELECT speaker, honorific, speaker_type, role, affiliation, cue, text, kind, confidence, site, section, title, url, "
        "published_utc, published_flag FROM quotes WHERE (?1 IS NULL OR speaker LIKE ?1 ESCAPE '!') AND (?2 IS NULL OR site = ?2) "
        "ORDER BY iif(published_flag IS NULL, published_utc, NULL) DESC, id LIMIT ?3",
        (wanted, site, limit),
    )
    return rows_of(cursor)


def people(conn: sqlite3.Connection, *, limit: int, experts_only: bool) -> list[dict[str, Any]]:
    """Everyone quoted, or experts alone, most quoted first."""
    sql = "SELECT * FROM people ORDER BY quotes DESC, articles DESC, person LIMIT ?"
    if experts_only:
        sql = "SELECT * FROM experts ORDER BY quotes DESC, articles DESC, person LIMIT ?"
    return rows_of(conn.execute(sql, (limit,)))


def verdicts(conn: sqlite3.Connection) -> list[dict[str, Any]]:
    """Captures by verdict: verdict, captures, addresses."""
    cursor = conn.execute(
        "SELECT coalesce(verdict, 'unread') AS verdict, count(*) AS captures, count(DISTINCT url) AS addresses FROM capture "
        "WHERE kind <> 'robots' GROUP BY 1 ORDER BY captures DESC"
    )
    return rows_of(cursor)


def changes(conn: sqlite3.Connection, run: int) -> list[dict[str, Any]]:
    """What a run found: `what` (new, headline, text or withdrawn), title, url, `before`, the old headline where it changed,
    `changes` (kinds, see the table `revision`), words_added and words_removed."""
    cursor = conn.execute(
        "SELECT CASE WHEN v.n = 1 THEN 'new' WHEN r.revision_id < v.id THEN 'withdrawn' WHEN v.title_changed THEN 'headline' "
        "ELSE 'text' END AS what, r.title, a.url, CASE WHEN v.title_changed THEN (SELECT o.title FROM revision w JOIN reading o "
        "ON o.revision_id = w.id WHERE w.article_id = a.id AND w.n < v.n ORDER BY w.n DESC, o.id DESC LIMIT 1) END AS before, "
        "v.changes, v.words_added, v.words_removed "
        "FROM revision v JOIN capture c ON c.id = v.capture_id JOIN article a ON a.id = v.article_id "
        "JOIN reading r ON r.id = (SELECT o.id FROM revision w JOIN reading o ON o.revision_id = w.id "
        "WHERE w.article_id = a.id AND w.n <= v.n ORDER BY w.n DESC, o.id DESC LIMIT 1) "
        "WHERE c.run_id = ? ORDER BY v.n DESC, v.id",
        (run,),
    )
    return [{**row, "changes": json.loads(row["changes"])} for row in rows_of(cursor)]
