"""Sites without end, answers without end, and hosts that ask for patience in odd ways: a crawl ends, and has what there is."""

import asyncio
import itertools
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from test_crawl import STORY, front, html, urls, visit

from parsers.errors import BadResponse, FetchError, TooLarge
from scraper.crawl import Limits
from scraper.fetch.client import Fetcher
from scraper.fetch.policy import MAX_HOLD, Backoff, retry_after
from scraper.ingest import MAX_LISTING_PAGES
from storage.archive import Archive
from tests.servers import Request, Server, Write, answer, head, settings

MOST = 2 * MAX_LISTING_PAGES
Trap = Callable[[str, int], list[str]]
"""Links of a page, from its address and its number."""


def sections(target: str, n: int) -> list[str]:
    return [f"{target.rstrip('/')}/a/"]


def calendar(target: str, n: int) -> list[str]:
    found = re.search(r"/(\d{4})/(\d\d)/", target)
    year, month = (int(found[1]), int(found[2])) if found else (2026, 3)
    days = [(year, month + 1), (year, month - 1), (year + 1, month), (year - 1, month)]
    return [f"/days/{y + (m - 1) // 12}/{(m - 1) % 12 + 1:02}/" for y, m in days]


def pages(target: str, n: int) -> list[str]:
    found = re.search(r"page=(\d+)", target)
    return [f"/?page={int(found[1]) + 1 if found else 2}"]


def queries(target: str, n: int) -> list[str]:
    return [f"{target}{'&' if '?' in target else '?'}p{n}={n}"]


def capitals(target: str, n: int) -> list[str]:
    letters = itertools.product("aA", "bB", "cC", "dD", "eE", "fF")
    return [f"/{''.join(word)}/{n}" for word in letters]


def tags(target: str, n: int) -> list[str]:
    return [f"/tag/{n}-{k}/" for k in range(90)]


def sessions(target: str, n: int) -> list[str]:
    return [f"/list;jsessionid={n:032x}", f"/list?PHPSESSID={n:032x}"]


@pytest.mark.parametrize("trap", [sections, calendar, pages, queries, capitals, tags, sessions])
def test_a_site_without_end_ends(tmp_path: Path, trap: Trap) -> None:
    """Every address answers, and leads to more. The story beside it is found."""
    count = itertools.count(1)

    async def page(request: Request, writer: asyncio.StreamWriter) -> None:
        links = trap(request.target, next(count))
        items = "".join(f'<a class="page-numbers" href="{url}">more</a> ' for url in links)
        story = (
            f'<p><a href="/one/">one</a> <a href="{STORY.format(1)}">Two boats lost in the high tide of March</a></p>'
        )
        own = story if request.target == "/" else ""
        writer.write(answer(f"<html><title>Days</title><body>{items}{own}</body></html>".encode()))

    with Server() as server:
        server.otherwise = page
        server.at["/robots.txt"] = answer(b"", status=404)
        server.at["/one/"] = server.at[STORY.format(1)] = answer(html("Two boats lost"))
        assert visit(server, tmp_path / "a").state == "done"
        assert len(server.pages) <= MOST
        assert len(set(server.targets)) == len(server.targets), "nothing is asked twice"
    assert STORY.format(1) in urls(tmp_path / "a")


def test_where_nothing_looks_like_a_story_few_links_are_followed(tmp_path: Path) -> None:
    """A trap that the front itself leads to, as there is nothing else to follow."""
    count = itertools.count(1)

    async def page(request: Request, writer: asyncio.StreamWriter) -> None:
        items = "".join(f'<a href="{url}">x</a> ' for url in tags(request.target, next(count)))
        writer.write(answer(f"<html><body>{items}</body></html>".encode()))

    with Server() as server:
        server.otherwise = page
        server.at["/robots.txt"] = answer(b"", status=404)
        visit(server, tmp_path / "a")
        assert len(server.pages) <= MOST


# -- answers without end ---------------------------------------------------------------------------------------------


