"""`archive.db` against itself: pages, foreign keys, full text against the texts, and what is kept twice. Only reads."""

import re
import sqlite3
from collections.abc import Iterator
from typing import Any

from storage.database import DATABASE
from storage.findings import Finding

MOST = 100
"""Findings of one kind that SQLite itself is asked for, and texts that are told apart word by word."""
_PAGE = re.compile(r"\b[Pp]age (\d+)")
_NEWEST = (
    "(SELECT x.id FROM revision w JOIN reading x ON x.revision_id = w.id WHERE w.article_id = {} "
    "ORDER BY w.n DESC, x.id DESC LIMIT 1)"
)
_LATEST = (
    f"SELECT a.id, a.url, sum(r.latest), max(r.id) FILTER (WHERE r.latest = 1), {_NEWEST.format('a.id')} "
    "FROM article a LEFT JOIN revision v ON v.article_id = a.id LEFT JOIN reading r ON r.revision_id = v.id GROUP BY a.id"
)
_URL = "(SELECT a.url FROM reading r JOIN revision v ON v.id = r.revision_id JOIN article a ON a.id = v.article_id WHERE r.id = {})"


def check(conn: sqlite3.Connection, *, quick: bool) -> Iterator[Finding]:
    """Everything that is wrong in the database. `quick`: neither indexes nor words are compared."""
    for part in (_pages, _foreign_keys, _places, _latest, _numbers, _spans, _texts):
        conn.execute("BEGIN")  # one state of the rows for each part, whatever a crawl does meanwhile
        try:
            yield from part(conn, quick)
        except sqlite3.DatabaseError as error:
            yield _in_database("database_damaged", None, None, f"{error}, {part.__doc__}")
        finally:
            if conn.in_transaction:
                conn.execute("ROLLBACK")


def _in_database(kind: str, row: int | None, url: str | None, detail: str) -> Finding:
    return Finding(kind, DATABASE, row, url, detail)


def _pages(conn: sqlite3.Connection, quick: bool) -> Iterator[Finding]:
    """while its pages were looked at"""
    size = conn.execute("PRAGMA page_size").fetchone()[0]
    how = "quick_check" if quick else "integrity_check"
    try:
        for (words,) in conn.execute(f"PRAGMA {how}({MOST})"):
            if words != "ok":
                page = _PAGE.search(words)
                offset = (int(page[1]) - 1) * size if page else None
                yield _in_database("database_damaged", offset, None, " ".join(words.split()))
    except sqlite3.DatabaseError:  # it gives up where it cannot go on; table by table the others are still checked
        for name, page in conn.execute(
            "SELECT name, rootpage FROM sqlite_master WHERE type = 'table' AND rootpage > 0"
        ):
            try:
                conn.execute(f'PRAGMA {how}("{name}")').fetchall()
            except sqlite3.DatabaseError as error:
                words = f"table {name} or an index of it: {error}"
                yield _in_database("database_damaged", (page - 1) * size, None, words)


def _foreign_keys(conn: sqlite3.Connection, quick: bool) -> Iterator[Finding]:
    """while foreign keys were followed"""
    for table, row, parent, number in conn.execute("PRAGMA foreign_key_check"):
        column = next(key[3] for key in conn.execute(f"PRAGMA foreign_key_list({table})") if key[0] == number)
        yield _in_database("foreign_key", row, None, f"{table}.{column} points to no row of {parent}")


def _places(conn: sqlite3.Connection, quick: bool) -> Iterator[Finding]:
    """while captures were compared with their visits"""
    for key, file, offset, length, url in misplaced(conn):
        yield Finding("row_without_bytes", file, offset, url, f"capture {key}: no visit brought it from there", length)


def _latest(conn: sqlite3.Connection, quick: bool) -> Iterator[Finding]:
    """while readings were counted"""
    for article, url, marked, latest, newest in conn.execute(_LATEST):
        if marked != 1 or latest != newest:
            words = f"{marked or 0} readings are marked as the latest" if marked != 1 else f"reading {newest} is newer"
            yield _in_database("latest_reading", article, url, f"article {article}: {words}")


def _numbers(conn: sqlite3.Connection, quick: bool) -> Iterator[Finding]:
    """while revisions were counted"""
    for article, url, numbers in conn.execute(
        "SELECT a.id, a.url, group_concat(v.n) FROM article a JOIN revision v ON v.article_id = a.id GROUP BY a.id "
        "HAVING min(v.n) <> 1 OR max(v.n) <> count(*)"
    ):
        yield _in_database("revision_number", article, url, f"article {article} has revisions {numbers}")


def _spans(conn: sqlite3.Connection, quick: bool) -> Iterator[Finding]:
    """while statements were compared with their articles"""
    reading, body = None, ""
    for quote, of, text, pieces in _quotes(conn):
        if of != reading:
            row = conn.execute(f"SELECT body, {_URL.format('?1')} FROM reading WHERE id = ?1", (of,)).fetchone()
            reading, (body, url) = of, row or ("", None)
        inside = all(0 <= start < end <= len(body) for start, end in pieces)
        if not inside or " ".join(body[start:end] for start, end in pieces) != text:
            where = "its spans are not" if inside else "a span is not within the body"
            yield _in_database("quote_span", quote, url, f"quote {quote} of reading {of}: {where}")


