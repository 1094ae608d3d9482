"""Sitemaps as sites write them: index, urlset, news, text, and everything that is wrong with them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers import sitemaps
from parsers.errors import ParseError
from parsers.page import Page
from parsers.sitemaps import MAX_ENTRIES, Listed, Part, lists_stories, read

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
NS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
INDEX = f"""<?xml version="1.0" encoding="UTF-8"?><?xml-stylesheet type="text/xsl" href="/x.xsl"?><!-- made by hand -->
<sitemapindex {NS}><sitemap><loc>https://sea.example/news.xml</loc><lastmod>2026-03-10T08:00:00+09:00</lastmod></sitemap>
<sitemap><loc> /posts-2025-12.xml.gz </loc></sitemap><sitemap><loc>ftp://sea.example/x</loc></sitemap></sitemapindex>"""
URLSET = f"""<urlset {NS} xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"
 xmlns:xhtml="http://www.w3.org/1999/xhtml" xmlns:video="http://www.google.com/schemas/sitemap-video/1.1"><url>
<image:image><image:loc>https://sea.example/boats.jpg</image:loc><image:title>A boat</image:title></image:image>
<loc>https://sea.example/boats?utm_source=map&amp;x=1</loc><lastmod>2026-03-09</lastmod><priority>0.8</priority>
<video:video><video:title>Film</video:title><video:content_loc>https://sea.example/f.mp4</video:content_loc></video:video>
<xhtml:link rel="alternate" hreflang="de" href="https://sea.example/de/boote"/></url>
<url><loc>https://sea.example/boats?x=1</loc></url><url><loc>/fares</loc><lastmod>yesterday</lastmod></url><url/></urlset>"""
NEWS = f"""<urlset {NS} xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"><url>
<loc>https://sea.example/boats</loc><news:news><news:publication><news:name>Sea Post</news:name>
<news:language>ko</news:language></news:publication><news:publication_date>2026-03-10T09:00:00+09:00</news:publication_date>
<news:title><![CDATA[Two boats <b>lost</b> &amp; found]]></news:title></news:news></url></urlset>"""


def page(text: str | bytes, url: str = "https://sea.example/sitemap.xml", kind: str = "application/xml") -> Page:
    body = text.encode() if isinstance(text, str) else text
    return Page(url, body, captured=NOW, headers=(("Content-Type", kind),))


def many(number: int, lastmod: str = "") -> str:
    inner = "".join(f"<url><loc>/story-{n}</loc>{lastmod}</url>" for n in range(number))
    return f"<urlset {NS}>{inner}</urlset>"


def test_an_index_names_its_parts() -> None:
    found = read(page(INDEX))
    assert found.items == ()
    assert found.parts == (
        Part("https://sea.example/news.xml", datetime(2026, 3, 9, 23, 0, tzinfo=UTC)),
        Part("https://sea.example/posts-2025-12.xml.gz", None, datetime(2026, 1, 1, tzinfo=UTC)),
    )
    assert found.newest == datetime(2026, 3, 9, 23, 0, tzinfo=UTC)


def test_images_videos_and_other_languages_are_no_stories() -> None:
    found = read(page(URLSET))
    assert found.items == (
        Listed("https://sea.example/boats?x=1", modified=datetime(2026, 3, 9, tzinfo=UTC)),
        Listed("https://sea.example/fares"),
    )


def test_a_news_sitemap_says_title_date_publication_and_language() -> None:
    found = read(page(NEWS))
    assert found.items == (
        Listed("https://sea.example/boats", "Two boats lost & found", datetime(2026, 3, 10, tzinfo=UTC)),
    )
    assert (found.publication, found.language) == ("Sea Post", "ko")


def test_a_list_of_addresses_is_a_sitemap() -> None:
    found = read(
        page(
            "\ufeffhttps://sea.example/boats\r\n\r\n# a remark\r\nhttps://sea.example/fares\r\n/x\r\n",
            kind="text/plain",
        )
    )
    assert [item.url for item in found.items] == ["https://sea.example/boats", "https://sea.example/fares"]


def test_a_feed_is_read_where_a_sitemap_was_expected() -> None:
    found = read(
        page(
            "<rss><channel><item><link>/boats</link><pubDate>Tue, 10 Mar 2026 08:00:00 GMT</pubDate></item></channel></rss>"
        )
    )
    assert found.items == (Listed("https://sea.example/boats", published=datetime(2026, 3, 10, 8, tzinfo=UTC)),)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (NEWS.replace(' xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"', ""), 1),
        (URLSET.replace("&amp;x", "&x"), 2),
        (URLSET + "\n<!-- served in 0.2 s --><script>x</script> trailing & garbage", 2),
        (URLSET.replace("<urlset", "<sm:urlset", 1).replace("</urlset", "</sm:urlset"), 2),
        (URLSET.replace(f"urlset {NS}", "urlset"), 2),
        ("\n\n  \ufeff" + URLSET.replace("image:title>A", "image:title>\x0bA"), 2),
    ],
    ids=["undeclared prefix", "bare ampersand", "trailing garbage", "prefixed", "no namespace", "odd start"],
)
def test_small_faults_are_forgiven(text: str, count: int) -> None:
    found = read(page(text))
    assert (len(found.items), found.fault) == (count, "")


