"""Captures and visits: a response's bytes to WARC, its facts to rows, and back again."""

import base64
import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from parsers.coding import decode
from parsers.errors import ArchiveDamaged, ArchiveError
from parsers.page import Page
from storage.captures import Warc
from storage.facts import PageFacts
from storage.records import Exchange, Place, Resource, Stored, without_userinfo
from storage.timing import instant, stamp

MAX_DECODED = 200_000_000
"""Bytes of a payload read back; the fetch room's cap is far below."""
LAST = (1 << 63) - 1
"""No number of a row is greater."""
_WHOLE = "NOT EXISTS (SELECT 1 FROM lost l WHERE l.file = c.file AND c.offset >= l.offset AND c.offset < l.offset + l.length)"


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a response went. `identical`: its content was there before; `read`: and was read, or is withheld; `verdict`: as what."""

    capture: int
    visit: int
    identical: bool
    read: bool = False
    verdict: str | None = None


class Slot(NamedTuple):
    """Numbers for the rows of a page that are made again, where they stood among the others; None: the next free one.

    `after`: the last capture before it in the log.
    """

    capture: int | None
    visit: int | None
    after: int


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
    exchanges: Sequence[Exchange | Resource],
    facts: PageFacts,
    *,
    site: int | None,
) -> Kept:
    """Append a page's facts and the exchanges (redirects, then the answer) that brought it, and its rows.

    The same content as at the last visit of this address is a `revisit` record and a visit, no new capture.
    """
    *hops, answer = exchanges
    known = standing(conn, facts, answer.at)
    wire = payload_digest(answer.payload)
    own = digest(page.body)
    repeat = None
    if facts.withheld is not None:
        name, source = _charset(page)
        facts = replace(
            facts, size=len(answer.payload), charset=name, charset_source=source, digest=own.hex(), payload_digest=wire
        )
    if known is not None and known.digest == own and known.payload_digest == wire and facts.withheld is None:
        repeat = (known.url, known.at, wire)
    if repeat is None or hops or facts.optouts or facts.imported:
        logged = replace(facts, hops=len(hops))
        if (
            facts.withheld is None and facts.kind != "robots"
        ):  # the verdict comes with what is read from the payload, whenever that is
            logged = replace(logged, verdict=None)
        warc.facts(facts.asked, answer.at, logged.as_json())
    for hop in hops:
        warc.append(hop)
    place = warc.append(answer, same_as=repeat, note=facts.withheld, digest=wire)
    return index(conn, page, facts, place, known, site=site, at=answer.at, size=len(answer.payload), wire=wire, own=own)


def index(
    conn: sqlite3.Connection,
    page: Page,
    facts: PageFacts,
    place: Place,
    known: "Standing | None",
    *,
    site: int | None,
    at: datetime,
    size: int,
    wire: str,
    own: bytes,
    slot: Slot | None = None,
) -> Kept:
    """The rows of a page whose records lie at `place`: a capture and its visit, or a visit alone if nothing is new.

    `known`: what stood at its address, see `standing`. `size`: bytes of the payload as it came. `wire`: its payload digest.
    `own`: digest of the decoded payload.
    """
    if known is not None and known.digest == own and facts.withheld is None:
        return seen(conn, known, facts.run, place, status=page.status, at=at, slot=slot)
    charset = (facts.charset, facts.charset_source) if facts.withheld else _charset(page)
    cursor = conn.execute(
        "INSERT INTO capture (id, site_id, run_id, kind, asked, url, at, at_source, status, content_type, charset, charset_source, "
        "verdict, withheld, optouts, kept_because, title, size, digest, payload_digest, file, offset, length) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            slot.capture if slot else None, site, facts.run, facts.kind, facts.asked,
            without_userinfo(page.url) if "@" in page.url else page.url, stamp(at),
            facts.at_source, page.status, page.content_type or None, *charset, facts.verdict, facts.withheld,
            json.dumps(facts.optouts), facts.kept_because, facts.title, size, own, wire,
            place.file, place.offset, place.length,
        ),
    )  # fmt: skip
    capture = int(cursor.lastrowid or 0)
    return Kept(capture, _visit(conn, capture, facts.run, page.status, at, place, slot), identical=False)


def _charset(page: Page) -> tuple[str | None, str | None]:
    """Name and source of the charset of a page's text; of none if it has no bytes."""
    return page.charset if page.body else (None, None)


