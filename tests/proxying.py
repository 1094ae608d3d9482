"""A small real HTTP proxy on loopback: CONNECT and absolute-form GET. Every name it is asked for leads to 127.0.0.1."""

import asyncio

from tests.servers import Threaded


class Proxy(Threaded):
    """In its own thread. `heads`: requests as they came. `login`: value of Proxy-Authorization it wants, None for anyone."""

    def __init__(self, *, login: str | None = None, refusal: bytes = b"") -> None:
        super().__init__()
        self.heads: list[bytes] = []
        self._login = login
        self._refusal = refusal

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def first_lines(self) -> list[str]:
        return [head.split(b"\r\n")[0].decode() for head in self.heads]

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
