"""Articles read again after something was struck out of them: as the crawl that fetched them read them."""

import json
from collections.abc import Collection
from itertools import groupby

from scraper.ingest import Ingest, catch_up
from scraper.settings import SiteSettings, from_row
from storage import takedown
from storage.archive import Archive


def read_again(archive: Archive, captures: Collection[int]) -> int:
    """Read unread captures, oldest first, each with the settings of its run; gives the number of pages read.

    What is left afterwards of people, topics and institutions whom nobody names any more goes, too.
    """
    wanted = set(captures)
    rows = [row for row in archive.unread(left=True) if row.capture in wanted]
    pages = 0
    for settings, group in groupby(rows, key=lambda row: row.settings):
        pages += catch_up(Ingest(archive, _sites(archive, settings)), list(group))
    takedown.tidy(archive)
    return pages


def _sites(archive: Archive, settings: str | None) -> dict[int, SiteSettings]:
    """Sites by key: as the run's row holds them, else (the first edition's files name no runs) as their own rows do."""
    stated = {values["name"]: from_row(values) for values in json.loads(settings or "{}").get("sites", ())}
    return {
        key: stated.get(name) or SiteSettings(name=name, home=home, parser=parser, timezone=timezone)
        for key, name, home, parser, timezone in takedown.sites(archive)
    }
