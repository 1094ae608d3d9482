"""WARC files that others wrote, as pages to import: WARC 1.0 and 1.1, plain or gzip, whichever way it was compressed.

A page's transfer coding is taken off, as of everything that is kept here; its content coding stays on.
"""

import base64
import gzip
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import ChunkedDataReader
from warcio.limitreader import LimitReader

from parsers.coding import decode
from parsers.errors import UsageError
from parsers.page import Page
from parsers.text import REMOVED
from parsers.url import canonical
from storage import keeping
from storage.records import GZIP, Exchange, Resource, stretches, without_userinfo

HTML = ("text/html", "application/xhtml+xml")
FEEDS = (
    "application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/xml", "text/xml", "application/feed+json",
    "application/json",
)  # fmt: skip
"""Types that feeds are labelled with; the bytes decide whether it is one."""
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_FOLD = re.compile(rb"\r?\n[ \t]+")


class Original(NamedTuple):
    """What a `revisit` record refers to: address, instant (None in WARC 1.0) and payload digest of the record with the bytes."""

    url: str
    at: datetime | None
    digest: str


@dataclass(frozen=True, slots=True)
class Found:
    """A page of an input.

    `where`: file and place in it, in words. `dated`: the input says when it was captured; else the answer's instant is
    that of the import. `original`: of a page whose payload lies elsewhere.
    """

    where: str
    answer: Exchange | Resource
    dated: bool = True
    original: Original | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something in an input that is no page. `what`: a word to count it by."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Broken:
    """Something in an input that should be a page and cannot be used, and why."""

    where: str
    problem: str


def check(path: Path) -> None:
    """Raises UsageError if a file cannot be read or does not begin like a WARC file."""
    try:
        with opened(path) as file:
            start = file.read(11)
    except (OSError, EOFError) as error:
        raise UsageError(f"{path} cannot be read", cause=str(error), next="name a WARC file") from error
    if start.startswith(b"filedesc://"):
        raise UsageError(
            f"{path} is an ARC file, which is not read",
            cause="ARC is what WARC replaced in 2009 (ISO 28500)",
            next=f"warcio recompress {path} {path.name.split('.')[0]}.warc.gz   makes a WARC file of it",
        )
    if not start.startswith(b"WARC/"):
        raise UsageError(f"{path} is no WARC file", cause="it does not begin with WARC/", next="--list for HTML files")


def opened(path: Path) -> IO[bytes]:
    """The bytes of a file; of a gzip file, those inside."""
    with path.open("rb") as file:
        packed = file.read(2) == GZIP[:2]
    return cast(IO[bytes], gzip.open(path)) if packed else path.open("rb")


def pages(path: Path, max_bytes: int) -> Iterator[Found | Skipped | Broken]:
    """What a WARC file holds, in order; requests are with their responses. `max_bytes`: of one record.

    After bytes that cannot be read it goes on where the next record begins.
    """
    waiting: Found | None = None
    request: tuple[str, bytes] | None = None  # one that came before its response
    for record in _records(path, max_bytes):
        if isinstance(record, _Block):
            if record.kind == "request":
                if waiting is not None and waiting.answer.url == record.url and _lacks_request(waiting):
                    waiting = _with_request(waiting, record.block)
                else:
                    request = (record.url, record.block)
                continue
            found = _page(record)
        else:
            found = record
        if waiting is not None:
            yield waiting
            waiting = None
        if isinstance(found, Found):
            if request is not None and request[0] == found.answer.url and _lacks_request(found):
                found = _with_request(found, request[1])
            waiting = found
            request = None
        else:
            yield found
    if waiting is not None:
        yield waiting


class _Block(NamedTuple):
    """A record as it lies in the file. `given`: its header's fields in lower case."""

    where: str
    kind: str
    url: str
    given: dict[str, str]
    block: bytes


def _records(path: Path, max_bytes: int) -> Iterator[_Block | Skipped | Broken]:
    with path.open("rb") as file:
        if file.read(2) != GZIP[:2]:
            file.seek(0)
            yield from _blocks(file, path.name, None, max_bytes)
            return
        for begin, end, whole in stretches(path):
            if whole:
                file.seek(begin)
                with gzip.open(LimitReader(file, end - begin)) as member:
                    yield from _blocks(cast(IO[bytes], member), path.name, begin, max_bytes)
            else:
                yield Broken(f"{path.name} at offset {begin}", f"{end - begin} bytes are no records")


def _blocks(stream: IO[bytes], name: str, begin: int | None, max_bytes: int) -> Iterator[_Block | Skipped | Broken]:
    """The records of a stream. `begin`: where its gzip member begins, None if the stream is the file."""
    records = ArchiveIterator(stream, no_record_parse=True)
    while True:
        where = f"{name} at offset {records.offset if begin is None else begin}"
        try:
            record = next(records, None)
            if record is None:
                return
            where = f"{name} at offset {records.offset if begin is None else begin}"
            yield _block(record, where, max_bytes)
        except Exception as error:  # warcio raises what its parsers raise
            yield Broken(where, f"cannot be read: {error or type(error).__name__}")
            return


