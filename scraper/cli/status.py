"""`status`: how each site is doing."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from scraper.cli.common import archive_folder, archive_option
from scraper.cli.output import counted, document, json_options, lines, printable, say, table
from scraper.clock import clock
from scraper.settings import load
from scraper.standing import standing
from storage.archive import Archive

COLUMNS = {
    "site": "site",
    "state": "state",
    "last_success": "last success",
    "next_due": "next due",
    "waits": "due",
    "pace": "pace",
    "week": "last 7 days",
}
WIDTH = 100


@click.command(
    epilog="""\b
Examples:
  newsmorgue status
  newsmorgue status example                 one site, in full
  newsmorgue status --json

Exit code 4 if some site is failing, held, refuses us or was never fetched."""
)
@click.argument("sites", nargs=-1, metavar="[SITE]...")
@archive_option
@json_options
def status(sites: tuple[str, ...], archive: Path | None, as_json: bool, jsonl: bool) -> int:
    """Say how each site is doing: last success, what waits and when it is due, the pace, what came in the last 7 days.

    In --json and for one site also: which fields its latest 200 articles fill.
    """
    folder = archive_folder(archive)
    settings = load(folder, environ=os.environ)
    with Archive.open(folder) as opened:
        rows = standing(opened, settings, now=clock(os.environ).now(), names=sites)
    if jsonl:
        lines(rows)
    elif as_json:
        document("sites", rows)
    elif len(sites) == 1:
        _one(rows[0])
    elif rows:
        table([_short(row) for row in rows], COLUMNS, width=WIDTH)
    else:
        say(f"no site was ever crawled; next: newsmorgue add https://example.org/ --archive {folder}")
    return 0 if rows and all(row["state"] == "ok" for row in rows) else 4


def _short(row: Mapping[str, Any]) -> dict[str, object]:
    """A row for people: times to the minute, the cause beside the state, counts in words, fronts not counted."""
    pages = {verdict: number for verdict, number in row["verdicts"].items() if verdict != "front"}
    return {
        **row,
        "state": _state(row),
        "last_success": _minute(row["last_success"]),
        "next_due": _minute(row["next_due"]),
        "pace": _seconds(row["pace"]),
        "waits": f"{row['due']} of {row['queue']}",
        "week": "; ".join(words for words in (counted(pages), _failed(row)) if words),
    }


def _one(row: Mapping[str, Any]) -> None:
    """One site, a line for each thing that is known."""
    said = {
        **_short(row),
        "verdicts": counted(row["verdicts"]) or "nothing came",
        "failures": counted(row["failures"]) or "none",
        "fill": ", ".join(f"{name} {share:.0%}" for name, share in row["fill"].items()) or "no articles",
    }
    headings = {
        **{key: words for key, words in COLUMNS.items() if key != "week"},
        "verdicts": "came in 7 days",
        "failures": "failed in 7 days",
        "fill": "filled",
    }
    for key, words in headings.items():
        click.echo(printable(f"{words:16}  {said[key]}"))


def _state(row: Mapping[str, Any]) -> str:
    return f"{row['state']}: {row['cause']}" if row["cause"] else str(row["state"])


def _failed(row: Mapping[str, Any]) -> str:
    return f"failed: {counted(row['failures'])}" if row["failures"] else ""


def _minute(time: str | None) -> str:
    return time[:16].replace("T", " ") if time else "-"


def _seconds(pace: float | None) -> str:
    return "-" if pace is None else f"{pace:g} s"
