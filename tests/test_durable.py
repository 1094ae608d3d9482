"""What the disk is asked for, and what is said when it refuses: real files, a real full disk where one may be mounted."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from parsers.errors import ArchiveDamaged, ArchiveError
from parsers.page import Page
from scraper.cli.main import run
from scraper.settings import load
from storage import disk
from storage.archive import Archive, Kept
from storage.captures import Warc
from storage.records import Exchange

NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


def keep(archive: Archive, n: int) -> Kept:
    url = f"https://example.org/{n}"
    answer = Exchange(url, NOW, b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"<p>%d</p>" % n)
    return archive.keep(Page(url, answer.payload), [answer], run=None, site=None, kind="story")


def sound(archive: Archive) -> None:
    """Every answer in the files has its row, every row its answer."""
    places = {
        (path.name, record.place.offset)
        for path in archive.warc.files()
        for record in archive.warc.records(path)
        if record.kind == "response"
    }
    assert set(archive.db.execute("SELECT file, offset FROM visit")) == places
    assert archive.db.execute("SELECT file, indexed FROM warc").fetchall() == [
        (path.name, path.stat().st_size) for path in archive.warc.files()
    ]


@contextmanager
def failing(name: str, calls: range) -> Iterator[list[object]]:
    """A function of `os` that fails with EIO at some of its calls, counted from 0; gives what it was asked for."""
    real, asked = getattr(os, name), []

    def call(*given: Any) -> Any:
        asked.append(given[0])
        if len(asked) - 1 in calls:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(*given)

    setattr(os, name, call)
    try:
        yield asked
    finally:
        setattr(os, name, real)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Archive.create(tmp_path / "archive") as archive:
        keep(archive, 0)
    return tmp_path / "archive"


# -- what stays ----------------------------------------------------------------------------------------------------


@contextmanager
def watching() -> Iterator[list[str]]:
    """The files and folders that are made durable meanwhile."""
    real, names = os.fsync, []

    def fsync(handle: int) -> None:
        names.append(os.readlink(f"/proc/self/fd/{handle}"))
        real(handle)

    os.fsync = fsync  # type: ignore[assignment]
    try:
        yield names
    finally:
        os.fsync = real


def test_a_new_archive_is_there_to_stay(tmp_path: Path) -> None:
    with watching() as synced:
        Archive.create(tmp_path / "a" / "b").close()
    # Each folder that holds a new name: those above the archive, and the archive's own.
    assert {str(tmp_path), str(tmp_path / "a"), str(tmp_path / "a" / "b")} <= set(synced)


def test_a_name_in_the_folder_of_captures_is_made_durable_with_the_first_bytes(folder: Path) -> None:
    with Archive.open(folder, write=True) as archive, watching() as synced:
        archive.warc.rotate_at = 10
        keep(archive, 1)
        new = archive.warc.files()[-1]
        assert synced == [str(new), str(new.parent)]


def test_a_file_of_which_only_the_name_was_left_gets_its_name_again(folder: Path) -> None:
    empty = folder / "warc" / "20260301T070000-00002.warc.gz"
    empty.touch()
    with Archive.open(folder, write=True) as archive, watching() as synced:
        keep(archive, 1)
        assert synced == [str(empty), str(empty.parent)]


def test_bytes_of_a_killed_process_are_durable_before_rows_point_to_them(folder: Path) -> None:
    path = Warc(folder / "warc").files()[0]
    whole = path.read_bytes()
    with Archive.open(folder, write=True) as archive:
        keep(archive, 1)
        data = path.read_bytes()[len(whole) :]
    path.write_bytes(path.read_bytes() + data)
    with watching() as synced:
        Archive.open(folder, write=True).close()
    assert synced == [str(path), str(path.parent)]


def test_settings_come_whole_or_not_at_all(tmp_path: Path) -> None:
    with watching() as synced:
        disk.write(tmp_path / "a.toml", "x = 1\n")
    assert synced == [str(tmp_path / "a.toml.part"), str(tmp_path)]
    with pytest.raises(OSError, match="error"), failing("fsync", range(1)):
        disk.write(tmp_path / "a.toml", "x = 2\n")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.toml": "x = 1\n"}


@pytest.mark.parametrize("left", [["archive.db"], ["archive.db", "warc"], ["archive.db", "warc", "reports", "lock"]])
def test_what_a_killed_init_left_is_made_whole_by_the_next(tmp_path: Path, left: list[str]) -> None:
    folder = tmp_path / "archive"
    Archive.create(folder).close()
    for path in folder.iterdir():
        if path.name not in left:
            path.rmdir() if path.is_dir() else path.unlink()
    assert run(["init", str(folder), "--contact", "a@example.org"]) == 0
    assert load(folder, environ={}).crawl.contact == "a@example.org"
    with Archive.open(folder, write=True) as archive:
        assert archive.page(keep(archive, 1).capture).body == b"<p>1</p>"


def test_a_log_of_the_old_database_is_gone_for_good_before_the_new_one_comes(folder: Path) -> None:
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disk, "sync", lambda path: seen.append((path.name, sorted(os.listdir(folder)))))
        assert run(["init", str(folder), "--contact", "a@example.org"]) == 0
        seen.clear()
        assert run(["rebuild", "--archive", str(folder)]) == 0
    (made, _), (before, names), (after, then) = seen[-3:]
    assert (made, before, after) == ("archive.db.new", "archive", "archive")
    assert "archive.db.new" in names
    assert not [name for name in names if name.startswith("archive.db-")]
    assert "archive.db.new" not in then


# -- what refuses --------------------------------------------------------------------------------------------------


def test_a_failed_fsync_is_our_error_and_leaves_nothing(folder: Path) -> None:
    path = Warc(folder / "warc").files()[0]
    before = path.read_bytes()
    with Archive.open(folder, write=True) as archive:
        with failing("fsync", range(1)), pytest.raises(ArchiveError, match="Input/output error") as caught:
            keep(archive, 1)
        assert str(path) in caught.value.what
        assert "nothing kept was harmed" in caught.value.next
        assert path.read_bytes() == before
        sound(archive)
        assert archive.page(keep(archive, 2).capture).body == b"<p>2</p>"
        sound(archive)


def test_what_cannot_be_cut_off_again_is_taken_in(folder: Path) -> None:
    with Archive.open(folder, write=True) as archive:
        with failing("fsync", range(1)), failing("truncate", range(1)), pytest.raises(ArchiveError):
            keep(archive, 1)
        with pytest.raises(ArchiveError, match="Input/output error"):
            keep(archive, 2)
    with Archive.open(folder, write=True) as archive:
        assert len(archive.recovered) == 1
        assert [archive.page(capture).body for capture in (1, 2)] == [b"<p>0</p>", b"<p>1</p>"]
        sound(archive)


def test_a_new_file_whose_name_does_not_stay_is_taken_away(folder: Path) -> None:
    with Archive.open(folder, write=True) as archive:
        archive.warc.rotate_at = 10
        with failing("fsync", range(1, 2)), pytest.raises(ArchiveError, match="warc"):
            keep(archive, 1)
        assert len(archive.warc.files()) == 1
        keep(archive, 1)
        sound(archive)


def break_commit(archive: Archive) -> None:
    """A transaction that fails at its very end, when its bytes are durable already."""
    with archive.transaction():
        keep(archive, 1)
        archive.db.execute("PRAGMA defer_foreign_keys = ON")
        archive.db.execute("INSERT INTO visit VALUES (99, 999, NULL, '', 200, 'none', 0, 1)")


def test_what_is_durable_and_was_not_committed_is_taken_in_before_more_is_written(folder: Path) -> None:
    with Archive.open(folder, write=True) as archive:
        with pytest.raises(ArchiveError, match="FOREIGN KEY"):
            break_commit(archive)
        assert archive.db["capture"].count == 1
        with pytest.raises(ArchiveError, match="FOREIGN KEY"):
            keep(archive, 2)
    with Archive.open(folder, write=True) as archive:
        assert [archive.page(capture).body for capture in (1, 2)] == [b"<p>0</p>", b"<p>1</p>"]
        sound(archive)


def keep_many(archive: Archive) -> None:
    for n in range(1, 2000):
        keep(archive, n)


@pytest.mark.parametrize("free", [0, 40_000, 90_000])
def test_a_database_that_may_not_grow(folder: Path, free: int) -> None:
    with Archive.open(folder, write=True) as archive:
        size = archive.db.execute("PRAGMA page_count").fetchone()[0]
        archive.db.execute(f"PRAGMA max_page_count = {size + free // 4096}")
        with pytest.raises(ArchiveError, match="disk is full") as caught:
            keep_many(archive)
        assert "archive.db" in caught.value.what
        assert caught.value.exit_code == 1
        kept = archive.db["capture"].count
    with Archive.open(folder, write=True) as archive:
        assert archive.db["capture"].count >= kept
        sound(archive)


def test_closing_on_a_full_disk_or_beside_a_reader_is_quiet_and_quick(folder: Path) -> None:
    with Archive.open(folder) as reader:
        writer = Archive.open(folder, write=True)
        reader.db.execute("BEGIN")
        reader.db.execute("SELECT count(*) FROM capture").fetchone()
        keep(writer, 1)
        begun = os.times().elapsed
        writer.close()
        assert os.times().elapsed - begun < 10  # not the half minute that a transaction waits
    with Archive.open(folder, write=True) as archive:
        sound(archive)


def test_a_damaged_database_is_named_to_a_writer_too(folder: Path) -> None:
    (folder / "archive.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(ArchiveDamaged, match=r"archive\.db is damaged") as caught:
        Archive.open(folder, write=True)
    assert "newsmorgue verify" in caught.value.next
    with (folder / "lock").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # and the lock was given back
