"""Pages from files into the archive, as one recorded run: WARC files of others, and HTML files by a list."""

import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from parsers import links, registry
from parsers.errors import ArchiveDamaged, Interrupted, UsageError
from parsers.page import Page
from parsers.url import canonical, domain
from parsers.version import __version__
from scraper import import_list
from scraper.clock import Clock
from scraper.ingest import Ingest, catch_up, withheld
from scraper.reading import Reading, read
from scraper.settings import Settings, SiteSettings, in_scope
from scraper.tally import Tally
from storage import foreign, importing, obedience
from storage.archive import Archive
from storage.facts import PageFacts, SiteFacts
from storage.foreign import Broken, Found, Skipped
from storage.records import Exchange, Resource

GROUP = 50
"""Pages a transaction."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What to import: WARC files, or a list of HTML files. `site`: the site that all of it belongs to, None: by address."""

    warcs: tuple[Path, ...] = ()
    listed: Path | None = None
    site: str | None = None

    def check(self) -> None:
        """Raises UsageError if a file cannot be read or is of another kind."""
        for path in self.warcs:
            foreign.check(path)
        if self.listed is not None and not self.listed.is_file():
            raise UsageError(f"{self.listed} is no file", next="--list FILE.jsonl")

    def pages(self, max_bytes: int, now: datetime) -> Iterator[Found | Skipped | Broken]:
        """Everything in them, in order."""
        if self.listed is not None:
            yield from import_list.pages(self.listed, max_bytes, now)
        for path in self.warcs:
            yield from foreign.pages(path, max_bytes)


@dataclass(slots=True)
class Imported:
    """What an import did. `tally`: outcomes by site, problems by place. `skipped`: what was no page, by kind.

    `run`: None of a dry run. `state`: done, partly (some pages could not be used) or failed (none could).
    """

    run: int | None = None
    tally: Tally = field(default_factory=Tally)
    skipped: Counter[str] = field(default_factory=Counter)
    recovered: tuple[str, ...] = ()

    def broken(self, where: str, problem: str) -> None:
        """Note what could not be used, and why."""
        self.tally.counts["broken"] += 1
        self.tally.error(where, problem)

    @property
    def state(self) -> str:
        """How it ended, judged by what could not be used."""
        counts = self.tally.counts
        return "done" if not counts["broken"] else "partly" if counts["got"] + counts["known"] else "failed"


def run(
    folder: Path,
    settings: Settings,
    inputs: Inputs,
    *,
    clock: Clock,
    reads: bool = True,
    progress: Callable[[int], None] = lambda pages: None,
) -> Imported:
    """Import pages into an archive as one recorded run. What is known already is passed over, so that it can be repeated.

    `reads`: False keeps captures only. `progress` is told the pages so far. Raises UsageError (an input cannot be used),
    ArchiveLocked, Interrupted (Ctrl-C: what was imported is kept, the same command goes on).
    """
    inputs.check()
    with Archive.open(folder, write=True) as archive:
        started = clock.now()
        values = {
            **settings.as_json(),
            "chosen": [],
            "limits": {"read": reads},
            "inputs": [path.name for path in (*inputs.warcs, inputs.listed) if path is not None],
        }
        number = archive.start_run(
            now=started, version=__version__, command="import", settings=json.dumps(values, default=str)
        )
        done = Imported(number, recovered=tuple(archive.recovered))
        job = _Import(archive, settings, inputs, clock, reads, done)
        state = "interrupted"
        try:
            job.run(started, progress)
            state = done.state
        except KeyboardInterrupt:
            raise Interrupted(
                f"run {number} stopped after {done.tally.counts['got']} pages, which are kept",
                next="the same command goes on where this one stopped",
            ) from None
        except BaseException:
            state = "failed"
            raise
        finally:
            archive.end_run(
                number, now=clock.now(), state=state, counts=done.tally.counts, errors=len(done.tally.errors)
            )
    return done


def survey(folder: Path, settings: Settings, inputs: Inputs, *, clock: Clock) -> Imported:
    """What `run` would import, counted as `new` and `known`; writes nothing."""
    inputs.check()
    done = Imported()
    with Archive.open(folder, frozen=True) as archive:
        for item in inputs.pages(settings.crawl.max_bytes, clock.now()):
            got = _looked_into(archive, item, done)
            if got is not None and obedience.leads_to(got.page, archive.tombstones, story=True) is not None:
                done.tally.counts.update(["taken_down"])
            elif got is not None:
                known = importing.known(archive, got.page.asked, got.page.body, got.at)
                done.tally.counts.update(["known"] if known else ["got", "new"])
    return done


class _Got(NamedTuple):
    """A page of an input and what is to be kept of it. `at`: when it was captured, as the input says; None if it does not."""

    page: Page
    answer: Exchange | Resource
    at: datetime | None


