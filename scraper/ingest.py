"""One page to one row. Crawl and re-parse meet here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from parsers import links, metadata, registry, verdict
from parsers.article import Article
from parsers.errors import NoLayoutFits
from parsers.page import Page
from scraper.settings import SiteSettings
from storage.archive import Archive, KeptArticle


@dataclass(frozen=True, slots=True)
class Reading:
    """What a story's page gave: an article, or the error's words if no layout fitted."""

    verdict: str
    article: Article | None
    problem: str = ""


def read(page: Page, parser: str | None, timezone: str | None) -> Reading:
    """Read a story's page with the site's parser. Pure: may run in another process."""
    try:
        article = registry.read(page, parser=parser, timezone=timezone)
    except NoLayoutFits as error:
        return Reading(verdict="error", article=None, problem=str(error))
    except Exception as error:  # a page that breaks a reader is kept with the reason, and never stops a crawl
        return Reading(
            verdict="error", article=None, problem=f"{type(error).__name__} while reading {page.url}: {error}"
        )
    return Reading(verdict=article.verdict, article=article)


def read_front(page: Page, parser: str | None) -> tuple[str, links.Front | None]:
    """Verdict of a front's or feed's page, and what it announces (None unless it is one)."""
    if links.looks_like_feed(page):
        return "front", links.feed(page)
    bad = verdict.of_response(page)
    if bad is not None:
        return bad, None
    return "front", registry.front(page, parser=parser)


def opt_outs(page: Page, headers: Sequence[str]) -> tuple[str, ...]:
    """Opt-outs of a page: those of its headers, and those its markup states (robots meta, TDM reservation)."""
    found = list(headers)
    if b"<" in page.body[:2000]:
        head = metadata.head(page)
        if "noarchive" in head.robots:
            found.append("noarchive")
        if head.tdm_reservation:
            found.append("tdm-reservation")
    return tuple(dict.fromkeys(found))


def withheld(site: SiteSettings | None, respect: Sequence[str], found: Sequence[str]) -> str | None:
    """The opt-out that keeps us from storing this page's text, if any. A site set to `archive = "full"` has none."""
    if site is not None and site.archive == "full":
        return None
    return next((word for word in found if word in respect), None)


def keep(
    archive: Archive, capture: int, reading: Reading, *, site: int | None, now: datetime, withheld: str | None = None
) -> KeptArticle | None:
    """Store a reading with its capture. Only a page whose verdict is `article`, and that does not opt out, becomes one.

    A known story is withdrawn if its address answers 404 or 410, says "not found", or leads to a front. Errors,
    challenges and consent forms say nothing about it.
    """
    verdict = reading.verdict
    was_read = reading.article is None or reading.article.layout is not None
    led_away = was_read and archive.leads_to_front(capture)
    if led_away:
        verdict = "front"
    if led_away or verdict in ("gone", "soft_404"):
        archive.withdrawn(capture)
    if withheld is not None:
        title = reading.article.title if reading.article else ""
        archive.set_verdict(capture, verdict, reading.problem, title=title)
        return None
    archive.set_verdict(capture, verdict, reading.problem)
    if reading.article is None or verdict != "article":
        return None
    return archive.keep_article(capture, reading.article, site=site, now=now)
