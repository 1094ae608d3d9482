"""Which words differ: readable, exact, fast enough for anything a page may hold."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.text import normalised
from storage.differences import MAX_CELLS, counts, differences, tokens, words

MARKS = {"equal": "{}", "delete": "[-{}-]", "insert": "{{+{}+}}"}
TABLE = [
    # older, newer, marked, words added and removed
    ("", "", "", 0, 0),
    ("Same words.", "Same words.", "Same words.", 0, 0),
    ("", "All new", "{+All new+}", 2, 0),
    ("All gone", "", "[-All gone-]", 0, 2),
    ("in 2024, 47 percent had", "in 2024, 34 percent had", "in 2024, [-47 -]{+34 +}percent had", 1, 1),
    ("The cat sat.", "The old cat sat.", "The {+old +}cat sat.", 1, 0),
    # What `normalised` folds is no difference; the newer spelling stands.
    ("“It’s  late,” he said - twice", '"it\'s late," He said – twice', '"it\'s late," He said – twice', 0, 0),
    ("One.\nTwo.", "One. Two.", "One. Two.", 0, 0),
    ("cost 1,200 won", "cost 1,300 won", "cost [-1,200 -]{+1,300 +}won", 1, 1),
    # A change that may stand in several places stands at the end of a paragraph or a sentence.
    ("He said A. He said C.", "He said A. He said B. He said C.", "He said A. {+He said B. +}He said C.", 3, 0),
    ("He said A. He said B. He said C.", "He said A. He said C.", "He said A. [-He said B. -]He said C.", 0, 3),
    ("P one.\nP two.", "P one.\nP new.\nP two.", "P one.\n{+P new.\n+}P two.", 2, 0),
    ("P one.\nP two.", "P one.\nP two.\nP three.", "P one.\nP two.\n{+P three.+}", 2, 0),
    # Words that two texts share by chance do not tie them together.
    (
        "People laugh at first, she said to the men.",
        "Nobody who saw the film said a word at the end of it.",
        "[-People laugh at first, she said to the men-]{+Nobody who saw the film said a word at the end of it+}.",
        13,
        9,
    ),
    (
        "서울 항구가 닫혔다. 배 12척이",
        "서울 항구가 열렸다. 배 14척이",
        "서울 항구가 [-닫혔다-]{+열렸다+}. 배 [-12척이-]{+14척이+}",
        2,
        2,
    ),
    (
        "港は閉まった。船は十二隻。",
        "港は開いた。船は十四隻。",
        "港は[-閉まっ-]{+開い+}た。船は十[-二-]{+四+}隻。",
        3,
        4,
    ),
    ("ท่าเรือปิด", "ท่าเรือเปิด", "ท่าเรือ{+เ+}ปิด", 1, 0),
]
TEXT = st.text(st.sampled_from("ab c.A,\n\u00a0’“é港12-"), max_size=60) | st.lists(
    st.sampled_from(["the ", "cat ", "Cat ", "sat. ", "on\n", "“mat” ", "1,200 ", "港", ". "]), max_size=60
).map("".join)


def marked(older: str, newer: str) -> str:
    return "".join(MARKS[op.op].format(op.text) for op in differences(older, newer))


@pytest.mark.parametrize(
    ("older", "newer", "shown", "added", "removed"), TABLE, ids=[f"{n}" for n in range(len(TABLE))]
)
def test_what_differs(older: str, newer: str, shown: str, added: int, removed: int) -> None:
    assert marked(older, newer) == shown
    assert counts(differences(older, newer)) == (added, removed)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "It's 10:15, says U.S. Rep. Twenty-One.",
            ["It's ", "10:15", ", ", "says ", "U.S", ". ", "Rep", ". ", "Twenty-One", "."],
        ),
        ("  a\n\nb ", ["  ", "a\n\n", "b "]),
        ("서울 항구 港口a1", ["서울 ", "항구 ", "港", "口", "a1"]),
        ("", []),
    ],
)
def test_tokens(text: str, found: list[str]) -> None:
    assert tokens(text) == found


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("", 0),
        ("Two words", 2),
        ("Two - words!", 2),
        ("it's 1,200", 2),
        ("漢字で書く", 5),
        ("서울 항구", 2),
        ("Seoul 漢字", 3),
    ],
)
def test_words_are_counted(text: str, n: int) -> None:
    assert words(text) == n


@given(st.text(max_size=80) | TEXT)
def test_tokens_joined_are_the_text(text: str) -> None:
    assert "".join(tokens(text)) == text


@given(TEXT)
def test_a_text_does_not_differ_from_itself(text: str) -> None:
    assert [op.op for op in differences(text, text)] in ([], ["equal"])
    assert counts(differences(text, text)) == (0, 0)


@given(TEXT, TEXT)
def test_applied_to_the_older_text_they_give_the_newer_one(older: str, newer: str) -> None:
    ops = differences(older, newer)
    assert "".join(op.text for op in ops if op.op != "delete") == newer
    back = "".join(op.text for op in ops if op.op != "insert")
    assert re.sub(r"\s", "", normalised(back)) == re.sub(r"\s", "", normalised(older))
    assert all(op.text for op in ops)
    kinds = [op.op for op in ops]
    assert all(kind != following for kind, following in pairwise(kinds))
    assert "insert delete" not in " ".join(kinds)


@given(TEXT, TEXT)
def test_words_added_and_removed_are_those_of_the_two_texts(older: str, newer: str) -> None:
    ops = differences(older, newer)
    added, removed = counts(ops)
    assert added == sum(words(op.text) for op in ops if op.op == "insert")
    assert added <= words(newer)
    assert removed <= words(older)


@given(
    st.lists(st.sampled_from("abcdefgh"), max_size=30), st.integers(0, 30), st.lists(st.sampled_from("xyz"), max_size=9)
)
def test_what_was_put_in_is_what_is_found(old: list[str], at: int, put: list[str]) -> None:
    new = old[:at] + put + old[at:]
    assert counts(differences(" ".join(old), " ".join(new))) == (len(put), 0)


def test_huge_stretches_that_differ_are_replaced_without_a_look() -> None:
    n = int(MAX_CELLS**0.5) + 1
    older, newer = "head " + "a b " * n + "tail", "head " + "b a " * n + "tail"
    assert [op.op for op in differences(older, newer)] == ["equal", "delete", "insert", "equal"]
