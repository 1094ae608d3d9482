"""The demo: a whole crawl over real HTTP of the bundled publications, twice, their clocks moved on between."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from parsers.errors import UsageError
from scraper.clock import Clock
from scraper.crawl import Limits
from scraper.portal.paper import Paper
from scraper.portal.server import Newsstand
from scraper.runs import Outcome, crawl
from scraper.settings import FILE, load
from scraper.tally import Progress
from storage.archive import Archive

MARK = "# Made by `newsmorgue demo`; `newsmorgue demo` replaces this folder."
CRAWL = """\
{mark}

[crawl]
contact = "demo@newsmorgue.example"
delay = "10ms"                           # our own portals on this machine
allow_addresses = ["127.0.0.1/32"]       # private addresses are refused unless named here
"""
SITE = """
[site.{name}]
home = "{home}"
{parser}timezone = "Asia/Seoul"
sources = [{sources}]
"""


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo did: two runs. `requests`: how many each publication answered, by its name."""

    first: Outcome
    second: Outcome
    requests: dict[str, int]

    def publications(self) -> list[dict[str, object]]:
        """Of each publication: site, requests, articles found, those corrected and those withdrawn between the visits."""
        first, second = self.first.tally.by_site, self.second.tally.by_site
        return [
            {
                "site": name,
                "requests": requests,
                "articles": first[name]["new"] + second[name]["new"],
                "corrected": second[name]["changed"],
                "withdrawn": second[name]["gone"] + second[name]["soft_404"],
            }
            for name, requests in self.requests.items()
        ]


def settings_text(homes: Mapping[type[Paper], str]) -> str:
    """The settings of an archive of publications, each served at its home."""
    blocks = [CRAWL.format(mark=MARK)]
    for paper, home in homes.items():
        parser = f'parser = "{paper.parser}"\n' if paper.parser else ""
        sources = ", ".join(f'{{ {kind} = "{path}" }}' for kind, path in paper.sources)
        blocks.append(SITE.format(name=paper.name, home=home, parser=parser, sources=sources))
    return "".join(blocks)


def run(folder: Path, progress: Progress) -> Demo:
    """Make the archive `folder`, crawling the publications on two days of their life.

    Raises UsageError if the folder is there and was not made by the demo.
    """
    _clear(folder)
    with Newsstand() as stand:
        Archive.create(folder).close()
        (folder / FILE).write_text(settings_text({portal.paper: portal.base for portal in stand.portals}), "utf-8")
        settings = load(folder, environ={})
        limits = Limits(wait=0.0)
        first = crawl(folder, settings, settings.sites, clock=Clock(stand.now), limits=limits, progress=progress)
        stand.tick()
        second = crawl(folder, settings, settings.sites, clock=Clock(stand.now), limits=limits, progress=progress)
        requests = {portal.name: len(portal.log) for portal in stand.portals}
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
