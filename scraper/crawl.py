"""The loop: a due address, its page, what stands in it, new addresses. State is in the archive; a killed crawl goes on."""

import asyncio
import random
import re
from collections import Counter
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from parsers import dates, links
from parsers.errors import AddressRefused, FetchError, HostHeld, ParseError, RobotsDenied
from parsers.url import host
from scraper import ingest
from scraper.clock import Clock
from scraper.fetch.client import Fetched, Fetcher
from scraper.fetch.optouts import optouts
from scraper.settings import Settings, SiteSettings
from storage import timing
from storage.archive import Archive, Kept
from storage.frontier import Entry, Kind

MAX_LISTING_PAGES = 50
"""Numbered pages followed from one front; older stories are a backfill's business."""
LEASE = timedelta(minutes=10)
_URL_DAY = re.compile(r"/((?:19|20)\d\d)[/-](\d{1,2})[/-](\d{1,2})(?=[/_-])")
FAILURES_BEFORE_REST = 5
FRONT_EVERY = 1800.0
"""Seconds after which a front or feed is due again where the site's block does not say `every`."""


class Progress(Protocol):
    """Who watches a crawl."""

    def fetched(self, site: str, url: str, outcome: str) -> None:
        """An address was tried."""

    def queued(self, due: int) -> None:
        """How many addresses wait."""