def _looked_into(archive: Archive, item: Found | Skipped | Broken, done: Imported) -> _Got | None:
    """An item's page; None if it has none, which is counted."""
    match item:
        case Skipped():
            done.skipped[item.what] += 1
        case Broken():
            done.broken(item.where, item.problem)
        case Found():
            try:
                answer = importing.whole(archive, item)
                if answer is None:
                    done.skipped["revisit of what is not kept here"] += 1
                    return None
                page = foreign.page(answer)
            except (ValueError, UsageError, ArchiveDamaged, zlib.error) as error:
                done.broken(item.where, error.what if isinstance(error, UsageError | ArchiveDamaged) else str(error))
                return None
            if page.content_type not in foreign.FEEDS or links.looks_like_feed(page):
                return _Got(page, answer, answer.at if item.dated else None)
            done.skipped[page.content_type] += 1
    return None


@dataclass(slots=True)
class _Import:
    """One import. `used`: key and settings of each site so far, by name."""

    archive: Archive
    settings: Settings
    inputs: Inputs
    clock: Clock
    reads: bool
    done: Imported
    used: dict[str, tuple[int, SiteSettings]] = field(default_factory=dict)

    def run(self, started: datetime, progress: Callable[[int], None]) -> None:
        """Take everything, a group at a time."""
        ingest = Ingest(self.archive, {}, self.done.tally)
        catch_up(ingest)
        items = self.inputs.pages(self.settings.crawl.max_bytes, started)
        number, more = 0, True
        while more:
            with self.archive.transaction():
                more = False
                for item in islice(items, GROUP):
                    number, more = number + 1, True
                    got = _looked_into(self.archive, item, self.done)
                    if got is not None:
                        self._keep(ingest, got)
            progress(number)

    def _keep(self, ingest: Ingest, got: _Got) -> None:
        """Keep one page unless it is known, and what is read from it as of a crawled one."""
        tally = self.done.tally
        if obedience.leads_to(got.page, self.archive.tombstones, story=True) is not None:
            tally.counts["taken_down"] += 1
            return
        got = self._obedient(got)
        page = got.page
        if importing.known(self.archive, page.asked, page.body, got.at):
            tally.counts["known"] += 1
            return
        key, site = self._site(page.asked)
        kind, reading = importing.shown(self.archive, page.asked, page.body, got.answer.at), None
        if kind is None:
            kind, reading = _read(page, site, self.reads)
        found = reading.optouts if reading else ()
        opted_out = withheld(site, self.settings.crawl.respect, found)
        facts = PageFacts(
            asked=page.asked,
            kind=kind,
            run=self.done.run,
            site=site.name,
            optouts=found,
            kept_because=site.reason if found and site.archive == "full" else None,
            at_source="stated" if got.at else "import",
            withheld=opted_out,
            title=reading.article.title if reading and reading.article and opted_out else None,
            verdict=reading.verdict if reading and opted_out else None,
        )
        kept = importing.keep(self.archive, page, got.answer, facts, site=key)
        tally.add(site.name, "got", ingest.imported(facts, key, site, kept, page, reading))

    def _obedient(self, got: _Got) -> _Got:
        """A page without what was taken down."""
        if not self.archive.tombstones:
            return got
        story = not links.looks_like_feed(got.page)
        if isinstance(got.answer, Resource):
            page, answer = obedience.cleaned(got.page, got.answer, self.archive.tombstones, story=story)
            return got._replace(page=page, answer=answer)
        page, exchange = obedience.cleaned(got.page, got.answer, self.archive.tombstones, story=story)
        return got._replace(page=page, answer=exchange)

    def _site(self, url: str) -> tuple[int, SiteSettings]:
        """The site that a page belongs to: the one named, one of the settings, a registered one, else its host."""
        configured = {site.name: site for site in self.settings.sites}
        name = self.inputs.site or next((name for name, site in configured.items() if in_scope(url, site)), None)
        registered = registry.all_sites().get(name) if name else registry.site_for(url)
        name = name or (registered.name if registered else domain(url))
        if name not in self.used:
            home = registered.fronts[0] if registered and registered.fronts else canonical("/", url)
            row = importing.site(self.archive, name)
            site = configured.get(name) or (SiteSettings(**row) if row else SiteSettings(name, home))
            facts = SiteFacts(name, site.home, site.parser, site.timezone)
            self.used[name] = (importing.use_site(self.archive, facts, now=self.clock.now()), site)
        return self.used[name]


def _read(page: Page, site: SiteSettings, reads: bool) -> tuple[str, Reading]:
    """What a page is (story, front or feed) and what is read from it; of stories nothing but opt-outs unless `reads`."""
    kind = "story"
    if links.looks_like_feed(page):
        kind = "feed"
    elif page.asked in (site.home, *(source.url for source in site.sources if source.kind == "front")):
        kind = "front"
    reading = read(page, kind, site.parser, site.timezone, only_optouts=kind == "story" and not reads)
    if kind == "story" and reading.verdict == "front":
        return "front", read(page, "front", site.parser, site.timezone)
    return kind, reading
