"""Nodes to clean blocks of text."""

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser, LexborNode

from parsers.article import Block
from parsers.text import blocks, clean, node_text, normalised


def body(html: str) -> LexborNode:
    node = LexborHTMLParser(f"<body>{html}</body>").body
    assert node is not None
    return node


def read(html: str, *drop: str) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in blocks([body(html)], drop=drop)]


def test_blocks_come_in_reading_order_with_their_kind() -> None:
    html = """<h2>Head</h2><p>One <b>bold</b><br>line.</p><ul><li>First</li><li>Second <p>deep</p></li></ul>
    <blockquote><p>Said.</p></blockquote><table><tr><th>Year</th><td>2026</td></tr></table>loose text<div>more</div>"""
    assert read(html) == [
        ("heading", "Head"),
        ("p", "One bold line."),
        ("item", "First"),
        ("item", "Second"),
        ("item", "deep"),
        ("quote", "Said."),
        ("table", "Year | 2026"),
        ("p", "loose text"),
        ("p", "more"),
    ]


def test_what_no_reader_sees_is_left_out() -> None:
    html = "<style>a</style><p>A<script>b</script></p><figure><figcaption>c</figcaption></figure><noscript>d</noscript>"
    assert read(html) == [("p", "A")]
    assert read("<p>A</p><div class=ad><p>B</p></div><p>C</p>", ".ad") == [("p", "A"), ("p", "C")]


def test_two_breaks_end_a_paragraph() -> None:
    assert read("One<br><br>two<br>still two") == [("p", "One"), ("p", "two still two")]


def test_a_table_that_only_places_things_is_read_as_text() -> None:
    assert read("<table><tr><td><p>Left</p></td><td><p>Right</p></td></tr></table>") == [("p", "Left"), ("p", "Right")]


def test_deep_markup_is_no_trap() -> None:
    assert read("<div>" * 3000 + "deep" + "</div>" * 3000) == [("p", "deep")]
    assert read("<b>" * 3000 + "deep" + "</b>" * 3000) == [("p", "deep")]


def test_inline_text() -> None:
    assert node_text(body("<p>One<br>two<div>three</div><script>no</script></p>")) == "One two three"


def test_clean_and_normalised() -> None:
    assert clean(" a\u00a0\n b\u200b\u00adc\x07 e\u0301 ") == "a bc é"
    assert normalised("“It’s” — A…  TEST\uff01") == '"it\'s" - a... test!'


FOLD = str.maketrans(
    dict.fromkeys("‘’‚‛´`", "'") | dict.fromkeys("“”„‟«»", '"') | dict.fromkeys("‐‑‒–—―−", "-") | {"\u2026": "..."}
)
ODD = st.sampled_from(
    "‘`«—…´ \n\t\r\x1c\x85\u00a0\u2002\u2028\u200b\ufeff\u00ad\x00\x7f\u0301\u0308\u1100\u1161éİßẞΣςｆﬁ™½①ǅ\u1fef"
)


@given(st.text(st.one_of(ODD, st.characters()), max_size=60))
def test_normalised_is_what_it_says(text: str) -> None:
    # The plain way, which is ten times as slow.
    folded = unicodedata.normalize("NFKC", text).translate(FOLD).casefold()
    junk = "[\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]"
    assert normalised(text) == re.sub(r"\s+", " ", re.sub(junk, "", folded)).strip()


def test_normalised_does_the_same_for_every_character() -> None:
    for code in range(0x20000):  # what lies beyond has no forms of its own
        char = chr(code)
        folded = unicodedata.normalize("NFKC", f"a{char} b").translate(FOLD).casefold()
        if folded.isprintable():
            assert normalised(f"a{char} b") == " ".join(folded.split()), hex(code)


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20), max_size=12))
def test_paragraphs_are_neither_lost_nor_doubled(texts: list[str]) -> None:
    html = "".join(f"<p>{text}</p>" for text in texts)
    found = blocks([body(html)])
    assert found == tuple(Block("p", clean(text)) for text in texts if clean(text))
