"""Captures and visits: a response's bytes to WARC, its facts to rows, and back again."""

import base64
import hashlib
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from parsers.errors import ArchiveDamaged, ArchiveError
from parsers.page import Page
from parsers.url import try_canonical
from storage.captures import Exchange, Place, Warc, without_userinfo
from storage.timing import instant, stamp

MAX_DECODED = 200_000_000
"""Bytes of a payload read back; the fetch room's cap is far below."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a response went. `identical`: the content was there, and read, before."""

    capture: int
    visit: int
    identical: bool


def digest(data: bytes) -> bytes:
    """The first 16 bytes of SHA-256."""
    return hashlib.sha256(data).digest()[:16]


def payload_digest(payload: bytes) -> str:
    """A payload digest as WARC records carry it."""
    return "sha1:" + base64.b32encode(hashlib.sha1(payload, usedforsecurity=False).digest()).decode("ascii")


def keep(
    conn: sqlite3.Connection,
    warc: Warc,
    page: Page,
    exchanges: Sequence[Exchange],
    *,
    run: int,
    site: int | None,
    kind: str,
    verdict: str | None,
    withheld: str | None,
) -> Kept:
    """Keep a page and the exchanges (redirects, then the answer) that brought it.

    The same content as at the last visit of this address is a `revisit` record and a visit, no new capture. `withheld`
    names an opt-out: everything but the payload is kept.
    """
    *hops, answer = exchanges
    for hop in hops:
        warc.append(hop)
    asked = try_canonical(page.asked) or page.asked
    own, wire = digest(page.body), payload_digest(answer.payload)
    known = conn.execute(
        "SELECT id, digest, payload_digest, url, at, verdict FROM capture WHERE asked = ? ORDER BY id DESC LIMIT 1",
        (asked,),
    ).fetchone()
    same = known is not None and known[1] == own and known[5] is not None and withheld is None
    repeat = (known[3], known[4], wire) if same and known[2] == wire else None
    place = warc.append(answer, same_as=repeat, note=withheld)
    warc.sync()
    if same:
        return Kept(known[0], _visit(conn, known[0], run, page.status, answer.at, place), identical=True)
    return enter(
        conn,
        page,
        answer,
        place,
        asked=asked,
        own=own,
        wire=wire,
        run=run,
        site=site,
        kind=kind,
        verdict=verdict,
        withheld=withheld,
    )


def enter(
    conn: sqlite3.Connection,
    page: Page,
    answer: Exchange,
    place: Place,
    *,
    asked: str,
    own: bytes,
    wire: str,
    run: int,
    site: int | None,
    kind: str,
    verdict: str | None,
    withheld: str | None,
) -> Kept:
    """Write the rows, capture and first visit, of a response whose record is in WARC already.

    `asked`: the address asked for, canonical; `own`: digest of the decoded page; `wire`: digest of the payload as it came.
    """
    charset = page.charset if page.body else None
    cursor = conn.execute(
        "INSERT INTO capture (site_id, run_id, kind, asked, url, at, status, content_type, charset, charset_source, verdict, withheld, "
        "size, digest, payload_digest, file, offset, length) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            site, run, kind, asked, without_userinfo(page.url) if "@" in page.url else page.url, stamp(answer.at), page.status,
            page.content_type or None, charset.name if charset else None, charset.source if charset else None, verdict, withheld,
            len(answer.payload), own, wire, place.file, place.offset, place.length,
        ),
    )  # fmt: skip
    capture = int(cursor.lastrowid or 0)
    return Kept(capture, _visit(conn, capture, run, page.status, answer.at, place), identical=False)


def not_modified(
    conn: sqlite3.Connection, warc: Warc, url: str, exchanges: Sequence[Exchange], *, run: int, now: datetime
) -> Kept:
    """Keep a 304 as a `revisit` of the last capture of its address. Raises ArchiveError if there is none."""
    known = conn.execute(
        "SELECT id, url, at, payload_digest FROM capture WHERE asked = ? ORDER BY id DESC LIMIT 1", (url,)
    ).fetchone()
    if known is None:
        raise ArchiveError(f"{url} answered 304 but was never captured", next="newsmorgue crawl --recheck")
    *hops, answer = exchanges
    for hop in hops:
        warc.append(hop)
    place = warc.append(answer, same_as=(known[1], known[2], known[3]))
    warc.sync()
    return Kept(known[0], _visit(conn, known[0], run, 304, now, place), identical=True)


def _visit(conn: sqlite3.Connection, capture: int, run: int | None, status: int, at: datetime, place: Place) -> int:
    cursor = conn.execute(
        "INSERT INTO visit (capture_id, run_id, at, status, file, offset, length) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (capture, run, stamp(at), status, place.file, place.offset, place.length),
    )
    return int(cursor.lastrowid or 0)


def captures(conn: sqlite3.Connection, *, site: str | None, verdict: str | None) -> Iterator[int]:
    """Keys of captured stories whose payload is kept, oldest first."""
    rows = conn.execute(
        "SELECT c.id FROM capture c LEFT JOIN site s ON s.id = c.site_id WHERE c.kind = 'story' AND c.withheld IS NULL "
        "AND (?1 IS NULL OR s.name = ?1) AND (?2 IS NULL OR c.verdict = ?2) ORDER BY c.id",
        (site, verdict),
    ).fetchall()
    yield from (row[0] for row in rows)


def page(conn: sqlite3.Connection, warc: Warc, capture: int) -> Page:
    """The page of a capture, with the day's bytes and headers."""
    row = conn.execute(
        "SELECT asked, url, at, status, digest, file, offset, length, withheld FROM capture WHERE id = ?", (capture,)
    ).fetchone()
    if row is None:
        raise ArchiveError(f"there is no capture {capture}", next="select id, url from captures")
    asked, url, at, status, own, file, offset, length, withheld = row
    if withheld is not None:
        raise ArchiveError(f"the payload of {url} is not kept", cause=f"the page opts out: {withheld}")
    stored = warc.read(Place(file, offset, length))
    coding = next((value for name, value in stored.headers if name.lower() == "content-encoding"), "")
    body = decoded(stored.payload, coding)
    if digest(body) != own:
        raise ArchiveDamaged(
            f"{file}: the record at offset {offset} is not what was captured from {url}",
            next="restore it from a backup",
        )
    return Page(url=url, asked=asked, body=body, captured=instant(at), status=status, headers=stored.headers)


def decoded(payload: bytes, coding: str) -> bytes:
    """A payload without its content coding; as it is where the coding's name lies. Raises ArchiveDamaged over the cap."""
    for name in reversed([part.strip().lower() for part in coding.split(",") if part.strip()]):
        if name in ("gzip", "x-gzip") and payload[:2] == b"\x1f\x8b":
            payload = _inflate(payload, 31)
        elif name == "deflate":
            try:
                payload = _inflate(payload, 15)
            except zlib.error:
                payload = _inflate(payload, -15)
    return payload


def _inflate(data: bytes, bits: int) -> bytes:
    out = bytearray()
    while data:
        inflater = zlib.decompressobj(wbits=bits)
        out += inflater.decompress(data, MAX_DECODED + 1 - len(out))
        if len(out) > MAX_DECODED:
            raise ArchiveDamaged(f"a payload unpacks to more than {MAX_DECODED} bytes")
        if not inflater.eof or bits != 31 or inflater.unused_data[:2] != b"\x1f\x8b":
            break
        data = inflater.unused_data
    return bytes(out)
