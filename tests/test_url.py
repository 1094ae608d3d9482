"""One spelling per address: what must merge, what must stay apart."""

import pytest
from ada_url import join_url
from hypothesis import given
from hypothesis import strategies as st

from parsers.errors import UsageError
from parsers.url import canonical, domain, host, is_front, publication, try_canonical

HOME = "https://news.example/a/story"
MERGE = [
    ("HTTPS://News.Example/a/story", HOME),
    ("https://news.example:443/a/story", HOME),
    ("http://news.example:80/a", "http://news.example/a"),
    ("https://news.example/a/story#comments", HOME),
    ("https://news.example/a/story?utm_source=x&utm_medium=y", HOME),
    ("https://news.example/a/story?fbclid=abc", HOME),
    ("https://news.example/a/story?gclid=1&dclid=2", HOME),
    ("https://news.example/a/story?mc_cid=1&mc_eid=2", HOME),
    ("https://news.example/a/story?at_medium=RSS&at_campaign=K", HOME),
    ("https://news.example/a/story;jsessionid=0A1B2C", HOME),
    ("https://news.example/a/story?PHPSESSID=0123456789abcdef0123", HOME),
    ("https://news.example/a/story?sid=0123456789abcdef0123456789abcdef", HOME),
    ("https://news.example/a/./b/../story", HOME),
    ("https://news.example/../a/story", HOME),
    ("https://news.example/%61/story", HOME),
    ("https://news.example/%7Euser/", "https://news.example/~user/"),
    ("https://news.example/caf%c3%a9", "https://news.example/caf%C3%A9"),
    ("https://news.example/café", "https://news.example/caf%C3%A9"),
    ("https://news.example/a b", "https://news.example/a%20b"),
    ("https://news.example/x?b=2&a=1", "https://news.example/x?a=1&b=2"),
    ("https://news.example/x?q=a+b", "https://news.example/x?q=a%20b"),
    ("https://user:secret@news.example/a/story", HOME),
    ("https://news.example./a/story", HOME),
    ("  https://news.example/a/story\n", HOME),
    ("https://news.exa\tmple/a/story", HOME),
    ("https:\\\\news.example\\a\\story", HOME),
    ("https:///news.example/a/story", HOME),
    ("https://news.example", "https://news.example/"),
    ("https://bücher.example/", "https://xn--bcher-kva.example/"),
    ("https://news.example/a/story?", HOME),
    ("https://news.example/a/story;j%73essionid=0A1B2C", HOME),
    ("https://news.example/a/story?sid=%30123456789abcdef0123", HOME),
    ("https://news.example/%2e%2e/a/story", HOME),
    ("https://news.example/a/story?&&utm_id=1&", HOME),
    ("https://news.example/a/story?UTM_Source=x&utm%5Fterm=y", HOME),
    ("https://news.example/a/story?gad_source=1&gbraid=0AA&srsltid=Af", HOME),
    ("https://news.example/a/story?msclkid=1&ttclid=2&twclid=3&igsh=4&li_fat_id=5&yclid=6", HOME),
    ("https://news.example/a/story?__cft__[0]=AZ&__tn__=R&mibextid=Zx", HOME),
    ("https://news.example/a/story?_hsenc=p2&_hsmi=3&mkt_tok=e&vero_id=1&sfmc_id=9", HOME),
    ("https://news.example/a/story?CMP=Share_iOS&smid=tw&ocid=x&ito=1", HOME),
    ("https://news.example/a/story?share=whatsapp", HOME),
    ("https://news.example/a/story?replytocom=4711", HOME),
    ("https://news.example/a/story?_x_tr_sl=ko&_x_tr_tl=en", HOME),
    ("https://news.example/a/story?sid=1f0e3a94b2c8d7", HOME),
    ("https://news.example/a/story;PHPSESSID=1f0e3a94b2c8d7?utm_id=1", HOME),
    ("https://news.example/(S(lit3py55t21z5v55vlm25s55))/a/story", HOME),
    ("https://news.example/x?sid=7&;=&b=1&sessionid=2", "https://news.example/x?;=&b=1&sid=7"),
    ("https://news.example/a/story?ref_src=twsrc%5Etfw", HOME),
    ("https://NEWS%2eexample/a/story", HOME),
    ("http://0x7f.1/a", "http://127.0.0.1/a"),
    ("https://ｎｅｗｓ.example/a/story", HOME),
    ("https://news.example/a/story#:~:text=tax", HOME),
    ("https:news.example/a/story", HOME),
    ("https://news.example/x?a=%7e&b", "https://news.example/x?a=~&b"),
    ("https://news.example/뉴스", "https://news.example/%EB%89%B4%EC%8A%A4"),
]
APART = [
    ("https://news.example/?p=1", "https://news.example/?p=2"),
    ("https://news.example/?p=1", "https://news.example/"),
    ("https://news.example/x?a=1", "https://news.example/x"),
    ("https://news.example/x?q=tax", "https://news.example/x?q=war"),
    ("https://news.example/x", "http://news.example/x"),
    ("https://news.example//x", "https://news.example/x"),
    ("https://news.example/X", "https://news.example/x"),
    ("https://news.example/100%25", "https://news.example/100"),
    ("https://news.example/100%25", "https://news.example/100%"),
    ("https://news.example/%2541", "https://news.example/%41"),
    ("https://news.example/a%2Fb", "https://news.example/a/b"),
    ("https://www.news.example/x", "https://news.example/x"),
    ("https://news.example/x/", "https://news.example/x"),
    ("https://news.example:8443/x", "https://news.example/x"),
    ("https://news.example/x?page=1", "https://news.example/x?page=2"),
    ("https://news.example/x?id=5&sid=7", "https://news.example/x?id=5"),
    ("https://news.example/x?ref=home", "https://news.example/x"),
    ("https://m.news.example/x", "https://news.example/x"),
    ("https://news.example/x?ref=home", "https://news.example/x?ref=mostread"),
    ("https://news.example/read.php?id=1", "https://news.example/read.php?id=2"),
    ("https://news.example/view?idxno=1", "https://news.example/view?idxno=2"),
    ("https://news.example/x?sid=100", "https://news.example/x?sid=101"),
    ("https://news.example/x?sid=123456789012", "https://news.example/x"),
    ("https://news.example/x?share=1", "https://news.example/x"),
    ("https://news.example/x?source=reuters", "https://news.example/x?source=ap"),
    ("https://news.example/x?cid=5", "https://news.example/x"),
    ("https://news.example/x?campaign=5", "https://news.example/x"),
    ("https://news.example/x?session=3", "https://news.example/x"),
    ("https://news.example/x?utm=33T", "https://news.example/x"),
    ("https://news.example/x?a=1&a=2", "https://news.example/x?a=1"),
    ("https://news.example/x?a", "https://news.example/x"),
    ("https://news.example/x?q=utm_source=a", "https://news.example/x"),
    ("https://news.example/x?q=a%26utm_source=b", "https://news.example/x?q=a"),
    ("https://news.example/x?q=a%2Bb", "https://news.example/x?q=a+b"),
    ("https://news.example/x;v=2", "https://news.example/x"),
    ("https://news.example/amp/x", "https://news.example/x"),
    ("https://news.example/x?print=1", "https://news.example/x"),
    ("https://de.news.example/x", "https://en.news.example/x"),
    ("https://news.example/x.html", "https://news.example/x"),
]


