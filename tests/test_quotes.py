"""Who says what, as what, for whom: constructions one by one, and what must hold for any text."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers.article import Block
from parsers.quotes.extract import extract
from parsers.quotes.sentences import paragraphs, quotations, sentences

FIXTURES = sorted((Path(__file__).resolve().parent.parent / "fixtures" / "quotes").glob("*.json"))
STRANGE = st.text(
    alphabet=st.sampled_from(
        "“”\"‘’'«»„「」 .,:;—-()\nABCdef said Dr. Kim told that He she according to according 9é한"
    ),
    max_size=300,
)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_statements(path: Path) -> None:
    case = json.loads(path.read_text("utf-8"))
    quotes, _ = extract(case["text"])
    found = [(quote.speaker, quote.kind) for quote in quotes]
    assert found == [(wanted["speaker"], wanted["kind"]) for wanted in case["quotes"]]
    for quote, wanted in zip(quotes, case["quotes"], strict=True):
        assert wanted["holds"] in quote.text


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_people(path: Path) -> None:
    case = json.loads(path.read_text("utf-8"))
    quotes, people = extract(case["text"])
    found = [(one.name, one.honorific, one.role, one.affiliation, one.type) for one in people]
    assert found == [
        tuple(one[key] for key in ("name", "honorific", "role", "affiliation", "type")) for one in case["people"]
    ]
    for one in people:
        assert one.quotes == sum((quote.speaker, quote.speaker_type) == (one.name, one.type) for quote in quotes)


def holds(text: str) -> None:
    quotes, people = extract(text)
    names = {(one.name, one.type) for one in people}
    for quote in quotes:
        assert quote.spans
        assert all(0 <= start < end <= len(text) for start, end in quote.spans)
        assert quote.text == " ".join(text[start:end] for start, end in quote.spans)
        assert (quote.speaker, quote.speaker_type) in names
        assert 0 <= quote.confidence <= 1
        if quote.speaker_span is not None:
            assert 0 <= quote.speaker_span[0] < quote.speaker_span[1] <= len(text)


@given(st.text(max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_text(text: str) -> None:
    holds(text)


@given(STRANGE)
@settings(max_examples=300, deadline=None)
def test_any_mixture_of_marks_and_cues(text: str) -> None:
    holds(text)


@pytest.mark.parametrize(
    "text",
    [
        "“" * 100_000,
        '"' * 100_001,
        "Kim said " * 20_000,
        "Kim Min-ji " * 20_000,
        "word " * 40_000 + "she said.",
        "“Yes,” said Kim Min-ji, " * 8_000,
        ", a professor of " * 12_000,
        "Dr. " * 50_000,
    ],
    ids=lambda text: f"{text[:18]!r} x {len(text)}",
)
@pytest.mark.timeout(30)
def test_hostile_text_ends(text: str) -> None:
    holds(text)


def test_headings_announce_no_one() -> None:
    blocks = (Block("heading", "Kim Min-ji Says Prices Fall"), Block("p", "The market opened late."))
    assert extract("\n".join(block.text for block in blocks), blocks) == ((), ())


def test_institutions_named_after_saints_do_not_end_a_sentence() -> None:
    text = "Dr. Oh of Mapo St. Mary’s Clinic agreed. Mr. J. R. Hahn left at 5 p.m. on Friday."
    found = [text[one.start : one.end] for one in sentences(text, paragraphs(text))]
    assert found == ["Dr. Oh of Mapo St. Mary’s Clinic agreed.", "Mr. J. R. Hahn left at 5 p.m. on Friday."]


def test_a_quotation_left_open_goes_on_to_the_end_of_its_paragraph() -> None:
    text = "He said: “One.\n\n“Two,” he added."
    spans = quotations(text, paragraphs(text))
    assert [(text[a:b], is_open) for a, b, is_open in spans] == [("“One.", True), ("“Two,”", False)]