def _block(record: Any, where: str, max_bytes: int) -> _Block | Skipped | Broken:
    given = {name.lower(): value for name, value in record.rec_headers.headers}
    # An address with `[removed]` for a host's user could not be read back.
    url = without_userinfo(given.get("warc-target-uri", "")).replace(f"{REMOVED}@", "", 1)
    if record.rec_type not in ("response", "resource", "revisit", "request"):
        return Skipped(where, f"{record.rec_type} record")
    if not url.lower().startswith(("http://", "https://")):
        return Skipped(where, "no web address")
    block = record.raw_stream.read(max_bytes + 1)
    if len(block) > max_bytes:
        return Broken(where, f"is larger than {max_bytes} bytes (max_bytes in [crawl])")
    if str(len(block)) != given.get("content-length", "").strip():
        return Broken(where, f"has {len(block)} bytes and says {given.get('content-length', 'nothing')}: cut")
    if not _as_said(block, given.get("warc-block-digest", "")):
        return Broken(where, "is not what its WARC-Block-Digest says: damaged")
    return _Block(where, record.rec_type, url, given, block)


def _as_said(block: bytes, digest: str) -> bool:
    """Whether bytes have a digest: base32 or hexadecimal, of any algorithm that is known here."""
    name, _, value = digest.partition(":")
    name = name.lower().replace("-", "")
    if name not in hashlib.algorithms_guaranteed or name.startswith("shake"):
        return True
    found = hashlib.new(name, block, usedforsecurity=False).digest()
    return value.lower() == found.hex() or value.rstrip("=").upper() == base64.b32encode(found).decode().rstrip("=")


def _page(record: _Block) -> Found | Skipped | Broken:
    where, given = record.where, record.given
    try:
        at = datetime.fromisoformat(given.get("warc-date", ""))
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except ValueError:
        return Broken(where, f"its WARC-Date {given.get('warc-date')!r} is no instant")
    if record.kind == "resource":
        stated = given.get("content-type", "")
        media = _media(stated)
        if media not in (*HTML, *FEEDS):
            return Skipped(where, media or "no media type")
        return Found(where, Resource(record.url, at, record.block, stated))
    head, payload = _halves(record.block)
    status, headers = _parsed(head)
    original = _original(record) if record.kind == "revisit" else None
    if original is None or status != 304:
        if 300 <= status < 400:
            return Skipped(where, "redirect")
        media = _media(headers.get("content-type", ""))
        if media not in (*HTML, *FEEDS, *([""] if original or b"<" in payload[:2000] else [])):
            return Skipped(where, media or "no media type")
    if not status and original is None:
        return Broken(where, "its block is no HTTP response")
    if "chunked" in headers.get("transfer-encoding", "").lower():
        payload = ChunkedDataReader(BytesIO(payload)).read()
    answer = Exchange(
        record.url, at, b"", head, payload, given.get("warc-ip-address"), given.get("warc-truncated") or None
    )
    return Found(where, answer, original=original)


def _original(record: _Block) -> Original:
    given = record.given
    date = given.get("warc-refers-to-date")
    return Original(
        given.get("warc-refers-to-target-uri", record.url).strip("<>"),
        datetime.fromisoformat(date).astimezone(UTC) if date else None,
        given.get("warc-payload-digest", ""),
    )


def _halves(block: bytes) -> tuple[bytes, bytes]:
    """Head with CRLF and without folded lines, and payload of an HTTP message."""
    end = _END_OF_HEAD.search(block)
    head, payload = (block[: end.start()], block[end.end() :]) if end else (block, b"")
    lines = _FOLD.sub(b" ", head).replace(b"\r\n", b"\n").split(b"\n")
    return b"\r\n".join(lines) + b"\r\n\r\n", payload


def _parsed(head: bytes) -> tuple[int, dict[str, str]]:
    """Status (0 if there is none) and headers, names in lower case."""
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    status = int(words[1]) if len(words) > 1 and words[0].startswith("HTTP/") and words[1].isdecimal() else 0
    return status, {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _media(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _lacks_request(found: Found) -> bool:
    return isinstance(found.answer, Exchange) and not found.answer.request_head


def _with_request(found: Found, block: bytes) -> Found:
    assert isinstance(found.answer, Exchange)
    head, _ = _halves(block)
    return replace(found, answer=replace(found.answer, request_head=head))


def page(answer: Exchange | Resource) -> Page:
    """The page that an answer is, its content coding taken off.

    Raises UsageError (no address), ValueError (a coding that cannot be taken off).
    """
    asked = canonical(answer.url)
    if isinstance(answer, Resource):
        return Page(answer.url, answer.payload, asked, answer.at, headers=(("Content-Type", answer.content_type),))
    first, *lines = (_text(line) for line in answer.response_head.split(b"\r\n"))
    headers = tuple((name.strip(), value.strip()) for name, colon, value in (x.partition(":") for x in lines) if colon)
    found = decode(answer.payload, headers, most=keeping.MAX_DECODED)
    if found.fault in ("unknown", "damaged", "cut"):
        raise ValueError(f"its content coding cannot be taken off: {found.why}")
    return Page(
        answer.url,
        found.body,
        asked,
        answer.at,
        int(first.split(" ")[1]),
        headers,
        answer.truncated is not None or found.fault == "broken off",
    )


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")
