"""`doctor`: can this machine and this archive do what is asked of them?"""

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import click

from parsers.errors import NewsmorgueError
from parsers.version import __version__
from scraper.cli.common import archive_folder, archive_option
from scraper.cli.output import document, printable
from scraper.clock import clock
from scraper.settings import FILE, load, require_contact

PACKAGES = ("httpx", "beautifulsoup4", "selectolax", "sqlite-utils", "tenacity", "warcio", "click", "rich")
LITTLE_DISK = 1_000_000_000

Check = tuple[str, bool, str]
"""What was looked at, whether it is well, and the finding in words."""


@click.command(
    epilog="""\b
Examples:
  newsmorgue doctor
  newsmorgue doctor --archive clips --json

Exit code 4 if something must be mended."""
)
@archive_option
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def doctor(archive: Path | None, as_json: bool) -> int:
    """Check this machine and, if there is one, this archive. Changes nothing."""
    checks = [*_machine(), *_archive(archive)]
    if as_json:
        document("checks", [{"check": name, "ok": good, "finding": words} for name, good, words in checks])
    else:
        for name, good, words in checks:
            click.echo(printable(f"{'ok  ' if good else 'MEND'}  {name:<12}{words}"))
    return 0 if all(good for _, good, _ in checks) else 4


def _machine() -> Iterator[Check]:
    yield "newsmorgue", True, __version__
    yield "python", sys.version_info >= (3, 11), sys.version.split()[0]
    with sqlite3.connect(":memory:") as db:
        options = {row[0] for row in db.execute("PRAGMA compile_options")}
    strict = sqlite3.sqlite_version_info >= (3, 37)
    yield "sqlite", strict, sqlite3.sqlite_version + ("" if strict else ": too old for STRICT tables, 3.37 is needed")
    full_text = "ENABLE_FTS5" in options
    yield "full text", full_text, "FTS5" if full_text else "this SQLite lacks FTS5"
    versions = [f"{name} {metadata.version(name)}" for name in PACKAGES]
    yield "packages", True, ", ".join(versions)


def _archive(given: Path | None) -> Iterator[Check]:
    from storage.archive import Archive  # noqa: PLC0415 - without an archive there is nothing to open

    try:
        folder = archive_folder(given)
    except NewsmorgueError as error:
        yield "archive", given is None, f"none looked at: {error.what}"
        return
    yield "archive", True, str(folder.resolve())
    try:
        settings = load(folder, environ=os.environ)
        yield "settings", True, f"{folder / FILE}: {len(settings.sites)} sites"
        require_contact(settings.crawl)
        yield "contact", True, settings.crawl.contact
    except NewsmorgueError as error:
        yield "settings", False, str(error).replace("\n  ", "; ")
    writable = os.access(folder, os.W_OK) and os.access(folder / "warc", os.W_OK)
    yield "writable", writable, "yes" if writable else f"no: chown or chmod {folder} and {folder / 'warc'}"
    free = shutil.disk_usage(folder).free
    yield "disk", free >= LITTLE_DISK, f"{free / 1e9:.1f} GB free"
    try:
        with Archive.open(folder) as opened:
            rows = opened.status(now=clock(os.environ).now())
        yield "database", True, f"opens; {len(rows)} sites crawled so far; newsmorgue verify reads every byte"
    except NewsmorgueError as error:
        yield "database", False, str(error).replace("\n  ", "; ")
