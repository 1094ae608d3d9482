"""Sitemaps and posts of WordPress in a crawl, over a real server: what is asked for, in which order, and what is not."""

import gzip
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from search import found
from takedowns import down
from test_crawl import NOW, PROSE, STORY, front, html, serving, urls, verdicts, visit
from test_rebuild import QUEUE, anew, assert_same, rows, tables

from parsers import wordpress
from scraper.crawl import Limits
from scraper.listings import ENDS
from storage.archive import Archive
from tests.servers import Server, answer

NS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
MAP = 'sources = [{ sitemap = "/sitemap.xml" }]'
HOUR = timedelta(hours=1)
XML = {"Content-Type": "application/xml"}
FEBRUARY = "/2026/02/20/two-boats-lost-in-the-low-tide/"
OLD = "/2019/05/04/the-harbor-was-dredged-for-the-first-time/"


def sitemap(*entries: tuple[str, str], kind: str = "url") -> bytes:
    """Addresses with their lastmod."""
    inner = "".join(
        f"<{kind}><loc>{url}</loc>{f'<lastmod>{at}</lastmod>' if at else ''}</{kind}>" for url, at in entries
    )
    outer = "urlset" if kind == "url" else "sitemapindex"
    return f'<?xml version="1.0"?><{outer} {NS}>{inner}</{outer}>'.encode()


def news(url: str, at: str) -> bytes:
    about = f"<n:news><n:publication_date>{at}</n:publication_date><n:title>Two boats lost</n:title></n:news>"
    return f'<urlset {NS} xmlns:n="x:news"><url><loc>{url}</loc>{about}</url></urlset>'.encode()


def stories(server: Server, urls: Iterable[str]) -> None:
    for number, url in enumerate(urls):
        server.at[url] = answer(
            html(f"Two boats lost in the high tide, part {number}", f"{PROSE}<p>Boat {number} is missed.</p>")
        )


def count(folder: Path, reason: str) -> int:
    return int(rows(folder, f"SELECT coalesce(sum(n), 0) FROM ledger WHERE reason = '{reason}'")[0][0])


@pytest.fixture
def sea() -> Iterable[Server]:
    """A site with an index of a news sitemap, this month's stories (a gzip file), old ones and tags."""
    a, b, c = STORY.format("a"), STORY.format("b"), FEBRUARY
    with serving({}) as server:
        parts = (
            ("/old.xml", "2019-05-04T10:00:00Z"), ("/month.xml.gz", "2026-03-10T08:00:00Z"),
            ("/news.xml", "2026-03-10T08:30:00Z"), ("/post_tag-sitemap.xml", "2026-03-10T08:30:00Z"),
        )  # fmt: skip
        month = sitemap((c, "2026-02-20T08:00:00Z"), (a, "2026-03-10T08:00:00Z"), (OLD + "not/", "2019-05-04"), (b, ""))
        server.at["/sitemap.xml"] = answer(sitemap(*parts, kind="sitemap"), headers=XML)
        server.at["/month.xml.gz"] = answer(gzip.compress(month), headers={"Content-Type": "application/x-gzip"})
        server.at["/news.xml"] = answer(news(a, "2026-03-10T07:00:00Z"), headers=XML)
        server.at["/old.xml"] = answer(sitemap((OLD, "2019-05-04T10:00:00Z")), headers=XML)
        stories(server, (a, b, c, OLD))
        yield server


def test_news_first_then_fresh_stories_and_nothing_old(sea: Server, tmp_path: Path) -> None:
    a, b, c = STORY.format("a"), STORY.format("b"), FEBRUARY
    outcome = visit(sea, tmp_path, site=MAP)
    assert sea.targets == ["/sitemap.xml", "/news.xml", "/month.xml.gz", a, b, c]
    assert urls(tmp_path) == [c, a, b]
    assert (outcome.tally.dropped["not_fresh"], count(tmp_path, "not_fresh")) == (1, 1)
    with Archive.open(tmp_path) as archive:
        assert [archive.db[name].count for name in ("front", "card", "placement")] == [0, 0, 0]
    assert verdicts(tmp_path)["/month.xml.gz"] == "front"


