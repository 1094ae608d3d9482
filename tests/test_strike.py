"""Words, addresses and names struck out of payloads, however they are written."""

import json
import random
from html import escape
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.text import normalised
from parsers.url import is_removed, removed
from storage.layers import fold, layers, texts
from storage.spotting import addresses_in, names_in
from storage.strike import Target, phrase, strike, strike_text

URL = "https://example.org/2026/11/how-the-owls-of-gochang-learned-to-wait/"
INSTEAD = removed(URL, "0" * 32)
TITLE = "How the “Owls” of Gochang – It’s True – Learned to Wait"
STORY = Target({URL: INSTEAD}, phrases=(phrase(TITLE),))
KANG = Target(names=(phrase("Kang Min-ho"),))


def struck(text: str, target: Target = STORY, *, listing: bool = False, story: bool = False) -> str:
    done = strike(text.encode(), target, base="https://example.org/", listing=listing, story=story)
    return (done or text.encode()).decode()


def numeric(text: str) -> str:
    return "".join(char if char.isascii() else f"&#{ord(char)};" for char in text)


def hexadecimal(text: str) -> str:
    return "".join(char if char.isascii() else f"&#X{ord(char):x};" for char in text)


def named(text: str) -> str:
    return text.replace("“", "&ldquo;").replace("”", "&rdquo;").replace("’", "&rsquo;").replace("–", "&ndash;")


def straight(text: str) -> str:
    return text.replace("“", '"').replace("”", '"').replace("’", "'").replace("–", "-")


WRITTEN = {
    "plain": f"<h1>{TITLE}</h1>",
    "straight": f"<h1>{straight(TITLE)}</h1>",
    "named": f"<h1>{named(TITLE)}</h1>",
    "numeric": f"<h1>{numeric(TITLE)}</h1>",
    "hexadecimal": f"<h1>{hexadecimal(TITLE)}</h1>",
    "upper case": f"<h1>{TITLE.upper()}</h1>",
    "json": f'<script>{{"headline": {json.dumps(TITLE)}}}</script>',
    "json in json": json.dumps({"a": json.dumps({"t": TITLE})}),
    "entities in json": json.dumps({"t": named(TITLE)}),
    "html in xml": f"<x>{escape(f'<p>{named(TITLE)}</p>')}</x>",
    "percent": f'<a href="https://share.example/?t={quote(TITLE)}">share</a>',
    "plus": f'<a href="https://share.example/?t={quote(TITLE).replace("%20", "+")}">share</a>',
    "attribute": f'<img alt="{escape(TITLE)}" src="x.png">',
    "tags between words": "<p>" + TITLE.replace(" ", "</b> <b>") + "</p>",
    "line breaks": f"<h1>{TITLE.replace(' ', chr(10) + '      ')}</h1>",
    "no-break spaces": f"<h1>{TITLE.replace(' ', '&nbsp;')}</h1>",
    "a drop cap": f"<p><span class=cap>{TITLE[0]}</span>{TITLE[1:]}</p>",
    "soft hyphens": f"<h1>{TITLE.replace('Gochang', 'Go&shy;chang').replace('Learned', 'Lear' + chr(173) + 'ned')}</h1>",
    "cut short": f"<p>{TITLE[:52]}…</p>",
    "cdata": f"<item><title><![CDATA[{TITLE}]]></title></item>",
    "comment": f"<!-- {TITLE} -->",
}


@pytest.mark.parametrize("way", WRITTEN)
def test_a_title_is_struck_however_it_is_written(way: str) -> None:
    text = f"before {WRITTEN[way]} after"
    done = struck(text)
    assert "[removed]" in done
    assert done.startswith("before ")
    assert done.endswith(" after")
    for layer in texts(done):
        assert fold("Gochang") not in fold(layer)
        assert "Learned" not in layer


def test_tags_stay_where_they_were() -> None:
    text = "<p>" + TITLE.replace("Gochang", "<em>Gochang</em>") + ". <b>More</b></p>"
    assert struck(text) == "<p>[removed]<em></em>. <b>More</b></p>"


@pytest.mark.parametrize(
    "text",
    [
        "<p>How the owls of Gochang learned to read</p>",
        "<a href='/how-the-owls-of-gochang-it-s-true-learned-to-wait/'>x</a>",
        "<p>Somehow the owls of Gochang: it’s true, learned to wait</p>",
        "<p>how the owls of gochang its true learned to waits</p>",
        "",
    ],
)
def test_other_words_stay(text: str) -> None:
    assert struck(text) == text


@pytest.mark.parametrize(
    "written",
    [
        URL,
        URL.rstrip("/"),
        URL + "#comments",
        URL + "?utm_source=feed",
        URL + "feed/",
        URL.replace("https:", "http:"),
        URL.removeprefix("https:"),
        URL.removeprefix("https://example.org"),
        URL.replace("/", "\\/"),
        URL.replace("https", "HTTPS"),
        quote(URL, safe=""),
        escape(URL + "?utm_a=1&utm_b=2"),
    ],
)
def test_an_address_is_struck_however_it_is_written(written: str) -> None:
    done = struck(f'<p>x</p><a class=c href="{written}">x</a> <b>y</b>')
    assert "owls" not in done
    assert INSTEAD in done
    assert done.startswith("<p>x</p><a class=c ")
    assert done.endswith(">x</a> <b>y</b>")


