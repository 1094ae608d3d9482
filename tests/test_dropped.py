"""What a crawl leaves out is counted by cause, in the run's row and in what the command says."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from test_crawl import STORY, front, html, serving, visit
from test_rebuild import rows

from scraper import ingest
from scraper.cli.main import run as newsmorgue
from scraper.crawl import Limits
from scraper.tally import Tally
from tests.servers import answer, moved

OLD = "/2025/01/02/an-old-story-about-the-tide-and-boats/"


def page(*urls: str) -> bytes:
    """A page that is no article and whose links look like none."""
    links = " ".join(f'<a href="{url}">{url.strip("/") or "home"}</a>' for url in urls)
    return answer(f"<html><head><title>Sea</title></head><body>{links}</body></html>".encode())


def test_each_cause_has_its_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ingest, "MAX_LISTING_PAGES", 0)
    away = "https://elsewhere.example" + STORY.format(9)
    stories = [STORY.format(n) for n in range(3)]
    listing = front(*stories, OLD, away).replace(
        b"</body>", b'<p class="pagination"><a href="/page/2/">2</a><a href="/page/3/">3</a></p></body>'
    )
    with serving(
        {
            "/robots.txt": answer(f"User-agent: *\nDisallow: {stories[0]}\n".encode()),
            "/": answer(listing),
            stories[1]: moved("http://10.0.0.1/"),
            stories[2]: answer(html("Two boats lost")),
        }
    ) as server:
        outcome = visit(server, tmp_path, Limits(wait=0.0, since=datetime(2026, 1, 1, tzinfo=UTC)))
        expected = {"robots_denied": 1, "address_refused": 1, "before_since": 1, "out_of_scope": 1, "pages": 2}
        assert dict(outcome.tally.dropped) == expected
        ((counts,),) = rows(tmp_path, "SELECT counts FROM run")
        assert {key: n for key, n in json.loads(counts).items() if key.startswith("dropped_")} == {
            f"dropped_{cause}": n for cause, n in expected.items()
        }
        server.at["/"] = answer(front(away))
        capsys.readouterr()
        arguments = ["crawl", "--archive", str(tmp_path), "--wait", "0s"]
        assert newsmorgue(arguments) == 0
        assert "links not followed: 1 out_of_scope\n" in capsys.readouterr().err
        server.at["/"] = answer(front(away, away + "?page=2"))
        assert newsmorgue([*arguments, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["dropped"] == {"out_of_scope": 2}


def test_too_far_from_the_front(tmp_path: Path) -> None:
    with serving(
        {"/": page("/a/", "https://elsewhere.example/"), "/a/": page("/b/"), "/b/": page("/a/", "/c/", "/d/")}
    ) as server:
        outcome = visit(server, tmp_path)
        assert server.targets == ["/", "/a/", "/b/"]
    assert dict(outcome.tally.dropped) == {"out_of_scope": 1, "depth": 2}


def test_nothing_left_out_is_no_cause() -> None:
    tally = Tally()
    tally.drop("trap", 0)
    assert tally.row() == {}
    tally.add("sea", "tried")
    tally.drop("trap")
    tally.drop("trap", 4)
    assert tally.row() == {"tried": 1, "dropped_trap": 5}
