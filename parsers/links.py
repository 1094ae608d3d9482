"""What a front announces: cards (headline, teaser, section, place), further pages, sections, feeds."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

from selectolax.lexbor import LexborNode

from parsers import dates
from parsers.article import Card
from parsers.feeds import FeedItem, looks_like_feed
from parsers.feeds import items as feed_items
from parsers.page import Page
from parsers.stories import HEADED, LIKELY, is_section, is_story, score
from parsers.text import clean, node_text, normalised
from parsers.url import domain, host, try_canonical

__all__ = ["FeedItem", "Front", "feed", "front", "generic_cards", "is_story", "links", "looks_like_feed"]

MAX_LINKS = 20_000
MAX_OTHERS = 100
MAX_CARDS = 1_000
MAX_SECTIONS = 60
MAX_PAGES = 20
_CLIMB = 6
_CUT = re.compile(r"(?:\.\.\.|…)\s*\Z")
_PAGING = (
    ".page-nav a[href], .pagination a[href], .nav-links a[href], .pager a[href], .wp-pagenavi a[href], .paging a[href], "
    "[class*=pagination] a[href], [class*=paginator] a[href], a[rel~=next], link[rel~=next], a.next, a.page-numbers"
)
_PAGE_PATH = re.compile(r"/(?:page|seite|pagina|p)/?(\d{1,4})/?\Z", re.IGNORECASE)
_PAGE_KEYS = ("page", "paged", "pg", "p", "pagina", "seite", "pageno")
_LABEL = "[class*=category], [class*=kicker], [class*=section-label], [class*=card-label], [rel~=tag], [class*=eyebrow]"


@dataclass(frozen=True, slots=True)
class Front:
    """A front, a section's page or a feed.

    `cards`: stories in page order. `pages`: further numbered pages of this listing. `sections`: fronts of sections that
    the page's menus link to. `feeds`: as the head announces them. `published`: UTC instants that a feed gives for its
    stories, those that cannot be right left out. `others`: where no link looks like a story, all of them, at most
    MAX_OTHERS. `doubtful`: links of this site that may lead to stories; the site's past tells. `elsewhere`: other hosts, with
    the number of addresses there. All addresses are canonical.
    """

    cards: tuple[Card, ...] = ()
    pages: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    title: str = ""
    published: Mapping[str, datetime] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    elsewhere: Mapping[str, int] = field(default_factory=dict)
    doubtful: tuple[str, ...] = ()


def base_of(page: Page) -> str:
    """What relative addresses of the page are joined to: `<base href>`, else the page's address."""
    node = page.tree.css_first("base[href]")
    href = node.attributes.get("href") if node is not None else None
    return (try_canonical(href, page.url) if href else None) or page.url


def links(page: Page) -> Iterator[tuple[LexborNode, str]]:
    """The page's links in page order, with their canonical addresses; at most MAX_LINKS are looked at."""
    base = base_of(page)
    for number, node in enumerate(page.tree.css("a[href]")):
        if number >= MAX_LINKS:
            return
        href = node.attributes.get("href")
        if href and not href.startswith(("#", "javascript:", "mailto:", "tel:", "data:")):
            url = try_canonical(href, base)
            if url is not None:
                yield node, url


def front(page: Page, cards: tuple[Card, ...] | None = None) -> Front:
    """Read a front or a section's page. `cards`: what a theme found, instead of the generic reading."""
    own = try_canonical(page.url) or page.url
    heading = page.tree.css_first("title")
    announced = generic_cards(page) if cards is None else cards
    return Front(
        cards=announced,
        pages=tuple(_pages(page, own)),
        sections=tuple(_sections(page, own)),
        feeds=tuple(_feeds(page)),
        title=clean(heading.text(deep=True)) if heading is not None else "",
        others=() if announced else _others(page, own),
        elsewhere=_elsewhere(page, own),
        doubtful=tuple(_doubtful(page, own, {card.url for card in announced})) if announced else (),
    )


def _elsewhere(page: Page, own: str) -> dict[str, int]:
    """Hosts that a page links to beside its own."""
    hrefs = {(node.attributes.get("href") or "").strip() for node in page.tree.css("a[href]")[:MAX_LINKS]}
    away = [f"https:{href}" if href.startswith("//") else href for href in hrefs]
    names = Counter(host(href) for href in away if href.lower().startswith(("http://", "https://")))
    return {name: number for name, number in names.items() if name not in ("", host(own))}


def _doubtful(page: Page, own: str, announced: set[str]) -> Iterator[str]:
    """Links that score too little for a story and too much for a menu, once each."""
    seen = {own, *announced}
    here = domain(own)
    for node, url in links(page):
        if url not in seen and _related(domain(url), here):
            seen.add(url)
            if HEADED < score(url, node_text(node)) <= LIKELY:
                yield url
        if len(seen) > MAX_CARDS:
            return


def _others(page: Page, own: str) -> tuple[str, ...]:
    """Every address that a page links to, in page order, at most MAX_OTHERS."""
    found: dict[str, None] = {}
    for _, url in links(page):
        if url != own:
            found[url] = None
        if len(found) >= MAX_OTHERS:
            break
    return tuple(found)


def feed(page: Page) -> Front:
    """Read an RSS 2.0, RSS 1.0, Atom or JSON feed. Raises ParseError if it is none."""
    title, items = feed_items(page)
    announced = (
        Card(url=item.url, title=item.title, teaser=item.teaser, section=item.section, position=number)
        for number, item in enumerate(items, 1)
    )
    dated = {
        item.url: item.published.utc
        for item in items
        if item.published and item.published.utc and not dates.flag(item.published, page.captured)
    }
    return Front(cards=tuple(announced), title=title, published=dated)