def test_an_address_inside_another_one_is_struck() -> None:
    done = struck(f'<a href="https://share.example/?u={quote(URL, safe="")}&amp;v=1">x</a>')
    assert done == f'<a href="https://share.example/?u={INSTEAD}&amp;v=1">x</a>'


@pytest.mark.parametrize(
    "other",
    [
        "https://example.org/2026/11/how-the-owls-of-gochang-learned-to-wait-2/",
        "https://example.org/2026/11/",
        "/2026/",
    ],
)
def test_other_addresses_stay(other: str) -> None:
    assert struck(f'<a href="{other}">x</a>') == f'<a href="{other}">x</a>'


def test_an_address_with_parameters() -> None:
    url = "https://example.org/view?id=12&type=story"
    target = Target({url: removed(url, "0" * 32)})
    done = struck(
        '<a href="/view?type=story&amp;utm_source=x&amp;id=12">x</a><a href="/view?id=123&type=story">y</a>', target
    )
    assert done == f'<a href="{target.addresses[url]}">x</a><a href="/view?id=123&type=story">y</a>'


@pytest.mark.parametrize(
    "name", ["how-the-owls-of-gochang-learned-to-wait", "How_the_Owls_of_Gochang_Its_True_Learned_to_Wait"]
)
def test_pictures_named_after_the_story_are_struck(name: str) -> None:
    assert struck(f'<img src="/uploads/{name}-324x235.jpg">') == '<img src="/uploads/[removed].jpg">'
    assert struck(f'<img src="/uploads/{name[:20]}-324x235.jpg">') == f'<img src="/uploads/{name[:20]}-324x235.jpg">'


def test_what_stands_for_an_address_is_an_address_of_its_own() -> None:
    assert is_removed(INSTEAD)
    assert is_removed(INSTEAD + "?a=1")
    assert not is_removed(URL)
    assert not is_removed("https://example.org/removed/bicycle-lanes/")


def test_short_words_are_struck_inside_their_link_alone() -> None:
    target = Target({URL: INSTEAD}, local=(phrase("Weather"),))
    text = f'<h2>Weather</h2><a href="{URL}" title="Weather"><i>Weather</i> today</a><a href="/w/">Weather</a>'
    done = struck(text, target)
    assert (
        done
        == f'<h2>Weather</h2><a href="{INSTEAD}" title="[removed]"><i>[removed]</i> today</a><a href="/w/">Weather</a>'
    )


def test_sentences_are_struck_on_fronts_alone() -> None:
    target = Target(listed=(phrase("The owls wait for seven years before they move."),))
    text = "<p>The owls wait for seven years before they move.</p>"
    assert struck(text, target) == text
    assert struck(text, target, listing=True) == "<p>[removed].</p>"


FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>
<item><title>First</title><link>https://example.org/first/</link><description>See {url} too</description></item>
<item><title>Anything</title><link>{url}</link><guid>x</guid><content:encoded>Any words</content:encoded></item>
<item><title>Third</title><link>https://example.org/third/</link></item></channel></rss>"""


def test_the_entry_of_a_feed_is_emptied_and_keeps_its_place() -> None:
    done = struck(FEED.format(url=URL))
    assert done == FEED.format(url=INSTEAD).replace(
        f"<item><title>Anything</title><link>{INSTEAD}</link><guid>x</guid><content:encoded>Any words</content:encoded></item>",
        f"<item><title>[removed]</title><link>{INSTEAD}</link></item>",
    )


def test_entries_of_atom_sitemaps_and_json_feeds_are_emptied() -> None:
    atom = f'<feed><entry><title>T</title><link href="{URL}"/><summary>S</summary></entry></feed>'
    assert struck(atom) == f'<feed><entry><title>[removed]</title><link href="{INSTEAD}"/></entry></feed>'
    sitemap = (
        f"<urlset><url><loc>{URL}</loc><n:news><n:title>T</n:title></n:news></url><url><loc>/x</loc></url></urlset>"
    )
    assert struck(sitemap) == f"<urlset><url><loc>{INSTEAD}</loc></url><url><loc>/x</loc></url></urlset>"
    items = {"items": [{"id": "1", "url": URL, "title": "T", "content_text": "words"}, {"id": "2", "url": "/b"}]}
    assert json.loads(struck(json.dumps(items))) == {
        "items": [{"url": INSTEAD, "title": "[removed]"}, {"id": "2", "url": "/b"}]
    }


@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le", "utf-16-be", "cp1252", "cp949", "cp932", "gb18030"])
def test_every_codec(codec: str) -> None:
    text = f"<p>é says</p><h1>{straight(TITLE)}</h1><p>after</p>".encode(codec, "ignore")
    done = strike(text, STORY, charset=codec)
    assert done == "<p>é says</p><h1>[removed]</h1><p>after</p>".encode(codec, "ignore")


