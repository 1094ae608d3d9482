"""WARC files rewritten: events removed, payloads struck, everything else copied byte for byte.

The new file stands beside the old one (`NAME-r1.warc.gz`, then `-r2`) until the rows point to it.
"""

import base64
import hashlib
import json
import os
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import IO

from parsers.coding import decode
from parsers.page import Page
from parsers.url import try_canonical
from storage import facts, records
from storage.captures import revised, sync_folder
from storage.facts import FailureFacts, PageFacts, RemovedFacts
from storage.keeping import MAX_DECODED, digest, payload_digest
from storage.records import OURS, stretches
from storage.strike import Target, may_hold, strike

STRUCK = "X-Archive-Struck"
"""Header of a response out of whose payload something was struck: which takedown, and when."""
_END = b"\r\n\r\n"
_ANSWERS = ("response", "revisit", "resource")


@dataclass(frozen=True, slots=True)
class Visited:
    """What the tables know of an answer in a file. `removed`: digest of the takedown under which it goes, None if it stays."""

    site: str | None
    kind: str
    article: bool
    removed: str | None = None


@dataclass(frozen=True, slots=True)
class Struck:
    """A payload after it was struck: what its capture's row says of it."""

    size: int
    digest: bytes
    payload_digest: str
    charset: str | None
    charset_source: str | None


@dataclass(slots=True)
class Change:
    """What becomes of a file. `moved`: old begin and end, new begin and length of what stays; `removed`: offsets of events;
    `struck`: new payloads by old offset; `said`: what could not be looked into."""

    path: Path
    made: Path
    size: int = 0
    moved: list[tuple[int, int, int, int]] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    struck: dict[int, Struck] = field(default_factory=dict)
    records: int = 0
    said: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.removed or self.records)

    def place(self, offset: int) -> int:
        """Where what lay at an offset lies now."""
        index = bisect_right(self.moved, (offset, 1 << 62, 0, 0)) - 1
        begin, _, new, _ = self.moved[max(index, 0)]
        return new + offset - begin


@dataclass(slots=True)
class Job:
    """A pass over the files. `keys`: canonical address to the digest of its takedown, hex; `takedown`: of the pass.

    `digests`: payload digests of struck responses by address and WARC-Date, for the revisits that refer to them.
    """

    target: Target
    keys: Mapping[str, str]
    takedown: str
    decided: str
    digests: dict[tuple[str, str], str] = field(default_factory=dict)


class _Record:
    """A stretch of a file: a record, read as far as needed, or bytes that are none (not `whole`)."""

    def __init__(self, begin: int, end: int, data: bytes | None) -> None:
        self.begin = begin
        self.end = end
        head, _, rest = (data or b"").partition(_END)
        self.whole = head.startswith(b"WARC/")
        self.head = head.decode("utf-8", "surrogateescape").split("\r\n")
        self._fields = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in self.head)}
        size = self.field("content-length")
        self.block = rest[: int(size) if size.isdecimal() else 0]
        self.kind = self.field("warc-type")
        self.url = self.field("warc-target-uri")
        self.ours = self.kind == "metadata" and self.block.startswith(OURS)
        self.answer = self.kind in _ANSWERS or (self.kind == "metadata" and self.block.startswith(b"withheld: "))

    def field(self, name: str) -> str:
        """A WARC header, "" if there is none."""
        return self._fields.get(name, "")

    @cached_property
    def facts(self) -> facts.Facts | None:
        """Facts of ours; None if there are none, or if they are damaged or of a later edition."""
        try:
            return facts.parse(json.loads(self.block[len(OURS) :])) if self.ours else None
        except (ValueError, TypeError):
            return None

    @property
    def addresses(self) -> set[str]:
        """The addresses that the record is about, canonical."""
        found = {self.url, self.field("warc-refers-to-target-uri")}
        if isinstance(self.facts, PageFacts):
            found.add(self.facts.asked)
        elif isinstance(self.facts, FailureFacts):
            found.add(self.facts.url)
        return {try_canonical(url) or url for url in found if url}


