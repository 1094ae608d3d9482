"""The demo: a whole crawl over real HTTP of a bundled portal, twice, with the portal's clock moved on between."""

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from parsers.errors import UsageError
from scraper.clock import Clock
from scraper.crawl import Limits, Progress
from scraper.portal import Portal
from scraper.runs import Outcome, crawl
from scraper.settings import FILE, load
from storage.archive import Archive

MARK = "# Made by `newsmorgue demo`; `newsmorgue demo` replaces this folder."
SETTINGS = """\
{mark}

[crawl]
contact = "demo@newsmorgue.example"
delay = "10ms"                           # our own portal on this machine
allow_addresses = ["127.0.0.1/32"]       # private addresses are refused unless named here

[site.{name}]
home = "{home}"
parser = "tagdiv"
timezone = "Asia/Seoul"
sources = [{{ front = "/" }}, {{ feed = "/feed/" }}]
"""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo did: two runs, and the portal's log lines as (method, target, status)."""

    first: Outcome
    second: Outcome
    requests: tuple[tuple[str, str, int], ...]


def run(folder: Path, progress: Progress) -> Demo:
    """Make the archive `folder`, crawling the portal on two days of its life.

    Raises UsageError if the folder is there and was not made by the demo.
    """
    _clear(folder)
    with Portal() as portal:
        clock = Clock(portal.now)
        Archive.create(folder).close()
        text = SETTINGS.format(mark=MARK, name=portal.name, home=portal.base)
        (folder / FILE).write_text(text, "utf-8")
        settings = load(folder, environ={})
        limits = Limits(wait=0.0)
        first = crawl(folder, settings, settings.sites, clock=clock, limits=limits, progress=progress)
        portal.tick()
        later = Clock(portal.now)
        second = crawl(folder, settings, settings.sites, clock=later, limits=limits, progress=progress)
        requests = tuple((line.method, line.target, line.status) for line in portal.log)
    return Demo(first, second, requests)


def _clear(folder: Path) -> None:
    """Remove the archive of an earlier demo; anything else that bears this name is left alone."""
    if not folder.exists():
        return
    settings = folder / FILE
    if not settings.is_file() or not settings.read_text("utf-8").startswith(MARK):
        raise UsageError(
            f"{folder} is there and was not made by the demo",
            cause="the demo replaces only its own archive",
            next="newsmorgue demo another-folder",
        )
    shutil.rmtree(folder)