def test_utf_8_in_a_page_that_says_it_is_something_else() -> None:
    data = b"\xff\xfe bad " + TITLE.encode() + b" \xe9"
    assert strike(data, STORY, charset="cp1252") == b"\xff\xfe bad [removed] \xe9"


def test_bytes_that_are_no_text_stay() -> None:
    noise = random.Random(1).randbytes(2000)
    data = noise + b"<h1>" + TITLE.encode() + b"</h1>" + noise
    assert strike(data, STORY) == noise + b"<h1>[removed]</h1>" + noise
    assert strike(noise, STORY) is None


@given(st.text(max_size=200), st.text(max_size=200))
def test_whatever_stands_around_a_phrase_stays(before: str, after: str) -> None:
    text = f"{before} | {TITLE} | {after}"
    done = strike_text(text, STORY)
    assert fold(TITLE) not in fold(done)
    if fold(TITLE) not in fold(before + after):
        assert done.startswith(before)
        assert done.endswith(after)
        assert strike_text(done, STORY) == done


@given(st.text(alphabet=st.sampled_from("<>&;\\u0027/%2F'\"ab -[]{}:ht tps"), max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    target = Target(STORY.addresses, STORY.phrases, names=KANG.names)
    assert strike_text(text, target, base="https://example.org/", story=True) == text
    for layer in layers(text):
        assert len(layer.text) == len(layer.starts) == len(layer.ends)


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "Kang Min-ho", "KANG MIN-HO", "Kang&nbsp;Min&#8209;ho", "Kang\nMin-ho", "Kang <b>Min-ho</b>", "<td>Kang</td><td>Min-ho</td>",
        '{"name": "Kang\\u0020Min\\u002dho"}', '<meta name="author" content="Kang Min-ho">', "https://x.example/?q=Kang+Min-ho",
        "https://x.example/?q=Kang%20Min-ho", "“Kang Min-ho’s”",
    ],
)  # fmt: skip
def test_a_name_is_struck_however_it_is_written(written: str) -> None:
    done = struck(f"<p>{written}</p>", KANG)
    assert "[removed]" in done
    assert all(fold("kangminho") not in fold(layer) for layer in texts(done))


def test_addresses_that_spell_a_name_stay() -> None:
    text = '<a href="/author/kang-min-ho/">All by this author</a> Kang Min-hoon, Akang Min-ho'
    assert struck(text, KANG) == text


def test_short_mentions_are_struck_in_articles() -> None:
    text = (
        "<p>Kang Min-ho founded it. Then Kang said no. Mayor Kang agreed, and Dr. Kang’s deputy. Kang Hyun-woo and "
        "Daniel Kang are others, and Kangnam is a place.</p>"
    )
    assert struck(text, KANG) == text.replace("Kang Min-ho", "[removed]")
    assert struck(text, KANG, story=True) == (
        "<p>[removed] founded it. Then [removed] said no. Mayor [removed] agreed, and Dr. [removed]’s deputy. Kang Hyun-woo and "
        "Daniel Kang are others, and Kangnam is a place.</p>"
    )
    assert struck("<p>Kang said no.</p>", KANG, story=True) == "<p>Kang said no.</p>"


def test_first_names_and_names_that_are_words_stay() -> None:
    tanabe = Target(names=(phrase("Yuko Tanabe"), phrase("Theresa May")))
    text = "<p>Yuko Tanabe and Theresa May met in May. Tanabe said so, and Yuko Ono.</p>"
    assert struck(text, tanabe, story=True) == (
        "<p>[removed] and [removed] met in May. [removed] said so, and Yuko Ono.</p>"
    )


def test_names_without_spaces() -> None:
    target = Target(names=(phrase("김민호"),))
    assert struck("<p>김민호는 말했다</p>", target) == "<p>[removed]는 말했다</p>"


# -- by hash -----------------------------------------------------------------------------------------------------------


def test_addresses_are_found_by_a_test_alone() -> None:
    page = f'<a href="{URL}?utm_source=x#top">x</a><a href="https://s.example/?u={quote(URL, safe="")}">y</a><a href="/z/">z</a>'
    assert addresses_in(texts(page), "https://example.org/", {URL}.__contains__) == {URL}
    assert addresses_in(texts("<p>nothing</p>"), "https://example.org/", {URL}.__contains__) == set()


def test_names_are_found_by_a_test_alone() -> None:
    known = {
        normalised(name) for name in ("Kang Min-ho", "J. K. Rowling", "김민호", "Ludwig van Beethoven", "Yuko Tanabe")
    }
    page = (
        "“Kang Min-ho’s,” wrote J. K. Rowling. <b>Yuko</b> <i>Tanabe</i> met ludwig; Ludwig van Beethoven, 김민호는 "
        '<meta content="Kang Min-ho"> Min-ho Kang'
    )
    found = names_in(texts(page), lambda name: normalised(name) in known)
    assert found == {"Kang Min-ho", "J. K. Rowling", "김민호", "Ludwig van Beethoven", "Yuko Tanabe"}
