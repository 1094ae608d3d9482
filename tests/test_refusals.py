"""Sites that do not want us: a streak of refusals or challenge pages, over a real server."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from test_crawl import NOW, PROSE, STORY, front, html, serving, urls, verdicts, visit
from test_rebuild import anew, rows

from scraper.cli.main import run as newsmorgue
from storage.archive import Archive
from tests.servers import Server, answer

CHALLENGE = answer(
    html("Just a moment...", "<p>Checking your browser.</p>", '<script src="/cdn-cgi/challenge-platform/x"></script>')
)
FRONTS = "sources = [" + ", ".join(f'{{ front = "/{n}/" }}' for n in range(6)) + "]"
RARELY = 'recheck = ["30d"]'
HOST = "SELECT refusals, held_until, held_for FROM host WHERE requests > 0"
STORIES = [STORY.format(n) for n in range(8)]


def refusing(server: Server, status: int = 403) -> None:
    server.at["/"] = answer(front(*STORIES))
    server.at.update({path: answer(b"<p>Forbidden", status=status) for path in STORIES})


def row(folder: Path, now: datetime = NOW) -> dict[str, object]:
    with Archive.open(folder) as archive:
        return archive.status(now=now)[0]


@pytest.mark.parametrize("status", [401, 403, 451])
def test_a_streak_of_refusals_pauses_the_site(tmp_path: Path, status: int) -> None:
    with Server() as server:
        refusing(server, status)
        outcome = visit(server, tmp_path, site=RARELY)
        assert server.targets == ["/", *STORIES[:5]], "the other three are not asked"
        assert outcome.state == "partly"
        (site,) = outcome.refused
        assert site["url"] == server.url(STORIES[4])
        assert site["held_for"] == f"5 refusals in a row, the last with status {status}"
        assert NOW < datetime.fromisoformat(str(site["last_success"])) < NOW + timedelta(minutes=1)
        until = datetime.fromisoformat(str(site["held_until"]))
        assert timedelta(hours=2) <= until - NOW < timedelta(hours=2, minutes=1)
        assert (row(tmp_path)["state"], row(tmp_path)["cause"]) == ("refused", site["held_for"])

        before = len(server.log)
        again = visit(server, tmp_path, site=RARELY, now=NOW + timedelta(hours=1))
        assert len(server.log) == before, "not even robots.txt"
        assert again.state == "partly"

        visit(server, tmp_path, site=RARELY, now=until + timedelta(minutes=1))
        assert server.targets[6:] == ["/", *STORIES[5:]], "the front answers: all is as before"
        assert row(tmp_path)["state"] == "ok"
        assert rows(tmp_path, HOST) == [(3, None, None)]


def test_one_probe_then_a_longer_pause_and_the_first_good_answer_ends_it(tmp_path: Path) -> None:
    now = NOW
    with Server() as server:
        server.at.update({f"/{n}/": CHALLENGE for n in range(6)})
        visit(server, tmp_path, site=FRONTS)
        assert len(server.targets) == 5
        assert set(verdicts(tmp_path).values()) == {"challenge"}
        assert row(tmp_path)["last_success"] is None
        for hours in (2, 4, 8, 16, 24, 24):
            until = datetime.fromisoformat(rows(tmp_path, HOST)[0][1])
            assert timedelta(hours=hours) <= until - now < timedelta(hours=hours, minutes=1)
            now = until + timedelta(seconds=1)
            before = len(server.targets)
            visit(server, tmp_path, site=FRONTS, now=now)
            assert len(server.targets) == before + 1
        held = rows(tmp_path, HOST)
        assert held[0][0] == 11
        assert held[0][2].endswith("the last a challenge page")

        queue = "SELECT url, outcome, status, checks FROM frontier ORDER BY url"
        before_rebuild = rows(tmp_path, queue)
        anew(tmp_path)
        assert rows(tmp_path, HOST.replace("requests", "refusals")) == held
        assert rows(tmp_path, queue) == before_rebuild

        server.at.update({f"/{n}/": answer(front(STORIES[n])) for n in range(6)})
        server.at.update({path: answer(html(f"Two boats lost, part {n}")) for n, path in enumerate(STORIES)})
        visit(server, tmp_path, site=FRONTS, now=now + timedelta(hours=25))
        assert urls(tmp_path) == STORIES[:6]
        assert row(tmp_path, now + timedelta(hours=25))["state"] == "ok"
        assert rows(tmp_path, HOST.replace("requests", "refusals + 1")) == [(0, None, None)]


def test_refusals_with_good_answers_between_pause_nothing(tmp_path: Path) -> None:
    with Server() as server:
        refusing(server)
        for n in (2, 5):
            server.at[STORIES[n]] = answer(html("Two boats lost"))
        assert visit(server, tmp_path).state == "done"
        assert server.targets == ["/", *STORIES]
        assert row(tmp_path)["state"] == "ok"


def test_what_is_gone_or_broken_is_no_refusal(tmp_path: Path) -> None:
    with Server() as server:
        refusing(server, 404)
        server.at.update({path: answer(b"<p>Oh", status=500) for path in STORIES[4:]})
        assert visit(server, tmp_path).state == "done"
        assert server.targets == ["/", *STORIES]


def test_a_challenge_that_comes_again_is_none_the_less_one(tmp_path: Path) -> None:
    """The same bytes as at the last visit are not read again."""
    with serving({"/": CHALLENGE}) as server:
        for day in range(5):
            visit(server, tmp_path, now=NOW + timedelta(days=day))
        assert rows(tmp_path, HOST)[0][0] == 5
        assert rows(tmp_path, "SELECT outcome FROM frontier") == [("challenge",)]
        assert row(tmp_path, NOW + timedelta(days=4))["state"] == "refused"


def test_the_command_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSMORGUE_NOW", NOW.isoformat())
    with Server() as server:
        refusing(server)
        server.at["/"] = answer(front(*STORIES[:1]))
        visit(server, tmp_path, site=RARELY)
        server.at["/"] = answer(front(*STORIES) + PROSE.encode())
        monkeypatch.setenv("NEWSMORGUE_NOW", (NOW + timedelta(hours=1)).isoformat())
        capsys.readouterr()
        assert newsmorgue(["crawl", "--archive", str(tmp_path), "--wait", "0s", "--json"]) == 3
        said = capsys.readouterr()
        (site,) = json.loads(said.out)["refused"]
        assert (site["site"], site["host"]) == ("sea", f"127.0.0.1:{server.port}")
        error = said.err[said.err.index("error: site 'sea'") :].splitlines()
        assert (
            f"5 refusals in a row, the last with status 403 from {server.url(STORIES[5])} (last success 2026-03-10T"
            in error[0]
        )
        assert "left alone until" in error[1]
        assert error[2].startswith(f"  next: newsmorgue parse {server.url(STORIES[5])} --raw --archive {tmp_path} ")
        assert "paused = true" in error[2]
        assert newsmorgue(["status", "--archive", str(tmp_path)]) == 4
        assert "refused" in capsys.readouterr().out
