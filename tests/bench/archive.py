"""What keeping costs: `python tests/bench/archive.py [--articles N] [--rows N] [--visits N] [--warc N] [--profile]`.

Ingest: complete articles (four tags, two quotes with people, a capture with its visit, full text) kept as users keep them, in
groups of 50 a transaction, against a loop of plain executes that writes the very same rows, read back from the first archive,
into a second one: it looks nothing up, hashes nothing and builds nothing within its clock. Group by group they take turns.
At the end every table of the two is compared row for row. No WARC is written unless `--warc` asks for it.

All times are CPU time (user and system) of this process; the machine's load stands beside the figures.
"""

import argparse
import cProfile
import gc
import hashlib
import os
import pstats
import random
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from rawloop import Replay, checksum, raw_store, replay
from synthetic import Synthetic

from parsers.article import Article
from parsers.page import Page
from storage import aliases, articles, keeping
from storage.archive import Archive
from storage.captures import Warc
from storage.facts import PageFacts
from storage.records import Exchange, Place

GROUP = 50
NOW = datetime(2026, 3, 1, tzinfo=UTC)
HASH, WIRE = keeping.digest(b""), keeping.payload_digest(b"")
REQUEST, RESPONSE = b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"


class Placed(Warc):
    """Says where a record would lie, and writes none: what is measured is the database."""

    offset = 0

    def append(self, exchange: Exchange, **_: object) -> Place:
        """The next place."""
        self.offset += 20_000
        return Place("20260301T000000-00001.warc.gz", self.offset, 20_000)

    def sync(self) -> None:
        """Nothing to make durable."""


class Clock:
    """CPU seconds spent inside `with`."""

    def __init__(self) -> None:
        self.spent = 0.0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        begin = time.process_time()
        yield
        self.spent += time.process_time() - begin


class Keeper:
    """An archive of some synthetic articles, kept as a crawl keeps them."""

    def __init__(self, folder: Path) -> None:
        self.archive = Archive.create(folder)
        self.run = self.archive.start_run(now=NOW, version="0", command="bench", settings="{}")
        self.sites = [
            self.archive.site_id(f"news{n}", home=f"https://news{n}.example/", parser=None, timezone=None, now=NOW)
            for n in range(20)
        ]

    def group(self, pages: Sequence[tuple[Article, Page, Exchange, Place]]) -> None:
        """Keep some articles in one transaction."""
        archive = self.archive
        with archive.transaction():
            for number, (article, page, answer, place) in enumerate(pages):
                site = self.sites[number % len(self.sites)]
                facts = PageFacts(article.url, "story", self.run, verdict="article")
                conn, at = archive.db.conn, answer.at
                known = keeping.standing(conn, facts, at)
                kept = keeping.index(
                    conn, page, facts, place, known, site=site, at=at, size=len(answer.payload), wire=WIRE, own=HASH
                )  # fmt: skip
                archive.keep_article(kept.capture, article, site=site, now=NOW)


def fetched(article: Article, number: int, body: bytes = b"") -> tuple[Article, Page, Exchange, Place]:
    """An article with the response it could have come from."""
    at = NOW + timedelta(milliseconds=number)
    headers = (("Content-Type", "text/html"),)
    page = Page(article.url, body, captured=at, headers=headers)
    place = Place("20260301T000000-00001.warc.gz", number * 20_000, 20_000)
    return article, page, Exchange(article.url, at, REQUEST, RESPONSE, body), place


def ingest(folder: Path, n: int, *, foreign_keys: bool, profile: bool) -> Keeper:
    """The table of ingest; gives the archive that it filled."""
    keeper = Keeper(folder / "ours")
    source = Synthetic().articles(n)
    rows = Replay(folder / "ours")
    conn = raw_store(folder / "raw", foreign_keys=foreign_keys)
    replay(conn, rows.statements())
    ours, raw = Clock(), Clock()
    profiler = cProfile.Profile() if profile else None
    checks = "on" if foreign_keys else "off"
    print(f"ingest of {n} articles, groups of {GROUP}; foreign keys {checks} in the raw loop; {load()}")
    print(f"{'articles':<12}{'Archive, CPU us':>16}{'raw loop':>10}{'of its rate':>13}{'MB of memory at most':>22}")
    done, last = 0, (0, 0.0, 0.0)
    while found := list(islice(source, GROUP)):
        pages = [fetched(article, done + place) for place, article in enumerate(found)]
        if profiler:
            profiler.enable()
        with ours():
            keeper.group(pages)
        if profiler:
            profiler.disable()
        statements = rows.statements()
        with raw():
            replay(conn, statements)
        done += len(found)
        if done * 10 % n < GROUP * 10:
            a, b, c = (now - then for now, then in zip((done, ours.spent, raw.spent), last, strict=True))
            print(f"to {done:<9}{b / a * 1e6:>16.0f}{c / a * 1e6:>10.0f}{c / b:>13.3f}{memory():>22}", flush=True)
            last = (done, ours.spent, raw.spent)
    print(f"{'all':<12}{ours.spent / n * 1e6:>16.0f}{raw.spent / n * 1e6:>10.0f}{raw.spent / ours.spent:>13.3f}")
    same = checksum(rows.db) == checksum(conn)
    conn.close()
    print(f"{n / ours.spent:.0f} against {n / raw.spent:.0f} articles per CPU second; ", end="")
    print(f"the same rows, row for row: {same}; {load()}\n", flush=True)
    if profiler:
        pstats.Stats(profiler, stream=sys.stdout).sort_stats("tottime").print_stats(25)
    return keeper


