"""An address to a page, over real connections: what is sent, what is kept, where redirects end."""

import asyncio
import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import brotlicffi
import pytest

from parsers.coding import zstd
from parsers.errors import AddressRefused, BadResponse, FetchError, TooLarge
from parsers.version import __version__
from scraper.fetch.client import Fetched, Fetcher, user_agent
from scraper.fetch.policy import Backoff
from storage.archive import Archive
from tests.servers import Server, answer, head, moved, reset_after, settings, slowly, zipped

FAST = Backoff(first=0.02, most=0.1, jitter=0.0)
AGENT = user_agent("archive@example.org")
NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
STORY = "<title>한빛일보</title><p>말했다.</p>".encode()


def fetch(url: str, *, conditions: dict[str, str] | None = None, changes: Any = None, **options: Any) -> Fetched:
    """Fetch one address with a fetcher of its own. `changes`: settings; `options`: those of Fetcher."""

    async def run() -> Fetched:
        made = {"agent": AGENT, "now": lambda: NOW, "backoff": FAST} | options
        async with Fetcher(settings(**(changes or {})), **made) as fetcher:
            return await fetcher.get(url, **(conditions or {}))

    return asyncio.run(run())


def test_a_page_and_what_went_over_the_wire() -> None:
    wire = (
        b"HTTP/1.1 200 Yes Indeed\r\nSERVER: odd\r\nx-Mixed-Case:  two  spaces \r\nSet-Cookie: a=1\r\n"
        b"Set-Cookie: b=2\r\nX-Latin: caf\xe9\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    )
    payload = gzip.compress(STORY)
    with Server() as server:
        server.at["/a?x=1"] = wire % len(payload) + payload
        fetched = fetch(server.url("/a?x=1#comments"))
    page = fetched.page
    assert page.body == STORY
    assert page.status == 200
    assert page.captured == NOW
    assert page.url == server.url("/a?x=1")
    assert page.asked == server.url("/a?x=1#comments")
    assert page.header("server") == "odd"
    assert page.header("X-Latin") == "café"
    assert [value for name, value in page.headers if name == "Set-Cookie"] == ["a=1", "b=2"]
    assert not page.truncated
    assert (fetched.tries, fetched.not_modified) == (1, False)
    (exchange,) = fetched.exchanges
    assert exchange.request_head == server.pages[0].raw, "byte for byte as sent"
    assert exchange.response_head == wire % len(payload), "byte for byte as received"
    assert exchange.payload == payload
    assert (exchange.url, exchange.at, exchange.ip, exchange.truncated) == (page.url, NOW, "127.0.0.1", None)


def test_who_asks() -> None:
    with Server() as server:
        fetch(server.url("/"))
    for request in server.log:
        assert request.headers["user-agent"] == f"newsmorgue/{__version__} (+mailto:archive@example.org)"
        assert request.headers["accept-encoding"] == "gzip, deflate"
        assert request.headers["host"] == f"127.0.0.1:{server.port}"
    assert user_agent("https://example.org/bot?a=1").endswith("(+https://example.org/bot?a=1)")
    assert user_agent("kim@한빛.example").isascii()


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        (answer(STORY), STORY),
        (zipped(STORY), STORY),
        (head() + STORY, STORY),
        (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", b"ok"),
        (b"HTTP/1.0 200 OK\r\n\r\nold", b"old"),
        (head(headers={"Transfer-Encoding": "chunked"}) + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n", b"abcde"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + answer(b"late"), b"late"),
        (head(2) + b"ok" + answer(b"POISON"), b"ok"),
        (answer(b"", status="204 No Content"), b""),
        (answer(b"", headers={"Content-Encoding": "gzip"}), b""),
        (answer(STORY, headers={"Content-Encoding": "gzip"}), STORY),
        (answer(b"%PDF-1.7", headers={"Content-Type": "application/pdf"}), b"%PDF-1.7"),
        (answer(b"x", headers={"Content-Security-Policy": "a " * 6000}), b"x"),
        (answer(b"x", headers={f"X-{n}": "y" for n in range(500)}), b"x"),
        (answer(brotlicffi.compress(STORY), headers={"Content-Encoding": "br"}), STORY),
        (answer(zstd.compress(STORY), headers={"Content-Encoding": "zstd"}), STORY),
        (answer(gzip.compress(gzip.compress(STORY)), headers={"Content-Encoding": "gzip, gzip"}), STORY),
        (answer(gzip.compress(STORY)), STORY),
        (
            answer(b"ok", headers={"X-A": "one\r\n two\r\nnonsense\r\nX Y: 1\r\nX-E: a\x01b\r\nX-F: a\rInjected: yes"}),
            b"ok",
        ),
    ],
    ids=range(20),
)
def test_ways_to_answer(wire: bytes, body: bytes) -> None:
    with Server() as server:
        server.at["/a"] = wire
        page = fetch(server.url("/a")).page
    assert page.body == body
    assert not page.truncated


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418, 451])
def test_refusals_come_back_as_they_are_after_one_request(status: int) -> None:
    with Server() as server:
        server.at["/a"] = answer(b"<p>no", status=status)
        fetched = fetch(server.url("/a"))
    assert (fetched.page.status, fetched.page.body, fetched.tries) == (status, b"<p>no", 1)
    assert server.targets == ["/a"]