@dataclass(slots=True)
class Tally:
    """What a crawl did. `counts`: outcome to number; `by_site`: the same for each site; `errors`: address to words."""

    counts: Counter[str] = field(default_factory=Counter)
    by_site: dict[str, Counter[str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def add(self, site: str, *outcomes: str) -> None:
        """Count outcomes for a site."""
        self.counts.update(outcomes)
        self.by_site.setdefault(site, Counter()).update(outcomes)

    def failed_sites(self) -> list[str]:
        """Sites from which nothing came although something was asked."""
        return sorted(site for site, seen in self.by_site.items() if seen["tried"] and not seen["got"])


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
        readers: Executor | None = None,
    ) -> None:
        self.archive = archive
        self.settings = settings
        self.clock = clock
        self.sites = {
            archive.site_id(s.name, home=s.home, parser=s.parser, timezone=s.timezone, now=clock.now()): s
            for s in sites
        }
        self.agent = agent
        self.limits = limits
        self.progress = progress
        self.run_id = run
        self.readers = readers
        self.tally = Tally()
        self.stories_asked = 0
        self.random = random.Random(run)  # noqa: S311 - jitter, not a secret

    async def run(self) -> Tally:
        """Take every front and feed now, then all that is due; end when nothing is due within `limits.wait`."""
        frontier = self.archive.frontier
        with self.archive.transaction():
            frontier.release_leases()
            self._seed()
        async with Fetcher(
            self.settings.crawl,
            agent=self.agent,
            scope=lambda url: any(self._in_scope(url, site) for site in self.sites.values()),
            keep_robots=self._keep_robots,
            now=self.clock.now,
        ) as fetcher:
            tasks: dict[asyncio.Task[None], Entry] = {}
            try:
                while True:
                    self._start_due(fetcher, tasks)
                    if tasks:
                        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                        for task in done:
                            del tasks[task]
                            task.result()
                        continue
                    upcoming = frontier.next_due(self.sites, self._kinds())
                    seconds = (upcoming - self.clock.now()).total_seconds() if upcoming else self.limits.wait + 1
                    if seconds > self.limits.wait:
                        return self.tally
                    await asyncio.sleep(max(seconds, 0.01))
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def _seed(self) -> None:
        """Put every front and feed of the sites at the head of the queue."""
        now = self.clock.now()
        for site_id, site in self.sites.items():
            for source in site.sources:
                if source.kind in ("front", "feed"):
                    self.archive.frontier.add(source.url, site=site_id, kind=source.kind, now=now, priority=2)
            self.archive.frontier.due_now(site=site_id, now=now, stories=self.limits.recheck)

    def _kinds(self) -> tuple[Kind, ...]:
        """What may still be asked for: no stories once there are enough."""
        enough = self.limits.stories is not None and self.stories_asked >= self.limits.stories
        return ("front", "feed") if enough else ("front", "feed", "story")

    def _start_due(self, fetcher: Fetcher, tasks: dict[asyncio.Task[None], Entry]) -> None:
        """Start one task for each free host that has something due."""
        while len(tasks) < self.settings.crawl.concurrency:
            with self.archive.transaction():
                entry = self.archive.frontier.take(
                    self.clock.now(),
                    run=self.run_id,
                    sites=self.sites,
                    busy={entry.host for entry in tasks.values()},
                    kinds=self._kinds(),
                    lease=LEASE,
                )
            if entry is None:
                return
            self.stories_asked += entry.kind == "story"
            tasks[asyncio.create_task(self._visit(fetcher, entry))] = entry

    async def _visit(self, fetcher: Fetcher, entry: Entry) -> None:
        """Fetch one address and keep what came, or note why it did not."""
        site = self.sites[entry.site]
        try:
            fetched = await fetcher.get(entry.url, etag=entry.etag, last_modified=entry.last_modified)
        except FetchError as error:
            outcome = error.kind
            with self.archive.transaction():
                self._failed(entry, error)
            self.tally.add(site.name, "tried", outcome)
            self.tally.errors[entry.url] = str(error)
        else:
            reading = await self._read(entry, site, fetched)
            with self.archive.transaction():
                outcome = self._keep(entry, site, fetched, reading)
            self.tally.add(site.name, "tried", "got", outcome)
        self.progress.fetched(site.name, entry.url, outcome)
        self.progress.queued(self.archive.frontier.due_count(self.clock.now()))

    async def _read(self, entry: Entry, site: SiteSettings, fetched: Fetched) -> ingest.Reading | None:
        """Read a story's page, in another process if there are any; None where there is nothing to read."""
        if entry.kind != "story" or fetched.not_modified or not self.limits.read:
            return None
        if self.readers is None:
            return ingest.read(fetched.page, site.parser, site.timezone)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.readers, ingest.read, fetched.page, site.parser, site.timezone)

    def _keep(self, entry: Entry, site: SiteSettings, fetched: Fetched, reading: ingest.Reading | None) -> str:
        """Bytes first, then what was read from them, then when to come again. Gives the outcome's word."""
        now = self.clock.now()
        page = fetched.page
        self.archive.note(entry.site, now.date(), "tried")
        self.archive.note(entry.site, now.date(), "got")
        withheld = None
        if fetched.not_modified:
            kept = self.archive.not_modified(entry.url, fetched.exchanges, run=self.run_id, now=now)
        else:
            found = ingest.opt_outs(page, optouts(page.headers))
            withheld = ingest.withheld(site, self.settings.crawl.respect, found)
            kept = self.archive.keep(
                page,
                fetched.exchanges,
                run=self.run_id,
                site=entry.site,
                kind=entry.kind,
                verdict=None,
                withheld=withheld,
            )
        if entry.kind == "story":
            outcome = self._keep_story(entry, kept, fetched, reading, now, withheld)
        else:
            outcome = self._keep_front(entry, site, kept, fetched, now, withheld)
        self.archive.frontier.done(
            entry,
            now=now,
            status=page.status,
            outcome=outcome,
            etag=page.header("etag") or (entry.etag if fetched.not_modified else None),
            last_modified=page.header("last-modified") or (entry.last_modified if fetched.not_modified else None),
            again=self._again(entry, site, outcome, now),
        )
        return outcome

    def _keep_story(
        self,
        entry: Entry,
        kept: Kept,
        fetched: Fetched,
        reading: ingest.Reading | None,
        now: datetime,
        withheld: str | None,
    ) -> str:
        """What a story's page brought: `new`, `changed`, `unchanged`, `unread`, or its verdict if it is no article."""
        if fetched.not_modified or kept.identical:
            self.archive.seen_again(entry.url, now=now)
            return "unchanged"
        if reading is None:
            return "unread"
        if reading.problem:
            self.tally.errors[entry.url] = reading.problem
        article = ingest.keep(self.archive, kept.capture, reading, site=entry.site, now=now, withheld=withheld)
        if article is None:
            # An article that is not kept opts out, or is the front to which its address leads.
            return ("withheld" if withheld else "front") if reading.verdict == "article" else reading.verdict
        return "new" if article.new_article else "changed" if article.new_revision else "unchanged"

    def _keep_front(
        self, entry: Entry, site: SiteSettings, kept: Kept, fetched: Fetched, now: datetime, withheld: str | None
    ) -> str:
        """What a front or feed brought: its cards are kept unless it opts out, its stories and further pages are queued."""
        if fetched.not_modified or kept.identical:
            self.archive.front_unchanged(kept.visit, entry.url, now=now)
            return "unchanged"
        try:
            verdict, front = ingest.read_front(fetched.page, site.parser)
        except ParseError as error:
            verdict, front = "error", None
            self.tally.errors[entry.url] = str(error)
        self.archive.set_verdict(kept.capture, verdict)
        if front is None:
            return verdict
        cards = [card for card in front.cards if self._in_scope(card.url, site)]
        new = 0
        if withheld is None:
            new = self.archive.keep_front(
                kept.visit, entry.url, cards, site=entry.site, kind=entry.kind, title=front.title, now=now
            )
        self.archive.note(entry.site, now.date(), "listed", n=new)
        wanted = [card for card in cards if not self._too_old(card.url, front)]
        self.archive.note(entry.site, now.date(), "dropped", "before_since", n=len(cards) - len(wanted))
        for card in wanted:
            if not self.archive.knows(card.url):
                self.archive.frontier.add(card.url, site=entry.site, kind="story", now=now, found_on=entry.url)
        for url in self._further_fronts(entry, site, front):
            self.archive.frontier.add(url, site=entry.site, kind="front", now=now, priority=1, found_on=entry.url)
        return "front"

    def _too_old(self, url: str, front: links.Front) -> bool:
        """Whether the feed or the address itself dates a story before `since`."""
        if self.limits.since is None:
            return False
        at = front.published.get(url)
        match = _URL_DAY.search(url)
        if at is None and match is not None:
            at = dates.read("-".join(match.groups())).utc
        return at is not None and at < self.limits.since

    def _further_fronts(self, entry: Entry, site: SiteSettings, front: links.Front) -> list[str]:
        """Further pages of a listing, and the sections that a front of the settings links to."""
        if entry.kind != "front" or self.archive.frontier.fronts(entry.site) >= MAX_LISTING_PAGES * len(site.sources):
            return []
        declared = any(source.url == entry.url for source in site.sources)
        further = front.pages + (front.sections if declared else ())
        return [url for url in further if self._in_scope(url, site)]

    def _in_scope(self, url: str, site: SiteSettings) -> bool:
        """On the site's own host, or one below it."""
        own = host(site.home).removeprefix("www.")
        return host(url) == own or host(url).endswith(f".{own}")

    def _again(self, entry: Entry, site: SiteSettings, outcome: str, now: datetime) -> datetime | None:
        """When an address that answered is asked again; None: never by itself."""
        if entry.kind != "story":
            return now + timedelta(seconds=timing.parse_duration(site.every) if site.every else FRONT_EVERY)
        if outcome in ("error", "challenge", "truncated"):
            return now + timedelta(seconds=timing.backoff(entry.failures + 1, self.random, first=3600.0))
        return timing.next_recheck(entry.first_seen, now, site.recheck)

    def _failed(self, entry: Entry, error: FetchError) -> None:
        """Note why an address did not come, and when it is tried again."""
        now = self.clock.now()
        frontier = self.archive.frontier
        self.archive.note(entry.site, now.date(), "tried")
        if isinstance(error, RobotsDenied | AddressRefused):
            self.archive.note(entry.site, now.date(), "dropped", error.kind)
            frontier.failed(entry, outcome=error.kind, status=error.status, retry=None)
            return
        self.archive.note(entry.site, now.date(), "failed", error.kind)
        if isinstance(error, HostHeld):
            until = now + timedelta(seconds=error.seconds)
            frontier.hold(entry.host, until=until, reason=error.cause or error.what)
            frontier.failed(entry, outcome=error.kind, status=error.status, retry=until)
            return
        rest = entry.kind == "story" and entry.failures + 1 >= FAILURES_BEFORE_REST
        wait = timedelta(seconds=timing.backoff(entry.failures + 1, self.random))
        frontier.failed(entry, outcome=error.kind, status=error.status, retry=None if rest else now + wait)

    def _keep_robots(self, fetched: Fetched) -> None:
        """Keep robots.txt as it stood: the rights snapshot of what is captured beside it."""
        site = next((key for key, one in self.sites.items() if self._in_scope(fetched.page.url, one)), None)
        kept = self.archive.keep(fetched.page, fetched.exchanges, run=self.run_id, site=site, kind="robots")
        if not kept.identical:
            self.archive.set_verdict(kept.capture, "not_html" if fetched.page.status < 400 else "gone")
