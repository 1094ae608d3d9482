"""RSS, Atom and JSON feeds; hostile XML."""

import codecs
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers import links
from parsers.errors import ParseError
from parsers.feeds import MAX_ITEMS, items
from parsers.page import Page

RSS = """<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
<title>Sea &amp; Post</title><item><title><![CDATA[Two boats <b>lost</b>]]></title><link>https://sea.example/boats?utm_source=rss</link>

<description>&lt;p&gt;High &amp;amp; rising&lt;/p&gt;</description><category>Harbor</category>
<pubDate>Tue, 10 Mar 2026 09:00:00 +0900</pubDate>
</item><item><title>Fares</title><guid isPermaLink="true">https://sea.example/fares</guid></item>
<item><title>Boats again</title><link>https://sea.example/boats</link></item><item><title>No link</title></item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Sea Post</title><entry><title>Two boats lost</title>
<link rel="self" href="/x"/>
<link href="/boats"/><summary>High and rising</summary><published>2026-03-10T00:00:00Z</published></entry></feed>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns="http://purl.org/rss/1.0/"><channel><title>Sea</title>
</channel><item><title>Two boats lost</title><link>https://sea.example/boats</link></item></rdf:RDF>"""
JSON = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Sea",
        "items": [{"url": "/boats", "title": "Two boats lost"}, 3],
    }
)


def page(text: str) -> Page:
    return Page("https://sea.example/feed/", text.encode())


@pytest.mark.parametrize("text", [RSS, ATOM, RDF, JSON], ids=["rss", "atom", "rdf", "json"])
def test_every_kind_is_known_and_read(text: str) -> None:
    assert links.looks_like_feed(page(text))
    found = links.feed(page(text))
    assert (found.cards[0].url, found.cards[0].position) == ("https://sea.example/boats", 1)
    assert found.cards[0].title == "Two boats lost"


def test_rss_in_full() -> None:
    title, found = items(page(RSS))
    assert title == "Sea & Post"
    assert [item.url for item in found] == ["https://sea.example/boats", "https://sea.example/fares"]
    assert (found[0].teaser, found[0].section) == ("High & rising", "Harbor")
    assert found[0].published is not None
    assert found[0].published.utc is not None
    assert found[0].published.utc.isoformat() == "2026-03-10T00:00:00+00:00"


