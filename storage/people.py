"""Who is who. A name and an affiliation make a person; a bare name joins the only person of that name, if there is one."""

import sqlite3
from datetime import datetime

from parsers import dates
from parsers.article import Article, Quote
from parsers.text import normalised
from storage.timing import stamp


def keep(conn: sqlite3.Connection, reading: int, article: Article, now: datetime) -> None:
    """Keep the quotes of a reading with their speakers."""
    honorifics = {(person.name, person.type): person.honorific for person in article.people}
    when = article.published
    published = when.utc if when and not dates.flag(when, now) else None
    at = stamp(published or now, "seconds")
    known: dict[tuple[str, str], int] = {}
    stated = {(p.name, p.type): p.affiliation for p in article.people}
    for n, quote in enumerate(article.quotes, 1):
        name = (quote.speaker, quote.speaker_type)
        if name not in known:
            affiliation = _affiliation(conn, stated.get(name) or quote.affiliation)
            known[name] = _person(conn, quote, honorifics.get(name), affiliation, at)
        _quote(conn, reading, known[name], n, quote)


def _affiliation(conn: sqlite3.Connection, name: str | None) -> int | None:
    if not name:
        return None
    plain = normalised(name).removeprefix("the ")
    row = conn.execute("SELECT id FROM affiliation WHERE normalised = ?", (plain,)).fetchone()
    if row:
        return int(row[0])
    return conn.execute("INSERT INTO affiliation (name, normalised) VALUES (?, ?)", (name, plain)).lastrowid


def _person(conn: sqlite3.Connection, quote: Quote, honorific: str | None, affiliation: int | None, at: str) -> int:
    plain = normalised(quote.speaker)
    same = conn.execute(
        "SELECT id, affiliation_id FROM person WHERE normalised = ? AND type = ? ORDER BY id",
        (plain, quote.speaker_type),
    ).fetchall()
    exact = [row[0] for row in same if row[1] == affiliation]
    bare = [row[0] for row in same if row[1] is None]
    chosen: int | None = None
    if quote.speaker_type != "person":
        chosen = same[0][0] if same else None
    elif exact:
        chosen = exact[0]
    elif affiliation is None and len(same) == 1:
        chosen = same[0][0]
    elif affiliation is not None and bare and len(same) == 1:
        chosen = bare[0]
        conn.execute("UPDATE person SET affiliation_id = ? WHERE id = ?", (affiliation, chosen))
    if chosen is None:
        return int(
            conn.execute(
                "INSERT INTO person (name, normalised, honorific, type, affiliation_id, first_seen, last_seen) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (quote.speaker, plain, honorific, quote.speaker_type, affiliation, at, at),
            ).lastrowid
            or 0
        )
    conn.execute(
        "UPDATE person SET first_seen = min(first_seen, ?1), last_seen = max(last_seen, ?1), honorific = coalesce(honorific, ?2) "
        "WHERE id = ?3",
        (at, honorific, chosen),
    )
    return chosen


def _quote(conn: sqlite3.Connection, reading: int, person: int, n: int, quote: Quote) -> None:
    start, end = quote.speaker_span or (None, None)
    key = conn.execute(
        "INSERT INTO quote (reading_id, person_id, n, speaker, speaker_type, speaker_start, speaker_end, role, affiliation_id, cue, text, "
        "kind, confidence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            reading, person, n, quote.speaker, quote.speaker_type, start, end, quote.role, _affiliation(conn, quote.affiliation),
            quote.cue, quote.text, quote.kind, quote.confidence,
        ),
    ).lastrowid  # fmt: skip
    conn.executemany(
        'INSERT INTO quote_span (quote_id, n, start, "end") VALUES (?, ?, ?, ?)',
        [(key, number, first, last) for number, (first, last) in enumerate(quote.spans, 1)],
    )
