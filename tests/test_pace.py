"""Pauses and holds, on a clock that only moves when somebody waits."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from parsers.errors import HostHeld
from scraper.fetch.pace import MAX_EASE, Pace
from scraper.fetch.policy import MAX_HOLD, MAX_WAIT, Backoff, retry_after

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
URL = "https://hanbit-daily.example/a"


class Time:
    """A clock and its waiting."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waits.append(round(seconds, 6))
        self.now += seconds
        await asyncio.sleep(0)


def paced(time: Time, delay: float) -> Pace:
    return Pace("hanbit-daily.example", delay, clock=time, sleep=time.sleep)


def test_the_first_request_waits_for_nothing() -> None:
    time = Time()

    async def run() -> None:
        async with paced(time, 2.0).slot(URL):
            pass

    asyncio.run(run())
    assert time.waits == []


def test_the_pause_counts_from_the_end_of_a_request() -> None:
    time = Time()

    async def run() -> None:
        pace = paced(time, 2.0)
        for seconds in (1.9, 1.0, 0.0):
            async with pace.slot(URL):
                time.now += seconds
        time.now += 0.5
        async with pace.slot(URL):
            pass

    asyncio.run(run())
    assert time.waits == [2.0, 2.0, 1.5]


def test_a_failed_request_counts_too() -> None:
    time = Time()

    async def run() -> None:
        pace = paced(time, 2.0)
        with pytest.raises(RuntimeError):
            async with pace.slot(URL):
                raise RuntimeError
        async with pace.slot(URL):
            pass

    asyncio.run(run())
    assert time.waits == [2.0]


def test_a_delay_learnt_later_counts_at_once() -> None:
    """robots.txt was the first request: its Crawl-delay holds for the second."""
    time = Time()

    async def run() -> None:
        pace = paced(time, 1.0)
        async with pace.slot(URL):
            pass
        pace.delay = 7.0
        async with pace.slot(URL):
            pass

    asyncio.run(run())
    assert time.waits == [7.0]


def test_requests_never_overlap() -> None:
    time = Time()
    spans: list[tuple[float, float]] = []

    async def one(pace: Pace) -> None:
        async with pace.slot(URL):
            begin = time.now
            await time.sleep(1.5)
            spans.append((begin, time.now))

    async def run() -> None:
        pace = paced(time, 2.0)
        await asyncio.gather(*(one(pace) for _ in range(5)))

    asyncio.run(run())
    assert [begin for begin, _ in spans] == [1000.0, 1003.5, 1007.0, 1010.5, 1014.0]


@pytest.mark.parametrize(
    ("delay", "answers", "pauses"),
    [
        (2.0, (0.5, 1.0, 1.9), [2.0, 2.0, 2.0]),  # a host that answers within the delay is asked as before
        (2.0, (6.0, 6.0, 6.0), [6.0, 6.0, 6.0]),
        (2.0, (6.0, 2.0, 2.0), [6.0, 5.0, 4.25]),  # one slow answer is forgotten by and by
        (2.0, (1.0, 5.0, 5.0), [2.0, 2.0, 2.75]),  # and is none yet
        (0.0, (0.1, 0.1, 0.1), [0.1, 0.1, 0.1]),
        (0.0, (0.01, 0.02, 0.04), []),
        (0.0, (200.0, 0.0, 0.0), [MAX_EASE] * 3),
        (60.0, (50.0, 50.0, 50.0), [60.0, 60.0, 60.0]),
    ],
)
def test_a_slow_host_is_asked_more_slowly(delay: float, answers: tuple[float, ...], pauses: list[float]) -> None:
    time = Time()

    async def run() -> None:
        pace = paced(time, delay)
        for seconds in (*answers, 0.0):
            async with pace.slot(URL):
                time.now += seconds

    asyncio.run(run())
    assert time.waits == pauses


def test_a_short_hold_is_waited_for_and_a_long_one_is_not() -> None:
    time = Time()

    async def run() -> None:
        pace = paced(time, 1.0)
        pace.hold(12.0, "status 429")
        async with pace.slot(URL):
            pass
        assert time.waits == [12.0]
        pace.hold(600.0, "status 429")
        pace.hold(5.0, "status 503")
        with pytest.raises(HostHeld, match="left alone for 600 s") as held:
            async with pace.slot(URL):
                pass
        assert held.value.seconds == pytest.approx(600.0)
        assert "429" in held.value.cause
        time.now += 600.0
        async with pace.slot(URL):
            pass

    asyncio.run(run())
    assert time.waits == [12.0]


def test_a_hold_that_begins_meanwhile_reaches_those_who_wait() -> None:
    time = Time()

    async def run() -> None:
        pace = paced(time, 1.0)

        async def first() -> None:
            async with pace.slot(URL):
                await asyncio.sleep(0)
                pace.hold(3600.0, "status 429")

        async def second() -> None:
            async with pace.slot(URL):
                raise AssertionError("the host is held")

        results = await asyncio.gather(first(), second(), return_exceptions=True)
        assert isinstance(results[1], HostHeld)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Tue, 24 Nov 2026 06:00:30 GMT", 30.0),
        ("Tuesday, 24-Nov-26 06:00:30 GMT", 30.0),
        ("Tue, 24 Nov 2026 06:00:30 -0000", 30.0),
        ("Tue, 24 Nov 2026 05:00:00 GMT", 0.0),
        ("Tue, 24 Nov 2099 05:00:00 GMT", MAX_HOLD),
        ("99999999999999999", MAX_HOLD),
        ("9" * 500, None),
        ("-5", None),
        ("1.5", None),
        ("١٢", None),
        ("soon", None),
        ("Tue, 99 Nov 2026 06:00:30 GMT", None),
        ("\x1b[31m", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


def test_retry_after_of_another_zone() -> None:
    assert retry_after("Tue, 24 Nov 2026 15:00:10 +0900", NOW) == 10.0
    assert retry_after("Tue, 24 Nov 2026 06:00:10 GMT", NOW + timedelta(hours=1)) == 0.0


def test_backoff_doubles_up_to_its_most() -> None:
    calm = Backoff(first=0.5, most=8.0, jitter=0.0)
    assert [calm.seconds(tries) for tries in (1, 2, 3, 4, 5, 6, 500)] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


def test_backoff_is_never_below_half_a_second_and_never_the_same() -> None:
    seen = {Backoff().seconds(1) for _ in range(50)}
    assert min(seen) >= 0.5
    assert max(seen) <= 1.0
    assert len(seen) > 40
    assert max(Backoff().seconds(tries) for tries in range(1, 50)) < MAX_WAIT
