"""WARC records: an exchange as records, and records as what was exchanged. WARC 1.1 (ISO 28500:2017).

Secrets never reach a record: cookies, credentials and user names in addresses become `[removed]`.
"""

import json
import os
import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from parsers.coding import swift
from parsers.text import REMOVED
from storage.timing import stamp

SECRET = frozenset(("cookie", "set-cookie", "authorization", "proxy-authorization"))
PROFILE_SAME = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
PROFILE_304 = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
FIELDS = "application/warc-fields"
"""Content type of `metadata` records; indexers take those of any other type for pages (pywb, cdxj-indexer)."""
OURS = b"newsmorgue: "
"""The field of a `metadata` record that holds facts of our own, as JSON in one line."""
GZIP = b"\x1f\x8b\x08"
HEADER = GZIP + bytes(5) + b"\x02\x03"
"""How every gzip member of ours begins: no name, no time, best compression, Unix, as zlib does it here."""
HEADERS = (HEADER, HEADER[:-1] + b"\x13")
"""The same, as zlib writes it on other systems."""
SMALL = 4096
"""Bytes up to which a record is not worth a second try to make it smaller."""
PAYS = 0.8
"""Share of a record's length: one that is smaller after a quick try gets a better one."""
_FOLD = re.compile(r"\r?\n[ \t]+")
_USERINFO = re.compile(r"(https?://)[^/?#\s]+@", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its response, as they went over the wire.

    `at`: aware UTC instant of the response's head. `request_head`, `response_head`: first line and headers, byte for byte
    as sent and received; of an imported answer whose request is not known, `request_head` is empty. `payload`: the body
    with its content coding on and its transfer coding off. `truncated`: why the body is incomplete (`length`, `time`,
    `disconnect`, `unspecified`), None if it is whole.
    """

    url: str
    at: datetime
    request_head: bytes
    response_head: bytes
    payload: bytes
    ip: str | None = None
    truncated: str | None = None

    def without_payload(self) -> "Exchange":
        """Only the heads, where nothing more may be kept."""
        return replace(self, payload=b"", truncated="length")


@dataclass(frozen=True, slots=True)
class Resource:
    """A page that came without its HTTP exchange, from a file. `at`: aware UTC instant. `content_type`: as stated."""

    url: str
    at: datetime
    payload: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lies: file name in warc/, offset and length of its gzip member in bytes."""

    file: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Stored:
    """A record read back: its place, kind, address and time; of a response status, headers and payload.

    `facts`: what one of our own `metadata` records says, None for every other record. `same_as`: of a revisit, address
    and WARC-Date of the record that holds the payload. `truncated`: why the payload is incomplete, None if it is whole.
    `record`: its WARC-Record-ID; `belongs_to`: of a request, that of its answer. `payload_digest`: as it is stated.
    """

    place: Place
    kind: str
    url: str
    at: datetime
    status: int
    headers: tuple[tuple[str, str], ...]
    payload: bytes
    facts: Mapping[str, Any] | None = None
    same_as: tuple[str, str] | None = None
    truncated: str | None = None
    record: str = ""
    payload_digest: str | None = None
    belongs_to: str | None = None

    @property
    def withheld(self) -> bool:
        """Whether the record stands for a response whose payload is not kept."""
        return self.kind == "metadata" and self.facts is None


def members(path: Path, start: int = 0) -> Iterator[tuple[int, int]]:
    """Begin and end of each whole gzip member from `start` on; stops before one that is cut or damaged."""
    with path.open("rb") as file:
        yield from _whole(file.fileno(), start)


def stretches(path: Path, start: int = 0) -> Iterator[tuple[int, int, bool]]:
    """A file as whole gzip members (True) and what lies between them (False): begin, end, which of the two."""
    with path.open("rb") as file:
        yield from walk(file.fileno(), start)


def walk(
    handle: int, start: int = 0, stop: int | None = None, *, beyond: Callable[[int], int] = lambda at: at
) -> Iterator[tuple[int, int, bool]]:
    """`stretches` of an open file, up to `stop` (its end) at least.

    After damage the next member is looked for. A page may hold what looks like one: `beyond` gives, for an offset, the
    end of the record that is known to cover it, else the offset.
    """
    stop = os.fstat(handle).st_size if stop is None else stop
    begin = start
    while begin < stop:
        for first, end in _whole(handle, begin):
            yield first, end, True
            begin = end
            if begin >= stop:
                return
        if begin < stop:
            following = _next_member(handle, begin + 1, beyond)
            following = stop if following is None else min(following, stop)
            yield begin, following, False
            begin = following


def _whole(handle: int, begin: int) -> Iterator[tuple[int, int]]:
    at, pending = begin, b""
    while True:
        inflater = zlib.decompressobj(wbits=31)
        try:
            while not inflater.eof:
                if not pending:
                    pending = os.pread(handle, 1 << 16, at)
                    at += len(pending)
                if not pending:
                    return
                inflater.decompress(pending)
                pending = inflater.unused_data
        except zlib.error:
            return
        yield begin, at - len(pending)
        begin = at - len(pending)


def _next_member(handle: int, start: int, beyond: Callable[[int], int]) -> int | None:
    """Where the next gzip member that begins a WARC record stands."""
    base = start
    while data := os.pread(handle, 1 << 20, base):
        at = data.find(GZIP)
        if at < 0:
            base += max(len(data) - len(GZIP) + 1, 1)
            continue
        base += at
        outside = beyond(base)
        if outside == base and _begins_record(handle, base):
            return base
        base = max(outside, base + 1)
    return None


def _begins_record(handle: int, at: int) -> bool:
    try:
        return zlib.decompressobj(wbits=31).decompress(os.pread(handle, 1 << 12, at), 5) == b"WARC/"
    except zlib.error:
        return False


def without_userinfo(text: str) -> str:
    """The text with user names and passwords of addresses removed."""
    return _USERINFO.sub(rf"\1{REMOVED}@", text) if "@" in text else text


# -- writing -----------------------------------------------------------------------------------------------------------


class Writer(WARCWriter):  # type: ignore[misc]
    """Writes each record as a gzip member of its own."""

    def __init__(self, out: Any) -> None:
        super().__init__(out, gzip=False, warc_version="1.1")

    def write_record(self, record: Any, params: Any = None) -> None:
        """Append a record."""
        plain = BytesIO()
        self._write_warc_record(plain, record)
        self.out.write(_member(plain.getvalue()))


def _member(data: bytes) -> bytes:
    """A gzip member. Most bodies come packed: more than a quick look for what repeats is spent only where it pays."""
    packed = swift.compress(data, 1, -zlib.MAX_WBITS)
    if len(data) > SMALL and len(packed) < len(data) * PAYS:
        packed = zlib.compress(data, 6, -zlib.MAX_WBITS)
    return b"".join((HEADER, packed, struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)))


