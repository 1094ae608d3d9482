"""One request and its answer: no redirects, no retries, no waiting."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

import httpx

from parsers.coding import decode
from parsers.errors import BadResponse, ConnectionFailed, DeadlineExceeded, FetchError, TooLarge
from scraper.fetch import redirects
from scraper.fetch.words import plain, shown
from storage.records import Exchange

_REDIRECT_BYTES = 65536
_WIRE_SLACK = 65536
"""Codings make incompressible bodies a little larger; a body far larger than its content is a trap."""
_NO_TEXT = ("image/", "audio/", "video/", "font/")
Truncated = Literal["length", "disconnect", "unspecified"]
"""Words of WARC-Truncated (ISO 28500:2017 section 5.13)."""


@dataclass(frozen=True, slots=True)
class Cap:
    """Most decoded bytes of a body. `wire`: read so many bytes and keep those, whatever follows. `any_type`: read media, too."""

    bytes: int
    wire: int | None = None
    any_type: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `body`: decoded bytes; `complete`: as much of it as was wanted.

    It is not complete if the connection or its content coding broke off.
    """

    exchange: Exchange
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    complete: bool

    def header(self, name: str) -> str | None:
        """The first header of that name (given in lower case), else None."""
        return next((value for key, value in self.headers if key.lower() == name), None)


async def ask(
    transport: httpx.AsyncBaseTransport,
    url: str,
    headers: Mapping[str, str | bytes],
    *,
    cap: Cap,
    deadline: float,
    now: Callable[[], datetime],
) -> Answer:
    """GET `url`. `deadline`: seconds from connecting to the last byte.

    Raises AddressRefused, ConnectionFailed, DeadlineExceeded, BadResponse, TooLarge.
    """
    fields = [(name.encode(), _bytes(value)) for name, value in headers.items()]
    request = httpx.Request("GET", redirects.parsed(url), headers=fields)
    try:
        async with asyncio.timeout(deadline):
            response = await _head(transport, request)
            try:
                return await _read(str(request.url), response, cap, now())
            finally:
                await response.aclose()
    except TimeoutError as error:
        raise DeadlineExceeded(
            f"{shown(url)} was not complete within {deadline:g} s",
            cause="the server is too slow, or sends a little at a time",
            next='deadline = "120s"  in [crawl] gives it longer',
            url=url,
        ) from error


async def _head(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> httpx.Response:
    url = str(request.url)
    try:
        return await transport.handle_async_request(request)
    except FetchError as error:
        error.url = url
        raise
    except httpx.RemoteProtocolError as error:
        raise BadResponse(
            f"{shown(url)} did not answer in HTTP", cause=plain(str(error)), next="is the port right?", url=url
        ) from error
    except httpx.ReadError as error:
        raise ConnectionFailed(
            f"{shown(url)}: the connection was closed without an answer", cause=plain(str(error)), url=url
        ) from error
    except httpx.TransportError as error:
        raise _no_connection(url, error) from error


def _no_connection(url: str, error: Exception) -> ConnectionFailed:
    words = plain(str(error))
    next_step = ""
    if "CERTIFICATE" in words:
        next_step = "ask the site to renew its certificate; it is not accepted as it is"
    elif isinstance(error, httpx.ProxyError):
        next_step = "proxy in [crawl], or NEWSMORGUE_PROXY if it holds a password"
    return ConnectionFailed(f"{shown(url)}: no connection", cause=words, next=next_step, url=url)


async def _read(url: str, response: httpx.Response, cap: Cap, at: datetime) -> Answer:
    status = response.status_code
    headers = tuple([(_text(name), _text(value)) for name, value in response.headers.raw])
    redirect = status in redirects.STATUSES
    if redirect:
        cap = Cap(cap.bytes, wire=_REDIRECT_BYTES, any_type=True)
    payload, truncated = await _payload(response, headers, cap, url)
    body, whole = payload, True
    if payload and not redirect:  # of a redirect only the address counts; its body is kept as it came
        body, whole = _decoded(payload, headers, cap, url, status)
    exchange = Exchange(
        url=url,
        at=at,
        request_head=response.extensions["request_head"],
        response_head=response.extensions["response_head"],
        payload=payload,
        ip=response.extensions["ip"],
        truncated=truncated,
    )
    complete = truncated == "length" or (truncated is None and whole)
    return Answer(exchange, status, headers, body, complete)


async def _payload(
    response: httpx.Response, headers: Sequence[tuple[str, str]], cap: Cap, url: str
) -> tuple[bytes, Truncated | None]:
    """The bytes as they came, and why they are not all that there are."""
    if not cap.any_type and _first(headers, "content-type").lstrip().lower().startswith(_NO_TEXT):
        return b"", "length"
    most = cap.bytes + _WIRE_SLACK if cap.wire is None else cap.wire
    length = _first(headers, "content-length")
    if cap.wire is None and length.isascii() and length.isdigit() and int(length[:18]) > most:
        raise _too_large(url, cap, f"it says it has {int(length[:18])} bytes")
    parts: list[bytes] = []
    size = 0
    truncated: Truncated | None = None
    try:
        async for part in cast(httpx.AsyncByteStream, response.stream):
            parts.append(part)
            size += len(part)
            if size > most:
                if cap.wire is None:
                    raise _too_large(url, cap, "it was stopped there")
                truncated = "length"
                break
    except httpx.RemoteProtocolError:
        truncated = "unspecified"
    except httpx.TransportError:
        # The head came and the body broke off: worth another try, and if it is the last, worth keeping as what it is.
        truncated = "disconnect"
    return b"".join(parts)[:most], truncated


def _decoded(payload: bytes, headers: Sequence[tuple[str, str]], cap: Cap, url: str, status: int) -> tuple[bytes, bool]:
    """The body, and whether it is whole as far as its coding can tell."""
    body, fault, why = decode(payload, headers, most=cap.bytes)
    if fault == "unknown":
        raise BadResponse(
            f"{shown(url)} came in the content coding {plain(why, 40)!r}, which was not asked for",
            cause="gzip, deflate, br and zstd are read, two of them on top of each other at most",
            url=url,
            status=status,
        )
    if fault == "damaged":
        raise BadResponse(f"{shown(url)}: the body cannot be decoded", cause=plain(why), url=url, status=status)
    if fault == "cut":
        raise _too_large(url, cap, "it was stopped there")
    return body, fault is None


def _too_large(url: str, cap: Cap, how: str) -> TooLarge:
    return TooLarge(
        f"{shown(url)} is larger than {cap.bytes} bytes", cause=how, next="max_bytes in [crawl] is the cap", url=url
    )


def _first(headers: Sequence[tuple[str, str]], name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")


def _bytes(value: str | bytes) -> bytes:
    return value.encode("ascii") if isinstance(value, str) else value


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
