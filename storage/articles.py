"""Articles, revisions and readings: what the publisher changed, and what a parser made of it."""

import hashlib
import json
import re
import sqlite3
from dataclasses import asdict, dataclass
from datetime import datetime

from parsers import dates
from parsers.article import Article, When
from parsers.text import normalised
from parsers.url import try_canonical
from storage import history, people
from storage.differences import NO_SPACES
from storage.timing import instant, stamp

COPY_WORDS = 40
"""Shorter texts (notices, corrections) may be equal by chance."""
_WORD = re.compile(r"\w+")
_NO_SPACES = re.compile(f"[{NO_SPACES}]")


@dataclass(frozen=True, slots=True)
class KeptArticle:
    """Where a reading went. `copy_of`: key of an older article with the very same text, None if there is none."""

    article: int
    revision: int
    reading: int
    new_article: bool
    new_revision: bool
    copy_of: int | None


def keep(conn: sqlite3.Connection, capture: int, article: Article, *, site: int | None, now: datetime) -> KeptArticle:
    """Keep a reading, and a revision if normalised title, teaser or body differ from the article's last one.

    A page that differs only outside of its text (a counter, an advertisement) adds no reading either, unless another
    edition of the parsers read it or its dates changed.
    """
    asked, given, at = conn.execute("SELECT asked, url, at FROM capture WHERE id = ?", (capture,)).fetchone()
    key, fresh = _article(conn, article, asked, given, at, site)
    parts = [normalised(part) for part in (article.title, article.teaser, article.body)]
    whole, text = _digest("\x00".join(parts)), _digest(parts[2])
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
        reading = _reading(conn, key, revision, capture, instant(at), article, now)
    copy_of = _group(conn, key, text, article) if changed else None
    return KeptArticle(key, revision, reading, fresh, changed and not fresh, copy_of)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def _article(
    conn: sqlite3.Connection, article: Article, asked: str, given: str, at: str, site: int | None
) -> tuple[int, bool]:
    """The story of these addresses, and whether it is new."""
    given = try_canonical(given) or given
    names = {article.canonical_url: "canonical", given: "redirect" if given != asked else "asked", asked: "asked"}
    for url in names:
        row = conn.execute("SELECT article_id FROM alias WHERE url = ?", (url,)).fetchone()
        if row is not None:
            key, fresh = int(row[0]), False
            conn.execute("UPDATE article SET last_seen = max(last_seen, ?) WHERE id = ?", (at, key))
            break
    else:
        cursor = conn.execute(
            "INSERT INTO article (site_id, url, first_seen, last_seen) VALUES (?, ?, ?, ?)",
            (site, article.canonical_url, at, at),
        )
        key, fresh = int(cursor.lastrowid or 0), True
    for url, source in names.items():
        conn.execute("INSERT INTO alias VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", (url, key, source, at))
    return key, fresh


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
    dense = len(_NO_SPACES.findall(text))
    return dense if dense * 4 > len(text) else len(_WORD.findall(text))


def _reading(
    conn: sqlite3.Connection, key: int, revision: int, capture: int, at: datetime, article: Article, now: datetime
) -> int:
    conn.execute(
        "UPDATE reading SET latest = 0 WHERE latest = 1 AND revision_id IN (SELECT id FROM revision WHERE article_id = ?)",
        (key,),
    )
    cursor = conn.execute(
        "INSERT INTO reading (revision_id, capture_id, at, parser_version, layout, parser_site, latest, title, teaser, description, "
        "body, blocks, captions, section, sections, language, paywall, image, published_utc, published_raw, published_zone_source, "
        "published_precision, modified_utc, modified_raw, modified_zone_source, modified_precision, published_flag, modified_flag, words, "
        "provenance) VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            revision, capture, stamp(now), article.parser_version, article.layout, article.site, article.title, article.teaser,
            article.description, article.body, _json([block.kind for block in article.blocks]), _json(article.captions),
            article.section, _json(article.sections), article.language, article.paywall,
            _json(asdict(article.image)) if article.image else None, *_when(article.published), *_when(article.modified),
            dates.flag(article.published, at), dates.flag(article.modified, at),
            words_of(article.body), _json({name: asdict(found) for name, found in article.provenance.items()}),
        ),
    )  # fmt: skip
    reading = int(cursor.lastrowid or 0)
    _names(conn, "tag", "article_tag", reading, article.tags)
    _names(conn, "author", "article_author", reading, article.authors)
    people.keep(conn, reading, article, now)
    return reading


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _names(conn: sqlite3.Connection, table: str, link: str, reading: int, names: tuple[str, ...]) -> None:
    for position, name in enumerate(names, 1):
        plain = normalised(name)
        row = conn.execute(f"SELECT id FROM {table} WHERE normalised = ?", (plain,)).fetchone()
        key = row[0] if row else conn.execute(
            f"INSERT INTO {table} (name, normalised) VALUES (?, ?)", (name, plain)
        ).lastrowid  # fmt: skip
        conn.execute(f"INSERT INTO {link} VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (reading, key, position))


def _group(conn: sqlite3.Connection, key: int, text: bytes, article: Article) -> int | None:
    """Group an article with an older one that shows the very same text; gives that one's key."""
    if words_of(article.body) < COPY_WORDS:
        return None
    row = conn.execute(
        "SELECT v.article_id, m.story_id FROM revision v LEFT JOIN story_member m ON m.article_id = v.article_id "
        "WHERE v.text_digest = ? AND v.article_id <> ? ORDER BY v.at, v.id LIMIT 1",
        (text, key),
    ).fetchone()
    if row is None or conn.execute("SELECT 1 FROM story_member WHERE article_id = ?", (key,)).fetchone():
        return None
    older, story = row
    if story is None:
        first_seen = conn.execute("SELECT first_seen FROM article WHERE id = ?", (older,)).fetchone()[0]
        story = conn.execute("INSERT INTO story (first_seen) VALUES (?)", (first_seen,)).lastrowid
        conn.execute("INSERT INTO story_member VALUES (?, ?, 'first', 1.0)", (story, older))
    conn.execute("INSERT INTO story_member VALUES (?, ?, 'copy', 1.0)", (story, key))
    return int(older)