def test_a_web_page_is_no_feed() -> None:
    assert not links.looks_like_feed(page("<!doctype html><html><body>rss feed</body></html>"))
    with pytest.raises(ParseError):
        links.feed(page("<html></html>"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "b">]><rss><channel/></rss>', "document type"),
        ("<rss><channel><item></channel></rss>", "not well-formed"),
        ("<opml></opml>", "no feed"),
        ('{"items": 3}', "no JSON feed"),
        ("{", "no JSON feed"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        items(page(text))


def test_a_bare_ampersand_and_control_characters_are_forgiven() -> None:
    text = "<rss><channel><item><title>Fish & chips \x0b</title><link>https://sea.example/a?x=1&y=2</link></item></channel></rss>"
    _, found = items(page(text))
    assert (found[0].title, found[0].url) == ("Fish & chips", "https://sea.example/a?x=1&y=2")


@pytest.mark.parametrize(
    "text",
    [
        RSS.replace(' xmlns:dc="http://purl.org/dc/elements/1.1/"', "").replace(
            "</item>", "<dc:creator>A</dc:creator></item>"
        ),
        RSS + "<!-- 0.2 s --><script>x & y</script>",
        RSS.replace("https://sea.example/boats<", "/boats<").replace("https://sea.example/boats?", "../boats?"),
        RSS.replace("</channel></rss>", "<item><title>cut in the mid"),
        RSS.replace("Sea &amp; Post", "Sea & Post").replace("Fares", "<![CDATA[Fares & tolls]]>"),
        "\n" + RSS.replace("Sea", "\x08Sea"),
    ],
    ids=["undeclared prefix", "trailing garbage", "relative", "cut", "bare and CDATA ampersand", "odd start"],
)
def test_small_faults_are_forgiven(text: str) -> None:
    title, found = items(page(text))
    assert title == "Sea & Post"
    assert [item.url for item in found] == ["https://sea.example/boats", "https://sea.example/fares"]
    assert found[0].title == "Two boats lost"
    assert found[1].title in ("Fares", "Fares & tolls")


@pytest.mark.parametrize(
    "label", ["application/rss+xml", "application/rss+xml; charset=utf-8", "text/xml; charset=euc-kr"]
)
def test_a_feed_in_another_charset_is_decoded(label: str) -> None:
    text = RSS.replace("UTF-8", "euc-kr").replace("Two boats", "한빛일보가 전한 배 두 척이 사라진 밤")
    made = Page("https://sea.example/feed/", text.encode("euc-kr"), headers=(("Content-Type", label),))
    assert items(made)[1][0].title == "한빛일보가 전한 배 두 척이 사라진 밤 lost"


def test_a_mark_before_a_json_feed_is_forgiven() -> None:
    marked = Page("https://sea.example/feed/", codecs.BOM_UTF8 + JSON.encode())
    assert links.looks_like_feed(marked)
    assert [item.url for item in items(marked)[1]] == ["https://sea.example/boats"]


def test_half_of_a_surrogate_pair_in_a_json_feed_can_still_be_written() -> None:
    title, found = items(
        page(r'{"title": "Sea \ud800", "items": [{"url": "/a\ud800", "title": "\ud800", "summary": "<p>\ud800"}]}')
    )
    assert title == "Sea \ufffd"
    assert (found[0].title, found[0].teaser) == ("\ufffd", "\ufffd")
    assert found[0].url == "https://sea.example/a%EF%BF%BD"


@pytest.mark.parametrize(
    "declared",
    [
        '<!DOCTYPE rss SYSTEM "https://evil.example/x.dtd">',
        '<!DOCTYPE rss [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        '<?xml version="1.0"?>' + "<!-- long -->" * 500 + '<!DOCTYPE rss [<!ENTITY a "b">]>',
    ],
    ids=["external", "billion laughs", "file", "late"],
)
def test_declarations_are_refused_wherever_they_stand(declared: str) -> None:
    with pytest.raises(ParseError, match="document type"):
        items(page(f"{declared}<rss><channel><item><title>&a;</title><link>/a</link></item></channel></rss>"))


@pytest.mark.parametrize("kind", ["xml", "json"])
def test_twenty_thousand_items_are_capped(kind: str) -> None:
    if kind == "xml":
        inner = "".join(f"<entry><link href='/{n}'/><title>{n}</title></entry>" for n in range(20_000))
        text = f"<feed xmlns='http://www.w3.org/2005/Atom'>{inner}</feed>"
    else:
        text = json.dumps({"items": [{"url": f"/{n}", "title": str(n)} for n in range(20_000)]})
    found = items(page(text))[1]
    assert len(found) == MAX_ITEMS
    assert (found[0].title, found[-1].title) == ("0", str(MAX_ITEMS - 1))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_our_error(body: bytes) -> None:
    for wrapped in (body, b"<rss>" + body + b"</rss>", b'{"items": [{"url": "' + body + b'"}]}', b"\xff\xfe" + body):
        made = Page("https://sea.example/feed/", wrapped)
        links.looks_like_feed(made)
        try:
            items(made)
        except ParseError:
            continue


def test_the_number_of_items_is_capped() -> None:
    entries = "".join(
        f"<item><title>{n}</title><link>https://sea.example/{n}</link></item>" for n in range(MAX_ITEMS + 500)
    )
    assert len(items(page(f"<rss><channel>{entries}</channel></rss>"))[1]) == MAX_ITEMS


@given(st.text(max_size=200))
def test_no_text_raises_anything_but_our_error(text: str) -> None:
    for wrapped in (text, f"<rss><channel>{text}</channel></rss>", f'{{"items": [{text}]}}'):
        try:
            items(page(wrapped))
        except ParseError:
            continue


def test_a_date_that_cannot_be_right_dates_no_story() -> None:
    entries = "".join(
        f"<item><title>Two boats lost in the tide {n}</title><link>https://x.example/{n}</link><pubDate>{date}</pubDate></item>"
        for n, date in enumerate(
            ("Tue, 10 Mar 2026 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "Tue, 10 Mar 2099 00:00:00 GMT")
        )
    )
    body = f'<?xml version="1.0"?><rss version="2.0"><channel><title>Sea</title>{entries}</channel></rss>'.encode()
    found = links.feed(Page("https://x.example/feed", body, captured=datetime(2026, 3, 11, tzinfo=UTC)))
    assert list(found.published) == ["https://x.example/0"]
    assert len(found.cards) == 3
