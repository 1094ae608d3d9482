"""Questions that the command line asks: search, quotes, people, status. Read-only.

A date that cannot be right (`published_flag`) is given as it is, but neither filters nor sorts.
"""

import json
import re
import sqlite3
from datetime import datetime
from typing import Any

from storage.timing import REFUSALS, stamp

_TERM = re.compile(r'"([^"]+)"|(\S+)')
_WORDS = re.compile(r"\w")
FAILING = 3
"""Failed addresses in a row, fronts and feeds alone, after which a site is said to be failing."""


def _rows(cursor: sqlite3.Cursor) -> list[dict[str, Any]]:
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


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
    better). `since`, `until`: by when it was published, else first seen."""
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
    return _rows(cursor)


def quotes(
    conn: sqlite3.Connection, *, speaker: str | None = None, site: str | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """Statements, newest first; `speaker` is looked for anywhere in the name, in any case."""
    wanted = f"%{speaker.replace('!', '!!').replace('%', '!%').replace('_', '!_')}%" if speaker else None
    cursor = conn.execute(
        "SELECT speaker, honorific, speaker_type, role, affiliation, cue, text, kind, confidence, site, section, title, url, "
        "published_utc, published_flag FROM quotes WHERE (?1 IS NULL OR speaker LIKE ?1 ESCAPE '!') AND (?2 IS NULL OR site = ?2) "
        "ORDER BY iif(published_flag IS NULL, published_utc, NULL) DESC, id LIMIT ?3",
        (wanted, site, limit),
    )
    return _rows(cursor)


def people(conn: sqlite3.Connection, *, limit: int, experts_only: bool) -> list[dict[str, Any]]:
    """Everyone quoted, or experts alone, most quoted first."""
    sql = "SELECT * FROM people ORDER BY quotes DESC, articles DESC, person LIMIT ?"
    if experts_only:
        sql = "SELECT * FROM experts ORDER BY quotes DESC, articles DESC, person LIMIT ?"
    return _rows(conn.execute(sql, (limit,)))


def status(conn: sqlite3.Connection, *, now: datetime) -> list[dict[str, Any]]:
    """One row a site: state (ok, failing, held, refused or never), last_success, due, queue, `fill`, the share of articles
    that have each field, and `cause`, why it is held or refuses us, else empty. `due`: addresses due now; `queue`: those
    planned at all."""
    refusing = {row["site"]: row for row in refused(conn)}
    sites = _rows(
        conn.execute(
            "SELECT s.id, s.name AS site, (SELECT max(v.at) FROM visit v JOIN capture c ON c.id = v.capture_id WHERE c.site_id = s.id "
            "AND v.status < 400 AND c.verdict IS NOT 'challenge') AS last_success, "
            "(SELECT count(*) FROM frontier f WHERE f.site_id = s.id AND f.state <> 'done' AND f.due <= ?1) AS due, "
            "(SELECT count(*) FROM frontier f WHERE f.site_id = s.id AND f.state <> 'done') AS queue, "
            "(SELECT max(f.failures) FROM frontier f WHERE f.site_id = s.id AND f.kind <> 'story' AND f.priority = 2) AS failures, "
            "(SELECT h.held_for FROM frontier f JOIN host h ON h.id = f.host_id WHERE f.site_id = s.id AND h.held_until > ?1 "
            "ORDER BY h.held_until LIMIT 1) AS held_for FROM site s ORDER BY s.name",
            (stamp(now),),
        )
    )
    for row in sites:
        failures, held, refuses = row.pop("failures") or 0, row.pop("held_for"), refusing.get(row["site"])
        row["state"] = (
            "refused" if refuses
            else "never" if row["last_success"] is None
            else "held" if held is not None
            else "failing" if failures >= FAILING
            else "ok"
        )  # fmt: skip
        row["cause"] = refuses["held_for"] if refuses else held or ""
        row["fill"] = _fill(conn, row.pop("id"))
    order = ("site", "state", "last_success", "due", "queue", "fill", "cause")
    return [{key: row[key] for key in order} for row in sites]


def refused(conn: sqlite3.Connection) -> list[dict[str, Any]]:
    """Sites one of whose hosts refuses us (`Frontier.refused`): site, host, held_for, held_until, `last_success`, when the
    host last gave a good answer (None: never), and `url`, the address that it refused last."""
    cursor = conn.execute(
        "SELECT s.name AS site, h.name AS host, h.held_for, h.held_until, (SELECT max(v.at) FROM frontier f JOIN capture c ON "
        "c.asked = f.url JOIN visit v ON v.capture_id = c.id WHERE f.host_id = h.id AND v.status < 400 AND c.verdict IS NOT 'challenge') "
        "AS last_success, (SELECT f.url FROM frontier f WHERE f.host_id = h.id AND f.site_id = s.id ORDER BY f.last_fetched DESC "
        "LIMIT 1) AS url FROM host h JOIN site s ON EXISTS (SELECT 1 FROM frontier f WHERE f.host_id = h.id AND f.site_id = s.id) "
        "WHERE h.refusals >= ? ORDER BY s.name, h.name",
        (REFUSALS,),
    )
    return _rows(cursor)


def _fill(conn: sqlite3.Connection, site: int) -> dict[str, float]:
    row = _rows(
        conn.execute(
            "SELECT count(*) AS n, sum(r.title <> '') AS title, sum(r.teaser <> '') AS teaser, sum(r.body <> '') AS body, "
            "sum(r.published_utc IS NOT NULL) AS published, sum(r.section IS NOT NULL) AS section, "
            "sum(EXISTS (SELECT 1 FROM article_author x WHERE x.reading_id = r.id)) AS authors, "
            "sum(EXISTS (SELECT 1 FROM article_tag x WHERE x.reading_id = r.id)) AS tags, "
            "sum(EXISTS (SELECT 1 FROM quote q WHERE q.reading_id = r.id)) AS quotes "
            "FROM reading r JOIN revision v ON v.id = r.revision_id JOIN article a ON a.id = v.article_id "
            "WHERE r.latest = 1 AND a.site_id = ?",
            (site,),
        )
    )[0]
    total = row.pop("n")
    return {name: round((value or 0) / total, 3) for name, value in row.items()} if total else {}


def verdicts(conn: sqlite3.Connection) -> list[dict[str, Any]]:
    """Captures by verdict: verdict, captures, addresses."""
    cursor = conn.execute(
        "SELECT coalesce(verdict, 'unread') AS verdict, count(*) AS captures, count(DISTINCT url) AS addresses FROM capture "
        "WHERE kind <> 'robots' GROUP BY 1 ORDER BY captures DESC"
    )
    return _rows(cursor)


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
    return [{**row, "changes": json.loads(row["changes"])} for row in _rows(cursor)]
