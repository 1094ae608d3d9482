"""Address to `Site`: walks `parsers/sites/`, then plugins (entry-point group `newsmorgue.sites`)."""

import dataclasses
import difflib
import importlib
import pkgutil
import warnings
from functools import cache
from importlib.metadata import entry_points

from parsers import links, sites, themes, verdict
from parsers.article import Article, Verdict
from parsers.errors import UsageError
from parsers.layout import Layout
from parsers.links import Front
from parsers.page import Page
from parsers.site import Site
from parsers.themes.generic import Generic
from parsers.url import domain, try_canonical
from parsers.version import __version__

PLUGINS = "newsmorgue.sites"


@cache
def all_sites() -> dict[str, Site]:
    """Every site by name. Raises UsageError if two claim one domain; a broken plugin is warned of and skipped."""
    found: list[tuple[str, Site]] = []
    for module in pkgutil.iter_modules(sites.__path__):
        name = f"{sites.__name__}.{module.name}"
        found.append((name, importlib.import_module(name).site))
    for entry in entry_points(group=PLUGINS):
        try:
            site = entry.load()
            if not isinstance(site, Site):
                raise TypeError(f"{entry.value} is no Site")
        except Exception as error:
            warnings.warn(f"site plugin {entry.name!r} is broken and was skipped: {error}", stacklevel=2)
            continue
        found.append((entry.value, site))
    return _unique(found)


def _unique(found: list[tuple[str, Site]]) -> dict[str, Site]:
    owners: dict[str, str] = {}
    for where, site in found:
        for name in (site.name, *site.domains):
            if name in owners:
                raise UsageError(
                    f"{name!r} belongs to two sites: {owners[name]} and {where}", next="remove one of the two"
                )
            owners[name] = where
    return {site.name: site for _, site in found}


@cache
def all_themes() -> dict[str, type[Layout]]:
    """Every theme by name, without the generic reader."""
    found = {}
    for module in pkgutil.iter_modules(themes.__path__):
        loaded = importlib.import_module(f"{themes.__name__}.{module.name}")
        for value in vars(loaded).values():
            if isinstance(value, type) and issubclass(value, Layout) and value.__module__ == loaded.__name__:
                found[value.name] = value
    found.pop(Generic.name, None)
    return found


@cache
def _by_domain() -> dict[str, Site]:
    return {name: site for site in all_sites().values() for name in site.domains}


def site_for(url: str) -> Site | None:
    """The site an address belongs to: by its host, else the nearest domain above it."""
    name = domain(url)
    known = _by_domain()
    while name:
        if name in known:
            return known[name]
        _, _, name = name.partition(".")
    return None


def named(name: str) -> Site | type[Layout]:
    """A site, a theme or the generic reader by name. Raises UsageError with a suggestion."""
    known: dict[str, Site | type[Layout]] = {Generic.name: Generic, **all_themes(), **all_sites()}
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, known, n=1)
    raise UsageError(
        f"no parser named {name!r}",
        cause=f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(known))}",
        next="a site, a theme or generic",
    )


def theme_for(page: Page) -> type[Layout]:
    """The theme whose mark the page carries, else the generic reader."""
    return next((theme for theme in all_themes().values() if theme.fits(page)), Generic)


def read(page: Page, *, parser: str | None = None, generic: bool = False, timezone: str | None = None) -> Article:
    """Read a page: verdict, fields, quotes, cards.

    `parser`: a site, a theme or "generic"; beats the domain. `generic`: as if no site were registered. `timezone`: zone
    of dates without one; beats the site's. Raises NoLayoutFits only for a site with layouts of its own, and UsageError
    for an unknown parser.
    """
    site, theme = _chosen(page, parser, generic)
    if links.looks_like_feed(page):
        return dataclasses.replace(_unread(page, site, "front"), cards=links.feed(page).cards)
    bad = verdict.of_response(page)
    if bad is not None:
        return _unread(page, site, bad)
    layout = theme or (site.layout_for(page) if site is not None and site.layouts else theme_for(page))
    article = layout(page, site, timezone=timezone).read()
    if verdict.lists_stories(page, article):
        # What reads like a body there is other stories: they are its cards, and no field of its own.
        return dataclasses.replace(
            _unread(page, site, "front"),
            layout=(theme or _front_theme(page, site)).name,
            canonical_url=article.canonical_url,
            title=article.title,
            description=article.description,
            language=article.language,
            cards=front(page, parser=parser, generic=generic).cards,
        )
    return dataclasses.replace(article, verdict=verdict.of_article(page, article))


def front(page: Page, *, parser: str | None = None, generic: bool = False) -> Front:
    """Read a front, a section's page or a feed. Raises ParseError for a feed that cannot be read."""
    if links.looks_like_feed(page):
        return links.feed(page)
    site, theme = _chosen(page, parser, generic)
    return (theme or _front_theme(page, site))(page, site).front()


def _front_theme(page: Page, site: Site | None) -> type[Layout]:
    candidates = (*(site.layouts if site else ()), *all_themes().values())
    return next((one for one in candidates if one.fits_front(page)), Generic)


def _chosen(page: Page, parser: str | None, generic: bool) -> tuple[Site | None, type[Layout] | None]:
    if parser is not None:
        chosen = named(parser)
        return (chosen, None) if isinstance(chosen, Site) else (site_for(page.url), chosen)
    return (None, None) if generic else (site_for(page.url), None)


def _unread(page: Page, site: Site | None, bad: Verdict) -> Article:
    """What is known of a page that is none: its address and its verdict."""
    return Article(
        url=page.url,
        canonical_url=try_canonical(page.url) or page.url,
        site=site.name if site else None,
        verdict=bad,
        parser_version=__version__,
    )
