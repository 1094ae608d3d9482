"""The loop: a due address, its page, what stands in it, new addresses. State is in the archive; a killed crawl goes on."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from parsers.errors import AddressRefused, BadResponse, FetchError, HostHeld, NewsmorgueError, RobotsDenied
from parsers.page import Page
from parsers.url import canonical
from scraper import ingest
from scraper.agenda import Agenda, Slots
from scraper.cleared import cleared, exchanges
from scraper.clock import Clock
from scraper.fetch.client import Fetched, Fetcher
from scraper.headers import Header
from scraper.ingest import Ingest
from scraper.reading import Reading, read
from scraper.settings import Owners, Settings, SiteSettings
from scraper.tally import Progress, Tally
from scraper.workers import Readers
from storage import obedience, timing
from storage.archive import Archive
from storage.facts import FailureFacts
from storage.frontier import KINDS, Entry, Kind

FAILURES_BEFORE_REST = 5
COUNT_EVERY = 1.0
"""Seconds between two counts of what waits: to count is to go through all of it."""
GATHER = 0.1
"""Seconds for which what came waits for more to be kept with it: an fsync costs as much as fetching a few pages."""
LAST_MOMENT = 2.0
"""Seconds that pages which are being read in other processes get to be done when a crawl is stopped."""
FAR = 3600.0
"""Seconds for which the loop sleeps if only something that comes can go on."""
_DROPPED = (RobotsDenied, AddressRefused)
"""Errors of addresses that are not to be asked for at all."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a crawl ends.

    `wait`: seconds it waits for the next due address. `stories`: at most so many story fetches. `recheck`: every known
    story is due. `read`: captured pages are read. `since`: stories that their feed or address dates before this instant
    (aware) are left out.
    """

    wait: float = 30.0
    stories: int | None = None
    recheck: bool = False
    read: bool = True
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Came:
    """What came of an address: an answer and what was read from it, or an error. `freed`: its host may be asked on."""

    entry: Entry
    fetched: Fetched | None = None
    reading: Reading | None = None
    error: FetchError | None = None
    freed: bool = False


class Crawl:
    """One run over some sites of one archive."""

    def __init__(
        self,
        archive: Archive,
        settings: Settings,
        sites: tuple[SiteSettings, ...],
        *,
        clock: Clock,
        agent: str,
        limits: Limits,
        progress: Progress,
        run: int,
        started: datetime,
        readers: Readers | None = None,
    ) -> None:
        self.archive = archive
        self.settings = settings
        self.clock = clock
        self.sites = {
            archive.site_id(s.name, home=s.home, parser=s.parser, timezone=s.timezone, now=started): s for s in sites
        }
        self.owners = Owners(self.sites)
        self.agent = agent
        self.limits = limits
        self.progress = progress
        self.run_id = run
        self.started = started
        self.readers = readers
        self.random = Random(run)  # noqa: S311 - jitter, not a secret
        self.tally = Tally()
        self.ingest = Ingest(archive, self.sites, self.tally, limits.since, self.random)
        self.reading: set[asyncio.Task[Any]] = set()
        self.stories_asked = 0
        self.stir = asyncio.Event()
        self.slots = Slots(settings.crawl.concurrency, self.stir.set)
        self.tasks: set[asyncio.Task[_Came]] = set()
        self.done: list[asyncio.Task[_Came]] = []
        self.keep_at = math.inf

    async def run(self) -> Tally:
        """Take every source now, then all that is due; end when nothing is due within `limits.wait`."""
        frontier = self.archive.frontier
        now = self.clock.now()
        with self.archive.transaction():
            frontier.release_leases()
            self.ingest.seed(self.started)
            for site in self.sites:
                frontier.due_now(site=site, now=now, stories=self.limits.recheck)
        async with Fetcher(
            self.settings.crawl,
            agent=self.agent,
            scope=lambda url: self.owners.of(url) is not None,
            headers=self._headers,
            keep_robots=self._keep_robots,
            now=self.clock.now,
            rest=self.slots.rest,
        ) as fetcher:
            agenda = Agenda(
                frontier,
                self.sites,
                run=self.run_id,
                now=self.clock.now,
                left=fetcher.left,
                kinds=self._kinds,
            )
            try:
                await self._loop(fetcher, agenda)
            except asyncio.CancelledError:
                await self._wind_up(agenda)
                raise
            finally:
                await self._cancel(self.tasks)
        return self.tally

    async def _wind_up(self, agenda: Agenda) -> None:
        """Stopped: requests under way are given up, what has come is kept; what is being read gets a moment for it."""
        await self._cancel(self.tasks - self.reading)
        if self.reading:
            await asyncio.wait(self.reading, timeout=LAST_MOMENT)
            await self._cancel(self.tasks)
        self.done = [task for task in self.done if not task.cancelled()]
        self._keep_group(agenda)

    @staticmethod
    async def _cancel(tasks: "set[asyncio.Task[Any]]") -> None:
        ending = tuple(tasks)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    async def _loop(self, fetcher: Fetcher, agenda: Agenda) -> None:
        """Whatever has come meanwhile is kept as one group: one write and fsync of the WARC, one transaction."""
        loop = asyncio.get_running_loop()
        counted = -COUNT_EVERY
        while True:
            self.stir.clear()
            if self._group_is_full(agenda):
                self._keep_group(agenda)
            agenda.renew()
            self._start_due(fetcher, agenda)
            if loop.time() - counted >= COUNT_EVERY:
                counted = loop.time()
                due = self.archive.frontier.due_counts(self.sites, self.clock.now())
                self.progress.queued({self.sites[site].name: one for site, one in agenda.waiting(due).items()})
            if not self.tasks and not self.done and not agenda.due_within(self.limits.wait):
                return
            soonest = agenda.next() if self._may_start() else math.inf
            alarm = loop.call_at(min(soonest, self.keep_at, loop.time() + FAR), self.stir.set)
            await self.stir.wait()
            alarm.cancel()

    def _group_is_full(self, agenda: Agenda) -> bool:
        """Whether what has come is to be kept now: there is enough of it, it has waited, or nothing else is to be done."""
        now = asyncio.get_running_loop().time()
        idle = not self.tasks and agenda.next() > now
        return bool(self.done) and (idle or now >= self.keep_at or len(self.done) >= self.settings.crawl.concurrency)

    def _keep_group(self, agenda: Agenda) -> None:
        came = [task.result() for task in self.done]
        self.done.clear()
        self.keep_at = math.inf
        try:
            outcomes = self._keep_all(came, agenda)
        except NewsmorgueError:  # the archive cannot go on
            raise
        except Exception:  # over one page: the others are kept, each by itself
            outcomes = [outcome for one in came for outcome in self._keep_alone(one, agenda)]
        for one in came:
            if not one.freed:  # only now is it known whether the host is to be left alone
                agenda.free(one.entry.host)
        for entry, outcome in outcomes:
            self.progress.fetched(self.sites[entry.site].name, entry.url, outcome)

    def _keep_all(self, came: Sequence[_Came], agenda: Agenda) -> list[tuple[Entry, str]]:
        with self.archive.transaction():
            outcomes = [(one.entry, self._keep(one)) for one in came]
            for one in came:
                agenda.kept(one.entry)
            agenda.write()
        return outcomes

    def _keep_alone(self, one: _Came, agenda: Agenda) -> list[tuple[Entry, str]]:
        """Keep one page. If that fails it counts as not fetched, is named, and is asked for again later."""
        try:
            return self._keep_all([one], agenda)
        except NewsmorgueError:
            raise
        except Exception as error:
            return self._keep_all([_Came(one.entry, error=_unforeseen(error, one.entry))], agenda)

    def _kinds(self) -> tuple[Kind, ...]:
        """What may still be asked for: no stories once there are enough."""
        enough = self.limits.stories is not None and self.stories_asked >= self.limits.stories
        return tuple(kind for kind in KINDS if kind != "story") if enough else KINDS

    def _may_start(self) -> bool:
        """Whether there is a slot, and reading keeps up."""
        return self.slots.free and len(self.reading) < self.settings.crawl.concurrency

    def _start_due(self, fetcher: Fetcher, agenda: Agenda) -> None:
        """Start one task for each host that may be asked, as long as any may be started."""
        while self._may_start() and (entry := agenda.take()) is not None:
            self.stories_asked += entry.kind == "story"
            self.slots.take()
            task = asyncio.create_task(self._visit(fetcher, agenda, entry))
            task.add_done_callback(self._finished)
            self.tasks.add(task)

    def _finished(self, task: "asyncio.Task[_Came]") -> None:
        self.tasks.discard(task)
        self.done.append(task)
        self.keep_at = min(self.keep_at, asyncio.get_running_loop().time() + GATHER)
        self.stir.set()

    async def _visit(self, fetcher: Fetcher, agenda: Agenda, entry: Entry) -> _Came:
        """Fetch one address and read what came; where that is done in another process its host need not wait for it."""
        anew = self.ingest.anew(entry.kind)
        etag, last_modified = (None, None) if anew else (entry.etag, entry.last_modified)
        if (etag or last_modified) and not self.archive.captured(entry.url):  # an earlier edition spelled it otherwise
            etag = last_modified = None
        try:
            fetched = await fetcher.get(entry.url, etag=etag, last_modified=last_modified)
        except FetchError as error:
            return _Came(entry, error=error)
        except Exception as error:
            return _Came(entry, error=_unforeseen(error, entry))
        finally:
            self.slots.give()
        good = fetched.page.status < 400 and not entry.refusals
        if good and self.readers is not None:
            agenda.free(entry.host)
        came = await self._read_anew(entry, fetched, anew=anew)
        if good and self.readers is None:
            good = came.reading is None or came.reading.verdict != "challenge"
            if good:
                agenda.free(entry.host)
        return replace(came, freed=good)

    async def _read_anew(self, entry: Entry, fetched: Fetched, *, anew: bool) -> _Came:
        """Read what came if it was not read before."""
        if fetched.not_modified or (not anew and self.archive.holds(entry.url, fetched.page)):
            return _Came(entry, fetched)
        later = entry.kind == "story" and not self.limits.read
        reading = await self._read(fetched.page, entry, later=later)
        cards = reading.front.cards if reading.front else reading.article.cards if reading.article else ()
        clean = cleared(fetched, self.archive.tombstones, cards, story=entry.kind == "story")
        if clean is fetched:
            return _Came(entry, fetched, reading)
        known = not anew and self.archive.holds(entry.url, clean.page)
        return _Came(entry, clean, None if known else await self._read(clean.page, entry, later=later))

    async def _read(self, page: Page, entry: Entry, *, later: bool) -> Reading:
        site = self.sites[entry.site]
        if self.readers is None or later:
            return read(page, entry.kind, site.parser, site.timezone, only_optouts=later)
        task = asyncio.current_task()
        assert task is not None
        self.reading.add(task)
        try:
            return await self.readers.read(page, entry.kind, site.parser, site.timezone)
        finally:
            self.reading.discard(task)

    def _keep(self, came: _Came) -> str:
        """Keep what came of an address. Gives the outcome's word."""
        entry, fetched, reading = came.entry, came.fetched, came.reading
        site = self.sites[entry.site]
        if fetched is None:
            assert came.error is not None
            self._failed(entry, came.error)
            self.tally.add(site.name, "tried", came.error.kind)
            if isinstance(came.error, _DROPPED):
                self.tally.drop(came.error.kind)
            self.tally.error(entry.url, str(came.error))
            return came.error.kind
        stone = obedience.leads_to(fetched.page, self.archive.tombstones, story=entry.kind == "story")
        if stone is not None:
            retry = self.clock.now() + timedelta(seconds=timing.backoff(entry.failures + 1, self.random))
            obedience.turn_away(self.archive, entry, fetched.page, stone, site=site.name, retry=retry)
            self.tally.add(site.name, "tried", "got", "taken_down")
            return "taken_down"
        withheld = None
        if fetched.not_modified:
            kept = self.archive.not_modified(entry.url, exchanges(fetched, self.archive.tombstones), run=self.run_id)
        else:
            found = reading.optouts if reading else ()
            withheld = ingest.withheld(site, self.settings.crawl.respect, found)
            kept = self.archive.keep(
                fetched.page,
                exchanges(fetched, self.archive.tombstones),
                run=self.run_id,
                site=entry.site,
                kind=entry.kind,
                verdict=reading.verdict if reading and withheld else None,
                withheld=withheld,
                optouts=found,
                kept_because=site.reason if found and site.archive == "full" else None,
                title=reading.article.title if reading and reading.article and withheld else None,
            )
        day = fetched.exchanges[-1].at.date()
        self.archive.note(entry.site, day, "tried")
        self.archive.note(entry.site, day, "got")
        outcome = self.ingest.page(entry, kept, fetched.page, reading, withheld)
        self.tally.add(site.name, "tried", "got", outcome)
        return outcome

    def _failed(self, entry: Entry, error: FetchError) -> None:
        """Keep why an address did not come, and when it is tried again."""
        if self.archive.tombstoned(entry.url):  # taken down while it was under way
            return
        now = self.clock.now()
        retry: datetime | None = None
        dropped = isinstance(error, _DROPPED)
        if isinstance(error, HostHeld):
            retry = now + timedelta(seconds=error.seconds)
        elif not dropped and not (entry.kind == "story" and entry.failures + 1 >= FAILURES_BEFORE_REST):
            retry = now + timedelta(seconds=timing.backoff(entry.failures + 1, self.random))
        facts = FailureFacts(
            url=entry.url,
            kind=entry.kind,
            site=self.sites[entry.site].name,
            run=self.run_id,
            outcome=error.kind,
            status=error.status,
            retry=timing.stamp(retry) if retry else None,
            held_for=(error.cause or error.what) if isinstance(error, HostHeld) and self._of_host(entry, error) else "",
            dropped=dropped,
        )
        self.archive.failed(facts, site=entry.site, now=now)
        if isinstance(error, HostHeld) and error.origin and not facts.held_for and retry is not None:
            self.archive.frontier.put_off(error.origin, until=retry)

    def _of_host(self, entry: Entry, error: HostHeld) -> bool:
        """Whether a host is to be left alone: not if one address was refused, or if only another scheme of it fails."""
        return not error.alone and self.sites[entry.site].home.startswith(error.origin)

    def _headers(self, url: str) -> Sequence[Header]:
        """The headers of settings for an address: those of the site whose own it is, over TLS if the site has it."""
        key = self.owners.of(url)
        if key is None:
            return ()
        site = self.sites[key]
        return site.headers if url.startswith("https:") or not site.home.startswith("https:") else ()

    def _keep_robots(self, fetched: Fetched) -> None:
        """Keep robots.txt as it stood: the rights snapshot of what is captured beside it."""
        if fetched.not_modified:
            self.archive.not_modified(canonical(fetched.page.asked), fetched.exchanges, run=self.run_id)
            return
        fetched = cleared(fetched, self.archive.tombstones)
        site = self.owners.of(fetched.page.url)
        with self.archive.transaction():
            self.archive.keep(
                fetched.page,
                fetched.exchanges,
                run=self.run_id,
                site=site,
                kind="robots",
                verdict="not_html" if fetched.page.status < 400 else "gone",
            )
            self.ingest.robots(fetched.page, site, fetched.exchanges[-1].at)


def _unforeseen(error: Exception, entry: Entry) -> BadResponse:
    """A fault of ours over one answer: it costs that one, and not the run."""
    return BadResponse(f"{type(error).__name__} over the answer of {entry.url}", cause=str(error), url=entry.url)
