"""`verify`: every kind of damage one by one, named with file and offset; and nothing where nothing is wrong."""

import gzip
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Crawled, settings_for
from damage import (
    DAMAGE,
    OTHER_PAGE,
    Expected,
    cut,
    execute,
    findings,
    flip,
    overwrite,
    replace,
    some,
    unrecorded,
    value,
    warc,
)
from test_migrations import STORED, old  # noqa: F401 - a fixture: archives of every edition

from parsers.errors import UsageError
from parsers.page import Page
from scraper.portal.server import Portal
from scraper.rebuild import rebuild
from storage.archive import Archive
from storage.facts import FailureFacts
from storage.records import Exchange, members
from storage.verify import Verify
from storage.verify_warc import Checked

COMMAND = str(Path(sys.executable).parent / "newsmorgue")
NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


def test_a_whole_archive_has_no_finding(crawled: Crawled) -> None:
    check = Verify(crawled.folder)
    assert list(check.findings()) == []
    (records, visits) = check.checked.records, check.checked.rows
    assert records == len(list(members(warc(crawled.folder))))
    assert (visits,) == value(crawled.folder, "SELECT count(*) FROM visit")
    assert check.checked.bytes == warc(crawled.folder).stat().st_size
    assert findings(crawled.folder, quick=True) == []


# -- WARC damage ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_damage_in_a_warc_file_is_named(copy: Path, damage: Callable[[Path], Expected]) -> None:
    kind, offset, url = damage(copy)
    found = [(one.kind, one.file, one.offset, one.url) for one in findings(copy)]
    assert (kind, warc(copy).name, offset, url) in found
    assert found[0][2] == offset


