"""Manners and safety over real connections: robots.txt, pace, opt-outs, and machines that are nobody's business."""

import asyncio
import gzip
import itertools
import socket
import time
from collections.abc import Sequence
from ipaddress import ip_network

import brotlicffi
import pytest

from parsers.errors import AddressRefused, FetchError, HostHeld, RobotsDenied
from scraper.fetch.client import Fetched, Fetcher
from scraper.fetch.optouts import optouts
from scraper.fetch.policy import Backoff
from tests.servers import Answer, Server, answer, hang, head, http_date, moved, reset_after, settings, slowly

FAST = Backoff(first=0.02, most=0.1, jitter=0.0)
RULE = b"User-agent: *\nDisallow: /private/\n"
TEXT = {"Content-Type": "text/plain"}


def robots(body: bytes, **options: object) -> bytes:
    return answer(body, headers=TEXT, **options)  # type: ignore[arg-type]


def ask(server: Server, *paths: str, **changes: object) -> list[str]:
    """Ask for paths one after the other; gives `200` or the error's kind for each."""

    async def run() -> list[str]:
        found = []
        async with Fetcher(settings(retries=1, **changes), agent="newsmorgue/0 (+test)", backoff=FAST) as fetcher:
            for path in paths:
                try:
                    found.append(str((await fetcher.get(server.url(path))).page.status))
                except FetchError as error:
                    found.append(error.kind if error.url == server.url(path) else f"{error.kind} of {error.url}")
        return found

    return asyncio.run(run())


BIG = RULE + b"# padding padding padding\n" * 24_000
ALL, SOME, HELD = ["200", "200"], ["200", "robots_denied"], ["host_held", "host_held"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (robots(RULE), SOME),
        (robots(b""), ALL),
        (robots(RULE, status=404), ALL),
        (robots(RULE, status=403), ALL),
        (robots(RULE, status=401), ALL),
        (robots(RULE, status=410), ALL),
        (answer(status="204 No Content"), ALL),
        (robots(b"User-agent: *\nDisallow: /\n"), ["robots_denied", "robots_denied"]),
        (robots(b"User-agent: *\nDisallow: /\n\nUser-agent: Newsmorgue\nDisallow: /private/\n"), SOME),
        (robots(RULE, status=429), HELD),
        (robots(RULE, status=500), HELD),
        (robots(RULE, status=503), HELD),
        (answer(RULE, status=429, headers={"Retry-After": "3600"}), HELD),
        (reset_after(b""), HELD),
        (b"220 mail.example ESMTP\r\n", HELD),
        (hang, HELD),
        (slowly([head(100)] + [b"#"] * 100, 0.05), HELD),
        (head(1000) + RULE, HELD),
        (answer(RULE, headers={"Content-Encoding": "rot13"}), HELD),
        (answer(brotlicffi.compress(RULE), headers={"Content-Encoding": "br"}), SOME),
        (answer(gzip.compress(RULE), headers=TEXT), SOME),
        (answer(gzip.compress(RULE + b"# " + bytes(30_000_000)), headers={"Content-Encoding": "gzip"}), HELD),
        (answer(status="304 Not Modified"), HELD),
        ([robots(b"", status=500), robots(RULE)], SOME),
        (moved("/elsewhere/1", 301), SOME),
        (moved("/circle"), ALL),
        (moved("/six/1"), ALL),
        (moved("file:///etc/passwd"), ALL),
        (answer(status=302), ALL),
        (robots(b"\xef\xbb\xbf" + RULE), SOME),
        (robots(RULE.replace(b"\n", b"\r")), SOME),
        (robots(b"\xff\xfe" + RULE.decode().encode("utf-16-le")), ALL),
        (answer(gzip.compress(RULE), headers={"Content-Encoding": "gzip"}), SOME),
        (answer(b"<!doctype html><p>User-agent: none", status=200), ALL),
        (robots(BIG + b"User-agent: *\nDisallow: /ok\n"), SOME),
        (answer(gzip.compress(BIG), headers={"Content-Encoding": "gzip"}), SOME),
        (answer(RULE, headers={"Content-Type": "image/png"}), SOME),
    ],
    ids=range(37),
)
def test_robots(given: Answer | Sequence[Answer], expected: list[str]) -> None:
    with Server() as server:
        server.at |= {
            "/robots.txt": given,
            "/ok": answer(b"ok"),
            "/private/x": answer(b"private"),
            "/circle": moved("/robots.txt"),
            "/elsewhere/5": robots(RULE),
        }
        server.at |= {f"/elsewhere/{n}": moved(f"/elsewhere/{n + 1}") for n in range(1, 5)}
        server.at |= {f"/six/{n}": moved(f"/six/{n + 1}") for n in range(1, 7)}
        assert ask(server, "/ok", "/private/x", deadline=0.5) == expected
    asked = [path for path in server.targets if path in ("/ok", "/private/x")]
    paths = ("/ok", "/private/x")
    assert asked == [path for path, outcome in zip(paths, expected, strict=True) if outcome == "200"]


