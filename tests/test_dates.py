"""A date as a site writes it: the instant, where its zone came from, how precise it is."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers import dates
from parsers.article import When

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
    ("2026-03-09T19:05:07-05:00", "2026-03-10 00:05:07", "second"),
    ("2026-03-09T19:05:07\u221205:00", "2026-03-10 00:05:07", "second"),
    ("2026-03-09T18:35:07 -05:30", "2026-03-10 00:05:07", "second"),
    ("2026-03-10T00:05:07-00:00", "2026-03-10 00:05:07", "second"),
    ("2026-03-10T09:05:07+09:00[Asia/Seoul]", "2026-03-10 00:05:07", "second"),
    ("2026-03-10 09:05 GMT+9", "2026-03-10 00:05", "minute"),
    ("2026-03-10 09:05 (UTC+09:00)", "2026-03-10 00:05", "minute"),
    ("2026-03-10 09:05 (KST)", "2026-03-10 00:05", "minute"),
    ("Tue Mar 10 2026 09:05:07 GMT+0900 (Korean Standard Time)", "2026-03-10 00:05:07", "second"),
    ("Tue Mar 10 09:05:07 KST 2026", "2026-03-10 00:05:07", "second"),
    ("Tue, 10 Mar 2026 09:05:07 +09:00", "2026-03-10 00:05:07", "second"),
    ("Tue, 10 Mar 26 09:05:07 +0900", "2026-03-10 00:05:07", "second"),
    ("10/Mar/2026:09:05:07 +0900", "2026-03-10 00:05:07", "second"),
    ("1773101107.123", "2026-03-10 00:05:07", "second"),
    ("2026-03-10T24:00:00+09:00", "2026-03-10 15:00", "second"),
    ("Mon, 09 Mar 2026 24:00:00 GMT", "2026-03-10 00:00", "second"),
    ("2026-03-10T23:59:60Z", "2026-03-10 23:59:59", "second"),
    ("March 9, 2026 8:05 PM ET", "2026-03-10 00:05", "minute"),
    ("July 9, 2026 5:05 PM PT", "2026-07-10 00:05", "minute"),
    ("8:05 PM EDT, March 9, 2026", "2026-03-10 00:05", "minute"),
    ("03/09/2026 8:05 PM EDT", "2026-03-10 00:05", "minute"),
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
    ("20260310090507", "2026-03-10 00:05:07", "second"),
    ("202603100905", "2026-03-10 00:05", "minute"),
    ("２０２６年３月１０日 １４：０５", "2026-03-10 05:05", "minute"),
    ("2026年3月10日14時05分", "2026-03-10 05:05", "minute"),
    ("2026年3月10日 下午2:05", "2026-03-10 05:05", "minute"),
    ("2026-03-10 오후 2:05:33", "2026-03-10 05:05:33", "second"),
    ("2026.03.10. 오후 12:05", "2026-03-10 03:05", "minute"),
    ("2026-03-10 오전 12:05", "2026-03-09 15:05", "minute"),
    ("2026년 3월 10일(화) 오후 2시 5분", "2026-03-10 05:05", "minute"),
    ("2026년 3월 10일 오후 2시", "2026-03-10 05:00", "minute"),
    ("2026-03-10 오후 14:05", "2026-03-10 05:05", "minute"),
    ("2026-03-10 PM 2:05", "2026-03-10 05:05", "minute"),
    ("PM 2:05, March 10, 2026", "2026-03-10 05:05", "minute"),
    ("14:05, 10.03.2026", "2026-03-10 05:05", "minute"),
    ("2026-03-10T2:05:07 PM", "2026-03-10 05:05:07", "second"),
    ("2026-03-10 00:05 PM", "2026-03-10 03:05", "minute"),
    ("2026-03-10 13:05 AM", "2026-03-10 04:05", "minute"),
    ("2026-03-10 24:00", "2026-03-10 15:00", "minute"),
    ("2026-03-10 25:00", "2026-03-09 15:00", "day"),
    ("2026-03-10T09:05:07+15:00", "2026-03-10 00:05:07", "second"),
    ("Tue Mar 10 09:05:07 2026", "2026-03-10 00:05:07", "second"),
    ("10-Mar-2026", "2026-03-09 15:00", "day"),
    ("10 mars 2026 à 14h05, il est tard", "2026-03-10 05:05", "minute"),
    ("10 mars 2026 à 14h05. Cet article", "2026-03-10 05:05", "minute"),
    ("5.30 million, 10 March 2026", "2026-03-09 15:00", "day"),
    ("13/04/2026", "2026-04-12 15:00", "day"),
    ("04/13/2026", "2026-04-12 15:00", "day"),
    ("2569-03-10", "2569-03-09 15:00", "day"),
]
HALVES = [("12:05 AM", 0), ("1:05 AM", 1), ("11:05 AM", 11), ("12:05 PM", 12), ("1:05 PM", 13), ("11:05 PM", 23)]
AMBIGUOUS = [
    ("03/04/2026", "America/New_York", "2026-03-04 05:00"),
    ("03-04-2026", "US/Pacific", "2026-03-04 08:00"),
    ("03.04.2026", "America/New_York", "2026-04-03 04:00"),
    ("03/04/2026", "America/Sao_Paulo", "2026-04-03 03:00"),
    ("03/04/2026", "Europe/London", "2026-04-02 23:00"),
    ("03/04/2026", None, "2026-04-03"),
    ("2026/03/04", "America/New_York", "2026-03-04 05:00"),
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
    "10.03.26 14:05",
    "26.03.10",
    "03/10/26",
    "Mar 10, 26",
    "12460310",
    "photo 11111111",
    "120260310",
    "1773101107000000",
    "2026-02-29",
    "2026-02-30T10:00:00Z",
    "0000-00-00 00:00:00",
    "9999-12-31T24:00:00Z",
    "9999-12-31T23:59:59-14:00",
    "Tue, 00 Mar 2026 09:05:07 +0900",
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


@pytest.mark.parametrize(
    "form", ["March 10, 2026 {}", "2026-03-10 {}", "2026-03-10T{}", "{}, March 10, 2026", "10 March 2026, {}"]
)
@pytest.mark.parametrize(("half", "hour"), HALVES)
def test_no_slip_between_clocks_of_12_and_24_hours(form: str, half: str, hour: int) -> None:
    assert dates.read(form.format(half)).utc == datetime(2026, 3, 10, hour, 5, tzinfo=UTC)


@pytest.mark.parametrize(("raw", "zone", "utc"), AMBIGUOUS)
def test_the_month_is_first_only_for_american_sites(raw: str, zone: str | None, utc: str) -> None:
    assert dates.read(raw, zone).utc == at(utc)


CAPTURED = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("utc", "zone_source", "precision", "flag"),
    [
        ("2026-03-10 12:59:59", "offset", "second", None),
        ("2026-03-10 13:00:01", "offset", "second", "future"),
        ("2026-03-10 13:01", "site", "minute", "future"),
        ("2026-03-11 01:59", "assumed", "minute", None),
        ("2026-03-11 02:01", "assumed", "minute", "future"),
        ("2026-03-11", "offset", "day", None),
        ("2026-03-11 12:00", "site", "day", None),
        ("2026-03-11 15:00", "site", "day", "future"),
        ("2026-03-12", "assumed", "day", "future"),
        ("2569-03-10", "site", "day", "future"),
        ("9999-12-31 23:59:59", "offset", "second", "future"),
        ("2005-01-01", "offset", "second", None),
        ("1990-01-01", "assumed", "day", None),
        ("1989-12-31 15:00", "site", "day", None),
        ("1989-12-31 09:59", "offset", "minute", "before_1990"),
        ("1970-01-01", "offset", "second", "before_1990"),
        ("1246-03-10", "assumed", "day", "before_1990"),
        ("0001-01-01", "assumed", "second", "before_1990"),
    ],
)
def test_dates_that_cannot_be_right(utc: str, zone_source: Any, precision: Any, flag: str | None) -> None:
    when = When("as printed", at(utc), zone_source, precision)
    assert dates.flag(when, CAPTURED) == flag
    assert dates.flag(when, None) == (None if flag == "future" else flag)


def test_what_is_no_date_has_no_flag() -> None:
    assert dates.flag(None, CAPTURED) is None
    assert dates.flag(dates.read("yesterday"), CAPTURED) is None


@given(
    st.text(max_size=40)
    | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:00)?", fullmatch=True)
)
def test_every_date_can_be_judged(raw: str) -> None:
    assert dates.flag(dates.read(raw, "Asia/Seoul"), CAPTURED) in (None, "future", "before_1990")


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
