"""One TCP or TLS connection: a request out, a response in, bytes counted and held within bounds."""

import asyncio
import select
import ssl
from collections import deque
from typing import cast

from scraper.fetch.wire import NotHttp, Response

_HIGH = 262_144
"""Bytes received and not yet taken; reading rests until they are."""


class Broken(Exception):
    """The connection ended before the response did."""


class Connection(asyncio.Protocol):
    """Asks once at a time. `peer`: the address connected to. `touched`: bytes came since `ask`.

    `closed`: of no more use. Bytes that nobody asked for close it.
    """

    def __init__(self) -> None:
        self.peer = ""
        self.closed = False
        self.touched = False
        self.response: Response | None = None
        self.since = 0.0
        self._transport: asyncio.Transport | None = None
        self._parts: deque[bytes] = deque()
        self._held = 0
        self._resting = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    # -- asked by the transport room -------------------------------------------------------------------------------------

    def ask(self, request: bytes, *, tunnel: bool = False) -> None:
        """Send a request's bytes and get ready for its response."""
        self.response = Response(tunnel=tunnel)
        self.touched = False
        if self._transport is not None:
            self._transport.write(request)

    async def head(self) -> Response:
        """The response as soon as its head is there. Raises NotHttp, Broken."""
        response = self.response
        assert response is not None
        while not response.headed:
            if self._error is not None:
                raise self._error
            await self._wait()
        return response

    async def some(self) -> bytes:
        """Some bytes of the payload, b"" at its end. Raises NotHttp, Broken, after what came before."""
        assert self.response is not None
        while not self._parts:
            if self.response.overlong:
                raise NotHttp("more came than its Content-Length announces")
            if self.response.done:
                return b""
            if self._error is not None:
                raise self._error
            await self._wait()
        data = self._parts.popleft() if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        self._held = 0
        if self._resting and self._transport is not None and not self.closed:
            self._resting = False
            self._transport.resume_reading()
        return data

    async def secure(self, tls: ssl.SSLContext, name: str) -> None:
        """TLS from here on; the certificate must be that of `name`. Raises OSError (ssl.SSLError among them)."""
        plain, self._transport = self._transport, None
        if plain is None or self.closed:
            raise ConnectionResetError("closed before the TLS handshake")
        self.response = None
        try:
            self._transport = await asyncio.get_running_loop().start_tls(plain, self, tls, server_hostname=name)
        finally:
            if self._transport is None:
                plain.abort()
        if self._transport is None:
            raise ConnectionResetError("closed during the TLS handshake")

    def free(self) -> bool:
        """Whether the response is all there and another request may follow it."""
        response = self.response
        if response is None or not response.done or not response.clean or self.closed or self._parts:
            return False
        self.response = None
        return True

    def quiet(self) -> bool:
        """Whether it is open and nothing waits to be read on it, which would be taken for the next answer. Closes it if not."""
        if not self.closed and self._transport is not None:
            readable = select.poll()
            readable.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
            if not readable.poll(0):
                return True
        self.abort()
        return False

    def abort(self) -> None:
        """Close at once."""
        self.closed = True
        if self._transport is not None:
            self._transport.abort()

    # -- told by the loop ------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The loop's own transport for this connection."""
        self._transport = cast(asyncio.Transport, transport)
        self.peer = str(transport.get_extra_info("peername")[0])

    def data_received(self, data: bytes) -> None:
        """Bytes from the other side."""
        if self.response is None:
            self.abort()
            return
        self.touched = True
        try:
            part = self.response.feed(data)
        except NotHttp as error:
            part = error.before
            self._error = error
            self.abort()
        if part:
            self._parts.append(part)
            self._held += len(part)
            if self._held > _HIGH and not self._resting and self._transport is not None:
                self._resting = True
                self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """Nothing more will come: not to be asked again, even if the loop has not closed it yet."""
        self.closed = True
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Closed by either side."""
        self.closed = True
        if self.response is not None and not self.response.done:
            if exc is None:
                self.response.end()
            if not self.response.done and self._error is None:
                self._error = Broken(str(exc or "closed by the other side"))
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
