"""Ten crawls of a portal that changes between them: `python tests/bench/ticks.py [--ticks N] [--articles N] [--recheck]`.

The judge's portal moves on by a tick: new stories, corrected ones, some that are gone. An ordinary crawl (no source named) follows
each tick. A line for each: what changed according to the portal's own list, what of it the archive has, what else it has, and
the requests beside those that somebody who knew all would need: one for each change, and the sources. `--recheck` ends with a
crawl of the unchanged portal that asks for every story. Exit code 1 if a change is missing or something else is there.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

from portal import requests
from portals import ask, furnish, portal, tools

from scraper.cli.main import run
from storage.archive import Archive

COUNTED = ("article", "revision", "reading", "quote", "capture", "visit", "run")
Truth = dict[str, int]


def truth(control: int) -> Truth:
    """Revisions of the stories that stand there, by address."""
    return {row["url"]: int(row["rev"]) for row in map(json.loads, ask(control, "/truth").splitlines())}


def crawl(folder: Path, *options: str) -> None:
    """One ordinary crawl."""
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()) as said:
        code = run(["crawl", "--archive", str(folder), "--wait", "0s", *options])
    if code:
        raise SystemExit(f"crawl ended with {code}: {said.getvalue()[-500:]}")


def kept(folder: Path) -> tuple[Truth, set[str]]:
    """Changes of each story of the archive, and the stories that are gone."""
    with Archive.open(folder) as archive:
        rows = list(archive.db.query("SELECT url, revisions, withdrawn FROM articles"))
    gone = {row["url"] for row in rows if row["withdrawn"]}
    return {row["url"]: row["revisions"] - 1 for row in rows if row["url"] not in gone}, gone


def counts(folder: Path) -> Counter[str]:
    """Rows of the tables that tell what a crawl brought."""
    with Archive.open(folder) as archive:
        return Counter({table: archive.db[table].count for table in COUNTED})


def sources(folder: Path) -> int:
    """How many fronts, feeds and sitemaps the archive knows, and robots.txt."""
    with Archive.open(folder) as archive:
        return 1 + int(archive.db.execute("SELECT count(*) FROM frontier WHERE kind <> 'story'").fetchone()[0])


def changed(before: Truth, after: Truth) -> tuple[set[str], set[str], set[str]]:
    """New, corrected and withdrawn stories."""
    new, gone = after.keys() - before.keys(), before.keys() - after.keys()
    return new, {url for url in after.keys() & before.keys() if after[url] != before[url]}, gone


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--ticks", type=int, default=10)
    parser.add_argument("--articles", type=int, default=200)
    parser.add_argument("--recheck", action="store_true")
    chosen = parser.parse_args()
    judge = tools()
    size = ("--hosts", "1", "--articles", str(chosen.articles), "--ticks", str(chosen.ticks))
    wrong = 0
    with portal(judge, *size) as control, tempfile.TemporaryDirectory() as area:
        folder = Path(area) / "archive"
        furnish(folder, control, sources=None)
        crawl(folder)
        have, _ = kept(folder)
        start = truth(control)
        print(f"{len(start)} stories, {len(start.keys() & have.keys())} found, {len(have.keys() - start.keys())} else")
        print("| tick | new | corrected | withdrawn | missing | else | requests | changes | sources | share |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        for tick in range(1, chosen.ticks + 1):
            before, had = truth(control), have
            ask(control, "/tick?n=1")
            asked = requests(control)
            crawl(folder)
            asked = requests(control) - asked
            have, withdrawn = kept(folder)
            after = truth(control)
            new, corrected, gone = changed(before, after)
            missing = len(new - have.keys()) + len(gone - withdrawn)
            missing += sum(have[url] == had.get(url, 0) for url in corrected & have.keys())
            extra = len(have.keys() - after.keys() - gone)
            extra += sum(have[url] != had[url] for url in (have.keys() & had.keys()) - corrected)
            changes, listed = len(new) + len(corrected) + len(gone), sources(folder)
            share = max(asked - listed, 0) / max(changes, 1)
            row = [tick, len(new), len(corrected), len(gone), missing, extra, asked, changes, listed, f"{share:.2f}"]
            print("|", " | ".join(map(str, row)), "|", flush=True)
            wrong += missing + extra
        if chosen.recheck:
            crawl(folder, "--recheck")  # what stands around the stories changed with the last ticks
            rows = counts(folder)
            crawl(folder, "--recheck")
            print("with --recheck, more rows:", dict(counts(folder) - rows))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
