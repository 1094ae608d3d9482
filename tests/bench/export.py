"""What an export costs: `python tests/bench/export.py [--articles N] [--formats csv,sqlite] [--keep DIR]`. A table to stdout.

Makes an archive of N invented articles (4 kB of text, 4 tags, 2 authors, 2 statements, a capture with two visits, a card on a
front) with plain SQL, and exports it with the `newsmorgue` command, one process a format: wall and CPU seconds, articles a
second, bytes written and the process's peak of memory. Memory that grows with N is a fault. The archive has no WARC files, so
WARC is left out. `--keep` uses the archive in DIR, and makes it there if it is missing.
"""

import argparse
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from storage.archive import Archive

DAY = "2026-{:02d}-{:02d}T06:00:00.000Z"
WORDS = (
    "harbour council tariff sleep winter ferry budget clinic market bridge teacher storm island survey nurse".split()
)
READING = (
    "reading (id, revision_id, capture_id, at, parser_version, latest, title, teaser, description, body, blocks, captions, "
    "sections, published_utc, words, provenance)"
)
SITES, FRONTS, PEOPLE, TAGS = 20, 40, 5_000, 2_000


def text(chance: random.Random, words: int) -> str:
    """Some words."""
    return " ".join(chance.choices(WORDS, k=words))


def tables(articles: int) -> Iterator[tuple[str, Iterator[tuple[object, ...]]]]:
    """Table and rows, in an order in which foreign keys hold."""
    keys = range(1, articles + 1)
    chance = random.Random(4)

    def day(key: int) -> str:
        return DAY.format(key % 12 + 1, key % 28 + 1)

    def url(key: int) -> str:
        return f"https://site{key % SITES}.example/story/{key}"

    yield (
        "site (id, name, home, first_seen)",
        ((n + 1, f"site{n}", f"https://site{n}.example/", day(1)) for n in range(SITES)),
    )
    yield "run (id, command, version, settings, started, state)", iter([(1, "crawl", "1", "{}", day(1), "done")])
    yield "tag (id, name, normalised)", ((n, f"Tag {n}", f"tag {n}") for n in range(1, TAGS + 1))
    yield "author (id, name, normalised)", ((n, f"Author {n}", f"author {n}") for n in range(1, TAGS + 1))
    yield "affiliation (id, name, normalised)", ((n, f"House {n}", f"house {n}") for n in range(1, TAGS + 1))
    yield (
        "person (id, name, normalised, type, affiliation_id, first_seen, last_seen)",
        ((n, f"Ada {n}", f"ada {n}", "person", n % TAGS + 1, day(1), day(1)) for n in range(1, PEOPLE + 1)),
    )
    yield (
        "capture (id, site_id, run_id, kind, asked, url, at, status, verdict, size, digest, payload_digest, file, offset, length)",
        (
            (key, key % SITES + 1, 1, "story", url(key), url(key), day(key), 200, "article", 40_000,
             key.to_bytes(16, "big"), "sha1:A", "1.warc.gz", key * 9_000, 8_000)
            for key in keys
        ),
    )  # fmt: skip
    yield "visit (id, capture_id, run_id, at, status, file, offset, length)", (
        (2 * key + n, key, 1, day(key), 304 if n else 200, "1.warc.gz", key * 9_000 + n * 8_500, 400)
        for key in keys for n in (0, 1)
    )  # fmt: skip
    yield (
        "article (id, site_id, url, first_seen, last_seen)",
        ((key, key % SITES + 1, url(key), day(key), day(key)) for key in keys),
    )
    yield "alias (url, article_id, source, first_seen)", ((url(key), key, "canonical", day(key)) for key in keys)
    yield (
        "revision (id, article_id, n, capture_id, at, digest, text_digest, title_changed, body_changed)",
        ((key, key, 1, key, day(key), key.to_bytes(16, "big"), key.to_bytes(16, "big"), 0, 0) for key in keys),
    )
    yield (
        READING,
        (
            (key, key, key, day(key), "1", 1, text(chance, 8), text(chance, 25), "", text(chance, 550), "[]", "[]", "[]",
             day(key), 550, "{}")
            for key in keys
        ),
    )  # fmt: skip
    yield (
        "article_tag (reading_id, tag_id, position)",
        ((key, (key * 7 + n * 501) % TAGS + 1, n) for key in keys for n in range(4)),
    )
    yield (
        "article_author (reading_id, author_id, position)",
        ((key, (key + n * 501) % TAGS + 1, n) for key in keys for n in range(2)),
    )
    yield (
        "quote (id, reading_id, person_id, n, speaker, speaker_type, role, affiliation_id, cue, text, kind, confidence)",
        (
            (2 * key + n, key, (key + n) % PEOPLE + 1, n, "Ada", "person", "expert", key % TAGS + 1, "said",
             text(chance, 30), "direct", 0.9)
            for key in keys for n in (0, 1)
        ),
    )  # fmt: skip
    yield "quote_span (quote_id, n, start, end)", ((2 * key + n, 1, 0, 9) for key in keys for n in (0, 1))
    yield (
        "front (id, site_id, url, kind, title, first_seen, last_seen)",
        (
            (n + 1, n % SITES + 1, f"https://site{n % SITES}.example/{n}", "front", "F", day(1), day(1))
            for n in range(FRONTS)
        ),
    )
    yield (
        "card (id, site_id, url, title, teaser, section, first_seen, last_seen)",
        ((key, key % SITES + 1, url(key), text(chance, 8), text(chance, 20), "", day(key), day(key)) for key in keys),
    )
    yield (
        "placement (front_id, card_id, position, since, until)",
        ((key % FRONTS + 1, key, key % 40, 2 * key, 2 * key + 1) for key in keys),
    )