def test_nothing_is_injected_through_a_bare_cr() -> None:
    with Server() as server:
        server.at["/a"] = answer(b"ok", headers={"X-A": "b\rLocation: /elsewhere\rContent-Encoding: br"})
        page = fetch(server.url("/a")).page
    assert (page.body, page.header("location"), page.header("content-encoding")) == (b"ok", None, None)


def test_a_body_longer_than_announced_is_not_taken_for_whole() -> None:
    with Server() as server:
        server.at["/a"] = head(len(STORY) - 10) + STORY
        fetched = fetch(server.url("/a"), changes={"retries": 1})
    assert (fetched.page.body, fetched.page.truncated, fetched.tries) == (STORY[:-10], True, 2)
    assert fetched.exchanges[0].truncated == "unspecified"


@pytest.mark.parametrize(
    ("wire", "truncated"),
    [
        (zipped(STORY), False),
        (answer(STORY), False),
        (answer(brotlicffi.compress(STORY), headers={"Content-Encoding": "br"}), False),
        (answer(gzip.compress(zstd.compress(STORY)), headers={"Content-Encoding": "zstd, gzip"}), False),
        (answer(gzip.compress(STORY)), False),
        (answer(STORY, headers={"Content-Encoding": "br"}), False),
        (answer(gzip.compress(STORY * 99)[:-20], headers={"Content-Encoding": "gzip"}), True),
        (head(len(STORY) + 1) + STORY, True),
        (head(len(STORY) - 1) + STORY, True),
        (answer(b"x", headers={"Content-Type": "video/mp4"}), True),
        (answer(b""), False),
    ],
    ids=range(11),
)
def test_what_was_fetched_is_what_is_read_back(tmp_path: Path, wire: bytes, truncated: bool) -> None:
    """The same body, as whole or as broken, from the wire and from the archive."""
    with Server() as server, Archive.create(tmp_path / "archive") as archive:
        server.at["/a"] = wire
        fetched = fetch(server.url("/a"), changes={"retries": 0})
        run = archive.start_run(now=NOW, version="1", command="crawl", settings="{}")
        kept = archive.keep(fetched.page, fetched.exchanges, run=run, site=None, kind="story")
        again = archive.page(kept.capture)
    assert (again.body, again.truncated) == (fetched.page.body, truncated)
    assert fetched.page.truncated == truncated
    assert (again.charset, again.content_type) == (fetched.page.charset, fetched.page.content_type)


def test_robots_that_are_cut_are_read_back_as_they_were_read(tmp_path: Path) -> None:
    seen: list[Fetched] = []
    rules = b"User-agent: *\nDisallow: /private/\n" + b"# padding\n" * 60_000
    with Server() as server, Archive.create(tmp_path / "archive") as archive:
        run = archive.start_run(now=NOW, version="1", command="crawl", settings="{}")
        for wire in (answer(rules), zipped(rules)):
            server.at |= {"/robots.txt": wire, "/a": answer(b"a")}
            fetch(server.url("/a"), keep_robots=seen.append)
            page = seen[-1].page
            kept = archive.keep(page, seen[-1].exchanges, run=run, site=None, kind="robots")
            assert archive.page(kept.capture).body == page.body
            assert rules.startswith(page.body)
            assert len(page.body) >= 500 * 1024


# -- conditional requests ------------------------------------------------------------------------------------------


def test_a_conditional_request() -> None:
    with Server() as server:
        server.at["/a"] = answer(status="304 Not Modified", headers={"ETag": '"v1"'})
        date = "Tue, 24 Nov 2026 05:00:00 GMT"
        fetched = fetch(server.url("/a"), conditions={"etag": 'W/"v1"', "last_modified": date})
    assert fetched.not_modified
    assert (fetched.page.status, fetched.page.body, fetched.page.header("etag")) == (304, b"", '"v1"')
    assert server.pages[0].headers["if-none-match"] == 'W/"v1"'
    assert server.pages[0].headers["if-modified-since"] == date
    assert "if-none-match" not in server.log[0].headers, "robots.txt was asked for without a condition"


