"""Meta refresh: what is one and what is not, and that it is followed as redirects are."""

import asyncio
import gzip
from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from test_crawl import NOW, STORY, front, html, urls, visit
from test_rebuild import QUEUE, anew, assert_same, rows, tables

from parsers.errors import AddressRefused, BadResponse, FetchError, RobotsDenied
from parsers.page import Page
from parsers.refresh import target
from scraper.cli.main import run as newsmorgue
from scraper.crawl import Limits
from scraper.fetch.client import Fetched, Fetcher
from storage.captures import Warc
from tests.servers import Server, answer, moved, settings


def page(markup: str, content_type: str = "text/html; charset=utf-8") -> Page:
    return Page("https://example.org/a", markup.encode(), headers=(("Content-Type", content_type),))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("0;url=/b", "/b"),
        ("0; URL=/b", "/b"),
        ("0;URL='/b'", "/b"),
        ('0;url="/b"', "/b"),
        (" 5 ; url = https://example.net/b?c=1;d ", "https://example.net/b?c=1;d"),
        ("3,url=/b", "/b"),
        ("0 url=/b", "/b"),
        ("0;/b", "/b"),
        ("0.9;url=/b", "/b"),
        (".5;url=/b", "/b"),
        ("5.9;url=/b", "/b"),
        ("0;url='/b' trailing", "/b"),
        ("0;url='/b", "/b"),
        ("6;url=/b", None),
        ("300;url=/b", None),
        ("99999999999999999999999;url=/b", None),
        ("0", None),
        ("5", None),
        ("0;", None),
        ("0;url=", None),
        ("0;url=''", None),
        ("", None),
        ("url=/b", None),
        ("-1;url=/b", None),
        ("0url=/b", None),
    ],
)
def test_content(content: str, expected: str | None) -> None:
    quoted = content.replace('"', "&quot;")
    assert target(page(f'<html><head><meta http-equiv="refresh" content="{quoted}"></head><body><p>x')) == expected


ONE = '<meta http-equiv=refresh content="0;url=/b">'


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        (ONE, "/b"),
        ('<META HTTP-EQUIV="Refresh" CONTENT="0;url=/b">', "/b"),
        ("<META HTTP-EQUIV='REFRESH' CONTENT='0;url=/b'>", "/b"),
        (f"<body><p>{ONE}", "/b"),
        (f"<head><meta http-equiv=x-ua-compatible content=ie>{ONE}", "/b"),
        (f"{ONE}<meta http-equiv=refresh content='0;url=/c'>", "/b"),
        (f"<head><noscript>{ONE}</noscript></head>", None),
        (f"<body><noscript><div>{ONE}</div></noscript>", None),
        (f"<head><noscript>{ONE}</noscript><meta http-equiv=refresh content='1;url=/c'>", "/c"),
        (f"<!-- {ONE} --><p>x", None),
        (f"<script>document.write('{ONE}')</script>", None),
        (f"<template>{ONE}</template>", None),
        (f"<textarea>{ONE}</textarea>", None),
        (f"<title>{ONE}</title>", None),
        ("<p>How to write http-equiv=refresh in HTML</p>", None),
        ("<meta name=refresh content='0;url=/b'>", None),
        ("", None),
        ("<p>" + "x" * 30_000 + ONE, "/b"),
        ("<p>" + "x" * 40_000 + ONE, None),
    ],
    ids=range(19),
)
def test_markup(markup: str, expected: str | None) -> None:
    assert target(page(markup)) == expected


def test_only_html_has_them() -> None:
    assert target(page(ONE, "text/plain")) is None
    assert target(page(ONE, "application/rss+xml")) is None
    assert target(Page("https://example.org/a", ONE.encode())) == "/b"


# -- followed ----------------------------------------------------------------------------------------------------------


def leads_to(url: str, seconds: int = 0, **options: object) -> bytes:
    return answer(f'<html><head><meta http-equiv="refresh" content="{seconds};url={url}"></head>'.encode(), **options)  # type: ignore[arg-type]


def fetch(url: str, scope: Callable[[str], bool] | None = None, allow: str = "127.0.0.0/8") -> Fetched:
    async def run() -> Fetched:
        limits = settings(retries=0, allow_addresses=(ip_network(allow),))
        async with Fetcher(limits, agent="newsmorgue", scope=scope) as fetcher:
            return await fetcher.get(url)

    return asyncio.run(run())


def test_each_hop_is_recorded() -> None:
    with Server() as server:
        server.at |= {"/a": leads_to("b"), "/b": moved("/c"), "/c": leads_to("/d", 5), "/d": answer(b"<p>here")}
        fetched = fetch(server.url("/a"))
    assert (fetched.page.asked, fetched.page.url) == (server.url("/a"), server.url("/d"))
    assert fetched.page.body == b"<p>here"
    assert [exchange.url for exchange in fetched.exchanges] == [server.url(path) for path in ("/a", "/b", "/c", "/d")]
    assert b"http-equiv" in fetched.exchanges[0].payload


@pytest.mark.parametrize(
    "page",
    [
        leads_to("/a"),
        leads_to("#top"),
        leads_to("", 5),
        leads_to("/b", 6),
        leads_to("/b", status=404),
        leads_to("javascript:alert(1)"),
        leads_to("newsapp://story/1"),
        leads_to("http://"),
        answer(b'<noscript><meta http-equiv=refresh content="0;url=/b"></noscript><p>A real story.'),
    ],
)
def test_a_page_that_stays(page: bytes) -> None:
    with Server() as server:
        server.at |= {"/a": page, "/b": answer(b"<p>not this")}
        fetched = fetch(server.url("/a"))
    assert server.targets == ["/a"]
    assert (fetched.page.url, len(fetched.exchanges)) == (server.url("/a"), 1)


