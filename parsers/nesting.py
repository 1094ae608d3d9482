"""Markup that is nested without end. Pure.

A parser by the HTML standard looks through its open elements at nearly every tag, so that its time grows with the square of their
number: 100 kB of `<ul><li>` take a second, 20 MB would take a day. Browsers stop at a depth of 512.
"""

import re

MANY_TAGS = 20_000
"""Tags that no page can be slow with, however they are nested; few pages of the web have half as many."""
MAX_NESTING = 2_000
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/<>]*)(?:[^<>]*?(/)?>)?")
_NEVER_NEST = frozenset(
    """
    area base br col embed hr img input link meta param source track wbr p li dd dt option tr td th tbody thead tfoot colgroup
    """.split()
)
_DRAWING = frozenset("path circle rect use line polygon polyline ellipse stop image".split())


def shallow(html: str) -> str:
    """The markup up to where more than MAX_NESTING elements are open; nearly always all of it."""
    if html.count("<") <= MANY_TAGS:
        return html
    depth = 0
    for tag in _TAG.finditer(html):
        name = tag[2].lower()
        if name in _NEVER_NEST or (tag[3] and name in _DRAWING):
            continue
        depth = max(0, depth - 1) if tag[1] else depth + 1
        if depth > MAX_NESTING:
            return html[: tag.start()]
    return html
