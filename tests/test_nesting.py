"""Markup nested without end is cut; all other markup stays as it is."""

import pytest

from parsers import registry
from parsers.nesting import MANY_TAGS, MAX_NESTING, shallow
from parsers.page import Page


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 1000 + "x" + "</div>" * 1000,
        "<p>one<br>two<img src=x><li>three<td>four" * MANY_TAGS,
        "<div><p>one</p></div>" * MANY_TAGS,
        "<svg>" + "<path d='M0 0'/>" * (2 * MANY_TAGS) + "</svg>",
        "</div>" * (2 * MANY_TAGS) + "<p>one",
        "1 < 2 " * (2 * MANY_TAGS),
        "<",
        "",
    ],
    ids="few void balanced drawing closed text bracket nothing".split(),
)
def test_what_is_not_nested_without_end_stays(html: str) -> None:
    assert shallow(html) == html


@pytest.mark.parametrize(
    "piece",
    ["<div>", "<ul><li>", "<b>x", "<DIV a='>'>", "<x-y>", "<path>", "<svg><g/>", "<a href=x", "<table><tr><td>"],
)
def test_what_is_nested_without_end_is_cut(piece: str) -> None:
    html = "<h1>Two boats lost</h1><p>The tide rose.</p>" + piece * 200_000
    cut = shallow(html)
    assert html.startswith(cut)
    assert len(cut) < (MAX_NESTING + 60) * 20
    page = Page("https://sea.example/2026/03/two-boats-lost", html.encode())
    assert registry.read(page, generic=True).title == "Two boats lost"
