"""Text columns in which words are struck that were struck from the payloads they were read from."""

import sqlite3
from collections.abc import Callable

from parsers.text import normalised
from storage.strike import Target, strike_text

_TEXTS = {
    "card": ("title", "teaser", "section"),
    "front": ("title",),
    "capture": ("title", "problem"),
    "host": ("held_for",),
}
_NAMES = {
    "tag": (("article_tag", "tag_id"),),
    "author": (("article_author", "author_id"),),
    "affiliation": (("quote", "affiliation_id"), ("person", "affiliation_id")),
}
"""Tables of names, and the columns that point to them."""
_READ = ("title", "teaser", "description", "body", "captions", "section", "sections", "image")


def struck(text: str, target: Target) -> str:
    """A text as a person typed it or a reader read it, with what is to be struck struck."""
    return strike_text(text, target)


def _striker(target: Target) -> Callable[[str | None], str | None]:
    clues = target.clues(listing=False)

    def strike(text: str | None) -> str | None:
        if not text or (clues is not None and not any(clue in text.lower() for clue in clues)):
            return text
        return struck(text, target)

    return strike


def choose_again(conn: sqlite3.Connection, target: Target) -> None:
    """Choose (in the table `again`) the articles that stay and whose text holds what is to be struck."""
    strike = _striker(target)
    conn.create_function("hit", 1, lambda text: strike(text) != text, deterministic=True)
    if not target:
        return
    texts = " OR ".join(f"hit(r.{name})" for name in _READ)
    names = " UNION ".join(
        f"SELECT x.reading_id FROM {link} x JOIN {table} t ON t.id = x.{column} WHERE hit(t.name)"
        for table, links in _NAMES.items()
        for link, column in links
        if link != "person"
    )
    conn.execute(
        "INSERT OR IGNORE INTO again SELECT v.article_id FROM reading r JOIN revision v ON v.id = r.revision_id "
        f"WHERE r.id NOT IN gone_reading AND ({texts} OR r.id IN ({names}) OR r.id IN "
        "(SELECT reading_id FROM quote WHERE person_id IN gone_person OR hit(speaker) OR hit(role)))"
    )


def strike(conn: sqlite3.Connection, target: Target, *, write: bool) -> dict[str, int]:
    """Strike the columns of rows that stay; gives the rows of each table that change. See `choose_again` for readings."""
    if not target:
        return {}
    one = _striker(target)
    found = {table: _texts(conn, table, names, one, write) for table, names in _TEXTS.items()}
    if write:
        conn.execute("DELETE FROM person WHERE hit(name) AND id NOT IN (SELECT person_id FROM quote)")
        for table in _NAMES:
            _names(conn, table, one)
    return {table: number for table, number in found.items() if number}


def _texts(
    conn: sqlite3.Connection, table: str, names: tuple[str, ...], one: Callable[[str | None], str | None], write: bool
) -> int:
    gone = f"WHERE id NOT IN gone_{table}" if table in ("card", "capture") else ""
    changed = 0
    for key, *texts in conn.execute(f"SELECT id, {', '.join(names)} FROM {table} {gone}").fetchall():
        anew = [one(text) for text in texts]
        if anew == texts:
            continue
        changed += 1
        if write:
            try:
                conn.execute(
                    f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in names)} WHERE id = ?", (*anew, key)
                )
            except sqlite3.IntegrityError:  # two wordings of a card that differed in what was struck alone
                _join_cards(conn, key, anew)
    return changed


def _join_cards(conn: sqlite3.Connection, key: int, anew: list[str | None]) -> None:
    other = conn.execute(
        "SELECT o.id FROM card o JOIN card c ON c.url = o.url WHERE c.id = ? AND (o.title, o.teaser, o.section) = (?, ?, ?)",
        (key, *anew),
    ).fetchone()[0]
    conn.execute("UPDATE OR IGNORE placement SET card_id = ? WHERE card_id = ?", (other, key))
    conn.execute("DELETE FROM placement WHERE card_id = ?", (key,))
    conn.execute(
        "UPDATE card SET (first_seen, last_seen) = (SELECT min(c.first_seen), max(c.last_seen) FROM card c WHERE c.id IN (?1, ?2)) "
        "WHERE id = ?1",
        (other, key),
    )
    conn.execute("DELETE FROM card WHERE id = ?", (key,))


def _names(conn: sqlite3.Connection, table: str, one: Callable[[str | None], str | None]) -> None:
    for key, name in conn.execute(f"SELECT id, name FROM {table} WHERE hit(name)").fetchall():
        anew = str(one(name))
        plain = normalised(anew).removeprefix("the ") if table == "affiliation" else normalised(anew)
        other = conn.execute(f"SELECT id FROM {table} WHERE normalised = ?", (plain,)).fetchone()
        if other is None:
            conn.execute(f"UPDATE {table} SET name = ?, normalised = ? WHERE id = ?", (anew, plain, key))
            continue
        for link, column in _NAMES[table]:
            conn.execute(f"UPDATE OR IGNORE {link} SET {column} = ? WHERE {column} = ?", (other[0], key))
        conn.execute(f"DELETE FROM {table} WHERE id = ?", (key,))
