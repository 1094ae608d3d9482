"""What tests share: a demo archive made once, and where the corpora are."""

import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from parsers.version import __version__
from scraper import demo as demonstration
from scraper.clock import Clock
from scraper.crawl import Limits
from scraper.portal.server import Newsstand, Portal, Request
from scraper.runs import Outcome
from scraper.runs import crawl as run_crawl
from scraper.settings import FILE, Settings, load
from storage.archive import Archive

if TYPE_CHECKING:
    from takedowns import Paper

# Some rooms import a large library with the first page that needs it, and a machine may have other things to do.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parent.parent


class Silent:
    """Progress that nobody watches."""

    def fetched(self, site: str, url: str, outcome: str) -> None:
        """Say nothing."""

    def queued(self, waiting: object) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Crawled:
    """Two visits to every publication: the archive's folder, both outcomes, the publications (the Lantern first), and what
    each answered in the first and in the second visit.
    """

    folder: Path
    outcomes: tuple[Outcome, Outcome]
    portals: tuple[Portal, ...]
    logs: tuple[tuple[tuple[Request, ...], tuple[Request, ...]], ...]

    @property
    def portal(self) -> Portal:
        return self.portals[0]

    def visits(self) -> Iterator[tuple[Portal, tuple[Request, ...], tuple[Request, ...]]]:
        """Each publication with its answers of the first and of the second visit."""
        for portal, (first, second) in zip(self.portals, self.logs, strict=True):
            yield portal, first, second

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        db = sqlite3.connect(f"file:{self.folder / 'archive.db'}?mode=ro", uri=True)
        db.row_factory = sqlite3.Row
        try:
            return db.execute(sql, values).fetchall()
        finally:
            db.close()


def settings_for(portals: Portal | Sequence[Portal], folder: Path, **changes: str) -> Settings:
    """An archive's settings for running publications, written to its folder."""
    served = [portals] if isinstance(portals, Portal) else portals
    text = demonstration.settings_text({portal.paper: portal.base for portal in served})
    (folder / FILE).write_text(text, "utf-8")
    return load(folder, environ={}, flags=changes)


def crawl_portal(
    portals: Portal | Sequence[Portal], folder: Path, limits: Limits | None = None, **changes: str
) -> Outcome:
    """One crawl of running publications into `folder`."""
    settings = settings_for(portals, folder, **changes)
    now = portals.now if isinstance(portals, Portal) else portals[0].now
    return run_crawl(
        folder,
        settings,
        settings.sites,
        clock=Clock(now),
        limits=limits or Limits(wait=0.0),
        progress=Silent(),
    )


@pytest.fixture(scope="session")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    """Every publication crawled twice, their clocks moved on between."""
    folder = tmp_path_factory.mktemp("crawled") / "archive"
    with Newsstand() as stand:
        Archive.create(folder).close()
        first = crawl_portal(stand.portals, folder)
        begun = [len(portal.log) for portal in stand.portals]
        stand.tick()
        second = crawl_portal(stand.portals, folder)
        logs = tuple(
            (tuple(portal.log[:at]), tuple(portal.log[at:])) for portal, at in zip(stand.portals, begun, strict=True)
        )
        yield Crawled(folder, (first, second), stand.portals, logs)


@pytest.fixture
def copy(crawled: Crawled, tmp_path: Path) -> Path:
    """A copy of the crawled archive, to harm or change."""
    shutil.copytree(crawled.folder, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def paper(tmp_path: Path) -> Iterator["Paper"]:
    """A small paper, see `takedowns.Paper`."""
    from takedowns import printed

    with printed(tmp_path / "paper") as one:
        yield one


@pytest.fixture
def shared() -> Path:
    """The folder of shared corpora; the test is left out, in one line, where it is missing."""
    folder = Path(os.environ.get("NEWSMORGUE_SHARED") or ROOT.parent / "shared")
    if not folder.is_dir():
        pytest.skip("left out: the shared corpora are not here (NEWSMORGUE_SHARED or ../shared)")
    return folder


@pytest.fixture(scope="session")
def version() -> str:
    return __version__


def _left_out(config: pytest.Config) -> int:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    skipped = getattr(reporter, "stats", {}).get("skipped", [])
    return sum("left out" in str(report.longrepr) for report in skipped)


def _corpora_are_there() -> bool:
    places = [ROOT.parent / "shared", *(Path(text) for text in [os.environ.get("NEWSMORGUE_SHARED")] if text)]
    return any(place.is_dir() for place in places)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run that left the corpora out although they are there has failed."""
    if _left_out(session.config) and _corpora_are_there():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line about what was left out, whatever the report shows of single tests."""
    if number := _left_out(config):
        there = "are there, so this run has failed" if _corpora_are_there() else "are not here"
        line = f"{number} tests were left out: the shared corpora {there} (NEWSMORGUE_SHARED or ../shared)"
        terminalreporter.write_line(line)
