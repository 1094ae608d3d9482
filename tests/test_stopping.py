"""Ctrl-C and SIGTERM: a crawl ends within seconds, keeps what came, says how to go on. Real processes, as a shell starts them."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from test_crawl import STORY, front, html

from scraper.settings import FILE
from storage.archive import Archive
from tests.servers import Server, answer, hang

COMMAND = str(Path(sys.executable).parent / "newsmorgue")
STORIES = [STORY.format(n) for n in range(3)]
SECONDS = 8.0
"""A machine that has other things to do included."""


class Running:
    """A crawl in a process group of its own. `deaf`: to Ctrl-C, as what a shell starts in the background."""

    def __init__(self, folder: Path, *options: str, command: Sequence[str] = (), deaf: bool = False) -> None:
        told = signal.SIG_IGN if deaf else signal.SIG_DFL
        self.process = subprocess.Popen(
            command or [COMMAND, "crawl", "--archive", str(folder), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, told),  # noqa: PLW1509 - whatever these tests were started by
        )

    def stop(self, *numbers: int) -> tuple[int, str]:
        """Send signals to the group, as a terminal does; the exit code, and what was said on stderr."""
        for number in numbers:
            os.killpg(self.process.pid, number)
            time.sleep(0.2)
        said, words = self.process.communicate(timeout=SECONDS)
        assert said == ""
        return self.process.returncode, words


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        server.at["/"] = answer(front(*STORIES))
        for number, url in enumerate(STORIES):
            server.at[url] = answer(html(f"Two boats lost in the high tide, part {number}"))
        yield server


def archive_of(server: Server, folder: Path, delay: str = "0s") -> Path:
    Archive.create(folder).close()
    (folder / FILE).write_text(
        f'[crawl]\ncontact = "test@example.org"\ndelay = "{delay}"\nallow_addresses = ["127.0.0.1/32"]\n'
        f'[site.sea]\nhome = "{server.url("/")}"\nsources = [{{ front = "/" }}]\n',
        "utf-8",
    )
    return folder


def wait_for(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.005)


def rows(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    db = sqlite3.connect(f"file:{folder / 'archive.db'}?mode=ro", uri=True)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize(
    ("number", "code", "deaf"), [(signal.SIGINT, 130, False), (signal.SIGTERM, 143, False), (signal.SIGTERM, 143, True)]
)
def test_a_crawl_that_is_stopped_over_a_fetch_that_hangs(
    server: Server, tmp_path: Path, number: int, code: int, deaf: bool, jobs: str
) -> None:
    folder = archive_of(server, tmp_path / "archive")
    stuck = STORIES[-1]
    server.at[stuck] = [hang, answer(html("Two boats lost in the end"))]
    running = Running(folder, "--jobs", jobs, deaf=deaf)
    wait_for(lambda: stuck in server.targets)
    came = [target for target in server.targets if target != stuck]
    ended, words = running.stop(number)
    assert ended == code, words
    assert "Traceback" not in words
    assert "everything fetched is kept" in words
    assert f"newsmorgue crawl --archive {folder}" in words
    assert rows(folder, "SELECT state, ended IS NOT NULL FROM run") == [("interrupted", 1)]
    kept = {asked for (asked,) in rows(folder, "SELECT asked FROM capture WHERE kind <> 'robots'")}
    whole = {server.url(target) for target in came}
    assert (
        kept <= whole if deaf else kept == whole
    )  # deaf to Ctrl-C, it stops where it stands: less is kept, and asked for again
    again = subprocess.run(
        [COMMAND, "crawl", "--archive", str(folder), "--wait", "0s", "--json"], capture_output=True, text=True
    )
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["state"] == "done"
    assert len(rows(folder, "SELECT 1 FROM articles")) == 3
    if not deaf:
        assert [server.targets.count(target) for target in STORIES] == [1, 1, 2]


def test_a_crawl_that_is_stopped_while_its_host_is_waited_for(server: Server, tmp_path: Path) -> None:
    folder = archive_of(server, tmp_path / "archive", delay="60s")
    running = Running(folder)
    wait_for(lambda: bool(server.log))  # robots.txt; now the host has a minute's peace
    time.sleep(0.5)
    code, words = running.stop(signal.SIGINT)
    assert code == 130, words
    assert rows(folder, "SELECT state FROM run") == [("interrupted",)]


def test_what_came_and_is_not_kept_yet_is_kept(server: Server, tmp_path: Path) -> None:
    """Pages are kept in groups; those of a group that is not full are not lost."""
    folder = archive_of(server, tmp_path / "archive")
    running = Running(folder)
    wait_for(lambda: len(server.targets) > 2)
    running.stop(signal.SIGINT)
    answered = {server.url(target) for target in server.targets[:-1]}
    assert answered <= {asked for (asked,) in rows(folder, "SELECT asked FROM capture")}


def test_twice_ends_it_at_once(server: Server, tmp_path: Path) -> None:
    folder = archive_of(server, tmp_path / "archive")
    server.at["/"] = hang
    running = Running(folder, "--jobs", "2")
    wait_for(lambda: bool(server.targets))
    code, words = running.stop(signal.SIGINT, signal.SIGINT)
    assert code == 130, words
    assert "Traceback" not in words
    assert rows(folder, "SELECT state FROM run") == [("interrupted",)]


DEAF = """
import socket, sys, time
socket.getaddrinfo = lambda *arguments, **options: time.sleep(600)  # a name server that does not answer
from scraper.cli.main import main
main(["crawl", "--archive", sys.argv[1]])
"""


def test_a_name_server_that_does_not_answer_holds_up_nobody(server: Server, tmp_path: Path) -> None:
    folder = archive_of(server, tmp_path / "archive")
    text = (folder / FILE).read_text("utf-8").replace("127.0.0.1:", "news.example:")
    (folder / FILE).write_text(text, "utf-8")
    running = Running(folder, command=(sys.executable, "-c", DEAF, str(folder)))
    wait_for(lambda: rows(folder, "SELECT state FROM run") == [("running",)])
    time.sleep(1)
    code, words = running.stop(signal.SIGINT)
    assert code == 130, words
