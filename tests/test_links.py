"""Fronts: cards, further pages, sections, feeds; and which links are stories."""

import pytest

from parsers import links
from parsers.page import Page

FRONT = """<html><head><title>Sea Post</title><base href="https://sea.example/"><link rel="alternate" type="application/rss+xml"
 href="/feed/"><link rel="alternate" type="application/rss+xml" href="/comments/feed/"></head><body>
<nav><a href="/category/harbor/">Harbor</a> <a href="/weather/">Weather</a> <a href="/about/">About</a>
<a href="https://elsewhere.example/category/x/">Elsewhere</a></nav>
<div class="card"><a href="/2026/03/10/two-boats-lost-in-high-tide/"><img src="b.jpg"></a><span class="category">Harbor</span>
<h2><a href="/2026/03/10/two-boats-lost-in-high-tide/?utm_source=front">Two boats lost in high tide</a></h2>
<p>The harbor master speaks of the highest water in his time.</p></div>
<ul><li><a href="2026/03/09/ferry-fares-rise-again-in-spring/">Ferry fares rise again in spring</a></li>
<li><a href="javascript:alert(1)">Click</a></li><li><a href="mailto:a@sea.example">Write to the long suffering editors here</a></li>
<li><a href="https://ads.example/2026/03/10/buy-two-boats-and-get-one-free">Buy two boats and get one free today</a></li></ul>
<div class="page-nav"><a href="/page/2/">2</a> <a href="/page/3/">3</a> <a href="/category/harbor/page/2/">Harbor 2</a></div>
</body></html>"""


@pytest.fixture
def front() -> links.Front:
    return links.front(Page("https://sea.example/", FRONT.encode()))


def test_cards_have_headline_teaser_section_and_place(front: links.Front) -> None:
    first, second = front.cards
    assert (first.url, first.title) == (
        "https://sea.example/2026/03/10/two-boats-lost-in-high-tide/",
        "Two boats lost in high tide",
    )
    assert first.teaser == "The harbor master speaks of the highest water in his time."
    assert (first.section, first.position) == ("Harbor", 1)
    assert (second.title, second.teaser, second.position) == ("Ferry fares rise again in spring", "", 2)


def test_only_pages_of_this_listing_go_on(front: links.Front) -> None:
    assert front.pages == ("https://sea.example/page/2/", "https://sea.example/page/3/")


def test_sections_are_those_of_the_menu_on_this_host(front: links.Front) -> None:
    assert front.sections == ("https://sea.example/category/harbor/",)


def test_feeds_of_the_head_without_comments(front: links.Front) -> None:
    assert front.feeds == ("https://sea.example/feed/",)


def test_a_hundred_thousand_links_are_bounded() -> None:
    html = "".join(
        f'<a href="/2026/03/10/the-story-number-{n}-of-a-long-list">The story number {n}</a>' for n in range(100_000)
    )
    found = links.front(Page("https://sea.example/", f"<html><body>{html}</body></html>".encode()))
    assert len(found.cards) <= links.MAX_CARDS


@pytest.mark.parametrize(
    ("url", "text", "story"),
    [
        ("https://sea.example/2026/03/10/two-boats-lost-in-high-tide/", "Two boats lost in high tide", True),
        ("/news/harbor-master-retires-after-forty-years-31415926", "Harbor master retires after forty years", True),
        (
            "https://sea.example/world/article_1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed.html",
            "Ships wait for a week outside the port",
            True,
        ),
        ("https://sea.example/category/harbor/", "Harbor", False),
        ("https://sea.example/tag/boats", "boats", False),
        ("https://sea.example/author/oona-mallory/", "Oona Mallory", False),
        ("/about-us", "About us", False),
        ("/privacy", "Privacy policy", False),
        ("https://www.facebook.com/seapost", "Follow us on Facebook", False),
        ("/", "Home", False),
        ("https://sea.example/newsletters/", "Sign up for our newsletters", False),
        ("https://sea.example/annual-report.pdf", "Annual report", False),
    ],
)
def test_stories_among_links(url: str, text: str, story: bool) -> None:
    assert links.is_story(url, text) is story


@pytest.mark.parametrize("hostile", ["", "http://[", "\x00", "https://a" * 5000, "//" * 2000])
def test_no_address_raises(hostile: str) -> None:
    links.is_story(hostile, hostile)