def visits(archive: Archive, n: int) -> None:
    """The table of visits to known, unchanged articles."""
    rng = random.Random(2)
    archive.warc = Placed(archive.path / "warc")
    conn = archive.db.conn
    known = conn.execute("SELECT asked, run_id, site_id FROM capture").fetchall()
    quiet = ("revision", "reading", "text_fts_data", "text_fts_docsize")
    before = {table: _content(conn, table) for table in quiet}
    print(f"visits to known, unchanged articles, groups of {GROUP}; no WARC; {load()}")
    print(f"{'':<22}{'CPU us/visit':>14}{'lowest tenth of groups':>24}")
    for name in ("304", "the same content"):
        spent = []
        for first in range(0, n, GROUP):
            asked = rng.choices(known, k=GROUP)
            at = NOW + timedelta(days=1, seconds=first)
            answer = Exchange("", at, REQUEST, RESPONSE, b"")
            pages = [(Page(url, b"", captured=at), run, site) for url, run, site in asked]
            begin = time.process_time()
            with archive.transaction():
                for page, run, site in pages:
                    if name == "304":
                        archive.not_modified(page.url, [answer], run=run)
                    else:
                        archive.keep(page, [answer], run=run, site=site, kind="story", verdict=None)
                    archive.seen_again(page.url, now=at)
            spent.append((time.process_time() - begin) / GROUP * 1e6)
        spent.sort()
        print(f"{name:<22}{sum(spent) / len(spent):>14.1f}{spent[len(spent) // 10]:>24.1f}", flush=True)
    same = {table: _content(conn, table) for table in quiet} == before
    print(f"revisions, readings and full text are as they were: {same}\n", flush=True)


