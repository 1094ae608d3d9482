"""How the sites are, as `storage.standing` says it, and at which pace they are asked."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from parsers.errors import ArchiveDamaged
from scraper.fetch.client import user_agent
from scraper.robots import crawl_delay
from scraper.settings import Settings
from storage.archive import Archive


def standing(
    archive: Archive, settings: Settings, *, now: datetime, names: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Rows of `storage.standing.standing`, and `pace`: least seconds between two requests, None for a site without a block."""
    homes = {site.name: site.home for site in settings.sites}
    return [
        {**row, "pace": pace(archive, settings, homes[row["site"]]) if row["site"] in homes else None}
        for row in archive.status(now=now, names=names)
    ]


def pace(archive: Archive, settings: Settings, home: str) -> float:
    """The larger of `delay` and the Crawl-delay in the robots.txt that was kept last. A host that is slow gets more."""
    try:
        page = archive.robots(urljoin(home, "/robots.txt"))
    except ArchiveDamaged:
        page = None
    asked = crawl_delay(page.body, user_agent(settings.crawl.contact)) if page else None
    return max(settings.crawl.delay, asked or 0.0)
