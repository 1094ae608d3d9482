"""`repair`: mend what `verify` finds, as far as the WARC files or a backup can."""

import os
from pathlib import Path

import click

from scraper.cli.common import archive_folder, archive_option
from scraper.cli.output import data, printable, say
from scraper.cli.progress import counting
from scraper.clock import clock
from scraper.repair import repair as mend
from scraper.settings import load


@click.command(
    epilog="""\b
Examples:
  newsmorgue repair --archive clips                      what would be mended
  newsmorgue repair --archive clips --apply
  newsmorgue repair --from /backup/clips --apply         damaged bytes are taken from there

Exit code 4 if something cannot be mended."""
)
@archive_option
@click.option("--apply", "do", is_flag=True, help="Mend; without it nothing is written.")
@click.option(
    "--from",
    "backup",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="BACKUP",
    help="A backup; damaged or missing bytes of WARC files are taken from it.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def repair(archive: Path | None, do: bool, backup: Path | None, as_json: bool) -> int:
    """Mend what verify finds, as far as the WARC files or a backup can.

    Full text and what is kept twice is made again, responses without rows are indexed and read, what a killed run left is
    recovered, and bytes are taken from a backup if they are what their digests and the rows say. Nothing is thrown away:
    damaged bytes stay where they are, and articles stay although their bytes are gone. Those bytes are marked as lost
    (table lost, column lost of the view captures), and verify passes over them from then on.
    """
    folder = archive_folder(archive)
    with counting() as tell:
        done = mend(
            folder,
            load(folder, environ=os.environ),
            apply=do,
            now=clock(os.environ).now(),
            backup=backup,
            tell=lambda checked: tell("records checked", checked.records),
        )
    if as_json:
        rows = {"mended": [one.as_row() for one in done.mended], "left": [one.as_row() for one in done.left]}
        data({"schema": 1, "dry_run": not do, **rows, "lost": done.lost, "said": done.said})
    else:
        for word, found in (("mended" if do else "would mend", done.mended), ("cannot mend", done.left)):
            for one in found:
                where = one.file if one.offset is None else f"{one.file} {one.offset}"
                click.echo(printable(f"{word}  {one.kind}  {where}  {one.url or ''}".rstrip()))
                click.echo(printable(f"  {one.detail}"))
    for words in done.said:
        say(f"  {words}")
    say(f"{len(done.mended)} {'mended' if do else 'would be mended'}, {len(done.left)} cannot be mended")
    if done.lost:
        say(f"{done.lost} stretches are marked as lost; what was read from them stays: select * from lost")
    _next(folder, {one.kind for one in done.left}, given=backup is not None, would=bool(done.mended) and not do)
    return 4 if done.left else 0


def _next(folder: Path, left: set[str], *, given: bool, would: bool) -> None:
    if left & {"database_missing", "database_damaged", "foreign_key", "revision_number", "quote_span"}:
        say(f"next: newsmorgue rebuild --archive {folder}   makes archive.db anew from the WARC files")
    elif would:
        say(f"next: newsmorgue repair --archive {folder} --apply")
    elif left and not given:
        say(f"next: newsmorgue repair --archive {folder} --from BACKUP --apply")
