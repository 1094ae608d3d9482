"""`export`: the archive in files that other tools read."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click

from scraper.cli.common import archive_folder, archive_option, instant
from scraper.cli.output import data, say, table
from scraper.cli.progress import counting
from scraper.clock import clock
from storage import export as exporting
from storage.archive import Archive


@click.command(
    epilog="""\b
Examples:
  newsmorgue export csv tables                      a folder with a file for each view
  newsmorgue export parquet march --since 2026-03-01 --until 2026-04-01
  newsmorgue export sqlite courier.sqlite --site courier
  newsmorgue export jsonl shared --public           no texts: for publication
  newsmorgue export warc pages --site courier --dry-run

OUT is a folder, of sqlite a file; nothing that is there is overwritten. A story's date is when it was published, else when
it was first captured. README.md in the folder says which rows each file holds. parquet needs newsmorgue[parquet]."""
)
@click.argument("form", metavar="|".join(exporting.FORMATS), type=click.Choice(exporting.FORMATS))
@click.argument("out", type=click.Path(path_type=Path))
@archive_option
@click.option("--site", "sites", multiple=True, metavar="NAME", help="Only this site; may be given again.")
@click.option("--since", metavar="DATE", help="Dated on or after.")
@click.option("--until", metavar="DATE", help="Dated before.")
@click.option("--public", is_flag=True, help="No teasers, no bodies; statements to 200 characters.")
@click.option("--dry-run", is_flag=True, help="Say how many rows each file would have; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def export(
    form: str,
    out: Path,
    archive: Path | None,
    sites: tuple[str, ...],
    since: str | None,
    until: str | None,
    public: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Write what the archive holds to files that other tools read.

    The archive is read at one instant and may be crawled meanwhile. What was taken down is never exported.
    """
    choice = exporting.Choice(
        tuple(dict.fromkeys(sites)), instant(since, "--since"), instant(until, "--until"), public=public
    )
    with Archive.open(archive_folder(archive), frozen=dry_run) as opened:
        if dry_run:
            return _would_write(exporting.counts(opened, form, out, choice), out, as_json=as_json)
        with counting() as progress:
            release = exporting.export(opened, form, out, choice, now=clock(os.environ).now(), progress=progress)
    if as_json:
        data({"schema": 1, "out": str(out), **release.as_dict()})
    else:
        columns = {"name": "file", "rows": "rows", "bytes": "bytes"}
        table([asdict(file) for file in release.files], columns)
    say(f"wrote {out}")
    return 0


def _would_write(rows: Mapping[str, int], out: Path, *, as_json: bool) -> int:
    if as_json:
        data({"schema": 1, "out": str(out), "would_write": dict(rows)})
    else:
        table([{"name": name, "rows": n} for name, n in rows.items()], {"name": "file", "rows": "rows"})
    say(f"would write {out}; nothing was written")
    return 0
