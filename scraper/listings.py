"""What of a sitemap or a list of posts is asked for: fresh stories by themselves, old ones only when `--since` says so.

A sitemap may name every story of twenty years. Without `--since`, stories count that are at most FRESH older than the
newest date the sitemap itself gives (so that a site whose clock is wrong, or that died, still gives its last ones); of
addresses without any date those at both ends of the list, where new ones are added. With it, everything since then.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeVar

from parsers import dates, sitemaps, stories, wordpress
from parsers.sitemaps import Listed, Listing, Part
from scraper.settings import SiteSettings, in_scope
from storage.archive import Archive
from storage.frontier import SOURCE, Entry, Kind

T = TypeVar("T")
FRESH = timedelta(days=30)
"""A story this much older than the newest of its list is archive."""
NEW = timedelta(days=2)
"""A story this much older than the newest waits until the others are there; news sitemaps reach back as far."""
ENDS = 100
"""Addresses without a date that are taken from either end of a list."""
PART_ENDS = 2
"""Parts without a date that are taken from either end of an index."""
MAX_PARTS = 10_000
"""Sitemaps and pages of posts of one site; more are a trap."""
NO_STORY = 0.05
"""An address that is a story with less than this probability is not asked for."""
FURTHER, OLD_PART, OLD_STORY = 1, -4, -5
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


class _Span(NamedTuple):
    """`floor`: what is dated before it is left out. `new`: what is dated since then goes first."""

    floor: datetime
    new: datetime


class Listings:
    """Queues what lists of one site offer. `since`: how far back a backfill goes, None if this is none."""

    def __init__(self, archive: Archive, key: int, site: SiteSettings, since: datetime | None, now: datetime) -> None:
        self.archive = archive
        self.frontier = archive.frontier
        self.key = key
        self.site = site
        self.since = since
        self.now = now

    def seed(self) -> None:
        """A backfill begins with the first page of posts since then; sitemaps are sources and due anyway."""
        for source in self.site.sources:
            if source.kind == "wp" and self.since is not None:
                self._ask(wordpress.address(source.url, after=self.since), "wp", OLD_PART, None)

    def take(self, entry: Entry, listing: Listing) -> int:
        """Queue the stories, parts and further pages that a list offers; gives how many stories are too old."""
        span = self._span(entry, listing)
        new, old = self._stories(entry, listing, span)
        if entry.kind == "wp":
            self._next_page(entry, listing, span, all_new=new == len(listing.items) > 0)
        else:
            self._parts(entry, listing.parts, span)
            self._withdrawn(entry, listing)
        if entry.priority == SOURCE and listing.newest is not None:
            self.frontier.newest(entry, listing.newest)
        self.archive.note(self.key, self.now.date(), "dropped", "beyond_most", n=listing.over)
        return old

    def _span(self, entry: Entry, listing: Listing) -> _Span:
        after = wordpress.asked(entry.url)[1] if entry.kind == "wp" else None
        told = listing.newest if entry.priority == SOURCE else self.frontier.newest_beside(entry)
        newest = min(told or self.now, self.now)
        return _Span(self.since or after or newest - FRESH, newest - NEW)

    def _stories(self, entry: Entry, listing: Listing, span: _Span) -> tuple[int, int]:
        """Queue stories, the newest first; gives how many were not known before, and how many are too old."""
        dated = [(at, item) for item in listing.items if (at := _told(item)) is not None]
        undated = [item for item in listing.items if _told(item) is None]
        new = old = 0
        for at, item in sorted(dated, key=lambda pair: pair[0], reverse=True):
            if item.modified is not None and item.modified >= span.floor:
                self.frontier.redated(item.url, item.modified, now=self.now, listed_in=self._lists(entry))
            if at < span.floor:
                old += 1
            else:
                new += self._story(entry, item, 0 if at >= span.new else OLD_STORY)
        for item in undated if self.since is not None else _ends(undated, ENDS):
            new += self._story(entry, item, OLD_STORY if self.since is not None else 0)
        self.archive.note(self.key, self.now.date(), "listed", n=new)
        self.archive.note(self.key, self.now.date(), "dropped", "before_since" if self.since else "not_fresh", n=old)
        return new, old

    def _story(self, entry: Entry, item: Listed, priority: int) -> bool:
        sure = item.published is not None or entry.kind == "wp"
        if not in_scope(item.url, self.site) or not (sure or stories.score(item.url, item.title) > NO_STORY):
            return False
        return not self.archive.knows(item.url) and self.frontier.add(
            item.url,
            site=self.key,
            kind="story",
            now=self.now,
            priority=priority,
            found_on=entry.url,
            dated=item.modified,
            since=_told(item),
            listed_in=self._lists(entry) if item.modified is not None else None,
        )

    def _lists(self, entry: Entry) -> int | None:
        """The key of a sitemap; a page of posts is no list that a withdrawn story would be missing from."""
        return entry.id if entry.kind == "sitemap" else None

    def _withdrawn(self, entry: Entry, listing: Listing) -> None:
        """Stories that a sitemap names no more are asked for: they may be gone."""
        dates_of_change = [item.modified for item in listing.items if item.modified is not None]
        if entry.kind == "sitemap" and dates_of_change and not listing.over:
            urls = {item.url for item in listing.items}
            self.frontier.unlisted(entry, urls, after=min(dates_of_change), now=self.now)

    def _parts(self, entry: Entry, parts: Sequence[Part], span: _Span) -> None:
        """Queue those parts of an index that may hold what is wanted, news first, then the newest."""
        usable = [part for part in parts if sitemaps.lists_stories(part) and in_scope(part.url, self.site)]
        undated = [part for part in usable if _until(part) is None]
        wanted = [part for part in usable if (until := _until(part)) is not None and until >= span.floor]
        wanted += undated if self.since is not None else _ends(undated, PART_ENDS)
        for part in sorted(wanted, key=lambda one: (_is_news(one), _until(one) or _LONG_AGO), reverse=True):
            until = _until(part)
            first = _is_news(part) or until is None or until >= span.new
            self._ask(part.url, "sitemap", FURTHER if first else OLD_PART, entry.url, until)

    def _next_page(self, entry: Entry, listing: Listing, span: _Span, *, all_new: bool) -> None:
        """The next page of posts: all of them in a backfill, else as long as nothing on a page was known."""
        number, after = wordpress.asked(entry.url)
        if number < listing.pages and (after is not None or all_new):
            url = wordpress.address(entry.url, page=number + 1, after=after or span.floor)
            self._ask(url, "wp", entry.priority if entry.priority < 0 else FURTHER, entry.url)

    def _ask(self, url: str, kind: Kind, priority: int, found_on: str | None, dated: datetime | None = None) -> None:
        if self.frontier.known(self.key, kind) >= MAX_PARTS:
            self.archive.note(self.key, self.now.date(), "dropped", "beyond_most")
        elif self.frontier.add(
            url, site=self.key, kind=kind, now=self.now, priority=priority, found_on=found_on, dated=dated
        ):
            return
        elif self.since is not None:
            self.frontier.ask_again(url, now=self.now)
        elif dated is not None:
            self.frontier.redated(url, dated, now=self.now)


def _told(item: Listed) -> datetime | None:
    """When a story came out, as far as a list knows: it changed no earlier than that."""
    return item.published or dates.of_address(item.url) or item.modified


def _until(part: Part) -> datetime | None:
    return part.modified or part.until


def _is_news(part: Part) -> bool:
    return "news" in part.url.rsplit("/", 1)[-1].lower()


def _ends(found: Sequence[T], number: int) -> Sequence[T]:
    return found if len(found) <= 2 * number else (*found[:number], *found[-number:])