def warcinfo(writer: WARCWriter, name: str, software: str) -> None:
    """The record that opens a file."""
    writer.write_record(writer.create_warcinfo_record(name, {"software": software, "format": "WARC File Format 1.1"}))


def facts(writer: WARCWriter, url: str, at: datetime, values: Mapping[str, object]) -> None:
    """A `metadata` record with facts of our own."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    writer.write_record(_plain(writer, url, "metadata", OURS + text + b"\r\n", FIELDS, {"WARC-Date": stamp(at)}))


def answer(
    writer: WARCWriter,
    exchange: Exchange | Resource,
    same_as: tuple[str, str, str] | None,
    note: str | None,
    digest: str | None = None,
) -> str:
    """The record of a response or resource; gives its record id. See `captures.Warc.append`."""
    extra = {"WARC-Date": stamp(exchange.at)}
    url = without_userinfo(exchange.url)
    if isinstance(exchange, Resource):
        headers = StatusAndHeaders("200 OK", [("Content-Type", exchange.content_type)], "HTTP/1.1")
    else:
        headers = _http(exchange.response_head)
        if exchange.ip:
            extra["WARC-IP-Address"] = exchange.ip
        if exchange.truncated:
            extra["WARC-Truncated"] = exchange.truncated
    if note is not None:
        record = _plain(writer, url, "metadata", _fields(headers, note), FIELDS, extra)
    elif same_as is not None:
        earlier_url, earlier_date, same = same_as
        extra |= {
            "WARC-Profile": PROFILE_304 if headers.get_statuscode() == "304" else PROFILE_SAME,
            "WARC-Refers-To-Target-URI": earlier_url,
            "WARC-Refers-To-Date": earlier_date,
            "WARC-Payload-Digest": same,
        }
        http = headers if isinstance(exchange, Exchange) else None
        record = writer.create_warc_record(url, "revisit", http_headers=http, warc_headers_dict=extra)
    elif isinstance(exchange, Resource):
        record = _plain(writer, url, "resource", exchange.payload, exchange.content_type, extra)
    else:
        headers.replace_header("Content-Length", str(len(exchange.payload)))
        if digest is not None:
            extra["WARC-Payload-Digest"] = digest
        record = writer.create_warc_record(
            url,
            "response",
            payload=BytesIO(exchange.payload),
            length=len(exchange.payload),
            http_headers=headers,
            warc_headers_dict=extra,
        )
    writer.write_record(record)
    return str(record.rec_headers.get_header("WARC-Record-ID"))


def request(writer: WARCWriter, exchange: Exchange, answered_by: str) -> None:
    """The record of a request, beside that of its response."""
    first, pairs = _lines(exchange.request_head)
    record = writer.create_warc_record(
        without_userinfo(exchange.url),
        "request",
        payload=BytesIO(b""),
        length=0,
        http_headers=_Headers(first, pairs, is_http_request=True),
        warc_headers_dict={"WARC-Date": stamp(exchange.at), "WARC-Concurrent-To": answered_by},
    )
    writer.write_record(record)


def _plain(writer: WARCWriter, url: str, kind: str, payload: bytes, content_type: str, headers: dict[str, str]) -> Any:
    return writer.create_warc_record(
        url,
        kind,
        payload=BytesIO(payload),
        length=len(payload),
        warc_content_type=content_type,
        warc_headers_dict=headers,
    )


def _lines(head: bytes) -> tuple[str, list[tuple[str, str]]]:
    """First line and fields of a head as it came: line ends may lack their CR, values may be folded (RFC 9112 section 5.2)."""
    flat = _FOLD.sub(" ", head.decode("latin-1")).replace("\r\n", "\n").replace("\r", " ")
    first, *lines = flat.split("\n")
    pairs = []
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            secret = name.strip().lower() in SECRET
            pairs.append((name, REMOVED if secret else without_userinfo(value.strip())))
    return first, pairs


class _Headers(StatusAndHeaders):  # type: ignore[misc]
    """Headers written as they came: warcio percent-encodes every value that holds a byte beyond ASCII."""

    def to_ascii_bytes(self, filter_func: Any = None) -> bytes:
        return bytes(self.to_str(filter_func).encode("latin-1") + b"\r\n")


def _http(head: bytes) -> StatusAndHeaders:
    """Response headers for a record: the payload's transfer coding is off, so its header would lie."""
    first, pairs = _lines(head)
    protocol, _, status = first.partition(" ")
    kept = [
        (name if name.lower() != "transfer-encoding" else "X-Archive-Transfer-Encoding", value) for name, value in pairs
    ]
    return _Headers(status or "200 OK", kept, protocol or "HTTP/1.1")


