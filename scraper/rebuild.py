"""`archive.db` made anew from the WARC files: every event replayed, every page read again by the parsers of this edition."""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from parsers.errors import ArchiveLocked, UsageError
from scraper.ingest import Ingest
from scraper.reading import read
from scraper.settings import Settings, SiteSettings, from_row, in_scope
from scraper.takedown import read_again
from storage import facts, takedown
from storage.archive import Archive
from storage.captures import Warc
from storage.frontier import KINDS
from storage.replay import Applied, Event, Replay, end, readable

GROUP = 50
"""Events a transaction."""


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild made. `said`: what could not be used, in words."""

    files: int = 0
    pages: int = 0
    articles: int = 0
    said: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Run:
    """The run whose events are being replayed. `sites`: by key; `named`: all that its settings name; `reads`: stories."""

    sites: dict[int, SiteSettings]
    named: dict[str, SiteSettings] = field(default_factory=dict)
    reads: bool = True


def rebuild(
    folder: Path, settings: Settings, *, progress: Callable[[Path, int], None] = lambda path, pages: None
) -> Rebuilt:
    """Make `archive.db` anew; the old one is replaced when the new one is whole. Gives what was made.

    `settings`: sites of archives of the first edition, whose files do not name them, and of runs whose beginning is lost.
    `progress` is told each file and the pages so far. Raises ArchiveLocked, ArchiveError; then the old database is as it was.
    """
    done = Rebuilt()
    with Archive.building(folder) as archive:
        run = _Run({})
        ingest = Ingest(archive, run.sites)
        replay = Replay(archive)
        begun: set[int] = set()
        for number, path in enumerate(archive.warc.files()):
            if not number:
                _known_sites(archive, settings, run, path)
            events = _begun(archive.events(path, done.said), settings, begun, done.said)
            last = None
            for group in _grouped(events):
                with archive.transaction():
                    for event in group:
                        last = event
                        applied = replay.apply(event)
                        if isinstance(event.facts, facts.RunFacts):
                            _begin(ingest, run, event, event.facts)
                        elif isinstance(event.facts, facts.SiteFacts):
                            _used(archive, run, event, event.facts)
                        elif applied is not None:
                            _page(ingest, run, applied)
                            done.pages += 1
                progress(path, done.pages)
            archive.indexed(path, end(archive.warc, path, last))
            done.files += 1
        # Only now: what was taken down is struck by its own words, and these are known when it was read.
        plan = takedown.obey(archive)
        if plan is not None:
            read_again(archive, plan.unread)
        done.articles = archive.db["article"].count
    with suppress(ArchiveLocked):  # else whoever holds it finishes what is left
        Archive.open(folder, write=True).close()
    return done


def survey(folder: Path) -> Rebuilt:
    """What the WARC files hold and a rebuild would read; writes nothing. Raises UsageError if there are none."""
    done = Rebuilt()
    warc = Warc(folder / "warc")
    if not warc.folder.is_dir():
        raise UsageError(
            f"{folder} is not an archive", cause="it holds no folder warc/", next=f"newsmorgue init {folder}"
        )
    for path in warc.files():
        done.files += 1
        done.pages += sum(event.answer is not None for event in readable(warc, path, done.said))
    return done


def _begun(events: Iterable[Event], settings: Settings, begun: set[int], said: list[str]) -> Iterable[Event]:
    """The events, a run whose beginning is lost begun with the settings of today. `begun`: keys of runs so far."""
    for event in events:
        run = getattr(event.facts, "run", None)
        if run is not None and run not in begun:
            begun.add(run)
            if not isinstance(event.facts, facts.RunFacts):
                said.append(
                    f"{event.first.place.file}: the beginning of run {run} is lost; read with the settings of today"
                )
                values = {**settings.as_json(), "chosen": [site.name for site in settings.sites]}
                yield Event(event.first, facts.RunFacts(run, "unknown", "unknown", json.dumps(values, default=str)))
        yield event


def _grouped(events: Iterable[Event]) -> Iterable[list[Event]]:
    group: list[Event] = []
    for event in events:
        group.append(event)
        if len(group) == GROUP:
            yield group
            group = []
    yield group


def _known_sites(archive: Archive, settings: Settings, run: _Run, path: Path) -> None:
    """The first edition wrote no runs: its files begin with pages, whose sites only the settings know."""
    records = archive.warc.records(path)
    first = next(
        (one for one in records if one.facts is None or one.facts.get("event") != facts.RemovedFacts.event), None
    )
    if first is None or first.facts is not None:
        return
    with archive.transaction():
        for site in settings.sites:
            _site(archive, run, site, first.at)
        Ingest(archive, run.sites).seed(first.at)


def _site(archive: Archive, run: _Run, site: SiteSettings, now: datetime) -> None:
    key = archive.site_id(site.name, home=site.home, parser=site.parser, timezone=site.timezone, now=now)
    run.sites[key] = site


def _begin(ingest: Ingest, run: _Run, event: Event, begun: facts.RunFacts) -> None:
    """Sites and limits of a run, as its row holds them."""
    settings = json.loads(begun.settings)
    limits = settings.get("limits", {})
    chosen = settings.get("chosen", ())
    run.sites.clear()
    run.named = {values["name"]: from_row(values) for values in settings.get("sites", ())}
    for name, site in run.named.items():
        if name in chosen:
            _site(ingest.archive, run, site, event.first.at)
    run.reads = limits.get("read", True)
    ingest.since = datetime.fromisoformat(limits["since"]) if limits.get("since") else None
    ingest.seed(event.first.at)


def _used(archive: Archive, run: _Run, event: Event, used: facts.SiteFacts) -> None:
    """A site that imported pages belong to: one of the settings of then, or one that stood in none."""
    site = SiteSettings(used.name, used.home, used.parser, used.timezone)
    _site(archive, run, run.named.get(used.name, site), event.first.at)


def _page(ingest: Ingest, run: _Run, applied: Applied) -> None:
    """Read a page as the crawl did, and keep what it gave."""
    found = applied.facts
    page, kept = applied.page, applied.kept
    assert page.captured is not None
    if found.kind == "robots":
        key = next((key for key, one in run.sites.items() if in_scope(page.url, one)), None)
        if key is not None and run.sites[key].discovers:
            content = ingest.archive.page(kept.capture) if kept.identical else page
            ingest.robots(content, key, page.captured)
        return
    if applied.site not in run.sites or found.kind not in KINDS:
        return
    site = run.sites[applied.site]
    reading = None
    known = kept.read and not ingest.anew(found.kind)
    if found.withheld is None and not known and (found.kind != "story" or run.reads):
        content = ingest.archive.page(kept.capture) if kept.identical else page
        reading = read(content, found.kind, site.parser, site.timezone)
    if found.imported:
        ingest.imported(found, applied.site, site, kept, page, reading)
        return
    entry = ingest.archive.frontier.find(found.asked, site=applied.site, kind=found.kind, now=page.captured)
    ingest.page(entry, kept, page, reading, found.withheld)
