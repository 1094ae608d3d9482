"""A search of every byte of an archive's folder, by other means than the code that strikes: each text decoded every way."""

import gzip
import html
import re
import sqlite3
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

from storage.records import members

_JSON = re.compile(r"\\u([0-9a-fA-F]{4})")
_TAG = re.compile(r"<[^<>]*>")


class _Letters(dict[int, str]):
    def __missing__(self, code: int) -> str:
        plain = unicodedata.normalize("NFKD", chr(code).casefold())
        self[code] = "".join(char for char in plain if char.isalnum())
        return self[code]


_LETTERS = _Letters()


def letters(text: str) -> str:
    """Letters and digits alone, without case and accents."""
    return text.translate(_LETTERS)


def ways(text: str) -> Iterator[str]:
    """A text as it is and with entities, JSON and percent escapes and tags taken off, in turn and together."""
    unescaped = {text, html.unescape(text), html.unescape(html.unescape(text))}
    if "\\" in text:
        unescaped |= {_JSON.sub(lambda match: chr(int(match[1], 16)), one).replace("\\/", "/") for one in unescaped}
    if "%" in text:
        unescaped |= {unquote(one) for one in unescaped}
    yield from unescaped
    if "<" in text or "&lt;" in text:
        yield from {_TAG.sub("", one) for one in unescaped}


def stored(folder: Path) -> Iterator[tuple[str, str]]:
    """Every text in the folder, where it stands and what it is: each file as it is, its bytes one by one; of WARC files
    each member unpacked, its headers, and its payload with its content coding taken off, every way that it can be read."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        data = path.read_bytes()
        yield path.name, data.decode("utf-8", "replace")
        if not path.name.endswith((".db", ".gz")):
            yield from ((path.name, text) for text in ways(data.decode("utf-8", "replace")))
        for begin, end in members(path) if path.name.endswith(".warc.gz") else ():
            head, payload = _record(gzip.decompress(data[begin:end]))
            for text in (*ways(head.decode("utf-8", "replace")), *ways(payload.decode("utf-8", "replace"))):
                yield f"{path.name}@{begin}", text


def _record(record: bytes) -> tuple[bytes, bytes]:
    outer, _, block = record.partition(b"\r\n\r\n")
    head, _, payload = block.partition(b"\r\n\r\n")
    payload = payload[: len(payload) - 4]
    for bits in (31, 15, -15) if b"content-encoding" in head.lower() or payload[:2] == b"\x1f\x8b" else ():
        try:
            return outer + b"\n" + head, zlib.decompressobj(wbits=bits).decompress(payload)
        except zlib.error:
            continue
    return outer + b"\n" + head, payload


def found(folder: Path, needles: Iterable[str]) -> list[tuple[str, str]]:
    """Where any of some texts stands in the folder: place and text."""
    wanted = {needle: letters(needle) for needle in needles}
    hits = set()
    for where, text in stored(folder):
        plain = letters(text)
        hits.update((where, needle) for needle, key in wanted.items() if key in plain)
    return sorted(hits)


_CONTENT = {
    "run": "SELECT * FROM run",
    "site": "SELECT * FROM site",
    "capture": "SELECT c.* FROM capture c",
    "visit": "SELECT c.asked, c.at, v.* FROM visit v JOIN capture c ON c.id = v.capture_id",
    "article": "SELECT * FROM article",
    "alias": "SELECT l.*, a.url FROM alias l JOIN article a ON a.id = l.article_id",
    "revision": "SELECT a.url, c.at AS captured, v.* FROM revision v JOIN article a ON a.id = v.article_id "
    "JOIN capture c ON c.id = v.capture_id",
    "reading": "SELECT a.url, v.n, c.at AS captured, r.* FROM reading r JOIN revision v ON v.id = r.revision_id "
    "JOIN article a ON a.id = v.article_id JOIN capture c ON c.id = r.capture_id",
    "quote": "SELECT a.url, v.n AS revision, p.name AS person, f.name AS of, q.*, (SELECT group_concat(s.n || ':' || s.start || '-' "
    '|| s."end") FROM quote_span s WHERE s.quote_id = q.id) AS spans FROM quote q JOIN reading r ON r.id = q.reading_id '
    "JOIN revision v ON v.id = r.revision_id JOIN article a ON a.id = v.article_id JOIN person p ON p.id = q.person_id "
    "LEFT JOIN affiliation f ON f.id = q.affiliation_id",
    "tag": "SELECT * FROM tag",
    "author": "SELECT * FROM author",
    "affiliation": "SELECT * FROM affiliation",
    "article_tag": "SELECT a.url, v.n, t.name, x.position FROM article_tag x JOIN tag t ON t.id = x.tag_id JOIN reading r "
    "ON r.id = x.reading_id JOIN revision v ON v.id = r.revision_id JOIN article a ON a.id = v.article_id",
    "article_author": "SELECT a.url, v.n, t.name, x.position FROM article_author x JOIN author t ON t.id = x.author_id JOIN reading r "
    "ON r.id = x.reading_id JOIN revision v ON v.id = r.revision_id JOIN article a ON a.id = v.article_id",
    "person": "SELECT p.*, f.name AS of FROM person p LEFT JOIN affiliation f ON f.id = p.affiliation_id",
    "front": "SELECT * FROM front",
    "card": "SELECT * FROM card",
    "placement": "SELECT f.url AS front, c.url, c.title, c.teaser, p.position, v.at AS seen_from, w.at AS seen_until FROM placement p "
    "JOIN front f ON f.id = p.front_id JOIN card c ON c.id = p.card_id JOIN visit v ON v.id = p.since JOIN visit w ON w.id = p.until",
    "story_member": "SELECT a.url, m.kind, m.shared, s.first_seen FROM story_member m JOIN article a ON a.id = m.article_id "
    "JOIN story s ON s.id = m.story_id",
    "ledger": "SELECT * FROM ledger",
    "takedown": "SELECT * FROM takedown",
    "warc": "SELECT * FROM warc",
}
_KEYS = re.compile(r"(?:\w+_)?id")


def content(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table of content, in some order, without keys: what they point to stands in their place."""
    db = sqlite3.connect(f"file:{folder / 'archive.db'}?mode=ro", uri=True)
    found = {}
    for name, sql in _CONTENT.items():
        cursor = db.execute(sql)
        kept = [at for at, column in enumerate(cursor.description) if not _KEYS.fullmatch(column[0])]
        found[name] = sorted((tuple(row[at] for at in kept) for row in cursor), key=repr)
    db.close()
    return found
