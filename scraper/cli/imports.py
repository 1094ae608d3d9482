"""`import`: WARC files and HTML files into the archive."""

import os
from pathlib import Path

import click

from parsers.errors import NewsmorgueError, PartlyFailed, UsageError
from scraper.cli.common import archive_folder, archive_option
from scraper.cli.output import data, say
from scraper.cli.progress import counting
from scraper.clock import clock
from scraper.imports import Imported, Inputs, survey
from scraper.imports import run as run_import
from scraper.settings import load

FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command(
    "import",
    epilog="""\b
Examples:
  newsmorgue import 2019-*.warc.gz --archive clips
  newsmorgue import --list pages.jsonl --dry-run
  newsmorgue import --list pages.jsonl --site courier

A line of a list:
  {"path": "html/1.html.gz", "url": "https://example.org/1", "encoding": "cp949", "captured": "2019-03-01T06:00:00Z"}

Repeated, it imports what is not known yet. Exit code 3 if some pages could not be used, 1 if none could.""",
)
@click.argument("warcs", nargs=-1, metavar="[WARC]...", type=FILE)
@click.option("--list", "listed", metavar="FILE", type=FILE, help="HTML files by a list, one JSON object a line.")
@archive_option
@click.option("--site", metavar="NAME", help="The site that all of it belongs to; else the address decides.")
@click.option("--no-read", is_flag=True, help="Capture only.")
@click.option("--dry-run", is_flag=True, help="Say what would be imported; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document about the run.")
def import_(
    warcs: tuple[Path, ...],
    listed: Path | None,
    archive: Path | None,
    site: str | None,
    no_read: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Import pages from WARC files, or HTML files by a list.

    They are kept and read like crawled ones; nothing is asked of any site. The time of a capture is the WARC-Date or
    `captured`; without it, it is the time of the import, and the capture says so (at_source).
    """
    folder = archive_folder(archive)
    if bool(warcs) == (listed is not None):
        raise UsageError("name WARC files, or a list", next="newsmorgue import --list pages.jsonl")
    settings = load(folder, environ=os.environ)
    inputs = Inputs(warcs, listed, site)
    if dry_run:
        done = survey(folder, settings, inputs, clock=clock(os.environ))
    else:
        with counting() as tell:
            done = run_import(
                folder,
                settings,
                inputs,
                clock=clock(os.environ),
                reads=not no_read,
                progress=lambda taken: tell("records and lines taken", taken),
            )
    _report(done, as_json=as_json)
    first = next(iter(done.tally.errors.items()), ("", ""))
    if done.state == "failed":
        raise NewsmorgueError("nothing could be imported", cause=": ".join(first), next="newsmorgue import --help")
    if done.state == "partly":
        count = done.tally.counts["broken"]
        raise PartlyFailed(
            f"{count} pages could not be used", cause=": ".join(first), next="mend them and run the same command"
        )
    return 0


def _report(done: Imported, *, as_json: bool) -> None:
    tally = done.tally
    for words in done.recovered:
        say(f"recovered from a run that was killed: {words}")
    if as_json:
        data(
            {
                "schema": 1,
                "dry_run": done.run is None,
                "run": done.run,
                "state": done.state,
                "counts": dict(tally.counts),
                "skipped": dict(done.skipped),
                "sites": {site: dict(seen) for site, seen in tally.by_site.items()},
                "errors": tally.errors,
            }
        )
    what = f"run {done.run} {done.state}" if done.run else "dry run"
    words = ", ".join(f"{n} {word}" for word, n in sorted(tally.counts.items()) if word != "got")
    say(f"{what}: {tally.counts['got']} pages imported; {words or 'nothing to do'}")
    if done.skipped:
        say(f"  no pages: {', '.join(f'{n} {word}' for word, n in done.skipped.most_common())}")
    for where, problem in list(tally.errors.items())[:10]:
        say(f"  {where}: {problem.splitlines()[0]}")
