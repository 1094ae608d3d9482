"""`Page`: one captured response, decoded and parsed at most once."""

import codecs
import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

from parsers.nesting import shallow

if TYPE_CHECKING:
    from bs4 import BeautifulSoup
    from selectolax.lexbor import LexborHTMLParser

CharsetSource = Literal["bom", "utf-8", "header", "meta", "detector", "ascii"]

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins like that of UTF-16
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HEADER_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([^\s;\"']+)", re.IGNORECASE)
_META_CHARSET = re.compile(rb"<meta[^>]{0,500}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
# WHATWG Encoding Standard, section 4.2: labels that mean another, larger encoding.
_LABELS = {
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "iso-8859-9": "cp1254",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "ksc5601": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "sjis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "tis-620": "cp874",
    "windows-874": "cp874",
    "windows-949": "cp949",
    "windows-31j": "cp932",
    "x-euc-jp": "euc_jp",
    "x-gbk": "gb18030",
    "big5": "big5hkscs",
    "x-cp1251": "cp1251",
    "x-cp1252": "cp1252",
}
_OF_ASCII_BYTES = ("utf-16", "utf-7", "iso2022", "iso-2022", "csiso2022", "hz")
"""Encodings whose bytes may all be those of ASCII: there a label must be believed."""
_FIRST_OF_UTF16 = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
"""Markup in UTF-16 without BOM (XML 1.0, appendix F)."""
_FEW = 20
"""Characters beyond ASCII for each byte that is no UTF-8."""


class Charset(NamedTuple):
    """Name of a Python codec and how it was found."""

    name: str
    source: CharsetSource


@dataclass(frozen=True)
class Page:
    """One captured response.

    `asked`: the address asked for; `url`: the address given in the end (after redirects).
    `body`: bytes with the content coding (gzip ...) taken off. `headers`: as received, in order, names in any case.
    `captured`: aware UTC instant of the response, None where not known (an imported file).
    `truncated`: the body is known to be incomplete.
    """

    url: str
    body: bytes
    asked: str = ""
    captured: datetime | None = None
    status: int = 200
    headers: tuple[tuple[str, str], ...] = field(default=())
    truncated: bool = False

    def __post_init__(self) -> None:
        if not self.asked:
            object.__setattr__(self, "asked", self.url)

    def header(self, name: str) -> str | None:
        """The first header of that name (any case), else None."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    @property
    def content_type(self) -> str:
        """The media type as labelled, in lower case and without parameters; "" if none."""
        return (self.header("content-type") or "").split(";")[0].strip().lower()

    @cached_property
    def charset(self) -> Charset:
        """BOM; else valid UTF-8 with a multi-byte sequence; else the first of HTTP header and meta whose codec decodes
        the bytes without error; else beautifulsoup4's detector."""
        body = self.body
        for bom, name in _BOMS:
            if body.startswith(bom):
                return Charset(name, "bom")
        if body.isascii():
            label = self._labelled()
            return label if label and label.name.startswith(_OF_ASCII_BYTES) else Charset("utf-8", "ascii")
        try:
            body.decode("utf-8")
        except UnicodeDecodeError as error:
            # A response cut inside its last character is still UTF-8.
            if error.end == len(body) and error.reason == "unexpected end of data":
                return Charset("utf-8", "utf-8")
        else:
            return Charset("utf-8", "utf-8")
        return self._labelled() or self._detected()

    def _labelled(self) -> Charset | None:
        header = _HEADER_CHARSET.search(self.header("content-type") or "")
        meta = _META_CHARSET.search(self.body[:4096])
        found: list[tuple[str, CharsetSource]] = []
        if header:
            found.append((header[1], "header"))
        if meta and not meta[1].lower().startswith((b"utf-16", b"utf-32")):  # or it could not have been read
            found.append((meta[1].decode("ascii", "replace"), "meta"))
        for label, source in found:
            name = _LABELS.get(label.lower(), label.lower())
            try:
                self.body.decode(name)
            except (LookupError, UnicodeError, ValueError):
                continue
            return Charset(name, source)
        return None

    def _detected(self) -> Charset:
        from bs4.dammit import EncodingDetector  # noqa: PLC0415 - slow to import, seldom needed
        from charset_normalizer import from_bytes  # noqa: PLC0415

        body = self.body
        text = body.decode("utf-8", "replace")
        beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
        if _FEW * text.count("\ufffd") < beyond_ascii:  # UTF-8 with a few bytes that are none
            return Charset("utf-8", "detector")
        if body[:2] in _FIRST_OF_UTF16:
            return Charset(_FIRST_OF_UTF16[body[:2]], "detector")
        matches = from_bytes(body)
        best = matches.best()
        if best and any(one.chaos <= best.chaos and "cp1252" in one.could_be_from_charset for one in matches):
            return Charset("cp1252", "detector")  # of several that fit as well, the one that browsers fall back to
        for name in EncodingDetector(body, is_html=True).encodings:
            with suppress(LookupError, UnicodeError):
                body.decode(name)
                return Charset(name, "detector")
        return Charset("cp1252", "detector")

    @cached_property
    def text(self) -> str:
        """The body as text; undecodable bytes become U+FFFD."""
        text = self.body.decode(self.charset.name, "replace")
        return text.removeprefix("\ufeff")

    @cached_property
    def tree(self) -> "LexborHTMLParser":
        """The document, parsed once by selectolax. Readers must not change it: clone first."""
        from selectolax.lexbor import LexborHTMLParser  # noqa: PLC0415 - so that importing a leaf loads no tree

        return LexborHTMLParser(shallow(self.text))

    @cached_property
    def soup(self) -> "BeautifulSoup":
        """The same document for authors who like beautifulsoup4."""
        from bs4 import BeautifulSoup  # noqa: PLC0415 - slow to import, used only by authors who ask for it

        return BeautifulSoup(self.text, "html.parser")
