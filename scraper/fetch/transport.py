"""A transport under httpx that opens one guarded connection for each request and closes it after.

A pool pays when many requests go to one host at once; we send one at a time, seconds apart. Without one, no request
scans other hosts' connections, nothing idles, and nothing left over on a connection can be taken for the next answer
(docs/decisions/fetch.md).
"""

import ssl
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from functools import cached_property
from typing import cast

import httpcore
import httpx


class _Socket(httpcore.AsyncNetworkBackend):
    """Remembers the one connection it opened: httpcore forgets it when a TLS handshake is cancelled."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend) -> None:
        self._backend = backend
        self._stream: httpcore.AsyncNetworkStream | None = None

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self._stream = await self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        return self._stream

    async def aclose(self) -> None:
        if self._stream is not None:
            await self._stream.aclose()


class _Body(httpx.AsyncByteStream):
    """A response's body that takes its connection along when closed."""

    def __init__(self, stream: AsyncIterable[bytes], connection: httpcore.AsyncHTTPConnection) -> None:
        self._stream = stream
        self._connection = connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        await self._connection.aclose()


class Transport(httpx.AsyncBaseTransport):
    """HTTP/1.1 over guarded connections. Raises httpcore's errors, and AddressRefused.

    `tls`: whom to trust; None means the authorities that httpx brings along.
    """

    def __init__(self, backend: httpcore.AsyncNetworkBackend, *, tls: ssl.SSLContext | None = None) -> None:
        self._backend = backend
        self._given_tls = tls

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """One for all hosts: loading the authorities takes longer than fetching a page."""
        return self._given_tls or httpx.create_ssl_context(trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request over a new connection."""
        url = request.url
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        socket = _Socket(self._backend)
        connection = httpcore.AsyncHTTPConnection(
            target.origin,
            ssl_context=self._tls if url.scheme == "https" else None,
            network_backend=socket,
        )
        try:
            answer = await connection.handle_async_request(
                httpcore.Request(request.method, target, headers=request.headers.raw, extensions=request.extensions)
            )
        except BaseException:
            await socket.aclose()
            raise
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(cast(AsyncIterable[bytes], answer.stream), connection),
            extensions=answer.extensions,
        )
