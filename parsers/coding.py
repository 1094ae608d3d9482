"""Content codings taken off a payload: capped, pure, and the same bytes every time, from the wire or from an archive.

gzip (several members), deflate (with and without zlib's header, RFC 9110 section 8.4.1.2), br and zstd (windows of 8 MiB
at most, RFC 9659), up to two on top of each other. Labels are believed as far as the bytes bear them out.
"""

import re
import sys
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Literal, NamedTuple, Protocol

import brotlicffi as brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd
swift: Any = zlib
with suppress(ImportError):  # a machine that isal is not made for
    from isal import isal_zlib

    swift = isal_zlib  # a third of zlib's time for a page

Fault = Literal["cut", "broken off", "damaged", "unknown"]
MAX_LAYERS = 2
MAX_MEMBERS = 10_000
_STEP = 65536
_GZIP = b"\x1f\x8b"
_ZSTD = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")
_TEXT = re.compile(r"\s*(?:$|text/|[^;]*[/+](?:xml|json|javascript)\s*(?:$|;))", re.IGNORECASE)
_SITEMAP = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml|<(?:\w+:)?(?:urlset|sitemapindex)|https?://)")
_FILE = re.compile(r"\s*(?:application/(?:x-)?gzip|(?:application|binary)/octet-stream)\s*(?:$|;)", re.IGNORECASE)
_PLAIN = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<[!?/A-Za-z]|[{\[]\s*[\"{\[])")
_NONE = frozenset({"", "identity", "none", "utf-8", "binary"})
"""Tokens that mean no coding, or that servers send although they name none."""
_WINDOW: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 23}


class Decoded(NamedTuple):
    """A body, and what is wrong with it: None if it is whole.

    `cut`: more than the cap, `body` holds what fits. `broken off`: the coding's own end is missing. `damaged`: the bytes
    are not what their coding says; `unknown`: a coding nobody here reads; `body` is then the payload as it came. `why` says so in words.
    """

    body: bytes
    fault: Fault | None = None
    why: str = ""


def decode(payload: bytes, headers: Iterable[tuple[str, str]], *, most: int) -> Decoded:
    """A payload without its content codings. `headers`: those of its response; `most`: bytes the body may have.

    Labelled but plain is kept as it is; a text that begins like gzip without saying so is unpacked, and so is a
    sitemap that is served as a gzip file.
    """
    coding, kind = "", ""
    for name, value in headers:
        if (low := name.lower()) == "content-encoding":
            coding += f",{value}"
        elif low == "content-type" and not kind:
            kind = value
    layers = [token for part in coding.split(",") if (token := part.strip().lower()) not in _NONE]
    strange = [token for token in layers if token not in _LAYERS]
    if strange or len(layers) > MAX_LAYERS:
        return Decoded(payload, "unknown", ", ".join(strange or layers))
    found = Decoded(payload)
    for token in reversed(layers):
        found = _under(found, _LAYERS[token], most)
        if found.fault == "damaged":
            return Decoded(payload, "damaged", found.why)
        if found.fault == "cut":
            return found
    if found.body.startswith(_GZIP + b"\x08") and ((text := _TEXT.match(kind)) or _FILE.match(kind)):
        inner = _under(found, _gzip, most)
        found = inner if inner.fault != "damaged" and (text or _SITEMAP.match(inner.body)) else found
    if len(found.body) > most:
        return Decoded(found.body[:most], "cut", f"more than {most} bytes")
    return found


def _under(outer: Decoded, layer: Callable[[bytes, int], Decoded], most: int) -> Decoded:
    inner = layer(outer.body, most)
    return inner if inner.fault or not outer.fault else inner._replace(fault=outer.fault, why=outer.why)


def _gzip(data: bytes, most: int) -> Decoded:
    if not data.startswith(_GZIP):
        return Decoded(data)
    try:
        inflater = swift.decompressobj(wbits=31)
        body = inflater.decompress(data, most + 1)
        if len(body) > most:
            return Decoded(body[:most], "cut", f"more than {most} bytes")
        if inflater.eof and not inflater.unused_data:
            return Decoded(body)
    except swift.error:
        pass
    # Whatever is not one whole member goes through zlib itself, so that half a stream gives the same bytes everywhere.
    return _frames(data, most, "gzip", lambda: _Inflater(31), again=lambda rest: rest.startswith(_GZIP))


def _deflate(data: bytes, most: int) -> Decoded:
    has_header = len(data) > 1 and data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
    found = Decoded(data)
    for bits in (zlib.MAX_WBITS, -zlib.MAX_WBITS) if has_header else (-zlib.MAX_WBITS,):
        found = _frames(data, most, "deflate", lambda bits=bits: _Inflater(bits))  # type: ignore[misc]
        if found.fault != "damaged":
            break
    return _or_plain(found, data)


def _br(data: bytes, most: int) -> Decoded:
    return _or_plain(_frames(data, most, "br", _Brotli), data)


def _zstd(data: bytes, most: int) -> Decoded:
    if not _ZSTD.match(data):
        return Decoded(data)
    return _frames(data, most, "zstd", _Zstd, again=lambda rest: _ZSTD.match(rest) is not None)


def _or_plain(found: Decoded, data: bytes) -> Decoded:
    """deflate and br have no mark of their own: what is no such stream and looks like markup is markup."""
    return Decoded(data) if found.fault == "damaged" and _PLAIN.match(data) else found


_LAYERS: dict[str, Callable[[bytes, int], Decoded]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _br,
    "zstd": _zstd,
}


class _Stream(Protocol):
    """One frame of a coding. `take` gives some decoded bytes and how many of those given it has done with."""

    eof: bool

    def take(self, data: bytes, room: int) -> tuple[bytes, int]: ...


class _Inflater:
    def __init__(self, bits: int) -> None:
        self._inflater = zlib.decompressobj(bits)
        self.eof = False

    def take(self, data: bytes, room: int) -> tuple[bytes, int]:
        part = self._inflater.decompress(data, room)
        self.eof = self._inflater.eof
        return part, len(data) - len(self._inflater.unconsumed_tail) - len(self._inflater.unused_data)


class _Brotli:
    def __init__(self) -> None:
        self._decompressor = brotli.Decompressor()
        self.eof = False

    def take(self, data: bytes, room: int) -> tuple[bytes, int]:
        given = data if self._decompressor.can_accept_more_data() else b""
        part = self._decompressor.process(given, output_buffer_limit=room)
        self.eof = self._decompressor.is_finished()
        return part, len(given)


class _Zstd:
    def __init__(self) -> None:
        self._decompressor = zstd.ZstdDecompressor(options=_WINDOW)
        self.eof = False

    def take(self, data: bytes, room: int) -> tuple[bytes, int]:
        given = data if self._decompressor.needs_input else b""
        part = self._decompressor.decompress(given, room)
        self.eof = self._decompressor.eof
        return part, len(given) - len(self._decompressor.unused_data)


def _frames(
    data: bytes,
    most: int,
    name: str,
    stream: Callable[[], _Stream],
    *,
    again: Callable[[bytes], bool] = lambda rest: False,
) -> Decoded:
    """One frame after the other in small steps: a bomb ends at the cap. `again`: another frame begins with these bytes."""
    if not data:
        return Decoded(b"")
    out: list[bytes] = []
    size = at = 0
    try:
        for _ in range(MAX_MEMBERS):
            frame = stream()
            while not frame.eof:
                given = data[at : at + _STEP]
                part, used = frame.take(given, min(_STEP, most + 1 - size))
                if not part and not used and not frame.eof:
                    return Decoded(b"".join(out), "broken off", f"the {name} stream ends too early")
                at += used
                size += len(part)
                out.append(part)
                if size > most:
                    return Decoded(b"".join(out)[:most], "cut", f"more than {most} bytes")
            if not again(data[at : at + 4]):
                return Decoded(b"".join(out))
    except (zlib.error, brotli.error, zstd.ZstdError) as error:
        return Decoded(data, "damaged", f"the {name} stream is damaged ({error})")
    return Decoded(data, "damaged", f"more than {MAX_MEMBERS} members of {name}")
