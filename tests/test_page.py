"""The charset: BOM; else valid UTF-8; else the first label that decodes; else the detector."""

import codecs

import pytest

from parsers.page import Page

KOREAN = (
    "<html><head>{}<title>한국어 신문 기사의 제목</title></head>"
    "<body><p>서울에서 열린 회의에서 전문가들은 이렇게 말했다.</p></body></html>"
)
META = '<meta charset="{}">'


def page(text: str, codec: str, header: str | None = None, meta: str | None = None) -> Page:
    body = text.format(META.format(meta) if meta else "").encode(codec)
    return Page("https://a.example/", body, headers=(("Content-Type", header),) if header else ())


@pytest.mark.parametrize(
    ("made", "source"),
    [
        (page(KOREAN, "utf-8-sig", meta="euc-kr"), "bom"),
        (page(KOREAN, "utf-8", header="text/html; charset=iso-8859-1", meta="euc-kr"), "utf-8"),
        (page(KOREAN, "utf-8"), "utf-8"),
        (page(KOREAN, "euc-kr", header="text/html; charset=EUC-KR"), "header"),
        (page(KOREAN, "cp949", meta="euc-kr"), "meta"),
        (page(KOREAN, "euc-kr", header="text/html; charset=x-unknown", meta="euc-kr"), "meta"),
        (page(KOREAN, "euc-kr", header="text/html; charset=utf-8", meta="euc-kr"), "meta"),
        (page(KOREAN, "euc-kr"), "detector"),
    ],
)
def test_korean_is_read_however_it_is_labelled(made: Page, source: str) -> None:
    assert made.charset.source == source
    assert "한국어 신문 기사의 제목" in made.text
    title = made.tree.css_first("title")
    assert title is not None
    assert title.text() == "한국어 신문 기사의 제목"


JAPANESE = "<html><head>{}<title>港の水位が上昇</title></head><body><p>専門家は会議でこう述べた。</p></body></html>"


@pytest.mark.parametrize(
    ("header", "meta", "source"),
    [
        ("text/html; charset=Shift_JIS", None, "header"),
        ("text/html", "x-sjis", "meta"),
        ('text/html; charset="no-such-charset"', "shift_jis", "meta"),
    ],
)
def test_japanese_is_read_by_its_label(header: str, meta: str | None, source: str) -> None:
    made = page(JAPANESE, "cp932", header=header, meta=meta)
    assert (made.charset.name, made.charset.source) == ("cp932", source)
    assert "港の水位が上昇" in made.text


def test_a_meta_read_byte_by_byte_cannot_mean_utf_16() -> None:
    """WHATWG HTML, "prescan a byte stream": such a label means UTF-8."""
    made = Page("https://a.example/", b'<meta charset="utf-16"><p>hello!</p>')
    assert len(made.body) % 2 == 0, "an odd number of bytes is no UTF-16 anyway"
    assert made.text == '<meta charset="utf-16"><p>hello!</p>'


@pytest.mark.parametrize("label", ["hex", "rot13", "idna", "undefined", "\x00", "utf-7", "unicode_escape", "mbcs"])
def test_labels_that_are_no_charsets_of_the_web_raise_nothing(label: str) -> None:
    made = Page(
        "https://a.example/", b"<p>caf\xe9 tide</p>", headers=(("Content-Type", f"text/html; charset={label}"),)
    )
    assert "tide" in made.text
    assert made.tree.css_first("p") is not None


def test_utf_16_by_its_mark() -> None:
    made = Page("https://a.example/", codecs.BOM_UTF16_LE + "<p>été</p>".encode("utf-16-le"))
    assert (made.text, made.charset.source) == ("<p>été</p>", "bom")


def test_a_label_of_latin_1_means_windows_1252() -> None:
    made = Page(
        "https://a.example/", b"<p>\x93caf\xe9\x94</p>", headers=(("content-type", "text/html; charset=ISO-8859-1"),)
    )
    assert made.text == "<p>“café”</p>"


def test_a_body_cut_inside_a_character_is_still_utf_8() -> None:
    made = Page("https://a.example/", "<p>한국".encode()[:-1], truncated=True)
    assert made.charset == ("utf-8", "utf-8")
    assert "한" in made.text


def test_plain_ascii_is_ascii() -> None:
    assert Page("https://a.example/", b"<p>x</p>").charset.source == "ascii"


def test_no_bytes_raise() -> None:
    for body in (b"", b"\x00", bytes(range(256)), b"\xff\xfe\x00", b"<meta charset=utf-7>+ADw-\xff"):
        assert isinstance(Page("https://a.example/", body).text, str)


def test_headers_are_found_in_any_case() -> None:
    made = Page("https://a.example/", b"", headers=(("CONTENT-Type", "Text/HTML; charset=x"), ("ETag", '"1"')))
    assert made.content_type == "text/html"
    assert made.header("etag") == '"1"'
    assert made.header("x") is None
    assert made.asked == made.url


def test_soup_and_tree_see_the_same() -> None:
    made = Page("https://a.example/", b"<h1>One</h1>")
    assert made.soup.h1 is not None
    assert made.soup.h1.text == made.tree.css("h1")[0].text() == "One"
