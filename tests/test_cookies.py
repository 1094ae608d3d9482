"""Cookies of a run: kept in memory, a jar a site, bounded, sent nowhere else and written nowhere."""

import asyncio
import gzip
from pathlib import Path

import pytest

from parsers.errors import BadResponse, HostHeld
from scraper.fetch.client import Fetcher
from scraper.fetch.cookies import MAX_COOKIES, Cookies
from tests.servers import Server, answer, moved, settings


def taken(url: str, *lines: str) -> Cookies:
    jar = Cookies()
    jar.take(url, [("Set-Cookie", line) for line in lines])
    return jar


@pytest.mark.parametrize(
    ("line", "url", "sent"),
    [
        ("a=1; Path=/", "https://www.post.example/x", "a=1"),
        ("a=1; Path=/; Domain=post.example", "https://news.post.example/x", "a=1"),
        ("a=1; Path=/", "https://news.post.example/x", ""),
        ("a=1; Path=/deep", "https://www.post.example/x", ""),
        ("a=1; Path=/; Secure", "http://www.post.example/x", ""),
        ("a=1; Path=/; Max-Age=0", "https://www.post.example/x", ""),
        ("a=1; Path=/; Domain=example", "https://other.example/x", ""),
        ("a=1; Path=/; Domain=other.example", "https://other.example/x", ""),
        ("a=" + "x" * 5000, "https://www.post.example/x", ""),
        ("\x00;;;=", "https://www.post.example/x", ""),
    ],
)
def test_what_is_sent_where(line: str, url: str, sent: str) -> None:
    assert taken("https://www.post.example/", line).header(url) == sent


def test_a_site_that_sets_without_end_fills_nothing() -> None:
    jar = Cookies()
    for n in range(10 * MAX_COOKIES):
        jar.take("https://post.example/", [("Set-Cookie", f"c{n}=1; Path=/")])
    assert jar.header("https://post.example/").count("=") <= MAX_COOKIES


def fetch(server: Server, path: str) -> object:
    async def run() -> object:
        async with Fetcher(settings(), agent="test/1 (+mailto:a@b.example)") as fetcher:
            return await fetcher.get(server.url(path))

    return asyncio.run(run())


def test_a_consent_redirect_that_sets_a_cookie_leads_to_the_story() -> None:
    with Server() as server:
        server.at["/story"] = [moved("/consent?next=/story"), answer(b"<p>behind the wall")]
        consent = (
            b"HTTP/1.1 302 Found\r\nSet-Cookie: consent=yes; Path=/\r\nLocation: /story\r\nContent-Length: 0\r\n\r\n"
        )
        server.at["/consent?next=/story"] = consent
        fetched = fetch(server, "/story")
        assert fetched.page.body == b"<p>behind the wall"  # type: ignore[attr-defined]
        assert [request.headers.get("cookie") for request in server.pages] == [None, None, "consent=yes"]
        assert b"consent=yes" in fetched.exchanges[-1].request_head  # type: ignore[attr-defined]


def test_a_wall_without_a_cookie_is_a_circle() -> None:
    with Server() as server:
        server.at["/story"] = moved("/consent")
        server.at["/consent"] = moved("/story")
        with pytest.raises(BadResponse, match="circle"):
            fetch(server, "/story")
        assert len(server.pages) == 2


def test_cookies_reach_no_file(tmp_path: Path) -> None:
    from test_crawl import STORY, front, html, visit

    story = STORY.format(1)
    with Server() as server:
        server.at["/"] = answer(front(story), headers={"Set-Cookie": "session=topsecret; Path=/"})
        server.at[story] = answer(html("Two boats lost"))
        visit(server, tmp_path / "a")
        assert server.pages[-1].headers["cookie"] == "session=topsecret"
    for path in (tmp_path / "a").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"topsecret" not in (gzip.decompress(data) if path.suffix == ".gz" else data), path


def test_one_refused_address_is_put_off_and_the_host_is_slowed() -> None:
    busy = answer(b"", status=429, headers={"Retry-After": "86400"})
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock[0] += seconds

    clock = [0.0]

    async def run(server: Server) -> list[bool]:
        async with Fetcher(
            settings(), agent="t/1 (+mailto:a@b.example)", sleep=sleep, clock=lambda: clock[0]
        ) as fetcher:
            held = []
            for path in ("/a", "/good", "/a", "/b"):
                try:
                    await fetcher.get(server.url(path))
                except HostHeld as error:
                    held.append(error.alone)
            return held

    with Server() as server:
        server.at.update({"/a": busy, "/b": busy, "/good": answer(b"<p>good")})
        assert asyncio.run(run(server)) == [True, True, False]
        assert server.targets == ["/a", "/good", "/a", "/b"]
    assert max(waits) == pytest.approx(10.0, abs=0.5)
