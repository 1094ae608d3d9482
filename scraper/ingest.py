"""One page to its rows. Crawl, recovery, rebuild and re-parse meet here: whatever brought a page, the same code keeps it."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from parsers import dates, links
from parsers.errors import ArchiveDamaged
from parsers.page import Page
from parsers.url import is_removed, try_canonical
from scraper import robots
from scraper.listings import Listings
from scraper.reading import LISTS, Reading, read
from scraper.settings import SiteSettings, in_scope
from scraper.tally import Tally
from storage import importing, patterns, replay, timing
from storage.archive import Archive, Kept
from storage.facts import PageFacts
from storage.frontier import SOURCE, Entry, Kind
from storage.keeping import Unread

MAX_LISTING_PAGES = 50
"""Numbered pages followed from one front; older stories are a backfill's business."""
MAX_OFFERED = 20
"""Feeds, and sitemaps, that are taken of what a site itself offers."""
MAX_FOLLOWED = 150
"""Links of a site within a day that are followed although none beside them looks like a story: the trap in which every page
leads to a hundred others ends here."""
MAX_DEPTH = 2
"""How far pages on which no link looks like a story are followed from a front."""
REFUSING = frozenset({401, 403, 451})
"""Statuses that say that somebody does not want us. 429 and 503 want us later: `scraper.fetch.pace`."""
_BARREN = ("front", "empty", "soft_404", "gone", "not_html")


def withheld(site: SiteSettings, respect: Sequence[str], found: Sequence[str]) -> str | None:
    """The opt-out that keeps us from storing this page's text, if any. A site set to `archive = "full"` has none."""
    return None if site.archive == "full" else next((word for word in found if word in respect), None)


class _Brought(NamedTuple):
    """The outcome's word, and whether the page brought something never seen: None if that cannot be told."""

    outcome: str
    news: bool | None = None


class _Asked(NamedTuple):
    """A page's address, what it is, the key of its site and its settings. `imported`: it came from a file; `first`: it was
    never answered before."""

    url: str
    kind: str
    key: int
    site: SiteSettings
    imported: bool = False
    first: bool = False


