"""XML of feeds and sitemaps: no DTD, no entities, bounded in bytes and depth. What is whole before a fault is read."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from xml.etree import ElementTree as ET

from parsers.errors import ParseError
from parsers.page import Page

T = TypeVar("T")
MAX_DEPTH = 100
BLANK = " \t\r\n\ufeff"
"""What may stand before a document."""
_PROLOG = re.compile(r"\A\s*<\?xml[^>]*\?>")
_BAD_CHARS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_CDATA_OR_AMPERSAND = re.compile(
    r"<!\[CDATA\[.*?\]\]>|&(?!#\d{1,7};|#x[0-9a-fA-F]{1,6};|(?:amp|lt|gt|quot|apos);)", re.DOTALL
)
_PREFIX = re.compile(r"<([A-Za-z_][\w.-]*):|\s([A-Za-z_][\w.-]*):[\w.-]+\s*=")
_ROOT = re.compile(r"<[A-Za-z_][\w.:-]*")


@dataclass(slots=True)
class Tree(Generic[T]):
    """A document as far as it is well-formed.

    `found`: what the entries gave, in order; their elements are emptied. `over`: entries beyond the most that were wanted.
    `fault`: why the rest of the document could not be read, "" if it is whole; what follows the document is no fault.
    """

    root: ET.Element
    found: list[T] = field(default_factory=list)
    over: int = 0
    fault: str = ""


class _Refused(Exception):
    """A document that is not read at all, however well-formed."""


class _Builder(ET.TreeBuilder):
    """Builds the tree, asks each element that ended whether it is an entry, and stops at what may do harm."""

    def __init__(self, entry: Callable[[ET.Element, int], Any], most: int) -> None:
        super().__init__()
        self.root: ET.Element | None = None
        self.found: list[Any] = []
        self.depth = self.over = 0
        self._entry = entry
        self._most = most

    def start(self, tag: str, attrs: dict[str, str], /) -> ET.Element:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _Refused(f"is nested more than {MAX_DEPTH} deep")
        element = super().start(tag, attrs)
        if self.root is None:
            self.root = element
        return element

    def end(self, tag: str, /) -> ET.Element:
        element = super().end(tag)
        found = self._entry(element, self.depth)
        self.depth -= 1
        if found is not None:
            element.clear()
            if len(self.found) < self._most:
                self.found.append(found)
            else:
                self.over += 1
        return element

    def doctype(self, name: str, pubid: str, system: str) -> None:
        raise _Refused("declares a document type")


def name(element: ET.Element) -> str:
    """An element's name without namespace, in lower case; "" of a comment."""
    return element.tag.rsplit("}", 1)[-1].lower() if isinstance(element.tag, str) else ""


def child(element: ET.Element, *names: str) -> str:
    """The text of the first child that has one, the names in order of trust."""
    for wanted in names:
        for one in element:
            if name(one) == wanted and (text := "".join(one.itertext()).strip()):
                return text
    return ""


def tree(
    page: Page,
    what: str,
    *,
    max_bytes: int,
    entry: Callable[[ET.Element, int], T | None] = lambda element, depth: None,
    most: int = 0,
) -> Tree[T]:
    """Read a page's XML. Bare ampersands, control characters and undeclared prefixes are forgiven.

    `what`: its word for errors ("feed"). `entry` makes something of an element that ended, given its depth (1: the root),
    or None if it is no entry; at most `most` are kept. Raises ParseError if nothing can be read.
    """
    if len(page.body) > max_bytes:
        raise ParseError(f"the {what} {page.url} is larger than {max_bytes} bytes", next="use another source instead")
    text = _PROLOG.sub("", _BAD_CHARS.sub("", page.text.lstrip(BLANK)))
    best = _attempt(page, what, text, entry, most)
    if best.fault and (mended := _mended(text)) != text:
        second = _attempt(page, what, mended, entry, most)
        if not second.fault or len(second.found) > len(best.found):
            best = second
    if best.root.tag == "" or (best.fault and entry is not None and most and not best.found):
        raise not_well_formed(page, what, best.fault)
    return best


def not_well_formed(page: Page, what: str, fault: str) -> ParseError:
    """The error of a document of which nothing can be used."""
    return ParseError(f"the {what} {page.url} is not well-formed XML", cause=fault, next="use another source instead")


def _attempt(page: Page, what: str, text: str, entry: Callable[[ET.Element, int], T | None], most: int) -> Tree[T]:
    builder = _Builder(entry, most)
    parser = ET.XMLParser(target=builder)  # noqa: S314 - the builder refuses document types, and with them entities
    fault = ""
    try:
        parser.feed(text)
        parser.close()
    except _Refused as refused:
        raise ParseError(
            f"the {what} {page.url} {refused}",
            cause="entities of a DTD, or depth without end, can make a small file huge",
            next="use another source instead",
        ) from refused
    except ET.ParseError as error:
        fault = str(error) if builder.depth or builder.root is None else ""
    root = builder.root if builder.root is not None else ET.Element("")
    return Tree(root, builder.found, builder.over, fault)


def _mended(text: str) -> str:
    """Bare ampersands escaped, prefixes declared that were not."""
    text = _CDATA_OR_AMPERSAND.sub(lambda match: "&amp;" if match[0] == "&" else match[0], text)
    used = {one or other for one, other in _PREFIX.findall(text)} - {"xml", "xmlns"}
    missing = sorted(prefix for prefix in used if f"xmlns:{prefix}" not in text)
    names = "".join(f' xmlns:{prefix}="urn:undeclared:{prefix}"' for prefix in missing)
    return _ROOT.sub(lambda match: match[0] + names, text, count=1) if names else text
