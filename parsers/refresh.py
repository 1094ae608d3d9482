"""Meta refresh: markup that sends a reader on at once, as redirects do."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from parsers.page import Page

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

MAX_SECONDS = 5
"""Pages that wait longer are there to be read; fronts that load themselves anew take minutes."""
LOOKED_AT = 1 << 15
"""Bytes from the beginning. Pages that send on say so at once, and every page is looked at."""
_SIGN = re.compile(rb"http-equiv\s*=\s*[\"']?\s*refresh", re.IGNORECASE)
_HTML = ("", "text/html", "application/xhtml+xml")
_INERT = frozenset({"noscript", "template"})
"""What stands in these is not for readers who have scripts, or for nobody."""
_CONTENT = re.compile(
    r"\s*(?:(\d+)[\d.]*|\.[\d.]*)(?:\s*[;,]\s*|\s+)(?:url\s*=\s*)?(?:'([^']*)|\"([^\"]*)|(.*))",
    re.IGNORECASE | re.DOTALL,
)


def target(page: Page) -> str | None:
    """The address, as it is written, that the page's first meta refresh leads to within MAX_SECONDS; None if it leads nowhere.

    Read as browsers do (HTML, "shared declarative refresh steps"); one without an address loads the page itself again.
    """
    if page.content_type not in _HTML or not _announced(page.body):
        return None
    for node in page.tree.css("meta[http-equiv]"):
        attributes = node.attributes
        if (attributes.get("http-equiv") or "").strip().lower() != "refresh" or not _INERT.isdisjoint(_within(node)):
            continue
        content = _CONTENT.match(attributes.get("content") or "")
        if content is None or int((content[1] or "0")[:9]) > MAX_SECONDS:
            return None
        return (content[2] or content[3] or content[4] or "").strip() or None
    return None


def _announced(body: bytes) -> bool:
    """Whether a body may hold one. Nearly none does: to look for the word and then around it costs far less than to search
    all of it without regard to case, or to parse it."""
    for word in (b"efresh", b"EFRESH"):
        at = body.find(word, 0, LOOKED_AT)
        while at >= 0:
            if _SIGN.search(body, max(at - 40, 0), at + len(word)):
                return True
            at = body.find(word, at + 1, LOOKED_AT)
    return False


def _within(node: "LexborNode") -> Iterator[str]:
    """Names of the elements that a node stands in."""
    while (parent := node.parent) is not None:
        yield parent.tag or ""
        node = parent
