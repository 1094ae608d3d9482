"""The headline as printed, without the site's name and the section's label; tails cut off."""

import pytest

from parsers.article import Block
from parsers.tails import cut, is_others_heading
from parsers.titles import printed, without_label, without_site


@pytest.mark.parametrize(
    ("title", "names", "wanted"),
    [
        ("Tides rise - Sea Post", ["Sea Post"], "Tides rise"),
        ("Tides rise | The Sea Post", ["Sea Post"], "Tides rise"),
        ("Sea Post: Tides rise again", ["Sea Post"], "Sea Post: Tides rise again"),
        ("Sea Post | Tides rise again", ["Sea Post"], "Tides rise again"),
        ("Tides rise – seapost.example", ["seapost.example"], "Tides rise"),
        ("Tides rise - and fall", ["Sea Post"], "Tides rise - and fall"),
        ("Tides rise", ["Sea Post"], "Tides rise"),
    ],
)
def test_the_sites_name_comes_off(title: str, names: list[str], wanted: str) -> None:
    assert without_site(title, names) == wanted


@pytest.mark.parametrize(
    ("title", "labels", "wanted"),
    [
        ("HealthThat Eye Twitch", ["Health"], "That Eye Twitch"),
        ("Health“Quoted”", ["Health"], "“Quoted”"),
        ("Health care costs rise", ["Health"], "Health care costs rise"),
        ("Healthy Habits", ["Health"], "Healthy Habits"),
        ("Health", ["Health"], "Health"),
    ],
)
def test_a_glued_label_comes_off(title: str, labels: list[str], wanted: str) -> None:
    assert without_label(title, labels) == wanted


def test_the_heading_that_the_head_agrees_with_is_the_title() -> None:
    assert (
        printed(["Sea Post", "Two boats lost in high tide"], ["Two Boats Lost in High Tide"])
        == "Two boats lost in high tide"
    )
    assert printed(["Sea Post"], ["Two boats lost in high tide"]) is None
    assert printed(["한강 수위 상승"], ["한강 수위 상승 - 바다일보"]) == "한강 수위 상승"
    assert printed([], ["x"]) is None


def test_what_hangs_on_a_body_is_cut() -> None:
    text = "The tide rose higher than in any March that the harbor master remembers. " * 6
    blocks = [
        Block("p", "Tides rise"),
        Block("p", text.strip()),
        Block("p", text.strip()),
        Block("p", "Read more: Ferry fares rise"),
        Block("heading", "What the sea does next"),
        Block("p", "It waits."),
        Block("heading", "Most Popular Articles"),
        Block("p", "Another story's teaser."),
    ]
    assert [block.text for block in cut(blocks, title="Tides Rise")] == [
        text.strip(),
        "What the sea does next",
        "It waits.",
    ]


@pytest.mark.parametrize(
    "line", ["Check Out Our Content", "Check Out Other Tags:", "Most Popular Articles", "Related posts", "관련 기사"]
)
def test_headings_of_other_stories_are_known(line: str) -> None:
    assert is_others_heading(line)


@pytest.mark.parametrize(
    "line",
    ["What the sea does next", "Related to the tide is the wind of the day", "Popular with sailors: the old pier"],
)
def test_subheadings_are_not(line: str) -> None:
    assert not is_others_heading(line)
