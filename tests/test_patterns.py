"""Budgets of shapes: what is given up, what never is, and what a site's past says of a link."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from test_crawl import NOW as CRAWLED
from test_crawl import PROSE, front, html, visit

from scraper.rebuild import rebuild
from scraper.settings import load
from storage import patterns
from storage.archive import Archive
from storage.patterns import BARREN, DROPPED, PROVEN, WINDOW
from tests.servers import Server, answer

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CALENDAR = "https://news.example/events/{}/{}/"
SLUG = "https://news.example/{}/{}/two-boats-lost-in-the-tide"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.create(tmp_path / "archive") as archive:
        archive.site_id("news", home="https://news.example/", parser=None, timezone=None, now=NOW)
        yield archive


def counted(archive: Archive, url: str, news: bool, *, kind: str = "story", now: datetime = NOW) -> int:
    with archive.transaction():
        return patterns.count(archive.db.conn, kind, url, news=news, now=now)


def dropped(archive: Archive, url: str, *, kind: str = "story", now: datetime = NOW) -> str:
    return patterns.trap(archive.db.conn, kind, url, now=now)


def test_a_calendar_without_stories_is_given_up(archive: Archive) -> None:
    with archive.transaction():
        for url in (CALENDAR.format(2030, 1), CALENDAR.format(2030, 2), SLUG.format(2030, 1)):
            archive.frontier.add(url, site=1, kind="story", now=NOW, found_on="https://news.example/")
    left = [counted(archive, CALENDAR.format(2026, n), False) for n in range(BARREN + 5)]
    assert left == [0] * (BARREN - 1) + [2] + [0] * 5
    assert dropped(archive, CALENDAR.format(2031, 1)) == DROPPED
    states = dict(archive.db.execute("SELECT url, coalesce(outcome, state) FROM frontier").fetchall())
    assert list(states.values()) == [DROPPED, DROPPED, "due"]
    archive.frontier.due_now(site=1, now=NOW, stories=True)
    assert archive.db.execute("SELECT count(*) FROM frontier WHERE state = 'due'").fetchone() == (1,)


def test_an_archive_of_news_is_not_however_large(archive: Archive) -> None:
    for n in range(2000):
        counted(archive, SLUG.format(2000 + n // 12, n % 12), n % 10 == 0)
        assert not dropped(archive, SLUG.format(1999, 1))
    for n in range(BARREN):
        counted(archive, CALENDAR.format(2026, n), False)
    assert dropped(archive, CALENDAR.format(2027, 1))
    assert not dropped(archive, SLUG.format(1999, 1))


def test_a_shape_that_was_given_up_is_tried_again_after_a_week(archive: Archive) -> None:
    for n in range(BARREN):
        counted(archive, CALENDAR.format(2026, n), False)
    assert dropped(archive, CALENDAR.format(2027, 1), now=NOW + WINDOW)
    later = NOW + WINDOW + timedelta(seconds=1)
    assert not dropped(archive, CALENDAR.format(2027, 1), now=later)
    counted(archive, CALENDAR.format(2027, 1), True, now=later)
    assert archive.db.execute("SELECT fruitful, barren FROM host_pattern").fetchall() == [(1, 0)]


def test_budgets_are_kept_by_host_and_kind_and_sections_have_none(archive: Archive) -> None:
    pages, sections = "https://news.example/x/page/{}", "https://news.example/{}"
    for n in range(BARREN):
        counted(archive, pages.format(n), False, kind="front")
        counted(archive, sections.format("abcdefghijklmnopqrstuvwxyz"[n % 26]), False, kind="front")
    assert dropped(archive, pages.format(99), kind="front")
    assert not dropped(archive, pages.format(99))
    assert not dropped(archive, pages.format(99).replace("news.", "post."), kind="front")
    assert not dropped(archive, sections.format("sport"), kind="front")


def test_the_past_vouches_for_links(archive: Archive) -> None:
    url = "https://news.example/a/{}"
    for n in range(PROVEN):
        assert not patterns.proven(archive.db.conn, url.format(77), now=NOW)
        counted(archive, url.format(n), True)
    assert patterns.proven(archive.db.conn, url.format(77), now=NOW)
    for n in range(2):
        counted(archive, url.format(100 + n), False)
    assert not patterns.proven(archive.db.conn, url.format(77), now=NOW)


# -- in a crawl ----------------------------------------------------------------------------------------------------

EVENT = "/events/2026/{}/what-is-on-in-the-town-today"
STORY = "/2026/03/{}/two-boats-lost-in-the-high-tide"


def test_a_crawl_gives_up_the_calendar_and_says_so(tmp_path: Path) -> None:
    events, stories = [EVENT.format(n) for n in range(100, 200)], [STORY.format(n) for n in range(10, 30)]
    with Server() as server:
        server.at["/"] = answer(front(*events, *stories))
        empty = answer(b"<html><head><title>Events</title></head><body><h1>Events</h1></body></html>")
        server.at.update(dict.fromkeys(events, empty))
        for n, story in enumerate(stories):
            server.at[story] = answer(html(f"Boat {n} lost", f"<p>It was boat number {n}.</p>{PROSE}"))
        outcome = visit(server, tmp_path)
        asked = [target for target in server.targets if target.startswith("/events/")]
        assert BARREN <= len(asked) < 2 * BARREN  # some were under way
        assert outcome.tally.counts["new"] == len(stories)
        assert outcome.tally.dropped[DROPPED] == len(events) - BARREN
    sql = "SELECT url, state, outcome FROM frontier ORDER BY url", "SELECT * FROM host_pattern", "SELECT * FROM ledger"
    with Archive.open(tmp_path) as archive:
        (counts,) = archive.db.execute("SELECT counts ->> '$.dropped_pattern' FROM run").fetchone()
        assert counts == len(events) - BARREN
        before = [archive.db.execute(one).fetchall() for one in sql]
    rebuild(tmp_path, load(tmp_path, environ={}))
    with Archive.open(tmp_path) as archive:
        assert [archive.db.execute(one).fetchall() for one in sql] == before


def test_links_that_do_not_look_like_stories_are_asked_for_where_such_were_stories(tmp_path: Path) -> None:
    with Server() as server:
        for n in range(20):
            server.at[f"/s/{n}0"] = answer(html(f"Boat {n} lost", f"<p>It was boat number {n}.</p>{PROSE}"))
        headed, bare = [f"/s/{n}0" for n in range(PROVEN)], "/s/190"
        link = f'<p><a href="{bare}">Two boats lost in the high tide of March</a></p></body>'.encode()
        page = front(*headed).replace(b"</body>", link)
        server.at["/"] = answer(page)
        visit(server, tmp_path)
        assert bare not in server.targets
        server.at["/"] = answer(page + b"<!-- another edition -->")
        visit(server, tmp_path, now=CRAWLED + timedelta(hours=1))
        assert bare in server.targets
