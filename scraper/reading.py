"""What a page gives: an article, the cards of a front or feed, the list of a sitemap. Pure: may run in another process."""

import dataclasses
from dataclasses import dataclass

from parsers import links, metadata, registry, sitemaps, verdict, wordpress
from parsers.article import Article
from parsers.errors import NoLayoutFits, ParseError
from parsers.page import Page
from parsers.sitemaps import Listing
from scraper.fetch.optouts import optouts

LISTS = ("sitemap", "wp")
"""Sources that list addresses, and show nothing of what stood where."""
_LEADS_ON = ("front", "empty")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a page gave: of a story an article, of a front or feed its cards, of a sitemap its list; or the error's words.

    `optouts`: those that its headers or its markup state.
    """

    verdict: str | None = None
    article: Article | None = None
    front: links.Front | None = None
    listing: Listing | None = None
    problem: str = ""
    optouts: tuple[str, ...] = ()


def read(page: Page, kind: str, parser: str | None, timezone: str | None, *, only_optouts: bool = False) -> Reading:
    """Read the page of a story or a source with the site's parser. Pure: may run in another process.

    `only_optouts`: verdict and fields are left for later.
    """
    stated = tuple(optouts(page.headers)) if kind in LISTS else _optouts(page)
    if only_optouts:
        return Reading(optouts=stated)
    try:
        if kind == "story":
            article = registry.read(page, parser=parser, timezone=timezone)
            front = links.front(page) if article.verdict in _LEADS_ON else None
            return Reading(article.verdict, article, front, optouts=stated)
        if kind in LISTS or sitemaps.looks_like_sitemap(page):
            return dataclasses.replace(_listing(page, kind), optouts=stated)
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


def _listing(page: Page, kind: str) -> Reading:
    """A sitemap or a list of posts; what is no such thing has the verdict of a page if there is one."""
    bad = verdict.of_response(page)
    if page.status >= 400:
        return Reading(bad)
    try:
        listing = wordpress.posts(page) if kind == "wp" else sitemaps.read(page)
    except ParseError:
        if bad in (None, "not_html"):
            raise
        return Reading(bad)
    return Reading("front", listing=listing, problem=listing.fault)


def _optouts(page: Page) -> tuple[str, ...]:
    """Opt-outs of a page: those of its headers, and those its markup states (robots meta, TDM reservation)."""
    found = list(optouts(page.headers))
    if b"<" in page.body[:2000] and _may_opt_out(page.body.lower()):
        head = metadata.head(page)
        found += [word for word in ("noarchive", "noindex") if word in head.robots]
        if head.tdm_reservation:
            found.append("tdm-reservation")
    return tuple(dict.fromkeys(found))


def _may_opt_out(body: bytes) -> bool:
    """Whether a page's head is to be read for opt-outs, which costs more than all else that a capture does with it."""
    return any(word in body for word in (b"noarchive", b"noindex", b"tdm-reservation", b"\0"))