@pytest.mark.parametrize("kind", ["response", "revisit", "request", "metadata"])
def test_one_flipped_bit_is_one_finding(copy: Path, kind: str) -> None:
    begin, end, record = some(copy, kind, 3)
    url = record.url if kind in ("response", "revisit") else None
    for offset in (begin, begin + 1, (begin + end) // 2, end - 8, end - 1):  # magic, the middle, CRC, size
        flip(warc(copy), offset)
        assert [(one.kind, one.offset, one.url) for one in findings(copy)] == [("damaged_record", begin, url)]
        flip(warc(copy), offset)
    assert findings(copy) == []


def test_a_file_that_is_gone_is_named_with_everything_that_lay_in_it(copy: Path) -> None:
    path = warc(copy)
    size = path.stat().st_size
    path.unlink()
    first, *others = findings(copy)
    assert (first.kind, first.file, first.offset, first.length) == ("file_missing", path.name, 0, size)
    visits = value(copy, "SELECT count(*) FROM visit")[0]
    assert [one.kind for one in others] == ["row_without_bytes"] * visits
    assert {one.offset for one in others} >= {value(copy, "SELECT offset FROM capture WHERE id = 7")[0]}
    assert findings(copy, quick=True)[0] == first


def test_of_a_file_cut_in_half_every_lost_row_is_named(copy: Path) -> None:
    size = warc(copy).stat().st_size
    lost = value(copy, f"SELECT count(*) FROM visit WHERE offset + length > {size // 2}")[0]
    expected = cut(copy, size // 2)
    found = findings(copy)
    assert (found[0].kind, found[0].offset) == expected[:2]
    assert found[0].length == size - expected[1]
    assert sum(one.kind == "row_without_bytes" for one in found) >= lost - 1
    assert {one.kind for one in findings(copy, quick=True)} == {"file_cut", "row_without_bytes"}


def test_garbage_pushed_in_between_names_what_moved(copy: Path) -> None:
    member = some(copy, "request")
    replace(warc(copy), member.begin, member.begin, b"not a record")
    found = findings(copy)
    assert [(one.kind, one.offset) for one in found if one.kind == "garbage"] == [("garbage", member.begin)]
    moved = value(copy, f"SELECT count(*) FROM visit WHERE offset >= {member.begin}")[0]
    assert sum(one.kind == "bytes_without_row" for one in found) == moved
    assert sum(one.kind == "row_without_bytes" for one in found) >= moved


def test_any_flipped_bit_that_changes_content_is_found(copy: Path) -> None:
    path, rng = warc(copy), random.Random(20261124)
    whole = path.read_bytes()
    places = list(members(path))
    for _ in range(40):
        at = rng.randrange(len(whole))
        flip(path, at, rng.randrange(8))
        begin, end = next((begin, end) for begin, end in places if begin <= at < end)
        found = findings(copy)
        if not found:  # a spare bit of the packing: the content is the same, byte for byte
            assert gzip.decompress(path.read_bytes()[begin:end]) == gzip.decompress(whole[begin:end])
        else:
            assert [one.offset for one in found] == [begin]
        overwrite(path, at, whole[at : at + 1])
    assert findings(copy) == []


# -- tails, writers -------------------------------------------------------------------------------------------------


def test_a_torn_tail_and_what_is_not_recorded_yet_have_kinds_of_their_own(copy: Path) -> None:
    offset = unrecorded(copy)
    end = warc(copy).stat().st_size
    overwrite(warc(copy), end, gzip.compress(b"WARC/1.1\r\nWARC-Type: response" * 9)[:40])
    found = findings(copy)
    assert [(one.kind, one.offset, one.url) for one in found] == [
        ("bytes_without_row", offset, OTHER_PAGE),
        ("torn_tail", end, None),
    ]
    assert [(one.kind, one.offset) for one in findings(copy, quick=True)] == [(one.kind, one.offset) for one in found]
    Archive.open(copy, write=True).close()
    assert findings(copy) == []


def test_what_a_writer_has_not_recorded_yet_is_no_finding(copy: Path) -> None:
    with Archive.open(copy, write=True):
        unrecorded(copy)
        overwrite(warc(copy), warc(copy).stat().st_size, b"\x1f\x8b\x08half a record")
        check = Verify(copy)
        assert list(check.findings()) == []
        assert check.busy
    assert [one.kind for one in findings(copy)] == ["bytes_without_row", "damaged_record"]


# -- rows and bytes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["+ 1000000000", "+ 1", "- 1"])
def test_a_row_without_bytes_is_named(copy: Path, change: str) -> None:
    (offset,) = value(copy, "SELECT offset FROM visit WHERE id = 30")
    execute(
        copy,
        f"UPDATE visit SET offset = offset {change} WHERE id = 30",
        f"UPDATE capture SET offset = offset {change} WHERE offset = {offset}",
    )
    found = findings(copy)
    place = value(copy, "SELECT offset FROM visit WHERE id = 30")[0]
    assert ("row_without_bytes", warc(copy).name, place) in [(one.kind, one.file, one.offset) for one in found]
    assert ("bytes_without_row", warc(copy).name, offset) in [(one.kind, one.file, one.offset) for one in found]
    assert "row_without_bytes" in {one.kind for one in findings(copy, quick=True)}


def test_a_capture_that_points_elsewhere_than_its_visits_is_named(copy: Path) -> None:
    execute(copy, "UPDATE capture SET offset = 7 WHERE id = 30")
    assert [(one.kind, one.offset) for one in findings(copy)] == [("row_without_bytes", 7)]


@pytest.mark.parametrize(
    "change",
    [
        "capture SET digest = zeroblob(16)",
        "capture SET payload_digest = 'sha1:AAAA'",
        "capture SET url = 'https://other.example/'",
        "capture SET withheld = 'noarchive'",
        "visit SET length = length - 1",
        "visit SET status = 404",
        "visit SET at = '2020-01-01T00:00:00.000Z'",
    ],
)
def test_a_row_that_says_something_else_than_its_record_is_named(copy: Path, change: str) -> None:
    offset, url = value(
        copy, "SELECT v.offset, c.url FROM visit v JOIN capture c ON c.id = v.capture_id WHERE v.id = 30"
    )
    key = "id = (SELECT capture_id FROM visit WHERE id = 30)" if change.startswith("capture") else "id = 30"
    execute(copy, f"UPDATE {change} WHERE {key}")
    first = findings(copy)[0]
    assert (first.kind, first.offset) == ("row_mismatch", offset)
    assert first.url in (url, "https://other.example/")


def test_a_visit_that_repeats_another_record_is_named(copy: Path) -> None:
    revisit, capture = value(
        copy, "SELECT v.id, v.capture_id FROM visit v JOIN capture c ON c.id = v.capture_id WHERE v.offset <> c.offset"
    )
    execute(copy, f"UPDATE visit SET capture_id = {capture + 1} WHERE id = {revisit}")
    assert [one.kind for one in findings(copy)] == ["row_mismatch"]


def test_bytes_without_a_row_are_named(copy: Path) -> None:
    offset, url = value(
        copy, "SELECT v.offset, c.url FROM visit v JOIN capture c ON c.id = v.capture_id WHERE v.id = 100"
    )
    execute(copy, "DELETE FROM visit WHERE id = 100")
    found = [one for one in findings(copy) if one.kind == "bytes_without_row"]
    assert [(one.file, one.offset, one.url) for one in found] == [(warc(copy).name, offset, url)]


def test_rows_behind_what_is_said_to_be_indexed_are_named(copy: Path) -> None:
    execute(copy, "UPDATE warc SET indexed = 5000")
    assert ("index_behind", warc(copy).name, 5000) in [(one.kind, one.file, one.offset) for one in findings(copy)]


# -- SQLite ---------------------------------------------------------------------------------------------------------

TAKE_OUT = (
    "INSERT INTO text_fts (text_fts, rowid, title, teaser, body) SELECT 'delete', id, title, teaser, body FROM reading "
    "WHERE id = 5"
)


@pytest.mark.parametrize(
    ("kind", "rows", "statements"),
    [
        ("text_missing", [5], [TAKE_OUT]),
        ("text_missing", [5], ["DELETE FROM text_fts_docsize WHERE id = 5"]),
        ("text_extra", [999], ["INSERT INTO text_fts (rowid, title) VALUES (999, 'nothing')"]),
        ("text_mismatch", [5], ["DROP TRIGGER reading_changed", "UPDATE reading SET title = 'Other' WHERE id = 5"]),
        (
            "text_mismatch",
            [5, 6],
            [
                "DROP TRIGGER reading_changed",
                "CREATE TEMP TABLE kept AS SELECT id, title FROM reading WHERE id IN (5, 6)",
                "UPDATE reading SET title = (SELECT title FROM kept WHERE kept.id <> reading.id) WHERE id IN (5, 6)",
            ],
        ),
    ],
    ids="taken_out size_gone added other_words swapped".split(),
)
def test_full_text_out_of_step_is_named(copy: Path, kind: str, rows: list[int], statements: list[str]) -> None:
    execute(copy, *statements)
    found = findings(copy)
    assert [(one.kind, one.file, one.offset) for one in found] == [(kind, "archive.db", row) for row in rows]
    if kind != "text_extra":
        url = value(copy, f"SELECT url FROM articles WHERE reading_id = {rows[0]}")[0]
        assert found[0].url == url


def test_a_full_text_index_that_is_destroyed_is_named(copy: Path) -> None:
    execute(copy, "UPDATE text_fts_data SET block = zeroblob(length(block)) WHERE id > 10")
    (found,) = findings(copy)
    assert (found.kind, found.file) == ("text_mismatch", "archive.db")


def test_a_row_that_points_to_no_row_is_named(copy: Path) -> None:
    execute(copy, "UPDATE quote SET person_id = 123456 WHERE id = 9")
    assert [(one.kind, one.file, one.offset, one.detail) for one in findings(copy)] == [
        ("foreign_key", "archive.db", 9, "quote.person_id points to no row of person")
    ]


def test_a_page_of_the_database_that_went_bad_is_named(copy: Path) -> None:
    execute(copy, "PRAGMA wal_checkpoint(TRUNCATE)")
    page, size = value(
        copy, "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master WHERE name = 'quote_person'"
    )
    overwrite(copy / "archive.db", (page - 1) * size, random.Random(3).randbytes(size))
    found = findings(copy)
    assert {one.kind for one in found} == {"database_damaged"}
    table = value(copy, "SELECT rootpage FROM sqlite_master WHERE name = 'quote'")[0]
    assert (table - 1) * size in {one.offset for one in found}


@pytest.mark.parametrize("content", [None, b"", b"no database" * 1000])
def test_without_a_database_the_warc_files_are_checked_all_the_same(copy: Path, content: bytes | None) -> None:
    for path in copy.glob("archive.db*"):
        path.unlink()
    if content is not None:
        (copy / "archive.db").write_bytes(content)
    member = some(copy, "response")
    flip(warc(copy), member.begin + 100)
    check = Verify(copy)
    first, second = check.findings()
    assert first.kind == "database_missing" if content is None else "database_damaged"
    assert (second.kind, second.offset) == ("damaged_record", member.begin)
    assert check.checked.records > 250


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        ("latest_reading", "UPDATE reading SET latest = 0 WHERE id = 9"),
        ("revision_number", "UPDATE revision SET n = 5 WHERE id = 9"),
        ("quote_span", "UPDATE quote SET text = text || '.' WHERE id = 9"),
        ("quote_span", 'UPDATE quote_span SET "end" = 100000 WHERE quote_id = 9'),
        ("quote_span", "DELETE FROM quote_span WHERE quote_id = 9"),
    ],
)
def test_what_is_kept_twice_and_does_not_agree_is_named(copy: Path, kind: str, statement: str) -> None:
    execute(copy, statement)
    (found,) = findings(copy)
    assert (found.kind, found.file) == (kind, "archive.db")
    assert found.url in {row[0] for row in sqlite3.connect(copy / "archive.db").execute("SELECT url FROM article")}


