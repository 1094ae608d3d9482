"""Articles, revisions and readings: what the publisher changed, and what a parser made of it."""

import json
import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from parsers import dates
from parsers.article import Article, Image, When
from parsers.text import foreign, normalised
from parsers.url import try_canonical
from storage import aliases, history, names, people
from storage.differences import NO_SPACES
from storage.keeping import digest
from storage.timing import instant, stamp

COPY_WORDS = 40
"""Shorter texts (notices, corrections) may be equal by chance."""
_WORD = re.compile(r"\w+")
_NO_SPACES = re.compile(f"[{NO_SPACES}]")

_LETTERS = bytes(ord("w" if chr(byte).isalnum() or chr(byte) == "_" or byte > 127 else " ") for byte in range(256))
"""Bytes of UTF-8 as `w`, part of a word, or a space; all beyond ASCII are taken for letters."""
_LINK = {table: f"INSERT INTO article_{table} VALUES (?, ?, ?) ON CONFLICT DO NOTHING" for table in ("tag", "author")}
_json = json.JSONEncoder(ensure_ascii=False).encode


def _texts(texts: Iterable[str]) -> str:
    """A list in JSON. A string alone takes the encoder's short way."""
    return f"[{', '.join(map(_json, texts))}]"


_known_texts = lru_cache(maxsize=1024)(_texts)
"""The kinds of blocks and the sections of most articles were seen before."""


def _image(image: Image) -> str:
    return f'{{"url": {_json(image.url)}, "caption": {_json(image.caption)}, "credit": {_json(image.credit)}}}'


@lru_cache(maxsize=1024)
def _provenance(rules: tuple[tuple[str, str, str], ...]) -> str:
    """Field to source and rule in JSON; articles that one layout reads have them from the same places."""
    return _json({field: {"source": source, "rule": rule} for field, source, rule in rules})


@dataclass(frozen=True, slots=True)
class KeptArticle:
    """Where a reading went. `copy_of`: key of an older article with the very same text, None if there is none.

    `variant_of`: the story's own address, if the page is another form of it (AMP, print); "" if it is not.
    """

    article: int
    revision: int
    reading: int
    new_article: bool
    new_revision: bool
    copy_of: int | None
    variant_of: str = ""


def keep(conn: sqlite3.Connection, capture: int, article: Article, *, site: int | None, now: datetime) -> KeptArticle:
    """Keep a reading, and a revision if normalised title, teaser or body differ from the article's last one.

    A page that differs only outside of its text (a counter, an advertisement) adds no reading either, unless another
    edition of the parsers read it or its dates changed. A page that is another form of a story that was read at its own
    address gives that story one more alias, and no reading.
    """
    asked, given, at = conn.execute("SELECT asked, url, at FROM capture WHERE id = ?", (capture,)).fetchone()
    if given != asked:  # which is canonical already
        given = try_canonical(given) or given
    body = article.body
    key, fresh, home = aliases.article(conn, article, body, asked, given, at, site)
    if home and (read := aliases.read_at_home(conn, key, home)):
        return KeptArticle(key, *read, False, False, None, home)
    parts = [normalised(part) for part in (article.title, article.teaser, body)]
    words = words_of(body)
    plain = [part.encode("utf-8", "surrogatepass") for part in parts]
    whole, text = digest(b"\x00".join(plain)), digest(plain[2])
    last: Any = None
    if not fresh:
        last = conn.execute(
            "SELECT id, n, digest FROM revision WHERE article_id = ? ORDER BY n DESC LIMIT 1", (key,)
        ).fetchone()
    changed = last is None or last[2] != whole
    if changed:
        change = history.change(conn, key, article, whole, at) if last else history.FIRST
        cursor = conn.execute(
            "INSERT INTO revision (article_id, n, capture_id, at, digest, text_digest, title_changed, body_changed, changes, "
            "words_added, words_removed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (key, last[1] + 1 if last else 1, capture, at, whole, text, *change),
        )
        revision = int(cursor.lastrowid or 0)
    else:
        revision = last[0]
    reading = None if changed else _same_reading(conn, revision, article)
    if reading is None:
        if not fresh:
            conn.execute(
                "UPDATE reading SET latest = 0 WHERE latest = 1 AND revision_id IN (SELECT id FROM revision WHERE article_id = ?)",
                (key,),
            )
        reading = _reading(conn, revision, capture, instant(at), article, body, words, now)
    copy_of = _group(conn, key, text) if changed and words >= COPY_WORDS else None
    return KeptArticle(key, revision, reading, fresh, changed and not fresh, copy_of, home)


