"""What a check and a backup cost: `python tests/bench/verify.py [--pages N ...]`. A table to stdout, one row a size.

Archives of so many pages of random words (about 30 KB each, an article with a statement each) are made in a temporary
folder. CPU time of `verify`, set against `gzip` alone inflating the same files; of a first and a second backup; and the
peak of memory of each verb, run as a process of its own. The machine's load stands beside the figures.
"""

import argparse
import gzip
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from parsers.article import Article, Block
from parsers.page import Page
from storage.archive import Archive
from storage.captures import Warc
from storage.records import Exchange

NOW = datetime(2026, 3, 1, tzinfo=UTC)
COMMAND = str(Path(sys.executable).with_name("newsmorgue"))


def make(folder: Path, pages: int) -> None:
    """An archive of so many pages."""
    rng = random.Random(1)
    words = ["".join(rng.choices("abcdefghijklmnop", k=rng.randint(2, 9))) for _ in range(5000)]
    with Archive.create(folder) as archive:
        (folder / "newsmorgue.toml").write_text("")
        site = archive.site_id("a", home="https://a.example/", parser=None, timezone=None, now=NOW)
        run = archive.start_run(now=NOW, version="1", command="crawl", settings="{}")
        for first in range(0, pages, 50):
            with archive.transaction():
                for n in range(first, min(first + 50, pages)):
                    url, at = f"https://a.example/{n}", NOW + timedelta(seconds=n)
                    text = " ".join(rng.choices(words, k=4500))
                    body = f"<html><title>{n}</title><p>{text}</p></html>".encode()
                    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
                    exchange = Exchange(url, at, b"GET / HTTP/1.1\r\n\r\n", head, body)
                    page = Page(url, body, url, at)
                    kept = archive.keep(page, [exchange], run=run, site=site, kind="story", verdict="article")
                    article = Article(
                        url, url, title=f"Page {n}", blocks=(Block("p", text[:3000]),), parser_version="1"
                    )
                    archive.keep_article(kept.capture, article, site=site, now=at)


def cost(*arguments: str) -> tuple[float, float]:
    """CPU seconds and peak memory (MB) of a verb, as a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # VmHWM, not ru_maxrss: that of a child begins with what its parent held.
    code = (
        "import sys\nfrom scraper.cli.main import run\ncode = run(sys.argv[1:])\n"
        "peak = next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "sys.stderr.write(f'\\npeak {peak}')\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(done.stderr)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, int(done.stderr.rsplit("peak ", 1)[1]) / 1024


def inflate(folder: Path) -> float:
    """CPU seconds of gzip over the same files."""
    start = time.process_time()
    for path in Warc(folder / "warc").files():
        with gzip.open(path) as file:
            while file.read(1 << 20):
                pass
    return time.process_time() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, nargs="+", default=[1000, 10000])
    sizes = parser.parse_args().pages
    print(f"load {os.getloadavg()[0]:.1f}; CPU seconds, peak memory in MB")
    print("pages    WARC MB   gzip   verify   MB/s   x gzip   peak   --quick   backup   again   peak")
    for pages in sizes:
        with tempfile.TemporaryDirectory() as temporary:
            folder, to = Path(temporary) / "archive", Path(temporary) / "backup"
            make(folder, pages)
            size = sum(path.stat().st_size for path in Warc(folder / "warc").files()) / 1e6
            alone = inflate(folder)
            seconds, peak = cost("verify", "--archive", str(folder))
            quick, _ = cost("verify", "--quick", "--archive", str(folder))
            first, _ = cost("backup", str(to), "--archive", str(folder))
            again, memory = cost("backup", str(to), "--archive", str(folder))
            print(
                f"{pages:<8} {size:<9.1f} {alone:<6.2f} {seconds:<8.2f} {size / seconds:<6.1f} {seconds / alone:<8.1f} {peak:<6.0f} "
                f"{quick:<9.2f} {first:<8.2f} {again:<7.2f} {memory:.0f}"
            )
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
