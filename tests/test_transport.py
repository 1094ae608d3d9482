"""Connections under httpx: kept and used again, never poisoned, checked, encrypted, through a proxy, closed when cancelled."""

import asyncio
import gzip
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from parsers.errors import AddressRefused, ConnectionFailed, FetchError, SettingsError
from scraper.fetch import transport as room
from scraper.fetch.client import Fetched, Fetcher
from scraper.fetch.guard import Guard
from scraper.fetch.proxies import Proxies, Proxy
from scraper.fetch.transport import Transport
from tests import proxying
from tests.servers import LOOPBACK, Request, Server, answer, hang, head, reset_after, settings, slowly

SELFSIGNED = Path(__file__).resolve().parent.parent / "fixtures" / "http" / "selfsigned.pem"
T = TypeVar("T")


async def here(host: str, port: int) -> Sequence[str]:
    """Every name is this machine's."""
    return ("127.0.0.1",)


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(SELFSIGNED))


def certified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(SELFSIGNED)
    return context


def using(act: Callable[[Transport], Awaitable[T]], **options: object) -> T:
    """Do something with a transport of its own."""

    async def run() -> T:
        async with Transport(Guard(LOOPBACK, here), **options) as transport:  # type: ignore[arg-type]
            return await act(transport)

    return asyncio.run(run())


async def get(transport: Transport, url: str) -> bytes:
    """The payload of an address."""
    response = await transport.handle_async_request(httpx.Request("GET", url))
    try:
        return b"".join([part async for part in response.aiter_raw()])
    finally:
        await response.aclose()


async def get_each(transport: Transport, *urls: str, pause: float = 0.0) -> list[bytes]:
    found = []
    for url in urls:
        found.append(await get(transport, url))
        await asyncio.sleep(pause)
    return found


# -- used again --------------------------------------------------------------------------------------------------------

ORDERLY = [
    answer(b"ok"),
    head(headers={"Transfer-Encoding": "chunked"}) + b"2\r\nok\r\n0\r\n\r\n",
    answer(status=304),
    answer(status="204 No Content"),
]


@pytest.mark.parametrize("wire", ORDERLY, ids=range(4))
def test_a_connection_is_used_again_after_an_answer_that_is_in_order(wire: bytes) -> None:
    with Server(keep=True) as server:
        server.at |= {"/a": wire, "/b": answer(b"b")}
        assert using(lambda t: get_each(t, server.url("/a"), server.url("/b")))[1] == b"b"
    assert [request.connection for request in server.log] == [1, 1]


@pytest.mark.parametrize(
    "wire",
    [
        answer(b"ok", headers={"Connection": "close"}),
        answer(b"ok").replace(b"HTTP/1.1", b"HTTP/1.0"),
        answer(b"ok").replace(b"\r\n", b"\n"),
        answer(b"ok", headers={"Content-Length ": "2"}),
        head(2, headers={"Transfer-Encoding": "chunked"}) + b"2\r\nok\r\n0\r\n\r\n",
        answer(b"ok") + b"\r\n",
        answer(b"ok") + answer(b"POISON"),
        slowly([answer(b"ok"), answer(b"POISON")], 0.05),
        slowly([answer(b"ok"), b"\r\n"], 0.05),
    ],
    ids=range(9),
)
@pytest.mark.parametrize("pause", [0.0, 0.1])
def test_what_is_not_in_order_is_the_last_of_its_connection(wire: object, pause: float) -> None:
    """Nothing that a server sends unasked is ever taken for an answer, whether it comes at once or later."""
    with Server(keep=True) as server:
        server.at |= {"/a": wire, "/b": answer(b"b")}  # type: ignore[dict-item]
        if pause or isinstance(wire, bytes):
            assert using(lambda t: get_each(t, server.url("/a"), server.url("/b"), pause=pause)) == [b"ok", b"b"]
            assert [request.connection for request in server.log] == [1, 2]


