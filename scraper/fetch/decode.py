"""Content codings taken off in small steps, so that a bomb ends at the cap and not in memory."""

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zlib import _Decompress

_STEP = 65536
_MAX_MEMBERS = 10_000
_GZIP = b"\x1f\x8b"
_NONE = frozenset({"", "identity", "none", "utf-8", "binary"})
"""Tokens that mean no coding, or that servers send although they name none."""


class CapExceeded(Exception):
    """More decoded bytes than the cap. `body` holds those within it."""

    def __init__(self, body: bytes) -> None:
        super().__init__(f"more than {len(body)} bytes")
        self.body = body


class UnknownCoding(Exception):
    """A content coding that was never asked for, or several on top of each other."""


class Corrupt(Exception):
    """Bytes that are not what their content coding says."""


class Decoder:
    """Takes a body's bytes as they arrive and keeps the decoded ones, at most `max_bytes`.

    `coding` is the value of Content-Encoding. gzip may have several members; deflate is read with and without zlib's
    header (RFC 9110 section 8.4.1.2). Bytes that do not begin like gzip are kept as they are, whatever their label
    says. Raises UnknownCoding at once; CapExceeded and Corrupt while feeding.
    """

    def __init__(self, coding: str, max_bytes: int) -> None:
        names = [name for token in coding.split(",") if (name := token.strip().lower()) not in _NONE]
        if len(names) > 1 or (names and names[0] not in ("gzip", "x-gzip", "deflate")):
            raise UnknownCoding(", ".join(names))
        self._coding = names[0].removeprefix("x-") if names else ""
        self._max = max_bytes
        self._parts: list[bytes] = []
        self._size = 0
        self._start = b""
        self._inflater: _Decompress | None = None
        self._members = 0
        self._ended = False

    @property
    def body(self) -> bytes:
        """What was decoded so far."""
        return b"".join(self._parts)

    def feed(self, data: bytes) -> None:
        """Decode some more bytes."""
        if self._coding and self._inflater is None and not self._ended:
            self._start += data
            if len(self._start) < 2:
                return
            data, self._start = self._start, b""
            self._begin(data)
        if not self._coding:
            self._keep(data)
        elif not self._ended:
            self._inflate(data)

    def finish(self) -> bool:
        """To be called after the last byte. Is the body complete, as far as its coding can tell?"""
        if not self._members:
            self._keep(self._start)
        return self._inflater is None

    def _begin(self, data: bytes) -> None:
        """Choose by the first bytes, for the body or for a further member of gzip."""
        if self._coding == "gzip" and data.startswith(_GZIP):
            self._members += 1
            if self._members > _MAX_MEMBERS:
                raise Corrupt(f"more than {_MAX_MEMBERS} members of gzip")
            self._inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
        elif self._members:
            self._ended = True  # padding after the last member, which gzip's own tools ignore too
        elif self._coding == "gzip":
            self._coding = ""
        else:
            has_header = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
            self._members = 1
            self._inflater = zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)

    def _inflate(self, data: bytes) -> None:
        while self._inflater is not None:
            try:
                part = self._inflater.decompress(data, _STEP)
            except zlib.error as error:
                raise Corrupt(f"the {self._coding} stream is damaged") from error
            self._keep(part)
            data = self._inflater.unconsumed_tail
            if self._inflater.eof:
                data = self._inflater.unused_data
                self._inflater = None
                self._ended = self._coding != "gzip"
                if self._ended:
                    return
                if len(data) < 2:
                    self._start = data
                else:
                    self._begin(data)
            elif not data and len(part) < _STEP:
                return

    def _keep(self, data: bytes) -> None:
        room = self._max - self._size
        if len(data) > room:
            self._parts.append(data[:room])
            raise CapExceeded(self.body)
        if data:
            self._parts.append(data)
            self._size += len(data)
