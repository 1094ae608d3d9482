"""What goes wrong on the way: slowness, broken connections, damaged bodies, servers that say "later"."""

import asyncio
import gzip
import random
import socket
import ssl
import time
import tracemalloc
import zlib
from collections.abc import Sequence
from pathlib import Path

import brotlicffi
import httpx
import pytest

from parsers.coding import zstd
from parsers.errors import BadResponse, ConnectionFailed, DeadlineExceeded, FetchError, HostHeld, TooLarge
from scraper.fetch.client import Fetched, Fetcher
from scraper.fetch.guard import Guard
from scraper.fetch.policy import Backoff
from scraper.fetch.transport import Transport
from scraper.fetch.words import plain, shown
from tests.servers import LOOPBACK, Server, answer, hang, head, http_date, reset_after, settings, slowly, zipped

FAST = Backoff(first=0.02, most=0.1, jitter=0.0)
SELFSIGNED = Path(__file__).resolve().parent.parent / "fixtures" / "http" / "selfsigned.pem"
STORY = b"<title>Hanbit</title>" + b"<p>said</p>" * 500


def fetch(url: str, *, backoff: Backoff = FAST, resolver: object = None, **changes: object) -> Fetched:
    """Fetch one address with a fetcher of its own. `changes`: settings."""

    async def run() -> Fetched:
        options = {"resolver": resolver} if resolver else {}
        async with Fetcher(settings(**changes), agent="newsmorgue/0 (+test)", backoff=backoff, **options) as fetcher:  # type: ignore[arg-type]
            return await fetcher.get(url)

    return asyncio.run(run())


# -- time ------------------------------------------------------------------------------------------------------------


def drip() -> object:
    return slowly([head(1000)] + [b"x"] * 1000, 0.03)


@pytest.mark.parametrize(
    "fault", [hang, drip(), slowly([head(1000), b"x" * 500], 30.0), slowly([b"HTTP/1.1 "] + [b"2"] * 99, 0.05)]
)
def test_one_deadline_from_connecting_to_the_last_byte(fault: object) -> None:
    with Server() as server:
        server.at["/a"] = fault  # type: ignore[assignment]
        begin = time.monotonic()
        with pytest.raises(DeadlineExceeded, match=r"0\.4 s") as raised:
            fetch(server.url("/a"), deadline=0.4)
        assert time.monotonic() - begin < 2.0
    assert raised.value.tries == 1, "a dead address does not hold its slot once more"
    assert raised.value.url == server.url("/a")


def test_a_slow_answer_within_the_deadline_is_fetched_once() -> None:
    with Server() as server:
        server.at["/a"] = slowly([answer(STORY)[:50], answer(STORY)[50:]], 0.3)
        assert fetch(server.url("/a"), deadline=3.0).page.body == STORY
    assert server.targets == ["/a"]


# -- connections -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", [reset_after(b""), b"", reset_after(b"HTTP/1.1 200 OK\r\nContent-"), b"HTTP/1.1 2"])
def test_no_answer_is_tried_again(broken: object) -> None:
    with Server() as server:
        server.at["/a"] = [broken, broken, answer(STORY)]  # type: ignore[list-item]
        fetched = fetch(server.url("/a"), retries=2)
        assert (fetched.page.body, fetched.tries) == (STORY, 3)
        server.at["/b"] = broken  # type: ignore[assignment]
        with pytest.raises(ConnectionFailed) as raised:
            fetch(server.url("/b"), retries=2)
    assert raised.value.tries == 3
    assert raised.value.retryable
    assert server.targets.count("/b") == 3


def cut(wire: bytes, left_out: int) -> bytes:
    return wire[:-left_out]


CHUNKED = head(headers={"Transfer-Encoding": "chunked"}) + b"%x\r\n" % len(STORY) + STORY + b"\r\n"