def test_what_the_base_is() -> None:
    with Server() as server:
        base = b'<base href="/deep/down/"><meta http-equiv=refresh content="0;url=b">'
        server.at |= {"/a": answer(base), "/deep/down/b": answer(b"<p>here")}
        assert fetch(server.url("/a")).page.url == server.url("/deep/down/b")


def test_circles_and_long_ways_end() -> None:
    with Server() as server:
        server.at |= {"/a": leads_to("/b"), "/b": moved("/a")}
        with pytest.raises(BadResponse, match="circle"):
            fetch(server.url("/a"))
        assert server.targets == ["/a", "/b"]
        server.at |= {f"/{n}": leads_to(f"/{n + 1}") for n in range(20)}
        with pytest.raises(BadResponse, match="more than 10 times"):
            fetch(server.url("/0"))
    assert server.targets[-1] == "/10"


def test_scope_and_robots_hold() -> None:
    with Server() as server, Server("127.0.0.2") as other:
        server.at |= {
            "/robots.txt": answer(b"User-agent: *\nDisallow: /private/\n"),
            "/a": leads_to(other.url("/a")),
            "/b": leads_to("/private/x"),
        }
        with pytest.raises(AddressRefused, match="outside the scope"):
            fetch(server.url("/a"), lambda url: url.startswith(server.base))
        with pytest.raises(RobotsDenied):
            fetch(server.url("/b"))
        assert other.connections == 0
    assert server.targets == ["/a", "/b"]


@pytest.mark.parametrize("authority", ["127.0.66.6", "2130722310", "0x7f.0.66.6", "[::ffff:7f00:4206]", "x@127.0.66.6"])
def test_a_private_address_is_not_reached(authority: str) -> None:
    with Server() as server, Server("127.0.66.6") as trap:
        server.at["/a"] = leads_to(f"http://{authority}:{trap.port}/secret")
        with pytest.raises(FetchError):
            fetch(server.url("/a"), allow="127.0.0.1/32")
        assert trap.connections == 0


def test_the_archive_has_the_hop_and_a_rebuild_finds_the_same(tmp_path: Path) -> None:
    """The date of the answer is not sent to the page before it, which would call itself unchanged since."""
    with Server() as server:
        dated = {"Last-Modified": "Tue, 10 Mar 2026 08:00:00 GMT"}
        server.at |= {
            "/": answer(front(STORY.format(1))),
            STORY.format(1): leads_to("/print/1"),
            "/print/1": answer(html("Two boats lost"), headers=dated),
        }
        visit(server, tmp_path)
        visit(server, tmp_path, now=NOW + timedelta(days=2))
    again = server.pages[4:]
    assert [request.target for request in again] == [STORY.format(1), "/print/1"]
    assert not any("if-modified-since" in request.headers for request in again)
    assert urls(tmp_path) == ["/print/1"]
    assert rows(tmp_path, "SELECT count(*) FROM capture WHERE kind = 'story'") == [(1,)]
    warc = Warc(tmp_path / "warc")
    kinds = [(one.kind, one.status) for one in warc.records(warc.files()[0]) if one.url == server.url(STORY.format(1))]
    assert kinds.count(("response", 200)) == 2, "the hop of each visit"
    before, queue = tables(tmp_path), rows(tmp_path, QUEUE)
    assert anew(tmp_path) == []
    assert_same(before, tmp_path)
    assert rows(tmp_path, QUEUE) == queue


@pytest.mark.parametrize("said", [b"", b'<meta name="robots" content="noarchive">'])
def test_a_page_that_opts_out_is_no_more_than_its_head(tmp_path: Path, said: bytes) -> None:
    wandering = b'<meta http-equiv=refresh content="0;url=/print/1"><p>wandering words'
    with Server() as server:
        server.at |= {
            "/": answer(front(STORY.format(1))),
            STORY.format(1): answer(said + wandering),
            "/print/1": answer(html("Two boats lost")),
        }
        visit(server, tmp_path)
    assert urls(tmp_path) == ["/print/1"]
    warc = Warc(tmp_path / "warc")
    (hop,) = [one for one in warc.records(warc.files()[0]) if one.kind == "response" and "high-tide" in one.url]
    assert (hop.payload, hop.truncated) == ((b"", "length") if said else (wandering, None))
    before = tables(tmp_path)
    assert anew(tmp_path) == []
    assert_same(before, tmp_path)


def test_where_something_was_taken_down_redirects_are_no_more_than_their_heads(tmp_path: Path) -> None:
    with Server() as server:
        server.at |= {
            "/": answer(front(STORY.format(1), STORY.format(2))),
            STORY.format(1): answer(html("Two boats lost")),
            STORY.format(2): answer(b'<meta http-equiv=refresh content="0;url=/print/2"><p>wandering words'),
            "/print/2": answer(html("Two boats found")),
        }
        visit(server, tmp_path, Limits(wait=0.0, stories=1))
        assert urls(tmp_path) == [STORY.format(1)]
        assert (
            newsmorgue(
                [
                    "takedown",
                    server.url(STORY.format(1)),
                    "--reason",
                    "x",
                    "--by",
                    "y",
                    "--apply",
                    "--archive",
                    str(tmp_path),
                ]
            )
            == 0
        )
        visit(server, tmp_path, now=NOW + timedelta(hours=1))
    assert urls(tmp_path) == ["/print/2"]
    kept = b"".join(gzip.decompress(path.read_bytes()) for path in (tmp_path / "warc").iterdir())
    assert STORY.format(2).encode() in kept
    assert b"wandering words" not in kept
