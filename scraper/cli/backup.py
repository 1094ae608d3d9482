"""`backup` and `restore`: a second copy of an archive, and the archive from it."""

import os
from pathlib import Path

import click

from scraper.cli.common import archive_folder, archive_option
from scraper.cli.output import data, say
from scraper.cli.progress import counting
from scraper.clock import clock
from scraper.takedown import obey
from storage.archive import Archive
from storage.backup import backup as make
from storage.manifest import Copied
from storage.restore import restore as bring_back

_MB = 1_000_000


@click.command(
    epilog="""\b
Examples:
  newsmorgue backup /mnt/backup/clips
  newsmorgue backup /mnt/backup/clips --check        read again what was copied earlier
  newsmorgue backup /mnt/backup/clips --dry-run

Exit code 4 if the archive lacks bytes that its rows speak of."""
)
@click.argument("to", metavar="DEST", type=click.Path(path_type=Path))
@archive_option
@click.option("--check", is_flag=True, help="Read again what was copied earlier; copy anew what went bad.")
@click.option("--dry-run", is_flag=True, help="Say what would be copied; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def backup(to: Path, archive: Path | None, check: bool, dry_run: bool, as_json: bool) -> int:
    """Bring the backup in DEST up to date, or make it; a crawl may go on meanwhile.

    A snapshot of the database, the WARC files up to what it knows of them, settings and decisions of people, with sizes
    and SHA-256 in backup.json. Of a WARC file that grew only what is new is copied. Until all is there, the last backup in
    DEST stays what it was.
    """
    folder = archive_folder(archive)
    with counting() as tell:
        done = make(
            folder,
            to,
            now=clock(os.environ).now(),
            check=check,
            dry_run=dry_run,
            tell=lambda copied: tell("MB copied", copied // _MB),
        )
    _report(done, "would copy" if dry_run else "copied", dry_run=dry_run, as_json=as_json)
    return 4 if done.said else 0


@click.command(
    epilog="""\b
Examples:
  newsmorgue restore /mnt/backup/clips clips
  newsmorgue restore /mnt/backup/clips clips --dry-run     check the backup, write nothing"""
)
@click.argument("source", metavar="BACKUP", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check sizes and SHA-256 of the backup; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def restore(source: Path, folder: Path, dry_run: bool, as_json: bool) -> int:
    """Make an archive in DIR from a backup, checking sizes and SHA-256 on the way.

    DIR must be new or empty; it may hold a takedowns.jsonl: what was taken down since the backup does not come back. What a
    killed restore left in DIR is written again.
    """
    with counting() as tell:
        words = "MB read" if dry_run else "MB copied"
        done = bring_back(source, folder, dry_run=dry_run, tell=lambda copied: tell(words, copied // _MB))
    if not dry_run:
        with Archive.open(folder, write=True) as archive:
            obey(archive)
    _report(done, "checked" if dry_run else "restored", dry_run=dry_run, as_json=as_json)
    if not dry_run:
        say(f"next: newsmorgue verify --archive {folder}")
    return 0


def _report(done: Copied, verb: str, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        data(
            {
                "schema": 1,
                "dry_run": dry_run,
                "copied": done.copied,
                "files": [
                    {"name": entry.name, "size": entry.size, "sha256": entry.sha256 or None} for entry in done.files
                ],
                "said": done.said,
            }
        )
    for words in done.said:
        say(f"  {words}")
    size = sum(entry.size for entry in done.files)
    say(f"{verb} {done.copied:,} bytes; {len(done.files)} files of {size:,} bytes in all")