def test_poison_that_waits_in_the_socket_is_seen_before_it_is_used() -> None:
    """The loop had no turn between its coming and the next request."""

    async def act(transport: Transport) -> list[bytes]:
        one = await get(transport, server.url("/a"))
        await asyncio.to_thread(lambda: None)

        time.sleep(0.2)
        return [one, await get(transport, server.url("/b"))]

    with Server(keep=True) as server:
        server.at |= {"/a": slowly([answer(b"ok"), answer(b"POISON")], 0.1), "/b": answer(b"b")}
        assert using(act) == [b"ok", b"b"]


def test_a_stale_connection_is_replaced_without_a_word() -> None:
    """The server closes without saying so, some time after its answer or just when it is asked again."""

    async def once_only(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.target == "/b" and request.connection == 1:
            writer.transport.abort()
            raise ConnectionResetError
        writer.write(answer(request.target.encode()))

    with Server(keep=True) as server:
        server.at |= {"/a": once_only, "/b": once_only}
        assert using(lambda t: get_each(t, server.url("/a"), server.url("/b"), pause=0.02)) == [b"/a", b"/b"]
    assert [(request.target, request.connection) for request in server.log] == [("/a", 1), ("/b", 1), ("/b", 2)]
    with Server() as server:
        server.at["/a"] = answer(b"a")
        for pause in (0.0, 0.05):
            assert using(lambda t, p=pause: get_each(t, *[server.url("/a")] * 3, pause=p)) == [b"a"] * 3  # type: ignore[misc]


@pytest.mark.parametrize("broken", [b"HTTP/1.1 2", head(100) + b"half", b"nonsense"])
def test_an_answer_that_began_is_not_asked_for_again(broken: bytes) -> None:
    with Server(keep=True) as server:
        server.at |= {"/a": answer(b"a"), "/b": reset_after(broken)}
        with pytest.raises(httpx.TransportError):
            using(lambda t: get_each(t, server.url("/a"), server.url("/b")))
    assert [request.connection for request in server.log] == [1, 1], "that is for whoever counts tries"


def test_a_new_connection_that_breaks_is_not_tried_again() -> None:
    with Server() as server:
        server.at["/a"] = reset_after(b"")
        with pytest.raises(httpx.ReadError):
            using(lambda t: get(t, server.url("/a")))
    assert server.connections == 1


def test_one_idle_connection_a_host_and_few_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(room.MAX_IDLE, "http", 3)

    async def act(transport: Transport) -> None:
        await asyncio.gather(*(get(transport, server.url("/a")) for _ in range(3)))
        for n in range(5):
            await get(transport, server.url("/a", f"h{n}.example"))
        await asyncio.sleep(0.05)
        open_now = [len(idle) for idle in transport._idle.values()]
        assert open_now == [3, 0]

    with Server(keep=True) as server:
        server.at["/a"] = answer(b"a")
        using(act)
        assert server.connections == 8


def test_idle_connections_are_closed_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "IDLE_SECONDS", 0.15)

    async def act(transport: Transport) -> None:
        await get(transport, server.url("/a"))
        await asyncio.sleep(0.3)
        assert not any(transport._idle.values())
        assert transport._sweep is None, "nothing ticks when nothing waits"
        await get(transport, server.url("/a"))

    with Server(keep=True) as server:
        server.at["/a"] = answer(b"a")
        using(act)
        assert server.connections == 2


def test_a_body_that_is_left_alone_closes_its_connection() -> None:
    async def act(transport: Transport) -> bytes:
        response = await transport.handle_async_request(httpx.Request("GET", server.url("/a")))
        await response.aclose()
        return await get(transport, server.url("/b"))

    with Server(keep=True) as server:
        server.at |= {"/a": head(10**6) + b"x" * 1000, "/b": answer(b"b")}
        assert using(act) == b"b"
    assert [request.connection for request in server.log] == [1, 2]