def _fields(headers: StatusAndHeaders, note: str) -> bytes:
    lines: Sequence[str] = [f"withheld: {note}", f"http-status: {headers.statusline}"]
    lines = [*lines, *(f"http-header: {name}: {value}" for name, value in headers.headers)]
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1", "replace")


# -- reading -----------------------------------------------------------------------------------------------------------


def read(member: bytes, place: Place) -> Iterator[Stored]:
    """The records of a gzip member (one, in our files). Raises what warcio raises on a damaged or lying one."""
    for record in ArchiveIterator(BytesIO(member), check_digests="raise"):
        yield _stored(record, place)


def _stored(record: Any, place: Place) -> Stored:
    payload = record.content_stream().read() if record.rec_type != "response" else record.raw_stream.read()
    http = record.http_headers
    given = record.rec_headers.get_header
    status = int(http.get_statuscode()) if http is not None and record.rec_type != "request" else 0
    headers = tuple((str(name), str(value)) for name, value in http.headers) if http is not None else ()
    content_type = given("Content-Type") or ""
    if record.rec_type == "metadata" and payload.startswith(b"withheld: "):
        status, headers = _withheld(payload)
    elif record.rec_type == "resource":
        status, headers = 200, (("Content-Type", content_type),)
    elif record.rec_type == "revisit" and http is None:  # of a resource
        status = 200
    return Stored(
        place=place,
        kind=record.rec_type,
        url=given("WARC-Target-URI") or "",
        at=datetime.fromisoformat(given("WARC-Date")).astimezone(UTC),
        status=status,
        headers=headers,
        payload=payload,
        facts=json.loads(payload[len(OURS) :]) if record.rec_type == "metadata" and payload.startswith(OURS) else None,
        same_as=(given("WARC-Refers-To-Target-URI") or "", given("WARC-Refers-To-Date") or "")
        if record.rec_type == "revisit"
        else None,
        truncated=given("WARC-Truncated"),
        record=given("WARC-Record-ID") or "",
        payload_digest=given("WARC-Payload-Digest"),
        belongs_to=given("WARC-Concurrent-To"),
    )


def _withheld(payload: bytes) -> tuple[int, tuple[tuple[str, str], ...]]:
    """Status and headers of a response whose payload is not kept."""
    lines = payload.decode("latin-1").split("\r\n")
    status = next((line.split(" ")[1] for line in lines if line.startswith("http-status: ")), "0")
    pairs = (line.removeprefix("http-header: ").partition(": ") for line in lines if line.startswith("http-header: "))
    return int(status) if status.isdigit() else 0, tuple((name, value) for name, _, value in pairs)
