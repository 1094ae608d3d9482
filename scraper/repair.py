"""`repair`: mend what can be mended, read what was not read, and say what is left. What was mended, `verify` confirms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from parsers.page import Page
from scraper.ingest import Ingest, catch_up
from scraper.reading import read
from scraper.settings import Settings, SiteSettings
from storage import lock
from storage import repair as mending
from storage.archive import Archive
from storage.findings import Finding
from storage.verify import Verify
from storage.verify_warc import Checked


@dataclass(slots=True)
class Repaired:
    """What a repair mended (or would), and what it could not. `said`: more about it, in words."""

    mended: list[Finding] = field(default_factory=list)
    left: list[Finding] = field(default_factory=list)
    lost: int = 0
    said: list[str] = field(default_factory=list)


def repair(
    folder: Path,
    settings: Settings,
    *,
    apply: bool,
    now: datetime,
    backup: Path | None = None,
    tell: Callable[[Checked], None] = lambda checked: None,
) -> Repaired:
    """Check an archive, and mend what is found if `apply`. `backup`: a folder with copies of its WARC files.

    Bytes that are gone and in no backup are marked as lost; what was read from them stays. Raises what `Verify` and
    `Archive.open` raise.
    """
    if apply:
        lock.release(lock.take(folder))  # better told now than after a long check
    found = list(Verify(folder, with_lost=True, tell=tell).findings())
    if any(finding.kind.startswith("database_") for finding in found):
        return Repaired(left=found)
    done = Repaired()
    if not apply:
        with Archive.open(folder) as archive:
            for finding in found:
                (done.mended if mending.mendable(archive, finding, backup) else done.left).append(finding)
        return done
    with Archive.open(folder, write=True) as archive:
        done.said += archive.recovered
        if backup is not None:
            for finding in found:
                mending.given_back(archive, finding, backup, apply=True)
        sites = {
            archive.site_id(site.name, home=site.home, parser=site.parser, timezone=site.timezone, now=now): site
            for site in settings.sites
        }
        reindex = mending.Reindex(archive, _judge(sites))
        reindex.files(found)
        done.said += reindex.said
        mending.made_again(archive, found)
        catch_up(Ingest(archive, sites))
        done.left = list(Verify(folder, with_lost=True, tell=tell).findings())
        left = {(finding.kind, finding.file, finding.offset) for finding in done.left}
        done.mended = [finding for finding in found if (finding.kind, finding.file, finding.offset) not in left]
        done.lost = mending.mark(archive, done.left, now=now)
    return done


def _judge(sites: Mapping[int, SiteSettings]) -> mending.Judge:
    def judge(page: Page, kind: str, site: int | None) -> str | None:
        known = sites.get(site) if site is not None else None
        return read(page, kind, known.parser if known else None, known.timezone if known else None).verdict

    return judge
