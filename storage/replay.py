"""From the log to rows: the events of WARC files, in order, and what each makes of the tables that need no parser."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from parsers.errors import ArchiveDamaged
from parsers.page import Page
from parsers.url import host, try_canonical
from storage import keeping, runs
from storage.captures import Warc
from storage.facts import (
    EndFacts,
    Facts,
    FailureFacts,
    PageFacts,
    RemovedFacts,
    RunFacts,
    SiteFacts,
    parse,
)
from storage.keeping import Kept, Slot, Unread
from storage.records import Stored, stretches

if TYPE_CHECKING:
    from storage.archive import Archive


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the log. `answer`: the record of a page's response, None for events that are facts alone.

    `facts`: None for an answer without any, written by the first edition or for a plain revisit. `first`: the record of
    facts or, without, the answer itself.
    """

    first: Stored
    facts: Facts | None
    answer: Stored | None = None

    @property
    def torn(self) -> bool:
        """Whether these are facts of a page whose answer is missing at the end of a file."""
        return self.answer is None and isinstance(self.facts, PageFacts)


def events(records: Iterable[Stored | None]) -> Iterator[Event]:
    """The events of a run of records; None stands for one that cannot be read.

    An event whose answer is missing is left out, but for the last one, which is given as `torn`.
    """
    pending: tuple[Stored, PageFacts] | None = None
    hops = 0
    for record in records:
        if record is None:
            pending = None
            continue
        if record.kind == "request":
            continue
        if record.facts is not None:
            facts = parse(record.facts)
            pending = (record, facts) if isinstance(facts, PageFacts) else None
            hops = 0
            if facts is not None and pending is None:
                yield Event(record, facts)
        elif record.kind in ("response", "revisit", "resource") or record.withheld:
            if pending is None:
                if record.kind == "revisit" or not 300 <= record.status < 400:
                    yield Event(record, None, record)
            elif hops < pending[1].hops:
                hops += 1
            else:
                yield Event(*pending, record)
                pending = None
    if pending is not None:
        yield Event(*pending)


@dataclass(frozen=True, slots=True)
class Applied:
    """A page whose capture and visit are rows now. `page`: as it came; without a body for a revisit."""

    facts: PageFacts
    kept: Kept
    page: Page
    site: int | None

    @property
    def counts(self) -> bool:
        """Whether the ledger counts it: what we asked for, robots.txt left out."""
        return self.facts.kind != "robots" and not self.facts.imported


