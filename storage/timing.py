"""Pure arithmetic of time: durations as people write them, when to ask again, how long to back off."""

import random
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from parsers.errors import SettingsError

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d|w)\Z")


def parse_duration(text: str) -> float:
    """Seconds of a duration such as "500ms", "2s", "30m", "1h" or "7d". Raises SettingsError."""
    match = _DURATION.match(text.strip())
    if match is None:
        raise SettingsError(f"{text!r} is not a duration", cause="a number with ms, s, m, h, d or w", next='"30m"')
    return float(match[1]) * _UNITS[match[2]]


@lru_cache(maxsize=64)
def stamp(at: datetime, precision: str = "milliseconds") -> str:
    """An aware instant as the archive writes it: UTC, ISO 8601, `Z`; milliseconds, or seconds for publishers' dates."""
    return at.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def instant(text: str) -> datetime:
    """The aware UTC instant of `stamp`'s text."""
    return datetime.fromisoformat(text).astimezone(UTC)


def next_recheck(first_seen: datetime, now: datetime, ages: Sequence[float]) -> datetime | None:
    """When a story first seen then is to be asked again: the first age (seconds) that lies ahead; None after the last.

    An age that is reached in no time (a thousandth of it) is reached.
    """
    ahead = (
        first_seen + timedelta(seconds=age) for age in sorted(ages) if (now - first_seen).total_seconds() < 0.999 * age
    )
    return next(ahead, None)


FIRST_PAUSE, LEAST_PAUSE, MOST_PAUSE = 1800.0, 600.0, 21600.0
"""Seconds between two visits of a front or feed whose site does not say `every`: at first, at least, at most."""


def next_pause(pause: float | None, since: float | None, changed: bool | None) -> float:
    """Seconds until a front or feed is asked again: half as long as last time if it brought news, longer if it did not.

    `pause`: what was said last time, None if never; `since`: seconds since it was asked, None if never. `changed`: None
    if that cannot be told. An answer without news says only that nothing came in the time since, so that a front that is
    asked twice in a row is not thought to be quiet.
    """
    if pause is None or changed is None:
        return pause or FIRST_PAUSE
    if changed:
        return max(LEAST_PAUSE, pause / 2)
    return min(MOST_PAUSE, max(pause, 1.5 * min(since or 0.0, pause)))


def backoff(failures: int, rng: random.Random, *, first: float = 60.0, most: float = 86400.0) -> float:
    """Seconds until an address that failed so many times in a row is tried again: doubled each time, with full jitter
    in the upper half so that many addresses do not come back together."""
    ceiling = min(most, first * 2 ** min(max(failures - 1, 0), 30))
    return float(ceiling * (1 + rng.random()) / 2)


REFUSALS = 5
"""Refusals in a row, no good answer between, after which a host is left alone. In one run no address is asked twice in a row, so
that these are five addresses, or one front in five runs."""


def pause(refusals: int, *, first: float = 7200.0, most: float = 86400.0) -> float | None:
    """Seconds for which a host is left alone that refused so many times in a row: none before REFUSALS, then doubled each
    time one more probe is refused. No jitter: the same is found again by a rebuild."""
    return min(most, first * 2.0 ** min(refusals - REFUSALS, 30)) if refusals >= REFUSALS else None
