"""Who is who. A name and an affiliation make a person; a bare name joins the only person of that name, if there is one."""

import json
import sqlite3
from datetime import datetime

from parsers import dates
from parsers.article import Article, Block, Quote, SpeakerType
from parsers.quotes.extract import extract
from parsers.text import normalised
from storage import names
from storage.timing import stamp


def keep(conn: sqlite3.Connection, reading: int, article: Article, now: datetime) -> None:
    """Keep the quotes of a reading with their speakers."""
    if not article.quotes:
        return
    people = {(person.name, person.type): person for person in article.people}
    when = article.published
    published = when.utc if when and not dates.flag(when, now) else None
    at = stamp(published or now, "seconds")
    known: dict[tuple[str, str], int] = {}
    spans: list[tuple[int, int, int, int]] = []
    for n, quote in enumerate(article.quotes, 1):
        name = (quote.speaker, quote.speaker_type)
        person = people.get(name)
        if name not in known:
            stated = person.affiliation if person else None
            affiliation = _affiliation(conn, stated or quote.affiliation)
            known[name] = _person(conn, quote, person.honorific if person else None, affiliation, at)
            if stated and stated != quote.affiliation:
                affiliation = _affiliation(conn, quote.affiliation)
        else:
            affiliation = _affiliation(conn, quote.affiliation)
        key = _quote(conn, reading, known[name], n, quote, affiliation)
        spans.extend((key, number, first, last) for number, (first, last) in enumerate(quote.spans, 1))
    conn.executemany('INSERT INTO quote_span (quote_id, n, start, "end") VALUES (?, ?, ?, ?)', spans)


def _affiliation(conn: sqlite3.Connection, name: str | None) -> int | None:
    return names.key(conn, "affiliation", name) if name else None


def _person(conn: sqlite3.Connection, quote: Quote, honorific: str | None, affiliation: int | None, at: str) -> int:
    plain = normalised(quote.speaker)
    same = conn.execute(
        "SELECT id, affiliation_id, first_seen, last_seen, honorific FROM person WHERE normalised = ? AND type = ? ORDER BY id",
        (plain, quote.speaker_type),
    ).fetchall()
    exact = [row for row in same if row[1] == affiliation]
    chosen = None
    if quote.speaker_type != "person":
        chosen = same[0] if same else None
    elif exact:
        chosen = exact[0]
    elif len(same) == 1 and (affiliation is None or same[0][1] is None):
        chosen = same[0]
        if affiliation is not None:
            conn.execute("UPDATE person SET affiliation_id = ? WHERE id = ?", (affiliation, chosen[0]))
    if chosen is None:
        return int(
            conn.execute(
                "INSERT INTO person (name, normalised, honorific, type, affiliation_id, first_seen, last_seen) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (quote.speaker, plain, honorific, quote.speaker_type, affiliation, at, at),
            ).lastrowid
            or 0
        )
    key, _, first, last, known = chosen
    if not first <= at <= last or (known is None and honorific is not None):
        conn.execute(
            "UPDATE person SET first_seen = ?, last_seen = ?, honorific = ? WHERE id = ?",
            (min(first, at), max(last, at), honorific if known is None else known, key),
        )
    return int(key)


def _quote(conn: sqlite3.Connection, reading: int, person: int, n: int, quote: Quote, affiliation: int | None) -> int:
    start, end = quote.speaker_span or (None, None)
    return int(
        conn.execute(
            "INSERT INTO quote (reading_id, person_id, n, speaker, speaker_type, speaker_start, speaker_end, role, affiliation_id, cue, "
            "text, kind, confidence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                reading, person, n, quote.speaker, quote.speaker_type, start, end, quote.role, affiliation, quote.cue, quote.text,
                quote.kind, quote.confidence,
            ),
        ).lastrowid
        or 0
    )  # fmt: skip


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
