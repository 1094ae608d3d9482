"""One page to its rows. Crawl, recovery, rebuild and re-parse meet here: whatever brought a page, the same code keeps it."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from parsers import dates, links, metadata, registry, verdict
from parsers.article import Article
from parsers.errors import NoLayoutFits, ParseError
from parsers.page import Page
from parsers.url import domain, host
from scraper.fetch.optouts import optouts
from scraper.settings import SiteSettings
from storage import timing
from storage.archive import Archive, Kept
from storage.frontier import Entry

MAX_LISTING_PAGES = 50
"""Numbered pages followed from one front; older stories are a backfill's business."""
FRONT_EVERY = 1800.0
"""Seconds after which a front or feed is due again where the site's block does not say `every`."""
MAX_ERRORS = 1000
"""Addresses whose errors are kept in memory for the end of a run; the archive has all of them."""
MAX_DEPTH = 2
"""How far pages on which no link looks like a story are followed from a front."""
_LEADS_ON = ("front", "empty")
_URL_DAY = re.compile(r"/((?:19|20)\d\d)[/-](\d{1,2})[/-](\d{1,2})(?=[/_-])")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a page gave: of a story an article, of a front or feed its cards; or the error's words.

    `optouts`: those that its headers or its markup state.
    """

    verdict: str | None = None
    article: Article | None = None
    front: links.Front | None = None
    problem: str = ""
    optouts: tuple[str, ...] = ()


def read(page: Page, kind: str, parser: str | None, timezone: str | None, *, only_optouts: bool = False) -> Reading:
    """Read a story's, front's or feed's page with the site's parser. Pure: may run in another process.

    `only_optouts`: verdict and fields are left for later.
    """
    stated = _optouts(page)
    if only_optouts:
        return Reading(optouts=stated)
    try:
        if kind == "story":
            article = registry.read(page, parser=parser, timezone=timezone)
            front = links.front(page) if article.verdict in _LEADS_ON else None
            return Reading(article.verdict, article, front, optouts=stated)
        found, front = _front(page, parser)
        return Reading(found, front=front, optouts=stated)
    except (NoLayoutFits, ParseError) as error:
        return Reading("error", problem=str(error), optouts=stated)
    except Exception as error:  # a page that breaks a reader is kept with the reason, and never stops a crawl
        words = f"{type(error).__name__} while reading {page.url}: {error}"
        return Reading("error", problem=words, optouts=stated)


def _front(page: Page, parser: str | None) -> tuple[str, links.Front | None]:
    if links.looks_like_feed(page):
        return "front", links.feed(page)
    bad = verdict.of_response(page)
    return (bad, None) if bad is not None else ("front", registry.front(page, parser=parser))


def _optouts(page: Page) -> tuple[str, ...]:
    """Opt-outs of a page: those of its headers, and those its markup states (robots meta, TDM reservation)."""
    found = list(optouts(page.headers))
    if b"<" in page.body[:2000]:
        head = metadata.head(page)
        found += [word for word in ("noarchive", "noindex") if word in head.robots]
        if head.tdm_reservation:
            found.append("tdm-reservation")
    return tuple(dict.fromkeys(found))


def withheld(site: SiteSettings, respect: Sequence[str], found: Sequence[str]) -> str | None:
    """The opt-out that keeps us from storing this page's text, if any. A site set to `archive = "full"` has none."""
    return None if site.archive == "full" else next((word for word in found if word in respect), None)


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

    def error(self, url: str, words: str) -> None:
        """Note what went wrong at an address."""
        if len(self.errors) < MAX_ERRORS:
            self.errors[url] = words

    def failed_sites(self) -> list[str]:
        """Sites from which nothing came although something was asked."""
        return sorted(site for site, seen in self.by_site.items() if seen["tried"] and not seen["got"])


