"""A small real HTTP proxy on loopback: CONNECT and absolute-form GET. Every name it is asked for leads to 127.0.0.1."""

import asyncio
import threading
from types import TracebackType
from typing import Self


class Proxy:
    """In its own thread. `heads`: requests as they came. `login`: value of Proxy-Authorization it wants, None for anyone."""

    def __init__(self, *, login: str | None = None, refusal: bytes = b"") -> None:
        self.heads: list[bytes] = []
        self.port = 0
        self._login = login
        self._refusal = refusal
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

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def first_lines(self) -> list[str]:
        return [head.split(b"\r\n")[0].decode() for head in self.heads]

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._main())
        self._loop.close()

    async def _main(self) -> None:
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        server.close()
        await asyncio.sleep(0.01)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._talk(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward = None
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            method, target, _ = head.split(b" ", 2)
            if self._refusal:
                writer.write(self._refusal)
                return
            if self._login is not None and f"\r\nProxy-Authorization: {self._login}\r\n".encode() not in head:
                writer.write(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
                return
            authority, _, path = target.removeprefix(b"http://").partition(b"/")
            back, onward = await asyncio.open_connection("127.0.0.1", int(authority.rpartition(b":")[2]))
            if method == b"CONNECT":
                writer.write(b"HTTP/1.0 200 Connection established\r\nVia: a proxy\r\n\r\n")
            else:
                lines = [line for line in head.split(b"\r\n")[1:] if not line.lower().startswith(b"proxy-")]
                onward.write(b"GET /" + path + b" HTTP/1.1\r\n" + b"\r\n".join(lines))
            await asyncio.gather(pump(reader, onward), pump(back, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            if onward is not None:
                onward.close()


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()
    sink.close()
