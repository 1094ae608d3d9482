"""What is seen of a crawl: live progress, the words in the end, the run's row."""

import json
import os
import pty
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_crawl import STORY, front, html, visit
from test_rebuild import rows
from test_stopping import COMMAND, archive_of

from parsers import errors
from scraper.agenda import Waiting
from scraper.cli import main, progress
from scraper.cli.crawl import FAILED, NOT_ASKED
from scraper.rebuild import rebuild
from scraper.settings import FILE, load
from tests.servers import Server, answer, reset_after

STORIES = [STORY.format(n) for n in range(12)]
BROKEN = STORY.format("broken")


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        server.at["/robots.txt"] = answer(b"User-agent: *\nDisallow: /closed\n", headers={"Content-Type": "text/plain"})
        server.at["/"] = answer(front(*STORIES, BROKEN, "/closed" + STORY.format(1)))
        for number, url in enumerate(STORIES):
            server.at[url] = answer(html(f"Two boats lost in the high tide, part {number}"))
        server.at[BROKEN] = reset_after(b"HTTP/1.1 200 OK\r\nContent-Le")
        yield server


def test_the_end_says_what_came_what_failed_and_what_is_next(server: Server, tmp_path: Path) -> None:
    folder = archive_of(server, tmp_path / "archive")
    command = [COMMAND, "crawl", "--archive", str(folder), "--wait", "0s", "--set", "retries=0"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    assert "\x1b" not in done.stderr
    assert (
        "  sea: 12 new, 0 changed, 0 unchanged; other pages: 1 front; not asked: 1 robots_denied; failed: 1 connection_failed\n"
        in done.stderr
    )
    assert f"next: newsmorgue status --archive {folder}" in done.stderr
    assert server.url(BROKEN) in done.stderr
    closed = server.url("/closed" + STORY.format(1))
    assert f"  {closed} is not fetched ({server.url('/robots.txt')} forbids it to newsmorgue" in done.stderr


def test_a_site_that_gave_nothing_is_named_with_a_cause_of_its_own(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = archive_of(server, tmp_path / "archive")
    with (folder / FILE).open("a", encoding="utf-8") as settings:
        settings.write('[site.dead]\nhome = "http://127.0.0.1:1/"\n')
    assert main.run(["crawl", "--archive", str(folder), "--wait", "0s", "--set", "retries=0"]) == 3
    what, cause, *_ = capsys.readouterr().err.partition("error: ")[2].splitlines()
    assert what == "nothing came from dead"
    assert "nothing is fetched from http://127.0.0.1:1 for now" in cause


def test_a_document_and_nothing_else_on_stdout(server: Server, tmp_path: Path) -> None:
    folder = archive_of(server, tmp_path / "archive")
    done = subprocess.run(
        [COMMAND, "crawl", "--archive", str(folder), "--wait", "0s", "--json"], capture_output=True, text=True
    )
    assert json.loads(done.stdout)["sites"]["sea"]["new"] == 12


@pytest.mark.parametrize("environ", [{"TERM": "xterm"}, {"TERM": "xterm", "NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_on_a_terminal(server: Server, tmp_path: Path, environ: dict[str, str]) -> None:
    folder = archive_of(server, tmp_path / "archive", delay="100ms")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, "crawl", "--archive", str(folder), "--wait", "0s", "--set", "retries=0"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, **environ},
    )
    os.close(theirs)
    said = b""
    try:
        while piece := os.read(ours, 65536):
            said += piece
    except OSError:  # Linux says so when the other side is closed
        pass
    os.close(ours)
    assert process.communicate()[0] == b""
    assert process.returncode == 0
    if environ["TERM"] == "dumb":
        assert b"\x1b" not in said
    else:
        assert b" tried: " in said
        assert b"\x1b[" in said, "the table moves"
    if "NO_COLOR" in environ:
        assert b"\x1b[3" not in said


def test_a_row_tells_rate_time_left_and_who_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    watch = progress.Watch()
    for outcome, number in (("new", 8), ("changed", 1), ("connection_failed", 1)):
        for _ in range(number):
            watch.fetched("sea", "https://sea.example/", outcome)
    watch.queued({"sea": Waiting(60, 5.0), "far": Waiting(0, None)})
    now[0] = 120.0
    came = "10 tried: 8 new, 1 changed, 1 connection_failed"
    assert watch.row("sea") == (came, "60 due", "30/min, 2 min left", "pause of 5 s")
    assert watch.total() == "2 sites, 10 tried, 60 due, 20 s"
    watch.queued({"sea": Waiting(60, 7200.0)})
    assert watch.row("sea")[3] == "host held for 2.0 h"
    watch.queued({"sea": Waiting(60, None)})
    assert watch.row("sea")[3] == ""


def test_lines_come_now_and_then(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    lines = progress.Lines()
    for second in range(25):
        now[0] = float(second)
        lines.fetched("sea", "https://sea.example/", "new")
    out, err = capsys.readouterr()
    assert out == ""
    assert Counter(line.split(":")[0] for line in err.splitlines())["sea"] == 2


def test_every_error_of_fetching_has_its_place() -> None:
    def kinds(error: type[errors.FetchError]) -> Iterator[str]:
        for one in error.__subclasses__():
            yield one.kind.fget(one.__new__(one))  # type: ignore[attr-defined]
            yield from kinds(one)

    assert set(kinds(errors.FetchError)) == {*FAILED, *NOT_ASKED}


def test_a_run_says_settings_version_counts_and_errors(server: Server, tmp_path: Path) -> None:
    visit(server, tmp_path)
    sql = "SELECT version, state, counts, errors, problems, settings FROM runs"
    ((version, state, counts, number, problems, settings),) = before = rows(tmp_path, sql)
    assert (state, number) == ("done", 2)
    assert version
    assert json.loads(counts)["new"] == 12
    assert {problem["url"]: problem["cause"] for problem in json.loads(problems)} == {
        server.url("/closed" + STORY.format(1)): "robots_denied",
        server.url(BROKEN): "connection_failed",
    }
    assert json.loads(settings)["chosen"] == ["sea"]
    rebuild(tmp_path, load(tmp_path, environ={}))
    assert rows(tmp_path, sql) == before
