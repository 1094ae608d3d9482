"""Killed in the middle: nothing that was committed is lost, nothing torn stays, nothing fetched is forgotten."""

import gzip
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from parsers.errors import ArchiveDamaged
from parsers.page import Page
from storage.archive import Archive, Kept
from storage.captures import Warc
from storage.records import Exchange, members

NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
INTEGRITY = "INSERT INTO text_fts (text_fts, rank) VALUES ('integrity-check', 1)"
KEEP = """
import sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from parsers.article import Article, Block
from parsers.page import Page
from storage.archive import Archive
from storage.records import Exchange

now = datetime(2026, 3, 1, tzinfo=UTC)
with Archive.open(Path(sys.argv[1]), write=True) as archive:
    run = archive.start_run(now=now, version="1", command="crawl", settings="{}")
    site = archive.site_id("example", home="https://example.org/", parser=None, timezone=None, now=now)
    for n in count(archive.db["capture"].count):
        url, body = f"https://example.org/{n}", f"<p>Page {n} {'word ' * (n % 50)}</p>".encode()
        answer = Exchange(url, now, b"GET / HTTP/1.1\\r\\n\\r\\n", b"HTTP/1.1 200 OK\\r\\n\\r\\n", body)
        with archive.transaction():
            kept = archive.keep(Page(url, body), [answer], run=run, site=site, kind="story", verdict="article")
            article = Article(url, url, title=f"Page {n}", blocks=(Block("p", f"Words of page {n}"),), parser_version="1")
            archive.keep_article(kept.capture, article, site=site, now=now)
        print(n, flush=True)
"""


def exchange(url: str, body: bytes, *, status: str = "200 OK", at: datetime = NOW, coding: str = "") -> Exchange:
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\n{coding}\r\n".encode()
    return Exchange(url, at, b"GET / HTTP/1.1\r\n\r\n", head, body)


