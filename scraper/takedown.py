"""Takedowns carried out, and articles read again after something was struck out of them, as their crawls read them."""

import json
from collections.abc import Collection
from itertools import groupby

from scraper.ingest import Ingest, catch_up
from scraper.reading import read
from scraper.settings import SiteSettings, from_row
from storage import takedown
from storage.archive import Archive
from storage.keeping import Unread
from storage.takedown import Plan


def take_down(archive: Archive, plan: Plan, *, at: str, reason: str, decided_by: str) -> bool:
    """Carry a plan out, read again what is left of the articles, and erase the old content.

    False if another program still reads the database as it was: what it sees is erased when the archive is next opened.
    Raises ArchiveError.
    """
    takedown.apply(archive, plan, at=at, reason=reason, decided_by=decided_by)
    read_again(archive, plan.unread)
    return takedown.finish(archive)


def obey(archive: Archive) -> bool:
    """Take down what an archive that was restored or merged holds of what its tombstones name; False as above."""
    plan = takedown.obey(archive)
    read_again(archive, [*archive.to_read, *(plan.unread if plan else ())])
    return takedown.finish(archive)


def read_again(archive: Archive, captures: Collection[int]) -> int:
    """Read unread captures, oldest first, each with the settings of its run; gives the number of pages read.

    What is left afterwards of people, topics and institutions whom nobody names any more goes, too.
    """
    wanted = set(captures)
    rows = [row for row in archive.unread(left=True) if row.capture in wanted]
    pages = 0
    for settings, group in groupby(rows, key=lambda row: row.settings):
        ingest = Ingest(archive, _sites(archive, settings))
        for row in group:
            pages += catch_up(ingest, [row]) if row.site in ingest.sites else _stray(archive, row)
    takedown.tidy(archive)
    return pages


def _stray(archive: Archive, row: Unread) -> int:
    """Read a capture of no site, as pages of files may be; it has no place in the queue."""
    page = archive.page(row.capture)
    reading = read(page, row.kind, None, None)
    with archive.transaction():
        archive.set_verdict(row.capture, reading.verdict or "error", reading.problem)
        if reading.article is not None and reading.verdict == "article":
            assert page.captured is not None
            archive.keep_article(row.capture, reading.article, site=row.site, now=page.captured)
    return 1


def _sites(archive: Archive, settings: str | None) -> dict[int, SiteSettings]:
    """Sites by key: as the run's row holds them, else (the first edition's files name no runs) as their own rows do."""
    stated = {values["name"]: from_row(values) for values in json.loads(settings or "{}").get("sites", ())}
    return {
        key: stated.get(name) or SiteSettings(name=name, home=home, parser=parser, timezone=timezone)
        for key, name, home, parser, timezone in takedown.sites(archive)
    }