def test_a_changed_page_answers_a_conditional_request() -> None:
    with Server() as server:
        server.at["/a"] = answer(STORY)
        fetched = fetch(server.url("/a"), conditions={"etag": '"v1"'})
    assert not fetched.not_modified
    assert fetched.page.body == STORY


def test_304_that_nobody_asked_for() -> None:
    with Server() as server:
        server.at["/a"] = answer(status="304 Not Modified")
        with pytest.raises(BadResponse, match="304") as raised:
            fetch(server.url("/a"))
    assert raised.value.status == 304


def test_behind_a_redirect_only_the_entity_tag_counts() -> None:
    with Server() as server:
        server.at["/?p=7"] = moved("/story", 301)
        server.at["/story"] = answer(status="304 Not Modified")
        conditions = {"etag": '"v1"', "last_modified": "Tue, 24 Nov 2026 05:00:00 GMT"}
        assert fetch(server.url("/?p=7"), conditions=conditions).not_modified
    assert "if-modified-since" in server.pages[0].headers
    assert server.pages[1].headers["if-none-match"] == '"v1"'
    assert "if-modified-since" not in server.pages[1].headers


def test_validators_that_would_be_headers_are_left_out() -> None:
    with Server() as server:
        server.at["/a"] = answer(STORY)
        fetch(server.url("/a"), conditions={"etag": '"x"\r\nX-Injected: 1'})
    assert "x-injected" not in server.pages[0].headers
    assert "if-none-match" not in server.pages[0].headers


# -- redirects -------------------------------------------------------------------------------------------------------


def test_redirects_are_followed_and_recorded() -> None:
    with Server() as server, Server("127.0.0.2") as other:
        server.at["/short"] = moved("sub/one", 301)
        server.at["/sub/one"] = moved("../two?x=1#here", 302)
        server.at["/two?x=1"] = moved(f"//127.0.0.2:{other.port}/three", 303)
        other.at["/three"] = moved("/기사", 307)
        other.at["/%EA%B8%B0%EC%82%AC"] = moved("?page=2", 308)
        other.at["/%EA%B8%B0%EC%82%AC?page=2"] = answer(STORY)
        fetched = fetch(server.url("/short"))
    assert fetched.page.body == STORY
    assert fetched.page.url == other.url("/%EA%B8%B0%EC%82%AC?page=2")
    assert fetched.page.asked == server.url("/short")
    assert fetched.tries == 6
    assert [(e.url, e.response_head[9:12]) for e in fetched.exchanges] == [
        (server.url("/short"), b"301"),
        (server.url("/sub/one"), b"302"),
        (server.url("/two?x=1"), b"303"),
        (other.url("/three"), b"307"),
        (other.url("/%EA%B8%B0%EC%82%AC"), b"308"),
        (other.url("/%EA%B8%B0%EC%82%AC?page=2"), b"200"),
    ]
    assert [request.target for request in server.log + other.log].count("/robots.txt") == 2, "each host was asked"


@pytest.mark.parametrize(("hops", "ends_well"), [(10, True), (11, False), (50, False)])
def test_redirects_are_bounded(hops: int, ends_well: bool) -> None:
    with Server() as server:
        server.at |= {f"/{n}": moved(f"/{n + 1}") for n in range(hops)}
        server.at[f"/{hops}"] = answer(STORY)
        if ends_well:
            assert len(fetch(server.url("/0")).exchanges) == hops + 1
        else:
            with pytest.raises(BadResponse, match="more than 10 times") as raised:
                fetch(server.url("/0"))
            assert raised.value.tries == 11
            assert raised.value.url == server.url("/0")
            assert len(server.targets) == 11


@pytest.mark.parametrize(
    ("location", "error", "words"),
    [
        (None, BadResponse, "no Location"),
        ("/a", BadResponse, "in a circle"),
        ("#top", BadResponse, "in a circle"),
        ("http://[::1", BadResponse, "not an address|no address"),
        ("http://a.example:port/", BadResponse, "not an address|no address"),
        ("http://", BadResponse, "in a circle"),
        ("https:///x", BadResponse, "names no host"),
        ("/" + "a" * 9000, BadResponse, "9001 characters"),
        ("file:///etc/passwd", AddressRefused, "only http"),
        ("javascript:alert(1)", AddressRefused, "only http"),
        ("data:text/html,<p>x", AddressRefused, "only http"),
        ("ftp://127.0.0.1/x", AddressRefused, "only http"),
        ("http://evil\x1b[31m.example/", FetchError, "redirects|no connection"),
    ],
)
def test_redirects_that_lead_nowhere(location: str | None, error: type[FetchError], words: str) -> None:
    with Server() as server:
        server.at["/a"] = answer(b"", status=302, headers={} if location is None else {"Location": location})
        with pytest.raises(error, match=words) as raised:
            fetch(server.url("/a"), changes={"retries": 0})
    assert server.targets == ["/a"]
    assert "\x1b" not in str(raised.value)
    assert raised.value.url == server.url("/a")