def test_the_next_crawl_asks_only_what_changed(sea: Server, tmp_path: Path) -> None:
    visit(sea, tmp_path, site=MAP)
    sea.log.clear()
    visit(sea, tmp_path, site=MAP, now=NOW + timedelta(minutes=10))
    assert sea.targets == ["/sitemap.xml"]
    sea.log.clear()
    changed = (("/old.xml", "2019-05-04T10:00:00Z"), ("/news.xml", "2026-03-10T09:50:00Z"))
    sea.at["/sitemap.xml"] = answer(sitemap(*changed, kind="sitemap"), headers=XML)
    sea.at["/news.xml"] = answer(news(STORY.format("d"), "2026-03-10T09:50:00Z"), headers=XML)
    stories(sea, [STORY.format("d")])
    visit(sea, tmp_path, site=MAP, now=NOW + timedelta(minutes=55))
    assert sea.targets == ["/sitemap.xml", "/news.xml", STORY.format("d")]


def test_a_backfill_takes_what_is_dated_since_then(sea: Server, tmp_path: Path) -> None:
    older = ("/older.xml", "2018-12-31T10:00:00Z")
    sea.at["/older.xml"] = answer(sitemap(("/2018/01/02/an-older-story-of-the-sea/", "2018-01-02")), headers=XML)
    parts = [(part, "2019-05-04T10:00:00Z") for part in ("/old.xml", "/gone.xml")]
    index = sitemap(older, *parts, ("/sitemap-2017-01.xml", ""), ("/sitemap-2019-06.xml", ""), kind="sitemap")
    sea.at["/sitemap.xml"] = answer(index, headers=XML)
    visit(sea, tmp_path, site=MAP)  # the newest date of all is of 2019: that month is fresh here
    sea.log.clear()
    limits = Limits(wait=0.0, since=datetime(2019, 1, 1, tzinfo=UTC))
    visit(sea, tmp_path, limits, site=MAP, now=NOW + timedelta(minutes=5))
    assert set(sea.targets) == {"/sitemap.xml", "/old.xml", "/gone.xml", "/sitemap-2019-06.xml"}
    assert urls(tmp_path) == [OLD]


def test_a_backfill_reads_what_is_unchanged_again(sea: Server, tmp_path: Path) -> None:
    visit(sea, tmp_path, site=MAP)
    assert OLD not in urls(tmp_path)
    limits = Limits(wait=0.0, since=datetime(2019, 1, 1, tzinfo=UTC))
    visit(sea, tmp_path, limits, site=MAP, now=NOW + timedelta(minutes=5))
    assert OLD in urls(tmp_path)
    assert sea.targets.count("/old.xml") == 1
    before, queue = tables(tmp_path), rows(tmp_path, QUEUE.replace("f.found_on", "f.found_on, f.dated"))
    assert anew(tmp_path) == []
    assert_same(before, tmp_path)
    assert rows(tmp_path, QUEUE.replace("f.found_on", "f.found_on, f.dated")) == queue


def test_fresh_stories_go_before_old_ones(tmp_path: Path) -> None:
    fresh = [STORY.format(n) for n in range(3)]
    old = [f"/2026/02/{day:02}/two-boats-lost-in-the-high-tide/" for day in (14, 15, 16)]
    listed = sitemap(*((url, "") for url in (*old, *fresh)), (STORY.format("z"), "2026-03-10T08:00:00Z"))
    with serving({"/sitemap.xml": answer(listed, headers=XML)}) as server:
        stories(server, (*fresh, *old, STORY.format("z")))
        visit(server, tmp_path, site=MAP)
        asked = server.targets[1:]
    assert set(asked[:4]) == {*fresh, STORY.format("z")}
    assert asked[4:] == old[::-1]