def _quotes(conn: sqlite3.Connection) -> Iterator[tuple[int, int, str, list[tuple[int, int]]]]:
    """Each statement: its key, its reading, its text and its spans."""
    current: tuple[int, int, str] | None = None
    pieces: list[tuple[int, int]] = []
    for *key, start, end in conn.execute(
        'SELECT q.id, q.reading_id, q.text, s.start, s."end" FROM quote q LEFT JOIN quote_span s ON s.quote_id = q.id '
        "ORDER BY q.reading_id, q.n, s.n"
    ):
        if current is not None and current[0] != key[0]:
            yield *current, pieces
            pieces = []
        current = (key[0], key[1], key[2])
        pieces += [] if start is None else [(start, end)]
    if current is not None:
        yield *current, pieces


def _texts(conn: sqlite3.Connection, quick: bool) -> Iterator[Finding]:
    """while full text search was compared with the articles"""
    told = False
    for kind, words, one, other in (
        ("text_missing", "is not in the full text index", "reading WHERE latest = 1", "text_fts_docsize"),
        ("text_extra", "is in the full text index", "text_fts_docsize", "reading WHERE latest = 1"),
    ):
        for key, url in conn.execute(
            f"SELECT id, {_URL.format('d.id')} FROM (SELECT id FROM {one} EXCEPT SELECT id FROM {other}) d"
        ):
            told = True
            yield _in_database(kind, key, url, f"reading {key} {words}")
    if not quick and not told and (error := _other_words(conn)):
        found = False
        for finding in _which(conn):
            found = True
            yield finding
        if not found:
            yield _in_database("text_mismatch", None, None, f"the full text index is not that of the articles: {error}")


def _other_words(conn: sqlite3.Connection) -> str:
    """What FTS5's own check says of the index against the texts; "" if they agree.

    That check is an INSERT, which a reader may not do: the index, not the texts, is copied to a temporary table.
    """
    made = dict(conn.execute("SELECT name, sql FROM main.sqlite_master WHERE name IN ('text_fts', '_latest_text')"))
    conn.execute(made["_latest_text"].replace("CREATE VIEW", "CREATE TEMP VIEW", 1))
    conn.execute(made["text_fts"].replace("text_fts", "temp.text_fts", 1))
    try:
        for part in ("data", "idx", "docsize", "config"):
            conn.execute(f"DELETE FROM temp.text_fts_{part}")
            conn.execute(f"INSERT INTO temp.text_fts_{part} SELECT * FROM main.text_fts_{part}")
        conn.execute("INSERT INTO temp.text_fts (text_fts, rank) VALUES ('integrity-check', 1)")
    except sqlite3.DatabaseError as error:
        return str(error)
    finally:
        conn.execute("DROP TABLE temp.text_fts")
        conn.execute("DROP VIEW temp._latest_text")
    return ""


def _which(conn: sqlite3.Connection) -> Iterator[Finding]:
    """The articles whose words are indexed otherwise: their texts are indexed anew, and every word's places compared."""
    made: str = conn.execute("SELECT sql FROM main.sqlite_master WHERE name = 'text_fts'").fetchone()[0]
    conn.execute(made.replace("text_fts", "temp.anew", 1).replace("content = '_latest_text'", "content = ''", 1))
    try:
        conn.execute(
            "INSERT INTO temp.anew (rowid, title, teaser, body) SELECT id, title, teaser, body FROM main._latest_text"
        )
        conn.execute("CREATE VIRTUAL TABLE temp.words_now USING fts5vocab (main, text_fts, instance)")
        conn.execute("CREATE VIRTUAL TABLE temp.words_anew USING fts5vocab (temp, anew, instance)")
        places = (
            "SELECT doc, col, count(*), sum(unicode(term) * length(term) * (offset + 1)) FROM temp.{} GROUP BY doc, col"
        )
        differing: list[Any] = conn.execute(
            f"SELECT doc, {_URL.format('doc')} FROM (SELECT * FROM ({places.format('words_now')}) EXCEPT "
            f"{places.format('words_anew')} UNION SELECT * FROM ({places.format('words_anew')} EXCEPT "
            f"{places.format('words_now')})) GROUP BY doc LIMIT {MOST}"
        ).fetchall()
    except sqlite3.DatabaseError:
        differing = []  # the index is too damaged to be read word by word
    finally:
        for name in ("words_now", "words_anew", "anew"):
            conn.execute(f"DROP TABLE IF EXISTS temp.{name}")
    for key, url in differing:
        yield _in_database("text_mismatch", key, url, f"the full text index has other words for reading {key}")


def misplaced(conn: sqlite3.Connection) -> Iterator[tuple[int, str, int, int, str]]:
    """Captures that none of their visits brought from where they point to: key, file, offset, length, address."""
    yield from conn.execute(
        "SELECT c.id, c.file, c.offset, c.length, c.url FROM capture c WHERE NOT EXISTS (SELECT 1 FROM visit v WHERE v.file = c.file "
        "AND v.offset = c.offset AND v.length = c.length AND v.capture_id = c.id)"
    )


def mark_latest(conn: sqlite3.Connection, article: int | None) -> None:
    """Mark the newest reading of the newest revision of an article as its latest, and no other."""
    conn.execute(
        f"UPDATE reading SET latest = (id = {_NEWEST.format('?1')}) WHERE revision_id IN (SELECT id FROM revision WHERE article_id = ?1)",
        (article,),
    )


def has(conn: sqlite3.Connection, table: str) -> bool:
    """Whether the database has a table; one of an earlier edition may not."""
    return bool(conn.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchone())
