"""robots.txt: what RFC 9309 says, and what people write all the same."""

import random

import pytest

from scraper.robots import MAX_BYTES, allowed, crawl_delay, sitemaps

EVERYONE = "User-agent: *\n"
SITE = "https://hanbit-daily.example"


def may(rules: str | bytes, path: str, agent: str = "newsmorgue") -> bool:
    return allowed(rules.encode() if isinstance(rules, str) else rules, agent, SITE + path)


# Rules for everyone, a path, whether it may be fetched, and why.
PATHS = [
    ("", "/a", True, "an empty file forbids nothing"),
    ("Disallow:", "/a", True, "an empty path is no rule"),
    ("Disallow: /", "/a", False, "everything"),
    ("Disallow: /", "/robots.txt", True, "robots.txt itself is always allowed (2.2.2)"),
    ("Disallow: /", "/robots.txt?v=2", False, "but only itself"),
    ("Disallow: /press", "/press", False, "a prefix"),
    ("Disallow: /press", "/pressroom/1", False, "a prefix is no folder"),
    ("Disallow: /press/", "/press", True, "a folder is no file"),
    ("Disallow: /press", "/Press", True, "paths know upper and lower case (2.2.2)"),
    ("Disallow: press", "/press", True, "a rule must begin like a path"),
    ("Disallow: /print\nAllow: /print/free", "/print/free/1", True, "the longest match wins (2.2.2)"),
    ("Allow: /print/free\nDisallow: /print", "/print/free/1", True, "in whatever order"),
    ("Allow: /print\nDisallow: /print/paid", "/print/paid", False, "longest match, for Disallow too"),
    ("Disallow: /tie\nAllow: /tie", "/tie", True, "of equals, Allow wins"),
    ("Allow: /\nDisallow: /private", "/private/x", False, "Allow: / opens nothing that is forbidden"),
    ("Allow: /list\nDisallow: /*.htm", "/list.htm", False, "stars count as characters"),
    ("Allow: /list.\nDisallow: /*.htm", "/list.htm", True, "of equal length with the star"),
    ("Disallow: /*.pdf", "/a/b.pdf?x=1", False, "a star stands for anything"),
    ("Disallow: /*.pdf$", "/a/b.pdf", False, "a dollar is the end"),
    ("Disallow: /*.pdf$", "/a/b.pdf?x=1", True, "and nothing may follow it"),
    ("Disallow: /a$b", "/a$b/c", False, "in the middle it is a dollar"),
    ("Disallow: /$", "/", False, "the front page alone"),
    ("Disallow: /$", "/a", True, "the front page alone"),
    ("Disallow: /a*b*c", "/axxbyyc", False, "several stars"),
    ("Disallow: /a*b*c", "/axxcyyb", True, "in order"),
    ("Disallow: /a*aa$", "/aa", True, "pieces do not overlap"),
    ("Disallow: /a*aa$", "/aaa", False, "pieces do not overlap"),
    ("Disallow: /a***b", "/ab", False, "stars in a row"),
    ("Disallow: *", "/a", False, "a star alone"),
    ("Disallow: *.php", "/x/a.php", False, "a star first"),
    ("Disallow: /*$", "/a", False, "star and dollar"),
    ("Disallow: /story?id=", "/story?id=7", False, "the query belongs to it"),
    ("Disallow: /*?", "/story?id=7", False, "a question mark is one"),
    ("Disallow: /*?", "/story", True, "a question mark is one"),
    ("Disallow: /a#b", "/a", False, "what follows # is a comment"),
    ("#Disallow: /", "/a", True, "a comment"),
    ("Disallow: /a # no", "/a", False, "space before a comment is no path"),
    ("Disallow: /기사", "/%EA%B8%B0%EC%82%AC/1", False, "beyond ASCII it is escaped before comparing (2.2.2)"),
    ("Disallow: /%ea%b8%b0", "/%EA%B8%B0/1", False, "escapes know no upper and lower case"),
    ("Disallow: /%EA%B8%B0", "/기/1", False, "an address that is not escaped, either"),
    ("Disallow: /%7Ekim/", "/~kim/a", False, "unreserved characters need no escape"),
    ("Disallow: /~kim/", "/%7Ekim/a", False, "unreserved characters need no escape"),
    ("Disallow: /a%2Fb", "/a/b", True, "a reserved character is not its escape"),
    ("Disallow: /a%2fb", "/a%2Fb", False, "a reserved character is not its escape"),
    ("Disallow: /a%2Ab", "/a*b", True, "an escaped star is no star"),
    ("Disallow: /\nAllow: /기사", "/%EA%B8%B0%EC%82%AC", True, "Allow is escaped too"),
    ("Disallow: /\nAllow: /%6Bim", "/kim", False, "but allows only what it says"),
    ("Disallow: /\nAllow: /desk/index.html", "/desk/", True, "a folder's index is the folder"),
    ("Disallow: /\nAllow: /desk/index.html", "/desk/index.html", True, "and itself"),
    ("Disallow: /\nAllow: /desk/index.html", "/desk/a", False, "and nothing else"),
    ("Disallow: /desk/index.html", "/desk/", True, "the other way round it is not"),
    ("disallow:/private/", "/private/x", False, "without spaces, in lower case, without a last newline"),
    ("DISALLOW:\t/private/\t", "/private/x", False, "tabs"),
    ("  Disallow :  /private/  ", "/private/x", False, "spaces everywhere"),
    ("Disallow /private/", "/private/x", False, "without the colon"),
    ("Disallow /private/ /x/", "/private/x", True, "but then only two words are clear"),
    ("Dissallow: /a\nDisalow: /b\nDissalow: /c\nDiasllow: /d\nDisallaw: /e", "/a", False, "misspelt"),
    ("Dissallow: /a\nDisalow: /b\nDissalow: /c\nDiasllow: /d\nDisallaw: /e", "/e", False, "misspelt"),
    ("Disallow: /a\nNoindex: /\nHost: x\nFoo bar baz\n:::\nDisallow: /b", "/b", False, "unknown lines are passed over"),
    ("Disallow: /a\0b", "/ab", False, "a NUL does not void the file"),
    ("Disallow: //double", "//double/1", False, "two slashes are a path"),
]