@pytest.mark.parametrize(
    ("broken", "wire_is_whole"),
    [
        (reset_after(cut(answer(STORY), 100)), False),
        (cut(answer(STORY), 100), False),
        (cut(zipped(STORY), 10), False),
        (CHUNKED, False),
        (CHUNKED[:-100], False),
        (answer(gzip.compress(STORY)[:-10], headers={"Content-Encoding": "gzip"}), True),
        (answer(zlib.compress(STORY)[:-6], headers={"Content-Encoding": "deflate"}), True),
        (head(headers={"Content-Encoding": "gzip"}) + gzip.compress(STORY)[:-10], True),
    ],
    ids=["reset", "short", "short gzip", "no last chunk", "short chunk", "gzip", "deflate", "gzip until close"],
)
def test_half_a_body_is_tried_again_and_never_taken_for_whole(broken: object, wire_is_whole: bool) -> None:
    with Server() as server:
        server.at["/a"] = [broken, answer(STORY)]  # type: ignore[list-item]
        fetched = fetch(server.url("/a"))
        assert (fetched.page.body, fetched.page.truncated, fetched.tries) == (STORY, False, 2)
        server.at["/b"] = broken  # type: ignore[assignment]
        fetched = fetch(server.url("/b"), retries=1)
    assert fetched.page.truncated
    assert fetched.tries == 2
    assert fetched.page.status == 200
    assert STORY.startswith(fetched.page.body)
    assert len(fetched.page.body) > 100 or not wire_is_whole
    assert fetched.exchanges[-1].payload
    assert fetched.exchanges[-1].truncated == (None if wire_is_whole else "disconnect")


def test_half_a_refusal_is_not_asked_for_again() -> None:
    with Server() as server:
        server.at["/a"] = head(500, status="404 Not Found") + b"<p>no"
        server.at["/robots.txt"] = head(500, status="404 Not Found") + b"<p>no"
        fetched = fetch(server.url("/a"))
    assert (fetched.page.status, fetched.tries, fetched.page.truncated) == (404, 1, True)
    assert len(server.log) == 2


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_refused_connections_and_unknown_names_hold_the_host() -> None:
    """Nobody can say what the host allows; its robots.txt was asked for a few times, the page never."""
    with pytest.raises(HostHeld, match=r"robots\.txt could not be read") as raised:
        fetch(f"http://127.0.0.1:{free_port()}/a")
    assert raised.value.tries == 0
    assert raised.value.seconds > 60

    async def nobody(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(HostHeld, match=r"nobody\.example") as raised:
        fetch("http://nobody.example/a", resolver=nobody)
    assert "has no address" in str(raised.value)


def test_connection_refused_once_robots_are_known() -> None:
    async def run(server: Server) -> FetchError:
        async with Fetcher(settings(retries=1), agent="x", backoff=FAST) as fetcher:
            await fetcher.get(server.url("/a"))
            server.__exit__(None, None, None)
            with pytest.raises(ConnectionFailed) as raised:
                await fetcher.get(server.url("/b"))
            return raised.value

    error = asyncio.run(run(Server().__enter__()))
    assert error.tries == 2
    assert error.status is None


# -- TLS -------------------------------------------------------------------------------------------------------------


def selfsigned() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(SELFSIGNED)
    return context


def test_a_certificate_that_nobody_signed_is_not_accepted() -> None:
    with Server(tls=selfsigned()) as server, pytest.raises(FetchError, match="CERTIFICATE") as raised:
        fetch(server.url("/a"), retries=0)
    assert server.log == []
    assert raised.value.tries == 0


def test_tls_to_a_plain_port() -> None:
    with Server() as server, pytest.raises(FetchError):
        fetch(server.url("/a").replace("http:", "https:"), retries=1, deadline=0.5)
    assert server.log == []


@pytest.mark.parametrize(("name", "trusted"), [("untrusted.example", True), ("other.example", False)])
def test_tls_checks_the_name_although_the_connection_goes_to_an_address(name: str, trusted: bool) -> None:
    async def here(host: str, port: int) -> Sequence[str]:
        return ("127.0.0.1",)

    context = ssl.create_default_context(cafile=str(SELFSIGNED))
    transport = Transport(Guard(LOOPBACK, here), tls=context)

    async def run(url: str) -> int:
        response = await transport.handle_async_request(httpx.Request("GET", url))
        await response.aclose()
        return response.status_code

    with Server(tls=selfsigned()) as server:
        server.at["/"] = answer(b"x")
        if trusted:
            assert asyncio.run(run(server.url("/", name))) == 200
            assert server.log[0].headers["host"] == f"{name}:{server.port}"
        else:
            with pytest.raises(Exception, match="CERTIFICATE"):
                asyncio.run(run(server.url("/", name)))


# -- bodies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", ""])
def test_a_bomb_ends_at_the_cap(coding: str) -> None:
    made = {"deflate": zlib.compress, "br": brotlicffi.compress, "zstd": zstd.compress}
    bomb = made.get(coding, gzip.compress)(bytes(200_000_000))
    if coding == "gzip, gzip":
        bomb = gzip.compress(bomb)
    assert len(bomb) < 300_000
    with Server() as server:
        server.at["/a"] = answer(bomb, headers={"Content-Encoding": coding})
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            with pytest.raises(TooLarge):
                fetch(server.url("/a"), max_bytes=2_000_000)
            grown = tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()
    assert grown < 12_000_000


def test_a_flood_of_wire_bytes_without_content_ends() -> None:
    with Server() as server:
        server.at["/a"] = head(headers={"Content-Encoding": "gzip"}) + gzip.compress(b"") * 9000 + gzip.compress(b"x")
        with pytest.raises(TooLarge):
            fetch(server.url("/a"), max_bytes=1000)


@pytest.mark.parametrize("coding", ["compress", "aes128gcm", "gzip, gzip, gzip", "\x1b[2J"])
def test_a_coding_that_was_not_asked_for(coding: str) -> None:
    with Server() as server:
        server.at["/a"] = answer(b"xxxx", headers={"Content-Encoding": coding})
        with pytest.raises(BadResponse) as raised:
            fetch(server.url("/a"))
    assert "\x1b" not in str(raised.value)
    assert raised.value.tries == 1


def test_a_damaged_body() -> None:
    damaged = bytearray(gzip.compress(STORY))
    damaged[30:40] = b"0123456789"
    with Server() as server:
        server.at["/a"] = answer(bytes(damaged), headers={"Content-Encoding": "gzip"})
        with pytest.raises(BadResponse, match="cannot be decoded") as raised:
            fetch(server.url("/a"))
    assert raised.value.status == 200


@pytest.mark.parametrize(
    "wire",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x16\r\n\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"HTTP/1.1 200 OK\r\nX: \x1b[31m\x00\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nX-Huge: " + b"x" * 200_000 + b"\r\n\r\nx",
    ],
    ids=range(7),
)
def test_what_is_not_http(wire: bytes) -> None:
    with Server() as server:
        server.at["/a"] = wire
        with pytest.raises(BadResponse, match="did not answer in HTTP") as raised:
            fetch(server.url("/a"))
    assert raised.value.tries == 1
    assert str(raised.value).replace("\n", "").isprintable()


