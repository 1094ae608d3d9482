"""`rebuild`: make `archive.db` anew from the WARC files."""

import os
from pathlib import Path

import click

from scraper.cli.common import archive_folder, archive_option
from scraper.cli.output import data, say
from scraper.cli.progress import counting
from scraper.rebuild import rebuild as make_anew
from scraper.rebuild import survey
from scraper.settings import load


@click.command(
    epilog="""\b
Examples:
  newsmorgue rebuild --dry-run
  newsmorgue rebuild --archive clips"""
)
@archive_option
@click.option("--dry-run", is_flag=True, help="Say what the WARC files hold; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def rebuild(archive: Path | None, dry_run: bool, as_json: bool) -> int:
    """Make archive.db anew from the WARC files and the decisions of people.

    Every event is replayed and every page is read again by the parsers of this edition. The old database is replaced
    when the new one is whole; until then nothing is changed. Exit code 4 if some bytes could not be read.
    """
    folder = archive_folder(archive)
    if dry_run:
        done = survey(folder)
    else:
        with counting() as tell:
            settings = load(folder, environ=os.environ)
            done = make_anew(folder, settings, progress=lambda path, pages: tell(f"pages read, {path.name}", pages))
    if as_json:
        data(
            {
                "schema": 1,
                "dry_run": dry_run,
                "files": done.files,
                "pages": done.pages,
                "articles": done.articles,
                "unreadable": done.said,
            }
        )
    verb = "hold" if dry_run else "gave"
    articles = "" if dry_run else f", {done.articles} articles"
    say(f"{done.files} WARC files {verb} {done.pages} pages{articles}")
    for words in done.said:
        say(f"  {words}")
    if done.said:
        say(f"  next: newsmorgue verify --archive {folder}   (a torn end is cut by the next run that writes)")
    return 4 if done.said else 0
