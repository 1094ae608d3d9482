"""robots.txt of one origin: asked for once in a run, in a long one once a day, obeyed before every request."""

import math
import re
import time
from collections.abc import Awaitable, Callable

from parsers.errors import BadResponse, ConnectionFailed, DeadlineExceeded, HostHeld, RobotsDenied, TooLarge
from parsers.page import Page
from scraper.fetch.pace import MAX_DELAY, Clock, Rest, Turns, at_once
from scraper.fetch.words import plain, shown
from scraper.robots import Robots, parse

HOLD = 300.0
"""Seconds until a robots.txt that could not be read is asked for again."""
LIFETIME = 86400.0
"""Seconds for which rules hold at most (RFC 9309 section 2.4)."""
LEAST_LIFETIME = 600.0
"""Seconds for which they hold, whatever Cache-Control says: rules are not asked for before every page."""
_MAX_AGE = re.compile(r"\bmax-age\s*=\s*\"?([0-9]{1,9})", re.IGNORECASE)
_NO_CACHE = re.compile(r"\bno-(?:cache|store)\b", re.IGNORECASE)


class Rules:
    """What one origin (`https://example.org`) allows.

    `fetch` gives the page of robots.txt, or None if its redirects lead nowhere; it is told the entity tag of the rules that
    are known, and raises FetchError. 4xx other than 429 allow everything; 429, 5xx, no answer and half an answer hold the
    host (RFC 9309 section 2.3.1, and Google's reading of 429), unless there are rules from before, which then go on.
    `rest`: how to wait while another address asks for them.
    """

    def __init__(
        self,
        origin: str,
        *,
        agent: str,
        fetch: Callable[[str, str | None], Awaitable[Page | None]],
        clock: Clock = time.monotonic,
        rest: Rest = at_once,
    ) -> None:
        self.url = f"{origin}/robots.txt"
        self.delay = 0.0
        self._agent = agent
        self._fetch = fetch
        self._clock = clock
        self._turns = Turns(rest)
        self._robots: Robots | None = None
        self._etag: str | None = None
        self._ask_again = -math.inf
        self._why = ""

    async def check(self, url: str) -> None:
        """Raises RobotsDenied if `url` is forbidden to us, HostHeld if nobody can say."""
        if self._ask_again <= self._clock():
            async with self._turns.turn():
                if self._ask_again <= self._clock():  # still: another address may have asked meanwhile
                    await self._ask()
        if self._robots is None:
            raise HostHeld(
                f"nothing is fetched from {shown(self.url.removesuffix('/robots.txt'))} for now",
                seconds=max(self._ask_again - self._clock(), 0.0),
                cause=f"its robots.txt could not be read: {self._why}",
                next="nothing to do: it is asked again later",
                url=url,
                origin=self.url.removesuffix("/robots.txt"),
            )
        if self.delay > MAX_DELAY:
            raise HostHeld(
                f"{shown(self.url)} asks for {self.delay:g} s between two requests",
                seconds=self.delay,
                cause=f"pauses of more than {MAX_DELAY:g} s are not kept up, and shorter ones are not wanted",
                next="ask the site for leave, or pause it: paused = true",
                url=url,
            )
        if not self._robots.allowed(self._agent, url):
            raise RobotsDenied(
                f"{shown(url)} is not fetched",
                cause=f"{shown(self.url)} forbids it to {plain(self._agent, 40)}",
                next="nothing to do: the site does not want it fetched",
                url=url,
            )

    async def _ask(self) -> None:
        try:
            page = await self._fetch(self.url, self._etag)
        except HostHeld as error:
            return self._hold(max(error.seconds, HOLD), error.cause or error.what)
        except (ConnectionFailed, DeadlineExceeded, BadResponse, TooLarge) as error:
            return self._hold(HOLD, f"{error.what} {error.cause}".strip())
        if page is not None and page.status >= 500:
            return self._hold(HOLD, f"status {page.status}")
        self._ask_again = self._clock() + _lifetime(page)
        if page is None or page.status != 304:
            there = page is not None and 200 <= page.status < 300
            self._robots = parse(page.body if page is not None and there else b"")
            self._etag = page.header("etag") if page is not None and there else None
            self.delay = self._robots.crawl_delay(self._agent) or 0.0
        return None

    def _hold(self, seconds: float, why: str) -> None:
        self._ask_again = self._clock() + seconds
        self._why = why


def _lifetime(page: Page | None) -> float:
    """Seconds for which an answer holds: as Cache-Control says (RFC 9111 section 5.2.2), within bounds."""
    said = (page.header("cache-control") if page is not None else None) or ""
    age = _MAX_AGE.search(said)
    seconds = 0.0 if _NO_CACHE.search(said) else float(age[1]) if age else LIFETIME
    return min(max(seconds, LEAST_LIFETIME), LIFETIME)