def generic_cards(page: Page) -> tuple[Card, ...]:
    """The stories that a page announces, read from any markup; the page itself is not among them."""
    own = try_canonical(page.url)
    here = domain(page.url)
    seen: dict[str, list[LexborNode]] = {}
    stories: dict[str, str] = {}
    for node, url in links(page):
        if url == own or (here and not _related(domain(url), here)):
            continue
        seen.setdefault(url, []).append(node)
    for url, nodes in seen.items():
        title = _headline(nodes)
        chance = score(url, title) if title else 0.0
        if chance > LIKELY or (chance > HEADED and any(map(_headed, nodes[:20]))):
            stories[url] = title
        if len(stories) >= MAX_CARDS:
            break
    found = []
    owners = {node.mem_id: url for url in stories for node in seen[url][:3]}
    for position, (url, title) in enumerate(stories.items(), 1):
        box = _box(seen[url], url, owners)
        teaser, section = _inside(box, title) if box is not None else ("", "")
        found.append(Card(url=url, title=title, teaser=teaser, section=section, position=position))
    return tuple(found)


def _related(name: str, here: str) -> bool:
    return name == here or name.endswith(f".{here}") or here.endswith(f".{name}")


def _headline(nodes: list[LexborNode]) -> str:
    """The best of the texts that link to one story: a heading's, else the longest that is no paragraph."""
    best, rank = "", (0, 0)
    for node in nodes[:20]:
        inner = node.css_first("h1, h2, h3, h4, h5, h6")
        text = node_text(inner if inner is not None else node)
        attribute = clean(node.attributes.get("title") or "")
        if attribute and (_CUT.search(text) and attribute.startswith(_CUT.sub("", text)[:20])):
            text = attribute
        if not text or len(text) > 400:
            continue
        this = (2 if inner is not None or _in_heading(node) else 1 if len(text) <= 200 else 0, len(text))
        if this > rank:
            best, rank = text, this
    return best


def _headed(node: LexborNode) -> bool:
    return _in_heading(node) or node.css_first("h1, h2, h3, h4, h5, h6") is not None


def _in_heading(node: LexborNode) -> bool:
    parent = node.parent
    for _ in range(3):
        if parent is None:
            return False
        if parent.tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            return True
        parent = parent.parent
    return False


def _box(nodes: list[LexborNode], url: str, owners: dict[int, str]) -> LexborNode | None:
    """The largest element around a headline that announces no other story. `owners`: links to stories, by their identity."""
    node = next((node for node in nodes if _in_heading(node) or node.css_first("h2, h3, h4") is not None), nodes[0])
    box: LexborNode | None = node
    parent = node.parent
    for _ in range(_CLIMB):
        if parent is None or parent.tag in ("body", "html", "main"):
            break
        inside = parent.css("a[href]")
        if len(inside) > 40 or any(owners.get(link.mem_id, url) != url for link in inside):
            break
        box, parent = parent, parent.parent
    return box


def _inside(box: LexborNode, title: str) -> tuple[str, str]:
    """Teaser and section label of a card."""
    plain = normalised(title)
    teaser = ""
    for node in box.css("p, [class*=excerpt], [class*=teaser], [class*=summary], [class*=dek], [class*=standfirst]")[
        :20
    ]:
        text = node_text(node)
        if len(text) >= 25 and normalised(text) != plain and len(text) <= 1000 and node.css_first("h2, h3") is None:
            teaser = text
            break
    label = next((node_text(node) for node in box.css(_LABEL)[:5] if node_text(node)), "")
    return teaser, label if len(label) <= 40 and normalised(label) != plain else ""


def _pages(page: Page, own: str) -> Iterator[str]:
    """Numbered pages of the same listing only."""
    base = base_of(page)
    listing = _listing(own)
    found: dict[str, None] = {}
    for node in page.tree.css(_PAGING)[:200]:
        url = try_canonical(node.attributes.get("href") or "", base)
        if url and url != own and _listing(url) == listing and numbered(url) and len(found) < MAX_PAGES:
            found[url] = None
    yield from found


def _listing(url: str) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    parts = urlsplit(url)
    query = tuple(pair for pair in parse_qsl(parts.query) if pair[0].lower() not in _PAGE_KEYS)
    return parts.netloc, _PAGE_PATH.sub("", parts.path).rstrip("/"), query


def numbered(url: str) -> bool:
    """Whether an address is that of a further page of a list."""
    parts = urlsplit(url)
    named = any(key.lower() in _PAGE_KEYS and value.isdigit() for key, value in parse_qsl(parts.query))
    return named or bool(_PAGE_PATH.search(parts.path))


def _sections(page: Page, own: str) -> Iterator[str]:
    """Fronts of sections: short links of menus, on this host, that lead to no story and no service."""
    here = domain(own)
    base = base_of(page)
    found: dict[str, None] = {}
    for node in page.tree.css("nav a[href], header a[href], [class*=menu] a[href], [class*=nav] a[href]")[:1000]:
        url = try_canonical(node.attributes.get("href") or "", base)
        if url is None or url == own or domain(url) != here or numbered(url):
            continue
        if len(found) < MAX_SECTIONS and is_section(url, node_text(node)):
            found[url] = None
    yield from found


def _feeds(page: Page) -> Iterator[str]:
    base = base_of(page)
    found: dict[str, None] = {}
    for node in page.tree.css("link[rel~=alternate][href]")[:50]:
        kind = (node.attributes.get("type") or "").lower()
        if "rss" in kind or "atom" in kind or kind == "application/feed+json":
            url = try_canonical(node.attributes.get("href") or "", base)
            if url and "/comments/" not in url:
                found[url] = None
    yield from found
