"""Fronts: what stood where, from which visit to which."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from parsers.article import Article, Card
from parsers.page import Page
from storage.archive import Archive
from storage.records import Exchange

NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
FRONT = "https://example.org/"
ONE = Card("https://example.org/1", "One", "About one", "Coast", 1)
TWO = Card("https://example.org/2", "Two", "", "", 2)
THREE = Card("https://example.org/3", "Three", "About three", "", 3)


class Visitor:
    """Visits fronts, an hour apart."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.hour = 0
        self.run = archive.start_run(now=NOW, version="1", command="crawl", settings="{}")
        self.site = archive.site_id("example", home=FRONT, parser=None, timezone=None, now=NOW)

    def fetch(self, url: str, kind: str = "front") -> tuple[int, int, datetime]:
        self.hour += 1
        at = NOW + timedelta(hours=self.hour)
        body = f"{at}".encode()
        answer = Exchange(url, at, b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", body)
        kept = self.archive.keep(
            Page(url, body, captured=at), [answer], run=self.run, site=self.site, kind=kind, verdict="front"
        )
        return kept.capture, kept.visit, at

    def __call__(self, *cards: Card, url: str = FRONT, title: str = "Front", kind: str = "front") -> int:
        _, visit, at = self.fetch(url, kind)
        return self.archive.keep_front(visit, url, cards, site=self.site, kind=kind, title=title, now=at)

    def unchanged(self, url: str = FRONT) -> None:
        _, visit, at = self.fetch(url)
        self.archive.front_unchanged(visit, url, now=at)

    def history(self, url: str = FRONT) -> list[tuple[Any, ...]]:
        """Position, title, first hour, last hour."""
        rows = self.archive.db.execute(
            "SELECT position, title, seen_from, seen_until FROM front_page_history WHERE front = ? ORDER BY seen_from, position",
            (url,),
        )
        return [(position, title, int(a[11:13]) - 6, int(b[11:13]) - 6) for position, title, a, b in rows]


@pytest.fixture
def visit(tmp_path: Path) -> Iterator[Visitor]:
    with Archive.create(tmp_path / "archive") as archive:
        yield Visitor(archive)


def test_a_front_shows_in_its_history(visit: Visitor) -> None:
    assert visit(ONE, TWO) == 2
    rows = list(visit.archive.db.query("SELECT * FROM front_page_history ORDER BY position"))
    assert rows[0] == {
        "site": "example",
        "front": FRONT,
        "kind": "front",
        "position": 1,
        "title": "One",
        "teaser": "About one",
        "section": "Coast",
        "url": ONE.url,
        "seen_from": "2026-03-01T07:00:00.000Z",
        "seen_until": "2026-03-01T07:00:00.000Z",
    }
    assert len(rows) == 2


def test_what_still_stands_is_prolonged(visit: Visitor) -> None:
    for _ in range(3):
        visit(ONE, TWO)
    assert visit.history() == [(1, "One", 1, 3), (2, "Two", 1, 3)]
    assert visit.archive.db["placement"].count == 2
    assert visit.archive.db["card"].count == 2


def test_what_is_new_begins_and_what_is_gone_ends(visit: Visitor) -> None:
    assert visit(ONE, TWO) == 2
    assert visit(ONE, replace(THREE, position=2)) == 1
    assert visit(ONE, replace(THREE, position=2)) == 0
    assert visit.history() == [(1, "One", 1, 3), (2, "Two", 1, 1), (2, "Three", 2, 3)]


def test_moving_is_a_new_placement_of_the_same_card(visit: Visitor) -> None:
    visit(ONE, TWO)
    visit(replace(TWO, position=1), replace(ONE, position=2))
    assert visit.history() == [(1, "One", 1, 1), (2, "Two", 1, 1), (1, "Two", 2, 2), (2, "One", 2, 2)]
    assert visit.archive.db["card"].count == 2


def test_coming_back_is_a_new_placement(visit: Visitor) -> None:
    visit(ONE)
    visit(replace(TWO, position=1))
    visit(ONE)
    visit(ONE)
    assert visit.history() == [(1, "One", 1, 1), (1, "Two", 2, 2), (1, "One", 3, 4)]


def test_another_headline_is_another_card(visit: Visitor) -> None:
    assert visit(ONE) == 1
    assert visit(replace(ONE, title="One, corrected")) == 0
    assert visit.history() == [(1, "One", 1, 1), (1, "One, corrected", 2, 2)]
    rows = visit.archive.db.execute(
        "SELECT title, first_seen, last_seen FROM card WHERE url = ? ORDER BY id", (ONE.url,)
    )
    assert [tuple(row) for row in rows] == [
        ("One", "2026-03-01T07:00:00.000Z", "2026-03-01T07:00:00.000Z"),
        ("One, corrected", "2026-03-01T08:00:00.000Z", "2026-03-01T08:00:00.000Z"),
    ]


def test_an_unchanged_front_prolongs_what_stood_there_last(visit: Visitor) -> None:
    visit(ONE, TWO)
    visit(ONE)
    visit.unchanged()
    visit.unchanged()
    assert visit.history() == [(1, "One", 1, 4), (2, "Two", 1, 1)]
    seen = dict(visit.archive.db.execute("SELECT title, last_seen FROM card").fetchall())
    assert seen == {"One": "2026-03-01T10:00:00.000Z", "Two": "2026-03-01T07:00:00.000Z"}
    assert visit.archive.db.execute("SELECT last_seen FROM front").fetchone()[0] == "2026-03-01T10:00:00.000Z"
    visit(ONE)
    assert visit.history() == [(1, "One", 1, 5), (2, "Two", 1, 1)]


def test_an_unknown_front_cannot_be_unchanged(visit: Visitor) -> None:
    visit.unchanged("https://example.org/nowhere")
    assert visit.archive.db["front"].count == 0


def test_fronts_are_apart(visit: Visitor) -> None:
    other = "https://example.org/coast"
    assert visit(ONE, TWO) == 2
    assert visit(TWO, THREE, url=other, title="Coast") == 1
    visit(ONE)
    assert visit.history() == [(1, "One", 1, 3), (2, "Two", 1, 1)]
    assert visit.history(other) == [(2, "Two", 2, 2), (3, "Three", 2, 2)]
    visit.unchanged(other)
    assert visit.history(other) == [(2, "Two", 2, 4), (3, "Three", 2, 4)]
    assert visit.history() == [(1, "One", 1, 3), (2, "Two", 1, 1)]


def test_a_front_has_one_row_with_its_last_title(visit: Visitor) -> None:
    visit(ONE, title="Old name")
    visit(ONE, title="New name")
    rows = visit.archive.db.execute("SELECT kind, title, first_seen, last_seen FROM front").fetchall()
    assert rows == [("front", "New name", "2026-03-01T07:00:00.000Z", "2026-03-01T08:00:00.000Z")]


def test_a_feed_is_a_front_too(visit: Visitor) -> None:
    visit(ONE, url="https://example.org/feed/", kind="feed")
    assert [row["kind"] for row in visit.archive.db.query("SELECT kind FROM front_page_history")] == ["feed"]


def test_the_same_card_twice_on_a_page(visit: Visitor) -> None:
    visit(ONE, ONE, replace(ONE, position=2))
    visit(ONE, ONE, replace(ONE, position=2))
    assert visit.history() == [(1, "One", 1, 2), (2, "One", 1, 2)]


def test_an_article_shows_the_teaser_of_its_last_card(visit: Visitor) -> None:
    visit(ONE)
    visit(replace(ONE, teaser="About one, again"))
    visit(replace(ONE, teaser=""))
    capture, _, at = visit.fetch(ONE.url, "story")
    article = Article(ONE.url, ONE.url, title="Printed", description="Head", parser_version="1")
    visit.archive.keep_article(capture, article, site=visit.site, now=at)
    row = next(iter(visit.archive.db.query("SELECT title, teaser, card_teaser, summary FROM articles")))
    assert row == {"title": "Printed", "teaser": "", "card_teaser": "About one, again", "summary": "About one, again"}


def test_a_card_is_found_by_any_name_of_its_article(visit: Visitor) -> None:
    visit(ONE)
    capture, _, at = visit.fetch(ONE.url, "story")
    article = Article(ONE.url, "https://example.org/canonical", title="Printed", parser_version="1")
    visit.archive.keep_article(capture, article, site=visit.site, now=at)
    assert [row["card_teaser"] for row in visit.archive.db.query("SELECT card_teaser FROM articles")] == ["About one"]
