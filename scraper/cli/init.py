"""`init`: an archive folder with its settings."""

import os
from datetime import datetime
from pathlib import Path

import click

from parsers.errors import UsageError
from scraper.cli.output import say
from scraper.clock import clock
from scraper.settings import FILE, load
from storage import disk
from storage.archive import Archive
from storage.database import DATABASE, explained

TEMPLATE = """\
# The settings of this archive: https://en.wikipedia.org/wiki/TOML
# `newsmorgue doctor` says whether they can be used.

[crawl]
contact = "{contact}"         # goes into the User-Agent, so that a site can write to you
delay = "2s"                  # least pause between two requests to a host
concurrency = 16              # hosts asked at once; one request at a time to a host
deadline = "60s"              # from connect to last byte
max_bytes = "20MB"            # decoded
retries = 3
respect = ["noarchive", "tdm-reservation"]

# [site.example]
# home = "https://example.org/"
# parser = "tagdiv"           # a site, a theme or "generic"; else the site is known by its domain
# timezone = "Asia/Seoul"     # for dates without a zone
# sources = [{{ front = "/" }}, {{ feed = "/feed/" }}]
# recheck = ["1h", "6h", "1d", "7d"]
"""


@click.command(
    epilog="""\b
Example:
  newsmorgue init clips --contact archive@example.org
  newsmorgue add https://example.org/ --archive clips
  newsmorgue crawl --archive clips"""
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option("--contact", required=True, metavar="MAIL", help="Mail address or web page of whoever answers for it.")
@click.option("--dry-run", is_flag=True, help="Say what would be made; make nothing.")
def init(folder: Path, contact: str, dry_run: bool) -> int:
    """Make an archive folder with its settings.

    The folder is the archive: settings (newsmorgue.toml), archive.db and warc/. Nothing that is there is changed.
    """
    load(None, environ={}, flags={"contact": contact})
    if (folder / FILE).exists():
        raise UsageError(f"{folder / FILE} is there already", next=f"edit it, or init another folder than {folder}")
    if dry_run:
        say(f"would make {folder}/ with {FILE}, archive.db and warc/")
        return 0
    make(folder, TEMPLATE.format(contact=contact), now=clock(os.environ).now())
    say(f"made {folder}/")
    say(
        f"next:  newsmorgue add https://example.org/ --archive {folder}     or write a [site.NAME] block into {folder / FILE}"
    )
    return 0


def make(folder: Path, settings: str, *, now: datetime) -> None:
    """Make the archive's folder and its settings file; the settings come last, so that a half-made folder is none."""
    half_made = (folder / DATABASE).exists()  # a kill came before the settings
    (Archive.open(folder, write=True) if half_made else Archive.create(folder)).close()
    with explained(folder / FILE):
        disk.write(folder / FILE, settings)
