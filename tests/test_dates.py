"""A date as a site writes it: the instant, where its zone came from, how precise it is."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers import dates

OFFSET = [
    ("2026-03-10T09:05:07+09:00", "2026-03-10 00:05:07", "second"),
    ("2026-03-10T09:05+0900", "2026-03-10 00:05", "minute"),
    ("2026-03-10T00:05:07.123Z", "2026-03-10 00:05:07", "second"),
    ("2026-03-10 00:05:07 UTC", "2026-03-10 00:05:07", "second"),
    ("20260310T000507Z", "2026-03-10 00:05:07", "second"),
    ("Tue, 10 Mar 2026 09:05:07 +0900", "2026-03-10 00:05:07", "second"),
    ("Tue, 10 Mar 2026 00:05:07 GMT", "2026-03-10 00:05:07", "second"),
    ("1773101107", "2026-03-10 00:05:07", "second"),
    ("1773101107000", "2026-03-10 00:05:07", "second"),
    ("March 10, 2026 9:05 AM KST", "2026-03-10 00:05", "minute"),
    ("10 March 2026, 01:05 CET", "2026-03-10 00:05", "minute"),
    ("March 9, 2026 at 8:05 p.m. EDT", "2026-03-10 00:05", "minute"),
    ("March 9, 2026 8:05 PM EDT", "2026-03-10 00:05", "minute"),
    ("Tue, 10 Mar 2026 09:05 +0900", "2026-03-10 00:05", "minute"),
    ("2026-03-10T09:05:07+09:00, in print at 3 pm", "2026-03-10 00:05:07", "second"),
]
SEOUL = [
    ("2026-03-10T09:05:07", "2026-03-10 00:05:07", "second"),
    ("2026-03-10 09:05", "2026-03-10 00:05", "minute"),
    ("2026.03.10 09:05", "2026-03-10 00:05", "minute"),
    ("2026. 3. 10.", "2026-03-09 15:00", "day"),
    ("2026-03-10", "2026-03-09 15:00", "day"),
    ("2026/03/10", "2026-03-09 15:00", "day"),
    ("10/03/2026", "2026-03-09 15:00", "day"),
    ("2026년 3월 10일 오후 2:05", "2026-03-10 05:05", "minute"),
    ("2026년 3월 10일 오전 12시 05분", "2026-03-09 15:05", "minute"),
    ("2026年3月10日 14:05", "2026-03-10 05:05", "minute"),
    ("March 10, 2026", "2026-03-09 15:00", "day"),
    ("Mar. 10, 2026 2:05 pm", "2026-03-10 05:05", "minute"),
    ("March 10, 2026 2:05 PM", "2026-03-10 05:05", "minute"),
    ("March 10, 2026, 2:05 p.m.", "2026-03-10 05:05", "minute"),
    ("Tuesday, March 10, 2026 12:05 a.m.", "2026-03-09 15:05", "minute"),
    ("Tuesday, March 10, 2026 12:05 PM", "2026-03-10 03:05", "minute"),
    ("10 March 2026, 2:05 pm", "2026-03-10 05:05", "minute"),
    ("2026-03-10 2:05 PM", "2026-03-10 05:05", "minute"),
    ("2026-03-10 12:05:07 am", "2026-03-09 15:05:07", "second"),
    ("10 March 2026", "2026-03-09 15:00", "day"),
    ("10th of March 2026", "2026-03-09 15:00", "day"),
    ("10. März 2026, 14:05 Uhr", "2026-03-10 05:05", "minute"),
    ("10 mars 2026 à 14h05", "2026-03-10 05:05", "minute"),
    ("10 de marzo de 2026", "2026-03-09 15:00", "day"),
    ("10 de março de 2026", "2026-03-09 15:00", "day"),
    ("10 marzo 2026", "2026-03-09 15:00", "day"),
    ("10 maart 2026", "2026-03-09 15:00", "day"),
    ("10 марта 2026", "2026-03-09 15:00", "day"),
    ("10 marca 2026", "2026-03-09 15:00", "day"),
    ("10 Mart 2026", "2026-03-09 15:00", "day"),
    ("10 березня 2026", "2026-03-09 15:00", "day"),
    ("10/31/2026", "2026-10-30 15:00", "day"),
    ("Published: 10.03.2026", "2026-03-09 15:00", "day"),
    ("Updated March 10, 2026 | By Someone", "2026-03-09 15:00", "day"),
]
UNREADABLE = [
    "",
    "yesterday",
    "2 hours ago",
    "March",
    "2026",
    "31/31/2026",
    "2026-13-45",
    "Room 10, 3rd floor",
    "+++",
    "99999999999999",
]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(("raw", "utc", "precision"), OFFSET)
@pytest.mark.parametrize("zone", [None, "Asia/Seoul", "America/New_York"])
def test_an_offset_in_the_text_beats_the_site(raw: str, utc: str, precision: str, zone: str | None) -> None:
    when = dates.read(raw, zone)
    assert (when.utc, when.zone_source, when.precision, when.raw) == (at(utc), "offset", precision, raw)


@pytest.mark.parametrize(("raw", "utc", "precision"), SEOUL)
def test_without_one_the_sites_zone_counts(raw: str, utc: str, precision: str) -> None:
    when = dates.read(raw, "Asia/Seoul")
    assert (when.utc, when.zone_source, when.precision) == (at(utc), "site", precision)


def test_without_either_utc_is_assumed_and_said() -> None:
    when = dates.read("2026-03-10 09:05")
    assert (when.utc, when.zone_source) == (at("2026-03-10 09:05"), "assumed")
    assert dates.read("2026-03-10", "No/Such_Zone").zone_source == "assumed"


def test_summer_time_is_that_of_the_day() -> None:
    assert dates.read("2026-07-01 12:00", "Europe/Berlin").utc == at("2026-07-01 10:00")
    assert dates.read("2026-01-01 12:00", "Europe/Berlin").utc == at("2026-01-01 11:00")


@pytest.mark.parametrize("raw", UNREADABLE)
def test_what_names_no_day_gives_none(raw: str) -> None:
    assert dates.read(raw, "Asia/Seoul").utc is None


@pytest.mark.parametrize("raw", ["Tue, 10 Mar 2026 09:05:07 +9900", "Tue, 10 Mar 2026 09:05:07 -2400"])
def test_an_offset_beyond_a_day_is_none(raw: str) -> None:
    assert (dates.read(raw).utc, dates.read(raw).zone_source) == (at("2026-03-10 09:05:07"), "assumed")


@given(st.text(" 0123456789TZ:+-./,apm오후MarchTueGMTKST年月日시분", max_size=40), st.text(max_size=10) | st.none())
def test_no_pieces_of_dates_and_no_zone_raise(raw: str, zone: str | None) -> None:
    for text in (raw, f"Tue, 10 Mar 2026 {raw}", f"2026-03-10 {raw}", f"0001-01-01 {raw}", f"9999-12-31 23:59 {raw}"):
        when = dates.read(text, zone)
        assert when.utc is None or when.utc.tzinfo is UTC


@given(st.text(max_size=80) | st.from_regex(r"\d{1,4}[-./ ]\d{1,2}[-./ ]\d{1,4}[T ]?\d{0,2}:?\d{0,2}", fullmatch=True))
def test_no_text_raises(raw: str) -> None:
    when = dates.read(raw, "Asia/Seoul")
    assert when.utc is None or when.utc.tzinfo is UTC
