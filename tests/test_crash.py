"""The crash rounds of `tests/bench/crash.py`, a few of them; and that they notice what they are there to notice."""

import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import crash_check
import pytest
from crash_disk import Shadow

from storage.captures import Warc

BENCH = Path(__file__).resolve().parent / "bench"
CARELESS = """
import sys
sys.path.insert(0, {bench!r})
from storage import disk
disk.sync = lambda path: None
import crash
results = crash.rounds({{"power": 12}}, seed=1)
print(sum(bool(result.inconsistent or result.lost) for result in results))
"""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: rounds fork, and this one has threads."""
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=580)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_few_rounds_of_each_kind() -> None:
    kinds = "kill=20,power=20,enospc=5,fsync=5"
    done = run(str(BENCH / "crash.py"), "--kinds", kinds, "--seed", "7", "--jobs", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[:2] for line in lines[1:5]] == [word.split("=") for word in kinds.split(",")]
    kills, power = lines[1], lines[2]
    assert min(int(kills[2]), int(power[2])) >= 15
    assert min(int(kills[4]), int(power[4])) >= 50


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_rounds_notice_an_archive_that_never_asks_for_durable_bytes() -> None:
    done = run("-c", CARELESS.format(bench=str(BENCH)))
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 3


# -- the checks ----------------------------------------------------------------------------------------------------


def sql(statement: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        with sqlite3.connect(folder / "archive.db") as db:
            db.execute(statement)
        db.close()

    return change


def flip(folder: Path) -> None:
    path = Warc(folder / "warc").files()[0]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


def append(folder: Path) -> None:
    path = Warc(folder / "warc").files()[0]
    path.write_bytes(path.read_bytes() + b"torn")


def test_a_sound_archive_has_no_problems(copy: Path) -> None:
    assert crash_check.problems(copy) == []
    assert crash_check.missing(copy, crash_check.everything(copy)) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (flip, "damaged_record"),
        (append, "garbage"),
        (sql("DELETE FROM visit WHERE id = 9"), "bytes_without_row"),
        (sql("UPDATE warc SET indexed = indexed - 1"), "there are"),
        (sql("DELETE FROM alias WHERE url = (SELECT url FROM article WHERE id = 3)"), "does not name"),
        (sql("UPDATE run SET state = 'running'"), "two runs"),
    ],
)
def test_what_is_wrong_is_found(copy: Path, change: Callable[[Path], object], words: str) -> None:
    change(copy)
    found = crash_check.problems(copy)
    assert [problem for problem in found if words in problem], found


def test_what_is_missing_is_found(copy: Path) -> None:
    said = crash_check.everything(copy)
    said.pages.append((said.pages[0][0], "story", "new", "2099-01-01T00:00:00.000Z"))
    said.runs[99] = "done"
    said.ledger["hangang-lantern", "2026-11-23", "got"] = 10_000
    assert len(crash_check.missing(copy, said)) == 3


# -- the disk ------------------------------------------------------------------------------------------------------


def test_a_power_cut_takes_what_was_not_synced_and_nothing_else(tmp_path: Path) -> None:
    left = set()
    for seed in range(60):
        area = tmp_path / f"area-{seed}"
        area.mkdir()
        (area / "old").write_bytes(b"durable ")
        shadow = Shadow(area, tmp_path / f"durable-{seed}")
        shadow.begin()
        with (area / "old").open("ab") as file:
            file.write(b"and not yet")
        (area / "new").write_bytes(b"whole")
        shadow.lose_power(random.Random(seed))
        old = (area / "old").read_bytes()
        assert old.startswith(b"durable ")
        left.add((old == b"durable ", old == b"durable and not yet", (area / "new").exists()))
    assert {True, False} == {one[0] for one in left} == {one[1] for one in left} == {one[2] for one in left}