def test_a_circle_of_two() -> None:
    with Server() as server:
        server.at["/a"], server.at["/b"] = moved("/b"), moved("/a")
        with pytest.raises(BadResponse, match="in a circle"):
            fetch(server.url("/a"))
    assert server.targets == ["/a", "/b"]


def test_the_body_of_a_redirect_is_cut() -> None:
    with Server() as server:
        server.at["/a"] = head(10**7, status="302 Found", headers={"Location": "/b"}) + b"x" * 10**7
        server.at["/b"] = answer(STORY)
        fetched = fetch(server.url("/a"))
    assert fetched.page.body == STORY
    assert fetched.exchanges[0].truncated == "length"
    assert len(fetched.exchanges[0].payload) < 300_000


@pytest.mark.parametrize(
    "wire",
    [
        answer(b"xx", status=302, headers={"Location": "/b", "Content-Encoding": "br"}),
        head(99, status="302 Found", headers={"Location": "/b"}) + b"short",
    ],
    ids=["coding", "short"],
)
def test_of_a_redirect_only_the_address_counts(wire: bytes) -> None:
    with Server() as server:
        server.at |= {"/a": wire, "/b": answer(STORY)}
        assert fetch(server.url("/a")).page.body == STORY
    assert server.targets == ["/a", "/b"]


# -- size and type ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["video/mp4", "audio/mpeg", "image/jpeg", "Video/MP4; codecs=x", "font/woff2"])
def test_media_end_at_the_headers(kind: str) -> None:
    with Server() as server:
        server.at["/a"] = head(400_000_000, headers={"Content-Type": kind}) + b"x" * 1000
        fetched = fetch(server.url("/a"))
    assert (fetched.page.status, fetched.page.body) == (200, b"")
    assert fetched.page.truncated
    assert fetched.page.content_type == kind.lower().split(";", maxsplit=1)[0]
    assert fetched.exchanges[0].truncated == "length"
    assert fetched.tries == 1


@pytest.mark.parametrize(
    "wire",
    [
        head(3_000_000) + b"x" * 100,
        head() + b"x" * 3_000_000,
        zipped(b"x" * 3_000_000),
        head(headers={"Transfer-Encoding": "chunked"}) + b"%x\r\n" % 3_000_000 + b"x" * 3_000_000 + b"\r\n0\r\n\r\n",
    ],
    ids=["announced", "until close", "gzip", "chunked"],
)
def test_bodies_over_the_cap(wire: bytes) -> None:
    with Server() as server:
        server.at["/a"] = wire
        with pytest.raises(TooLarge, match="1000000") as raised:
            fetch(server.url("/a"), changes={"max_bytes": 1_000_000})
        assert "max_bytes" in raised.value.next
    assert raised.value.tries == 1, "it would not be smaller the next time"


def test_exactly_the_cap_is_allowed() -> None:
    with Server() as server:
        server.at["/a"] = zipped(b"x" * 5000)
        assert len(fetch(server.url("/a"), changes={"max_bytes": 5000}).page.body) == 5000


# -- scope -----------------------------------------------------------------------------------------------------------


def within(server: Server) -> Callable[[str], bool]:
    return lambda url: url.startswith(server.base)


def test_nothing_outside_the_scope_is_asked() -> None:
    with Server() as server, Server("127.0.0.2") as other:
        server.at["/a"] = moved(other.url("/b"))
        with pytest.raises(AddressRefused, match="outside the scope") as raised:
            fetch(server.url("/a"), scope=within(server))
        assert raised.value.url == server.url("/a")
        assert raised.value.status == 302
        with pytest.raises(AddressRefused, match="outside the scope"):
            fetch(other.url("/b"), scope=within(server))
    assert other.log == [], "not even its robots.txt"


@pytest.mark.parametrize("url", ["ftp://a.example/", "file:///etc/passwd", "/a", "", "http://", "http://[x/", "a b"])
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        fetch(url)


def test_the_last_hop_counts_even_if_an_earlier_one_was_slow_or_broken() -> None:
    with Server() as server:
        server.at["/a"] = [reset_after(b""), moved("/b")]
        server.at["/b"] = [reset_after(b""), slowly([head(4), b"a", b"b", b"c", b"d"], 0.02)]
        fetched = fetch(server.url("/a"))
    assert fetched.page.body == b"abcd"
    assert fetched.tries == 4
    assert len(fetched.exchanges) == 2
