"""The numbers of a text: values, whatever their notation."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.figures import figures

SAME = [
    ["1200", "1,200", "1 200", "1\u00a0200", "1\u202f200", "1'200", "1’200", "1.200", "１，２００", "1.2 thousand"],
    ["1200000", "1,200,000", "1.2 million", "1,2 Millionen", "1.2-million", "120만", "$1.2mn", "12,00,000"],
    ["3%", "3 %", "3 percent", "3 per cent", "3 Prozent", "3퍼센트", "3 por ciento", "3.0%"],
    ["1.5", "1,5", "1.50"],
    ["1200.5", "1,200.50", "1.200,5", "1 200,5"],
    ["2 billion", "2bn", "2 milliards", "20億", "20억", "2,000,000,000"],
    ["-5 degrees", "−5 degrees", "(-5)"],
]
OTHER = [
    ("12 dead", "14 dead"),
    ("3 people", "3%"),
    ("5 degrees", "-5 degrees"),
    ("1.2 million", "1.2 billion"),
    ("1,200", "12,00"),
    ("10:15", "10:45"),
    ("10.03.2026", "11.03.2026"),
    ("in 2024", "in 2025"),
    ("50명", "51명"),
    ("$5", "$6"),
    ("3 million", "3"),
]
NONE = ["", "twelve", "Covid-19", "F-16", "the G7", "Q3", "won it"]


@pytest.mark.parametrize("texts", SAME, ids=lambda texts: texts[0])
def test_notation_does_not_count(texts: list[str]) -> None:
    for text in texts:
        assert figures(f"about {text} of them") == figures(texts[0]), text
        assert len(figures(text)) == 1


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_values_do(one: str, other: str) -> None:
    assert figures(one) != figures(other)


@pytest.mark.parametrize("text", NONE)
def test_numbers_that_are_names_or_words_are_none(text: str) -> None:
    assert figures(text) == set()


def test_several_in_a_text() -> None:
    text = "In 2024, 47 percent of 9,200 cafés closed.\n300 of them sold bread; 47 % again."
    assert figures(text) == {(Decimal(2024), False), (Decimal(47), True), (Decimal(9200), False), (Decimal(300), False)}


def test_absurd_runs_of_digits_are_kept_as_written() -> None:
    assert figures("9" * 100_000) == {("9" * 100_000, False)}
    assert len(figures("1." * 50_000)) == 1


@given(st.text(st.sampled_from("0123456789.,' %-만億 million\n"), max_size=60) | st.text(max_size=60))
def test_no_text_raises(text: str) -> None:
    assert all(isinstance(value, Decimal | str) for value, _ in figures(text))


@given(st.integers(1, 10**12))
def test_thousands_separators_do_not_count(number: int) -> None:
    assert figures(f"{number:,}") == figures(str(number)) == figures(f"{number:,}".replace(",", "\u202f"))
