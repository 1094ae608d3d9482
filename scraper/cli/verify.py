"""`verify`: say what in the archive is not as it was written."""

from collections import Counter
from pathlib import Path

import click

from scraper.cli.common import archive_folder, archive_option
from scraper.cli.output import data, json_options, lines, printable, say
from scraper.cli.progress import counting
from storage.findings import KINDS
from storage.verify import Verify


@click.command(
    epilog="""\b
Examples:
  newsmorgue verify --archive clips
  newsmorgue verify --quick
  newsmorgue verify --jsonl

Exit code 4 if anything is found. What each kind means: docs/errors.md; what can be mended: newsmorgue repair."""
)
@archive_option
@click.option("--quick", is_flag=True, help="Sizes, places and rows only: no record is unpacked.")
@json_options
def verify(archive: Path | None, quick: bool, as_json: bool, jsonl: bool) -> int:
    """Check that everything is in the archive that was written, and that everything in it agrees.

    Every record of the WARC files is unpacked, its digests are computed, and it is compared with the rows that point to
    it; rows, foreign keys and full text are compared with each other. Only reads: runs beside a crawl (what that has not
    recorded yet is left out), on media that cannot be written to, and without archive.db.
    """
    folder = archive_folder(archive)
    with counting() as tell:
        check = Verify(folder, quick=quick, tell=lambda checked: tell("records checked", checked.records))
        found = list(check.findings())
    rows = [finding.as_row() for finding in found]
    checked = check.checked
    counts = {"files": checked.files, "records": checked.records, "bytes": checked.bytes, "visits": checked.rows}
    if jsonl:
        lines(rows)
    elif as_json:
        data({"schema": 1, "findings": rows, "checked": counts, "lost": check.lost, "busy": check.busy, "quick": quick})
    else:
        for finding in found:
            where = finding.file if finding.offset is None else f"{finding.file} {finding.offset}"
            click.echo(printable(f"{finding.kind}  {where}  {finding.url or ''}".rstrip()))
            click.echo(printable(f"  {finding.detail}"))
    say(
        f"checked {checked.files} WARC files, {checked.records:,} records, {checked.bytes:,} bytes, {checked.rows:,} visits"
        + (", no record unpacked" if quick else "")
    )
    if check.busy:
        say("somebody is writing: what is not recorded yet was left out")
    if check.lost:
        say(f"{check.lost} stretches are marked as lost and were passed over: select * from lost")
    for kind, number in Counter(finding.kind for finding in found).items():
        say(f"{number} {kind}: {KINDS[kind]}")
    say(f"next: newsmorgue repair --archive {folder}" if found else "nothing found")
    return 4 if found else 0