@pytest.mark.parametrize(("spelling", "one"), MERGE)
def test_these_are_one(spelling: str, one: str) -> None:
    assert canonical(spelling) == one


@pytest.mark.parametrize(("one", "other"), APART)
def test_these_stay_apart(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    ("href", "joined"),
    [
        ("/b", "https://news.example/b"),
        ("b", "https://news.example/a/b"),
        ("?page=2", "https://news.example/a/story?page=2"),
        ("//cdn.example/x", "https://cdn.example/x"),
        ("../b", "https://news.example/b"),
        ("\\b", "https://news.example/b"),
        ("#top", HOME),
        ("\\\\cdn.example\\x", "https://cdn.example/x"),
        ("https:b", "https://news.example/a/b"),
        ("http:b", "http://b/"),
        (" /b\t/c ", "https://news.example/b/c"),
        (";v=1", "https://news.example/a/;v=1"),
        ("?", HOME),
        ("", HOME),
    ],
)
def test_relative_addresses_are_joined(href: str, joined: str) -> None:
    assert canonical(href, HOME) == joined


@pytest.mark.parametrize(
    "bad",
    ["javascript:alert(1)", "mailto:a@b.example", "ftp://x.example/", "file:///etc/passwd", "https://", "data:text/html,x", "x",
     "https://a b.example/", "https://[::1", "https://news.example:99999/", "https://news.example/" + "a" * 5000],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(bad: str) -> None:
    assert try_canonical(bad) is None
    with pytest.raises(UsageError):
        canonical(bad)


@given(
    st.lists(st.sampled_from(["/", "//", "\\", "?", "#", ":", "a", "b.example", "..", ".", "https:", "@", " ", "%2e", ";v"])).map("".join),
    st.sampled_from([HOME, "https://news.example", "http://news.example:8080/a/b?c=/d/e", "https://news.example?c=/d/e"]),
)  # fmt: skip
def test_links_are_joined_as_browsers_do(href: str, base: str) -> None:
    """What is found once for a whole host is what joining to each page would give."""
    try:
        joined = try_canonical(join_url(base, href))
    except ValueError:
        joined = None
    assert try_canonical(href, base) == joined


@given(
    st.text(max_size=60),
    st.sampled_from(["https://news.example/", "http://a.example:8080/x?", "https://é.example/", ""]),
)
def test_a_second_time_changes_nothing(text: str, prefix: str) -> None:
    once = try_canonical(prefix + text)
    if once is not None:
        assert canonical(once) == once
        assert "#" not in once
        assert not any(char.isspace() for char in once)


PIECES = [
    *"% 2 5 4 1 %41 %2e %25 %c3 / . .. ? & = ;jsessionid=1 j %73 essionid sid # \\ + é @ : a [ ] | ^ %00 utm_ %5f".split(),
    "http:",
    "?sid=%30123456789abcdef",
    " ",
    "\t",
    "\ud800",
]


@given(
    st.lists(st.sampled_from(PIECES), max_size=9).map("".join),
    st.sampled_from(["https://news.example/", "https://news.example", "//news.example/", ""]),
    st.sampled_from([None, HOME]),
)
def test_a_second_time_changes_nothing_of_hostile_pieces(text: str, prefix: str, base: str | None) -> None:
    once = try_canonical(prefix + text, base)
    if once is not None:
        assert canonical(once) == once


@pytest.mark.parametrize("where", ["/{}", "/?{}", "/?q={}"])
def test_half_of_a_surrogate_pair_is_refused(where: str) -> None:
    with pytest.raises(UsageError):
        canonical("https://news.example" + where.format("\ud800"))


def test_host_and_domain() -> None:
    assert host("https://News.example:443/x") == "news.example"
    assert host("http://news.example:8080/") == "news.example:8080"
    assert host("http://[::1]:80/") == "[::1]"
    assert domain("https://www.news.example/x") == "news.example"
    assert (host("https://[bad"), domain("https://[bad")) == ("", "")


@pytest.mark.parametrize(
    ("url", "registered"),
    [
        ("https://amp.daily.example/x", "daily.example"),
        ("https://www.daily.example/", "daily.example"),
        ("https://m.daily.co.kr/x", "daily.co.kr"),
        ("https://daily.co.kr/x", "daily.co.kr"),
        ("https://edition.daily.com/x", "daily.com"),
        ("https://co.kr/", "co.kr"),
        ("http://localhost:8080/", "localhost"),
    ],
)
def test_who_publishes(url: str, registered: str) -> None:
    assert publication(url) == registered


def test_fronts() -> None:
    for path in ("", "en/", "pt-BR", "index.html", "home", "default.aspx"):
        assert is_front(f"https://news.example/{path}")
    for path in ("?p=12", "news/", "a-story", "en/a-story", "indexing"):
        assert not is_front(f"https://news.example/{path}")