def make(folder: Path, articles: int) -> None:
    """The archive."""
    Archive.create(folder).close()
    (folder / "newsmorgue.toml").write_text("", "utf-8")
    db = sqlite3.connect(folder / "archive.db", isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("BEGIN")
    for table, rows in tables(articles):
        marks = ", ".join("?" * (table.count(",") + 1))
        name, _, columns = table.partition(" ")
        quoted = columns.replace(" end)", ' "end")')
        db.executemany(f"INSERT INTO {name} {quoted} VALUES ({marks})", rows)
    db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def size(path: Path) -> int:
    """Bytes of a file or of a folder's files."""
    return sum(file.stat().st_size for file in (path.iterdir() if path.is_dir() else [path]))


def main() -> int:
    """Make, export, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--formats", default="csv,jsonl,parquet,sqlite")
    parser.add_argument("--flags", default="", help="further flags of export, such as --public")
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    command = Path(sys.executable).parent / "newsmorgue"
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch) / "archive"
        if not folder.exists():
            make(folder, given.articles)
        print(f"{given.articles} articles, {size(folder) / 1e6:.0f} MB; load {os.getloadavg()[0]:.1f}")
        print(f"{'':<10}{'wall s':>8}{'CPU s':>8}{'articles/CPU s':>16}{'MB':>8}{'peak MB':>9}")
        for form in given.formats.split(","):
            out = Path(scratch) / f"out-{form}"
            start = time.monotonic()
            child = os.posix_spawn(
                command, ["newsmorgue", "export", form, str(out), "--archive", str(folder), *given.flags.split()],
                os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
            )  # fmt: skip
            _, status, used = os.wait4(child, 0)
            if status:
                sys.stderr.write(f"{form}: exit code {os.waitstatus_to_exitcode(status)}\n")
                return 1
            cpu = used.ru_utime + used.ru_stime
            print(
                f"{form:<10}{time.monotonic() - start:>8.1f}{cpu:>8.1f}{given.articles / cpu:>16.0f}"
                f"{size(out) / 1e6:>8.0f}{used.ru_maxrss / 1000:>9.0f}",
                flush=True,
            )
            shutil.rmtree(out) if out.is_dir() else out.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
