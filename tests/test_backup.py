"""`backup` and `restore`: consistent while a crawl writes, whole after a kill, and never the wrong bytes."""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import Crawled, crawl_portal, settings_for
from damage import execute, findings, flip, overwrite, some, value, warc
from search import found
from takedowns import down, says
from test_migrations import STORED, old  # noqa: F401 - a fixture: archives of every edition
from test_rebuild import tables

from parsers.errors import ArchiveDamaged, ArchiveLocked, SchemaTooNew, UsageError
from parsers.page import Page
from scraper.portal.server import Portal
from storage import lock
from storage.archive import Archive
from storage.backup import backup as make
from storage.manifest import Copied
from storage.records import Exchange
from storage.restore import restore

COMMAND = str(Path(sys.executable).parent / "newsmorgue")
KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from storage.backup import backup

left = int(sys.argv[3])

def count(event, arguments):
    global left
    if event in ("open", "os.rename", "os.remove", "os.mkdir", "sqlite3.connect") and str(arguments[0]).startswith(sys.argv[2]):
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(count)
backup(Path(sys.argv[1]), Path(sys.argv[2]), now=datetime(2026, 11, 27, tzinfo=UTC))
"""


def backup(crawled: Crawled, folder: Path, to: Path, *, check: bool = False, dry_run: bool = False) -> Copied:
    return make(folder, to, now=crawled.portal.now, check=check, dry_run=dry_run)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "lock"
    }


def grow(crawled: Crawled, folder: Path) -> None:
    """Another run over the archive."""
    with Archive.open(folder, write=True) as archive:
        run = archive.start_run(now=crawled.portal.now, version="1", command="crawl", settings="{}")
        archive.end_run(run, now=crawled.portal.now, state="done", counts={}, errors=0)


def test_what_is_restored_is_the_archive(crawled: Crawled, tmp_path: Path) -> None:
    done = backup(crawled, crawled.folder, tmp_path / "backup")
    assert done.said == []
    described = json.loads((tmp_path / "backup" / "backup.json").read_text())
    assert (described["schema"], described["made"]) == (1, "2026-11-24T06:00:00Z")
    for entry in described["files"]:
        data = (tmp_path / "backup" / entry["name"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (entry["size"], entry["sha256"]), entry["name"]
    restore(tmp_path / "backup", tmp_path / "again")
    assert tables(tmp_path / "again") == tables(crawled.folder)
    for name in (f"warc/{warc(crawled.folder).name}", "newsmorgue.toml", "corrections.jsonl", "takedowns.jsonl"):
        assert (tmp_path / "again" / name).read_bytes() == (crawled.folder / name).read_bytes(), name
    assert findings(tmp_path / "again") == findings(tmp_path / "backup") == []
    with Archive.open(tmp_path / "again", write=True) as archive:
        assert archive.recovered == []
        assert len(list(archive.pages())) > 40


def test_only_what_is_new_is_copied_again(crawled: Crawled, copy: Path, tmp_path: Path) -> None:
    to = tmp_path / "backup"
    backup(crawled, copy, to)
    before = warc(to).stat()
    again = backup(crawled, copy, to)
    assert warc(to).stat() == before
    assert again.copied < 100_000 + (copy / "archive.db").stat().st_size
    grow(crawled, copy)
    size = warc(copy).stat().st_size
    assert size > before.st_size
    backup(crawled, copy, to)
    assert warc(to).stat().st_ino == before.st_ino
    assert warc(to).read_bytes() == warc(copy).read_bytes()
    restore(to, tmp_path / "again")
    assert tables(tmp_path / "again") == tables(copy)


def test_what_a_power_cut_took_from_the_database_is_in_the_backup(copy: Path, crawled: Crawled, tmp_path: Path) -> None:
    """SQLite may forget its last commits (`synchronous = NORMAL`); their pages are durable in WARC before."""
    before = tmp_path / "before"
    shutil.copytree(copy, before)
    page = Page("https://late.example/", b"<p>came late", captured=crawled.portal.now)
    answer = Exchange(page.url, crawled.portal.now, b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", page.body)
    with Archive.open(copy, write=True) as archive:
        archive.keep(page, [answer], run=1, site=1, kind="story")
        size = warc(copy).stat().st_size
    shutil.copy(before / "archive.db", copy)
    backup(crawled, copy, tmp_path / "b")
    restore(tmp_path / "b", tmp_path / "r")
    assert warc(tmp_path / "r").stat().st_size == size
    with Archive.open(tmp_path / "r", write=True) as archive:
        assert [row.asked for row in archive.unread()] == [page.url]


def test_a_dry_run_writes_nothing_and_says_how_much_there_is_to_copy(
    crawled: Crawled, copy: Path, tmp_path: Path
) -> None:
    to = tmp_path / "backup"
    for path in copy.glob("archive.db-*"):
        path.unlink()
    before = contents(copy)
    dry = backup(crawled, copy, to, dry_run=True)
    assert not to.exists()
    assert contents(copy) == before
    assert dry.copied == backup(crawled, copy, to).copied
    there = contents(to)
    grow(crawled, copy)
    dry = backup(crawled, copy, to, dry_run=True)
    assert contents(to) == there
    assert dry.copied == backup(crawled, copy, to).copied
    checked = restore(to, tmp_path / "again", dry_run=True)
    assert not (tmp_path / "again").exists()
    assert checked.copied == sum(entry.size for entry in checked.files)


def test_while_a_crawl_writes_every_backup_is_consistent(tmp_path: Path) -> None:
    folder, to = tmp_path / "archive", tmp_path / "backup"
    with Portal(latency=0.01) as portal:
        Archive.create(folder).close()
        settings_for(portal, folder)
        crawl = subprocess.Popen(
            [COMMAND, "crawl", "--archive", str(folder), "--wait", "0s"],
            stderr=subprocess.PIPE,
            env={**os.environ, "NEWSMORGUE_NOW": portal.now.isoformat()},
        )
        while not value(folder, "SELECT count(*) FROM visit")[0]:
            time.sleep(0.02)
        seen = []
        while crawl.poll() is None:
            done = subprocess.run(
                [COMMAND, "backup", str(to), "--archive", str(folder)], capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
            again = tmp_path / f"again-{len(seen)}"
            restore(to, again)
            assert findings(again) == []
            seen.append(tables(again))
            time.sleep(0.1)
        assert crawl.wait() == 0
        assert crawl.stderr is not None
        crawl.stderr.close()
    make(folder, to, now=portal.now)
    restore(to, tmp_path / "end")
    end = tables(folder)
    assert tables(tmp_path / "end") == end
    assert findings(tmp_path / "end") == findings(folder) == []
    visits = [len(one["visit"]) for one in seen]
    assert visits == sorted(visits)
    assert 0 < visits[0] < len(end["visit"])
    for one in seen:
        assert one["visit"] == end["visit"][: len(one["visit"])]


@pytest.mark.slow
def test_a_killed_backup_leaves_the_one_before_it(crawled: Crawled, copy: Path, tmp_path: Path) -> None:
    """Killed at a file it opens, renames or removes, one after the other; the state between is a whole backup."""
    to = tmp_path / "backup"
    backup(crawled, copy, to)
    states = [tables(copy)]
    grow(crawled, copy)
    states.append(tables(copy))
    first = contents(to)
    kept = []
    for left in range(2, 60, 2):
        shutil.rmtree(to)
        for name, data in first.items():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            (to / name).write_bytes(data)
        child = subprocess.run([sys.executable, "-c", KILLED, str(copy), str(to), str(left)], capture_output=True)
        again = tmp_path / f"again-{left}"
        restore(to, again)
        kept.append(states.index(tables(again)))
        assert findings(again) == []
        if child.returncode == 0:
            break
        assert child.returncode == -signal.SIGKILL, child.stderr.decode()
        backup(crawled, copy, to)
        assert not [path for path in to.rglob("*") if ".new" in path.name]
    assert kept == sorted(kept)
    assert min(kept.count(0), kept.count(1)) > 3


def test_a_first_backup_that_was_killed_is_begun_anew(crawled: Crawled, tmp_path: Path) -> None:
    to = tmp_path / "backup"
    (to / "warc").mkdir(parents=True)
    (to / "archive.db.new").write_bytes(b"half")
    (to / "archive.db.new-wal").write_bytes(b"half")
    (to / "warc" / f"{warc(crawled.folder).name}.new").write_bytes(b"half")
    with pytest.raises(UsageError, match="is no backup"):
        restore(to, tmp_path / "again")
    backup(crawled, crawled.folder, to)
    assert not [path for path in to.rglob("*") if ".new" in path.name]
    restore(to, tmp_path / "again")
    assert tables(tmp_path / "again") == tables(crawled.folder)


# -- what must not happen -------------------------------------------------------------------------------------------


def test_places_that_are_none_are_refused(crawled: Crawled, copy: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    Archive.create(other).close()
    (tmp_path / "file").write_text("x")
    for to, words in (
        (copy, "within the archive"),
        (copy / "warc" / "backup", "within the archive"),
        (other, "not empty"),
        (tmp_path, "not empty"),
        (tmp_path / "file", "no folder"),
    ):
        before = contents(tmp_path)
        with pytest.raises(UsageError, match=words):
            backup(crawled, copy, to)
        assert contents(tmp_path) == before


def test_a_backup_of_another_archive_is_not_overwritten(crawled: Crawled, copy: Path, tmp_path: Path) -> None:
    to = tmp_path / "backup"
    backup(crawled, copy, to)
    before = contents(to)
    with Portal(start=crawled.portal.now) as portal:
        Archive.create(tmp_path / "other").close()
        crawl_portal(portal, tmp_path / "other")
    with pytest.raises(UsageError, match="of another archive"):
        backup(crawled, tmp_path / "other", to)
    assert {name: data for name, data in contents(to).items() if ".new" not in name} == before


def test_two_backups_at_once_do_not_meet(crawled: Crawled, tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    held = lock.take(tmp_path / "backup")
    with pytest.raises(ArchiveLocked):
        backup(crawled, crawled.folder, tmp_path / "backup")
    lock.release(held)
    backup(crawled, crawled.folder, tmp_path / "backup")


def test_nobody_writes_into_a_backup_as_if_it_were_the_archive(crawled: Crawled, tmp_path: Path) -> None:
    backup(crawled, crawled.folder, tmp_path / "backup")
    with pytest.raises(UsageError, match="is a backup"):
        Archive.open(tmp_path / "backup", write=True)
    with pytest.raises(UsageError, match="is a backup"), Archive.building(tmp_path / "backup"):
        pass
    with Archive.open(tmp_path / "backup") as archive:
        assert len(list(archive.pages())) > 40


def test_an_archive_is_never_overwritten(crawled: Crawled, copy: Path, tmp_path: Path) -> None:
    backup(crawled, crawled.folder, tmp_path / "backup")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    before = contents(tmp_path)
    for target in (copy, tmp_path / "full", tmp_path / "backup"):
        with pytest.raises(UsageError):
            restore(tmp_path / "backup", target)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["archive.db", "warc", "newsmorgue.toml"])
@pytest.mark.parametrize("what", ["flipped", "cut", "gone"])
def test_a_backup_that_went_bad_is_named_and_makes_no_archive(
    crawled: Crawled, tmp_path: Path, name: str, what: str
) -> None:
    to = tmp_path / "backup"
    backup(crawled, crawled.folder, to)
    path = warc(to) if name == "warc" else to / name
    if what == "flipped":
        flip(path, path.stat().st_size // 2)
    elif what == "cut":
        os.truncate(path, path.stat().st_size - 1)
    else:
        path.unlink()
    with pytest.raises(ArchiveDamaged) as caught:
        restore(to, tmp_path / "again")
    assert path.name in str(caught.value)
    assert not (tmp_path / "again" / "archive.db").exists()
    with pytest.raises(ArchiveDamaged):
        restore(to, tmp_path / "never", dry_run=True)
    assert not (tmp_path / "never").exists()
    backup(crawled, crawled.folder, to, check=True)
    restore(to, tmp_path / "again")  # goes on where it stopped
    assert tables(tmp_path / "again") == tables(crawled.folder)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{", ArchiveDamaged),
        ("[]", ArchiveDamaged),
        ('{"schema": 1, "files": [{"name": "../../etc/passwd", "size": 1, "sha256": ""}]}', ArchiveDamaged),
        ('{"schema": 1, "files": [{"name": "warc/../x.warc.gz", "size": 1, "sha256": ""}]}', ArchiveDamaged),
        ('{"schema": 2, "files": []}', SchemaTooNew),
    ],
)
def test_a_manifest_that_lies_is_refused(tmp_path: Path, text: str, error: type[Exception]) -> None:
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "backup.json").write_text(text)
    with pytest.raises(error):
        restore(tmp_path / "backup", tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_tombstones_that_the_backup_does_not_know_are_obeyed(crawled: Crawled, copy: Path, tmp_path: Path) -> None:
    (row,) = crawled.rows("SELECT url FROM articles WHERE revisions > 1 AND site = ?", crawled.portal.name)
    backup(crawled, copy, tmp_path / "backup")
    said = says(copy, row["url"])
    down(copy, row["url"])
    target = tmp_path / "again"
    target.mkdir()
    (target / "takedowns.jsonl").write_text("not a tombstone\n")
    with pytest.raises(ArchiveDamaged, match="line 1 is no tombstone"):
        restore(tmp_path / "backup", target)
    assert {path.name for path in target.iterdir()} == {"takedowns.jsonl"}
    decided = (copy / "takedowns.jsonl").read_text()
    (target / "takedowns.jsonl").write_text(decided)
    restore(tmp_path / "backup", target)
    assert (target / "takedowns.jsonl").read_text() == decided
    with Archive.open(target, write=True) as archive:
        assert archive.recovered == ["took down what takedowns.jsonl names and the archive still held"]
        assert archive.tombstoned(row["url"])
    assert found(target, said) == []
    assert findings(target) == []


# -- an archive that is not whole -----------------------------------------------------------------------------------


def test_good_bytes_in_a_backup_outlive_damage_in_the_archive(crawled: Crawled, copy: Path, tmp_path: Path) -> None:
    to = tmp_path / "backup"
    backup(crawled, copy, to)
    good = warc(to).read_bytes()
    flip(warc(copy), some(copy, "response").begin + 50)
    for _ in range(2):
        backup(crawled, copy, to)
        assert warc(to).read_bytes().startswith(good)
        grow(crawled, copy)
    warc(copy).write_bytes(warc(copy).read_bytes()[:1000])
    backup(crawled, copy, to)
    assert warc(to).read_bytes().startswith(good)
    shutil.move(warc(copy), tmp_path / "elsewhere")
    backup(crawled, copy, to)
    assert warc(to).read_bytes().startswith(good)


def test_damage_just_before_what_is_new_is_said(crawled: Crawled, copy: Path, tmp_path: Path) -> None:
    to = tmp_path / "backup"
    backup(crawled, copy, to)
    before = contents(to)
    flip(warc(copy), warc(copy).stat().st_size - 100)
    grow(crawled, copy)
    with pytest.raises(ArchiveDamaged, match="the backup is not") as caught:
        backup(crawled, copy, to)
    assert "repair" in caught.value.next
    assert "--from" in caught.value.next
    assert {name: data for name, data in contents(to).items() if ".new" not in name} == before
    restore(to, tmp_path / "again")


def test_a_first_backup_of_a_damaged_archive_says_what_it_copied(crawled: Crawled, copy: Path, tmp_path: Path) -> None:
    member = some(copy, "response")
    flip(warc(copy), member.begin + 50)
    done = backup(crawled, copy, tmp_path / "backup")
    assert len(done.said) == 1
    assert f"from offset {member.begin} on" in done.said[0]
    assert warc(tmp_path / "backup").read_bytes() == warc(copy).read_bytes()
    os.truncate(warc(copy), 5000)
    done = backup(crawled, copy, tmp_path / "other")
    assert "and 5000 are there" in done.said[0]


def test_a_damaged_database_never_takes_the_place_of_a_good_one(crawled: Crawled, copy: Path, tmp_path: Path) -> None:
    to = tmp_path / "backup"
    backup(crawled, copy, to)
    before = contents(to)
    size = value(copy, "SELECT rootpage FROM sqlite_master WHERE name = 'quote'")[0] * 4096
    overwrite(copy / "archive.db", size - 4096, random.Random(3).randbytes(4096))
    with pytest.raises(ArchiveDamaged, match=r"archive\.db is damaged"):
        backup(crawled, copy, to)
    assert {name: data for name, data in contents(to).items() if ".new" not in name} == before


def test_what_went_bad_in_the_backup_is_copied_again(crawled: Crawled, copy: Path, tmp_path: Path) -> None:
    to = tmp_path / "backup"
    backup(crawled, copy, to)
    flip(warc(to), 5000)
    backup(crawled, copy, to, check=True)
    assert warc(to).read_bytes() == warc(copy).read_bytes()
    flip(warc(to), 5000)
    grow(crawled, copy)
    backup(crawled, copy, to)  # what grows is read anyway
    assert warc(to).read_bytes() == warc(copy).read_bytes()


def test_an_archive_that_went_back_and_grew_otherwise_is_copied_anew(
    crawled: Crawled, copy: Path, tmp_path: Path
) -> None:
    to = tmp_path / "backup"
    backup(crawled, copy, to)
    restore(to, tmp_path / "again")
    for _ in range(2):
        grow(crawled, copy)
    backup(crawled, copy, to)
    for _ in range(3):
        grow(crawled, tmp_path / "again")
    backup(crawled, tmp_path / "again", to)
    assert warc(to).read_bytes() == warc(tmp_path / "again").read_bytes()
    restore(to, tmp_path / "end")
    assert tables(tmp_path / "end") == tables(tmp_path / "again")
    assert findings(tmp_path / "end") == []


def test_a_file_that_a_takedown_rewrote_does_not_stay_in_the_backup(
    crawled: Crawled, copy: Path, tmp_path: Path
) -> None:
    to = tmp_path / "backup"
    backup(crawled, copy, to)
    name = warc(copy).name
    rewritten = name.replace(".warc.gz", "-r1.warc.gz")
    warc(copy).rename(copy / "warc" / rewritten)
    for table in ("capture", "visit", "warc"):
        execute(copy, f"UPDATE {table} SET file = '{rewritten}'")
    backup(crawled, copy, to)
    assert [path.name for path in (to / "warc").iterdir()] == [rewritten]
    restore(to, tmp_path / "again")
    assert findings(tmp_path / "again") == []


@pytest.mark.parametrize("old", STORED, indirect=True, ids=lambda path: path.name)
def test_archives_of_earlier_editions_are_backed_up_as_they_are(old: Path, crawled: Crawled, tmp_path: Path) -> None:  # noqa: F811
    backup(crawled, old, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "again")
    assert tables(tmp_path / "again") == tables(old)
    assert findings(tmp_path / "again") == []
    Archive.open(tmp_path / "again", write=True).close()
    assert findings(tmp_path / "again") == []
