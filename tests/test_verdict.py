"""What kind of page this really is: one page a verdict, and near misses."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tagdiv_pages import builder, classic, copied

from parsers import registry, verdict
from parsers.article import Verdict
from parsers.page import Page

TWIN = Path(__file__).resolve().parent.parent / "fixtures" / "twin" / "story.txt"
PROSE = (
    "<p>"
    + "The tide rose higher than in any March that the harbor master remembers, and it took two boats. " * 12
    + "</p>"
)
CARDS = "".join(
    f'<article><h3><a href="/2026/03/{n:02}/the-story-of-boat-number-{n}-and-its-crew">The story of boat number {n}</a></h3></article>'
    for n in range(1, 20)
)


def page(body: str, *, status: int = 200, title: str = "Tides", url: str = "https://sea.example/tides", asked: str = "",
         headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/html"),), truncated: bool = False) -> Page:  # fmt: skip
    html = f"<!doctype html><html><head><title>{title}</title></head><body>{body}</body></html>"
    return Page(url, html.encode(), asked=asked, status=status, headers=headers, truncated=truncated)


PAGES = {
    "article": page(f"<h1>Tides</h1><article>{PROSE}</article>"),
    "front": page(CARDS, url="https://sea.example/"),
    "teaser_only": page(
        "<h1>Tides</h1><article><p>The tide rose higher than in any March that anyone remembers.</p><p>Subscribe to continue reading."
        "</p></article>"
    ),
    "consent": page(
        "<h1>Your privacy</h1><p>We and our partners use cookies.</p><form><button>Accept all</button></form>",
        url="https://consent.sea.example/?back=1",
        asked="https://sea.example/tides",
    ),
    "challenge": page('<h1>sea.example</h1><div id="cf-chl">Checking</div>', status=403, title="Just a moment..."),
    "soft_404": page("<h1>Page not found</h1><p>Try our front page.</p>", title="Page not found - Sea"),
    "gone": page("<h1>Gone</h1>", status=410),
    "not_html": Page("https://sea.example/tides", b"%PDF-1.7\n...", headers=(("Content-Type", "text/html"),)),
    "truncated": page(f"<h1>Tides</h1><article>{PROSE}", truncated=True),
    "empty": Page("https://sea.example/tides", b" \n ", headers=(("Content-Type", "text/html"),)),
    "error": page("<h1>Internal error</h1>", status=500),
}


@pytest.mark.parametrize("wanted", PAGES)
def test_one_page_each(wanted: str) -> None:
    assert registry.read(PAGES[wanted], generic=True).verdict == wanted


@pytest.mark.parametrize(
    "near",
    [
        page(
            f"<h1>Why captchas drive us mad</h1><article>{PROSE}</article>",
            title="Why captchas drive us mad: a security check on the web",
        ),
        page(
            f"<h1>How cookies follow you</h1><form></form><article>{PROSE}</article>",
            title="We use cookies, and so do our partners",
        ),
        page(f"<h1>Page not found: a novel</h1><article>{PROSE}</article>", title="Page not found: a novel"),
        page(f"<h1>Tides</h1><article>{PROSE}</article>", headers=(("Content-Type", "application/octet-stream"),)),
        page(f"<h1>Tides</h1><article>{PROSE}</article>", headers=()),
        page(f"<h1>Tides</h1><article>{PROSE}<p>Subscribe to our newsletter.</p></article>"),
    ],
    ids=["captchas", "cookies", "novel", "octet-stream", "no-type", "newsletter"],
)
def test_near_misses_are_articles(near: Page) -> None:
    assert registry.read(near, generic=True).verdict == "article"


def test_every_verdict_of_the_contract_has_its_page() -> None:
    assert set(PAGES) == set(get_args(Verdict))


@pytest.mark.parametrize(
    ("status", "wanted"), [(404, "gone"), (403, "error"), (401, "error"), (503, "error"), (500, "error")]
)
def test_statuses(status: int, wanted: str) -> None:
    assert verdict.of_response(page("<h1>x</h1>", status=status)) == wanted


@pytest.mark.parametrize(
    "magic",
    [b"\x89PNG\r\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"PK\x03\x04", b"\x00\x00\x00\x18ftypmp42", b"RIFF", b"a\x00b"],
)
def test_bytes_beat_labels(magic: bytes) -> None:
    made = Page("https://sea.example/x", magic + b"...", headers=(("Content-Type", "text/html; charset=utf-8"),))
    assert verdict.of_response(made) == "not_html"


@settings(deadline=None)  # the first page may load a library
@given(st.binary(max_size=300), st.sampled_from([200, 204, 301, 404, 500]))
def test_no_bytes_raise(body: bytes, status: int) -> None:
    verdict.of_response(Page("https://sea.example/x", body, status=status))
    registry.read(Page("https://sea.example/x", body, status=status))


def classic_front(body_class: str) -> str:
    """A tagDiv listing: the cards of the twin's page without the story."""
    html = classic(copied(TWIN))
    block = html[html.index('<div class="td_block_wrap') : html.index("<article")]
    return f'<html><head><title>Daily</title></head><body class="{body_class}">{block}</body></html>'


def builder_front(body_class: str) -> str:
    html = builder(copied(TWIN))
    block = html[
        html.index('<div class="td_block_wrap') : html.index('<div class="td_block_wrap tdb_single_categories')
    ]
    return f'<html><head><title>Daily</title></head><body class="{body_class}">{block}</body></html>'


@pytest.mark.parametrize("made", [classic_front, builder_front])
@pytest.mark.parametrize("body_class", ["home blog", "archive category", "td-standard-pack"])
def test_a_front_is_no_article_and_its_stories_are_cards(made: Callable[[str], str], body_class: str) -> None:
    article = registry.read(Page(url="https://daily.example/health/", body=made(body_class).encode()), generic=True)
    assert (article.verdict, article.layout, article.title) == ("front", "tagdiv", "Daily")
    assert [(card.title, card.teaser) for card in article.cards][:3] == copied(TWIN).cards
    assert (article.body, article.authors, article.published, article.people) == ("", (), None, ())


def test_a_story_with_cards_at_a_listing_like_address_stays_an_article() -> None:
    page = Page(url="https://daily.example/category/health/a-story/", body=classic(copied(TWIN)).encode())
    assert registry.read(page, generic=True).verdict == "article"


def test_a_feed_is_a_front() -> None:
    feed = """<?xml version="1.0"?><rss version="2.0"><channel><title>Daily</title><item><title>Rain Stops Play</title>
<link>https://daily.example/rain/</link><description>Not a drop since.</description></item></channel></rss>"""
    article = registry.read(Page(url="https://daily.example/feed/", body=feed.encode()), generic=True)
    assert article.verdict == "front"
    assert [(card.title, card.teaser) for card in article.cards] == [("Rain Stops Play", "Not a drop since.")]
    assert article.body == ""
