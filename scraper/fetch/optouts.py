"""Opt-outs: those in the headers of an answer, and those that its markup states."""

import re
from collections.abc import Iterable

from parsers import metadata
from parsers.page import Page

_AGENT = re.compile(r"\s*([A-Za-z][A-Za-z0-9_-]*)\s*:")
_WITH_VALUE = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
_AGENT_NAME = "newsmorgue"
_NONE = ("noindex", "nofollow", "noarchive")


def optouts(page_headers: Iterable[tuple[str, str]], agent: str = _AGENT_NAME) -> tuple[str, ...]:
    """Words of X-Robots-Tag that are meant for everyone or for `agent`, and `tdm-reservation` if the header says 1.

    In lower case, in order, each once; `none` also gives what it stands for. A word said to another agent is not ours:
    `X-Robots-Tag: otherbot: noarchive`. Sources: Google's robots meta tag specification; TDMRep (W3C community group,
    section 6.2).
    """
    found: dict[str, None] = {}
    for name, value in page_headers:
        key = name.lower()
        if key == "x-robots-tag":
            found.update(dict.fromkeys(_words(value, agent)))
        elif key == "tdm-reservation" and value.strip() == "1":
            found["tdm-reservation"] = None
    if "none" in found:
        found.update(dict.fromkeys(_NONE))
    return tuple(found)


def of_page(page: Page) -> tuple[str, ...]:
    """Opt-outs of a page: those of its headers, and those of its markup (robots meta, TDM reservation)."""
    found = list(optouts(page.headers))
    if b"<" in page.body[:2000]:
        head = metadata.head(page)
        found += [word for word in ("noarchive", "noindex") if word in head.robots]
        if head.tdm_reservation:
            found.append("tdm-reservation")
    return tuple(dict.fromkeys(found))


def _words(value: str, agent: str) -> Iterable[str]:
    """Words of one header. `otherbot: noindex, noarchive` speaks of that agent until another is named."""
    mine = True
    for item in value.split(","):
        text = item
        named = _AGENT.match(text)
        if named and named[1].lower() not in _WITH_VALUE:
            mine = named[1].lower() in (agent.lower(), "*")
            text = text[named.end() :]
        word = text.split(":", 1)[0].strip().lower()
        if mine and re.fullmatch(r"[a-z_-]{2,40}", word):
            yield word
