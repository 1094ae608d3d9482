"""Opening, locking, transactions, runs, sites, ledger: the archive as a whole."""

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from parsers.errors import ArchiveError, ArchiveLocked, UsageError
from parsers.page import Page
from storage.archive import Archive, Kept
from storage.records import Exchange

NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
HOLD = """
import sys
from pathlib import Path
from storage.archive import Archive
with Archive.open(Path(sys.argv[1]), write=True):
    print("open", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A closed archive with one capture."""
    with Archive.create(tmp_path / "archive") as archive:
        keep(archive, "https://example.org/a", b"<p>one</p>")
    return tmp_path / "archive"


def keep(archive: Archive, url: str, body: bytes, *, at: datetime = NOW) -> Kept:
    answer = Exchange(url, at, b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", body)
    site = archive.site_id("example", home="https://example.org/", parser=None, timezone=None, now=at)
    run = archive.start_run(now=at, version="1", command="crawl", settings="{}")
    return archive.keep(Page(url, body, captured=at), [answer], run=run, site=site, kind="story", verdict="article")


def bytes_of(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# -- folder --------------------------------------------------------------------------------------------------------


def test_a_new_archive_has_its_files(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names == {"archive.db", "warc", "reports", "corrections.jsonl", "takedowns.jsonl", "lock"}
    assert len(list((folder / "warc").glob("*.warc.gz"))) == 1


def test_an_archive_is_not_made_twice(folder: Path) -> None:
    before = bytes_of(folder)
    with pytest.raises(UsageError, match="is an archive already"):
        Archive.create(folder)
    assert bytes_of(folder) == before


def test_what_people_decided_survives_making_an_archive(tmp_path: Path) -> None:
    (tmp_path / "corrections.jsonl").write_text('{"a": 1}\n')
    Archive.create(tmp_path).close()
    assert (tmp_path / "corrections.jsonl").read_text() == '{"a": 1}\n'


@pytest.mark.parametrize("write", [True, False])
def test_a_folder_that_is_no_archive_is_said_so(tmp_path: Path, write: bool) -> None:
    with pytest.raises(UsageError, match="is not an archive") as caught:
        Archive.open(tmp_path, write=write)
    assert caught.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_path_may_be_text(folder: Path) -> None:
    with Archive.open(str(folder)) as archive:
        assert archive.path == folder


def test_odd_names_of_folders(tmp_path: Path) -> None:
    odd = tmp_path / "a b?c#d%20é"
    Archive.create(odd).close()
    with Archive.open(odd) as archive:
        assert archive.verdicts() == []
    assert (odd / "archive.db").is_file()


# -- reading -------------------------------------------------------------------------------------------------------


def test_frozen_reading_leaves_the_folder_byte_for_byte(folder: Path) -> None:
    before = bytes_of(folder)
    with Archive.open(folder, frozen=True) as archive:
        assert archive.page(1).body == b"<p>one</p>"
        archive.search("one")
        archive.quotes()
        archive.people(limit=5)
        archive.status(now=NOW)
        archive.verdicts()
        archive.changes(run=1)
        assert bytes_of(folder) == before
    assert bytes_of(folder) == before


def test_a_reader_opened_before_a_run_sees_what_the_run_writes(folder: Path) -> None:
    with Archive.open(folder) as reader:
        before = reader.db.execute("SELECT count(*) FROM run").fetchone()[0]
        with Archive.open(folder, write=True) as writer:
            for _ in range(50):
                writer.start_run(now=NOW, version="1", command="crawl", settings='{"a": "' + "b" * 1000 + '"}')
        assert reader.db.execute("SELECT count(*) FROM run").fetchone()[0] == before + 50
        assert reader.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_a_file_that_is_no_database_is_named(folder: Path) -> None:
    (folder / "archive.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(ArchiveError, match=r"archive\.db is damaged"):
        Archive.open(folder)


def test_a_folder_without_write_permission_can_be_read(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        with Archive.open(folder) as archive:
            assert archive.page(1).body == b"<p>one</p>"
    finally:
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755)


def test_a_reader_cannot_write(folder: Path) -> None:
    with Archive.open(folder) as archive, pytest.raises(ArchiveError, match="readonly"):
        keep(archive, "https://example.org/b", b"two")


def test_readers_read_while_someone_writes(folder: Path) -> None:
    with Archive.open(folder, write=True) as writer:
        keep(writer, "https://example.org/b", b"two")
        with Archive.open(folder) as reader:
            assert reader.page(2).body == b"two"
            with writer.transaction():
                kept = keep(writer, "https://example.org/c", b"three")
                # Neither blocked nor shown what is not committed.
                assert reader.db["capture"].count == 2
            assert reader.db["capture"].count == 3
            assert reader.page(kept.capture).body == b"three"


def test_an_unknown_capture_is_an_error(folder: Path) -> None:
    with Archive.open(folder) as archive, pytest.raises(ArchiveError, match="no capture 99"):
        archive.page(99)


def test_pages_are_given_oldest_first_and_by_site_and_verdict(folder: Path) -> None:
    with Archive.open(folder, write=True) as archive:
        keep(archive, "https://example.org/b", b"two")
        archive.set_verdict(2, "soft_404", "the title says so")
        assert [(key, page.body) for key, page in archive.pages()] == [(1, b"<p>one</p>"), (2, b"two")]
        assert [key for key, _ in archive.pages(site="example", verdict="article")] == [1]
        assert [key for key, _ in archive.pages(verdict="soft_404")] == [2]
        assert list(archive.pages(site="other")) == []
        row = archive.db.execute("SELECT verdict, problem FROM capture WHERE id = 2").fetchone()
        assert row == ("soft_404", "the title says so")


# -- the lock ------------------------------------------------------------------------------------------------------


def test_a_second_writer_is_told_who_writes(folder: Path) -> None:
    with Archive.open(folder, write=True), pytest.raises(ArchiveLocked) as caught:
        Archive.open(folder, write=True)
    assert caught.value.exit_code == 75
    assert f"process {os.getpid()}," in str(caught.value)
    assert "since 20" in str(caught.value)
    Archive.open(folder, write=True).close()


def test_the_lock_holds_across_processes_and_dies_with_its_holder(folder: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(ArchiveLocked, match=f"process {holder.pid},"):
            Archive.open(folder, write=True)
        with Archive.open(folder) as reader:
            assert reader.page(1).body == b"<p>one</p>"
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert json.loads((folder / "lock").read_text())["pid"] == holder.pid
    with Archive.open(folder, write=True) as archive:
        assert json.loads((folder / "lock").read_text())["pid"] == os.getpid()
        assert archive.page(1).body == b"<p>one</p>"


def test_a_lock_that_nobody_signed_still_locks(folder: Path) -> None:
    with Archive.open(folder, write=True):
        (folder / "lock").write_text("")
        with pytest.raises(ArchiveLocked, match="process unknown"):
            Archive.open(folder, write=True)


# -- transactions --------------------------------------------------------------------------------------------------


def half_done(archive: Archive) -> None:
    with archive.transaction():
        keep(archive, "https://example.org/b", b"two")
        with archive.transaction():
            archive.note(1, date(2026, 3, 1), "listed")
        raise RuntimeError


def test_everything_inside_a_transaction_arrives_together_or_not_at_all(folder: Path) -> None:
    with Archive.open(folder, write=True) as archive:
        with pytest.raises(RuntimeError):
            half_done(archive)
        assert archive.db["capture"].count == 1
        assert archive.db["ledger"].count == 0
        # And goes on working.
        assert archive.page(keep(archive, "https://example.org/c", b"three").capture).body == b"three"


def test_a_database_that_cannot_be_written_is_our_error(folder: Path) -> None:
    with Archive.open(folder, write=True) as archive:
        archive.db.execute("PRAGMA busy_timeout = 10")
        other = sqlite3.connect(folder / "archive.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ArchiveLocked, match="another program holds") as caught:
            archive.note(1, date(2026, 3, 1), "listed")
        assert "archive.db" in caught.value.what
        assert "database is locked" not in str(caught.value)
        other.close()
        archive.note(1, date(2026, 3, 1), "listed")


# -- runs, sites, ledger -------------------------------------------------------------------------------------------


def test_runs_begin_and_end(tmp_path: Path) -> None:
    with Archive.create(tmp_path) as archive:
        run = archive.start_run(now=NOW, version="1.2", command="crawl", settings='{"delay": "2s"}')
        archive.end_run(run, now=NOW + timedelta(seconds=90), state="partly", counts={"got": 3, "b": 1}, errors=2)
        row = next(iter(archive.db.query("SELECT * FROM runs")))
    assert row == {
        "id": run,
        "command": "crawl",
        "version": "1.2",
        "started": "2026-03-01T06:00:00.000Z",
        "ended": "2026-03-01T06:01:30.000Z",
        "seconds": 90.0,
        "state": "partly",
        "captures": 0,
        "visits": 0,
        "errors": 2,
        "counts": '{"b": 1, "got": 3}',
        "problems": "[]",
        "settings": '{"delay": "2s"}',
    }


def test_a_run_that_never_ended_is_called_killed_by_the_next(tmp_path: Path) -> None:
    with Archive.create(tmp_path) as archive:
        for hour in range(2):
            archive.start_run(now=NOW + timedelta(hours=hour), version="1", command="crawl", settings="{}")
        rows = [tuple(row) for row in archive.db.execute("SELECT state, ended FROM run ORDER BY id")]
    assert rows == [("killed", "2026-03-01T07:00:00.000Z"), ("running", None)]


def test_a_site_has_one_row_that_is_kept_up_to_date(tmp_path: Path) -> None:
    with Archive.create(tmp_path) as archive:
        first = archive.site_id("example", home="https://example.org/", parser=None, timezone=None, now=NOW)
        other = archive.site_id("other", home="https://example.com/", parser=None, timezone=None, now=NOW)
        later = NOW + timedelta(days=1)
        again = archive.site_id(
            "example", home="https://example.net/", parser="generic", timezone="Asia/Seoul", now=later
        )
        assert again == first != other
        row = archive.db.execute(
            "SELECT home, parser, timezone, first_seen FROM site WHERE id = ?", (first,)
        ).fetchone()
    assert row == ("https://example.net/", "generic", "Asia/Seoul", "2026-03-01T06:00:00.000Z")


def test_the_ledger_adds_up_and_shows_in_coverage(tmp_path: Path) -> None:
    with Archive.create(tmp_path) as archive:
        site = archive.site_id("example", home="https://example.org/", parser=None, timezone=None, now=NOW)
        day = date(2026, 3, 1)
        archive.note(site, day, "listed", n=5)
        archive.note(site, day, "listed", n=2)
        archive.note(site, day, "listed", n=0)
        archive.note(site, day, "tried", n=4)
        archive.note(site, day, "got")
        archive.note(site, day, "failed", "http_500")
        archive.note(site, day, "failed", "deadline_exceeded", 2)
        archive.note(site, date(2026, 3, 2), "dropped", "robots")
        rows = list(archive.db.query("SELECT * FROM coverage ORDER BY day"))
        failed = archive.db.execute("SELECT reason, n FROM ledger WHERE stage = 'failed' ORDER BY reason").fetchall()
    assert failed == [("deadline_exceeded", 2), ("http_500", 1)]
    first = {"listed": 7, "tried": 4, "got": 1, "failed": 3, "dropped": 0, "new_articles": 0, "published": 0}
    second = dict.fromkeys(first, 0) | {"dropped": 1}
    assert rows == [
        {"site": "example", "day": "2026-03-01", **first},
        {"site": "example", "day": "2026-03-02", **second},
    ]
