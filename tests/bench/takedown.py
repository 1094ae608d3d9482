"""What a takedown costs: `python tests/bench/takedown.py [--days N]`. One JSON object a figure.

The bundled portal is crawled on N days of its life; then a story that stands everywhere, and a person, are looked for in
all of its WARC files (a dry run), and taken down. CPU seconds, and megabytes of compressed WARC a second.
"""

import argparse
import json
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from scraper.clock import Clock
from scraper.crawl import Limits
from scraper.demo import settings_text
from scraper.portal.server import Portal
from scraper.runs import crawl
from scraper.settings import FILE, load
from scraper.takedown import take_down
from storage import obedience, takedown
from storage.archive import Archive
from storage.records import Exchange

NOW = datetime(2026, 11, 30, tzinfo=UTC)
AT = "2026-11-30T12:00:00Z"


class Silent:
    """Progress that nobody watches."""

    def fetched(self, site: str, url: str, outcome: str) -> None:
        """Say nothing."""

    def queued(self, waiting: object) -> None:
        """Say nothing."""


def made(folder: Path, days: int) -> None:
    """An archive of the portal, every page anew on each day."""
    with Portal() as portal:
        Archive.create(folder).close()
        (folder / FILE).write_text(settings_text({portal.paper: portal.base}), "utf-8")
        settings = load(folder, environ={})
        for _ in range(days):
            crawl(
                folder,
                settings,
                settings.sites,
                clock=Clock(portal.now),
                limits=Limits(0.0, recheck=True),
                progress=Silent(),
            )
            portal.tick()
            db = sqlite3.connect(folder / "archive.db")
            with db:
                db.execute("UPDATE frontier SET etag = NULL, last_modified = NULL")
                db.execute("UPDATE capture SET asked = asked || '#' || id")  # so that every page is kept again
            db.close()


def timed(name: str, size: int, work: Callable[[], object]) -> None:
    """Print what some work costs."""
    begun = time.process_time()
    work()
    seconds = time.process_time() - begun
    print(json.dumps({"figure": name, "cpu_s": round(seconds, 2), "mb_per_s": round(size / 1e6 / seconds, 1)}))


def main() -> None:
    """Print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--days", type=int, default=5)
    days = arguments.parse_args().days
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "archive"
        made(folder, days)
        size = sum(path.stat().st_size for path in (folder / "warc").iterdir())
        print(json.dumps({"figure": "warc", "bytes": size, "load": round(os.getloadavg()[0], 1)}))
        with Archive.open(folder) as archive:
            url = archive.db.execute("SELECT url FROM card GROUP BY url ORDER BY count(*) DESC LIMIT 1").fetchone()[0]
            person = archive.db.execute("SELECT person FROM experts ORDER BY quotes DESC LIMIT 1").fetchone()[0]
            for what, urls, people in (
                ("a story", [url], []),
                ("a person", [], [person]),
                ("nothing", ["https://x.example/2026/11/nobody-knows-this-story/"], []),
            ):
                timed(
                    f"dry run: {what}",
                    size,
                    lambda urls=urls, people=people: takedown.look(
                        archive, takedown.plan(archive, urls, people), at=AT
                    ),
                )
            pages = [page for _, page in archive.pages(verdict="article")][:50]
        for what, urls, people in (("a story", [url], []), ("a person", [], [person])):
            copy = Path(name) / what
            shutil.copytree(folder, copy)
            with Archive.open(copy, write=True) as archive:
                timed(
                    f"applied: {what}",
                    size,
                    lambda archive=archive, urls=urls, people=people: take_down(
                        archive, takedown.plan(archive, urls, people), at=AT, reason="r", decided_by="b"
                    ),
                )
                begun = time.process_time()
                for page in pages:
                    answer = Exchange(page.url, page.captured or NOW, b"", b"HTTP/1.1 200 OK\r\n\r\n", page.body)
                    obedience.cleaned(replace(page), answer, archive.tombstones, story=True)
                each = (time.process_time() - begun) / len(pages) * 1000
                print(
                    json.dumps({"figure": f"a page that comes, with a tombstone of {what}", "cpu_ms": round(each, 1)})
                )


if __name__ == "__main__":
    main()
