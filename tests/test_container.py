"""Which element holds the body, and which of its blocks belong to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from parsers.container import Outline, as_blocks, body_runs, furniture
from parsers.text import clean

FIRST = "The sea rose before dawn, and the harbor master says that it will rise again before the week is over."
SECOND = "Two boats were lost at the northern pier, where the wall is lowest; nobody was aboard when they sank."
THIRD = "The council meets on Friday, when it will hear what a higher wall costs and who is to pay for it."
PROSE = f"<p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p>"
ALL = [FIRST, SECOND, THIRD]


def outline(html: str) -> Outline:
    return Outline(LexborHTMLParser(f"<html><body>{html}</body></html>"))


def body(html: str) -> list[str]:
    made = outline(html)
    found = made.container()
    return [] if found is None else [block.text for block in as_blocks(body_runs(made, found))]


@pytest.mark.parametrize(
    "html",
    [
        f"<article>{PROSE}</article>",
        f"<div><div><div class='x1'>{PROSE}</div></div></div>",
        f"<table><tr><td><a href=/>Home</a></td><td>{PROSE}</td></tr></table>",
        f"<div>{FIRST}<br><br>{SECOND}<br><br>{THIRD}</div>",
        f"<section><div><p>{FIRST}</p></div><div><p>{SECOND}</p></div><div><p>{THIRD}</p></div></section>",
        f"<nav><a href=/a>Harbor</a></nav><main>{PROSE}</main><footer><p>{SECOND} In the footer, as ever.</p></footer>",
        f"<div>{PROSE}</div><aside><p>{SECOND} Beside the text, as ever.</p></aside>",
    ],
    ids=["article", "divs", "layout table", "breaks", "a box a paragraph", "main", "aside"],
)
def test_the_text_is_found_whatever_holds_it(html: str) -> None:
    assert body(html) == ALL


@pytest.mark.parametrize(
    "extra",
    [
        f"<div class='related-posts'><p>{SECOND} Read on.</p></div>",
        "<div id='newsletter-signup'><p>Get the tide in your mailbox, every morning before the gulls are awake.</p></div>",
        "<div class='share-bar'>Share</div>",
        "<ul><li><a href=/a>Ferry fares rise again</a></li><li><a href=/b>A new pier for the north</a></li></ul>",
        "<figure><img src=a.jpg><figcaption>The northern pier, seen from the sea.</figcaption></figure>",
        "<script>var tide = 'high, and rising, as it has been for weeks and weeks and weeks';</script>",
        "<div hidden><p>This paragraph is hidden, and it is as long as a paragraph of prose should be.</p></div>",
        "<div style='display: none'><p>This paragraph is hidden, and it is as long as prose should be.</p></div>",
        "<p><a href=/c>Also on this site: what the fishermen of the north say</a></p>",
    ],
    ids=["related", "newsletter", "share", "links", "caption", "script", "hidden", "display none", "linked line"],
)
def test_furniture_inside_the_text_is_left_out(extra: str) -> None:
    assert body(f"<article><p>{FIRST}</p>{extra}<p>{SECOND}</p><p>{THIRD}</p></article>") == ALL


def test_furniture_that_holds_the_whole_text_is_no_furniture() -> None:
    assert body(f"<div class='social widget'>{PROSE}</div>") == ALL


def test_subheadings_lists_and_quotes_keep_their_kind() -> None:
    made = outline(
        f"<article><h2>At the pier</h2>{PROSE}<ul><li>one boat</li></ul><blockquote>It rose.</blockquote></article>"
    )
    found = made.container()
    assert found is not None
    kinds = [(block.kind, block.text) for block in as_blocks(body_runs(made, found))]
    assert kinds == [
        ("heading", "At the pier"),
        *(("p", text) for text in ALL),
        ("item", "one boat"),
        ("quote", "It rose."),
    ]


@pytest.mark.parametrize("html", ["", "<p>Short.</p>", "<ul><li><a href=/a>Harbor</a></li></ul>", "<script>1</script>"])
def test_without_prose_there_is_no_container(html: str) -> None:
    assert outline(html).container() is None


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("related-posts", True),
        ("jp-relatedposts", True),
        ("AuthorBox", True),
        ("ad-slot top", True),
        ("share", True),
        ("article-body", False),
        ("shareholders", False),
        ("header-reads", False),
        ("adelaide-story", False),
        ("", False),
    ],
)
def test_names_of_furniture(name: str, known: bool) -> None:
    assert furniture(name) is known


@pytest.mark.parametrize("tag", ["div", "section", "b", "span", "a", "ul", "table", "x-y"])
@pytest.mark.parametrize("times", [50, 300, 3000])
def test_deep_markup_neither_raises_nor_loses_the_text(tag: str, times: int) -> None:
    assert FIRST in " ".join(run.text for run in outline(f"<{tag}>" * times + FIRST).runs)


@given(st.lists(st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=90), max_size=8))
def test_the_outline_neither_loses_nor_doubles_text(texts: list[str]) -> None:
    safe = [text.replace("<", "").replace("&", "") for text in texts]
    made = outline("".join(f"<div><p>{text}</p></div>" for text in safe))
    assert [run.text for run in made.runs] == [clean(text) for text in safe if clean(text)]
