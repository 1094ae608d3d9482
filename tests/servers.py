"""A small real HTTP/1.1 server on a free port of loopback, for tests: raw answers, as good or as bad as written.

::

    with Server() as server:
        server.at["/a"] = answer(b"<p>hello", headers={"ETag": '"1"'})
        server.at["/b"] = [answer(status=500), answer(b"second time")]      # the last one stays
        server.at["/c"] = slowly([head(10), b"12345"], pause=0.1)           # a coroutine function: you hold the pen
        ... server.url("/a") ...
        assert server.targets == ["/a"]

Every connection gets one answer and is closed, unless the server is to `keep` it for further requests. Addresses without
an answer get 404, `/robots.txt` too.
"""

import asyncio
import gzip
import socket
import ssl
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from ipaddress import ip_network
from types import TracebackType
from typing import Self

from scraper.settings import CrawlSettings

LOOPBACK = (ip_network("127.0.0.0/8"),)
Write = Callable[["Request", asyncio.StreamWriter], Awaitable[None]]
Answer = bytes | Write


@dataclass
class Request:
    """One request as it came. `begin` and `end`: seconds on the monotonic clock. `connection`: its number, from 1."""

    raw: bytes
    begin: float
    connection: int = 0
    end: float = 0.0
    method: str = ""
    target: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def head(length: int | None = None, *, status: str = "200 OK", headers: Mapping[str, str] = {}) -> bytes:
    """A response head. `length`: its Content-Length; None leaves it out, and the body ends with the connection."""
    lines = [f"HTTP/1.1 {status}"]
    if not any(name.lower() == "content-type" for name in headers):
        lines.append("Content-Type: text/html; charset=utf-8")
    if length is not None:
        lines.append(f"Content-Length: {length}")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answer(body: bytes = b"", *, status: int | str = 200, headers: Mapping[str, str] = {}) -> bytes:
    """A whole, correct response."""
    return head(len(body), status=f"{status} Said" if isinstance(status, int) else status, headers=headers) + body


def zipped(body: bytes, *, headers: Mapping[str, str] = {}) -> bytes:
    """A whole, correct response, gzipped."""
    return answer(gzip.compress(body, mtime=0), headers={"Content-Encoding": "gzip", **headers})


def moved(location: str, status: int = 302) -> bytes:
    """A redirect."""
    return answer(b"<p>moved", status=status, headers={"Location": location})


def http_date(seconds_from_now: float) -> str:
    return formatdate(time.time() + seconds_from_now, usegmt=True)


def slowly(parts: Iterable[bytes], pause: float) -> Write:
    """Parts with pauses between."""

    async def write(request: Request, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)

    return write


def reset_after(data: bytes) -> Write:
    """Some bytes, then a TCP reset."""

    async def write(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(0.02)  # so that they arrive before the reset does
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return write


async def hang(request: Request, writer: asyncio.StreamWriter) -> None:
    """No answer at all, until the other side leaves or a minute has passed."""
    await asyncio.sleep(60)


class Threaded:
    """A server on loopback with an event loop and a thread of its own. `port`: where it listens."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.address = address
        self.port = 0
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._main())
        self._loop.close()

    async def _main(self) -> None:
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._transports: list[asyncio.WriteTransport] = []
        server = await asyncio.start_server(self._connected, self.address, 0, ssl=self._context())
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        await asyncio.sleep(0.005)  # connections that were just accepted become tasks, before the server is closed
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for transport in self._transports:
            transport.abort()
        server.close()
        await asyncio.sleep(0.005)  # so that the loop sees them closed

    def _context(self) -> ssl.SSLContext | None:
        return None

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._transports.append(writer.transport)
        task = asyncio.ensure_future(self._talk(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its first byte to its last."""
        raise NotImplementedError


class Server(Threaded):
    """The server, in its own thread. `at`: target to an answer, or to answers in turn; `log`: requests in
    order of arrival; `connections`: how many were opened, with or without a request.
    """

    def __init__(self, address: str = "127.0.0.1", *, tls: ssl.SSLContext | None = None, keep: bool = False) -> None:
        super().__init__(address)
        self.at: dict[str, Answer | Sequence[Answer]] = {}
        self.otherwise: Answer = answer(b"<p>not here", status=404)
        self.log: list[Request] = []
        self.connections = 0
        self._tls = tls
        self._keep = keep
        self._asked: dict[str, int] = {}

    @property
    def base(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self.address}:{self.port}"

    def url(self, path: str, host: str | None = None) -> str:
        """The address of a path, under another name for the host if given."""
        return self.base.replace(self.address, host or self.address) + path

    @property
    def targets(self) -> list[str]:
        """What was asked for, robots.txt left out."""
        return [request.target for request in self.log if request.target != "/robots.txt"]

    @property
    def pages(self) -> list[Request]:
        """The requests, those for robots.txt left out."""
        return [request for request in self.log if request.target != "/robots.txt"]

    def gaps(self) -> list[float]:
        """Seconds between the end of each request and the beginning of the next; below 0 if they overlapped."""
        return [after.begin - before.end for before, after in zip(self.log, self.log[1:], strict=False)]

    def _context(self) -> ssl.SSLContext | None:
        return self._tls

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection = self.connections
        try:
            await self._answer(reader, writer, connection)
            while self._keep:
                await self._answer(reader, writer, connection)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client left: that is for the test to see in the log
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> None:
        request = Request(await reader.readuntil(b"\r\n\r\n"), time.monotonic(), connection)
        try:
            first, *lines = request.raw.decode("latin-1").split("\r\n")
            request.method, request.target, _ = first.split(" ", 2)
            request.headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines) if k}
            self.log.append(request)
            chosen = self._choose(request.target)
            if isinstance(chosen, bytes):
                writer.write(chosen)
                await writer.drain()
            else:
                await chosen(request, writer)
        finally:
            request.end = time.monotonic()

    def _choose(self, target: str) -> Answer:
        found = self.at.get(target, self.otherwise)
        if isinstance(found, bytes) or callable(found):
            return found
        turn = self._asked.get(target, 0)
        self._asked[target] = turn + 1
        return found[min(turn, len(found) - 1)]


def settings(**changes: object) -> CrawlSettings:
    """Settings for tests: loopback may be fetched, no pause, few seconds."""
    values: dict[str, object] = {
        "contact": "archive@example.org",
        "delay": 0.0,
        "deadline": 5.0,
        "retries": 2,
        "allow_addresses": LOOPBACK,
    }
    return CrawlSettings(**(values | changes))  # type: ignore[arg-type]
