"""What hangs on a body: other stories' headings, appeals, repeats, loose headings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.article import Block
from parsers.tails import cut, is_appeal, is_others_heading

PROSE = "The tide rose higher than in any March that the harbor master remembers. " * 6
FIRST = Block("p", PROSE.strip())


def texts(*blocks: Block, title: str = "", teaser: str = "") -> list[str]:
    return [block.text for block in cut(blocks, title=title, teaser=teaser)]


@pytest.mark.parametrize(
    "line",
    [
        "Most Read",
        "More from Harbor",
        "Related stories:",
        "You may also like",
        "» Read more",
        "Share this on the fleet's page",
        "Leave a comment",
        "Lesen Sie auch: Ebbe und Flut",
        "À lire aussi",
        "Te puede interesar",
        "Print This Post",
        "많이 본 뉴스",
        "関連記事",
        "推荐阅读",
    ],
)
def test_headings_of_other_stories(line: str) -> None:
    assert is_others_heading(line)


@pytest.mark.parametrize(
    "line",
    [
        "More boats than berths",
        "Read in the harbor's old log, the figure was higher",
        "Comments by the mayor divide the harbor",
        "Related to a sailor, the minister steps back",
        "",
    ],
)
def test_headings_of_this_story(line: str) -> None:
    assert not is_others_heading(line)


@pytest.mark.parametrize(
    "line", ["Sign up for our morning letter", "Subscribe now and save", "© 2026 Sea Post", "Watch: The wave", "Donate"]
)
def test_appeals(line: str) -> None:
    assert is_appeal(line)
    assert texts(FIRST, Block("p", line)) == [FIRST.text]


@pytest.mark.parametrize(
    "line",
    [
        "He asked them to sign up for the watch.",
        "Followers of the tide wait for spring.",
        "Subscribers of the line left",
    ],
)
def test_prose_about_appeals_is_none(line: str) -> None:
    assert not is_appeal(line)
    assert texts(FIRST, Block("p", line)) == [FIRST.text, line]


def test_title_and_teaser_are_not_repeated_at_the_top() -> None:
    blocks = (Block("heading", "TIDES  rise"), Block("p", "“High” water"), FIRST)
    assert texts(*blocks, title="Tides rise", teaser='"High" water') == [FIRST.text]


def test_a_line_deep_in_the_text_may_equal_the_title() -> None:
    blocks = (FIRST, Block("p", "Nobody had expected it. " * 12), Block("p", "Tides rise"))
    assert texts(*blocks, title="Tides rise")[-1] == "Tides rise"


def test_long_repeats_go_and_short_ones_stay() -> None:
    assert texts(FIRST, Block("p", "“No.”"), FIRST, Block("p", "“No.”")) == [FIRST.text, "“No.”", "“No.”"]


def test_a_heading_of_other_stories_ends_a_body_that_has_begun() -> None:
    more = (Block("heading", "Related articles"), Block("p", "Another story's teaser."))
    assert texts(FIRST, *more) == [FIRST.text]
    assert texts(*more, FIRST) == ["Another story's teaser.", FIRST.text], "before the text it is one line, no end"
    assert texts(FIRST, Block("p", "Related articles"), Block("p", "The end.")) == [FIRST.text, "The end."]


def test_headings_with_nothing_under_them_go() -> None:
    assert texts(FIRST, Block("heading", "What now"), Block("heading", "And then")) == [FIRST.text]
    assert texts(Block("heading", "Alone")) == []


@given(
    st.lists(
        st.builds(Block, st.sampled_from(["p", "heading", "item", "quote", "table"]), st.text(max_size=120)),
        max_size=12,
    ),
    st.text(max_size=40),
)
def test_cutting_only_takes_away_and_is_done_in_one_go(blocks: list[Block], title: str) -> None:
    kept = cut(blocks, title=title)
    rest = iter(blocks)
    assert all(any(block is one for one in rest) for block in kept), "kept blocks stand in their order, unchanged"
    assert cut(kept, title=title) == kept
