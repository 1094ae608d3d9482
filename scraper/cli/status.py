"""`status`: how each site is doing."""

import os
from pathlib import Path

import click

from scraper.cli.common import archive_folder, archive_option
from scraper.cli.output import document, json_options, lines, say, table
from scraper.clock import clock
from storage.archive import Archive


@click.command(
    epilog="""\b
Examples:
  newsmorgue status
  newsmorgue status --json

Exit code 4 if some site is failing, held, refuses us or was never fetched."""
)
@archive_option
@json_options
def status(archive: Path | None, as_json: bool, jsonl: bool) -> int:
    """Say how each site is doing: last success, what waits, which fields its articles fill."""
    with Archive.open(archive_folder(archive)) as opened:
        rows = opened.status(now=clock(os.environ).now())
    if jsonl:
        lines(rows)
    elif as_json:
        document("sites", rows)
    elif rows:
        shown = [
            {**row, "fill": ", ".join(f"{name} {share:.0%}" for name, share in row["fill"].items())} for row in rows
        ]
        names = ("site", "state", "cause", "last_success", "due", "queue", "fill")
        table(shown, {name: name.replace("_", " ") for name in names})
    else:
        say("no site was ever crawled; next: newsmorgue crawl")
    return 0 if rows and all(row["state"] == "ok" for row in rows) else 4