@dataclass(slots=True)
class Replay:
    """Applies events to an archive, each in a transaction of the caller. `run`: the run whose events are being read."""

    archive: "Archive"
    run: int | None = None
    sites: dict[str, int] = field(default_factory=dict)

    def apply(self, event: Event) -> Applied | None:
        """Make an event's rows; gives the page if it is one. A torn event makes none."""
        match event.facts:
            case RunFacts() as facts:
                self._begin(facts, event)
            case EndFacts() as facts:
                runs.end(self.archive.db.conn, facts, now=event.first.at)
            case FailureFacts() as facts:
                self._failed(facts, event)
            case SiteFacts() as facts:
                self.archive.site_id(
                    facts.name, home=facts.home, parser=facts.parser, timezone=facts.timezone, now=event.first.at
                )
            case RemovedFacts() as facts:
                self._removed(facts, event)
            case _ if not event.torn:
                applied = self.page(event)
                if applied is not None:
                    self._seen(applied, event.first.at)
                return applied
        return None

    def _seen(self, applied: Applied, at: datetime) -> None:
        if applied.site is not None and applied.counts:
            for stage in ("tried", "got"):
                self.archive.note(applied.site, at.date(), stage)
        kept, facts = applied.kept, applied.facts
        if kept.verdict == "article" and facts.kind == "story":
            self.archive.seen_again(facts.asked, now=at)
        elif kept.identical and kept.read and facts.kind != "story":
            self.archive.front_unchanged(kept.visit, facts.asked, now=at)

    def _begin(self, facts: RunFacts, event: Event) -> None:
        self.run = facts.run
        runs.begin(self.archive.db.conn, facts, now=event.first.at)

    def _removed(self, facts: RemovedFacts, event: Event) -> None:
        site = self._site(facts.site)
        if site is not None:
            self.archive.note(site, event.first.at.date(), "tried")
            self.archive.note(site, event.first.at.date(), facts.stage, facts.reason)

    def _failed(self, facts: FailureFacts, event: Event) -> None:
        site = self._site(facts.site)
        if site is not None and not self.archive.tombstoned(facts.url):
            runs.failure(self.archive, facts, site=site, now=event.first.at)

    def _site(self, name: str | None) -> int | None:
        if name is None:
            return None
        if name not in self.sites:
            row = self.archive.db.execute("SELECT id FROM site WHERE name = ?", (name,)).fetchone()
            if row is None:
                return None
            self.sites[name] = row[0]
        return self.sites[name]

    def page(self, event: Event, slot: Slot | None = None) -> Applied | None:
        """The rows of a page's event, but for the ledger; None if it repeats what is not there.

        `slot`: the numbers they get, for rows that are made again.
        """
        answer = event.answer
        assert answer is not None
        facts = event.facts if isinstance(event.facts, PageFacts) else None
        if facts is None and answer.same_as is not None:
            facts = self._revisited(answer)
        facts = facts or self._guess(answer)
        if self.archive.tombstoned(facts.asked) or self.archive.tombstoned(answer.url):
            return None
        site = self._site(facts.site)
        conn = self.archive.db.conn
        if answer.same_as is not None:
            original = keeping.referred(conn, facts.asked, answer.same_as[1], slot)
            if original is None:
                return None  # it was taken down, or lies in a file that is lost
            kept = keeping.seen(conn, original, facts.run, answer.place, status=answer.status, at=answer.at, slot=slot)
            page = Page(answer.url, b"", facts.asked, answer.at, answer.status, answer.headers)
        else:
            page = keeping.replayed(answer, facts.asked, answer.url, answer.at)
            withheld = facts.withheld is not None
            kept = keeping.index(
                conn,
                page,
                facts,
                answer.place,
                keeping.standing(conn, facts, answer.at, slot),
                site=site,
                at=answer.at,
                size=facts.size if withheld else len(answer.payload),
                wire=facts.payload_digest or keeping.payload_digest(answer.payload),
                own=bytes.fromhex(facts.digest) if facts.digest else keeping.digest(page.body),
                slot=slot,
            )
        return Applied(facts, kept, page, site)

    def _revisited(self, answer: Stored) -> PageFacts | None:
        """Facts of a plain revisit: those of the queue's address, whose site may have changed, else of the capture found again."""
        asked = try_canonical(answer.url) or answer.url
        row = self.archive.db.execute(
            "SELECT coalesce(f.kind, c.kind), s.name FROM capture c LEFT JOIN frontier f ON f.url = c.asked "
            "LEFT JOIN site s ON s.id = coalesce(f.site_id, c.site_id) WHERE c.asked = ? ORDER BY c.at DESC, c.id DESC LIMIT 1",
            (asked,),
        ).fetchone()
        return PageFacts(asked, row[0], self.run, row[1]) if row else None

    def _guess(self, answer: Stored) -> PageFacts:
        """Facts of an answer whose own are lost, or of the first edition, which wrote none: by the queue, else by the hosts
        of the sites."""
        asked = try_canonical(answer.url) or answer.url
        execute = self.archive.db.execute
        row = execute(
            "SELECT f.kind, s.name FROM frontier f JOIN site s ON s.id = f.site_id WHERE f.url = ?", (asked,)
        ).fetchone()
        if row is None:
            site = execute("SELECT name FROM site WHERE instr(home, ?) > 0 LIMIT 1", (host(asked),)).fetchone()
            row = ("robots" if asked.endswith("/robots.txt") else "story", site[0] if site else None)
        source = "import" if answer.kind == "resource" else "response"
        return PageFacts(asked, row[0], self.run, row[1], at_source=source)


def stands_since(archive: "Archive", page: Unread) -> None:
    """A page is read at last: what it showed still stood at the later visits that found it unchanged."""
    story = page.kind == "story"
    (verdict,) = archive.db.execute("SELECT verdict FROM capture WHERE id = ?", (page.capture,)).fetchone()
    if story and verdict != "article":
        return
    for visit, at in keeping.later(archive.db.conn, page):
        if story:
            archive.seen_again(page.asked, now=at)
        else:
            archive.front_unchanged(visit, page.asked, now=at)


def end(warc: Warc, path: Path, last: Event | None, start: int = 0) -> int:
    """Where a file's whole events end. `last`: the last event found from offset `start` on.

    What lies behind is a write that never ended. Were it left there, what is appended next could be taken for its answer.
    """
    if last is not None and last.torn:
        return last.first.place.offset
    if last is not None:
        place = (last.answer or last.first).place
        start = place.offset + place.length
    return warc.whole(path, start)


def readable(warc: Warc, path: Path, said: list[str], start: int = 0) -> Iterator[Event]:
    """Every event of a file from an offset on. Where bytes cannot be read, what follows them still is; `said` says where."""
    return events(_readable(warc, path, said, start))


def _readable(warc: Warc, path: Path, said: list[str], start: int) -> Iterator[Stored | None]:
    for begin, end, whole in stretches(path, start):
        try:
            if whole:
                yield from warc.at(path, begin, end)
            else:
                said.append(f"{path.name}: {end - begin} bytes from offset {begin} on are no records")
                yield None
        except ArchiveDamaged as error:
            said.append(error.what)
            yield None
