"""A disk that is full or fails: a clear error, nothing kept is harmed, and the next run goes on."""

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import Crawled, settings_for
from damage import findings, value, warc
from test_rebuild import tables
from test_recovery import keep

from parsers.errors import ArchiveError
from scraper.portal.server import Portal
from storage.archive import Archive
from storage.backup import backup
from storage.restore import restore

COMMAND = str(Path(sys.executable).parent / "newsmorgue")
NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A closed archive with three captures."""
    with Archive.create(tmp_path / "archive") as archive:
        for n in range(3):
            keep(archive, n)
    return tmp_path / "archive"


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes: writes fail as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def small_disk(path: Path, size: int) -> Iterator[Path]:
    """A disk of so many bytes; the test is left out where mounting is not permitted."""
    path.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)], capture_output=True)
    if done.returncode:
        pytest.skip("mounting a small disk is not permitted here")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def keep_in_one(archive: Archive, *numbers: int) -> None:
    """Keep pages in one transaction."""
    with archive.transaction():
        for n in numbers:
            keep(archive, n)


def captures(folder: Path) -> int:
    return value(folder, "SELECT count(*) FROM capture")[0]


def assert_goes_on(folder: Path, before: int) -> None:
    """Opened again it is whole, nothing that was there is gone, and it can be written to."""
    with Archive.open(folder, write=True) as archive:
        assert archive.db["capture"].count >= before
        kept = keep(archive, 99)
        assert archive.page(kept.capture).body == b"<p>99</p>"
    assert findings(folder) == []


def test_a_warc_file_that_cannot_grow(folder: Path) -> None:
    before, size = captures(folder), warc(folder).stat().st_size
    with Archive.open(folder, write=True) as archive:
        with files_end_at(size + 100), pytest.raises(ArchiveError, match="cannot write to") as caught:
            keep(archive, 7, os.urandom(5000))
        assert "free some space" in caught.value.next
        assert warc(folder).stat().st_size == size
        assert archive.page(keep(archive, 8).capture).body == b"<p>8</p>"  # and goes on at once
    assert captures(folder) == before + 1
    assert_goes_on(folder, before + 1)


def test_a_database_that_cannot_grow(folder: Path) -> None:
    before = captures(folder)
    with Archive.open(folder, write=True) as archive:
        pages = archive.db.execute("PRAGMA page_count").fetchone()[0]
        archive.db.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(ArchiveError, match=r"cannot read or write .*archive\.db") as caught:
            keep_in_one(archive, *range(100, 1100))
        assert "full" in caught.value.cause
        archive.db.execute("PRAGMA max_page_count = 1000000")
        committed = archive.db["capture"].count
        assert committed >= before
    assert_goes_on(folder, committed)


def test_a_commit_that_fails_after_the_bytes_are_safe(folder: Path) -> None:
    """SQLite's log cannot grow, the WARC file can: the bytes stay, and the next to open the archive indexes them."""
    with Archive.open(folder, write=True) as archive:
        for n in range(10, 40):
            keep(archive, n)
        before, size = archive.db["capture"].count, warc(folder).stat().st_size
        log = (folder / "archive.db-wal").stat().st_size
        assert log > size + 20_000
        with files_end_at(log + 1), pytest.raises(ArchiveError, match=r"archive\.db"):
            keep_in_one(archive, 41)
        assert warc(folder).stat().st_size > size
        assert archive.db["capture"].count == before
        with pytest.raises(ArchiveError, match=r"archive\.db"):  # nothing more: SQLite would call the bytes indexed
            keep(archive, 42)
    assert {one.kind for one in findings(folder)} == {"bytes_without_row"}
    with Archive.open(folder, write=True) as archive:
        assert len(archive.recovered) == 1
        assert "indexed 1 responses" in archive.recovered[0]
    assert_goes_on(folder, before + 1)


