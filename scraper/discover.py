"""A look at a site that nobody has crawled yet: what it offers, how it is read. Few requests, nothing kept."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urljoin

from parsers import dates, links, metadata, registry, sitemaps, stories, wordpress
from parsers.article import Article
from parsers.errors import FetchError, NewsmorgueError, NoLayoutFits, ParseError, UsageError
from parsers.jsonld import whole
from parsers.page import Page
from parsers.sitemaps import Listed, Listing
from parsers.themes.generic import Generic
from parsers.url import canonical, host
from scraper import robots
from scraper.fetch.client import Fetcher
from scraper.fetch.optouts import of_page
from scraper.settings import SiteSettings, Source, SourceKind, in_scope
from scraper.timezones import Zone, guess

MAX_FEEDS = 2
MAX_NAMED = 3
"""Sitemaps of robots.txt that are looked at; with the rest, some 15 requests."""
SAMPLES = 3
PLACES = ("/sitemap.xml", "/sitemap_index.xml", "/news-sitemap.xml")
"""Where sitemaps stand that nobody names."""
POSTS = "/wp/v2/posts"


@dataclass(frozen=True, slots=True)
class Offer:
    """A source that was found. `stories`: how many it lists; `parts`: how many further sitemaps; `newest`: its latest date."""

    source: Source
    stories: int
    parts: int = 0
    newest: datetime | None = None


class Lack(NamedTuple):
    """What was looked for and not found, or cannot be used, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One story, read with the best parser there is and with the generic one."""

    best: Article
    generic: Article


@dataclass(frozen=True, slots=True)
class Findings:
    """What a look at a site found.

    `home`: the front's address after redirects. `site`: name of the registered `Site`, None if there is none. `theme`: the layout
    that reads its stories. `optouts`: as headers and markup of the pages looked at say. `paywalled`: how many of the samples
    say that they are for subscribers.
    """

    home: str
    publication: str
    site: str | None
    theme: str
    language: str | None
    zone: Zone
    optouts: tuple[str, ...]
    paywalled: int
    offers: tuple[Offer, ...]
    lacks: tuple[Lack, ...]
    samples: tuple[Sample, ...]


@dataclass
class Look:
    """One look at one site. `fetcher` keeps to its manners; `tell` is given each address before it is asked for; `robots`: the
    pages of robots.txt that the fetcher has seen.
    """

    fetcher: Fetcher
    robots: list[Page]
    tell: Callable[[str], None]
    now: datetime
    offers: list[Offer] = field(default_factory=list, init=False)
    lacks: list[Lack] = field(default_factory=list, init=False)
    _listed: dict[str, frozenset[str]] = field(default_factory=dict, init=False)

    async def front(self, url: str) -> Page:
        """The front, behind its redirects. Raises FetchError, and NewsmorgueError if what stands there is none."""
        self.tell(url)
        page = (await self.fetcher.get(url)).page
        site = urljoin(page.url, "/")
        if links.looks_like_feed(page):
            raise UsageError(f"{page.url} is a feed", next=f"newsmorgue add {site}")
        verdict = registry.read(page, generic=True).verdict  # a site's own layouts are for its stories
        if verdict == "article":
            raise UsageError(f"{page.url} is a story", next=f"newsmorgue add {site}")
        if page.status >= 400 or verdict in ("challenge", "consent", "gone", "not_html", "soft_404"):
            raise NewsmorgueError(
                f"{page.url} does not show a front",
                cause=f"status {page.status}, verdict {verdict}",
                next=f"newsmorgue parse {page.url} --raw",
            )
        return page

    async def at(self, page: Page) -> Findings:
        """Everything else, from the front's page. Raises NewsmorgueError if no story is found."""
        own = SiteSettings(name="", home=canonical(page.url))
        shown = registry.front(page)
        found = {card.url: card.title for card in shown.cards if in_scope(card.url, own)}
        self._offer("front", own.home, Listing(tuple(Listed(url, title) for url, title in found.items())))
        listed = await self._feeds(own, shown.feeds)
        maps = await self._sitemaps(own)
        stated, posts = await self._wordpress(own, page)
        found |= {item.url: item.title for item in (*listed, *posts) if in_scope(item.url, own)}
        if not found:
            found = {item.url: item.title for item in await self._of_maps(own, maps)}
        samples = await self._samples(own, list(found))
        if not any(sample.best.verdict in ("article", "teaser_only") for sample, _ in samples):
            raise NewsmorgueError(
                f"no stories were found at {own.home}",
                cause="; ".join(f"{lack.what}: {lack.why}" for lack in self.lacks) or "none of its links is one",
                next="name the front that lists them, or write the block by hand: docs/settings.md",
            )
        return self._findings(own, page, samples, stated)

    def _findings(self, own: SiteSettings, page: Page, samples: Sequence[tuple[Sample, Page]], stated: str) -> Findings:
        read = [sample.best for sample, _ in samples]
        language = _most([article.language for article in read]) or registry.read(page, generic=True).language
        dates = [when.raw for article in read for when in (article.published, article.modified) if when]
        site = registry.site_for(own.home)
        zone = guess(stated, own.home, language, dates, self.now)
        if site is not None and site.timezone:
            zone = Zone(site.timezone, f"site {site.name!r} is registered with it")
        names = [head.site_name.value for _, one in samples if (head := metadata.head(one)).site_name]
        return Findings(
            home=own.home,
            publication=_most(names) or links.front(page).title,
            site=site.name if site else None,
            theme=_most([article.layout for article in read]) or Generic.name,
            language=language,
            zone=zone,
            optouts=tuple(dict.fromkeys(word for one in (page, *(one for _, one in samples)) for word in of_page(one))),
            paywalled=sum(article.paywall is True for article in read),
            offers=tuple(self.offers),
            lacks=tuple(self.lacks),
            samples=tuple(sample for sample, _ in samples),
        )

    def _offer(self, kind: SourceKind, url: str, listing: Listing) -> None:
        """A source, unless it lists nothing, or nothing that another of its kind does not."""
        addresses = frozenset((*(item.url for item in listing.items), *(part.url for part in listing.parts)))
        what = f"{kind} {url}"
        if not addresses:
            self.lacks.append(Lack(what, "it lists no stories"))
            return
        twin = next(
            (
                one.source.url
                for one in self.offers
                if one.source.kind == kind and addresses <= self._listed[one.source.url]
            ),
            None,
        )
        if twin is not None:
            self.lacks.append(Lack(what, f"lists nothing that {twin} does not"))
            return
        self._listed[url] = addresses
        self.offers.append(Offer(Source(kind, url), len(listing.items), len(listing.parts), listing.newest))

    async def _page(self, what: str, url: str, own: SiteSettings) -> Page | None:
        """The page of an address, or None and a lack: out of scope, forbidden, not there."""
        if not in_scope(url, own):
            self.lacks.append(Lack(what, "it is on another host; scope and sources of the block can name it"))
            return None
        self.tell(url)
        try:
            page = (await self.fetcher.get(url)).page
        except FetchError as error:
            self.lacks.append(Lack(what, error.cause or error.what))
            return None
        if page.status >= 300 or not in_scope(page.url, own):
            self.lacks.append(Lack(what, f"status {page.status}" if page.status >= 300 else f"leads to {page.url}"))
            return None
        return page

    async def _list(
        self, kind: SourceKind, url: str, own: SiteSettings, read: Callable[[Page], Listing], home: str = ""
    ) -> Listing:
        """Look at one list; `home`: how its address stands in the block, if not as asked for."""
        what = f"{kind} {url}"
        page = await self._page(what, url, own)
        if page is None:
            return Listing()
        try:
            listing = read(page)
        except ParseError as error:
            self.lacks.append(Lack(what, error.cause or error.what))
            return Listing()
        self._offer(kind, home or canonical(page.url), listing)
        return listing

    async def _feeds(self, own: SiteSettings, urls: Sequence[str]) -> list[Listed]:
        found: list[Listed] = []
        if not urls:
            self.lacks.append(Lack("feed", "the front declares none"))
        for url in urls[:MAX_FEEDS]:
            found += (await self._list("feed", url, own, sitemaps.read)).items
        self.lacks += [Lack(f"feed {url}", "not looked at, there are many") for url in urls[MAX_FEEDS:]]
        return found

    async def _sitemaps(self, own: SiteSettings) -> list[Listing]:
        mine = [page for page in self.robots if host(page.url) == host(own.home) and page.status == 200]
        named = list(dict.fromkeys(canonical(url) for page in mine for url in robots.sitemaps(page.body)))
        if not named:
            self.lacks.append(Lack("sitemap in robots.txt", "it names none" if mine else "there is no robots.txt"))
        usual = [canonical(urljoin(own.home, place)) for place in PLACES]
        wanted = dict.fromkeys((*named[:MAX_NAMED], *usual))
        self.lacks += [Lack(f"sitemap {url}", "not looked at, there are many") for url in named if url not in wanted]
        return [await self._list("sitemap", url, own, sitemaps.read) for url in wanted]

    async def _of_maps(self, own: SiteSettings, maps: Sequence[Listing]) -> list[Listed]:
        """Stories that sitemaps list, or the newest of their parts."""
        items = [item for listing in maps for item in listing.items]
        parts = [part for listing in maps for part in listing.parts if sitemaps.lists_stories(part)]
        if parts and not items:
            newest = max(parts, key=lambda part: part.modified or part.until or dates.FIRST_YEAR)
            page = await self._page(f"sitemap {newest.url}", newest.url, own)
            with suppress(ParseError):
                items += sitemaps.read(page).items if page is not None else ()
        return [
            item
            for item in items
            if in_scope(item.url, own) and (item.published or stories.score(item.url, item.title) > stories.LIKELY)
        ]

    async def _wordpress(self, own: SiteSettings, page: Page) -> tuple[str, tuple[Listed, ...]]:
        """The zone that WordPress states, "" if none, and its posts."""
        link = page.tree.css_first('link[rel="https://api.w.org/"]')
        if link is None and "/wp-content/" not in page.text:
            self.lacks.append(Lack("wp", "the front shows no sign of WordPress"))
            return "", ()
        root = canonical((link.attributes.get("href") if link is not None else None) or "/wp-json/", page.url)
        about = await self._page(f"wp {root}", root, own)
        if about is None:
            return "", ()
        try:
            value = whole(json.loads(about.text))
        except (ValueError, RecursionError):
            self.lacks.append(Lack(f"wp {root}", "it is no JSON"))
            return "", ()
        stated = str(value.get("timezone_string") or "") if isinstance(value, dict) else ""
        posts = canonical(root.rstrip("/") + POSTS)  # the root may be a query: /?rest_route=/
        return stated, (await self._list("wp", wordpress.address(posts), own, wordpress.posts, posts)).items

    async def _samples(self, own: SiteSettings, urls: Sequence[str]) -> list[tuple[Sample, Page]]:
        found: list[tuple[Sample, Page]] = []
        for url in urls[:SAMPLES]:
            page = await self._page(f"story {url}", url, own)
            if page is None:
                continue
            try:
                found.append((Sample(registry.read(page), registry.read(page, parser=Generic.name)), page))
            except NoLayoutFits as error:
                self.lacks.append(Lack(f"story {url}", error.cause))
        return found


def _most(words: Sequence[str | None]) -> str | None:
    """The word that is said most often."""
    return next((word for word, _ in Counter(word for word in words if word).most_common(1)), None)
