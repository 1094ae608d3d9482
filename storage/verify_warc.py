"""One WARC file against the rows that point into it: every byte read, every digest computed, both ways compared."""

import os
import sqlite3
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from parsers.errors import ArchiveDamaged
from parsers.url import try_canonical
from storage import facts, keeping, records
from storage.findings import ABOUT_ROWS, Finding
from storage.records import GZIP, Place, Stored
from storage.replay import Event, events
from storage.timing import instant

ZEROS = bytes(32)
"""So many zeros in a row do not occur in what gzip packs."""
SLACK = 60.0
"""Seconds: the first edition noted a 304 when it was kept, a moment after it came."""
_ROWS = (
    "SELECT v.id, v.offset, v.length, v.at, v.status, c.id, c.asked, c.url, c.at, c.digest, c.payload_digest, c.withheld, "
    "c.file = v.file AND c.offset = v.offset FROM visit v LEFT JOIN capture c ON c.id = v.capture_id "
    "WHERE v.file = ? AND v.offset >= ? ORDER BY v.offset, v.id"
)


class Row(NamedTuple):
    """A visit with the capture it shows. `first`: its record is the one that holds the capture's content."""

    visit: int
    offset: int
    length: int
    at: str
    status: int
    capture: int | None
    asked: str
    url: str
    captured: str
    digest: bytes
    payload_digest: str
    withheld: str | None
    first: bool


def rows(conn: sqlite3.Connection, file: str, start: int = 0) -> Iterator[Row]:
    """The visits that point into a file from an offset on, in its order."""
    for row in conn.execute(_ROWS, (file, start)):
        yield Row(*row)


def differs(stored: Stored, row: Row) -> str:
    """How a record differs from what a visit says of it; "" if it is the one."""
    if row.capture is None:
        return ""  # a foreign key that leads nowhere is found by itself
    if row.length != stored.place.length:
        return f"it is {stored.place.length} bytes long, not {row.length}"
    if stored.status != row.status:
        return f"its status is {stored.status}, not {row.status}"
    if abs((stored.at - instant(row.at)).total_seconds()) > SLACK:
        return f"it is of {stored.at:%Y-%m-%dT%H:%M:%SZ}, not of {row.at}"
    if row.first and stored.url != row.url:
        return f"it is of {stored.url}"
    if stored.kind == "revisit" and not row.first:
        if stored.same_as != (row.url, row.captured) or stored.payload_digest != row.payload_digest:
            return "it repeats another record"
        return ""
    if stored.withheld or row.withheld is not None:
        return "" if stored.withheld and row.withheld is not None else "one of the two withholds the payload"
    if stored.kind not in ("response", "resource"):
        return f"it is a {stored.kind} record"
    if row.first and keeping.payload_digest(stored.payload) != row.payload_digest:
        return "its payload is another one"
    try:
        body = keeping.replayed(stored, row.asked, row.url, stored.at).body
    except (ArchiveDamaged, zlib.error) as error:
        return f"its payload cannot be decoded: {error}"
    return "" if keeping.digest(body) == row.digest else "its decoded payload is another one"


@dataclass(slots=True)
class Checked:
    """What was looked at so far. `tell` is called with every record, for progress."""

    tell: Callable[["Checked"], None]
    files: int = 0
    records: int = 0
    bytes: int = 0
    rows: int = 0