def test_a_reader_that_is_slow_holds_the_sender_back() -> None:
    sent = 0

    async def flood(request: Request, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(head())
        for _ in range(400):
            writer.write(bytes(100_000))
            await writer.drain()
            sent += 100_000

    async def act(transport: Transport) -> int:
        response = await transport.handle_async_request(httpx.Request("GET", server.url("/a")))
        await asyncio.sleep(0.5)
        held = sent
        size = 0
        async for part in response.aiter_raw():
            size += len(part)
        await response.aclose()
        assert size == 40_000_000
        return held

    with Server() as server:
        server.at["/a"] = flood
        assert using(act) < 20_000_000, "the rest waits in the sockets' own buffers"


@pytest.mark.parametrize("fault", [hang, slowly([head(1000), b"x"], 30.0)])
def test_a_cancelled_request_closes_its_connection(fault: Callable[..., Awaitable[None]]) -> None:
    async def act(transport: Transport) -> bytes:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await get(transport, server.url("/a"))
        return await get(transport, server.url("/b"))

    with Server(keep=True) as server:
        server.at |= {"/a": fault, "/b": answer(b"b")}
        assert using(act) == b"b"
    assert [request.connection for request in server.log] == [1, 2]


def test_what_is_sent() -> None:
    with Server() as server:
        server.at["/a"] = answer(b"a")
        using(lambda t: get(t, server.url("/a?q=한#part", "한빛.example")))
        using(lambda t: get(t, server.url("/a", "EXAMPLE.example.")))
    port = server.port
    name = "한빛.example".encode("idna").decode()
    assert server.log[0].raw == f"GET /a?q=%ED%95%9C HTTP/1.1\r\nHost: {name}:{port}\r\n\r\n".encode()
    assert server.log[1].headers["host"] == f"example.example.:{port}"


@pytest.mark.parametrize("value", [b"a\r\nX-Injected: 1", b"a\nb", b"a\rb", b"a\0b"])
def test_no_header_of_ours_becomes_two(value: bytes) -> None:
    async def act(transport: Transport) -> None:
        request = httpx.Request("GET", server.url("/a"), headers=[(b"If-None-Match", value)])
        with pytest.raises(httpx.LocalProtocolError):
            await transport.handle_async_request(request)
        with pytest.raises(httpx.UnsupportedProtocol):
            await transport.handle_async_request(httpx.Request("POST", server.url("/a"), content=b"x"))

    with Server() as server:
        using(act)
        assert server.connections == 0


def test_it_fits_under_any_httpx_client() -> None:
    async def act(transport: Transport) -> None:
        async with httpx.AsyncClient(transport=transport, follow_redirects=True) as client:
            response = await client.get(server.url("/a"))
            assert (response.status_code, response.text) == (200, "hello")
            assert [hop.status_code for hop in response.history] == [302]

    with Server(keep=True) as server:
        server.at |= {
            "/a": answer(status=302, headers={"Location": "/b"}),
            "/b": answer(gzip.compress(b"hello"), headers={"Content-Encoding": "gzip"}),
        }
        using(act)


# -- TLS ---------------------------------------------------------------------------------------------------------------


def test_tls_connections_are_used_again_and_checked_once() -> None:
    with Server(tls=certified(), keep=True) as server:
        server.at["/a"] = answer(b"a")
        url = server.url("/a", "untrusted.example")
        assert using(lambda t: get_each(t, url, url, url), tls=trusting()) == [b"a"] * 3
    assert server.connections == 1


def test_tls_says_the_name_and_the_protocol() -> None:
    """SNI without the last dot, ALPN http/1.1; an address is no name."""
    names: list[str | None] = []
    context = certified()
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.sni_callback = lambda socket, name, _: names.append(name)
    chosen: list[str | None] = []

    async def note(request: Request, writer: asyncio.StreamWriter) -> None:
        chosen.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
        writer.write(answer(b"a"))

    with Server(tls=context) as server:
        server.at["/"] = note
        for host in ("untrusted.example", "UNTRUSTED.example."):
            using(lambda t, h=host: get(t, server.url("/", h)), tls=trusting())  # type: ignore[misc]
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE"):
            using(lambda t: get(t, server.url("/", "127.0.0.1")), tls=trusting())
    assert names == ["untrusted.example", "untrusted.example", None]
    assert chosen == ["http/1.1", "http/1.1"]


def test_old_tls_is_not_spoken() -> None:
    context = certified()
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with Server(tls=context) as server, pytest.raises(httpx.ConnectError):
        using(lambda t: get(t, server.url("/", "untrusted.example")), tls=trusting())
    assert server.log == []


def test_a_handshake_that_hangs_ends_with_the_deadline() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        finally:
            writer.close()

    async def act(transport: Transport) -> None:
        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await get(transport, f"https://untrusted.example:{port}/")
        server.close()
        await asyncio.sleep(0.05)

    using(act, tls=trusting())


@pytest.mark.parametrize("garbage", [b"220 hello\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b""])
def test_tls_to_what_is_no_tls(garbage: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(garbage)
        writer.close()

    async def act(transport: Transport) -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        with pytest.raises(httpx.ConnectError):
            await get(transport, f"https://untrusted.example:{server.sockets[0].getsockname()[1]}/")
        server.close()
        await asyncio.sleep(0.05)

    using(act, tls=trusting())


def test_plain_bytes_before_tls_are_not_taken_for_an_answer() -> None:
    """A server that talks before the handshake, and one that adds plain text to its end of a tunnel."""
    refusal = b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON"
    with proxying.Proxy(refusal=refusal) as proxy, pytest.raises(httpx.ConnectError):
        using(lambda t: get(t, "https://untrusted.example/"), tls=trusting(), proxies=Proxies(proxy.url))


# -- proxies -----------------------------------------------------------------------------------------------------------

LOGIN = "Basic a2ltOnRvcHNlY3JldA=="


def fetch(url: str, **changes: object) -> Fetched:
    async def run() -> Fetched:
        async with Fetcher(settings(retries=0, **changes), agent="newsmorgue/0 (+test)", resolver=here) as fetcher:
            return await fetcher.get(url)

    return asyncio.run(run())


def test_http_through_a_proxy() -> None:
    with proxying.Proxy(login=LOGIN) as proxy, Server() as server:
        server.at["/a?x=1"] = answer(b"a")
        address = proxy.url.replace("//", "//kim:topsecret@")
        fetched = fetch(server.url("/a?x=1", "daily.example"), proxy=address)
    assert fetched.page.body == b"a"
    name = f"daily.example:{server.port}"
    assert proxy.first_lines == [f"GET http://{name}/robots.txt HTTP/1.1", f"GET http://{name}/a?x=1 HTTP/1.1"]
    (exchange,) = fetched.exchanges
    assert exchange.request_head == server.pages[0].raw, "what the site was told, not what the proxy was"
    assert b"roxy" not in exchange.request_head + exchange.response_head
    assert exchange.ip is None, "nobody knows whom the proxy asked"


def test_https_through_a_proxy_is_checked_end_to_end() -> None:
    with proxying.Proxy(login=LOGIN) as proxy, Server(tls=certified(), keep=True) as server:
        server.at["/a"] = answer(b"a")
        address = proxy.url.replace("//", "//kim:topsecret@")
        urls = [server.url("/a", "untrusted.example")] * 2
        assert using(lambda t: get_each(t, *urls), tls=trusting(), proxies=Proxies(address)) == [b"a", b"a"]
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE"):
            using(lambda t: get(t, server.url("/a", "other.example")), tls=trusting(), proxies=Proxies(address))
    assert proxy.first_lines == [
        f"CONNECT {name}:{server.port} HTTP/1.1" for name in ("untrusted.example", "other.example")
    ]
    assert all(b"topsecret" not in request.raw and b"roxy" not in request.raw for request in server.log)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("login", "refusal"),
    [(LOGIN, b""), (None, b"HTTP/1.1 403 Forbidden\r\n\r\n"), (None, b"SSH-2.0\r\n"), (None, b"\0")],
)
def test_a_proxy_that_will_not(scheme: str, login: str | None, refusal: bytes) -> None:
    with proxying.Proxy(login=login, refusal=refusal) as proxy:
        if scheme == "http" and refusal.startswith(b"HTTP"):
            return  # is taken for the site's own answer, as with every client
        with pytest.raises(FetchError) as raised:
            fetch(f"{scheme}://daily.example/a", proxy=f"http://kim:wrongsecret@127.0.0.1:{proxy.port}")
    assert "wrongsecret" not in repr(raised.value) + str(raised.value) + str(raised.value.__cause__)
    assert "robots.txt" in str(raised.value)


def test_a_proxy_that_is_not_there() -> None:
    async def act(transport: Transport) -> None:
        with pytest.raises(httpx.ProxyError, match=r"the proxy 127\.0\.0\.99:9"):
            await get(transport, "http://daily.example/")

    using(act, proxies=Proxies("http://kim:topsecret@127.0.0.99:9"))
    with pytest.raises(FetchError) as raised:
        fetch("http://daily.example/", proxy="http://kim:topsecret@127.0.0.99:9")
    assert "topsecret" not in str(raised.value)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "0x7f000001",
        "2130706433",
        "127.1",
        "[::1]",
        "[::ffff:10.0.0.1]",
        "10.1.2.3",
        "169.254.169.254",
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_proxy_is_asked_for_a_private_address(host: str, scheme: str) -> None:
    with proxying.Proxy() as proxy:
        with pytest.raises(AddressRefused, match="allow_addresses"):
            fetch(f"{scheme}://{host}/", proxy=proxy.url, allow_addresses=())
        assert proxy.heads == []


def test_a_redirect_through_a_proxy_does_not_lead_inside() -> None:
    with proxying.Proxy() as proxy, Server() as server, Server("127.0.66.6") as trap:
        server.at["/a"] = answer(status=302, headers={"Location": trap.url("/secret")})
        with pytest.raises(AddressRefused):
            fetch(server.url("/a", "daily.example"), proxy=proxy.url, allow_addresses=(ip_network("127.0.0.1/32"),))
        assert trap.connections == 0


def test_socks_is_said_to_be_unsupported_and_nothing_goes_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for address in ("socks5://127.0.0.1:1080", "socks5h://kim:topsecret@127.0.0.1:1080", "socks4://127.0.0.1"):
        monkeypatch.setenv("ALL_PROXY", address)
        for setting in ("env", address):
            with pytest.raises(SettingsError, match="are not supported, only http://") as raised:
                Proxies(setting)
            assert "topsecret" not in str(raised.value)
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:3128")
    assert Proxies("env").find("https", "a.example", 443) == Proxy("127.0.0.1", 3128)


def test_the_environment_counts_only_if_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with proxying.Proxy() as proxy, Server() as server:
        server.at["/a"] = answer(b"a")
        for name in ("HTTP_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("no_proxy", "quiet.example, 10.0.0.1")
        assert fetch(server.url("/a", "daily.example")).page.body == b"a"
        assert proxy.heads == []
        assert fetch(server.url("/a", "www.quiet.example"), proxy="env").page.body == b"a"
        assert proxy.heads == []
        assert fetch(server.url("/a", "daily.example"), proxy="env").page.body == b"a"
        assert len(proxy.heads) == 2
    monkeypatch.setenv("http_proxy", "socks5://kim:topsecret@127.0.0.1:1")
    with pytest.raises(SettingsError, match="cannot be used") as raised:
        Proxies("env")
    assert "topsecret" not in str(raised.value)


def test_logins_of_proxies() -> None:
    proxy = Proxy.of("http://kim%40x:to%3Aps@proxy.example:3128")
    assert (proxy.host, proxy.port, proxy.authorization) == ("proxy.example", 3128, b"Basic a2ltQHg6dG86cHM=")
    assert "a2lt" not in repr(proxy)
    assert Proxies().find("https", "a.example", 443) is None
    assert Proxies("proxy.example:3128").find("https", "a.example", 443) == Proxy("proxy.example", 3128)


def test_errors_name_the_setting() -> None:
    with proxying.Proxy(login=LOGIN) as proxy:

        async def run() -> None:
            from scraper.fetch.exchange import Cap, ask

            transport = Transport(Guard(LOOPBACK, here), proxies=Proxies(proxy.url))
            with pytest.raises(ConnectionFailed, match="407") as raised:
                await ask(transport, "http://a.example/", {}, cap=Cap(1), deadline=5.0, now=lambda: None)  # type: ignore[arg-type,return-value]
            assert "NEWSMORGUE_PROXY" in raised.value.next

        asyncio.run(run())
