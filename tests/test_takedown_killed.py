"""Killed in the middle of a takedown: nothing was taken down, or the next one who opens the archive finishes it."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from search import content, found
from takedowns import (
    AT,
    HERONS,
    OTHER,
    OWLS,
    TEXT,
    TITLE,
    assert_same_after_rebuild,
    assert_sound,
    close,
    down,
    front,
    printed,
    story,
)

from parsers.errors import ArchiveError
from scraper.rebuild import rebuild
from scraper.settings import load
from scraper.takedown import read_again
from storage import lock, takedown, tombstones
from storage.archive import Archive
from storage.captures import Warc

ROUNDS = 12
CHILD = """
import sys
from pathlib import Path
from scraper.takedown import take_down
from storage import takedown
from storage.archive import Archive

with Archive.open(Path(sys.argv[1]), write=True) as archive:
    plan = takedown.plan(archive, [sys.argv[2]], ["Kang Min-ho"])
    print("ready", flush=True)
    take_down(archive, plan, at="2026-11-30T12:00:00Z", reason="for a test", decided_by="tests")
    print("done", flush=True)
"""
SAID = (TITLE, *TEXT, OWLS, "Kang Min-ho")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A story among forty others in three files, some of which name it or a person."""
    with printed(tmp_path / "paper") as paper:
        paper.put(OWLS, story(TITLE, *TEXT))
        for n in range(40):
            if n in (10, 30):
                paper.archive.warc.close()
                paper.archive.warc.rotate_at = 1 if n == 10 else 10**9
            url = HERONS.replace("herons", f"herons-{n}")
            quote = f"“Wait for {n} years,” said Kang Min-ho, a biologist at Hana Lab." if n % 9 == 0 else ""
            paper.put(url, story(f"Herons Return to Pond {n} of the Dye Works", *OTHER, f"Pond {n}.", quote))
        paper.put("https://example.org/", front((OWLS, TITLE, TEXT[0])), kind="front")
        made = close(paper)
    (made / "reports" / "report.html").write_text(f"<h1>{TITLE}</h1>")
    return made


def settled(
    folder: Path, before: dict[str, list[tuple[object, ...]]], after: dict[str, list[tuple[object, ...]]]
) -> bool:
    """Open the archive and see that it is wholly in one of two states; gives whether it is the new one."""
    Archive.open(folder, write=True).close()
    now = content(folder)
    fresh = bool(now["takedown"])
    wanted = after if fresh else before
    for table in set(wanted) - {"capture", "visit", "warc"}:
        if table in (
            "revision",
            "reading",
            "quote",
            "article_tag",
            "article_author",
            "tag",
            "author",
            "person",
            "affiliation",
        ):
            continue  # compared below, when what was not yet read again is read
        assert now[table] == wanted[table], table
    with Archive.open(folder, write=True) as archive:
        read_again(archive, [row.capture for row in archive.unread(left=True)])
    now = content(folder)
    for table in set(wanted) - {"capture", "visit", "warc"}:
        assert now[table] == wanted[table], table
    assert (found(folder, SAID) == []) is fresh
    assert_sound(folder)
    assert not list(folder.rglob("*.struck"))
    return fresh


def test_killed_at_any_instant(folder: Path, tmp_path: Path) -> None:
    rng = random.Random(20261130)
    before = content(folder)
    done = tmp_path / "done"
    shutil.copytree(folder, done)
    down(done, OWLS, people=("Kang Min-ho",))
    after = content(done)
    assert found(done, SAID) == []
    longest = 1.0
    fresh = []
    for n in range(ROUNDS):
        copy = tmp_path / f"round{n}"
        shutil.copytree(folder, copy)
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(copy), OWLS], stdout=subprocess.PIPE)
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        begun = time.monotonic()
        if n:
            time.sleep(rng.uniform(0, longest))
            os.kill(child.pid, signal.SIGKILL)
        ended = child.stdout.read() == b"done\n"
        longest = max(time.monotonic() - begun, 0.05) if not n else longest
        child.stdout.close()
        child.wait()
        fresh.append(settled(copy, before, after))
        assert fresh[-1] or not ended  # what was said to be done is done
        assert down(copy, OWLS, people=("Kang Min-ho",)).addresses == [OWLS]
        assert found(copy, SAID) == []
        shutil.rmtree(copy)
    assert fresh[0]
    assert not all(fresh)