def with_text(conn: sqlite3.Connection, text: bytes, *, but: int = 0) -> int | None:
    """Key of an article, other than `but`, that shows or showed a body of this digest."""
    row = conn.execute(
        "SELECT article_id FROM revision WHERE text_digest = ? AND article_id <> ? LIMIT 1", (text, but)
    ).fetchone()
    return row[0] if row else None


def _same_reading(conn: sqlite3.Connection, revision: int, article: Article) -> int | None:
    row = conn.execute(
        "SELECT id, parser_version, layout, published_raw, modified_raw FROM reading WHERE revision_id = ? ORDER BY id DESC LIMIT 1",
        (revision,),
    ).fetchone()
    if row is None:
        return None
    now = (article.parser_version, article.layout, _raw(article.published), _raw(article.modified))
    return int(row[0]) if tuple(row[1:]) == now else None


def _raw(when: When | None) -> str | None:
    return when.raw if when else None


def _when(when: When | None) -> tuple[str | None, str | None, str | None, str | None]:
    if when is None:
        return None, None, None, None
    return stamp(when.utc, "seconds") if when.utc else None, when.raw, when.zone_source, when.precision


def words_of(text: str) -> int:
    """Words of a text; characters of scripts that are written without spaces."""
    beyond = foreign(text)
    dense = len(_NO_SPACES.findall(beyond))
    if dense * 4 > len(text):
        return dense
    odd = {char for char in beyond if not char.isalnum()}
    if len(odd) > 50:  # many passes would be slower than one pattern
        return len(_WORD.findall(text))
    for char in odd:
        text = text.replace(char, " ")
    letters = text.encode().translate(_LETTERS)
    return letters.count(b" w") + letters.startswith(b"w")


def _reading(
    conn: sqlite3.Connection,
    revision: int,
    capture: int,
    at: datetime,
    article: Article,
    body: str,
    words: int,
    now: datetime,
) -> int:
    cursor = conn.execute(
        "INSERT INTO reading (revision_id, capture_id, at, parser_version, layout, parser_site, latest, title, teaser, description, "
        "body, blocks, captions, section, sections, language, paywall, image, published_utc, published_raw, published_zone_source, "
        "published_precision, modified_utc, modified_raw, modified_zone_source, modified_precision, published_flag, modified_flag, words, "
        "provenance) VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            revision, capture, stamp(now), article.parser_version, article.layout, article.site, article.title, article.teaser,
            article.description, body, _known_texts(tuple([block.kind for block in article.blocks])), _texts(article.captions),
            article.section, _known_texts(article.sections), article.language, article.paywall,
            _image(article.image) if article.image else None,
            *_when(article.published), *_when(article.modified),
            dates.flag(article.published, at), dates.flag(article.modified, at),
            words, _provenance(tuple([(name, p.source, p.rule) for name, p in article.provenance.items()])),
        ),
    )  # fmt: skip
    reading = int(cursor.lastrowid or 0)
    _names(conn, "tag", reading, article.tags)
    _names(conn, "author", reading, article.authors)
    people.keep(conn, reading, article, now)
    return reading


def _names(conn: sqlite3.Connection, table: names.Table, reading: int, found: tuple[str, ...]) -> None:
    conn.executemany(
        _LINK[table],
        [(reading, names.key(conn, table, name), position) for position, name in enumerate(found, 1)],
    )


def _group(conn: sqlite3.Connection, key: int, text: bytes) -> int | None:
    """Group an article with an older one that shows the very same text; gives that one's key."""
    if with_text(conn, text, but=key) is None:  # nearly always: without joining and sorting
        return None
    row = conn.execute(
        "SELECT v.article_id, m.story_id FROM revision v LEFT JOIN story_member m ON m.article_id = v.article_id "
        "WHERE v.text_digest = ? AND v.article_id <> ? ORDER BY v.at, v.id LIMIT 1",
        (text, key),
    ).fetchone()
    if conn.execute("SELECT 1 FROM story_member WHERE article_id = ?", (key,)).fetchone():
        return None
    older, story = row
    if story is None:
        first_seen = conn.execute("SELECT first_seen FROM article WHERE id = ?", (older,)).fetchone()[0]
        story = conn.execute("INSERT INTO story (first_seen) VALUES (?)", (first_seen,)).lastrowid
        conn.execute("INSERT INTO story_member VALUES (?, ?, 'first', 1.0)", (story, older))
    conn.execute("INSERT INTO story_member VALUES (?, ?, 'copy', 1.0)", (story, key))
    return int(older)
