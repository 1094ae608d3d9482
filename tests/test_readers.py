"""Readers and the one writer: nobody waits for a reader, no reader waits, and SQLite's own words reach nobody."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from conftest import Crawled
from damage import execute, value

from scraper.cli.main import run
from storage.archive import Archive

READING = [
    ["search", "harbour"],
    ["quotes", "--limit", "3"],
    ["people"],
    ["status"],
    ["crawl", "--dry-run"],
    ["rebuild", "--dry-run"],
    ["verify"],
    ["verify", "--quick"],
    ["repair"],
    ["backup", "{elsewhere}"],
    ["backup", "{elsewhere}", "--dry-run"],
    ["doctor"],
]
WORDS = ("Traceback", "database is locked", "disk image", "OperationalError", "DatabaseError")


@pytest.fixture
def copy(crawled: Crawled, tmp_path: Path) -> Path:
    shutil.copytree(crawled.folder, tmp_path / "copy")
    for path in (tmp_path / "copy").glob("archive.db-*"):
        path.unlink()
    return tmp_path / "copy"


@pytest.fixture
def ask(
    crawled: Crawled, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.setenv("NEWSMORGUE_NOW", crawled.portal.now.isoformat())

    def asked(folder: Path, *arguments: str) -> tuple[int, str, str]:
        words = [word.format(elsewhere=tmp_path / "elsewhere") for word in arguments]
        code = run([*words, "--archive", str(folder)])
        said = capsys.readouterr()
        assert not [word for word in WORDS if word in said.err], said.err
        return code, said.out, said.err

    return asked


@contextmanager
def a_writer_in_a_transaction(folder: Path) -> Iterator[None]:
    with Archive.open(folder, write=True) as archive, archive.transaction():
        archive.db.execute("UPDATE reading SET title = 'not yet'")
        yield


@contextmanager
def a_reader_that_does_not_end(folder: Path) -> Iterator[None]:
    with closing(sqlite3.connect(folder / "archive.db", isolation_level=None)) as db:
        db.execute("BEGIN")
        db.execute("SELECT count(*) FROM visit").fetchone()
        yield


@contextmanager
def a_log_that_a_killed_run_left(folder: Path, *, shared: bool = True) -> Iterator[None]:
    """Committed, but not yet brought home: -wal and -shm as `kill -9` leaves them."""
    other = folder.with_name("other")
    shutil.copytree(folder, other)
    with closing(sqlite3.connect(other / "archive.db", isolation_level=None)) as db:
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute(
            "UPDATE person SET name = 'Late Addition' WHERE id = (SELECT id FROM people ORDER BY quotes DESC LIMIT 1)"
        )
        for part in ("-wal", "-shm") if shared else ("-wal",):
            shutil.copy(other / f"archive.db{part}", folder / f"archive.db{part}")
    shutil.rmtree(other)
    assert (folder / "archive.db-wal").stat().st_size > 0
    yield


@contextmanager
def nothing_in_particular(folder: Path) -> Iterator[None]:
    yield


@contextmanager
def media_that_cannot_be_written_to(folder: Path) -> Iterator[Path]:
    mounted = folder.with_name("mounted")
    mounted.mkdir()
    done = subprocess.run(["mount", "--bind", str(folder), str(mounted)], capture_output=True)
    if done.returncode:
        pytest.skip("mounting is not permitted here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(mounted)], check=True)
        yield mounted
    finally:
        subprocess.run(["umount", "-l", str(mounted)], check=True)


BESIDE = [
    nothing_in_particular,
    a_writer_in_a_transaction,
    a_reader_that_does_not_end,
    a_log_that_a_killed_run_left,
]


@pytest.mark.parametrize("beside", BESIDE, ids=lambda beside: beside.__name__)
def test_every_reading_verb_answers_beside(
    copy: Path, ask: Callable[..., tuple[int, str, str]], beside: Callable[..., Iterator[None]]
) -> None:
    before = {" ".join(verb): ask(copy, *verb)[:2] for verb in READING if verb[0] not in ("backup", "doctor")}
    assert {code for code, _ in before.values()} == {0}
    with beside(copy):
        for verb in READING:
            code, out, _ = ask(copy, *verb)
            assert code == 0, verb
            if verb[0] == "people" and beside is a_log_that_a_killed_run_left:
                assert "Late Addition" in out
            elif verb[0] not in ("backup", "doctor", "quotes"):
                assert (code, out) == before[" ".join(verb)]


@pytest.mark.parametrize(
    "beside", [nothing_in_particular, a_log_that_a_killed_run_left], ids=lambda beside: beside.__name__
)
@pytest.mark.parametrize("asked_before", [False, True])
def test_every_reading_verb_answers_on_media_that_cannot_be_written_to(
    copy: Path, ask: Callable[..., tuple[int, str, str]], beside: Callable[..., Iterator[None]], asked_before: bool
) -> None:
    with beside(copy):
        if asked_before:  # a reader leaves an empty log and its index behind
            ask(copy, "people")
        with media_that_cannot_be_written_to(copy) as mounted:
            for verb in READING:
                code, out, _ = ask(mounted, *verb)
                assert code == (4 if verb == ["doctor"] else 0), verb
                assert "Late Addition" in out or beside is nothing_in_particular or verb != ["people"]
            for verb in (["crawl"], ["rebuild"], ["repair", "--apply"]):
                code, _, said = ask(mounted, *verb)
                assert code == 1, verb
                assert f"cannot write to {mounted}" in said


def test_a_log_without_its_index_on_such_media_is_explained(
    copy: Path, ask: Callable[..., tuple[int, str, str]]
) -> None:
    with a_log_that_a_killed_run_left(copy, shared=False), media_that_cannot_be_written_to(copy) as mounted:
        for verb in (["people"], ["status"], ["search", "x"], ["backup", "{elsewhere}"]):
            code, _, said = ask(mounted, *verb)
            assert code == 1
            assert "copy the archive's folder to a disk that can be written to" in said
        code, out, _ = ask(mounted, "verify")
        assert code == 4
        assert "database_damaged" in out


def test_a_program_that_does_not_let_go_is_named_as_such(
    copy: Path, ask: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.database.BUSY", 50)
    with closing(sqlite3.connect(copy / "archive.db", isolation_level=None)) as db:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("BEGIN EXCLUSIVE")
        db.execute("UPDATE site SET name = name")
        for verb in READING:
            code, out, said = ask(copy, *verb)
            if verb == ["doctor"]:
                assert code == 4
                assert "another program holds" in out
            elif "--dry-run" not in verb:
                assert code == 75, verb
                assert "another program holds" in said
        for verb in (["crawl"], ["repair", "--apply"]):
            code, _, said = ask(copy, *verb)
            assert code == 75
            assert "another program holds" in said


def test_a_writer_is_told_who_writes(copy: Path, ask: Callable[..., tuple[int, str, str]]) -> None:
    with Archive.open(copy, write=True):
        for verb in (["crawl"], ["rebuild"], ["repair", "--apply"]):
            code, _, said = ask(copy, *verb)
            assert code == 75
            assert "another run writes to" in said


def test_a_reader_that_does_not_end_delays_no_writer(copy: Path, crawled: Crawled) -> None:
    with a_reader_that_does_not_end(copy), Archive.open(copy, write=True) as archive:
        archive.db.execute("PRAGMA busy_timeout = 600000")  # whoever waited would wait for this test's time limit
        archive.start_run(now=crawled.portal.now, version="1", command="crawl", settings="{}")


def test_asking_whether_somebody_writes_keeps_nobody_from_writing(copy: Path) -> None:
    program = "import sys\nfrom pathlib import Path\nfrom storage import lock\nwhile True: lock.held(Path(sys.argv[1]))"
    child = subprocess.Popen([sys.executable, "-c", program, str(copy)])
    try:
        for _ in range(100):
            Archive.open(copy, write=True).close()
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda folder: (folder / "archive.db").write_bytes(b"no database" * 999), "archive.db is damaged"),
        (lambda folder: (folder / "archive.db").write_bytes(b""), "cannot"),
        (lambda folder: execute(folder, "DROP TABLE visit"), "cannot answer"),
        (lambda folder: (folder / "archive.db").unlink(), "holds no archive.db"),
    ],
    ids=["no_database", "empty", "a_table_is_gone", "gone"],
)
def test_a_database_that_is_not_whole_is_named_with_the_next_step(
    copy: Path, ask: Callable[..., tuple[int, str, str]], harm: Callable[[Path], object], words: str
) -> None:
    harm(copy)
    for verb in READING:
        code, _, said = ask(copy, *verb)
        if verb[0] in ("verify", "repair", "doctor"):
            assert code == 4, verb
        elif verb[0] != "rebuild" and code:
            assert "next: newsmorgue" in said, verb
            assert "archive.db" in said, verb
    assert any(words in ask(copy, *verb)[2] for verb in READING[:5])
    assert ask(copy, "rebuild")[0] == 0
    assert ask(copy, "verify")[0] == 0
    assert value(copy, "SELECT count(*) FROM article")[0] > 40
