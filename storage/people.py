"""Who is who. A name and an affiliation make a person; a bare name joins the only person of that name, if there is one."""

import json
import sqlite3
from datetime import datetime

from parsers import dates
from parsers.article import Article, Block, Quote, SpeakerType
from parsers.quotes.extract import extract
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


def rejoin(conn: sqlite3.Connection, name: str, kind: SpeakerType) -> None:
    """Decide anew who the bearers of a (normalised) name are, by the statements that are left, in the order they were read.

    To be called in a transaction: for a moment statements point to people who are gone.
    """
    conn.execute("PRAGMA defer_foreign_keys = ON")
    rows = conn.execute(
        "SELECT q.id, q.reading_id, q.speaker, q.affiliation_id, r.body, r.blocks, "
        "coalesce(iif(r.published_flag IS NULL, r.published_utc, NULL), substr(r.at, 1, 19) || 'Z') FROM quote q "
        "JOIN person p ON p.id = q.person_id JOIN reading r ON r.id = q.reading_id WHERE p.normalised = ? AND p.type = ? "
        "ORDER BY q.reading_id, q.n",
        (name, kind),
    ).fetchall()
    removed = conn.execute(
        "DELETE FROM person WHERE normalised = ? AND type = ? RETURNING id, affiliation_id, honorific", (name, kind)
    ).fetchall()
    titled = any(honorific for *_, honorific in removed)
    known: dict[tuple[int, str], int] = {}
    for key, reading, speaker, affiliation, body, blocks, at in rows:
        if (reading, speaker) not in known:
            honorific = _honorific(speaker, body, blocks) if titled else None
            quote = Quote(speaker, None, kind, None, None, "", "", (), "direct", 1.0)
            known[reading, speaker] = _person(conn, quote, honorific, affiliation, at)
        conn.execute("UPDATE quote SET person_id = ? WHERE id = ?", (known[reading, speaker], key))
    _keep_keys(conn, name, kind, {affiliation: key for key, affiliation, _ in reversed(removed)})


def _keep_keys(conn: sqlite3.Connection, name: str, kind: str, keys: dict[int | None, int]) -> None:
    """Who was known before keeps the key: the one of the same affiliation, else whichever is free."""
    rows = conn.execute(
        "SELECT id, affiliation_id FROM person WHERE normalised = ? AND type = ? ORDER BY id", (name, kind)
    ).fetchall()
    conn.executemany("UPDATE person SET id = -id WHERE id = ?", [(key,) for key, _ in rows])
    kept = {affiliation for _, affiliation in rows}
    spare = [key for affiliation, key in keys.items() if affiliation not in kept]
    for made, affiliation in rows:
        key = keys.get(affiliation) or (spare.pop() if spare else None)
        key = key or max(*keys.values(), *conn.execute("SELECT max(id) FROM person").fetchone()) + 1
        conn.execute("UPDATE person SET id = ? WHERE id = ?", (key, -made))
        conn.execute("UPDATE quote SET person_id = ? WHERE person_id = ?", (-key, made))
    conn.execute("UPDATE quote SET person_id = -person_id WHERE person_id < 0")


def _honorific(name: str, body: str, kinds: str) -> str | None:
    blocks = [Block(kind, text) for kind, text in zip(json.loads(kinds), body.split("\n"), strict=False)]
    return next((one.honorific for one in extract(body, blocks)[1] if one.name == name), None)