def test_two_latest_readings_are_named(copy: Path) -> None:
    older = value(copy, "SELECT id FROM reading WHERE latest = 0")[0]
    execute(copy, f"UPDATE reading SET latest = 1 WHERE id = {older}")
    assert [one.kind for one in findings(copy)] == ["latest_reading"]


# -- nothing where nothing is wrong ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_beside_a_crawl_after_a_kill_after_recovery_and_after_a_rebuild_nothing_is_wrong(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    command = [COMMAND, "crawl", "--archive", str(folder), "--wait", "0s"]
    with Portal(latency=0.02) as portal:
        Archive.create(folder).close()
        settings = settings_for(portal, folder)
        environ = {**os.environ, "NEWSMORGUE_NOW": portal.now.isoformat()}
        for visits in (20, 60):
            crawl = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environ)
            while value(folder, "SELECT count(*) FROM visit")[0] < visits:
                check = Verify(folder)
                assert list(check.findings()) == []
            assert crawl.poll() is None
            assert check.busy
            crawl.send_signal(signal.SIGKILL)
            crawl.wait()
            assert {one.kind for one in findings(folder)} <= {"bytes_without_row", "torn_tail"}
            Archive.open(folder, write=True).close()
            assert findings(folder) == []
        assert subprocess.run(command, stderr=subprocess.DEVNULL, env=environ).returncode == 0
    assert findings(folder) == findings(folder, quick=True) == []
    rebuild(folder, settings)
    assert findings(folder) == findings(folder, quick=True) == []