@dataclass(slots=True)
class Ingest:
    """Keeps what pages of some sites gave. `sites`: by key. `since`: stories dated before it (aware) are left out."""

    archive: Archive
    sites: Mapping[int, SiteSettings]
    tally: Tally = field(default_factory=Tally)
    since: datetime | None = None
    random: Random = field(default_factory=lambda: Random(0))  # noqa: S311 - jitter, not a secret

    def seed(self, now: datetime) -> None:
        """Put every source of the sites at the head of the queue."""
        named: dict[str, set[int]] = {}
        for key, site in self.sites.items():
            for source in site.sources:
                named.setdefault(source.url, set()).add(key)
        for key, site in self.sites.items():
            for source in site.sources:
                self._source(source.url, source.kind, key, now)
                self.archive.frontier.claim(source.url, site=key, but=named[source.url], now=now, kind=source.kind)
            Listings(self.archive, key, site, self.since, now).seed()

    def _source(self, url: str, kind: str, key: int, now: datetime, found_on: str | None = None) -> None:
        """Queue a source. One that a site had which is not crawled any more, as it has another name now, is this one's."""
        if not self.archive.frontier.add(url, site=key, kind=kind, now=now, priority=SOURCE, found_on=found_on):
            self.archive.frontier.claim(url, site=key, but=self.sites.keys(), now=now)

    def robots(self, page: Page, key: int | None, now: datetime) -> None:
        """Take the sitemaps that robots.txt names as sources of a site whose settings name none."""
        if key is None or not self.sites[key].discovers or not 200 <= page.status < 300:
            return
        for url in filter(None, map(try_canonical, robots.sitemaps(page.body)[:MAX_OFFERED])):
            if in_scope(url, self.sites[key]):
                self._source(url, "sitemap", key, now, page.asked)

    def anew(self, kind: str) -> bool:
        """Whether a page is read although its content is known: a backfill wants what was left out before."""
        return self.since is not None and kind in LISTS

    def page(self, entry: Entry, kept: Kept, page: Page, reading: Reading | None, withheld: str | None = None) -> str:
        """Keep what was read from a kept page, and when to come again. Gives the outcome's word.

        `reading`: None if nothing was read, because the content is known or is to be read later.
        """
        now = page.captured
        assert now is not None
        site = self.sites[entry.site]
        known = page.status == 304 or kept.identical
        asked = _Asked(entry.url, entry.kind, entry.site, site, first=not entry.checks)
        outcome, news = self._keep(asked, kept, reading, now, withheld)
        if news is not None and asked.first:
            left = patterns.count(self.archive.db.conn, entry.kind, entry.url, news=news, now=now)
            self._drop(entry.site, patterns.DROPPED, now, left)
        verdict = reading.verdict if reading is not None else kept.verdict
        moved = try_canonical(page.url) != entry.url  # the date is another page's: to ask with it would miss changes
        if outcome == "unchanged" and verdict == "challenge":
            outcome = verdict
        if reading is not None and reading.listing is not None and withheld is None:
            old = Listings(self.archive, entry.site, site, self.since, now).take(entry, reading.listing)
            self.tally.drop("before_since" if self.since else "not_fresh", old)
        if entry.kind == "sitemap":
            self.archive.frontier.ask_parts(entry.url, now=now)
        if reading is not None and reading.front is not None:
            if entry.kind != "story":
                self._queue(entry, site, reading.front, now)
            elif entry.priority < 0:
                self._follow(entry, site, reading.front, entry.priority - 1, now)
        self.archive.frontier.done(
            entry,
            now=now,
            status=page.status,
            outcome=outcome,
            etag=page.header("etag") or (entry.etag if known else None),
            last_modified=None if moved else page.header("last-modified") or (entry.last_modified if known else None),
            again=self._again(entry, site, outcome, news, page.status, now),
        )
        if verdict == "challenge" or page.status in REFUSING:
            why = "a challenge page" if verdict == "challenge" else f"with status {page.status}"
            self.archive.frontier.refused(entry, why, now=now)
        elif page.status < 400:
            self.archive.frontier.welcomed(entry)
        return outcome

    def imported(
        self, facts: PageFacts, key: int, site: SiteSettings, kept: Kept, page: Page, reading: Reading | None
    ) -> str:
        """Keep what was read from an imported page. Gives the outcome's word.

        Nothing was asked for, so that the ledger counts nothing, and nothing is queued. But a story of a site that is
        crawled is known to the queue: it is asked for again only when every known story is.
        """
        now = page.captured
        assert now is not None
        asked = _Asked(facts.asked, facts.kind, key, site, imported=True)
        outcome, _ = self._keep(asked, kept, reading, now, facts.withheld)
        frontier = self.archive.frontier
        story = facts.kind == "story" and (facts.withheld or outcome in ("new", "changed", "unchanged"))
        if story and site.sources and frontier.add(facts.asked, site=key, kind="story", now=now):
            frontier.done(
                frontier.find(facts.asked, site=key, kind="story", now=now),
                now=now,
                status=page.status,
                outcome=outcome,
                etag=page.header("etag"),
                last_modified=page.header("last-modified"),
                again=None,
            )
        return outcome

    def _keep(
        self, asked: "_Asked", kept: Kept, reading: Reading | None, now: datetime, withheld: str | None
    ) -> _Brought:
        if reading is not None and reading.problem:
            self.tally.error(asked.url, reading.problem)
        if asked.kind == "story":
            return self._story(asked, kept, reading, now, withheld)
        return self._front(asked, kept, reading, now, withheld)

    def _story(
        self, asked: "_Asked", kept: Kept, reading: Reading | None, now: datetime, withheld: str | None
    ) -> _Brought:
        """What a story's page brought: `new`, `changed`, `unchanged`, `unread`, `variant` (another form of a known story, which
        is asked for at its own address), or its verdict if it is no article."""
        if reading is None or reading.verdict is None:
            if kept.verdict == "article":
                self.archive.seen_again(asked.url, now=now)
            return _Brought("unchanged" if kept.read else "unread")
        verdict = self._verdict(kept.capture, reading)
        title = reading.article.title if reading.article and verdict != "article" else ""
        self.archive.set_verdict(kept.capture, verdict, reading.problem, title)
        if withheld is not None and verdict == "article":
            return _Brought("withheld")
        if reading.article is None or verdict != "article":
            return _Brought(verdict, False if verdict in _BARREN else None)
        if self.archive.tombstoned(reading.article.canonical_url):
            self.archive.set_verdict(kept.capture, "error", "the story that the page calls its own was taken down")
            return _Brought("taken_down")
        article = self.archive.keep_article(kept.capture, reading.article, site=asked.key, now=now)
        if article.variant_of and not asked.imported and in_scope(article.variant_of, asked.site):
            self.archive.frontier.add(article.variant_of, site=asked.key, kind="story", now=now, found_on=asked.url)
        if asked.first:
            patterns.count_form(self.archive.db.conn, asked.url, article.variant_of or asked.url, now=now)
        if asked.imported:
            importing.in_order(self.archive, article, now)
        if kept.identical:  # captured before, read only now
            self.archive.seen_again(asked.url, now=now)
        if article.variant_of and not article.new_article:
            return _Brought("variant")
        outcome = "new" if article.new_article else "changed" if article.new_revision else "unchanged"
        return _Brought(outcome, article.new_article and not patterns.repeats(self.archive.db.conn, article))

    def _verdict(self, capture: int, reading: Reading) -> str:
        """What a story's page really is. One that is led to a front is no story.

        A known story is withdrawn if its address answers 404 or 410, says "not found", or leads to a front. Errors,
        challenges and consent forms say nothing about it.
        """
        assert reading.verdict is not None
        was_read = reading.article is None or reading.article.layout is not None
        led_away = was_read and self.archive.leads_to_front(capture)
        if led_away or reading.verdict in ("gone", "soft_404"):
            self.archive.withdrawn(capture)
        return "front" if led_away else reading.verdict

    def _front(
        self, asked: "_Asked", kept: Kept, reading: Reading | None, now: datetime, withheld: str | None
    ) -> _Brought:
        """What a front or feed brought: its cards are kept unless it opts out."""
        if reading is None or reading.verdict is None:
            if kept.read:
                self.archive.front_unchanged(kept.visit, asked.url, now=now)
            return _Brought("unchanged", False) if kept.read else _Brought("unread")
        self.archive.set_verdict(kept.capture, reading.verdict, reading.problem)
        front = reading.front
        if front is None:
            return _Brought(reading.verdict)
        if withheld is None:
            cards = [card for card in front.cards if in_scope(card.url, asked.site)]
            new = self.archive.keep_front(
                kept.visit, asked.url, cards, site=asked.key, kind=asked.kind, title=front.title, now=now
            )
            if not asked.imported:
                self.archive.note(asked.key, now.date(), "listed", n=new)
            return _Brought("front", new > 0)
        return _Brought("front")

    def _queue(self, entry: Entry, site: SiteSettings, front: links.Front, now: datetime) -> None:
        """Queue the stories and further pages of a front or feed."""
        announced = [card for card in front.cards if not is_removed(card.url)]
        cards = [card for card in announced if in_scope(card.url, site)]
        wanted = [card for card in cards if not self._too_old(card.url, front)]
        self._drop(entry.site, "before_since", now, len(cards) - len(wanted))
        proven = [url for url in front.doubtful if patterns.proven(self.archive.db.conn, url, now=now)]
        for url in [card.url for card in wanted] + [url for url in proven if in_scope(url, site)]:
            self._add(entry, url, "story", now, since=_dated(url, front))
        if not cards and entry.kind == "front" and entry.priority == SOURCE:  # a further one may well be empty
            self._follow(entry, site, front, -1, now)
        if site.discovers and entry.url == site.home:
            for url in [url for url in front.feeds if in_scope(url, site)][:MAX_OFFERED]:
                self._source(url, "feed", entry.site, now, entry.url)
        if cards or entry.kind != "front":
            away = sum(n for name, n in front.elsewhere.items() if not in_scope(f"https://{name}/", site))
            # a feed has cards alone
            self.tally.drop("out_of_scope", max(away, len(announced) - len(cards)))
        for url in self._further_fronts(entry, site, front):
            self._add(entry, url, "front", now, priority=1)

    def _follow(self, entry: Entry, site: SiteSettings, front: links.Front, priority: int, now: datetime) -> None:
        """Queue every link of a page on which none looks like a story: what they lead to will show."""
        urls = [url for url in [*(card.url for card in front.cards), *front.others] if not is_removed(url)]
        within = [url for url in urls if in_scope(url, site)]
        self.tally.drop("out_of_scope", len(urls) - len(within))
        if priority < -MAX_DEPTH:
            self.tally.drop("depth", sum(not self.archive.frontier.knows(url) for url in within))
            return
        room = MAX_FOLLOWED - self.archive.frontier.followed(entry.site, since=now - timedelta(days=1))
        for place, url in enumerate(within):
            if room <= 0:
                self._drop(entry.site, "beyond_most", now, len(within) - place)
                return
            room -= self._add(entry, url, "story", now, priority=priority)

    def _add(
        self, entry: Entry, url: str, kind: Kind, now: datetime, priority: int = 0, since: datetime | None = None
    ) -> bool:
        """Queue an address found on a page, unless it is known or a trap's; whether it was."""
        frontier = self.archive.frontier
        if kind == "story":
            url = patterns.form_of(self.archive.db.conn, url, now=now)
        if frontier.knows(url) or (kind == "story" and self.archive.knows(url)):
            return False
        if cause := patterns.trap(self.archive.db.conn, kind, url, now=now):
            self._drop(entry.site, cause, now)
            return False
        return frontier.add(
            url, site=entry.site, kind=kind, now=now, priority=priority, found_on=entry.url, since=since
        )

    def _drop(self, key: int, cause: str, now: datetime, n: int = 1) -> None:
        self.tally.drop(cause, n)
        self.archive.note(key, now.date(), "dropped", cause, n=n)

    def _too_old(self, url: str, front: links.Front) -> bool:
        """Whether the feed or the address itself dates a story before `since`."""
        if self.since is None:
            return False
        at = _dated(url, front)
        return at is not None and at < self.since

    def _further_fronts(self, entry: Entry, site: SiteSettings, front: links.Front) -> list[str]:
        """Further pages of a listing, and the sections that a front of the settings links to."""
        if entry.kind != "front":
            return []
        declared = any(source.url == entry.url for source in site.sources)
        further = front.pages + (front.sections if declared else ())
        within = [url for url in further if in_scope(url, site)]
        if self.archive.frontier.known(entry.site, "front") >= MAX_LISTING_PAGES * len(site.sources):
            self.tally.drop("pages", sum(not self.archive.frontier.knows(url) for url in within))
            return []
        return within

    def _again(
        self, entry: Entry, site: SiteSettings, outcome: str, news: bool | None, status: int, now: datetime
    ) -> datetime | None:
        """When an address that answered is asked again; None: never by itself. One that was refused is not pressed for."""
        if entry.kind in LISTS and entry.priority != SOURCE:
            return None  # its index says when it changed
        if entry.kind != "story":
            every = timing.parse_duration(site.every) if site.every else None
            return now + timedelta(seconds=every or self.archive.frontier.pause(entry, changed=news, now=now))
        if outcome in ("error", "challenge", "truncated") and status not in REFUSING:
            return now + timedelta(seconds=timing.backoff(entry.failures + 1, self.random, first=3600.0))
        if self.archive.asked_at_home(entry.url):
            return None
        return timing.next_recheck(entry.first_seen, now, site.recheck)


