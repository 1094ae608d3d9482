"""Durations, instants, rechecks and backoff: plain arithmetic."""

import random
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.errors import SettingsError
from storage.timing import LEAST_PAUSE, MOST_PAUSE, backoff, instant, next_pause, next_recheck, parse_duration, stamp

NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
INSTANTS = st.datetimes(
    min_value=datetime(1900, 1, 1),
    max_value=datetime(2200, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=9))]),
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("0s", 0.0),
        ("2s", 2.0),
        ("1.5s", 1.5),
        ("30m", 1800.0),
        ("30min", 1800.0),
        ("1h", 3600.0),
        ("7d", 604_800.0),
        ("1w", 604_800.0),
        (" 10 s ", 10.0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "10", "-1s", "1y", "1 h 30 m", "1e3s", "ten seconds", "1s!", "1,5s", "1S"])
def test_what_is_no_duration_is_named(text: str) -> None:
    with pytest.raises(SettingsError, match="is not a duration") as caught:
        parse_duration(text)
    assert repr(text) in str(caught.value)
    assert caught.value.exit_code == 2


def test_stamps_are_utc_with_z() -> None:
    seoul = timezone(timedelta(hours=9))
    assert stamp(datetime(2026, 3, 1, 14, 0, 5, 123_456, seoul)) == "2026-03-01T05:00:05.123Z"
    assert stamp(datetime(2026, 3, 1, 14, 0, 5, 123_456, seoul), "seconds") == "2026-03-01T05:00:05Z"
    assert instant("2026-03-01T05:00:05Z") == datetime(2026, 3, 1, 5, 0, 5, tzinfo=UTC)


@given(INSTANTS)
def test_a_stamp_leads_back_to_its_instant(at: datetime) -> None:
    back = instant(stamp(at))
    assert back.tzinfo is UTC
    assert timedelta(0) <= at - back < timedelta(milliseconds=1)


@given(INSTANTS, INSTANTS)
def test_stamps_sort_as_instants_do(one: datetime, other: datetime) -> None:
    if one <= other:
        assert stamp(one) <= stamp(other)
    else:
        assert stamp(one) >= stamp(other)


AGES = (3600.0, 21_600.0, 86_400.0)


@pytest.mark.parametrize(
    ("hours", "expected"), [(0, 1), (0.5, 1), (1, 6), (2, 6), (6, 24), (23.9, 24), (24, None), (1000, None)]
)
def test_rechecks_come_at_ages(hours: float, expected: float | None) -> None:
    found = next_recheck(NOW, NOW + timedelta(hours=hours), AGES)
    assert found == (None if expected is None else NOW + timedelta(hours=expected))


def test_an_age_that_is_all_but_reached_is_reached() -> None:
    assert next_recheck(NOW, NOW + timedelta(hours=1, seconds=-1), AGES) == NOW + timedelta(hours=6)


def test_ages_may_stand_in_any_order_or_be_none() -> None:
    assert next_recheck(NOW, NOW, AGES[::-1]) == NOW + timedelta(hours=1)
    assert next_recheck(NOW, NOW, ()) is None


def pauses(*news: bool | None, pause: float | None = None, asked: float | None = None) -> list[float]:
    """What `next_pause` says answer after answer; each question comes when it was said, or after `asked` seconds."""
    found = []
    for one in news:
        pause = next_pause(pause, asked or pause, one)
        found.append(pause)
    return found


def test_a_front_is_asked_sooner_after_news_and_later_without() -> None:
    assert pauses(True, True, True, True) == [1800, 900, 600, 600]
    assert pauses(True, False, False, True, None) == [1800, 2700, 4050, 2025, 2025]
    assert pauses(*[False] * 20)[-1] == MOST_PAUSE


def test_a_front_that_is_asked_early_is_not_thought_to_be_quiet() -> None:
    assert pauses(False, False, False, pause=1800.0, asked=60.0) == [1800, 1800, 1800]
    assert pauses(False, pause=1800.0, asked=1500.0) == [2250]
    assert pauses(False, pause=1800.0, asked=90_000.0) == [2700]


@given(st.lists(st.sampled_from([True, False, None])), st.floats(min_value=0, max_value=1e7))
def test_pauses_stay_within_their_bounds(news: list[bool | None], asked: float) -> None:
    assert all(LEAST_PAUSE <= pause <= MOST_PAUSE for pause in pauses(*news, asked=asked))


@pytest.mark.parametrize("every", [900, 3600, 14_400])
def test_a_front_that_changes_regularly_is_asked_about_as_often(every: int) -> None:
    """Over a week of a clock: between half as often and three times as often as something new comes."""
    now, pause, seen, asked = 0.0, None, 0, 0
    while now < 7 * 86_400:
        news = now // every > seen
        seen, asked = int(now // every), asked + 1
        pause = next_pause(pause, pause, news)
        now += pause
    assert 0.5 < asked / (7 * 86_400 / every) < 3


@given(st.integers(min_value=0, max_value=10_000), st.randoms(use_true_random=False))
def test_backoff_doubles_with_jitter_up_to_a_day(failures: int, rng: random.Random) -> None:
    ceiling = min(86_400.0, 60.0 * 2.0 ** min(max(failures - 1, 0), 30))
    assert ceiling / 2 <= backoff(failures, rng) <= ceiling


def test_backoff_takes_other_bounds_and_is_repeatable() -> None:
    assert 0.5 <= backoff(1, random.Random(1), first=1.0, most=4.0) <= 1.0
    assert 2.0 <= backoff(50, random.Random(1), first=1.0, most=4.0) <= 4.0
    assert backoff(3, random.Random(7)) == backoff(3, random.Random(7))
    assert len({backoff(3, random.Random(seed)) for seed in range(20)}) == 20