def test_a_new_lastmod_makes_a_known_story_due(tmp_path: Path) -> None:
    a, b = STORY.format("a"), STORY.format("b")
    first = sitemap((a, "2026-03-10T08:00:00Z"), (b, "2026-03-10T08:00:00Z"))
    second = sitemap((a, "2026-03-10T09:10:00Z"), (b, "2026-03-10T08:00:00Z"))
    with Server() as server:
        server.at["/sitemap.xml"] = [answer(first), answer(second), answer(second + b" ")]
        stories(server, (a, b))
        visit(server, tmp_path, site=MAP)
        server.at[a] = answer(html("Two boats lost", f"{PROSE}<p>Correction: there were three boats, not two.</p>"))
        server.log.clear()
        outcome = visit(server, tmp_path, site=MAP, now=NOW + timedelta(minutes=20))
        assert server.targets == ["/sitemap.xml", a]
        assert outcome.tally.counts["changed"] == 1
        server.log.clear()
        visit(server, tmp_path, site=MAP, now=NOW + timedelta(minutes=40))
        assert server.targets == ["/sitemap.xml"]


def test_a_story_that_a_sitemap_names_no_more_is_asked_for_once(tmp_path: Path) -> None:
    """Withdrawn, not aged: older ones are still named. What fell off the end is not asked for."""
    a, b, c, d = (STORY.format(letter) for letter in "abcd")
    days = {url: f"2026-03-0{9 - n}T08:00:00Z" for n, url in enumerate((a, b, c, d))}
    every = sitemap(*days.items())
    without = sitemap(*((url, day) for url, day in days.items() if url in (a, c)))
    with Server() as server:
        server.at["/sitemap.xml"] = [answer(every), answer(without), answer(without + b" ")]
        stories(server, (a, b, c, d))
        visit(server, tmp_path, site=MAP)
        server.at[b] = answer(b"<title>Gone</title>", status=410)
        server.log.clear()
        for minutes in (10, 20):
            visit(server, tmp_path, site=MAP, now=NOW + timedelta(minutes=minutes))
        assert server.targets == ["/sitemap.xml", b, "/sitemap.xml"]
    (row,) = rows(tmp_path, "SELECT url FROM articles WHERE withdrawn IS NOT NULL")
    assert row[0].endswith(b)
    before, queue = tables(tmp_path), rows(tmp_path, QUEUE)
    anew(tmp_path)
    assert_same(before, tmp_path)
    assert rows(tmp_path, QUEUE) == queue


def test_a_sitemap_that_is_cut_anew_withdraws_nothing(tmp_path: Path) -> None:
    urls = [STORY.format(n) for n in range(20)]
    entries = [(url, f"2026-03-09T{23 - n:02}:00:00Z") for n, url in enumerate(urls)]
    with Server() as server:
        server.at["/sitemap.xml"] = [answer(sitemap(*entries)), answer(sitemap(*entries[::3]))]
        stories(server, urls)
        visit(server, tmp_path, site=MAP)
        server.log.clear()
        visit(server, tmp_path, site=MAP, now=NOW + timedelta(minutes=10))
        assert server.targets == ["/sitemap.xml"]


def test_of_a_long_list_without_dates_both_ends_are_taken(tmp_path: Path) -> None:
    every = [f"/a-story-of-two-boats-and-the-tide-{n:04}.html" for n in range(3 * ENDS)]
    with Server() as server:
        lines = "".join(f"{server.url(url)}\n" for url in every).encode()
        server.at["/sitemap.xml"] = answer(lines, headers={"Content-Type": "text/plain"})
        stories(server, every)
        visit(server, tmp_path, site=MAP)
    assert urls(tmp_path) == every[:ENDS] + every[-ENDS:]


def test_parts_without_a_date_are_asked_each_time(tmp_path: Path) -> None:
    names = [f"/stories-{n}.xml" for n in range(1, 7)]
    with serving({"/sitemap.xml": answer(sitemap(*((name, "") for name in names), kind="sitemap"))}) as server:
        for number, name in enumerate(names):
            server.at[name] = answer(sitemap((STORY.format(number), "")))
            stories(server, [STORY.format(number)])
        visit(server, tmp_path, site=MAP)
        ends = [names[n] for n in (0, 1, 4, 5)]
        assert [name for name in server.targets if name in names] == ends
        server.at[names[5]] = answer(sitemap((STORY.format(5), ""), (STORY.format(7), "")))
        stories(server, [STORY.format(7)])
        server.log.clear()
        visit(server, tmp_path, site=MAP, now=NOW + timedelta(minutes=5))
        assert server.targets == ["/sitemap.xml", *ends, STORY.format(7)]