@pytest.mark.parametrize(("rules", "path", "expected", "why"), PATHS, ids=[f"{r}-{p}" for r, p, _, _ in PATHS])
def test_paths(rules: str, path: str, expected: bool, why: str) -> None:
    assert may(EVERYONE + rules, path) is expected, why


GROUPS = """\
Disallow: /before-any-agent
User-agent: *
Disallow: /everyone
Sitemap: https://hanbit-daily.example/one.xml

User-agent: Morning-Reader
User-agent: evening_reader/2.1
Foo: bar

Disallow: /both

Allow: /both/free
User-agent: Quiet
User-agent: MORNING-READER
Disallow: /again
User-agent: Free
Disallow:
User-agent: Two Words
Disallow: /two
"""
AGENTS = [
    ("newsmorgue", "/everyone", False, "no group of its own: that for everyone"),
    ("newsmorgue", "/both", True, "no group of its own"),
    ("newsmorgue", "/before-any-agent", True, "rules outside groups are ignored"),
    ("Morning-Reader", "/everyone", True, "a group of its own: not that for everyone"),
    ("Morning-Reader", "/both", False, "one group for two agents"),
    ("Morning-Reader", "/both/free", True, "blank lines end nothing"),
    ("Morning-Reader", "/again", False, "several groups are one (2.2.1)"),
    ("morning-reader/3.0 (+https://a.example)", "/again", False, "case and version do not matter"),
    ("evening_reader", "/both", False, "unknown lines between agents and rules"),
    ("evening_reader", "/again", True, "not named there"),
    ("Evening", "/both", True, "no part of a token is the token"),
    ("Quiet", "/again", False, "listed before the rules"),
    ("Free", "/everyone", True, "a group without rules allows everything"),
    ("Two", "/two", False, "an agent's line counts up to its first space"),
    ("Two Words", "/everyone", False, "which is not an agent's name"),
]


@pytest.mark.parametrize(("agent", "path", "expected", "why"), AGENTS, ids=[f"{a}-{p}" for a, p, _, _ in AGENTS])
def test_groups(agent: str, path: str, expected: bool, why: str) -> None:
    assert may(GROUPS, path, agent) is expected, why


def test_groups_for_everyone_are_merged_too() -> None:
    rules = "User-agent: *\nDisallow: /a\n\nUser-agent: x\nDisallow: /\n\nUser-agent: *\nDisallow: /b\n"
    assert [may(rules, path) for path in ("/a", "/b", "/c")] == [False, False, True]


@pytest.mark.parametrize("line", ["User-agent: * everyone", "user agent: *", "Useragent:*", "USER-AGENT *"])
def test_ways_to_say_everyone(line: str) -> None:
    assert not may(f"{line}\nDisallow: /", "/a")


@pytest.mark.parametrize("line", ["User-agent: *bot", "User-agent:", "User-agent: 한빛", "User-agent: 7"])
def test_lines_that_name_nobody(line: str) -> None:
    assert may(f"{line}\nDisallow: /", "/a")
    assert may(f"{line}\nDisallow: /", "/a", agent="")


@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r", "\n\r", "\r\n\n"])
def test_line_ends(eol: str) -> None:
    rules = eol.join(["User-agent: *", "", "Disallow: /private/", "Allow: /private/open"])
    assert not may(rules, "/private/x")
    assert may(rules, "/private/open")


def test_bytes_that_are_no_text() -> None:
    latin = "User-agent: *\nDisallow: /caf\xe9\nDisallow: /plain\n".encode("latin-1")
    assert not may(latin, "/plain")
    assert not may(latin, "/caf%E9")
    assert not may(b"\xef\xbb\xbfUser-agent: *\nDisallow: /", "/a"), "a BOM is skipped"
    for utf16 in ("utf-16", "utf-16-be"):
        encoded = b"\xfe\xff" * (utf16 == "utf-16-be") + "User-agent: *\nDisallow: /".encode(utf16)
        assert may(encoded, "/a"), "UTF-16 holds no rules (2.3: UTF-8)"


