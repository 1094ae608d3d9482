"""What each kind of source finds of the judge's portal: `portal.py [--hosts N] [--articles N] [--since DATE]`

Starts the portal, crawls it once with all its sources, once with none named, and once with each alone, and compares the
articles of each archive with the portal's own list. A table to stdout; exit code 1 if all sources together miss a story.
Only loopback is spoken to.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from portals import ask, furnish, portal, tools

from scraper.cli.main import run
from storage.archive import Archive

SECTIONS = "world politics business science culture sport health local".split()
SOURCES: dict[str, list[str] | None] = {
    "all": ['front = "/"', 'feed = "/rss.xml"', 'feed = "/atom.xml"', 'sitemap = "/sitemap.xml"'],
    "none named": None,
    "front and its sections": ['front = "/"'],
    "RSS": ['feed = "/rss.xml"'],
    "Atom": ['feed = "/atom.xml"'],
    "RSS of the sections": [f'feed = "/feeds/{name}.xml"' for name in SECTIONS],
    "sitemap index": ['sitemap = "/sitemap.xml"'],
    "news sitemap": ['sitemap = "/sitemaps/news.xml"'],
}


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=2)
    parser.add_argument("--articles", type=int, default=300)
    parser.add_argument("--only", choices=SOURCES, help="one row of the table")
    parser.add_argument("--since", help="crawl with --since, a backfill")
    arguments = parser.parse_args()
    judge = tools()
    missed = 0
    sizes = ("--hosts", str(arguments.hosts), "--articles", str(arguments.articles))
    with portal(judge, *sizes) as control, tempfile.TemporaryDirectory() as area:
        truth = {row["url"]: row for row in map(json.loads, ask(control, "/truth").splitlines())}
        print(f"{len(truth)} stories on {arguments.hosts} hosts; load {os.getloadavg()[0]:.1f}")
        print("| sources | found | missed | wrong title | not in the list | requests | seconds |")
        print("|---|---|---|---|---|---|---|")
        for name in [arguments.only] if arguments.only else SOURCES:
            before, begun = requests(control), time.perf_counter()
            found = crawled(Path(area) / name.replace(" ", "-"), control, SOURCES[name], arguments.since)
            seconds = time.perf_counter() - begun
            shared = found.keys() & truth.keys()
            wrong = sum(found[url] != truth[url]["title"] for url in shared)
            row = [name, len(shared), len(truth) - len(shared), wrong, len(found) - len(shared)]
            print("|", " | ".join(map(str, [*row, requests(control) - before, f"{seconds:.1f}"])), "|", flush=True)
            missed += len(truth) - len(shared) if name == "all" else 0
    return 1 if missed else 0


def crawled(folder: Path, control: int, sources: list[str] | None, since: str | None) -> dict[str, str]:
    """Addresses and titles of the articles of an archive after one ordinary crawl."""
    furnish(folder, control, sources=sources)
    arguments = ["crawl", "--archive", str(folder), "--wait", "5s", *(["--since", since] if since else [])]
    if code := run(arguments):
        raise SystemExit(f"crawl ended with {code}")
    with Archive.open(folder) as archive:
        return {str(row["url"]): str(row["title"]) for row in archive.db.query("SELECT url, title FROM articles")}


def requests(control: int) -> int:
    """How many requests the portal has answered so far."""
    return int(json.loads(ask(control, "/stats"))["requests"])


if __name__ == "__main__":
    sys.exit(main())