@pytest.mark.parametrize("old", STORED, indirect=True, ids=lambda path: path.name)
def test_archives_of_earlier_editions_are_whole_before_and_after_they_are_brought_up_to_date(old: Path) -> None:  # noqa: F811
    assert findings(old) == findings(old, quick=True) == []
    Archive.open(old, write=True).close()
    assert findings(old) == findings(old, quick=True) == []
    flip(warc(old), some(old, "response").begin + 99)
    assert [one.kind for one in findings(old)] == ["damaged_record"]


def test_an_archive_without_anything_in_it_is_whole(tmp_path: Path) -> None:
    Archive.create(tmp_path).close()
    assert findings(tmp_path) == []
    with pytest.raises(UsageError, match="is not an archive"):
        findings(tmp_path / "nowhere")


def test_withheld_pages_redirects_and_other_packings_of_one_content_are_whole(tmp_path: Path) -> None:
    def answer(url: str, payload: bytes, *, at: int, status: str = "200 OK", headers: str = "") -> Exchange:
        head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\n{headers}\r\n".encode()
        return Exchange(url, NOW + timedelta(hours=at), b"GET / HTTP/1.1\r\n\r\n", head, payload)

    here, there, body = "https://a.example/here", "https://a.example/there", b"<p>words</p>" * 50
    packed = "Content-Encoding: gzip\r\n"
    with Archive.create(tmp_path) as archive:
        site = archive.site_id("a", home="https://a.example/", parser=None, timezone=None, now=NOW)
        run = archive.start_run(now=NOW, version="1", command="crawl", settings="{}")
        hop = answer(here, b"", at=0, status="301 Moved", headers=f"Location: {there}\r\n")
        for at, exchanges, withheld in (
            (0, [hop, answer(there, body, at=0)], None),
            (1, [hop, answer(there, gzip.compress(body, mtime=0), at=1, headers=packed)], None),
            (2, [hop, answer(there, body, at=2)], None),
            (3, [hop, answer("https://a.example/elsewhere", body, at=3)], None),
            (4, [hop, answer(there, b"<p>other</p>", at=4)], "noarchive"),
        ):
            last = exchanges[-1]
            page = Page(last.url, body if at < 4 else last.payload, here, last.at)
            archive.keep(page, exchanges, run=run, site=site, kind="story", verdict="article", withheld=withheld)
        gone = answer(there, b"", at=5, status="304 Not Modified")
        archive.not_modified(here, [hop, gone], run=run)
        archive.failed(FailureFacts(here, "story", "a", run, "http_500"), site=site, now=NOW)
    assert value(tmp_path, "SELECT count(*) FROM visit") == (6,)
    assert value(tmp_path, "SELECT count(*) FROM capture") == (2,)
    assert findings(tmp_path) == []


def test_a_file_that_is_being_rewritten_is_no_finding(copy: Path) -> None:
    """What a takedown does: the file anew under another name, the rows, and only then the old one is removed."""
    path = warc(copy)
    rewritten = path.with_name(path.name.replace(".warc.gz", "-r1.warc.gz"))

    def tell(checked: Checked) -> None:
        if checked.records == 100:
            with Archive.open(copy, write=True) as archive, archive.transaction():
                shutil.copy(path, rewritten)
                for table in ("visit", "capture", "warc"):
                    archive.db.execute(f"UPDATE {table} SET file = ?", (rewritten.name,))
            path.unlink()

    check = Verify(copy, tell=tell)
    assert list(check.findings()) == []
    assert check.checked.files == 2