def _content(conn: sqlite3.Connection, table: str) -> str:
    digest = hashlib.sha256()
    for row in conn.execute(f"SELECT * FROM {table} ORDER BY 1"):
        digest.update(repr(row).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def lookups(folder: Path, rows: int) -> None:
    """The table of look-ups by address and by content against the bare SELECT on the same connection, in turns."""
    rng = random.Random(3)
    with Archive.create(folder / "wide") as archive:
        conn = archive.db.conn
        with archive.transaction():
            conn.execute(
                "INSERT INTO capture (id, kind, asked, url, at, status, size, digest, payload_digest, file, offset, length) "
                "VALUES (1, 'story', '', '', '', 200, 0, ?, ?, '', 0, 0)",
                (HASH, WIRE),
            )
            numbers = range(1, rows + 1)
            conn.executemany(
                "INSERT INTO article (id, url, first_seen, last_seen) VALUES (?, ?, '', '')",
                ((n, _url(n)) for n in numbers),
            )
            conn.executemany("INSERT INTO alias VALUES (?, ?, 'asked', '')", ((_url(n), n) for n in numbers))
            conn.executemany(
                "INSERT INTO revision (article_id, n, capture_id, at, digest, text_digest, title_changed, body_changed) "
                "VALUES (?, 1, 1, '', x'', ?, 0, 0)",
                ((n, _text(n)) for n in numbers),
            )
        kinds: dict[str, tuple[Callable[[int], Any], Callable[[Any], object], str]] = {
            "address": (_url, partial(aliases.at_address, conn), "SELECT article_id FROM alias WHERE url = ?"),
            "content": (
                _text,
                partial(articles.with_text, conn),
                "SELECT article_id FROM revision WHERE text_digest = ?",
            ),
        }
        print(f"look-ups at {rows} rows; {load()}")
        print(f"{'':<24}{'ours, CPU us':>14}{'bare SELECT':>14}{'x bare':>8}{'median of chunks':>18}")
        for name, (key_of, ours, sql) in kinds.items():
            for hit in (True, False):
                spent: tuple[list[float], list[float]] = ([], [])
                for chunk in range(100):
                    for which in (0, 1) if chunk % 2 else (1, 0):
                        keys = [key_of(rng.randint(1, rows) + (0 if hit else rows)) for _ in range(min(500, rows))]
                        begin = time.process_time()
                        if which:
                            found = [conn.execute(sql, (key,)).fetchone() is not None for key in keys]
                        else:
                            found = [ours(key) is not None for key in keys]
                        spent[which].append((time.process_time() - begin) / len(keys) * 1e6)
                        assert all(found) if hit else not any(found)
                mean = [statistics.mean(values) for values in spent]
                middle = [statistics.median(values) for values in spent]
                label = f"by {name}, {'found' if hit else 'not there'}"
                print(
                    f"{label:<24}{mean[0]:>14.2f}{mean[1]:>14.2f}{mean[0] / mean[1]:>8.2f}{middle[0] / middle[1]:>18.2f}",
                    flush=True,
                )
    print()


def _url(n: int) -> str:
    return f"https://news{n % 20}.example/2026/03/{_text(n).hex()}-{n}"


def _text(n: int) -> bytes:
    return hashlib.blake2b(str(n).encode(), digest_size=16).digest()


def whole(folder: Path, n: int) -> None:
    """The table of ingest with WARC: record, fsync, rows."""
    keeper = Keeper(folder / "whole")
    source, done = Synthetic().articles(n), 0
    print(f"ingest of {n} articles with WARC, groups of {GROUP}; {load()}")
    print(f"{'to':<10}{'CPU us/article':>16}{'wall us/article':>17}{'WARC kB/article':>17}{'MB of memory at most':>22}")
    cpu = wall = 0.0
    while found := list(islice(source, GROUP)):
        pages = [fetched(article, done + place, _html(article)) for place, article in enumerate(found)]
        begin, start = time.process_time(), time.perf_counter()
        with keeper.archive.transaction():
            for article, page, answer, _ in pages:
                kept = keeper.archive.keep(
                    page, [answer], run=keeper.run, site=keeper.sites[0], kind="story", verdict="article"
                )
                keeper.archive.keep_article(kept.capture, article, site=keeper.sites[0], now=NOW)
        cpu, wall = cpu + time.process_time() - begin, wall + time.perf_counter() - start
        done += len(found)
        if done * 5 % n < GROUP * 5:
            size = sum(path.stat().st_size for path in (folder / "whole" / "warc").iterdir())
            print(
                f"{done:<10}{cpu / done * 1e6:>16.0f}{wall / done * 1e6:>17.0f}{size / done / 1000:>17.1f}{memory():>22}"
            )
    keeper.archive.close()
    print()


def _html(article: Article) -> bytes:
    text = "".join(f"<p>{block.text}</p>\n" for block in article.blocks)
    menu = "".join(f'<li><a class="menu-item" href="/section/{n}/">Section {n}</a></li>\n' for n in range(300))
    return f"<!doctype html><html><head><title>{article.title}</title></head><body>{menu}{text}</body></html>".encode()


def memory() -> int:
    """Megabytes of memory that this process had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def load() -> str:
    """The machine's load."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def main() -> None:
    """Print the tables."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--articles", type=int, default=10_000, help="articles to keep (%(default)s)")
    options.add_argument(
        "--rows", type=int, default=1_000_000, help="rows to look up among, 0: not at all (%(default)s)"
    )
    options.add_argument("--visits", type=int, default=10_000, help="visits to kept articles (%(default)s)")
    options.add_argument("--warc", type=int, default=2_000, help="articles to keep with WARC (%(default)s)")
    options.add_argument("--no-foreign-keys", action="store_true", help="the raw loop checks no foreign keys")
    options.add_argument("--profile", action="store_true", help="say where the time goes (slows ours)")
    chosen = options.parse_args()
    gc.freeze()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if chosen.articles:
            keeper = ingest(folder, chosen.articles, foreign_keys=not chosen.no_foreign_keys, profile=chosen.profile)
            if chosen.visits:
                visits(keeper.archive, chosen.visits)
            keeper.archive.close()
        if chosen.rows:
            lookups(folder, chosen.rows)
        if chosen.warc:
            whole(folder, chosen.warc)


if __name__ == "__main__":
    main()
