"""Kinds of change, one table a kind with its near misses; pure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.revisions import KINDS, Shown, kinds

DAY = datetime(2026, 3, 10, tzinfo=UTC)
MODIFIED = DAY + timedelta(hours=8)
SAID = "Most owners go on until their savings are used up and lose a second time when they break the lease."
BODY = f"In 2024, 47 percent of 9,200 cafés closed.\nSong says: “{SAID}”\nThe city plans to help with leases."
OLD = Shown("Half of cafés close", "A survey of licenses", BODY, (SAID,), MODIFIED, False, DAY + timedelta(hours=9))
NEW = replace(OLD, modified=MODIFIED + timedelta(hours=2), seen=DAY + timedelta(hours=12))


def newer(**changes: Any) -> Shown:
    return replace(NEW, **changes)


def swapped(old: str, new: str, **changes: Any) -> Shown:
    assert old in BODY
    return newer(body=BODY.replace(old, new), **changes)


NOISE = {
    "nothing": newer(),
    "spaces": newer(title="  Half of\u00a0cafés  close", body=BODY.replace(" ", "\u2003 ")),
    "paragraphs": newer(body=BODY.replace("\n", " ")),
    "quote marks": newer(body=BODY.replace("“", '"').replace("”", '"'), quotes=(f'"{SAID}"',)),
    "case and dashes": newer(title="HALF OF CAFÉS CLOSE"),
    "invisible": newer(title="Half of ca\u00adfés\u200b close"),
    "composition": newer(title="Half of cafe\u0301s close"),
    "reader": newer(quotes=()),
    "date": newer(modified=None),
}
CHANGES = {
    # headline, teaser, text
    "headline": (newer(title="A third of cafés close"), ["headline"]),
    "headline's figure": (newer(title="34% of cafés close"), ["headline", "figures"]),
    "teaser": (newer(teaser="A survey of many licenses"), ["teaser"]),
    "no teaser": (newer(teaser=""), ["teaser"]),
    "text": (swapped("plans to help", "wants to help"), ["text"]),
    "sign": (swapped("with leases.", "with leases!"), ["text"]),
    "all": (newer(title="T", teaser="T", body="B", quotes=()), ["headline", "teaser", "text", "figures", "quote_removed"]),
    # figures
    "figure": (swapped("47 percent", "34 percent"), ["text", "figures"]),
    "new figure": (swapped("with leases", "with 600 leases"), ["text", "figures"]),
    "figure gone": (swapped(" of 9,200 cafés", " of all cafés"), ["text", "figures"]),
    "separator": (swapped("9,200", "9200"), ["text"]),
    "unit": (swapped("47 percent", "47%"), ["text"]),
    "no percentage any more": (swapped("47 percent", "47"), ["text", "figures"]),
    "in words": (swapped("The city", "The two cities"), ["text"]),
    "figure again": (swapped("plans to help", "plans to help 9,200"), ["text"]),
    # quotes
    "quote added": (
        swapped("The city", "“People laugh at first,” she said. The city", quotes=(SAID, "People laugh at first")),
        ["text", "quote_added"],
    ),
    "quote removed": (swapped(f"Song says: “{SAID}”\n", "", quotes=()), ["text", "quote_removed"]),
    "quote replaced": (
        swapped(SAID, "I have nothing to add to that.", quotes=("I have nothing to add to that.",)),
        ["text", "quote_added", "quote_removed"],
    ),
    "quote moved": (newer(body="\n".join(reversed(BODY.split("\n")))), ["text"]),
    "quote reworded": (
        swapped("go on until their savings are", "continue until their savings have been",
                quotes=(SAID.replace("go on until their savings are", "continue until their savings have been"),)),
        ["text"],
    ),
    "quote longer": (
        swapped("lease.”", "lease, she said, twice.”", quotes=(SAID[:-1] + ", she said, twice.",)),
        ["text"],
    ),
    "quote not found by the reader": (swapped("plans to help", "wants to help", quotes=()), ["text"]),
    "quote found by the reader": (
        swapped("plans to help", "wants to help", quotes=(SAID, "plans to help with leases")), ["text"],
    ),
    # correction
    "correction": (newer(body=BODY + "\nCorrection: The place is Mapo."), ["text", "correction"]),
    "correction with figures": (
        swapped("47 percent of 9,200", "34 percent of 9,200", teaser="An earlier version of this article said 47 percent."),
        ["teaser", "text", "figures", "correction"],
    ),
    "correction in the teaser": (newer(teaser="Clarification: A survey of licenses"), ["teaser", "correction"]),
    "정정": (newer(body=BODY + "\n[정정] 마포가 맞습니다."), ["text", "correction"]),
    "word correction": (newer(body=BODY + "\nThe correction of rents goes on."), ["text"]),
}  # fmt: skip


@pytest.mark.parametrize("name", NOISE)
def test_noise_is_no_change(name: str) -> None:
    assert kinds(OLD, NOISE[name]) == []


@pytest.mark.parametrize("name", CHANGES)
def test_kinds_of_change(name: str) -> None:
    shown, expected = CHANGES[name]
    assert kinds(OLD, shown) == expected


NOTE = "Correction: The place is Mapo."


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("", NOTE, True),
        (NOTE, f"{NOTE} The year is 2024.", True),
        (NOTE, f"{NOTE}\nCorrection: The year is 2024.", True),
        (NOTE, "Correction: The place is Mokpo.", False),
        (NOTE, "", False),
        (f"{NOTE} The year is 2024.", NOTE, False),
    ],
)
def test_a_note_that_came_or_grew_is_a_correction(before: str, after: str, found: bool) -> None:
    older, after_it = replace(OLD, body=f"{BODY}\n{before}"), newer(body=f"{BODY} More.\n{after}")
    assert ("correction" in kinds(older, after_it)) is found


@pytest.mark.parametrize(
    ("older", "newer_one", "silent"),
    [
        # the page's date: before, after; whether the day alone is given
        (MODIFIED, MODIFIED, True),
        (MODIFIED, MODIFIED - timedelta(hours=1), True),
        (MODIFIED, MODIFIED + timedelta(minutes=1), False),
        (MODIFIED, None, True),
        (None, None, False),
        (None, MODIFIED, False),
        (DAY, "day", False),  # the older text was seen on that very day: an edit of that day could not move the date
        (DAY - timedelta(days=1), "the day before", True),
    ],
)
def test_silent(older: datetime | None, newer_one: datetime | str | None, silent: bool) -> None:
    by_day = isinstance(newer_one, str)
    modified = older if isinstance(newer_one, str) else newer_one
    before = replace(OLD, modified=older, by_day=by_day)
    after = swapped("plans", "wants", modified=modified, by_day=by_day)
    assert ("silent" in kinds(before, after)) is silent
    assert "silent" not in kinds(before, newer(title="Other", modified=modified, by_day=by_day))


def test_dates_at_the_ends_of_time_do_not_harm() -> None:
    for modified in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
        for by_day in (True, False):
            before = replace(OLD, modified=modified, by_day=by_day)
            assert "text" in kinds(before, swapped("plans", "wants", modified=modified, by_day=by_day))


SHOWN = st.builds(
    Shown,
    st.text(max_size=20),
    st.text(max_size=20),
    st.lists(st.sampled_from(["He said 5% of it.", "Correction: 1,200.", "“Yes”", "港は閉", "\n"])).map(" ".join),
    st.lists(st.sampled_from(["Yes", "5% of it", "港は閉", "", "No way, he said"])).map(tuple),
    st.none() | st.datetimes(timezones=st.just(UTC)),
    st.booleans(),
    st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1)),
)


@given(SHOWN)
def test_equal_texts_have_no_kind(shown: Shown) -> None:
    assert kinds(shown, shown) == []


@given(SHOWN, SHOWN)
def test_kinds_are_in_order_and_once(older: Shown, after: Shown) -> None:
    found = kinds(older, after)
    assert found == [kind for kind in KINDS if kind in found]
    assert not {"reverted", "withdrawn"} & set(found)
    if {"quote_added", "quote_removed", "silent"} & set(found):
        assert "text" in found
