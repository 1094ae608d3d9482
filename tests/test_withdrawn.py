"""Stories that vanish from their address and come back, crawled from a real server."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scraper.crawl import Limits
from storage.archive import Archive
from tests.servers import Answer, Server, answer, hang, moved
from tests.test_crawl import NOW, PROSE, STORY, front, html, visit

URL = STORY.format(1)
OTHER = STORY.format(2)
SECTION = "/harbor/"
PAGE = answer(html("Two boats lost"))
MORE = answer(
    html("Two boats lost", f"{PROSE}<p>The harbor master has counted 14 boats since the morning of that day.</p>")
)
NOT_FOUND = answer(html("Page not found", "<p>Try the front page.</p>"))


class Visits:
    """One story's address, asked once a day while its answer changes."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.day = 0

    def __call__(self, *answers: Answer) -> list[str]:
        """Ask once for each answer; the outcomes' words."""
        outcomes = []
        for one in answers:
            self.server.at[URL] = one
            limits = Limits(wait=0.0, recheck=self.day > 0)
            tally = visit(self.server, self.folder, limits, now=NOW + timedelta(days=self.day)).tally
            outcomes.append(next((word for word in OUTCOMES if tally.counts[word]), "none"))
            self.day += 1
        return outcomes

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with Archive.open(self.folder) as archive:
            return list(archive.db.query(sql))

    def changes(self) -> list[list[str]]:
        return [json.loads(row["changes"]) for row in self.rows("SELECT changes FROM revisions ORDER BY revision")]

    def withdrawn(self) -> str | None:
        (row,) = self.rows("SELECT withdrawn FROM articles")
        return None if row["withdrawn"] is None else str(row["withdrawn"])[:10]


OUTCOMES = (
    "new changed gone soft_404 challenge consent error empty not_html truncated host_held deadline_exceeded".split()
)


@pytest.fixture
def visits(tmp_path: Path) -> Iterator[Visits]:
    with Server() as server:
        server.at["/"] = answer(front(URL))
        yield Visits(server, tmp_path / "archive")


@pytest.mark.parametrize(
    "gone",
    [
        answer(b"<p>x", status=404),
        answer(b"<p>x", status=410),
        answer(b"", status=404),
        NOT_FOUND,
        moved("/"),
        moved("/", 301),
    ],
    ids=["404", "410", "empty 404", "not found with 200", "to the home page", "to the home page for good"],
)
def test_it_goes_and_comes_back(visits: Visits, gone: Answer) -> None:
    visits(PAGE, gone, gone)
    assert visits.changes() == [[], ["withdrawn"]]
    assert visits.withdrawn() == "2026-03-11"
    (row,) = visits.rows("SELECT title, body, revisions, last_seen FROM articles")
    assert row["title"] == "Two boats lost"
    assert "the tide rose higher" in row["body"]
    assert row["last_seen"].startswith("2026-03-10")

    assert visits(PAGE) == ["changed"]
    assert visits.changes() == [[], ["withdrawn"], ["reverted"]]
    assert visits.withdrawn() is None
    visits(gone, MORE)
    assert visits.changes()[3:] == [["withdrawn"], ["text", "figures"]]
    (row,) = visits.rows("SELECT revisions, withdrawn, body FROM articles")
    assert (row["revisions"], row["withdrawn"]) == (5, None)
    assert "14 boats" in row["body"]


def test_a_front_that_is_not_the_home_page(visits: Visits) -> None:
    visits.server.at["/"] = answer(
        front(URL).replace(b"</body>", f'<nav><a href="{SECTION}">Harbor</a></nav></body>'.encode())
    )
    visits.server.at[SECTION] = answer(front(URL))
    visits(PAGE)
    assert visits.rows("SELECT 1 FROM front WHERE url LIKE '%/harbor/'"), "the section is known as a front"
    visits(moved(SECTION))
    assert visits.changes() == [[], ["withdrawn"]]
    (row,) = visits.rows("SELECT verdict FROM captures WHERE kind = 'story' ORDER BY id DESC LIMIT 1")
    assert row["verdict"] == "front"


