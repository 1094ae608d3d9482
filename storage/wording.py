"""What the stories that are to be taken down say, sorted by where it may be struck out."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from parsers import metadata
from parsers.page import Page
from parsers.quotes.sentences import paragraphs, sentences
from storage.strike import Phrase, Target, phrase


@dataclass(slots=True)
class Wording:
    """The words of the stories in `gone_reading` and `gone_card`.

    `short`: titles and teasers too short to be theirs alone. `shared`: words that another article says too, and `by`: how
    many such words each of those articles says. Both are struck only inside links to the stories.
    """

    target: Target
    short: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    by: Counter[int] = field(default_factory=Counter)


def wording(conn: sqlite3.Connection, addresses: Mapping[str, str], heads: Iterable[Page]) -> Wording:
    """Title, teaser and description are struck wherever they stand, sentences and quotes on fronts and in feeds.

    `addresses`: see `Target`. `heads`: pages of the stories that nobody read. What is short, or said by an article that
    stays, is struck inside the stories' links alone.
    """
    found = Wording(Target())
    seen: dict[str, None] = {}
    phrases: list[Phrase] = []
    listed: list[Phrase] = []
    local: list[Phrase] = []
    for text, columns, is_head in (*_texts(conn), *_stated(heads)):
        one = phrase(text)
        if not one.key or one.key in seen:
            continue
        seen[one.key] = None
        if not one.long:
            if is_head:
                found.short.append(text)
                local.append(one)
        elif others := _others(conn, text, columns):
            found.shared.append(text)
            found.by.update(others)
            local.append(one)
        else:
            (phrases if is_head else listed).append(one)
    found.target = Target(addresses, tuple(phrases), tuple(listed), tuple(local))
    return found


def _texts(conn: sqlite3.Connection) -> Iterator[tuple[str, str, bool]]:
    """Texts, the columns in which another article would say the same, and whether they are titles, teasers and the like.

    A title inside of another article's body speaks of this story; a sentence there is a sentence of both.
    """
    heads = "SELECT title FROM reading WHERE id IN gone_reading UNION SELECT title FROM card WHERE id IN gone_card "
    for (title,) in conn.execute(f"{heads}UNION SELECT title FROM capture WHERE id IN gone_capture").fetchall():
        if title:
            yield title, "title teaser", True
    teasers = (
        "SELECT teaser FROM reading WHERE id IN gone_reading UNION SELECT description FROM reading WHERE id IN gone_reading "
        "UNION SELECT teaser FROM card WHERE id IN gone_card"
    )
    for (teaser,) in conn.execute(teasers).fetchall():
        yield teaser, "title teaser body", True
        yield from ((text, "title teaser body", True) for text in _sentences(teaser) if phrase(text).long)
    for body, captions in conn.execute("SELECT body, captions FROM reading WHERE id IN gone_reading").fetchall():
        for text in (*_sentences(body), *json.loads(captions)):
            yield text, "title teaser body", False
    spans = (
        'SELECT substr(r.body, s.start + 1, s."end" - s.start) FROM quote_span s JOIN quote q ON q.id = s.quote_id '
        "JOIN reading r ON r.id = q.reading_id WHERE r.id IN gone_reading"
    )
    for (text,) in conn.execute(spans).fetchall():
        yield text, "title teaser body", False


def _stated(pages: Iterable[Page]) -> Iterator[tuple[str, str, bool]]:
    for page in pages:
        head = metadata.head(page)
        for value in (*head.titles, *((head.description,) if head.description else ())):
            yield value.value, "title teaser", True


def _sentences(text: str) -> Iterator[str]:
    for one in sentences(text, paragraphs(text)):
        yield text[one.start : one.end]


def _others(conn: sqlite3.Connection, text: str, columns: str) -> set[int]:
    """Articles that stay and say the same words."""
    words = text.replace("\0", " ").replace('"', '""')
    found = conn.execute(
        "SELECT v.article_id FROM text_fts t JOIN reading r ON r.id = t.rowid JOIN revision v ON v.id = r.revision_id "
        "WHERE t.text_fts MATCH ?1 AND r.id NOT IN gone_reading "
        "UNION SELECT v.article_id FROM reading r JOIN revision v ON v.id = r.revision_id WHERE r.description = ?2 "
        "AND r.id NOT IN gone_reading",
        (f'{{{columns}}} : "{words}"', text),
    )
    return {row[0] for row in found}


def near_copies(conn: sqlite3.Connection, shared: Mapping[int, int]) -> list[dict[str, object]]:
    """Articles that stay and show the same text, or much of it: for a person to decide. `shared`: sentences in common."""
    rows = conn.execute(
        "SELECT article_id FROM revision WHERE text_digest IN (SELECT text_digest FROM revision WHERE article_id IN gone_article) "
        "UNION SELECT article_id FROM story_member WHERE story_id IN (SELECT story_id FROM story_member WHERE article_id IN gone_article)"
    )
    same = {row[0] for row in rows} - {row[0] for row in conn.execute("SELECT id FROM gone_article")}
    return [
        *_named(conn, same, "the same text", shared),
        *_named(conn, set(shared) - same, "some of its words", shared),
    ]


def _named(
    conn: sqlite3.Connection, keys: Iterable[int], what: str, shared: Mapping[int, int]
) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for key in sorted(keys):
        url, title = conn.execute(
            "SELECT a.url, (SELECT r.title FROM reading r JOIN revision v ON v.id = r.revision_id WHERE v.article_id = a.id "
            "AND r.latest = 1) FROM article a WHERE a.id = ?",
            (key,),
        ).fetchone()
        found.append({"url": url, "title": title, "shows": what, "phrases": shared.get(key, 0)})
    return found
