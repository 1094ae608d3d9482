"""Fronts: cards, further pages, sections, feeds; and which links are stories."""

import time

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


STORY = "/2026/03/10/two-boats-lost-in-high-tide/"
TITLE = "Two boats lost in high tide"
TEASER = "The harbor master speaks of the highest water in his time."


@pytest.mark.parametrize(
    ("card", "teaser", "section"),
    [
        (f'<article><h3><a href="{STORY}">{TITLE}</a></h3><p>{TEASER}</p></article>', TEASER, ""),
        (f'<a href="{STORY}"><h2>{TITLE}</h2><p>{TEASER}</p></a>', TEASER, ""),
        (f'<div><a href="{STORY}"><img src=a.jpg></a><div><a href="{STORY}">{TITLE}</a></div></div>', "", ""),
        (
            (
                f'<li><span class="kicker">Harbor</span><h4><a href="{STORY}?utm_source=a">{TITLE}</a></h4>'
                f'<div class="excerpt">{TEASER}</div><a href="{STORY}#more">Read more</a></li>'
            ),
            TEASER,
            "Harbor",
        ),
        (f'<div><a href="{STORY}" title="{TITLE}">Two boats lost in …</a></div>', "", ""),
        (f"<table><tr><td><a href='{STORY}'>{TITLE}</a></td></tr></table>", "", ""),
    ],
    ids=["article", "all in one link", "picture and headline", "kicker and read more", "cut text", "table"],
)
def test_a_card_is_one_story_in_any_markup(card: str, teaser: str, section: str) -> None:
    other = '<div><h3><a href="/2026/03/09/ferry-fares-rise-again-in-spring/">Ferry fares rise again in spring</a></h3></div>'
    found = links.front(Page("https://sea.example/", f"<div>{card}</div><div>{other}</div>".encode())).cards
    assert [one.position for one in found] == [1, 2]
    first = found[0]
    assert (first.url, first.title, first.teaser, first.section) == (
        f"https://sea.example{STORY}",
        TITLE,
        teaser,
        section,
    )


@pytest.mark.parametrize(
    ("here", "markup", "pages"),
    [
        ("/", '<div class="pagination"><a href="?page=2">2</a><a href="?page=3">3</a></div>', ["/?page=2", "/?page=3"]),
        ("/harbor/", '<link rel="next" href="/harbor/page/2/">', ["/harbor/page/2/"]),
        ("/harbor/page/2/", '<a rel="next" href="/harbor/page/3/">Older</a>', ["/harbor/page/3/"]),
        ("/harbor/", '<div class="pagination"><a href="/sea/page/2/">2</a></div>', []),
        ("/harbor/", '<div class="pagination"><a href="https://elsewhere.example/harbor/page/2/">2</a></div>', []),
        ("/harbor/", '<div class="pagination"><a href="/harbor/archive/">All</a><a href="/harbor/">1</a></div>', []),
    ],
    ids=["query", "head", "from page 2", "another listing", "another host", "not numbered"],
)
def test_further_pages(here: str, markup: str, pages: list[str]) -> None:
    found = links.front(Page(f"https://sea.example{here}", f"<html><body>{markup}</body></html>".encode())).pages
    assert list(found) == [f"https://sea.example{path}" for path in pages]


@pytest.mark.parametrize(
    "href",
    ["javascript:alert(1)", " JavaScript:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "vbscript:x", "mailto:a@b.example",
     "http://[", "http://", "https://sea.example:99999/x", "ftp://sea.example/x", "&#1;javascript:x", "/" + "a" * 5000],
)  # fmt: skip
def test_hostile_addresses_are_no_links(href: str) -> None:
    page = Page("https://sea.example/", f'<a href="{href}">{TITLE}</a><a href="/good">x</a>'.encode())
    assert [url for _, url in links.links(page)] == ["https://sea.example/good"]
    assert links.front(page).cards == ()


@pytest.mark.parametrize(
    ("base", "wanted"),
    [
        ("https://cdn.sea.example/dir/", "https://cdn.sea.example/dir/x"),
        ("/deep/er/", "https://sea.example/deep/er/x"),
        ("http://[", "https://sea.example/a/x"),
        ("javascript:x", "https://sea.example/a/x"),
        ("", "https://sea.example/a/x"),
    ],
)
def test_addresses_are_joined_to_the_base(base: str, wanted: str) -> None:
    page = Page("https://sea.example/a/b", f'<head><base href="{base}"></head><a href="x">x</a>'.encode())
    assert [url for _, url in links.links(page)] == [wanted]


def test_a_hundred_thousand_links_take_seconds_at_most() -> None:
    one = "<div><h3><a href='/2026/03/10/the-story-number-{0}-of-a-long-list'>The story number {0} of a long list</a></h3></div>"
    page = Page("https://sea.example/", "".join(one.format(n) for n in range(100_000)).encode())
    began = time.process_time()
    found = links.front(page)
    assert time.process_time() - began < 10
    assert len(found.cards) == links.MAX_CARDS
    assert sum(1 for _ in links.links(page)) == links.MAX_LINKS


def test_a_hundred_thousand_links_are_bounded() -> None:
    html = "".join(
        f'<a href="/2026/03/10/the-story-number-{n}-of-a-long-list">The story number {n}</a>' for n in range(100_000)
    )
    found = links.front(Page("https://sea.example/", f"<html><body>{html}</body></html>".encode()))
    assert len(found.cards) <= links.MAX_CARDS


def test_list_pages_of_rented_systems_are_sections() -> None:
    menu = '<nav><a href="/news/articleList.html?sc_section_code=S1N1">항구</a><a href="/member/login.html?x=1">로그인</a></nav>'
    found = links.front(Page("https://sea.example/", f"<html><body>{menu}</body></html>".encode()))
    assert found.sections == ("https://sea.example/news/articleList.html?sc_section_code=S1N1",)


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
        ("/news/articleView.html?idxno=31415", "밀물이 방파제를 넘었다", True),
        ("https://sea.example/article/25123456", "밀물이 방파제를 넘어 배 두 척을 삼켰다", True),
        ("https://sea.example/view/AKR20260310000100", "밀물이 방파제를 넘어 배 두 척을 삼켰다", True),
        ("https://sea.example/artikel/wirtschaft", "Wirtschaft", False),
        ("/sponsored/two-boats-for-the-price-of-one", "Two boats for the price of one", False),
        ("/news/articleList.html?sc_section_code=S1N1", "항구 소식을 한자리에서 봅니다", False),
    ],
)
def test_stories_among_links(url: str, text: str, story: bool) -> None:
    assert links.is_story(url, text) is story


@pytest.mark.parametrize("hostile", ["", "http://[", "\x00", "https://a" * 5000, "//" * 2000])
def test_no_address_raises(hostile: str) -> None:
    links.is_story(hostile, hostile)


def test_a_short_address_is_a_story_if_its_link_is_a_heading() -> None:
    text = "Two boats lost in the high tide of March"
    for href in ("/?p=77", "/s/77"):
        for inner, wanted in ((f'<h3><a href="{href}">{text}</a></h3>', 1), (f'<a href="{href}">{text}</a>', 0)):
            page = Page(url="https://post.example/", body=f"<html><body>{inner}</body></html>".encode())
            assert len(links.generic_cards(page)) == wanted
    menu = '<h3><a href="/sport">Sport</a></h3><h3><a href="/world/middle-east">Middle East</a></h3>'
    assert links.generic_cards(Page(url="https://post.example/", body=menu.encode())) == ()