def on_and_on(first: bytes, again: bytes) -> Write:
    """Never stops sending; counts what it sent in `server.sent`."""

    async def write(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while not writer.is_closing():
            writer.write(again)
            await writer.drain()
            await asyncio.sleep(0)

    return write


CHUNKED = head(headers={"Transfer-Encoding": "chunked"})


@pytest.mark.parametrize(
    ("wire", "error"),
    [
        (on_and_on(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 100), BadResponse),
        (on_and_on(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 1000), BadResponse),
        (on_and_on(b"HTTP/1.1 200 OK\r\n", b"Set-Cookie: a=b\r\n" * 100), BadResponse),
        (on_and_on(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100), BadResponse),
        (on_and_on(b"", b"\r\n" * 1000), FetchError),
        (on_and_on(head(), b"x" * 1000), TooLarge),
        (on_and_on(CHUNKED, b"1\r\nx\r\n" * 1000), TooLarge),
        (on_and_on(CHUNKED + b"5;", b"x" * 1000), None),
        (on_and_on(CHUNKED + b"1\r\nx\r\n0\r\n", b"X: y\r\n" * 100), None),
        (on_and_on(head(5) + b"hello" + b"x" * 1000, b"x" * 1000), None),  # in one piece: what comes later nobody sees
    ],
    ids="fields field cookies interim lines body chunks extension trailers overlong".split(),
)
def test_an_answer_without_end_ends(wire: Write, error: type[FetchError] | None) -> None:
    async def run(server: Server) -> bool:
        options = settings(retries=0, deadline=8.0, max_bytes=200_000)
        async with Fetcher(options, agent="x") as fetcher:
            return (await fetcher.get(server.url("/a"))).page.truncated

    with Server() as server:
        server.at["/a"] = wire
        if error is None:
            assert asyncio.run(run(server))
        else:
            with pytest.raises(error):
                asyncio.run(run(server))


# -- patience --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", ["9" * 18, "9" * 200, "Fri, 31 Dec 9999 23:59:59 GMT", "Sun, 06 Nov 2095 08:49:37 GMT"]
)
def test_a_very_long_wait_is_a_week(value: str) -> None:
    assert retry_after(value, datetime(2026, 3, 10, tzinfo=UTC)) == MAX_HOLD


def test_a_very_long_wait_is_not_sat_out(tmp_path: Path) -> None:
    busy = answer(b"", status=429, headers={"Retry-After": "9" * 200})
    with Server() as server:
        server.at |= {"/": answer(front(STORY.format(1))), STORY.format(1): busy}
        visit(server, tmp_path / "a", Limits(wait=0.5))
        assert server.targets.count(STORY.format(1)) == 1
    with Archive.open(tmp_path / "a") as archive:
        (row,) = archive.db.query("select due, outcome from frontier where kind = 'story'")
    assert row["outcome"] == "host_held"
    assert row["due"] > "2026-03-17"


@pytest.mark.parametrize("value", ["Sun, 06 Nov 1994 08:49:37 GMT", "0", "-5", "later", "1e9", "inf", "٣", "", "1, 2"])
def test_a_wait_that_is_none_is_our_own_backoff(value: str) -> None:
    async def run(server: Server) -> int:
        async with Fetcher(settings(), agent="x", backoff=Backoff(0.02, 0.1, 0.0)) as fetcher:
            return (await fetcher.get(server.url("/a"))).tries

    with Server() as server:
        server.at["/a"] = [answer(b"", status=503, headers={"Retry-After": value}), answer(b"<p>well")]
        assert asyncio.run(run(server)) == 2


def test_a_good_answer_with_retry_after_holds_nothing() -> None:
    async def run(server: Server) -> None:
        async with Fetcher(settings(), agent="x") as fetcher:
            await fetcher.get(server.url("/a"))
            await fetcher.get(server.url("/b"))

    with Server() as server:
        server.at["/a"] = server.at["/b"] = answer(b"<p>well", headers={"Retry-After": "3600"})
        asyncio.run(run(server))
    assert server.targets == ["/a", "/b"]


def test_a_site_that_sets_large_cookies_does_not_lock_itself() -> None:
    """Forty of 4 kB each: a Cookie header that no server would take."""
    lines = "".join(f"Set-Cookie: c{n}={'x' * 4000}; Path=/\r\n" for n in range(20))

    async def page(request: Request, writer: asyncio.StreamWriter) -> None:
        refused = len(request.raw) > 16_000
        status = "431 Too Large" if refused else "200 OK"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\n{lines}Content-Length: 2\r\n\r\nok".encode())

    async def run(server: Server) -> list[int]:
        async with Fetcher(settings(), agent="x") as fetcher:
            return [(await fetcher.get(server.url(f"/{n}"))).page.status for n in range(4)]

    with Server() as server:
        server.otherwise = page
        server.at["/robots.txt"] = answer(b"", status=404)
        assert asyncio.run(run(server)) == [200] * 4