def abandon(archive: Archive) -> None:
    """Leave an archive as a killed process does."""
    archive.db.conn.close()
    assert archive._lock is not None
    lock.release(archive._lock)


STEPS = ("files made", "rows deleted", "sidecar written", "old files there")


@pytest.mark.parametrize("step", STEPS)
def test_killed_after(folder: Path, tmp_path: Path, step: str) -> None:
    before = content(folder)
    done = tmp_path / "done"
    shutil.copytree(folder, done)
    down(done, OWLS, people=("Kang Min-ho",))
    archive = Archive.open(folder, write=True)
    plan = takedown.plan(archive, [OWLS], ["Kang Min-ho"])
    if step == "files made":
        takedown.look(archive, plan, at=AT, write=True)
        assert len(Warc(folder / "warc").files()) < len(list((folder / "warc").iterdir()))
    else:
        takedown.apply(archive, plan, at=AT, reason="for a test", decided_by="tests")
    if step == "sidecar written":
        tombstones.write(archive.db.conn, folder)
    old = {path: path.read_bytes() for path in (folder / "warc").iterdir() if "-r1" not in path.name}
    if step == "old files there":
        assert takedown.finish(archive)
        archive.db.execute(f"PRAGMA user_version = {takedown.PENDING}")
        for path, data in old.items():
            path.write_bytes(data)
    abandon(archive)
    assert settled(folder, before, content(done)) is (step != "files made")
    assert_same_after_rebuild(folder)


def test_a_torn_new_file_is_removed(folder: Path) -> None:
    before = content(folder)
    path = Warc(folder / "warc").files()[0]
    (folder / "warc" / path.name.replace(".warc.gz", "-r1.warc.gz.tmp")).write_bytes(b"torn")
    (folder / "reports" / "report.html.struck").write_text("half")
    assert not settled(folder, before, before)


def test_with_the_database_lost_in_between(folder: Path) -> None:
    """The files were made, the rows never deleted, and then the database was lost: the later state of each file counts."""
    archive = Archive.open(folder, write=True)
    plan = takedown.plan(archive, [OWLS])
    takedown.look(archive, plan, at=AT, write=True)
    abandon(archive)
    for name in ("archive.db", "archive.db-wal", "archive.db-shm"):
        (folder / name).unlink(missing_ok=True)
    (folder / "reports" / "report.html").unlink()
    assert rebuild(folder, load(folder, environ={})).said == []
    assert_sound(folder)
    assert found(folder, [TITLE, *TEXT, OWLS]) == []


def test_a_database_older_than_the_sidecar_removes_nothing(folder: Path, tmp_path: Path) -> None:
    """An old archive.db copied over a newer archive: it must not take the newer files for leftovers."""
    old = (folder / "archive.db").read_bytes()
    files = {path.name: path.read_bytes() for path in (folder / "warc").iterdir()}
    down(folder, OWLS)
    newer = {path.name: path.read_bytes() for path in (folder / "warc").iterdir()}
    (folder / "archive.db").write_bytes(old)
    for name, data in files.items():
        (folder / "warc" / name).write_bytes(data)
    Archive.open(folder, write=True).close()
    assert {path.name for path in (folder / "warc").iterdir()} == set(files) | set(newer)


def test_a_disk_that_refuses_harms_nothing(folder: Path) -> None:
    before = content(folder)
    warc = folder / "warc"
    with Archive.open(folder, write=True) as archive:
        plan = takedown.plan(archive, [OWLS])
        name = Warc(warc).files()[0].name.replace(".warc.gz", "-r1.warc.gz.tmp")
        (warc / name).mkdir()
        (warc / name / "x").touch()
        with pytest.raises(ArchiveError, match="cannot write"):
            takedown.apply(archive, plan, at=AT, reason="r", decided_by="b")
        shutil.rmtree(warc / name)
    assert not settled(folder, before, before)