def keep(archive: Archive, n: int, body: bytes | None = None) -> Kept:
    body = body or f"<p>{n}</p>".encode()
    url = f"https://example.org/{n}"
    site = archive.site_id("example", home="https://example.org/", parser=None, timezone=None, now=NOW)
    run = archive.start_run(now=NOW, version="1", command="crawl", settings="{}")
    return archive.keep(Page(url, body), [exchange(url, body)], run=run, site=site, kind="story", verdict="article")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A closed archive with three captures."""
    with Archive.create(tmp_path / "archive") as archive:
        for n in range(3):
            keep(archive, n)
    return tmp_path / "archive"


def newest(folder: Path) -> Path:
    return Warc(folder / "warc").files()[-1]


def assert_sound(folder: Path) -> None:
    """Every row is readable, database and full text are whole, `warcio check` has nothing to say."""
    with Archive.open(folder, write=True) as archive:
        assert archive.recovered == []
        assert archive.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert archive.db.execute("PRAGMA foreign_key_check").fetchall() == []
        archive.db.execute(INTEGRITY)
        for (capture,) in archive.db.execute("SELECT id FROM capture WHERE withheld IS NULL").fetchall():
            archive.page(capture)
    files = [str(path) for path in Warc(folder / "warc").files()]
    warcio = Path(sys.executable).with_name("warcio")
    done = subprocess.run([str(warcio), "check", *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_clean_archive_needs_no_recovery(folder: Path) -> None:
    before = newest(folder).read_bytes()
    assert_sound(folder)
    assert newest(folder).read_bytes() == before


@pytest.mark.parametrize("keep_bytes", [1, 10, 150, -1])
def test_a_torn_tail_is_cut(folder: Path, keep_bytes: int) -> None:
    whole = newest(folder).read_bytes()
    record = gzip.compress(b"WARC/1.1\r\nWARC-Type: response\r\n" + random.Random(1).randbytes(200))
    newest(folder).write_bytes(whole + record[:keep_bytes])
    with Archive.open(folder, write=True) as archive:
        assert len(archive.recovered) == 1
        assert archive.recovered[0].startswith(f"{newest(folder).name}: cut {len(record[:keep_bytes])} bytes")
        kept = keep(archive, 7)
        assert archive.page(kept.capture).body == b"<p>7</p>"
    assert newest(folder).read_bytes().startswith(whole)
    assert_sound(folder)


def test_a_file_that_is_all_torn_is_emptied_and_used(folder: Path) -> None:
    torn = folder / "warc" / "20260301T070000-00002.warc.gz"
    torn.write_bytes(b"\x1f\x8b\x08")
    with Archive.open(folder, write=True) as archive:
        assert archive.recovered == [f"{torn.name}: cut 3 bytes of a record that was never finished"]
        assert archive.page(keep(archive, 8).capture).body == b"<p>8</p>"
    assert_sound(folder)


def test_a_reader_cuts_nothing(folder: Path) -> None:
    newest(folder).write_bytes(newest(folder).read_bytes() + b"torn")
    with Archive.open(folder) as archive:
        assert archive.recovered == []
        assert archive.page(1).body == b"<p>0</p>"
    assert newest(folder).read_bytes().endswith(b"torn")


def test_a_byte_that_went_bad_costs_one_record_and_not_what_follows(folder: Path) -> None:
    path = newest(folder)
    before = path.read_bytes()
    with Archive.open(folder) as archive:
        offset, length = archive.db.execute("SELECT offset, length FROM capture WHERE id = 2").fetchone()
    data = bytearray(before)
    data[offset + length // 2] ^= 0x10
    path.write_bytes(data)
    with Archive.open(folder, write=True) as archive:
        assert archive.recovered == []
        assert path.read_bytes() == bytes(data)
        assert [archive.page(capture).body for capture in (1, 3)] == [b"<p>0</p>", b"<p>2</p>"]
        with pytest.raises(ArchiveDamaged, match=f"offset {offset}"):
            archive.page(2)


def append(folder: Path, *exchanges: Exchange) -> None:
    """What a killed run leaves: durable in WARC, unknown to SQLite."""
    warc = Warc(folder / "warc")
    for one in exchanges:
        warc.append(one)
    warc.close()


@pytest.mark.parametrize("coding", ["", "gzip"])
def test_a_response_that_was_not_yet_recorded_is_indexed(folder: Path, coding: str) -> None:
    body = b"<p>late</p>"
    url = "https://example.org/late"
    with Archive.open(folder, write=True) as archive, archive.transaction():
        archive.frontier.add(url, site=1, kind="front", now=NOW)
    header = f"Content-Encoding: {coding}\r\n" if coding else ""
    append(folder, exchange(url, gzip.compress(body) if coding else body, at=NOW + timedelta(hours=1), coding=header))
    with Archive.open(folder, write=True) as archive:
        assert archive.recovered == [
            f"{newest(folder).name}: indexed 1 responses that were fetched but not yet recorded"
        ]
        row = next(iter(archive.db.query("SELECT * FROM captures WHERE asked = ?", [url])))
        assert (row["site"], row["kind"], row["verdict"], row["status"]) == ("example", "front", None, 200)
        assert (row["at"], row["visits"]) == ("2026-03-01T07:00:00.000Z", 1)
        page = archive.page(row["id"])
        assert (page.body, page.url, page.content_type) == (body, url, "text/html")
    assert_sound(folder)


def test_recovery_finds_the_site_of_an_address_that_was_not_queued(folder: Path) -> None:
    append(
        folder, exchange("https://example.org/robots.txt", b"User-agent: *"), exchange("https://example.com/x", b"x")
    )
    with Archive.open(folder, write=True) as archive:
        rows = archive.db.execute("SELECT kind, site_id FROM capture WHERE id > 3 ORDER BY id").fetchall()
    assert rows == [("robots", 1), ("story", None)]


def test_recovery_takes_no_redirect_for_a_page(folder: Path) -> None:
    append(
        folder,
        exchange("https://example.org/old", b"", status="301 Moved"),
        exchange("https://example.org/new", b"new"),
    )
    with Archive.open(folder, write=True) as archive:
        assert [row[0] for row in archive.db.execute("SELECT url FROM capture WHERE id > 3")] == [
            "https://example.org/new"
        ]
    assert_sound(folder)


def test_recovery_looks_into_a_file_that_was_begun_and_never_recorded(folder: Path) -> None:
    warc = Warc(folder / "warc", rotate_at=10)
    warc.append(exchange("https://example.org/next", b"next"))
    warc.close()
    assert len(warc.files()) == 2
    with Archive.open(folder, write=True) as archive:
        assert archive.page(4).body == b"next"
    assert_sound(folder)


@pytest.mark.parametrize("harm", ["flipped", "no record"])
def test_what_cannot_be_read_costs_nothing_that_follows_it(folder: Path, harm: str) -> None:
    begin = newest(folder).stat().st_size
    append(folder, exchange("https://example.org/8", b"<p>8</p>"))
    middle = newest(folder).stat().st_size
    append(folder, exchange("https://example.org/9", b"<p>9</p>"))
    data = newest(folder).read_bytes()
    if harm == "flipped":
        bad = data[: begin + 200] + bytes([data[begin + 200] ^ 4]) + data[begin + 201 :]
    else:
        bad = data[:begin] + gzip.compress(b"no record") + data[middle:]
    newest(folder).write_bytes(bad)
    with Archive.open(folder, write=True) as archive:
        assert len(archive.recovered) == 2
        assert f"offset {begin}" in archive.recovered[0]
        assert "indexed 1 responses" in archive.recovered[1]
        assert archive.page(4).body == b"<p>9</p>"
        assert archive.db["capture"].count == 4
    assert newest(folder).read_bytes() == bad
    with Archive.open(folder, write=True) as archive:
        assert archive.recovered == []


def test_a_record_that_went_bad_behind_the_last_row_keeps_nothing_from_being_indexed(folder: Path) -> None:
    with Archive.open(folder, write=True) as archive:
        begin = newest(folder).stat().st_size
        run = archive.start_run(now=NOW, version="1", command="crawl", settings="{}")
        archive.end_run(run, now=NOW, state="done", counts={}, errors=0)
    data = bytearray(newest(folder).read_bytes())
    data[begin + 100] ^= 4
    newest(folder).write_bytes(data)
    append(folder, exchange("https://example.org/9", b"<p>9</p>"))
    with Archive.open(folder, write=True) as archive:
        assert any("indexed 1 responses" in words for words in archive.recovered)
        assert archive.page(4).body == b"<p>9</p>"


def test_where_bytes_were_pushed_in_nothing_is_cut(folder: Path) -> None:
    data = newest(folder).read_bytes()
    bad = data[:500] + b"pushed in" + data[500:]
    newest(folder).write_bytes(bad)
    with Archive.open(folder, write=True) as archive:
        assert len(archive.recovered) == 1
        assert archive.recovered[0].endswith("newsmorgue verify")
    assert newest(folder).read_bytes() == bad


def test_what_rows_point_to_is_not_indexed_again(folder: Path) -> None:
    db = sqlite3.connect(folder / "archive.db")
    with db:
        db.execute("UPDATE warc SET indexed = 0")
    db.close()
    with Archive.open(folder, write=True) as archive:
        assert archive.recovered == []
        assert (archive.db["capture"].count, archive.db["visit"].count) == (3, 3)


def test_recovery_happens_once(folder: Path) -> None:
    append(folder, exchange("https://example.org/late", b"late"))
    Archive.open(folder, write=True).close()
    with Archive.open(folder, write=True) as archive:
        assert archive.recovered == []
        assert archive.db["capture"].count == 4


def test_a_recovered_page_waits_to_be_read(folder: Path) -> None:
    append(folder, exchange("https://example.org/9", b"<p>9</p>"))
    with Archive.open(folder, write=True) as archive:
        assert [(row.asked, row.kind) for row in archive.unread()] == [("https://example.org/9", "story")]
        kept = keep(archive, 9)
        assert (kept.identical, kept.read) == (True, False)


def rolled_back(archive: Archive) -> None:
    with archive.transaction():
        keep(archive, 4, b"rolled back")
        raise RuntimeError


def test_what_was_rolled_back_is_in_neither_file(folder: Path) -> None:
    before = newest(folder).read_bytes()
    with Archive.open(folder, write=True) as archive:
        with pytest.raises(RuntimeError):
            rolled_back(archive)
        assert newest(folder).read_bytes() == before
        assert keep(archive, 5).capture == 4
    with Archive.open(folder, write=True) as archive:
        assert archive.recovered == []
        assert archive.db["capture"].count == 4
    assert_sound(folder)


def test_killed_in_the_middle_of_keeping(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    Archive.create(folder).close()
    rng = random.Random(20260301)
    said = -1
    for _ in range(5):
        child = subprocess.Popen([sys.executable, "-c", KEEP, str(folder)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        assert child.stdout.readline()
        time.sleep(rng.uniform(0.02, 0.3))
        os.kill(child.pid, signal.SIGKILL)
        lines = child.stdout.read().split(b"\n")[:-1]
        child.stdout.close()
        assert child.wait() == -signal.SIGKILL
        said = max([said, *(int(line) for line in lines)])
        db = sqlite3.connect(f"file:{folder / 'archive.db'}?mode=ro", uri=True)
        committed = db.execute("SELECT url, digest FROM capture ORDER BY id").fetchall()
        db.close()
        # What was said to be kept is kept.
        assert f"https://example.org/{said}" in {url for url, _ in committed}
        with Archive.open(folder) as archive:
            assert archive.db["capture"].count == len(committed)
        with Archive.open(folder, write=True) as archive:
            assert archive.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            assert (
                archive.db.execute("SELECT url, digest FROM capture ORDER BY id").fetchall()[: len(committed)]
                == committed
            )
            archive.db.execute(INTEGRITY)
            for (capture,) in archive.db.execute("SELECT id FROM capture").fetchall():
                archive.page(capture)
            articles, readings = archive.db["article"].count, archive.db["reading"].count
            assert articles == readings == archive.db.execute("SELECT count(*) FROM text_fts").fetchone()[0]
            assert (
                archive.db.execute("SELECT count(*) FROM capture WHERE verdict IS NOT NULL").fetchone()[0] == articles
            )
        # A response whose request was torn off is indexed all the same.
        assert sum(1 for _ in members(newest(folder))) >= len(committed)
    assert said > 20
    assert_sound(folder)