def _events(records: Iterable[_Record]) -> Iterator[list[_Record]]:
    """Records in groups that stand or fall together: facts, redirects and the answer, each with its request."""
    group: list[_Record] = []
    outstanding = 0
    for record in records:
        goes_on = (record.answer and outstanding > 0) or (
            record.kind == "request" and bool(group) and group[-1].url == record.url
        )
        if group and not goes_on:
            yield group
            group = []
        if record.ours:
            outstanding = record.facts.hops + 1 if isinstance(record.facts, PageFacts) else 0
        elif record.answer:
            outstanding = max(outstanding - 1, 0)
        elif record.kind != "request":
            outstanding = 0
        group.append(record)
    if group:
        yield group


def survey(path: Path, job: Job, visited: Mapping[int, Visited], *, write: bool) -> Change:
    """What becomes of a file; with `write`, the new file is made and durable (`Change.made`), if anything changes."""
    change = Change(path, revised(path))
    out: IO[bytes] | None = None
    temporary = change.made.with_name(f"{change.made.name}.tmp")
    try:
        with path.open("rb") as source:
            for group in _events(_records(source, path)):
                kept = _rewritten(group, job, visited, change)
                if out is None and write and change:
                    out = temporary.open("wb")
                    source.seek(0)
                    _copy(source, out, group[0].begin)
                for record, anew in kept:
                    length = record.end - record.begin if anew is None else len(anew)
                    if not change.removed or change.removed[-1] != record.begin:
                        change.moved.append((record.begin, record.end, change.size, length))
                    change.size += length
                    if out is not None and anew is not None:
                        out.write(anew)
                    elif out is not None:
                        source.seek(record.begin)
                        _copy(source, out, length)
        if out is not None:
            out.flush()
            os.fsync(out.fileno())
            out.close()
            temporary.replace(change.made)
            sync_folder(path.parent)
    finally:
        if out is not None:
            out.close()
        temporary.unlink(missing_ok=True)
    return change


def _copy(source: IO[bytes], out: IO[bytes], size: int) -> None:
    while size:
        data = source.read(min(size, 1 << 20))
        out.write(data)
        size -= len(data)


def _records(source: IO[bytes], path: Path) -> Iterator[_Record]:
    for begin, end, whole in stretches(path):
        source.seek(begin)
        yield _Record(begin, end, zlib.decompress(source.read(end - begin), wbits=31) if whole else None)


def _rewritten(
    group: list[_Record], job: Job, visited: Mapping[int, Visited], change: Change
) -> list[tuple[_Record, bytes | None]]:
    """What stays of an event: its records, as they are (None) or anew."""
    known = next((visited[record.begin] for record in group if record.begin in visited), None)
    key = known.removed if known else _key(group, job)
    if key is not None:
        change.removed.append(group[0].begin)
        return [(group[0], _placeholder(group, known, key, job))]
    kept: list[tuple[_Record, bytes | None]] = []
    for record in group:
        anew = None
        if not record.whole:
            words = f"{change.path.name}: {record.end - record.begin} bytes at offset {record.begin} are no record"
            change.said.append(words)
        else:
            anew = _struck(record, job, visited.get(record.begin), change)
        change.records += anew is not None
        kept.append((record, anew))
    return kept


def _key(group: list[_Record], job: Job) -> str | None:
    """The takedown under which an event goes that the tables do not know."""
    return next((job.keys[url] for record in group for url in record.addresses if url in job.keys), None)


def _placeholder(group: list[_Record], known: Visited | None, key: str, job: Job) -> bytes:
    """A record that says that a record stood here and was removed, when, and under which decision."""
    first = group[0]
    values = RemovedFacts(key, job.decided)
    if isinstance(first.facts, FailureFacts):
        stage = "dropped" if first.facts.dropped else "failed"
        values = RemovedFacts(key, job.decided, first.facts.site, stage, first.facts.outcome)
    elif known is not None and known.kind != "robots":
        values = RemovedFacts(key, job.decided, known.site)
    out = BytesIO()
    at = datetime.fromisoformat(first.field("warc-date") or job.decided).astimezone(UTC)
    records.facts(records.Writer(out), facts.address(values), at, values.as_json())
    return out.getvalue()


# -- one record --------------------------------------------------------------------------------------------------------


def _struck(record: _Record, job: Job, known: Visited | None, change: Change) -> bytes | None:
    """A record anew with what is to be struck struck; None if it stays as it is."""
    if record.kind in ("response", "revisit", "request"):
        return _struck_exchange(record, job, known, change)
    target, block = job.target, record.block
    charset = "utf-8"
    if record.kind == "resource" and may_hold(block, target, listing=True):
        charset = Page(record.url, block, headers=(("Content-Type", record.field("content-type")),)).charset.name
    done = _strike(block, job, charset, record.url, known)
    if done is None:
        return None
    if record.kind == "resource":
        change.struck[record.begin] = _facts_of(record, done, (("Content-Type", record.field("content-type")),), job)
    return _record(record, done, done, mark=job)


