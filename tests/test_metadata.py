"""The head of a page, in one order of trust, each value with its provenance."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers import jsonld, metadata
from parsers.metadata import Head, people_among
from parsers.page import Page

URL = "https://post.example/2026/03/10/tides"


def head(inner: str, url: str = URL) -> Head:
    return metadata.head(Page(url, f"<html><head>{inner}</head><body></body></html>".encode()))


def ld(value: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(value)}</script>'


ARTICLE = {
    "@type": "NewsArticle",
    "headline": "Tides &amp; boats",
    "datePublished": "2026-03-10T09:00:00+09:00",
    "author": [{"@type": "Person", "name": "Oona Mallory"}, {"@type": "Organization", "name": "The Post"}],
    "articleSection": ["News", "Sea"],
    "keywords": "tides, boats, Sea",
    "isAccessibleForFree": "False",
    "publisher": {"@type": "Organization", "name": "The Post"},
    "image": {"url": "/i.jpg"},
    "mainEntityOfPage": {"@id": URL},
}


def test_json_ld_is_trusted_first() -> None:
    found = head(
        ld(ARTICLE) + '<meta property="og:title" content="OG title"><meta name="author" content="Someone Else">'
    )
    assert found.title is not None
    assert found.title.value == "Tides & boats"
    assert (found.title.provenance.source, found.title.provenance.rule) == ("json-ld", "headline")
    assert [value.value for value in found.titles] == ["Tides & boats", "OG title"]
    assert found.authors is not None
    assert found.authors.value == ("Oona Mallory",)
    assert found.sections is not None
    assert found.sections.value == ("News", "Sea")
    assert found.tags is not None
    assert found.tags.value == ("tides", "boats"), "a section is no tag"
    assert found.paywall is not None
    assert found.paywall.value is True
    assert found.image is not None
    assert found.image.value.url == "https://post.example/i.jpg"
    assert found.kind == "NewsArticle"


def test_without_it_open_graph_and_meta_answer() -> None:
    found = head(
        """<title>Tides | Post</title><meta property="og:title" content="Tides"><meta name="description" content=" The  sea. ">
        <meta property="article:published_time" content="2026-03-10"><meta property="article:section" content="Sea">
        <meta property="article:tag" content="tides"><meta property="article:tag" content="boats"><meta property="og:site_name"
        content="Post"><meta name="author" content="By Oona Mallory and Jo Okafor"><meta property="og:locale" content="en_GB">
        <meta name="robots" content="noindex, NoArchive"><meta name="tdm-reservation" content="1">"""
    )
    assert [value.value for value in found.titles] == ["Tides", "Tides | Post"]
    assert found.description is not None
    assert found.description.value == "The sea."
    assert found.published is not None
    assert found.published.provenance.rule == "article:published_time"
    assert found.authors is not None
    assert found.authors.value == ("Oona Mallory", "Jo Okafor")
    assert found.tags is not None
    assert found.tags.value == ("tides", "boats")
    assert found.language is not None
    assert found.language.value == "en-GB"
    assert found.robots == {"noindex", "noarchive"}
    assert found.tdm_reservation


def test_an_empty_head_says_nothing() -> None:
    assert head("") == Head()


@pytest.mark.parametrize(
    ("inner", "wanted"),
    [
        ('<link rel="canonical" href="/tides?utm_source=x">', "https://post.example/tides"),
        ('<meta property="og:url" content="https://post.example/tides#top">', "https://post.example/tides"),
        ('<link rel="canonical" href="https://post.example/">', None),
        ('<link rel="canonical" href="javascript:void(0)">', None),
        ('<link rel="canonical" href="https://amp.post.example/tides">', "https://amp.post.example/tides"),
        ('<link rel="canonical" href="https://wire.example/tides">', None),
        ('<link rel="canonical" href="/en/">', None),
        ('<link rel="canonical" href="/"><meta property="og:url" content="/tides">', "https://post.example/tides"),
    ],
)
def test_the_canonical_address_is_believed_within_reason(inner: str, wanted: str | None) -> None:
    found = head(inner).canonical
    assert (found.value if found else None) == wanted


def test_other_addresses_of_the_same_text() -> None:
    links = {
        "en": "/tides",
        "en-US": "/us/tides?utm_source=x",
        "de": "/de/gezeiten",
        "x-default": "/",
        "en-AU": "//wire.example/tides",
    }
    inner = "".join(f'<link rel="alternate" hreflang="{code}" href="{href}">' for code, href in links.items())
    found = head(f'<meta property="og:locale" content="en_GB">{inner}')
    assert found.alternates == ("https://post.example/tides", "https://post.example/us/tides")
    assert head(inner).alternates == ()


def test_the_node_about_this_page_is_chosen() -> None:
    other = {**ARTICLE, "headline": "Another story", "mainEntityOfPage": "https://post.example/other"}
    found = head(ld({"@graph": [other, ARTICLE, {"@type": "WebSite", "name": "Post"}]}))
    assert found.title is not None
    assert found.title.value == "Tides & boats"


@pytest.mark.parametrize(
    "text",
    ['{"@type":"NewsArticle","headline":"A",}', '<!-- {"@type":"NewsArticle","headline":"A"} -->',
     '[{"@type":["Thing","NewsArticle"],"headline":"A"}]',
     '{"@type":"NewsArticle","headline":"A\n"}', '{"@graph":[{"@type":"NewsArticle","headline":"A"}]};'],
)  # fmt: skip
def test_broken_json_ld_is_mended(text: str) -> None:
    found = head(f'<script type="application/ld+json">{text}</script>')
    assert found.title is not None
    assert found.title.value == "A"


def test_deep_json_is_no_trap() -> None:
    assert head('<script type="application/ld+json">' + '{"@graph":[' * 5000 + "</script>").title is None


def test_breadcrumbs_are_sections_of_last_resort() -> None:
    crumbs = [("Home", "https://post.example/"), ("Sea", "https://post.example/sea/"), ("Tides", URL)]
    items = [{"@type": "ListItem", "name": name, "item": url} for name, url in crumbs]
    found = head(ld({"@type": "BreadcrumbList", "itemListElement": items}))
    assert found.sections is not None
    assert found.sections.value == ("Sea",)


def test_a_breadcrumb_that_is_no_address_is_passed_over() -> None:
    items = [{"name": "Bad", "item": "http://["}, {"name": "Sea", "item": "https://post.example/sea/"}]
    found = head(ld({"@type": "BreadcrumbList", "itemListElement": items}))
    assert found.sections is not None
    assert found.sections.value == ("Sea",)


def test_half_of_a_surrogate_pair_in_json_can_still_be_written() -> None:
    found = head(
        r"""<script type="application/ld+json">{"@type": "NewsArticle", "headline": "Ti\ud800des", "articleBody": "x\udfff",
        "image": "/\ud800.jpg", "author": {"name": "Oona \ud800 Mallory"}}</script>"""
    )
    assert found.title is not None
    assert found.title.value == "Ti\ufffddes"
    assert found.body is not None
    assert found.body.value == "x\ufffd"
    repr(found).encode()


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["http://[", "/x", URL]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["@id", "@type", "@value", "name", "url", "item", "q"]), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = (
    "headline description datePublished dateModified author creator publisher articleSection keywords image url @id name "
    "mainEntityOfPage mainEntity inLanguage isAccessibleForFree articleBody itemListElement @graph hasPart"
).split()


@given(
    st.sampled_from(["NewsArticle", "BreadcrumbList", "WebPage", ["Thing", "Article"], 3]),
    st.dictionaries(st.sampled_from(KEYS), ANY, max_size=6),
)
def test_no_shape_of_json_ld_raises(kind: object, values: dict[str, object]) -> None:
    text = json.dumps({"@type": kind, **values})
    page = Page(URL, f'<script type="application/ld+json">{text}</script>'.encode())
    assert all(isinstance(node, dict) for node in jsonld.nodes(page))
    metadata.head(page)


@given(st.text(max_size=120) | st.text('{}[]",:@graphtype\\ud8 \n;<!->', max_size=120))
def test_no_text_of_json_ld_raises(text: str) -> None:
    jsonld.nodes(Page(URL, f'<script type="application/ld+json">{text}</script>'.encode()))


@pytest.mark.parametrize(
    ("byline", "people"),
    [
        (["By OONA MALLORY"], ("Oona Mallory",)),
        (["Oona Mallory, Chief Reporter"], ("Oona Mallory",)),
        (["Oona Mallory, Jo Okafor & Li Wei"], ("Oona Mallory", "Jo Okafor", "Li Wei")),
        (["Von Jonas Weber und Lena Hartog"], ("Jonas Weber", "Lena Hartog")),
        (["The Post", "admin", "News Desk", "https://x.example/me", "Staff"], ()),
        (["Oona Mallory", "oona mallory"], ("Oona Mallory",)),
        (["Sammy Davis, Jr"], ("Sammy Davis, Jr",)),
        (["김민지 기자"], ("김민지",)),
        (["정우람 선임기자"], ("정우람",)),
    ],
)
def test_people_among_bylines(byline: list[str], people: tuple[str, ...]) -> None:
    assert people_among(byline, "The Post") == people


@given(st.text(max_size=200))
def test_no_head_raises(text: str) -> None:
    head(
        f'<script type="application/ld+json">{text}</script><meta name="author" content="{text}"><title>{text}</title>'
    )