def test_what_is_no_story_of_the_site_is_not_asked(tmp_path: Path) -> None:
    listed = sitemap(
        ("/about/", ""), ("https://elsewhere.example/2026/03/10/two-boats-lost/", ""), (STORY.format(1), "")
    )
    with serving({"/sitemap.xml": answer(listed, headers=XML)}) as server:
        stories(server, [STORY.format(1)])
        visit(server, tmp_path, site=MAP)
        assert server.targets == ["/sitemap.xml", STORY.format(1)]


@pytest.mark.parametrize(
    ("body", "status", "verdict", "words"),
    [
        (b"<!doctype html><h1>Page not found</h1>", 404, "gone", None),
        (b"<!doctype html><title>Page not found</title><h1>Page not found</h1>", 200, "soft_404", None),
        (b"<!doctype html><p>The front page, for some reason.", 200, "error", "is no sitemap"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]>' + sitemap((STORY.format(1), "")), 200, "error", "document type"),
        (sitemap((STORY.format(1), ""), (STORY.format(2), ""))[:-50], 200, "front", "no element found|unclosed"),
    ],
)
def test_a_bad_sitemap_is_kept_and_named(
    tmp_path: Path, body: bytes, status: int, verdict: str, words: str | None
) -> None:
    with serving({"/sitemap.xml": answer(body, status=status)}) as server:
        stories(server, [STORY.format(1)])
        outcome = visit(server, tmp_path, site=MAP)
    assert outcome.state == "done"
    assert verdicts(tmp_path)["/sitemap.xml"] == verdict
    (problem,) = rows(tmp_path, "SELECT problem FROM capture WHERE kind = 'sitemap'")[0]
    assert re.search(words, problem) if words else problem is None
    assert urls(tmp_path) == ([STORY.format(1)] if verdict == "front" else [])


# -- what a site itself offers -----------------------------------------------------------------------------------------


def offering(server: Server) -> None:
    robots = f"User-agent: *\nDisallow:\nSitemap: {server.url('/news.xml')}\nSitemap: https://elsewhere.example/s.xml\n"
    server.at["/robots.txt"] = answer(robots.encode(), headers={"Content-Type": "text/plain"})
    head = '<head><link rel="alternate" type="application/rss+xml" href="/feed/">'
    head += '<link rel="alternate" type="application/rss+xml" href="/comments/feed/">'
    server.at["/"] = answer(front(STORY.format("front")).replace(b"<head>", head.encode()))
    item = f"<item><title>Two boats lost</title><link>{STORY.format('feed')}</link></item>"
    server.at["/feed/"] = answer(f"<rss><channel>{item}</channel></rss>".encode())
    server.at["/news.xml"] = answer(news(STORY.format("news"), "2026-03-10T08:00:00Z"))
    stories(server, map(STORY.format, ("front", "feed", "news")))


def test_a_site_without_sources_gives_what_it_offers(tmp_path: Path) -> None:
    with serving({}) as server:
        offering(server)
        visit(server, tmp_path)
        assert set(server.targets[:3]) == {"/", "/feed/", "/news.xml"}
        assert urls(tmp_path) == sorted(map(STORY.format, ("front", "feed", "news")))
        server.log.clear()
        visit(server, tmp_path, now=NOW + timedelta(minutes=5))
        assert set(server.targets) == {"/", "/feed/", "/news.xml"}
    before, queue = tables(tmp_path), rows(tmp_path, QUEUE)
    assert anew(tmp_path) == []
    assert_same(before, tmp_path)
    assert rows(tmp_path, QUEUE) == queue


def test_a_site_with_sources_gives_exactly_those(tmp_path: Path) -> None:
    with serving({}) as server:
        offering(server)
        visit(server, tmp_path, site='sources = [{ front = "/" }]')
        assert server.targets == ["/", STORY.format("front")]


# -- posts of WordPress ------------------------------------------------------------------------------------------------


