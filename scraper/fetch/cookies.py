"""Cookies of one run, in memory: what lets a reader past a consent form, and nothing that outlives the run.

A jar for each site, so that no site sees or fills another's; bounded, so that a hostile one fills nothing. Matching is that of
the standard library (RFC 6265 as far as `http.cookiejar` follows it), through httpx.
"""

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.request import Request

import httpx

from parsers.url import domain

MAX_COOKIES = 50
"""In one jar; RFC 6265 section 6.1 asks for as many a domain. A site that sets more begins anew."""
MAX_BYTES = 4096
"""Of one Set-Cookie (RFC 6265 section 6.1)."""
MAX_SENT = 8192
"""Of one Cookie header: servers refuse longer heads, and a site that sets so much would lock itself."""


class Cookies:
    """The jars of a run."""

    def __init__(self) -> None:
        self._jars: dict[str, httpx.Cookies] = {}

    def header(self, url: str) -> str:
        """The value of the Cookie header for a request, "" if there is none to send."""
        jar = self._jars.get(_site(url))
        if jar is None:
            return ""
        request = Request(url)  # noqa: S310 - nothing is opened: it is what the jar asks about
        jar.jar.add_cookie_header(request)
        value = str(request.get_header("Cookie", ""))
        return value if len(value) <= MAX_SENT else ""

    def state(self, url: str) -> frozenset[tuple[str, str | None]]:
        """The cookies of an address's site, to be compared with those of another time."""
        jar = self._jars.get(_site(url))
        return frozenset((cookie.name, cookie.value) for cookie in jar.jar) if jar is not None else frozenset()

    def take(self, url: str, headers: Iterable[tuple[str, str]]) -> None:
        """Keep what a response sets; the rest of its headers is passed over."""
        lines = [
            (name, value)
            for name, value in headers
            if name.lower() == "set-cookie" and len(value) <= MAX_BYTES and value.isprintable()
        ]
        if not lines:
            return
        jar = self._jars.setdefault(_site(url), httpx.Cookies())
        raw = [(name.encode(), value.encode("utf-8", "replace")) for name, value in lines]
        jar.extract_cookies(httpx.Response(200, headers=raw, request=httpx.Request("GET", url)))
        if len(jar.jar) > MAX_COOKIES:
            jar.clear()


def _site(url: str) -> str:
    """The registrable part of a host's name, as well as it can be told without a list: two labels, or three where the
    second last is short and the last a country's (`co.uk`)."""
    name = domain(url)
    try:
        return str(ip_address(name.strip("[]")))
    except ValueError:
        labels = name.split(".")
        short = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
        return ".".join(labels[-3:] if short else labels[-2:])
