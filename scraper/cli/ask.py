"""`search`, `quotes`, `people`: questions to the archive, answered read-only."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from scraper.cli.common import archive_folder, archive_option, instant
from scraper.cli.output import document, json_options, lines, printable, say, table
from storage.archive import Archive


def _print(key: str, rows: Sequence[Mapping[str, object]], *, as_json: bool, jsonl: bool) -> bool:
    """Print rows for programs; False if people are to be served."""
    if jsonl:
        lines(rows)
    elif as_json:
        document(key, rows)
    return as_json or jsonl


@click.command(
    epilog="""\b
Examples:
  newsmorgue search 'sleep apnea'
  newsmorgue search tariff --site courier --since 2026-11-01 --json"""
)
@click.argument("words", nargs=-1, required=True)
@archive_option
@click.option("--site", metavar="NAME", help="Only this site.")
@click.option("--since", metavar="DATE", help="Published on or after.")
@click.option("--until", metavar="DATE", help="Published before.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, metavar="N")
@json_options
def search(
    words: tuple[str, ...],
    archive: Path | None,
    site: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    as_json: bool,
    jsonl: bool,
) -> int:
    """Find articles by their words, best first."""
    with Archive.open(archive_folder(archive)) as opened:
        rows = opened.search(
            " ".join(words),
            site=site,
            since=instant(since, "--since"),
            until=instant(until, "--until"),
            limit=limit,
        )
    if _print("articles", rows, as_json=as_json, jsonl=jsonl):
        return 0
    for row in rows:
        click.echo(printable(f"{row['title']}\n  {row['published_utc'] or 'no date'}  {row['site']}  {row['url']}"))
        click.echo(printable(f"  {row['snippet']}\n"))
    say(f"{len(rows)} articles")
    return 0


@click.command(
    epilog="""\b
Examples:
  newsmorgue quotes --speaker 'Kang'
  newsmorgue quotes --site courier --jsonl | head"""
)
@archive_option
@click.option("--speaker", metavar="NAME", help="Only speakers whose name holds this.")
@click.option("--site", metavar="NAME", help="Only this site.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, metavar="N")
@json_options
def quotes(archive: Path | None, speaker: str | None, site: str | None, limit: int, as_json: bool, jsonl: bool) -> int:
    """List who said what, newest first."""
    with Archive.open(archive_folder(archive)) as opened:
        rows = opened.quotes(speaker=speaker, site=site, limit=limit)
    if _print("quotes", rows, as_json=as_json, jsonl=jsonl):
        return 0
    for row in rows:
        who = ", ".join(str(row[key]) for key in ("speaker", "role", "affiliation") if row[key])
        click.echo(printable(f"{who} ({row['kind']})\n  {row['text']}\n  {row['title']}  {row['url']}\n"))
    say(f"{len(rows)} statements")
    return 0


@click.command(
    epilog="""\b
Examples:
  newsmorgue people --experts --limit 10
  newsmorgue people --json"""
)
@archive_option
@click.option("--experts", is_flag=True, help="Only named people with a role or an affiliation.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, metavar="N")
@json_options
def people(archive: Path | None, experts: bool, limit: int, as_json: bool, jsonl: bool) -> int:
    """List who is quoted, as what, how often; most quoted first."""
    with Archive.open(archive_folder(archive)) as opened:
        rows = opened.people(limit=limit, experts_only=experts)
    if _print("people", rows, as_json=as_json, jsonl=jsonl):
        return 0
    table(
        rows,
        {
            "person": "name",
            "role": "role",
            "affiliation": "affiliation",
            "quotes": "statements",
            "articles": "articles",
        },
    )
    say(f"{len(rows)} people")
    return 0
