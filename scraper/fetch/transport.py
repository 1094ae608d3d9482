"""A transport under httpx: guarded connections, kept for a moment, one idle one to a host at most.

We ask one request at a time of a host, seconds apart, so there is no pool to search; a connection is found by its origin.
It is used again only after a response that was in order to the last byte, so nothing left over on it can be taken for the
next answer (docs/decisions/fetch.md).
"""

import asyncio
import resource
import ssl
from collections.abc import AsyncIterator
from functools import cached_property
from typing import NoReturn

import httpx

from scraper.fetch.connection import Broken, Connection
from scraper.fetch.guard import Guard
from scraper.fetch.proxies import Proxies, Proxy
from scraper.fetch.wire import NotHttp

IDLE_SECONDS = 15.0
"""How long a connection waits for another request. Most servers close theirs after 5 to 75 s."""
MAX_IDLE = {"http": 512, "https": 128}
"""Connections that wait, of all hosts. One with TLS takes 0.3 MB. When so many wait, a further one is closed: closing the
one that waited longest would mean that a round of more hosts than these never finds a connection again."""
CONNECT_SECONDS = 10.0
"""For one address of a host, so that one dead address does not use up the deadline of the others."""
_PORTS = {"http": 80, "https": 443}
Origin = tuple[str, str, int]


class Transport(httpx.AsyncBaseTransport):
    """GET over HTTP/1.1. Raises httpx.TransportError and AddressRefused.

    `tls`: whom to trust; None means the authorities that httpx brings along. How long a request may take is for the
    caller to say (`asyncio.timeout`): a cancelled one closes its connection. A response's extensions hold `request_head`
    and `response_head` (bytes as sent and received), `ip` (None behind a proxy), `http_version` and
    `reason_phrase`. What was said to a proxy is in none of them.
    """

    def __init__(self, guard: Guard, *, tls: ssl.SSLContext | None = None, proxies: Proxies | None = None) -> None:
        self._guard = guard
        self._given_tls = tls
        self._proxies = proxies or Proxies()
        self._idle: dict[str, dict[Origin, Connection]] = {"http": {}, "https": {}}
        self._most = resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2
        self._sweep: asyncio.TimerHandle | None = None

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """One for all hosts: loading the authorities takes longer than fetching a page."""
        context = self._given_tls or httpx.create_ssl_context(trust_env=False)
        context.set_alpn_protocols(["http/1.1"])
        return context

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and read the head of its response; the body is the response's stream."""
        if request.method != "GET":
            raise httpx.UnsupportedProtocol(f"{request.method} is never sent", request=request)
        url = request.url
        origin = (url.scheme, url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme])
        proxy = self._proxies.find(*origin)
        fields = b"".join([b"%b: %b\r\n" % field for field in request.headers.raw])
        if not fields.count(b"\r") == fields.count(b"\n") == len(request.headers.raw) or b"\0" in fields:
            raise httpx.LocalProtocolError("a header field holds a line break", request=request)
        head = b"GET %b HTTP/1.1\r\n%b\r\n" % (url.raw_path, fields)
        sent = _through(proxy, url, fields) if proxy is not None and url.scheme == "http" else head
        kept = self._idle[url.scheme].pop(origin, None)
        if kept is not None and kept.quiet():
            try:
                return await self._ask(kept, origin, request, head, sent)
            except httpx.ReadError:
                if kept.touched:
                    raise
                # Closed by the server before a byte of an answer: GET may be sent again (RFC 9112 section 9.3.1).
        connection = await self._open(origin, proxy, request)
        return await self._ask(connection, origin, request, head, sent)

    async def aclose(self) -> None:
        """Close the connections that are kept."""
        for idle in self._idle.values():
            for connection in idle.values():
                connection.abort()
            idle.clear()
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        await asyncio.sleep(0)  # the loop closes sockets in its next round

    # -- connections -----------------------------------------------------------------------------------------------------

    async def _open(self, origin: Origin, proxy: Proxy | None, request: httpx.Request) -> Connection:
        scheme, host, port = origin
        if proxy is None:
            try:
                addresses = await self._guard.addresses(host, port)
            except OSError as error:
                raise httpx.ConnectError(str(error), request=request) from error
            connection = await _connect(addresses, port, request)
        else:
            self._guard.check_spelling(host)
            try:
                connection = await _connect([proxy.host], proxy.port, request)
            except httpx.TransportError as error:
                raise httpx.ProxyError(f"the proxy {proxy.host}:{proxy.port}: {error}", request=request) from error
            connection.peer = ""
        if scheme == "https":
            try:
                if proxy is not None:
                    await _tunnel(connection, proxy, host, port, request)
                await connection.secure(self._tls, host.rstrip("."))
            except OSError as error:
                raise httpx.ConnectError(str(error) or type(error).__name__, request=request) from error
            except BaseException:
                connection.abort()
                raise
        return connection

    async def _ask(
        self, connection: Connection, origin: Origin, request: httpx.Request, head: bytes, sent: bytes
    ) -> httpx.Response:
        try:
            connection.ask(sent)
            response = await connection.head()
            if response.status == 407 and sent is not head:
                raise httpx.ProxyError("the proxy wants to know who asks (407)", request=request)
        except BaseException as error:
            connection.abort()
            if isinstance(error, NotHttp | Broken):
                _translate(error, request)
            raise
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_Body(self, connection, origin, request),
            extensions={
                "http_version": b"HTTP/1.%d" % response.minor,
                "reason_phrase": response.reason,
                "request_head": head,
                "response_head": response.head,
                "ip": connection.peer or None,
            },
        )

    def done(self, connection: Connection, origin: Origin) -> None:
        """Keep the connection for a moment if it may be used again, else close it."""
        idle = self._idle[origin[0]]
        full = len(idle) >= MAX_IDLE[origin[0]] or sum(map(len, self._idle.values())) >= self._most
        if not connection.free() or origin in idle or full:
            connection.abort()
            return
        loop = asyncio.get_running_loop()
        connection.since = loop.time()
        idle[origin] = connection
        if self._sweep is None:
            self._sweep = loop.call_later(IDLE_SECONDS / 3, self._close_old)

    def _close_old(self) -> None:
        """One timer for all of them."""
        loop = asyncio.get_running_loop()
        self._sweep = None
        for idle in self._idle.values():
            for origin, connection in list(idle.items()):
                if connection.closed or loop.time() - connection.since >= IDLE_SECONDS:
                    idle.pop(origin).abort()
        if any(self._idle.values()):
            self._sweep = loop.call_later(IDLE_SECONDS / 3, self._close_old)