# -- later -----------------------------------------------------------------------------------------------------------


def later(status: int, retry_after: str | None = None) -> bytes:
    return answer(b"<p>later", status=status, headers={"Retry-After": retry_after} if retry_after else {})


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("as_date", [False, True])
def test_a_short_retry_after_is_waited_for(status: int, as_date: bool) -> None:
    with Server() as server:
        server.at["/a"] = [later(status, http_date(2.0) if as_date else "1"), answer(STORY)]
        fetched = fetch(server.url("/a"))
    assert fetched.page.body == STORY
    assert fetched.tries == 2
    gap = server.pages[1].begin - server.pages[0].end
    assert 0.9 <= gap < 3.0


@pytest.mark.parametrize("as_date", [False, True])
def test_a_long_retry_after_puts_the_address_off_and_a_second_holds_the_host(as_date: bool) -> None:
    async def run(server: Server) -> None:
        async with Fetcher(settings(), agent="x", backoff=FAST) as fetcher:
            with pytest.raises(HostHeld) as raised:
                await fetcher.get(server.url("/a"))
            assert raised.value.seconds == pytest.approx(3600, abs=5)
            assert (raised.value.status, raised.value.tries, raised.value.alone) == (429, 1, True)
            with pytest.raises(HostHeld) as raised:
                await fetcher.get(server.url("/b"))
            assert (raised.value.tries, raised.value.alone) == (1, False)
            with pytest.raises(HostHeld) as raised:
                await fetcher.get(server.url("/c"))
            assert raised.value.tries == 0
            assert "429" in raised.value.cause

    with Server() as server:
        server.at["/a"] = server.at["/b"] = later(429, http_date(3600) if as_date else "3600")
        asyncio.run(run(server))
    assert server.targets == ["/a", "/b"]
    assert 9 < server.gaps()[-1] < 13, "slowed"


@pytest.mark.parametrize("value", [None, "soon", "-1", "Tue, 99 Nov", "\t"])
@pytest.mark.parametrize("status", [429, 503])
def test_without_a_time_it_is_our_own_backoff(status: int, value: str | None) -> None:
    with Server() as server:
        server.at["/a"] = [later(status, value), later(status, value), answer(STORY)]
        fetched = fetch(server.url("/a"), backoff=Backoff(first=0.1, most=1.0, jitter=0.0))
    assert fetched.page.body == STORY
    gaps = [after.begin - before.end for before, after in zip(server.pages, server.pages[1:], strict=False)]
    assert gaps[0] >= 0.095
    assert gaps[1] >= 0.19


@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_always_says_later_is_held(status: int) -> None:
    with Server() as server:
        server.at["/a"] = later(status)
        with pytest.raises(HostHeld) as raised:
            fetch(server.url("/a"), retries=2)
    assert (raised.value.status, raised.value.tries) == (status, 3)
    assert raised.value.seconds >= 55


