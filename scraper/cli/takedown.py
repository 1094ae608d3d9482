"""`takedown`: remove stories or a person for good."""

import os
from pathlib import Path

import click

from parsers.errors import UsageError
from scraper.cli.common import archive_folder, archive_option
from scraper.cli.output import data, document, printable, say
from scraper.clock import clock
from scraper.takedown import take_down
from storage import takedown as storage
from storage.archive import Archive
from storage.timing import stamp

SHOWN = 40
"""Lines of each list that are printed for people."""


@click.command(
    epilog="""\b
Examples:
  newsmorgue takedown https://example.org/2026/11/a-story/             what would go; nothing is written
  newsmorgue takedown https://example.org/2026/11/a-story/ --apply --reason 'court order 12/345' --by 'A. Reader'
  newsmorgue takedown --person 'Jane Q. Example' --apply --reason 'request of 24 November' --by 'A. Reader'
  newsmorgue takedown --list
\b
--json prints {"schema": 1, "applied": ..., "addresses" or "people": [...], "rows": {table: number}, "columns": {table:
number}, "again": [addresses of articles read again], "fronts": [...], "files": [{file, removed, struck, unreadable}],
"copies": [{url, title, shows, phrases}], "spelled": [...], "short": [...], "shared": [...], "left": [...]}; --list --json prints
{"schema": 1, "tombstones": [{kind, digest, at, reason, decided_by}]}."""
)
@click.argument("urls", metavar="[URL]...", nargs=-1)
@archive_option
@click.option("--person", metavar="NAME", help="Remove a person: what they say, and their name wherever it stands.")
@click.option("--reason", metavar="TEXT", help="Why; kept with the tombstone.")
@click.option("--by", metavar="WHO", help="Who decided it; kept with the tombstone.")
@click.option("--apply", "applied", is_flag=True, help="Do it; else only say what would go.")
@click.option("--list", "listed", is_flag=True, help="Show the tombstones.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def takedown(
    urls: tuple[str, ...],
    archive: Path | None,
    person: str | None,
    reason: str | None,
    by: str | None,
    applied: bool,
    listed: bool,
    as_json: bool,
) -> int:
    """Remove stories or a person for good, and leave a tombstone: a hash, the date, the reason and who decided.

    A story goes under every address it was seen at: its captures, text, quotes and cards, and its title, teaser and
    sentences from fronts, feeds and related boxes. Of a person, statements and name go and the articles stay. What crawls,
    rebuilds and restores obeys the tombstone. Near copies elsewhere are listed for you to decide. It cannot be undone: a
    backup made before still holds everything.
    """
    folder = archive_folder(archive)
    if listed:
        return _list(folder, as_json=as_json)
    if bool(urls) == (person is not None):
        raise UsageError(
            "name the stories or a person", next="newsmorgue takedown URL   or   newsmorgue takedown --person NAME"
        )
    if applied and not (reason and by):
        raise UsageError(
            "--apply needs a reason and who decided", next="--reason 'court order 12/345' --by 'A. Reader'"
        )
    people = (person,) if person is not None else ()
    finished = True
    at = stamp(clock(os.environ).now(), "seconds")
    with Archive.open(folder, write=applied, frozen=not applied) as opened:
        plan = storage.plan(opened, urls, people)
        if applied:
            assert reason is not None
            assert by is not None
            finished = take_down(opened, plan, at=at, reason=reason, decided_by=by)
        else:
            storage.look(opened, plan, at=at)
    if as_json:
        data({"schema": 1, "applied": applied, **_row(plan)})
    else:
        _show(plan)
    if not finished:
        say("decided, but another program still reads the database as it was before")
        say("  next: close it (a database browser, a notebook); the next run that writes erases what that program sees")
        return 1
    say("done; the tombstone is in takedowns.jsonl" if applied else "nothing was written; --apply does it")
    return 0


def _list(folder: Path, *, as_json: bool) -> int:
    with Archive.open(folder) as opened:
        rows = storage.stones(opened)
    if as_json:
        document("tombstones", rows)
        return 0
    for row in rows:
        click.echo(printable(f"{row['at']}  {row['kind']:<6}  {row['digest']}  {row['reason']} ({row['decided_by']})"))
    say(f"{len(rows)} tombstones")
    return 0


def _row(plan: storage.Plan) -> dict[str, object]:
    named = {"people": plan.people} if plan.people else {"addresses": plan.addresses}
    return {
        **named,
        "rows": plan.rows,
        "columns": plan.columns,
        "again": plan.again,
        "fronts": plan.fronts,
        "files": storage.counted(plan.changes),
        "copies": plan.copies,
        "spelled": plan.spelled,
        "short": plan.short,
        "shared": plan.shared,
        "left": plan.left,
    }


def _show(plan: storage.Plan) -> None:
    _lines("people", plan.people)
    _lines("addresses", plan.addresses)
    _lines("rows that go", [f"{number:>7}  {table}" for table, number in plan.rows.items()])
    _lines("rows in which words are struck", [f"{number:>7}  {table}" for table, number in plan.columns.items()])
    _lines(
        "files rewritten",
        [
            f"{file['file']}: {file['removed']} events removed, {file['struck']} records struck"
            for file in storage.counted(plan.changes)
            if file["removed"] or file["struck"]
        ],
    )
    _lines("cannot be read, and was not looked into", [words for change in plan.changes for words in change.said])
    _lines("fronts that showed it", plan.fronts)
    _lines("articles read again, because their text speaks of it", plan.again)
    _lines("addresses that spell it, and stay: for you to decide", plan.spelled)
    _lines("struck inside links to it alone: too short to be its own", plan.short)
    _lines("struck inside links to it alone: another article says the same", plan.shared)
    _lines("another address of it that stays, because it is a front's", plan.left)
    _lines(
        "near copies, for you to decide",
        [f"{copy['url']}  {copy['title']} ({copy['shows']}, {copy['phrases']} phrases)" for copy in plan.copies],
    )


def _lines(heading: str, lines: list[str]) -> None:
    if lines:
        click.echo(f"{heading}:")
        for line in lines[:SHOWN]:
            click.echo(printable(f"  {line}"))
        if len(lines) > SHOWN:
            click.echo(f"  ... and {len(lines) - SHOWN} more (--json shows all)")