def test_a_page_in_its_place_holds_no_rules() -> None:
    page = b"<!doctype html><title>Hanbit</title>\n<style>a{color:red}</style>\n<p>Disallow: / is what we never say"
    assert may(page, "/a")


def test_only_the_first_500_kib_count() -> None:
    start = b"User-agent: *\nDisallow: /first\n"
    filler = b"# padding\n" * (MAX_BYTES // 10)
    late = start + filler + b"Disallow: /late\n"
    assert len(late) > MAX_BYTES
    assert not may(late, "/first")
    assert may(late, "/late")
    assert not may(start + filler[: MAX_BYTES - len(start) - 100] + b"\nDisallow: /late\n", "/late")


def test_very_long_lines_are_cut() -> None:
    rules = "User-agent: *\nDisallow: /" + "a" * 20_000 + "\nDisallow: /b\n"
    assert not may(rules, "/b")
    assert not may(rules, "/" + "a" * 20_000)
    assert may(rules, "/" + "a" * 10_000)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://hanbit-daily.example", False),
        ("https://hanbit-daily.example?x=1", False),
        ("https://hanbit-daily.example/", False),
        ("https://hanbit-daily.example#top", False),
        ("//hanbit-daily.example/", False),
        ("", False),
        ("https://hanbit-daily.example/a", True),
        ("https://hanbit-daily.example/a#/", True),
        ("https://hanbit-daily.example/a?u=https://b.example/", True),
    ],
)
def test_the_path_of_an_address(url: str, expected: bool) -> None:
    assert allowed(b"User-agent: *\nDisallow: /$\nDisallow: /?x", "newsmorgue", url) is expected


@pytest.mark.parametrize(
    ("rules", "agent", "expected"),
    [
        ("", "newsmorgue", None),
        ("User-agent: *\nCrawl-delay: 2", "newsmorgue", 2.0),
        ("User-agent: *\ncrawl-delay:0.5s", "newsmorgue", 0.5),
        ("User-agent: *\nCrawl-delay: soon", "newsmorgue", None),
        ("User-agent: *\nCrawl-delay: -1", "newsmorgue", None),
        ("User-agent: *\nCrawl-delay: inf", "newsmorgue", None),
        ("User-agent: *\nCrawl-delay: 2\nDisallow: /a\nCrawl-delay: 5", "newsmorgue", 5.0),
        ("Crawl-delay: 9\nUser-agent: *\nDisallow: /a", "newsmorgue", None),
        ("User-agent: slow\nCrawl-delay: 10\n\nUser-agent: *\nDisallow: /a", "newsmorgue", None),
        ("User-agent: slow\nCrawl-delay: 10\n\nUser-agent: *\nDisallow: /a", "slow", 10.0),
        ("User-agent: slow\nCrawl-delay: 10\nUser-agent: *\nCrawl-delay: 3\nDisallow: /a", "newsmorgue", 3.0),
        ("User-agent: slow\nCrawl-delay: 10\nUser-agent: *\nCrawl-delay: 3\nDisallow: /a", "slow", 10.0),
        ("User-agent: a\nUser-agent: b\nDisallow: /x\nCrawl-delay: 4", "a", 4.0),
        ("User-agent: *\nCrawl-delay: 4\nUser-agent: newsmorgue\nDisallow: /x", "newsmorgue/1 (+x)", None),
    ],
)
def test_crawl_delay(rules: str, agent: str, expected: float | None) -> None:
    assert crawl_delay(rules.encode(), agent) == expected


def test_sitemaps() -> None:
    rules = (
        b"Sitemap: https://hanbit-daily.example/a.xml\nUser-agent: x\nDisallow: /\n"
        b"site-map: https://hanbit-daily.example/b.xml # news\nSITEMAP: https://hanbit-daily.example/a.xml\n"
        b"Sitemap: /relative.xml\nSitemap: ftp://hanbit-daily.example/c.xml\n"
    )
    assert sitemaps(rules) == ("https://hanbit-daily.example/a.xml", "https://hanbit-daily.example/b.xml")


def test_nothing_raises_and_nothing_takes_long() -> None:
    dice = random.Random(7)
    words = [
        b"User-agent:",
        b"*",
        b"Disallow:",
        b"Allow",
        b"/",
        b"$",
        b"%",
        b"%C",
        b"\xff",
        b"\0",
        b"\r",
        b"\n",
        b"#",
        b"a",
    ]
    for _ in range(500):
        rules = b"".join(dice.choice(words) for _ in range(60))
        path = "".join(dice.choice("/a*$%?é") for _ in range(12))
        assert isinstance(allowed(rules, "newsmorgue", SITE + path), bool)
        assert crawl_delay(rules, "newsmorgue") is None
    stars = b"User-agent: *\nDisallow: /" + b"*a" * 8000 + b"b\n"
    agents = b"User-agent: x\n" * 16_000 + b"Disallow: /a\n" * 16_000
    assert allowed(stars, "newsmorgue", SITE + "/" + "a" * 4000)
    assert not allowed(agents, "x", SITE + "/a")