def _dated(url: str, front: links.Front) -> datetime | None:
    """When a story came out, as its feed or the address itself says."""
    return front.published.get(url) or dates.of_address(url)


def catch_up(ingest: Ingest, rows: Sequence[Unread] | None = None) -> int:
    """Read what a killed run fetched or imported and recovery indexed, or some unread captures; the number of pages read.

    One whose bytes cannot be read is an error of the run, and stops nothing.
    """
    archive = ingest.archive
    pages = 0
    for row in archive.unread() if rows is None else rows:
        facts = PageFacts(row.asked, row.kind, at_source=row.at_source)
        if row.site is None:
            continue
        site = ingest.sites.get(row.site)
        if site is None and facts.imported:
            site = SiteSettings(**importing.site(archive, row.site))
        if site is None:
            continue
        try:
            page = archive.page(row.capture)
        except ArchiveDamaged as error:
            ingest.tally.error(row.asked, str(error))
            continue
        reading = read(page, row.kind, site.parser, site.timezone)
        page = dataclasses.replace(page, captured=row.at)
        kept = Kept(row.capture, row.visit, identical=row.again)
        with archive.transaction():
            if facts.imported:
                ingest.imported(facts, row.site, site, kept, page, reading)
            else:
                entry = archive.frontier.find(row.asked, site=row.site, kind=row.kind, now=row.at)
                ingest.page(entry, kept, page, reading)
            replay.stands_since(archive, row)
        pages += 1
    return pages
