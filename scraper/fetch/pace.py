"""One host's pace: one request at a time, a pause after each, and longer when the host is slow or asks for it."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from parsers.errors import HostHeld
from scraper.fetch.policy import MAX_WAIT
from scraper.fetch.words import plain

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]
Rest = Callable[[Awaitable[Any]], Awaitable[Any]]
"""Waits for something on behalf of an address; meanwhile others may be asked."""


async def at_once(waiting: Awaitable[Any]) -> Any:
    """Wait for something, and do nothing about it."""
    return await waiting


class Turns:
    """One at a time, in the order in which they came. Who does not come first rests."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._lock = asyncio.Lock()
        self._here = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """The right to go on alone."""
        self._here += 1
        try:
            # Not `locked()`: whoever was woken has not taken the lock yet, and may want what we would not give away.
            await (self._rest(self._lock.acquire()) if self._here > 1 else self._lock.acquire())
            try:
                yield
            finally:
                self._lock.release()
        finally:
            self._here -= 1


SLOWED = 10.0
"""Seconds for which a host is left alone after it refused one address."""
MAX_DELAY = 300.0
"""Seconds between two requests. A host that asks for more gets no request at all: its pages would never be done."""
EASE = 1.0
"""The least pause as a multiple of the host's response time: no host is busy with us for more than half of the time."""
QUICK = 0.05
"""Seconds. A host that answers faster is at ease, and gets no pause for it."""
MAX_EASE = MAX_WAIT
"""Seconds. No host gets a longer pause for being slow."""
_WEIGHT = 0.25
"""Of the last response in the smoothed response time."""


class Pace:
    """When a host may be asked next.

    `delay`: least seconds between the end of one request and the start of the next; a slow host gets more, see `pause`.
    `clock` counts seconds, `sleep` waits for some. `rest`: how to wait while another address has its turn.
    """

    def __init__(
        self,
        host: str,
        delay: float,
        *,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        rest: Rest = at_once,
    ) -> None:
        self.host = host
        self.delay = delay
        self._clock = clock
        self._sleep = sleep
        self._rest = rest
        self._turns = Turns(rest)
        self._ended = -math.inf
        self._response: float | None = None
        self._held_until = -math.inf
        self._held_for = ""
        self._refused = ""

    @property
    def pause(self) -> float:
        """Seconds between two requests: `delay`, or the smoothed time that the host takes to answer, if that is longer."""
        ease = EASE * (self._response or 0.0)
        return max(self.delay, min(ease, MAX_EASE)) if ease >= QUICK else self.delay

    def hold(self, seconds: float, why: str) -> None:
        """Ask nothing of this host for so long."""
        until = self._clock() + seconds
        if until > self._held_until:
            self._held_until, self._held_for = until, why

    def refused(self, url: str, seconds: float, why: str) -> None:
        """A host refused an address (429, 503) for so long. Raises HostHeld.

        The first refusal may be about that address: it is put off, and the host is slowed. The next, of another address
        and with no answer in between, is about the host, which is then left alone.
        """
        alone = self._refused in ("", url)
        self._refused = url
        self.hold(min(seconds, SLOWED) if alone else seconds, why)
        raise HostHeld(
            f"{plain(self.host)} refuses {'this address' if alone else 'to be asked'} for {seconds:.0f} s",
            seconds=seconds,
            cause=why,
            next="nothing to do: it is asked again after that",
            url=url,
            alone=alone,
        )

    def answered(self) -> None:
        """The host answered an address and did not refuse it."""
        self._refused = ""

    def check(self, url: str) -> None:
        """Raises HostHeld if the host is held for longer than is worth waiting."""
        left = self._held_until - self._clock()
        if left > MAX_WAIT:
            raise HostHeld(
                f"{plain(self.host)} is left alone for {left:.0f} s",
                seconds=left,
                cause=self._held_for,
                next="nothing to do: it is asked again after that",
                url=url,
            )

    def left(self) -> float:
        """Seconds until the host may be asked, not counting a request that is under way; none or less: now."""
        return max(self._ended + self.pause, self._held_until) - self._clock()

    @asynccontextmanager
    async def slot(self, url: str) -> AsyncIterator[None]:
        """The right to send one request. Waits for its turn and for the pause; raises HostHeld as `check` does."""
        async with self._turns.turn():
            while True:
                self.check(url)
                if (left := self.left()) <= 0:
                    break
                await self._rest(self._sleep(left))
            began = self._clock()
            try:
                yield
            finally:
                self._ended = self._clock()
                took = self._ended - began
                self._response = took if self._response is None else self._response + _WEIGHT * (took - self._response)
