"""Where an answer sends us: addresses to requests, redirects to addresses."""

from functools import lru_cache
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx

from parsers import links, refresh
from parsers.errors import AddressRefused, BadResponse
from parsers.page import Page
from parsers.url import try_canonical
from scraper.fetch.words import plain, shown, without_secrets

STATUSES = frozenset({301, 302, 303, 307, 308})
MAX_HOPS = 10
MAX_HOPS_ROBOTS = 5
"""RFC 9309 section 2.3.1.2: at least five are followed."""
MAX_LENGTH = 8192
_SPACE = "".join(map(chr, range(33)))
parsed = lru_cache(maxsize=256)(httpx.URL)
"""An address as httpx reads it. It is needed to check it and to send it, and reading costs as much as sending."""


def address(url: str) -> str:
    """The address to request: without fragment, and without user name and password, which a page must not set for us.

    Raises AddressRefused if it is not an http(s) address with a host.
    """
    try:
        parts = urlsplit(without_secrets(url))
        clean = urlunsplit(parts._replace(fragment=""))
        read = parsed(clean)
        usable = read.scheme in ("http", "https") and bool(read.host) and parts.port != 0
    except (ValueError, httpx.InvalidURL) as error:
        raise AddressRefused(f"{shown(url)} is not an address", cause=plain(str(error)), url=url) from error
    if not usable:
        raise AddressRefused(f"{shown(url)} is not an http or https address", cause="nothing else is fetched", url=url)
    return clean


def target(base: str, location: str | None) -> str:
    """The address that a redirect from `base` leads to.

    Raises BadResponse if there is none or it cannot be read, AddressRefused if it is not http(s).
    """
    if location is None:
        raise BadResponse(f"{shown(base)} redirects to nowhere", cause="the answer has no Location", url=base)
    if len(location) > MAX_LENGTH:
        raise BadResponse(
            f"{shown(base)} redirects to an address of {len(location)} characters",
            cause=f"no more than {MAX_LENGTH} are followed",
            url=base,
        )
    text = location.strip(_SPACE)
    scheme = text.partition(":")[0].lower() if ":" in text.partition("/")[0] else ""
    if scheme in ("", "http", "https"):
        # Browsers read backslashes as slashes; so must we, or the host we check is not the one they would ask.
        head, mark, query = text.partition("?")
        text = head.replace("\\", "/") + mark + query
    try:
        joined = urljoin(base, text)
        parts = urlsplit(joined)
        _ = parts.port
    except ValueError as error:
        raise BadResponse(
            f"{shown(base)} redirects to {plain(text)!r}, which is not an address", cause=plain(str(error)), url=base
        ) from error
    if parts.scheme in ("http", "https") and not parts.hostname:
        raise BadResponse(f"{shown(base)} redirects to {plain(text)!r}, which names no host", url=base)
    try:
        return str(parsed(address(joined)))  # escaped as it will be sent
    except AddressRefused as error:
        raise AddressRefused(
            f"{shown(base)} redirects to {shown(text)}",
            cause="only http and https addresses are followed",
            url=base,
        ) from error


def refreshed(page: Page) -> str | None:
    """The address that a page's meta refresh leads to at once; None if it has none, or loads itself again.

    One that leads to no http(s) address (an app, a script) is for others: the page stays what it is.
    """
    location = refresh.target(page)
    if location is None:
        return None
    try:
        url = target(links.base_of(page), location)
    except (AddressRefused, BadResponse):
        return None
    return None if try_canonical(url) == try_canonical(page.url) else url
