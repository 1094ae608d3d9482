"""The shape of an address, and addresses that are those of a trap by themselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.shapes import endless, shape
from parsers.url import try_canonical

SITE = "https://news.example"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/events/2026/01/", "/events/2031/12/"),
        ("/list?a=1&b=2&sort=x", "/list?sort=y&c=3"),
        ("/story/8f3a9c1e", "/story/77aa12bc"),
        ("/l/1.html", "/l/99999.html"),
        ("/2026/11/25/two-boats-lost-in-the-tide", "/2025/01/02/a-price-for-seats-on-trains"),
        ("/shop/cart", "/shop/till"),
        ("/x?page=1", "/x?page=2"),
    ],
)
def test_these_are_made_by_one_rule(one: str, other: str) -> None:
    assert shape(SITE + one) == shape(SITE + other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/events/2026/01/", "/news/2026/01/"),
        ("/2026/11/25/", "/2026/11/25/two-boats-lost-in-the-tide"),
        ("/sport/football", "/sport/two-boats-lost-in-the-tide"),
        ("/list", "/list?a=1"),
        ("/list?a=1", "/list?a=1&b=2"),
        ("/a", "/a/b"),
    ],
)
def test_these_are_not(one: str, other: str) -> None:
    assert shape(SITE + one) != shape(SITE + other)


def test_a_shape_names_nobody() -> None:
    for url in ("/maria-garcia/2026/a", "/garcia/x", "/people/garcia", "/q?garcia=1", "/garcia"):
        assert "garcia" not in shape(SITE + url)


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        ("/a/b/a/b/a/b/story", "repeated_folders"),
        ("/news/local/news/story", ""),
        ("/2026/11/11/11/two-boats-lost", ""),
        ("/" + "/".join(f"x{n}" for n in range(20)), "many_folders"),
        ("/list?" + "&".join(f"k{n}={n}" for n in range(20)), "many_parameters"),
        ("/list?a=1&b=2&c=3&d=4", ""),
        ("/", ""),
    ],
)
def test_what_an_address_alone_gives_away(path: str, cause: str) -> None:
    assert endless(SITE + path) == cause


@given(st.text(max_size=80))
def test_every_address_has_a_shape(text: str) -> None:
    url = try_canonical(f"{SITE}/{text}")
    if url is not None:
        assert shape(url).startswith("/")
        endless(url)
