"""Sitemaps (sitemaps.org 0.9): index, urlset, Google-News, plain text; a feed where a sitemap was expected, too.

Extensions for images, videos and other languages (`hreflang`) name no stories of their own and are passed over.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree as ET

from parsers import dates, feeds
from parsers.elements import BLANK, Tree, child, name, tree
from parsers.errors import ParseError
from parsers.page import Page
from parsers.url import try_canonical

MAX_ENTRIES = 50_000
"""sitemaps.org: no more in one file."""
MAX_BYTES = 52_428_800
"""sitemaps.org: no file is larger when unpacked."""
AHEAD = timedelta(days=1)
"""How far a date may lie in the future: clocks go wrong, and days without a time are somebody's."""
SHARED = 500
"""More entries than a paper prints in a day."""
_ROOT = re.compile(rb"<(?:\w+:)?(?:urlset|sitemapindex)[\s>]")
_NO_STORIES = re.compile(
    r"(?:^|[/_.-])(?:post[_-]?tags?|tags?|categor(?:y|ies)|taxonom(?:y|ies)|authors?|users?|pages|page(?=-sitemap)|posts-page|"
    r"images?|videos?|products?|attachments?)(?:[_.-]|\Z)",
    re.IGNORECASE,
)
_IN_NAME = re.compile(r"(?<!\d)((?:19|20)\d\d)(?:[-_/.]?(0[1-9]|1[0-2])(?:[-_/.]?(0[1-9]|[12]\d|3[01]))?)?(?!\d)")
_KEYS = (("yyyy", "year", "y"), ("mm", "month", "m"), ("dd", "day", "d"))