def not_modified(conn: sqlite3.Connection, warc: Warc, exchanges: Sequence[Exchange], facts: PageFacts) -> Kept:
    """Keep a 304 as a `revisit` of the last capture of its address. Raises ArchiveError if there is none."""
    known = _last(conn, facts.asked)
    if known is None:
        raise ArchiveError(f"{facts.asked} answered 304 but was never captured", next="newsmorgue crawl --recheck")
    *hops, answer = exchanges
    if hops:
        warc.facts(facts.asked, answer.at, replace(facts, hops=len(hops)).as_json())
    for hop in hops:
        warc.append(hop)
    place = warc.append(answer, same_as=(known.url, known.at, known.payload_digest))
    return seen(conn, known, facts.run, place, status=304, at=answer.at)


def seen(
    conn: sqlite3.Connection,
    known: "Standing",
    run: int | None,
    place: Place,
    *,
    status: int,
    at: datetime,
    slot: Slot | None = None,
) -> Kept:
    """The row of a visit that found what a capture holds."""
    return Kept(known.id, _visit(conn, known.id, run, status, at, place, slot), True, known.read, known.verdict)


def holds(conn: sqlite3.Connection, asked: str, page: Page, at: datetime | None = None) -> bool:
    """Whether a page's content is that of the last capture of its address (until `at`), and was read."""
    last = _last(conn, asked, at)
    return last is not None and last.verdict is not None and last.digest == digest(page.body)


class Unread(NamedTuple):
    """A capture that nobody has read. `visit`, `at`: its first by a run that reads; `again`: that was not its very first.

    `at_source`: see `capture` in the dictionary. `settings`: JSON text of the run that made the visit, None if none did.
    """

    capture: int
    visit: int
    at: datetime
    again: bool
    asked: str
    kind: str
    site: int | None
    at_source: str
    settings: str | None


def unread(conn: sqlite3.Connection, *, left: bool = False) -> list[Unread]:
    """Captures without a verdict in the order of their visits, but for lost ones.

    Stories that only runs saw that leave them for later are there only if `left`.
    """
    rows = conn.execute(
        "SELECT c.id, min(v.id), v.at, v.at <> c.at, c.asked, c.kind, c.site_id, c.at_source, r.settings FROM capture c "
        "JOIN visit v ON v.capture_id = c.id LEFT JOIN run r ON r.id = v.run_id "
        "WHERE c.verdict IS NULL AND c.withheld IS NULL "
        f"AND (? OR c.kind <> 'story' OR coalesce(r.settings ->> '$.limits.read', 1)) AND {_WHOLE} "
        "GROUP BY c.id ORDER BY min(v.id)",
        (left,),
    )
    return [Unread(capture, visit, instant(at), bool(again), *row) for capture, visit, at, again, *row in rows]


def later(conn: sqlite3.Connection, page: Unread) -> list[tuple[int, datetime]]:
    """Visits of a capture after the one it is to be read for, oldest first: key and time."""
    rows = conn.execute(
        "SELECT id, at FROM visit WHERE capture_id = ? AND id > ? ORDER BY id", (page.capture, page.visit)
    )
    return [(visit, instant(at)) for visit, at in rows]


class Standing(NamedTuple):
    """The capture that shows what stood at an address."""

    id: int
    digest: bytes
    payload_digest: str
    url: str
    at: str
    verdict: str | None
    withheld: str | None

    @property
    def read(self) -> bool:
        """Whether nothing is left to read."""
        return self.verdict is not None or self.withheld is not None


def known(conn: sqlite3.Connection, asked: str) -> bool:
    """Whether there is a capture of an address."""
    return _last(conn, asked) is not None


