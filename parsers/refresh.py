"""Meta refresh: markup that sends a reader on at once, as redirects do."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from parsers.page import Page

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

MAX_SECONDS = 5
"""Pages that wait longer are there to be read; fronts that load themselves anew take minutes."""
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
    # Nearly no page has one: to look for the word costs far less than to search without regard to case, or to parse.
    if b"efresh" not in page.body and b"EFRESH" not in page.body:
        return None
    if page.content_type not in _HTML or not _SIGN.search(page.body):
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


def _within(node: "LexborNode") -> Iterator[str]:
    """Names of the elements that a node stands in."""
    while (parent := node.parent) is not None:
        yield parent.tag or ""
        node = parent
