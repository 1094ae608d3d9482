"""When a request is tried again, and after how long: policies as tenacity values."""

import random
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, retry_if_result, stop_after_attempt
from tenacity import stop_before_delay as stop_before
from tenacity.wait import wait_base

from parsers.errors import FetchError
from scraper.fetch.exchange import Answer

MAX_WAIT = 30.0
"""Seconds. Longer waits are not sat out: the host is held and its addresses are asked later."""
MAX_HOLD = 7 * 86400.0
"""Seconds. A host that asks for more is asked again after a week."""
HOLD = 60.0
"""Seconds for which a host is held that refuses again and again without saying until when."""
HOLDING = frozenset({429, 503})
"""Statuses that speak of the host and not of the address (RFC 6585 section 4, RFC 9110 section 15.6.4)."""
_SECONDS = re.compile(r"[0-9]{1,300}")  # more than that is no number of Python's, and no answer either


@dataclass(frozen=True, slots=True)
class Backoff:
    """Our own pause before the next try, in seconds: `first`, doubled each time up to `most`, plus up to `jitter`."""

    first: float = 0.5
    most: float = 16.0
    jitter: float = 0.5

    def seconds(self, tries: int) -> float:
        """The pause after `tries` tries."""
        return min(self.first * 2.0 ** min(tries - 1, 30), self.most) + random.uniform(0.0, self.jitter)  # noqa: S311


BACKOFF = Backoff()


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After asks for, as a number or as a date (RFC 9110 section 10.2.3); None if it says neither.

    Never negative, never more than MAX_HOLD.
    """
    text = (value or "").strip()
    if not text:
        return None
    if _SECONDS.fullmatch(text):
        return min(float(text), MAX_HOLD)
    try:
        when = parsedate_to_datetime(text)
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)  # "-0000": an HTTP date is always UTC
        return min(max((when - now).total_seconds(), 0.0), MAX_HOLD)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def asked_to_wait(answer: Answer) -> float | None:
    """Seconds that the answer's Retry-After asks for; None if it has none that can be read."""
    return retry_after(answer.header("retry-after"), answer.exchange.at)


def worth_another_try(answer: Answer) -> bool:
    """An answer that may be better next time: the server's own trouble, or a body that broke off."""
    broken = not answer.complete and 200 <= answer.status < 300  # of a refusal or a redirect, the head is enough
    return answer.status in (408, 429) or answer.status >= 500 or broken


class _Wait(wait_base):
    """Our own backoff, or longer if the server says so."""

    def __init__(self, backoff: Backoff) -> None:
        self._backoff = backoff

    def __call__(self, retry_state: RetryCallState) -> float:
        asked = None
        if retry_state.outcome is not None and not retry_state.outcome.failed:
            asked = asked_to_wait(retry_state.outcome.result())
        return max(self._backoff.seconds(retry_state.attempt_number), asked or 0.0)


async def persist(
    once: Callable[[], Awaitable[Answer]],
    *,
    retries: int,
    budget: float,
    backoff: Backoff,
    sleep: Callable[[float], Awaitable[None]],
    before_sleep: Callable[[RetryCallState], None],
) -> Answer:
    """What `once` gives, tried again at most `retries` times, not after `budget` seconds; the last answer or error counts.

    The first try is made without tenacity, which would cost more than to send the request and read the head. It
    takes over, beginning with that try's outcome, if there is a reason for another.
    """
    began = time.monotonic()
    first: Answer | FetchError
    try:
        first = await once()
        if not worth_another_try(first):
            return first
    except FetchError as error:
        if not error.retryable:
            raise
        first = error
    outcomes = [first]

    async def again() -> Answer:
        if not outcomes:
            return await once()
        outcome = outcomes.pop()
        if isinstance(outcome, FetchError):
            raise outcome
        return outcome

    answer: Answer = await AsyncRetrying(
        stop=stop_after_attempt(retries + 1) | stop_before(budget - (time.monotonic() - began)),
        wait=_Wait(backoff),
        retry=retry_if_exception(lambda error: isinstance(error, FetchError) and error.retryable)
        | retry_if_result(worth_another_try),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        sleep=sleep,
        before_sleep=before_sleep,
    )(again)
    return answer