@pytest.mark.parametrize("status", [500, 502, 504, 520])
def test_server_errors_are_tried_again_and_then_come_back_as_they_are(status: int) -> None:
    with Server() as server:
        server.at["/a"] = [answer(status=status), answer(STORY)]
        assert fetch(server.url("/a")).page.body == STORY
        server.at["/b"] = answer(b"<p>broken", status=status)
        fetched = fetch(server.url("/b"), retries=3)
    assert (fetched.page.status, fetched.page.body, fetched.tries) == (status, b"<p>broken", 4)
    assert server.targets.count("/b") == 4


def test_no_try_begins_after_the_budget() -> None:
    with Server() as server:
        server.at["/a"] = slowly([b"", answer(status=500, headers={"Connection": "close"})], 0.3)
        fetched = fetch(server.url("/a"), retries=50, deadline=0.5, backoff=Backoff(first=0.1, most=0.1, jitter=0.0))
    assert 2 <= fetched.tries <= 4
    assert fetched.page.status == 500


def test_others_wait_while_a_host_asks_for_patience() -> None:
    async def run(server: Server) -> None:
        async with Fetcher(settings(), agent="x", backoff=FAST) as fetcher:
            await fetcher.get(server.url("/warm"))
            await asyncio.gather(fetcher.get(server.url("/a")), fetcher.get(server.url("/b")))

    with Server() as server:
        server.at["/a"] = [later(429, "1"), answer(STORY)]
        server.at["/b"] = answer(STORY)
        asyncio.run(run(server))
    first = next(request for request in server.pages if request.target == "/a")
    after = [request for request in server.pages if request.begin > first.end]
    assert len(after) == 2
    assert min(request.begin for request in after) - first.end >= 0.9


# -- words -----------------------------------------------------------------------------------------------------------


def test_words_show_no_secrets_and_no_control_characters() -> None:
    assert shown("https://kim:secret@a.example/x?y=1") == "https://a.example/x?y=1"
    assert shown("https://kim:se@cret@a.example/") == "https://a.example/"
    assert "secret" not in shown("http://kim:secret@[bad/")
    assert plain("a\x1b[31m\r\nb\u202ec") == "a?[31m??b?c"
    assert len(plain("x" * 10_000)) < 200
    assert plain("") == ""


def test_errors_of_an_address_with_a_password_do_not_tell_it() -> None:
    with Server() as server:
        server.at["/a"] = b"nonsense\r\n\r\n"
        with pytest.raises(BadResponse) as raised:
            fetch(server.url("/a").replace("http://", "http://kim:secret@"))
    assert "secret" not in str(raised.value)
    assert "secret" not in raised.value.url
    assert "authorization" not in server.pages[0].headers


# -- anything --------------------------------------------------------------------------------------------------------


def test_whatever_comes_ends_in_a_page_or_in_a_fetch_error() -> None:
    """200 answers, each a good one with a few bytes changed, cut or doubled."""
    dice = random.Random(20261124)
    good = [
        zipped(STORY, headers={"ETag": '"a"', "Set-Cookie": "a=b", "X-Robots-Tag": "noarchive"}),
        answer(STORY, status=301, headers={"Location": "/next?a=1#b"}),
        CHUNKED + b"0\r\n\r\n",
        answer(b"<p>later", status=429, headers={"Retry-After": "0"}),
        answer(zlib.compress(STORY), headers={"Content-Encoding": "deflate"}),
    ]

    def spoilt() -> bytes:
        wire = bytearray(dice.choice(good))
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(min(len(wire), 300))
            piece = dice.choice([b"", b"\0", b"\r\n", b"\xff", b":", b"9", b" ", bytes(wire[at : at + 20]) * 2])
            wire[at : at + dice.randint(0, 3)] = piece
        return bytes(wire)

    async def run(server: Server) -> tuple[list[bytes], list[str]]:
        pages, errors = [], []
        for n in range(200):
            server.at[f"/{n}"] = spoilt()
            # A fetcher for each, as one that says 429 or has a strange address may hold the host.
            async with Fetcher(settings(retries=0, deadline=2.0), agent="x", backoff=FAST) as fetcher:
                try:
                    pages.append((await fetcher.get(server.url(f"/{n}"))).page.body)
                except FetchError as error:
                    errors.append(str(error))
        return pages, errors

    with Server() as server:
        pages, errors = asyncio.run(run(server))
    assert len(pages) > 40
    assert len(errors) > 40
    assert all(words.replace("\n", "").isprintable() for words in errors)
