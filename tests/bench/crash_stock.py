"""What a life of `crash.py` keeps: two invented sites with stories in several versions, fronts and feeds, already read."""

import gzip
import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from parsers.errors import DeadlineExceeded, FetchError, HostHeld
from parsers.page import Page
from scraper.fetch.client import Fetched
from scraper.reading import Reading, read
from scraper.settings import FILE, Settings, SiteSettings, load
from storage.records import Exchange

SETTINGS = """\
[crawl]
contact = "archive@example.org"
delay = "0s"

[site.lantern]
home = "https://lantern.example.org/"
parser = "generic"
timezone = "Asia/Seoul"
sources = [{ front = "/" }, { feed = "/feed/" }]

[site.herald]
home = "https://herald.example.net/"
parser = "generic"
timezone = "UTC"
"""
START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
STORIES = 60
"""Stories of a site."""
VERSIONS = 2
STORY = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<script type="application/ld+json">{{"@context": "https://schema.org", "@type": "NewsArticle", "headline": "{title}",
"datePublished": "2026-02-{day:02d}T09:00:00+09:00", "author": {{"@type": "Person", "name": "Min Seo {letter}"}},
"keywords": ["harbour", "tide {letter}"]}}</script></head><body><article><h1>{title}</h1>
<p class="teaser">The harbour office answers questions about pier {n}.</p>
<p>Work on pier {n} goes on, and the tide tables of the coming month were printed again because of {words}.</p>
<p>"The pier stands on rock, and pier {n} will be open by autumn," said Dr. Hana {name}, a professor of hydrology at
Gimpo University, on Monday.</p>
<p>Version {version} of this story counts {count} boats in the harbour and names nobody else who was there.</p>
</article><!-- {noise} --></body></html>"""
FRONT = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{site}, day {version}</title></head><body><main>
{cards}</main></body></html>"""
CARD = '<article><h2><a href="{url}">{title}</a></h2><p>Teaser of {title}</p></article>\n'
ITEM = "<item><title>{title}</title><link>{url}</link><description>Teaser of {title}</description></item>"
FEED = '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>{site}</title>{items}</channel></rss>'


@dataclass(frozen=True, slots=True)
class Answer:
    """A page as the wire carried it, and what reading it gives. `hops`: redirects on the way to it."""

    page: Page
    head: bytes
    payload: bytes
    reading: Reading
    hops: tuple[str, ...] = ()

    def fetched(self, at: datetime) -> Fetched:
        """The answer as it came at an instant."""
        hops = [_exchange(url, at, b"HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n", b"") for url in self.hops]
        last = _exchange(self.page.url, at, self.head, self.payload)
        return Fetched(replace(self.page, captured=at), (*hops, last), not_modified=False, seconds=0.0, tries=1)


@dataclass(frozen=True, slots=True)
class Stock:
    """Everything a life can meet. `answers`: address to its versions; `kinds`: address to story, front or feed."""

    settings: Settings
    sites: dict[str, SiteSettings]
    kinds: dict[str, str]
    answers: dict[str, list[Answer]]


def not_modified(url: str, at: datetime) -> Fetched:
    """A 304."""
    answer = _exchange(url, at, b"HTTP/1.1 304 Not Modified\r\n\r\n", b"")
    page = Page(url, b"", url, at, 304)
    return Fetched(page, (answer,), not_modified=True, seconds=0.0, tries=1)


def failure(url: str, rng: random.Random) -> FetchError:
    """An address that does not come."""
    if rng.random() < 0.5:
        return DeadlineExceeded(f"{url} took too long", url=url)
    return HostHeld(f"{url} says 429", cause="429", seconds=60.0, url=url, status=429)


def make(folder: Path) -> Stock:
    """Write the pages and read each once. `folder`: where the settings file is read from."""
    (folder / FILE).write_text(SETTINGS, "utf-8")
    settings = load(folder, environ={})
    rng = random.Random(20260301)
    stock = Stock(settings, {}, {}, {})
    for site in settings.sites:
        stories = [f"{site.home}2026/02/story-{n}" for n in range(STORIES)]
        for n, url in enumerate(stories):
            _add(stock, site, url, "story", [_story(n, version, rng) for version in range(VERSIONS)], n)
        for n in range(3):
            chosen = [rng.sample(range(STORIES), 8) for _ in range(VERSIONS)]
            pages = [_front(FRONT, CARD, site.name, version, stories, some) for version, some in enumerate(chosen)]
            _add(stock, site, site.home if n == 0 else f"{site.home}section-{n}/", "front", pages, 0)
        pages = [
            _front(FEED, ITEM, site.name, version, stories, rng.sample(range(STORIES), 5))
            for version in range(VERSIONS)
        ]
        _add(stock, site, f"{site.home}feed/", "feed", pages, 0)
    return stock


def _story(n: int, version: int, rng: random.Random) -> str:
    letter = "ABCDEFGHJK"[n % 10]
    return STORY.format(
        title=f"Pier {n} and the tide, part {version}", day=1 + n % 27, letter=letter, n=n, version=version,
        words="fog " * (n % 7 + 1), name=f"Yoon{letter.lower()}", count=n * 7 + version,
        noise=rng.randbytes(rng.randint(50, 2000)).hex(),
    )  # fmt: skip


def _front(whole: str, part: str, site: str, version: int, stories: list[str], chosen: list[int]) -> str:
    parts = "".join(part.format(url=stories[n], title=f"Pier {n} and the tide") for n in chosen)
    return whole.format(site=site, version=version, cards=parts, items=parts)


def _add(stock: Stock, site: SiteSettings, url: str, kind: str, texts: list[str], n: int) -> None:
    stock.sites[url] = site
    stock.kinds[url] = kind
    moved = kind == "story" and n % 11 == 5
    given = f"{url}-moved" if moved else url
    headers = [("Content-Type", "application/rss+xml" if kind == "feed" else "text/html; charset=utf-8")]
    if n % 5 == 1:
        headers.append(("Content-Encoding", "gzip"))
    if n % 17 == 3:
        headers.append(("X-Robots-Tag", "noarchive"))
    head = "HTTP/1.1 200 OK\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"
    for text in texts:
        page = Page(given, text.encode(), url, START, 200, tuple(headers))
        payload = gzip.compress(page.body, mtime=0) if n % 5 == 1 else page.body
        reading = read(page, kind, site.parser, site.timezone)
        assert reading.verdict == ("article" if kind == "story" else "front"), (url, reading)
        answer = Answer(page, head.encode(), payload, reading, (url,) if moved else ())
        stock.answers.setdefault(url, []).append(answer)


def _exchange(url: str, at: datetime, head: bytes, payload: bytes) -> Exchange:
    asked = f"GET {url} HTTP/1.1\r\nHost: example\r\n\r\n".encode()
    return Exchange(url, at, asked, head, payload)
