"""One HTTP/1.1 response out of the bytes of a connection (RFC 9112).

Lenient about what a page comes in, strict about what comes after it: any oddity is read as well as it can be, and means
that the connection is not used again, so that nothing left on it is ever taken for the next answer.
"""

import re

MAX_HEAD = 102_400
"""Bytes of a head, those of interim (1xx) answers included."""
MAX_FIELDS = 1000
_MAX_LINE = 4096
_MAX_SURPLUS = 65_536
"""Bytes of chunk extensions and trailers, beyond 16 for each chunk: they are thrown away, so few are enough."""
_HEAD_END = re.compile(rb"\n\r?\n")
_STATUS = re.compile(rb"HTTP/1\.([0-9])[ \t]+([1-9][0-9]{2})(?:[ \t]+(.*))?")
_TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LENGTH = re.compile(rb"[0-9]{1,18}")
_CHUNK = re.compile(rb"[0-9A-Fa-f]{1,15}")
_BODYLESS = frozenset({204, 304})


class NotHttp(Exception):
    """Bytes that are no HTTP response, or one whose end nobody can tell. `before`: payload that came before the fault."""

    before = b""


class Response:
    """Takes bytes as they arrive. `tunnel`: the answer to CONNECT, which has no body if it is a 2xx.

    `head`: bytes of the final head as received, the empty line included. `headers`: names as received, values without
    the space around them, folded lines joined. `headed`, `done`: the head, the whole response is there. `clean`: nothing odd
    happened and the connection may be used again. `overlong`: more body came than the head had announced.
    """

    __slots__ = (
        "_after",
        "_buffer",
        "_chunked",
        "_left",
        "_past",
        "_stage",
        "_surplus",
        "_tunnel",
        "clean",
        "done",
        "head",
        "headed",
        "headers",
        "minor",
        "overlong",
        "reason",
        "status",
    )

    def __init__(self, *, tunnel: bool = False) -> None:
        self._tunnel = tunnel
        self._buffer = self._after = b""
        self._past = self._surplus = 0
        self._chunked = False
        self._left: int | None = None
        self._stage = "size"
        self.head = b""
        self.status = 0
        self.minor = 1
        self.reason = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.headed = self.done = self.overlong = False
        self.clean = True

    def feed(self, data: bytes) -> bytes:
        """Take some bytes; gives those of the payload among them, transfer coding off. Raises NotHttp."""
        if not self.headed:
            data = self._read_heads(data)
            if not self.headed:
                return b""
        if self.done:
            self._beyond(data)
            return b""
        if self._chunked:
            return self._dechunk(data)
        if self._left is None:
            return data
        if len(data) < self._left:
            self._left -= len(data)
            return data
        rest, data = data[self._left :], data[: self._left]
        self.done = True
        self._beyond(rest)
        return data

    def end(self) -> None:
        """The connection was closed in order: for some bodies, that is their end."""
        self.clean = False
        if self.headed and not self._chunked and self._left is None:
            self.done = True

    def _beyond(self, rest: bytes) -> None:
        """Bytes after the response: another one that nobody asked for, or more body than was announced."""
        if not rest:
            return
        self.clean = False
        self._after = (self._after + rest)[:64]
        stray = self._after.strip(b"\r\n\t ")
        another = stray.startswith(b"HTTP/1.") or b"HTTP/1.".startswith(stray)
        self.overlong = not (another or self.status in _BODYLESS)

    # -- head ----------------------------------------------------------------------------------------------------------

    def _read_heads(self, data: bytes) -> bytes:
        """Gives what follows the final head; nothing while it is not complete."""
        known = len(self._buffer)
        buffer = self._buffer + data if known else data
        if buffer.startswith((b"\r", b"\n")):
            buffer = buffer.lstrip(b"\r\n")
            self.clean = False
        while True:
            if not buffer.startswith(b"HTTP/1."[: len(buffer)]):
                raise NotHttp(f"it begins with {buffer[:20].decode('ascii', 'replace')!r}")
            end = _HEAD_END.search(buffer, max(0, known - 3))
            if self._past + (end.end() if end else len(buffer)) > MAX_HEAD:
                raise NotHttp(f"its head is larger than {MAX_HEAD} bytes")
            if end is None:
                self._buffer = buffer
                return b""
            self.head, buffer = buffer[: end.end()], buffer[end.end() :]
            self._past += len(self.head)
            self._read_head(self.head[: end.start()].removesuffix(b"\r"))
            if self.status >= 200:
                self.headed = True
                self._buffer = b""
                return buffer
            if self.status == 101:
                raise NotHttp("it switches to another protocol")
            known = 0

    def _read_head(self, text: bytes) -> None:
        flat = text.replace(b"\r\n", b"\n")
        # A bare LF, a bare CR: some take them for line ends and some do not.
        odd = not self.head.endswith(b"\r\n\r\n") or len(text) - len(flat) != text.count(b"\n") or b"\r" in flat
        lines = flat.replace(b"\r", b" ").split(b"\n")
        first = _STATUS.fullmatch(lines[0].rstrip(b" \t"))
        if first is None:
            raise NotHttp(f"its first line is {lines[0][:40].decode('ascii', 'replace')!r}")
        if b"\0" in text:
            raise NotHttp("there is a NUL in its head")
        if len(lines) > MAX_FIELDS:
            raise NotHttp(f"it has more than {MAX_FIELDS} header fields")
        self.minor, self.status, self.reason = int(first[1]), int(first[2]), first[3] or b""
        self.headers = headers = []
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            if colon and name and not name.translate(None, _TOKEN):
                headers.append((name, value.strip(b" \t")))
                continue
            odd = True
            if line[:1] in b" \t" and headers:  # a folded line goes on (RFC 9112 section 5.2)
                name, value = headers[-1]
                headers[-1] = (name, b"%s %s" % (value, line.strip(b" \t")))
        self.clean = self.clean and not odd and self.minor == 1
        self._frame()

    def _frame(self) -> None:
        """Where the body ends (RFC 9112 section 6.3)."""
        lengths: list[bytes] = []
        codings: list[bytes] = []
        for name, value in self.headers:
            if len(name) == 14 and name.lower() == b"content-length":
                lengths += [one.strip() for one in value.split(b",")]
            elif len(name) == 17 and name.lower() == b"transfer-encoding":
                codings += [
                    token for one in value.split(b",") if (token := one.strip().lower()) not in (b"", b"identity")
                ]
            elif len(name) == 10 and name.lower() == b"connection" and b"close" in value.lower():
                self.clean = False
        if self.status < 200 or self.status in _BODYLESS or (self._tunnel and self.status < 300):
            self.done = self.status >= 200
        elif codings:
            if codings != [b"chunked"]:
                raise NotHttp(f"its transfer coding is {b', '.join(codings)[:40].decode('ascii', 'replace')!r}")
            self._chunked, self._left = True, 0
            self.clean = self.clean and not lengths
        elif lengths:
            self.clean = self.clean and len(lengths) == 1
            if len(set(lengths)) > 1 or not _LENGTH.fullmatch(lengths[0]):
                raise NotHttp(f"its Content-Length is {b', '.join(lengths)[:40].decode('ascii', 'replace')!r}")
            self._left = int(lengths[0])
            self.done = self._left == 0
        else:
            self.clean = False

    # -- chunks ----------------------------------------------------------------------------------------------------------

    def _dechunk(self, data: bytes) -> bytes:
        out: list[bytes] = []
        try:
            self._chunks(self._buffer + data, out)
        except NotHttp as error:
            error.before = b"".join(out)
            raise
        return b"".join(out)

    def _chunks(self, buffer: bytes, out: list[bytes]) -> None:
        at = 0
        while not self.done:
            if self._left:
                part = buffer[at : at + self._left]
                at += len(part)
                self._left -= len(part)
                out.append(part)
                if self._left:
                    break
                self._stage = "end"
            end = buffer.find(b"\n", at)
            if end < 0:
                if len(buffer) - at > _MAX_LINE:
                    raise NotHttp(f"a line between its chunks is longer than {_MAX_LINE} bytes")
                break
            line, at = buffer[at:end], end + 1
            self.clean = self.clean and line.endswith(b"\r")
            self._between(line.strip(b"\r \t"))
        self._buffer = buffer[at:]
        if self.done:
            self._beyond(self._buffer)

    def _between(self, line: bytes) -> None:
        """A line that is no chunk: a size, the end of a chunk, or a trailer."""
        if self._stage == "end":
            if line:
                raise NotHttp("a chunk of it does not end where it should")
            self._stage = "size"
            return
        self._surplus = max(0, self._surplus + len(line) - (16 if self._stage == "size" else 0))
        if self._surplus > _MAX_SURPLUS:
            raise NotHttp("there is too much between its chunks")
        if self._stage == "trailer":
            self.done = not line
            return
        size = line.partition(b";")[0].rstrip(b" \t")
        if not _CHUNK.fullmatch(size):
            raise NotHttp(f"a chunk of it has the size {size[:20].decode('ascii', 'replace')!r}")
        self._left = int(size, 16)
        if not self._left:
            self._stage = "trailer"
