"""One recorded run: the lock, the run's row, the crawl, and what is said of it in the end."""

import asyncio
import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from parsers.errors import Interrupted
from parsers.version import __version__
from scraper import headers
from scraper.clock import Clock
from scraper.crawl import Crawl, Limits
from scraper.fetch.client import user_agent
from scraper.ingest import catch_up
from scraper.settings import Settings, SiteSettings, require_contact
from scraper.tally import Progress, Tally
from scraper.workers import Readers
from storage.archive import Archive


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. `state`: done, partly or failed. `recovered`: what was mended of a run that was killed.

    `refused`: its sites that refuse us, see `storage.standing.refused`.
    """

    run: int
    state: str
    started: datetime
    ended: datetime
    tally: Tally
    recovered: tuple[str, ...] = ()
    refused: tuple[Mapping[str, Any], ...] = ()


def crawl(
    folder: Path,
    settings: Settings,
    sites: tuple[SiteSettings, ...],
    *,
    clock: Clock,
    limits: Limits,
    progress: Progress,
    jobs: int = 1,
    command: str = "crawl",
) -> Outcome:
    """Crawl some sites of an archive as one recorded run.

    Raises SettingsError (no contact, or a header's secret is missing), ArchiveLocked (another run writes), Interrupted (Ctrl-C:
    what was fetched is kept, the next run goes on).
    """
    require_contact(settings.crawl)
    for site in sites:
        headers.require(site.headers, f"site {site.name!r}")
    with Archive.open(folder, write=True) as archive:
        started = clock.now()
        values = {
            **settings.as_json(),
            "chosen": [site.name for site in sites],
            "limits": dataclasses.asdict(limits),
        }
        run = archive.start_run(
            now=started, version=__version__, command=command, settings=json.dumps(values, default=str)
        )
        readers = Readers(jobs) if jobs > 1 else None
        job = Crawl(
            archive,
            settings,
            sites,
            clock=clock,
            agent=user_agent(settings.crawl.contact),
            limits=limits,
            progress=progress,
            run=run,
            started=started,
            readers=readers,
        )
        state = "interrupted"
        try:
            catch_up(job.ingest)  # here and not in the loop, where Ctrl-C would have to wait for it
            tally = asyncio.run(job.run())
            failed = tally.failed_sites()
            named = {site.name for site in sites}
            refused = tuple(row for row in archive.refused() if row["site"] in named)
            state = "done"
            if failed or refused:
                state = "failed" if failed and len(failed) == len(tally.by_site) else "partly"
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise Interrupted(
                f"run {run} stopped after {job.tally.counts['tried']} requests; everything fetched is kept",
                next=f"newsmorgue {command} --archive {folder}   goes on where this one stopped",
            ) from None
        except BaseException:
            state = "failed"
            raise
        finally:
            if readers is not None:
                readers.close()
            archive.end_run(run, now=clock.now(), state=state, counts=job.tally.row(), errors=len(job.tally.errors))
        return Outcome(run, state, started, clock.now(), tally, tuple(archive.recovered), refused)