def test_robots_are_asked_for_once_and_kept() -> None:
    kept: list[Fetched] = []

    async def run(server: Server) -> None:
        async with Fetcher(settings(), agent="newsmorgue", keep_robots=kept.append) as fetcher:
            await asyncio.gather(*(fetcher.get(server.url(f"/{n}")) for n in range(5)))
            with pytest.raises(RobotsDenied) as raised:
                await fetcher.get(server.url("/private/x"))
            assert raised.value.tries == 0
            assert "/robots.txt" in raised.value.cause

    with Server() as server:
        server.at["/robots.txt"] = robots(RULE)
        asyncio.run(run(server))
    assert [request.target for request in server.log].count("/robots.txt") == 1
    assert server.log[0].target == "/robots.txt"
    (fetched,) = kept
    assert fetched.page.url == server.url("/robots.txt")
    assert fetched.page.body == RULE
    assert fetched.exchanges[0].payload == RULE


def test_unreachable_robots_are_asked_for_again_later() -> None:
    now = [0.0]

    async def run(server: Server) -> None:
        async with Fetcher(settings(retries=0), agent="newsmorgue", clock=lambda: now[0]) as fetcher:
            for _ in range(3):
                with pytest.raises(HostHeld) as raised:
                    await fetcher.get(server.url("/ok"))
            assert "500" in raised.value.cause
            assert len(server.log) == 1
            now[0] += raised.value.seconds + 1
            assert (await fetcher.get(server.url("/ok"))).page.status == 200

    with Server() as server:
        server.at |= {"/robots.txt": [robots(b"", status=500), robots(RULE)], "/ok": answer(b"ok")}
        asyncio.run(run(server))


@pytest.mark.parametrize(
    ("cache", "lifetime"),
    [
        ("", 86400),
        ("max-age=3600", 3600),
        ("public, Max-Age = 7200", 7200),
        ('max-age="900"', 900),
        ("max-age=0", 600),
        ("no-cache", 600),
        ("no-store, max-age=3600", 600),
        ("max-age=31536000", 86400),
        ("max-age=99999999999999999999", 86400),
        ("max-age=soon", 86400),
    ],
)
def test_robots_are_asked_for_anew_in_a_long_run(cache: str, lifetime: int) -> None:
    """On condition: 304 renews the rules, 200 replaces them, and while there is no answer the old ones go on."""
    now = [0.0]
    kept: list[tuple[int, bool]] = []

    def keep(fetched: Fetched) -> None:
        kept.append((fetched.page.status, fetched.not_modified))

    async def may(fetcher: Fetcher, url: str) -> bool:
        try:
            return (await fetcher.get(url)).page.status == 200
        except RobotsDenied:
            return False

    async def run(server: Server) -> None:
        async with Fetcher(
            settings(retries=0), agent="newsmorgue", clock=lambda: now[0], keep_robots=keep, backoff=FAST
        ) as fetcher:
            for asked, allowed in ((1, False), (2, False), (3, False), (4, True)):
                assert await may(fetcher, server.url("/private/x")) is allowed
                now[0] += (300.0 if asked == 3 else lifetime) - 1.0
                assert await may(fetcher, server.url("/private/x")) is allowed
                assert len(server.log) - len(server.pages) == asked
                now[0] += 1.0

    with Server() as server:
        tagged = {"Cache-Control": cache, "ETag": '"1"'}
        server.at |= {
            "/robots.txt": [
                answer(RULE, headers=TEXT | tagged),
                answer(status="304 Not Modified", headers=tagged),
                answer(status=500),
                answer(b"", headers=TEXT | {"Cache-Control": cache}),
            ],
            "/private/x": answer(b"x"),
        }
        asyncio.run(run(server))
    conditions = [one.headers.get("if-none-match") for one in server.log if one.target == "/robots.txt"]
    assert conditions == [None, '"1"', '"1"', '"1"']
    assert kept == [(200, False), (304, True), (500, False), (200, False)]


def test_each_hop_asks_the_robots_of_its_own_host() -> None:
    with Server() as server, Server("127.0.0.2") as other:
        server.at["/a"] = moved(other.url("/private/x"))
        other.at["/robots.txt"] = robots(RULE)
        assert ask(server, "/a") == ["robots_denied"]
    assert other.targets == []