@dataclass(slots=True)
class Ingest:
    """Keeps what pages of some sites gave. `sites`: by key. `since`: stories dated before it (aware) are left out."""

    archive: Archive
    sites: Mapping[int, SiteSettings]
    tally: Tally = field(default_factory=Tally)
    since: datetime | None = None
    random: Random = field(default_factory=lambda: Random(0))  # noqa: S311 - jitter, not a secret

    def seed(self, now: datetime) -> None:
        """Put every front and feed of the sites at the head of the queue."""
        for key, site in self.sites.items():
            for source in site.sources:
                if source.kind in ("front", "feed"):
                    self.archive.frontier.add(source.url, site=key, kind=source.kind, now=now, priority=2)

    def page(self, entry: Entry, kept: Kept, page: Page, reading: Reading | None, withheld: str | None = None) -> str:
        """Keep what was read from a kept page, and when to come again. Gives the outcome's word.

        `reading`: None if nothing was read, because the content is known or is to be read later.
        """
        now = page.captured
        assert now is not None
        site = self.sites[entry.site]
        known = page.status == 304 or kept.identical
        if reading is not None and reading.problem:
            self.tally.error(entry.url, reading.problem)
        if entry.kind == "story":
            outcome = self._story(entry, kept, reading, now, withheld)
        else:
            outcome = self._front(entry, site, kept, reading, now, withheld)
        self.archive.frontier.done(
            entry,
            now=now,
            status=page.status,
            outcome=outcome,
            etag=page.header("etag") or (entry.etag if known else None),
            last_modified=page.header("last-modified") or (entry.last_modified if known else None),
            again=self._again(entry, site, outcome, now),
        )
        return outcome

    def _story(self, entry: Entry, kept: Kept, reading: Reading | None, now: datetime, withheld: str | None) -> str:
        """What a story's page brought: `new`, `changed`, `unchanged`, `unread`, or its verdict if it is no article."""
        if reading is None or reading.verdict is None:
            if kept.identical:
                self.archive.seen_again(entry.url, now=now)
            return "unchanged" if kept.read else "unread"
        self.archive.set_verdict(kept.capture, reading.verdict, reading.problem)
        if withheld is not None and reading.verdict == "article":
            return "withheld"
        if reading.front is not None and -MAX_DEPTH < entry.priority < 0:
            self._queue(entry, reading.front, entry.priority - 1, now)
        if reading.article is None or reading.verdict != "article":
            return reading.verdict
        article = self.archive.keep_article(kept.capture, reading.article, site=entry.site, now=now)
        return "new" if article.new_article else "changed" if article.new_revision else "unchanged"

    def _front(
        self,
        entry: Entry,
        site: SiteSettings,
        kept: Kept,
        reading: Reading | None,
        now: datetime,
        withheld: str | None,
    ) -> str:
        """What a front or feed brought: its cards are kept unless it opts out, its stories and further pages are queued."""
        if reading is None or reading.verdict is None:
            if kept.read:
                self.archive.front_unchanged(kept.visit, entry.url, now=now)
            return "unchanged" if kept.read else "unread"
        self.archive.set_verdict(kept.capture, reading.verdict, reading.problem)
        front = reading.front
        if front is None:
            return reading.verdict
        cards = [card for card in front.cards if in_scope(card.url, site)]
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
        if not cards and entry.kind == "front":
            self._queue(entry, front, -1, now)
        for url in self._further_fronts(entry, site, front):
            self.archive.frontier.add(url, site=entry.site, kind="front", now=now, priority=1, found_on=entry.url)
        return "front"

    def _queue(self, entry: Entry, front: links.Front, priority: int, now: datetime) -> None:
        """Queue every link of a page on which none looks like a story: what they lead to will show."""
        site = self.sites[entry.site]
        for url in [card.url for card in front.cards] + list(front.others):
            if in_scope(url, site) and not self.archive.knows(url):
                self.archive.frontier.add(
                    url, site=entry.site, kind="story", now=now, priority=priority, found_on=entry.url
                )

    def _too_old(self, url: str, front: links.Front) -> bool:
        """Whether the feed or the address itself dates a story before `since`."""
        if self.since is None:
            return False
        at = front.published.get(url)
        match = _URL_DAY.search(url)
        if at is None and match is not None:
            at = dates.read("-".join(match.groups())).utc
        return at is not None and at < self.since

    def _further_fronts(self, entry: Entry, site: SiteSettings, front: links.Front) -> list[str]:
        """Further pages of a listing, and the sections that a front of the settings links to."""
        if entry.kind != "front" or self.archive.frontier.fronts(entry.site) >= MAX_LISTING_PAGES * len(site.sources):
            return []
        declared = any(source.url == entry.url for source in site.sources)
        further = front.pages + (front.sections if declared else ())
        return [url for url in further if in_scope(url, site)]

    def _again(self, entry: Entry, site: SiteSettings, outcome: str, now: datetime) -> datetime | None:
        """When an address that answered is asked again; None: never by itself."""
        if entry.kind != "story":
            return now + timedelta(seconds=timing.parse_duration(site.every) if site.every else FRONT_EVERY)
        if outcome in ("error", "challenge", "truncated"):
            return now + timedelta(seconds=timing.backoff(entry.failures + 1, self.random, first=3600.0))
        return timing.next_recheck(entry.first_seen, now, site.recheck)


def catch_up(ingest: Ingest) -> int:
    """Read what a killed run fetched and recovery indexed; the number of pages read."""
    archive = ingest.archive
    pages = 0
    for row in archive.unread():
        site = ingest.sites.get(row.site) if row.site is not None else None
        if site is None:
            continue
        page = archive.page(row.capture)
        reading = read(page, row.kind, site.parser, site.timezone)
        with archive.transaction():
            assert row.site is not None
            assert page.captured is not None
            entry = archive.frontier.find(row.asked, site=row.site, kind=row.kind, now=page.captured)
            ingest.page(entry, Kept(row.capture, row.visit, identical=False), page, reading)
        pages += 1
    return pages


def in_scope(url: str, site: SiteSettings) -> bool:
    """On the site's own host, one below it, or one that its settings name, on any port."""
    name, own = host(url), host(site.home).removeprefix("www.")
    return name == own or name.endswith(f".{own}") or domain(url) in site.scope