@pytest.mark.parametrize("nth", [1, 2])
def test_an_fsync_that_fails(folder: Path, monkeypatch: pytest.MonkeyPatch, nth: int) -> None:
    before = captures(folder)
    fsync, left = os.fsync, nth

    def failing(handle: int) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise OSError(5, "Input/output error")
        fsync(handle)

    with Archive.open(folder, write=True) as archive:
        monkeypatch.setattr("os.fsync", failing)
        for n in range(1, nth):
            keep_in_one(archive, 10 + n)
        with pytest.raises(ArchiveError, match="Input/output error"):
            keep_in_one(archive, 20)
        assert archive.db["capture"].count == before + nth - 1
        assert warc(folder).stat().st_size == value(folder, "SELECT indexed FROM warc")[0]
        keep(archive, 30)
    assert_goes_on(folder, before + nth)


def test_bytes_that_cannot_be_taken_back_stop_everything(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group that was written and cannot be cut off again must not lie before a later one."""
    before = captures(folder)

    def failing(*arguments: object) -> None:
        raise OSError(5, "Input/output error")

    with Archive.open(folder, write=True) as archive:
        with monkeypatch.context() as patch:
            patch.setattr("os.fsync", failing)
            patch.setattr("os.truncate", failing)
            with pytest.raises(ArchiveError, match="Input/output error"):
                keep(archive, 10)
        with pytest.raises(ArchiveError, match="Input/output error"):
            keep(archive, 11)
    assert_goes_on(folder, before)


def test_closing_on_a_full_disk_is_no_error(folder: Path) -> None:
    archive = Archive.open(folder, write=True)
    for n in range(10, 40):
        keep(archive, n)
    with files_end_at((folder / "archive.db").stat().st_size - 1):
        archive.close()
    assert captures(folder) == 33
    assert_goes_on(folder, 33)


# -- whole runs -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    with Portal() as portal:
        yield portal


def crawl(folder: Path, portal: Portal, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    environ = {**os.environ, "NEWSMORGUE_NOW": portal.now.isoformat()}
    command = [COMMAND, "crawl", "--archive", str(folder), "--wait", "0s"]
    return subprocess.run(command, capture_output=True, text=True, env=environ, preexec_fn=limited)


def assert_clear(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "error: cannot" in done.stderr
    assert "next: free some space" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("limit", [50_000, 650_000])
def test_a_crawl_whose_files_cannot_grow(tmp_path: Path, portal: Portal, limit: int) -> None:
    folder = tmp_path / "archive"
    Archive.create(folder).close()
    settings_for(portal, folder)
    assert_clear(crawl(folder, portal, limit))
    assert {one.kind for one in findings(folder)} <= {"bytes_without_row", "torn_tail"}
    got = captures(folder)
    assert crawl(folder, portal).returncode == 0
    assert captures(folder) > max(got, 60)
    assert findings(folder) == []


@pytest.mark.slow
@pytest.mark.parametrize("size", [1_200_000])
def test_a_crawl_on_a_disk_that_gets_full(tmp_path: Path, portal: Portal, size: int) -> None:
    with small_disk(tmp_path / "disk", size) as disk:
        Archive.create(disk / "archive").close()
        settings_for(portal, disk / "archive")
        assert_clear(crawl(disk / "archive", portal))
        shutil.copytree(disk / "archive", tmp_path / "archive")
    folder = tmp_path / "archive"
    assert {one.kind for one in findings(folder)} <= {"bytes_without_row", "torn_tail"}
    assert crawl(folder, portal).returncode == 0
    assert findings(folder) == []
    assert captures(folder) > 60


@pytest.mark.parametrize("size", [100_000, 900_000, 1_300_000])
def test_a_backup_on_a_disk_that_gets_full(crawled: Crawled, tmp_path: Path, size: int) -> None:
    with small_disk(tmp_path / "disk", size) as disk:
        with pytest.raises(ArchiveError, match=str(disk)):
            backup(crawled.folder, disk / "backup", now=NOW)
        subprocess.run(["mount", "-o", "remount,size=30m", str(disk)], check=True)
        backup(crawled.folder, disk / "backup", now=NOW)
        restore(disk / "backup", tmp_path / "again")
        assert tables(tmp_path / "again") == tables(crawled.folder)
        subprocess.run(["mount", "-o", "remount,size=5m", str(disk)], check=True)
        with pytest.raises(ArchiveError, match=str(disk)):
            restore(disk / "backup", disk / "again")
        with pytest.raises(sqlite3.OperationalError):
            sqlite3.connect(f"file:{disk / 'again' / 'archive.db'}?mode=ro", uri=True).execute("SELECT 1 FROM visit")