def test_robots_on_another_host_are_followed_and_apply_here() -> None:
    with Server() as server, Server("127.0.0.2") as other:
        server.at["/robots.txt"] = moved(other.url("/robots.txt"))
        other.at["/robots.txt"] = robots(RULE)
        server.at["/private/x"] = answer(b"x")
        assert ask(server, "/private/x") == ["robots_denied"]


# -- pace ------------------------------------------------------------------------------------------------------------


def test_one_request_at_a_time_with_a_pause_after_each() -> None:
    async def run(server: Server) -> None:
        async with Fetcher(settings(delay=0.15), agent="newsmorgue") as fetcher:
            await asyncio.gather(*(fetcher.get(server.url(path)) for path in ("/a", "/b", "/moved", "/c")))

    with Server() as server:
        for path in ("/a", "/b", "/c"):
            server.at[path] = slowly([head(3), b"a", b"b", b"c"], 0.03)
        server.at["/moved"] = moved("/a")
        asyncio.run(run(server))
    assert len(server.log) == 6
    assert min(server.gaps()) >= 0.11, "between the end of one and the start of the next, robots.txt counted"


def test_hosts_do_not_wait_for_each_other() -> None:
    async def run(servers: Sequence[Server]) -> None:
        async with Fetcher(settings(delay=0.3), agent="newsmorgue") as fetcher:
            await asyncio.gather(*(fetcher.get(server.url("/a")) for server in servers))

    with Server() as one, Server() as two, Server() as three:
        begin = time.monotonic()
        asyncio.run(run([one, two, three]))
        assert time.monotonic() - begin < 0.3 * 3


def test_a_host_that_answers_slowly_is_asked_slowly() -> None:
    with Server() as server:
        server.at |= dict.fromkeys(("/robots.txt", "/a", "/b"), slowly([b"", answer(b"#")], 0.2))
        assert ask(server, "/a", "/b") == ["200", "200"]
        begins = [request.begin for request in server.log]
        assert min(b - a for a, b in itertools.pairwise(begins)) >= 0.38, "as long as the answer took"


def test_crawl_delay_is_a_minimum() -> None:
    with Server() as server:
        server.at["/robots.txt"] = robots(b"User-agent: *\nCrawl-delay: 0.3\n")
        ask(server, "/a", "/b")
        assert min(server.gaps()) >= 0.28, "from robots.txt on"
    with Server() as server:
        server.at["/robots.txt"] = robots(b"User-agent: *\nCrawl-delay: 0.01\n")
        ask(server, "/a", "/b", delay=0.2)
        assert min(server.gaps()) >= 0.18


def test_a_crawl_delay_beyond_reason_means_no_request() -> None:
    with Server() as server:
        server.at["/robots.txt"] = robots(b"User-agent: *\nCrawl-delay: 86400\n")
        assert ask(server, "/a", "/b") == HELD
    assert server.targets == []


def test_two_spellings_of_a_host_are_one_host() -> None:
    async def run(server: Server) -> None:
        async def here(host: str, port: int) -> Sequence[str]:
            return ("127.0.0.1",)

        async with Fetcher(settings(delay=0.2), agent="newsmorgue", resolver=here) as fetcher:
            names = ("Hanbit-Daily.example", "hanbit-daily.example")
            await asyncio.gather(*(fetcher.get(server.url("/a", name)) for name in names))

    with Server() as server:
        asyncio.run(run(server))
    assert [request.target for request in server.log] == ["/robots.txt", "/a", "/a"]
    assert min(server.gaps()) >= 0.18


# -- private machines ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "authority",
    [
        "127.0.66.6",
        "0x7f004206",
        "0x7f.0.66.6",
        "2130722310",
        "0177.0.0102.6",
        "127.0.16902",
        "[::ffff:127.0.66.6]",
        "[::ffff:7f00:4206]",
        "[64:ff9b::7f00:4206]",
        "127.0.0.1@127.0.66.6",
        "public.example:80@127.0.66.6",
        "inside.example",
        "127.0.66.6.",
        "１２７.0.66.6",
    ],
)
def test_a_redirect_to_a_private_address_opens_no_connection(authority: str) -> None:
    """Only 127.0.0.1 is allowed, which stands for the public internet; the trap's address is not."""

    async def names(host: str, port: int) -> Sequence[str]:
        if host == "inside.example":
            return ("127.0.66.6",)
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [str(item[4][0]) for item in found]

    async def run(server: Server) -> FetchError:
        allow = (ip_network("127.0.0.1/32"),)
        async with Fetcher(
            settings(allow_addresses=allow, retries=0), agent="x", resolver=names, backoff=FAST
        ) as fetcher:
            with pytest.raises(FetchError) as raised:
                await fetcher.get(server.url("/a"))
            return raised.value

    with Server() as server, Server("127.0.66.6") as trap:
        server.at["/a"] = moved(f"http://{authority}:{trap.port}/secret")
        error = asyncio.run(run(server))
        assert trap.log == []
        assert trap.connections == 0
    assert server.targets == ["/a"]
    if isinstance(error, AddressRefused) and "127.0.66.6" in error.what:
        assert "allow_addresses" in error.next