@pytest.mark.parametrize(
    ("trouble", "verdict"),
    [
        (answer(b"<p>broken", status=500), "error"),
        (answer(b"<p>busy", status=503), None),
        (answer(b"<p>busy", status=429, headers={"Retry-After": "600"}), None),
        (answer(b"<p>no", status=403), "error"),
        (answer(b"<p>no", status=451), "error"),
        (answer(html("Just a moment...", '<div id="cf-chl"></div>'), status=403), "challenge"),
        (answer(html("Just a moment...", "<p>Checking your browser.</p>")), "challenge"),
        (moved("/consent/?back=1"), "consent"),
        (answer(b""), "empty"),
        (answer(b"%PDF-1.7 x"), "not_html"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n<html><p>cut", None),
        (b"", None),
        (hang, None),
    ],
    ids=[
        "500",
        "503",
        "429",
        "403",
        "451",
        "challenge",
        "challenge 200",
        "consent",
        "empty",
        "pdf",
        "cut",
        "closed",
        "hangs",
    ],
)
def test_trouble_is_no_withdrawal(visits: Visits, trouble: Answer, verdict: str | None) -> None:
    visits.server.at["/consent/?back=1"] = answer(
        html("Before you continue", "<p>We use cookies.</p><button>Accept</button>")
    )
    visits(PAGE, trouble)
    assert visits.changes() == [[]]
    assert visits.withdrawn() is None
    (row,) = visits.rows("SELECT verdict FROM captures WHERE kind = 'story' ORDER BY id DESC LIMIT 1")
    assert row["verdict"] == (verdict or row["verdict"])
    visits(PAGE)
    assert visits.changes() == [[]]
    assert visits.withdrawn() is None


def test_a_story_that_moved_is_not_withdrawn(visits: Visits) -> None:
    visits.server.at[OTHER] = MORE
    visits(PAGE, moved(OTHER))
    assert visits.changes() == [[], ["text", "figures"]]
    assert visits.withdrawn() is None
    assert {row["url"].split("/", 3)[3] for row in visits.rows("SELECT url FROM alias")} == {URL[1:], OTHER[1:]}


def test_trouble_that_stays_the_same_is_not_seeing_it(visits: Visits) -> None:
    visits(PAGE, *[answer(b"<p>no", status=403)] * 3)
    (row,) = visits.rows("SELECT last_seen FROM article")
    assert row["last_seen"].startswith("2026-03-10")
    visits(PAGE, PAGE)
    (row,) = visits.rows("SELECT last_seen FROM article")
    assert row["last_seen"].startswith("2026-03-15")


def test_an_address_that_never_was_a_story_is_none(visits: Visits) -> None:
    visits(moved("/"), answer(b"<p>x", status=404))
    assert visits.rows("SELECT * FROM articles") == []
    assert visits.rows("SELECT * FROM revision") == []


def test_counters_and_advertisements_are_no_revisions(visits: Visits) -> None:
    def page(n: int) -> bytes:
        extra = f'<aside class="ad">Buy {n} boats</aside><p class="views">{n} views</p><!-- {n} -->'
        return answer(
            html("Two boats lost", PROSE, f'<meta name="nonce" content="{n}">').replace(
                b"</body>", extra.encode() + b"</body>"
            )
        )

    visits(page(1), page(2), page(3))
    assert visits.changes() == [[]]
    assert visits.rows("SELECT count(*) AS n FROM capture WHERE kind = 'story'") == [{"n": 3}]
    assert visits.rows("SELECT count(*) AS n FROM reading") == [{"n": 1}]


def test_a_withdrawal_that_opts_out_is_noted(visits: Visits) -> None:
    visits(PAGE, answer(b"<p>x", status=404, headers={"X-Robots-Tag": "noarchive"}))
    assert visits.changes() == [[], ["withdrawn"]]