@dataclass(slots=True)
class FileCheck:
    """A WARC file being checked. `handle`: open for reading; its name may be gone meanwhile.

    `start`, `stop`: between which offsets. `indexed`: bytes that the tables know of, None if there are no tables. `pointing`: the visits
    that point into it. `covered`: end of the answer that lies over an offset, else the offset. `known`: whether there is a
    capture of an address. `seen`: whether a record of this id came before. `at`: how far it came.
    """

    name: str
    handle: int
    stop: int
    indexed: int | None
    pointing: Iterator[Row]
    covered: Callable[[int], int]
    known: Callable[[str], bool]
    seen: Callable[[str], bool]
    checked: Checked
    start: int = 0
    at: int = 0
    _ours: bool = False
    _answer: str | None = None  # record id of the answer before, "" if there is none, None if that cannot be known
    _cut: bool = False
    _beyond: bool = False
    _home: bool = False
    _row: Row | None = None
    _here: list[Row] = field(default_factory=list)
    _queue: deque[Finding] = field(default_factory=deque)

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong, in the order of the file."""
        self._next_row()
        for event in events(self._records()):
            if event.answer is not None:
                self._answered(event, event.answer)
            yield from self._drained()
        size = os.fstat(self.handle).st_size
        if self.indexed is not None and size < self.indexed and not self._cut:
            self._find("file_cut", size, f"it was {self.indexed} bytes long", length=self.indexed - size)
        while self._row is not None:
            self._pointless("the file ends before")
        yield from self._drained()

    def _drained(self) -> Iterator[Finding]:
        while self._queue:
            yield self._queue.popleft()

    def _find(self, kind: str, offset: int, detail: str, *, length: int, url: str | None = None) -> None:
        behind = self.indexed is not None and offset >= self.indexed and kind not in ABOUT_ROWS
        self._queue.append(Finding(kind, self.name, offset, url, detail, length, behind))

    # -- rows ------------------------------------------------------------------------------------------------------

    def _next_row(self) -> None:
        self._row = next(self.pointing, None)
        self.checked.rows += self._row is not None

    def _pointless(self, why: str) -> None:
        row = self._row
        assert row is not None
        detail = f"visit {row.visit} of capture {row.capture}: {why}"
        self._find("row_without_bytes", row.offset, detail, length=row.length, url=row.url)
        self._next_row()

    def _rows_at(self, begin: int) -> None:
        while self._row is not None and self._row.offset < begin:
            self._pointless("no record begins there")
        self._here = []
        while self._row is not None and self._row.offset == begin:
            self._here.append(self._row)
            self._next_row()

    # -- records ---------------------------------------------------------------------------------------------------

    def _records(self) -> Iterator[Stored | None]:
        for begin, end, whole in records.walk(self.handle, self.start, self.stop, beyond=self.covered):
            self._rows_at(begin)
            self.at = end
            self.checked.bytes += end - begin
            if not whole:
                self._damage(begin, end)
            stored = self._read(begin, end) if whole else None
            if stored is None:
                self._answer = None
                yield None
                continue
            self.checked.records += 1
            self.checked.tell(self.checked)
            self._compare(stored)
            yield stored

    def _damage(self, begin: int, end: int) -> None:
        size = os.fstat(self.handle).st_size
        starts = os.pread(self.handle, 3, begin)
        zeros = self._zeros(begin, end)
        unfinished = end == size and GZIP.startswith(starts) and self._unfinished(begin)
        length = end - begin
        if self.indexed is not None and end == size < self.indexed:
            self._cut = True
            kind, detail = "file_cut", f"the file ends at {size} within this record; it was {self.indexed} bytes long"
            length = self.indexed - begin
        elif unfinished and (self.indexed is None or begin >= self.indexed):
            kind, detail = "torn_tail", f"{length} bytes of a record that was never finished"
        elif zeros is not None:
            kind, detail = "zero_filled", f"zeros from offset {zeros} on; the next whole record begins at {end}"
        elif self._here or sum(one == two for one, two in zip(starts, GZIP, strict=False)) > 1:
            kind, detail = "damaged_record", f"it cannot be unpacked; the next whole record begins at {end}"
        else:
            kind, detail = "garbage", f"{length} bytes that belong to no record"
        url = None
        for row in self._here:
            url, detail = row.url, f"{detail}; visit {row.visit} of capture {row.capture} points to it"
        self._find(kind, begin, detail, length=length, url=url)
        while self._row is not None and self._row.offset < end:
            self._pointless(f"it lies in what is damaged from offset {begin} on")

    def _zeros(self, begin: int, end: int) -> int | None:
        """Where the first long run of zeros begins."""
        at = begin
        while at < end:
            data = os.pread(self.handle, min(1 << 20, end - at), at)
            found = data.find(ZEROS)
            if found >= 0:
                return at + found
            if at + len(data) >= end or not data:
                return None
            at += max(len(data) - len(ZEROS) + 1, 1)
        return None

    def _unfinished(self, begin: int) -> bool:
        """Whether what begins here is well as far as it goes."""
        inflater = zlib.decompressobj(wbits=31)
        at = begin
        try:
            while data := os.pread(self.handle, 1 << 16, at):
                inflater.decompress(data)
                at += len(data)
        except zlib.error:
            return False
        return not inflater.eof

    def _read(self, begin: int, end: int) -> Stored | None:
        place = Place(self.name, begin, end - begin)
        data = os.pread(self.handle, end - begin, begin)
        url = self._here[0].url if self._here else None
        try:
            found = list(records.read(data, place))
            for stored in found:
                facts.parse(stored.facts or {})
        except Exception as error:  # whatever a reader of foreign bytes raises: it cannot be read
            kind = "digest_mismatch" if "digest" in str(error) else "unreadable_record"
            self._find(kind, begin, f"{type(error).__name__}: {error}", length=place.length, url=url)
            return None
        if len(found) != 1:
            self._find("unreadable_record", begin, f"{len(found)} records in one", length=place.length, url=url)
            return None
        if found[0].kind == "warcinfo":
            self._ours = b"newsmorgue/" in found[0].payload
        if self._ours and data[: len(records.HEADER)] not in records.HEADERS:
            self._find(
                "altered_header", begin, f"it begins {data[: len(records.HEADER)].hex()}", length=end - begin, url=url
            )
        return found[0]

    def _compare(self, stored: Stored) -> None:
        place = stored.place
        end = place.offset + place.length
        wrong = False
        for row in self._here:
            if how := differs(stored, row):
                wrong = True
                detail = f"visit {row.visit} of capture {row.capture}: {how}"
                self._find("row_mismatch", place.offset, detail, length=place.length, url=row.url)
            elif self.indexed is not None and end > self.indexed and not self._beyond:
                self._beyond = True
                detail = f"visit {row.visit} points behind it, to {place.offset}"
                self._find("index_behind", self.indexed, detail, length=end - self.indexed)
        self._home = bool(self._here) and not wrong
        stray = ""
        if self.seen(stored.record) and not self._home and not wrong:  # of two the one is at home that a row speaks of
            stray = f"the {stored.kind} record {stored.record} lies elsewhere, too"
        elif self._ours and stored.kind == "request" and self._answer not in (None, stored.belongs_to):
            stray = "a request that does not belong to the response before it"
        if stray:
            self._find("record_out_of_place", place.offset, stray, length=place.length, url=stored.url or None)
        answers = stored.kind in ("response", "revisit", "resource") or stored.withheld
        self._answer = None if wrong else stored.record if answers else ""

    def _answered(self, event: Event, answer: Stored) -> None:
        place = event.first.place
        if isinstance(event.facts, facts.PageFacts):
            row = self._here[0] if self._home else None
            if row is not None and row.capture is not None and row.asked != event.facts.asked:
                detail = f"facts of {event.facts.asked} stand before the response of {row.asked}"
                self._find("record_out_of_place", place.offset, detail, length=place.length, url=row.url)
            asked = event.facts.asked
        else:
            asked = try_canonical(answer.url) or answer.url
        if self.indexed is None or self._here or (answer.kind == "revisit" and not self.known(asked)):
            return
        behind = answer.place.offset >= self.indexed
        words = "the next run that writes will index it" if behind else "no visit points to it"
        self._find(
            "bytes_without_row",
            answer.place.offset,
            f"a {answer.kind} record of {answer.at:%Y-%m-%dT%H:%M:%SZ}: {words}",
            length=answer.place.length,
            url=answer.url,
        )
