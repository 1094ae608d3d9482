"""Posts of WordPress sites by REST."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers import wordpress
from parsers.errors import ParseError
from parsers.page import Page
from parsers.sitemaps import Listed

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
HOME = "https://sea.example/wp-json/wp/v2/posts"


def page(value: object, url: str = HOME, **headers: str) -> Page:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Page(url, body, captured=NOW, headers=tuple((key.replace("_", "-"), text) for key, text in headers.items()))


def test_the_address_asks_for_dates_and_links_only() -> None:
    first = wordpress.address(HOME)
    assert first == f"{HOME}?_fields=date_gmt,link,modified_gmt,title&page=1&per_page=100"
    after = datetime(2020, 1, 1, tzinfo=UTC)
    assert wordpress.asked(first) == (1, None)
    assert wordpress.asked(wordpress.address(first, page=7, after=after)) == (7, after)
    assert "categories=4" in wordpress.address(f"{HOME}?categories=4", page=2)


def test_posts_have_addresses_titles_and_dates() -> None:
    post = {
        "link": "https://sea.example/boats/",
        "date_gmt": "2026-03-10T08:00:00",
        "modified_gmt": "2026-03-10T08:30:00",
        "title": {"rendered": "Two boats &#8217;lost&#8217; <em>again</em>"},
    }
    found = wordpress.posts(
        page([post, {"link": 3}, 4, {"link": "/fares/", "title": "x", "date_gmt": None}], X_WP_TotalPages="12")
    )
    at = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)
    assert found.items == (
        Listed("https://sea.example/boats/", "Two boats ’lost’ again", at, at.replace(minute=30)),
        Listed("https://sea.example/fares/"),
    )
    assert found.pages == 12


def test_without_a_number_of_pages_a_full_page_has_a_next_one() -> None:
    posts = [{"link": f"/{n}/"} for n in range(100)]
    assert wordpress.posts(page(posts, wordpress.address(HOME, page=3))).pages == 4
    assert wordpress.posts(page(posts[:99], wordpress.address(HOME, page=3))).pages == 3


@pytest.mark.parametrize("value", [{"code": "rest_no_route"}, b"<html>", b"[" * 5000, b"", 3])
def test_what_is_no_list_of_posts_is_named(value: object) -> None:
    with pytest.raises(ParseError, match="gives no posts of WordPress"):
        wordpress.posts(page(value))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_our_error(body: bytes) -> None:
    for wrapped in (body, b'[{"link": "' + body + b'"}]', b'[{"link": "/a", "date_gmt": "' + body + b'"}]'):
        try:
            wordpress.posts(page(wrapped))
        except ParseError:
            continue