def _strike(data: bytes, job: Job, charset: str, base: str, known: Visited | None) -> bytes | None:
    story = known is not None and known.article
    return strike(data, job.target, charset=charset, base=base, listing=not story, story=story)


def _struck_exchange(record: _Record, job: Job, known: Visited | None, change: Change) -> bytes | None:
    head, mark, payload = record.block.partition(_END)
    fresh = strike(head, job.target, base=record.url, listing=True) or head
    original = (record.field("warc-refers-to-target-uri"), record.field("warc-refers-to-date"))
    stated = job.digests.get(original) if record.kind == "revisit" else None
    plain = None
    if record.kind == "response":
        headers = _headers(head)
        body = _decoded(payload, headers, record, change)
        if may_hold(body, job.target, listing=True):
            charset = Page(record.url, body, headers=headers).charset.name
            plain = _strike(body, job, charset, record.url, known)
    if plain is None and stated is None:
        return _record(record, fresh + mark + payload, None) if fresh != head else None
    fresh = struck_head(fresh, len(plain) if plain is not None else None, job.takedown, job.decided)
    if plain is not None:
        change.struck[record.begin] = _facts_of(record, plain, _headers(fresh), job)
        payload = plain
    return _record(record, fresh + _END + payload, plain, stated=stated)


def _decoded(payload: bytes, headers: tuple[tuple[str, str], ...], record: _Record, change: Change) -> bytes:
    found = decode(payload, headers, most=MAX_DECODED)
    if found.fault in ("unknown", "damaged", "cut"):
        problem = f"its coding cannot be taken off: {found.why}"
        change.said.append(f"{change.path.name}: the payload at offset {record.begin} cannot be looked into: {problem}")
    return found.body


def _headers(head: bytes) -> tuple[tuple[str, str], ...]:
    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    return tuple((name, value.strip()) for name, colon, value in lines if colon)


def struck_head(head: bytes, size: int | None, takedown: str, decided: str) -> bytes:
    """The head of a response whose payload was struck: no content coding any more, and a mark. `size`: of the payload, in
    bytes; None for a revisit, which has none."""
    lines = []
    for line in head.rstrip(b"\r\n").split(b"\r\n"):
        name = line.partition(b":")[0].strip().lower()
        if name == b"content-encoding":
            lines.append(b"X-Archive-" + line)
        elif name == b"content-length" and size is not None:
            lines.append(b"Content-Length: %d" % size)
        else:
            lines.append(line)
    return b"\r\n".join((*lines, f"{STRUCK}: takedown {takedown} {decided}".encode("ascii")))


def _facts_of(record: _Record, payload: bytes, headers: tuple[tuple[str, str], ...], job: Job) -> Struck:
    charset = Page(record.url, payload, headers=headers).charset if payload else None
    wire = payload_digest(payload)
    job.digests[record.url, record.field("warc-date")] = wire
    names = (charset.name, charset.source) if charset else (None, None)
    return Struck(len(payload), digest(payload), wire, *names)


def _record(
    record: _Record, block: bytes, payload: bytes | None, *, stated: str | None = None, mark: Job | None = None
) -> bytes:
    """A record with another block: its length and digests are stated anew, everything else stays.

    `payload`: the new one, None if it is the old one. `stated`: of a revisit, the new digest of what it refers to.
    """
    anew = {
        "content-length": str(len(block)),
        "warc-block-digest": "sha1:" + base64.b32encode(hashlib.sha1(block, usedforsecurity=False).digest()).decode(),
    }
    if payload is not None:
        anew["warc-payload-digest"] = payload_digest(payload)
    elif stated is not None:
        anew["warc-payload-digest"] = stated
    lines = []
    for line in record.head:
        name = line.partition(":")[0].strip().lower()
        lines.append(f"{line.partition(':')[0]}: {anew[name]}" if name in anew else line)
    if mark is not None:
        lines.append(f"{STRUCK}: takedown {mark.takedown} {mark.decided}")
    data = "\r\n".join(lines).encode("utf-8", "surrogateescape") + _END + block + _END
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()