@dataclass(frozen=True, slots=True)
class Listed:
    """One address of a list. `url` is canonical; `title` is plain text, "" where the list gives none.

    `published`, `modified`: aware UTC instants, None where not given or not to be believed.
    """

    url: str
    title: str = ""
    published: datetime | None = None
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A further sitemap that an index names. `modified`: as it says; `until`: when what it lists ends, by its address."""

    url: str
    modified: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """Addresses in the order of a list, once each, or the parts of an index.

    `publication`, `language`: of the first entry of a Google-News sitemap. `over`: entries beyond the most that are read.
    `fault`: why the rest of the list could not be read, else "". `pages`: how many pages the whole list has.
    """

    items: tuple[Listed, ...] = ()
    parts: tuple[Part, ...] = ()
    publication: str = ""
    language: str = ""
    over: int = 0
    fault: str = ""
    pages: int = 1

    @property
    def newest(self) -> datetime | None:
        """The latest date in it."""
        of_items = (at for item in self.items for at in (item.published, item.modified))
        of_parts = (part.modified for part in self.parts)
        return max((at for at in (*of_items, *of_parts) if at is not None), default=None)


def looks_like_sitemap(page: Page) -> bool:
    """Whether the bytes are an XML sitemap, whatever their label says."""
    return bool(_ROOT.search(page.body[:4096]))


def read(page: Page) -> Listing:
    """Read a sitemap of any kind. Raises ParseError naming what is wrong if there is nothing to read."""
    if feeds.looks_like_feed(page):
        return _of_feed(page)
    if not page.text.lstrip(BLANK).startswith("<"):
        return _of_lines(page)
    if not looks_like_sitemap(page):
        raise ParseError(
            f"{page.url} is no sitemap", cause="it is XML or HTML of another kind", next="use a front or a feed instead"
        )
    return _of_xml(page)


def _of_feed(page: Page) -> Listing:
    _, items = feeds.items(page)
    when = ((item, item.published.utc if item.published else None) for item in items)
    return Listing(tuple(Listed(item.url, item.title, likely(at, page)) for item, at in when))


def _of_lines(page: Page) -> Listing:
    found: dict[str, Listed] = {}
    over = 0
    for line in page.text.splitlines():
        url = try_canonical(line.strip(BLANK)) if line.lstrip(BLANK).startswith(("http://", "https://")) else None
        if url is not None and len(found) < MAX_ENTRIES:
            found.setdefault(url, Listed(url))
        over += url is not None and url not in found
    if not found:
        raise ParseError(f"{page.url} is no sitemap", cause="no line of it is an address", next="use a front instead")
    return Listing(tuple(found.values()), over=over)


def _of_xml(page: Page) -> Listing:
    news: list[tuple[str, str]] = []

    def entry(element: ET.Element, depth: int) -> Listed | Part | None:
        kind = name(element) if depth == 2 else ""
        if kind not in ("url", "sitemap"):
            return None
        written = child(element, "loc")
        url = try_canonical(written, page.url) if written else None
        if url is None:
            return None
        modified = likely(instant(child(element, "lastmod")), page)
        if kind == "sitemap":
            return Part(url, modified, _until(url))
        about = next((one for one in element if name(one) == "news"), None)
        if about is None:
            return Listed(url, modified=modified)
        if not news:
            source = next((one for one in about if name(one) == "publication"), about)
            news.append((child(source, "name"), child(source, "language")))
        published = likely(instant(child(about, "publication_date")), page)
        return Listed(url, feeds.plain(child(about, "title")), published, modified)

    found: Tree[Listed | Part] = tree(page, "sitemap", max_bytes=MAX_BYTES, entry=entry, most=MAX_ENTRIES)
    publication, language = news[0] if news else ("", "")
    return Listing(
        _believed(one for one in found.found if isinstance(one, Listed)),
        tuple({one.url: one for one in found.found if isinstance(one, Part)}.values()),
        publication,
        language,
        found.over,
        found.fault,
    )


def _believed(items: Iterable[Listed]) -> tuple[Listed, ...]:
    """Each address once; a date of change that most entries share says when the file was made, and is left out."""
    unique: dict[str, Listed] = {}
    for item in items:
        unique.setdefault(item.url, item)
    common = Counter(item.modified for item in unique.values() if item.modified).most_common(1)
    for at, number in common:
        days = (at.hour, at.minute, at.second) == (0, 0, 0)
        if 2 * number > len(unique) and number > (SHARED if days else 10):
            return tuple(replace(one, modified=None) if one.modified == at else one for one in unique.values())
    return tuple(unique.values())


def instant(text: str) -> datetime | None:
    """A date in the profile of ISO 8601 that sitemaps use; dates without a zone are taken for UTC."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return dates.read(text).utc
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        return None


def likely(at: datetime | None, page: Page) -> datetime | None:
    """The date, unless it lies before 1990 or in the future."""
    if at is None or at < dates.FIRST_YEAR or (page.captured is not None and at > page.captured + AHEAD):
        return None
    return at


def lists_stories(part: Part) -> bool:
    """Whether a part of an index may list stories: not if its address says tags, authors, images and the like."""
    return _NO_STORIES.search(urlsplit(part.url).path) is None


def _until(url: str) -> datetime | None:
    """The end of the year, month or day that a part's address names (`sitemap-2015-03.xml`, `?yyyy=2015&mm=03`)."""
    parts = urlsplit(url)
    query = {key.lower(): value for key, value in parse_qsl(parts.query)}
    named = [next((query[key] for key in keys if query.get(key, "").isdigit()), "") for keys in _KEYS]
    if not re.fullmatch(r"(?:19|20)\d\d", named[0]):
        match = _IN_NAME.search(parts.path)
        named = [text or "" for text in match.groups()] if match else ["", "", ""]
    if not named[0]:
        return None
    year, month, day = (int(text or 0) for text in named)
    try:
        if day and month:
            return datetime(year, month, day, tzinfo=UTC) + AHEAD
        first = datetime(year, month or 12, 1, tzinfo=UTC)
        return (first + timedelta(days=31)).replace(day=1)
    except ValueError:
        return None
