"""Entries of feeds and sitemaps that are about a story that was taken down: emptied, so that the others keep their places. Pure."""

import html
import json
import re
from collections.abc import Mapping
from typing import Any

from parsers.text import REMOVED
from storage.spotting import spellings

_ENTRY = re.compile(r"<(/?)((?:\w+:)?(?:item|entry|url))(?:\s[^<>]*)?>", re.IGNORECASE)
_OF_ENTRY = re.compile(
    r"<((?:\w+:)?(?:link|guid|id|loc|origLink))\b([^>]*?)(?:/>|>\s*(?:<!\[CDATA\[)?\s*([^<\]]*))", re.IGNORECASE
)
_HREF = re.compile(r"href\s*=\s*[\"']([^\"']*)", re.IGNORECASE)


def without_entries(text: str, known: Mapping[str, str], base: str) -> str:
    """Entries of feeds and sitemaps that are about a known address, emptied but for what stands for the address."""
    if not known:
        return text
    if text.lstrip("\ufeff \t\r\n")[:1] in ("{", "["):
        return _without_objects(text, known, base)
    if not re.search(r"<(?:rss|feed|rdf:RDF|urlset|\w+:feed)[\s>]", text[:4000], re.IGNORECASE):
        return text

    out = []
    done = 0
    opened: re.Match[str] | None = None
    for match in _ENTRY.finditer(text):
        if not match[1]:
            opened = match
        elif opened is not None and opened[2] == match[2]:
            url = _about(text[opened.end() : match.start()], known, base)
            if url is not None:
                out += [text[done : opened.start()], _emptied(match[2], known[url])]
                done = match.end()
            opened = None
    return "".join((*out, text[done:]))


def _about(entry: str, known: Mapping[str, str], base: str) -> str | None:
    """The known address that an entry says is its own."""
    for link in _OF_ENTRY.finditer(entry):
        written = _HREF.search(link[2])
        url = _known(html.unescape((written[1] if written else link[3] or "").strip()), known, base)
        if url is not None:
            return url
    return None


def _emptied(tag: str, instead: str) -> str:
    if tag.lower().endswith("url"):
        return f"<{tag}><loc>{instead}</loc></{tag}>"
    link = f'<link href="{instead}"/>' if tag.lower().endswith("entry") else f"<link>{instead}</link>"
    return f"<{tag}><title>{REMOVED}</title>{link}</{tag}>"


def _known(text: str, known: Mapping[str, str], base: str) -> str | None:
    return next((url for _, url in spellings(text, base) if url in known), None) if text else None


def _without_objects(text: str, known: Mapping[str, str], base: str) -> str:
    """The same for JSON: objects that name a known address as their own."""
    changed = False

    def walk(node: Any) -> Any:
        nonlocal changed
        if isinstance(node, list):
            return [walk(one) for one in node]
        if not isinstance(node, dict):
            return node
        for key in ("url", "link", "id", "guid", "external_url"):
            url = _known(node[key], known, base) if isinstance(node.get(key), str) else None
            if url is not None:
                changed = True
                return {key: known[url], "title": REMOVED}
        return {key: walk(one) for key, one in node.items()}

    try:
        struck = walk(json.loads(text.lstrip("\ufeff")))
    except (ValueError, RecursionError):
        return text
    return json.dumps(struck, ensure_ascii=False) if changed else text