_STANDING = "SELECT id, digest, payload_digest, url, at, verdict, withheld FROM capture WHERE asked = ?"


def standing(conn: sqlite3.Connection, facts: PageFacts, at: datetime, slot: Slot | None = None) -> Standing | None:
    """The capture to compare a page with: the last one of its address; for an imported page, the last one until then."""
    return _last(conn, facts.asked, at if facts.imported else None, slot)


def referred(conn: sqlite3.Connection, asked: str, date: str, slot: Slot | None = None) -> Standing | None:
    """The capture of an address that a `revisit` record refers to, by its WARC-Date."""
    row = conn.execute(
        f"{_STANDING} AND id <= ? AND at = ?", (asked, slot.after if slot else LAST, stamp(instant(date)))
    ).fetchone()
    return Standing(*row) if row else None


def _last(
    conn: sqlite3.Connection, asked: str, until: datetime | None = None, slot: Slot | None = None
) -> Standing | None:
    bounds, values = "", [asked]
    if until is not None:
        bounds, values = " AND at <= ?", [asked, stamp(until)]
    if slot is not None:  # only then: a bound on id makes SQLite sort
        bounds += f" AND id <= {slot.after:d}"
    row = conn.execute(f"{_STANDING}{bounds} ORDER BY at DESC, id DESC LIMIT 1", values).fetchone()
    return Standing(*row) if row else None


def _visit(
    conn: sqlite3.Connection,
    capture: int,
    run: int | None,
    status: int,
    at: datetime,
    place: Place,
    slot: Slot | None = None,
) -> int:
    cursor = conn.execute(
        "INSERT INTO visit (id, capture_id, run_id, at, status, file, offset, length) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (slot.visit if slot else None, capture, run, stamp(at), status, place.file, place.offset, place.length),
    )
    return int(cursor.lastrowid or 0)


def captures(conn: sqlite3.Connection, *, site: str | None, verdict: str | None) -> Iterator[int]:
    """Keys of captured stories whose payload is kept, oldest first."""
    rows = conn.execute(
        "SELECT c.id FROM capture c LEFT JOIN site s ON s.id = c.site_id WHERE c.kind = 'story' AND c.withheld IS NULL "
        f"AND (?1 IS NULL OR s.name = ?1) AND (?2 IS NULL OR c.verdict = ?2) AND {_WHOLE} ORDER BY c.id",
        (site, verdict),
    ).fetchall()
    yield from (row[0] for row in rows)


def page(conn: sqlite3.Connection, warc: Warc, capture: int) -> Page:
    """The page of a capture, with the day's bytes and headers."""
    row = conn.execute(
        "SELECT asked, url, at, digest, file, offset, length, withheld FROM capture WHERE id = ?", (capture,)
    ).fetchone()
    if row is None:
        raise ArchiveError(f"there is no capture {capture}", next="select id, url from captures")
    asked, url, at, own, file, offset, length, withheld = row
    if withheld is not None:
        raise ArchiveError(f"the payload of {url} is not kept", cause=f"the page opts out: {withheld}")
    stored = warc.read(Place(file, offset, length))
    page = replayed(stored, asked, url, instant(at))
    if digest(page.body) != own:
        raise ArchiveDamaged(
            f"{file}: the record at offset {offset} is not what was captured from {url}",
            next="restore it from a backup",
        )
    return page


def replayed(stored: Stored, asked: str, url: str, at: datetime) -> Page:
    """The page that a stored response is, its content coding taken off as when it came. Raises ArchiveDamaged over the cap."""
    body, fault, _ = decode(stored.payload, stored.headers, most=MAX_DECODED)
    if fault == "cut":
        raise ArchiveDamaged(f"{stored.place.file}: the payload of {url} unpacks to more than {MAX_DECODED} bytes")
    return Page(
        url=url,
        asked=asked,
        body=body,
        captured=at,
        status=stored.status,
        headers=stored.headers,
        truncated=stored.truncated is not None or fault in ("broken off", "damaged"),
    )