def test_what_is_whole_before_a_fault_is_read_and_the_fault_is_said() -> None:
    found = read(page(many(5)[:-60]))
    assert len(found.items) == 3
    assert "no element found" in found.fault or "unclosed" in found.fault


def test_a_title_in_another_charset_is_decoded() -> None:
    text = NEWS.replace("Two boats", "한빛일보가 전한 배 두 척").replace(
        "<urlset", '<?xml version="1.0" encoding="euc-kr"?><urlset', 1
    )
    for kind in ("application/xml", "application/xml; charset=euc-kr", "application/xml; charset=utf-8"):
        (item,) = read(page(text.encode("euc-kr"), kind=kind)).items
        assert item.title.startswith("한빛일보가 전한 배 두 척")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<!doctype html><html><body>Not found</body></html>", "is no sitemap"),
        ("<opml/>", "is no sitemap"),
        ("no address here", "no line of it"),
        ("", "no line of it"),
        (f"<urlset {NS}><url><loc>/a</urlset>", "not well-formed"),
        (f'<!DOCTYPE urlset [<!ENTITY a "b">]>{URLSET}', "declares a document type"),
        (f'<!DOCTYPE urlset SYSTEM "https://evil.example/x.dtd">{URLSET}', "declares a document type"),
        (f"<urlset {NS}>" + "<a>" * 200 + "</a>" * 200 + "</urlset>", "nested more than"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        read(page(text))


def test_fifty_thousand_entries_are_read_and_the_rest_is_counted() -> None:
    found = read(page(many(MAX_ENTRIES + 7)))
    assert (len(found.items), found.over) == (MAX_ENTRIES, 7)
    lines = "".join(f"https://sea.example/{n}\n" for n in range(MAX_ENTRIES + 7))
    found = read(page(lines, kind="text/plain"))
    assert (len(found.items), found.over) == (MAX_ENTRIES, 7)


def test_larger_than_the_protocol_allows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemaps, "MAX_BYTES", 100)
    with pytest.raises(ParseError, match="larger than 100 bytes"):
        read(page(URLSET))


@pytest.mark.parametrize(
    ("lastmod", "number", "believed"),
    [
        ("2026-03-10T08:59:59Z", 10, True),
        ("2026-03-10T08:59:59Z", 11, False),
        ("2026-03-10", 500, True),
        ("2026-03-10", 501, False),
        ("2026-03-12", 1, False),
        ("1970-01-01T00:00:00Z", 1, False),
        ("9999-12-31T23:59:59-14:00", 1, False),
    ],
)
def test_dates_that_say_nothing_of_the_story_are_left_out(lastmod: str, number: int, believed: bool) -> None:
    found = read(page(many(number, f"<lastmod>{lastmod}</lastmod>")))
    assert len(found.items) == number
    assert (found.newest is not None) is believed


@pytest.mark.parametrize(
    ("path", "until"),
    [
        ("/sitemap-2015-03.xml", datetime(2015, 4, 1, tzinfo=UTC)),
        ("/sitemap-2015.xml.gz", datetime(2016, 1, 1, tzinfo=UTC)),
        ("/sitemaps/2015/12/31/stories.xml", datetime(2016, 1, 1, tzinfo=UTC)),
        ("/sitemap.xml?yyyy=2015&mm=02&dd=28", datetime(2015, 3, 1, tzinfo=UTC)),
        ("/sitemap-20150301.xml", datetime(2015, 3, 2, tzinfo=UTC)),
        ("/sitemap-2015-02-31.xml", None),
        ("/post-sitemap12.xml", None),
        ("/sitemap-120150.xml", None),
    ],
)
def test_the_address_of_a_part_says_how_old_it_is(path: str, until: datetime | None) -> None:
    (part,) = read(
        page(f"<sitemapindex {NS}><sitemap><loc>{path.replace('&', '&amp;')}</loc></sitemap></sitemapindex>")
    ).parts
    assert part.until == until


def test_parts_of_tags_and_authors_list_no_stories() -> None:
    stories = [
        "post-sitemap3.xml",
        "news.xml",
        "sitemap.xml?page=2",
        "sitemaps/page-2.xml",
        "wp-sitemap-posts-post-1.xml",
    ]
    others = [
        "post_tag-sitemap.xml",
        "category-sitemap.xml",
        "author-sitemap.xml",
        "page-sitemap.xml",
        "wp-sitemap-users-1.xml",
    ]
    others += ["wp-sitemap-taxonomies-category-1.xml", "wp-sitemap-posts-page-1.xml", "sitemap-images.xml.gz"]
    for path in stories:
        assert lists_stories(Part(f"https://sea.example/{path}")), path
    for path in others:
        assert not lists_stories(Part(f"https://sea.example/{path}")), path


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_our_error(body: bytes) -> None:
    for wrapped in (
        body,
        b"<urlset><url><loc>" + body,
        b"<sitemapindex><sitemap><lastmod>" + body,
        b"https://x/\n" + body,
    ):
        try:
            read(page(wrapped))
        except ParseError:
            continue