class _Body(httpx.AsyncByteStream, AsyncIterator[bytes]):
    """A response's payload, transfer coding off. Closing it gives the connection back."""

    def __init__(self, transport: Transport, connection: Connection, origin: Origin, request: httpx.Request) -> None:
        self._transport = transport
        self._connection = connection
        self._origin = origin
        self._request = request
        self._closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self  # an asynchronous generator would cost more than the bytes it hands on

    async def __anext__(self) -> bytes:
        try:
            data = await self._connection.some()
        except (NotHttp, Broken) as error:
            _translate(error, self._request)
        if not data:
            raise StopAsyncIteration
        return data

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            self._transport.done(self._connection, self._origin)


def _translate(error: NotHttp | Broken, request: httpx.Request) -> NoReturn:
    if isinstance(error, NotHttp):
        raise httpx.RemoteProtocolError(str(error), request=request) from error
    raise httpx.ReadError(str(error), request=request) from error


async def _connect(addresses: list[str], port: int, request: httpx.Request) -> Connection:
    """To the first of these addresses that answers."""
    loop = asyncio.get_running_loop()
    failure: httpx.TransportError = httpx.ConnectError("there is no address", request=request)
    for address in addresses:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, connection = await loop.create_connection(Connection, address, port)
            return connection
        except TimeoutError:
            failure = httpx.ConnectTimeout(f"{address} did not answer within {CONNECT_SECONDS:g} s", request=request)
        except OSError as error:
            failure = httpx.ConnectError(str(error), request=request)
    raise failure


async def _tunnel(connection: Connection, proxy: Proxy, host: str, port: int, request: httpx.Request) -> None:
    """Ask the proxy for a connection to the host (RFC 9110 section 9.3.6)."""
    target = b"%b:%d" % ((f"[{host}]" if ":" in host else host).encode("ascii"), port)
    connection.ask(b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (target, target, _login(proxy)), tunnel=True)
    try:
        response = await connection.head()
    except (NotHttp, Broken) as error:
        raise httpx.ProxyError(f"the proxy {proxy.host}:{proxy.port} hung up: {error}", request=request) from error
    if not 200 <= response.status < 300 or not response.done:
        raise httpx.ProxyError(f"the proxy {proxy.host}:{proxy.port} answered {response.status}", request=request)


def _through(proxy: Proxy, url: httpx.URL, fields: bytes) -> bytes:
    """A request as a proxy wants it: the whole address, and who asks."""
    return b"GET http://%b%b HTTP/1.1\r\n%b%b\r\n" % (url.netloc, url.raw_path, fields, _login(proxy))


def _login(proxy: Proxy) -> bytes:
    return b"" if proxy.authorization is None else b"Proxy-Authorization: %b\r\n" % proxy.authorization