class Blog:
    """A site whose posts of some days are given by REST. `since`: where the list ends if a page says `after`."""

    def __init__(self, server: Server, days: list[datetime], since: datetime) -> None:
        self.server = server
        self.path = "/wp-json/wp/v2/posts"
        self.links = [f"/posts/two-boats-lost-in-the-high-tide-{at:%Y-%m-%d-%H}/" for at in days]
        stories(server, self.links)
        later = [(at, link) for at, link in zip(days, self.links, strict=True) if at > since]
        self._pages(list(zip(days, self.links, strict=True)), None)
        self._pages(later, since)

    def _pages(self, posts: list[tuple[datetime, str]], after: datetime | None) -> None:
        groups = [posts[at : at + 100] for at in range(0, len(posts), 100)]
        for number, group in enumerate(groups, 1):
            found = [
                {"link": link, "date_gmt": f"{at:%Y-%m-%dT%H:%M:%S}", "title": {"rendered": "x"}} for at, link in group
            ]
            url = wordpress.address(self.server.url(self.path), page=number, after=after)
            headers = {"Content-Type": "application/json", "X-WP-TotalPages": str(len(groups))}
            self.server.at[url.removeprefix(self.server.base)] = answer(json.dumps(found).encode(), headers=headers)

    def asked(self) -> list[tuple[int, datetime | None]]:
        """Pages of posts that were asked for."""
        return [wordpress.asked(target) for target in self.server.targets if target.startswith(self.path)]


WP = 'sources = [{ wp = "/wp-json/wp/v2/posts" }]'


def test_posts_are_paged_through_as_long_as_all_are_new_and_fresh(tmp_path: Path) -> None:
    floor = NOW - HOUR - timedelta(days=30)
    with Server() as server:
        blog = Blog(server, [NOW - HOUR * n for n in range(1, 251)], floor)
        visit(server, tmp_path, site=WP)
        assert blog.asked() == [(1, None), (2, floor), (3, floor)]
        assert len(urls(tmp_path)) == 250
        server.log.clear()
        blog = Blog(server, [NOW + HOUR - HOUR * n for n in range(1, 251)], floor)
        visit(server, tmp_path, site=WP, now=NOW + timedelta(minutes=5))
        assert blog.asked() == [(1, None)]
        assert len(urls(tmp_path)) == 251


def test_a_backfill_of_posts_says_after(tmp_path: Path) -> None:
    since = datetime(2025, 9, 1, tzinfo=UTC)
    with Server() as server:
        blog = Blog(server, [NOW - timedelta(days=n) for n in range(1, 321)], since)
        visit(server, tmp_path, site=WP)
        assert len(urls(tmp_path)) == 31
        limits = Limits(wait=0.0, since=since)
        for _ in range(2):  # repeated, it asks the pages again and finds nothing new
            server.log.clear()
            visit(server, tmp_path, limits, site=WP, now=NOW + timedelta(minutes=5))
            assert blog.asked() == [(1, None), (1, since), (2, since)]
            assert len(urls(tmp_path)) == 190
        server.log.clear()
        visit(server, tmp_path, site=WP, now=NOW + timedelta(minutes=10))
        assert blog.asked() == [(1, None)]
    before, queue = tables(tmp_path), rows(tmp_path, QUEUE)
    assert anew(tmp_path) == []
    assert_same(before, tmp_path)
    assert rows(tmp_path, QUEUE) == queue


def test_an_interface_that_is_closed_is_named(tmp_path: Path) -> None:
    closed = answer(b'{"code":"rest_cannot_access"}', status=401, headers={"Content-Type": "application/json"})
    with Server() as server:
        server.otherwise = closed
        visit(server, tmp_path, site=WP)
    assert rows(tmp_path, "SELECT verdict FROM capture WHERE kind = 'wp'") == [("error",)]


# -- takedowns ---------------------------------------------------------------------------------------------------------


def test_an_address_that_was_taken_down_leaves_sitemaps_too(sea: Server, tmp_path: Path) -> None:
    folder, gone = tmp_path / "archive", STORY.format("a")
    visit(sea, folder, site=MAP)
    assert found(folder, [gone])
    down(folder, sea.url(gone))
    assert gone not in urls(folder)
    assert found(folder, [gone]) == []
    sea.log.clear()
    visit(sea, folder, Limits(wait=0.0, since=datetime(2019, 1, 1, tzinfo=UTC)), site=MAP, now=NOW + HOUR)
    assert gone not in sea.targets
    assert found(folder, [gone]) == []