def test_the_address_is_checked_for_every_request_anew() -> None:
    """A name that was public when robots.txt was asked for, and is private for the page."""
    turns = iter(["127.0.0.1", "127.0.66.6"])

    async def names(host: str, port: int) -> Sequence[str]:
        return (next(turns),)

    async def run(server: Server) -> None:
        allow = (ip_network("127.0.0.1/32"),)
        async with Fetcher(settings(allow_addresses=allow), agent="x", resolver=names) as fetcher:
            with pytest.raises(AddressRefused, match=r"127\.0\.66\.6"):
                await fetcher.get(server.url("/a", "turning.example"))

    with Server() as server:
        asyncio.run(run(server))
    assert [request.target for request in server.log] == ["/robots.txt"]


def test_robots_do_not_lead_into_a_private_network() -> None:
    async def run(server: Server) -> int:
        async with Fetcher(settings(allow_addresses=(ip_network("127.0.0.1/32"),)), agent="x") as fetcher:
            return (await fetcher.get(server.url("/a"))).page.status

    with Server() as server, Server("127.0.66.6") as trap:
        server.at |= {"/robots.txt": moved(trap.url("/robots.txt")), "/a": answer(b"a")}
        assert asyncio.run(run(server)) == 200, "redirects that lead nowhere: robots.txt is unavailable"
        assert trap.connections == 0


def test_a_private_address_asked_for_directly_names_the_setting() -> None:
    with Server() as server:
        assert ask(server, "/a", allow_addresses=()) == ["address_refused"]
        assert server.connections == 0


# -- opt-outs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], ()),
        ([("X-Robots-Tag", "noarchive")], ("noarchive",)),
        ([("x-robots-tag", " NOINDEX , NoArchive ")], ("noindex", "noarchive")),
        ([("X-Robots-Tag", "noindex"), ("X-Robots-Tag", "noarchive")], ("noindex", "noarchive")),
        ([("X-Robots-Tag", "otherbot: noarchive")], ()),
        ([("X-Robots-Tag", "otherbot: noindex, noarchive")], ()),
        ([("X-Robots-Tag", "newsmorgue: noarchive, nosnippet")], ("noarchive", "nosnippet")),
        ([("X-Robots-Tag", "NewsMorgue:noarchive")], ("noarchive",)),
        ([("X-Robots-Tag", "otherbot: noindex, newsmorgue: noarchive")], ("noarchive",)),
        ([("X-Robots-Tag", "noindex, otherbot: noarchive")], ("noindex",)),
        ([("X-Robots-Tag", "max-snippet: 20, noarchive")], ("max-snippet", "noarchive")),
        ([("X-Robots-Tag", "unavailable_after: 25 Jun 2030 15:00:00 PST")], ("unavailable_after",)),
        ([("X-Robots-Tag", "none")], ("none", "noindex", "nofollow", "noarchive")),
        ([("X-Robots-Tag", "\x1b[31m, , all")], ("all",)),
        ([("tdm-reservation", "1")], ("tdm-reservation",)),
        ([("TDM-Reservation", " 1 "), ("X-Robots-Tag", "noarchive")], ("tdm-reservation", "noarchive")),
        ([("tdm-reservation", "0")], ()),
        ([("tdm-reservation", "yes")], ()),
    ],
)
def test_opt_outs(headers: list[tuple[str, str]], expected: tuple[str, ...]) -> None:
    assert optouts(headers) == expected


def test_opt_outs_of_a_fetched_page() -> None:
    async def run(server: Server) -> Fetched:
        async with Fetcher(settings(), agent="x") as fetcher:
            return await fetcher.get(server.url("/a"))

    with Server() as server:
        server.at["/a"] = answer(b"a", headers={"X-Robots-Tag": "noarchive", "TDM-Reservation": "1"})
        assert optouts(asyncio.run(run(server)).page.headers) == ("noarchive", "tdm-reservation")


def test_a_retry_after_on_robots_holds_the_host_as_long() -> None:
    async def run(server: Server) -> float:
        async with Fetcher(settings(), agent="x", backoff=FAST) as fetcher:
            with pytest.raises(HostHeld) as raised:
                await fetcher.get(server.url("/a"))
            return raised.value.seconds

    with Server() as server:
        server.at["/robots.txt"] = answer(status=429, headers={"Retry-After": http_date(7200)})
        assert asyncio.run(run(server)) == pytest.approx(7200, abs=10)
    assert server.targets == []
