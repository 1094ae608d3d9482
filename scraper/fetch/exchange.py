"""One request and its answer: no redirects, no retries, no waiting."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import httpcore
import httpx

from parsers.errors import BadResponse, ConnectionFailed, DeadlineExceeded, FetchError, TooLarge
from scraper.fetch import redirects
from scraper.fetch.decode import CapExceeded, Corrupt, Decoder, UnknownCoding
from scraper.fetch.words import plain, shown
from storage.records import Exchange

_REDIRECT_BYTES = 65536
_WIRE_SLACK = 65536
"""Codings make incompressible bodies a little larger; a body far larger than its content is a trap."""
_NO_TEXT = ("image/", "audio/", "video/", "font/")
Truncated = Literal["length", "time", "disconnect"]


@dataclass(frozen=True, slots=True)
class Cap:
    """Most decoded bytes of a body. `cut`: keep what fits instead of raising TooLarge. `any_type`: read media, too."""

    bytes: int
    cut: bool = False
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
    request = httpx.Request("GET", url, headers=[(name.encode(), _bytes(value)) for name, value in headers.items()])
    try:
        async with asyncio.timeout(deadline):
            response = await _head(transport, request)
            try:
                return await _read(request, response, cap, now())
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
    except httpcore.ProtocolError as error:
        if str(error).startswith("Server disconnected"):
            raise ConnectionFailed(f"{shown(url)}: the connection was closed without an answer", url=url) from error
        raise BadResponse(
            f"{shown(url)} did not answer in HTTP", cause=plain(str(error)), next="is the port right?", url=url
        ) from error
    except (httpcore.NetworkError, httpcore.TimeoutException, ssl.SSLError, OSError) as error:
        raise _no_connection(url, error) from error


def _no_connection(url: str, error: Exception) -> ConnectionFailed:
    words = plain(str(error) or type(error).__name__)
    next_step = "ask the site to renew its certificate; it is not accepted as it is" if "CERTIFICATE" in words else ""
    return ConnectionFailed(f"{shown(url)}: no connection", cause=words, next=next_step, url=url)


async def _read(request: httpx.Request, response: httpx.Response, cap: Cap, at: datetime) -> Answer:
    url = str(request.url)
    status = response.status_code
    headers = tuple((_text(name), _text(value)) for name, value in response.headers.raw)
    address = response.extensions["network_stream"].get_extra_info("server_addr")
    if status in redirects.STATUSES:
        cap = Cap(min(cap.bytes, _REDIRECT_BYTES), cut=True, any_type=True)
    payload, body, complete, truncated = await _body(response, cap, url)
    exchange = Exchange(
        url=url,
        at=at,
        request_head=_request_head(request),
        response_head=_response_head(response),
        payload=payload,
        ip=str(address[0]) if address else None,
        truncated=truncated,
    )
    return Answer(exchange, status, headers, body, complete)


async def _body(response: httpx.Response, cap: Cap, url: str) -> tuple[bytes, bytes, bool, Truncated | None]:
    """Wire payload, decoded body, whether it is complete, and why the payload is not."""
    media = response.headers.get("content-type", "").strip().lower().startswith(_NO_TEXT)
    if media and not cap.any_type:
        return b"", b"", True, "length"
    length = response.headers.get("content-length", "")
    if not cap.cut and length.isascii() and length.isdigit() and int(length[:18]) > cap.bytes + _WIRE_SLACK:
        raise _too_large(url, cap, f"it says it has {int(length[:18])} bytes")
    try:
        # Of a redirect only the address counts; its body is kept as it came.
        redirect = response.status_code in redirects.STATUSES
        decoder = Decoder("" if redirect else response.headers.get("content-encoding", ""), cap.bytes)
    except UnknownCoding as error:
        raise BadResponse(
            f"{shown(url)} came in the content coding {plain(str(error), 40)!r}, which was not asked for",
            cause="gzip and deflate are read",
            url=url,
            status=response.status_code,
        ) from error
    payload: list[bytes] = []
    size = 0
    try:
        async for part in response.aiter_raw():
            payload.append(part)
            size += len(part)
            decoder.feed(part)
            if size > cap.bytes + _WIRE_SLACK:
                raise CapExceeded(decoder.body)
        complete = decoder.finish()
    except CapExceeded as error:
        if not cap.cut:
            raise _too_large(url, cap, "it was stopped there") from error
        return b"".join(payload), error.body, True, "length"
    except Corrupt as error:
        raise BadResponse(
            f"{shown(url)}: the body cannot be decoded", cause=str(error), url=url, status=response.status_code
        ) from error
    except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError):
        # The head came and the body broke off: worth another try, and if it is the last, worth keeping as what it is.
        return b"".join(payload), decoder.body, False, "disconnect"
    return b"".join(payload), decoder.body, complete, None


def _too_large(url: str, cap: Cap, how: str) -> TooLarge:
    return TooLarge(
        f"{shown(url)} is larger than {cap.bytes} bytes", cause=how, next="max_bytes in [crawl] is the cap", url=url
    )


def _request_head(request: httpx.Request) -> bytes:
    lines = [b"%s %s HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    lines += [name + b": " + value for name, value in request.headers.raw]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _response_head(response: httpx.Response) -> bytes:
    version = response.extensions["http_version"]
    lines = [b"%s %d %s" % (version, response.status_code, response.extensions["reason_phrase"])]
    lines += [name + b": " + value for name, value in response.headers.raw]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _bytes(value: str | bytes) -> bytes:
    return value.encode("ascii") if isinstance(value, str) else value


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
