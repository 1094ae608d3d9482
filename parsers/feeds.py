"""RSS 2.0, RSS 1.0, Atom and JSON Feed. XML without DTD and entities, bounded in size and number."""

import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from selectolax.lexbor import LexborHTMLParser

from parsers import dates
from parsers.article import When
from parsers.elements import Tree, child, name, not_well_formed, tree
from parsers.errors import ParseError
from parsers.jsonld import whole
from parsers.nesting import shallow
from parsers.page import Page
from parsers.text import clean, node_text
from parsers.url import try_canonical

MAX_ITEMS = 5_000
MAX_BYTES = 20_000_000
_ROOT = re.compile(rb"<(?:rss|feed|rdf:RDF|\w+:feed)[\s>]")


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One entry of a feed. `url` is canonical; `teaser` is plain text; `published` is None where not given."""

    url: str
    title: str
    teaser: str = ""
    section: str = ""
    published: When | None = None


def looks_like_feed(page: Page) -> bool:
    """Whether the bytes are a feed, whatever their label says."""
    start = page.body[:2000].removeprefix(BOM_UTF8).lstrip()
    if start.startswith(b"{"):
        return b"jsonfeed.org/version" in start or page.content_type == "application/feed+json"
    return bool(_ROOT.search(start)) and b"<html" not in start.lower()


def items(page: Page) -> tuple[str, tuple[FeedItem, ...]]:
    """The feed's title and its entries, in order, once each. Raises ParseError naming what is wrong."""
    if len(page.body) > MAX_BYTES:
        raise ParseError(f"the feed {page.url} is larger than {MAX_BYTES} bytes", next="use a front instead")
    if page.body.removeprefix(BOM_UTF8).lstrip().startswith(b"{"):
        title, entries = _json(page)
    else:
        title, entries = _xml(page)
    unique: dict[str, FeedItem] = {}
    for item in entries:
        unique.setdefault(item.url, item)
        if len(unique) >= MAX_ITEMS:
            break
    return title, tuple(unique.values())


def plain(html: str) -> str:
    """The text of a description, which may be HTML."""
    if "<" not in html and "&" not in html:
        return clean(html)
    body = LexborHTMLParser(shallow(f"<body>{html}</body>")).body
    return node_text(body) if body is not None else ""


def _xml(page: Page) -> tuple[str, Iterator[FeedItem]]:
    read: Tree[object] = tree(page, "feed", max_bytes=MAX_BYTES)
    root = read.root
    if name(root) not in ("rss", "feed", "rdf"):
        raise ParseError(
            f"{page.url} is XML but no feed", cause=f"its root is <{name(root)}>", next="use a front instead"
        )
    if read.fault and not any(_entries(root, page.url)):
        raise not_well_formed(page, "feed", read.fault)
    head = next((one for one in root if name(one) == "channel"), root)
    return plain(child(head, "title")), _entries(root, page.url)


def _entries(root: ET.Element, base: str) -> Iterator[FeedItem]:
    for element in root.iter():
        if name(element) not in ("item", "entry"):
            continue
        url = _link(element, base)
        if url is None:
            continue
        published = child(element, "pubdate", "published", "date", "updated", "issued")
        categories = (plain(one.get("term") or "".join(one.itertext())) for one in element if name(one) == "category")
        yield FeedItem(
            url=url,
            title=plain(child(element, "title")),
            teaser=plain(child(element, "description", "summary", "subtitle"))[:2000],
            section=next((text for text in categories if text), ""),
            published=dates.read(published) if published else None,
        )


def _link(element: ET.Element, base: str) -> str | None:
    candidates: list[str] = []
    for one in element:
        kind = name(one)
        if kind == "link" and one.get("href"):
            if one.get("rel", "alternate") == "alternate":
                candidates.insert(0, one.get("href", ""))
        elif (kind == "link" and one.text) or (kind == "guid" and one.get("isPermaLink", "true") != "false"):
            candidates.append((one.text or "").strip())
        elif kind == "origlink" and one.text:
            candidates.insert(0, one.text.strip())
    return next((url for text in candidates if text and (url := try_canonical(text, base))), None)


def _json(page: Page) -> tuple[str, Iterator[FeedItem]]:
    try:
        value = whole(json.loads(page.text.lstrip()))
        entries = value["items"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ParseError(f"{page.url} is no JSON feed", cause=str(error), next="use a front instead") from error
    if not isinstance(entries, list):
        raise ParseError(f"{page.url} is no JSON feed", cause="items is not a list", next="use a front instead")
    return clean(str(value.get("title") or "")), _json_entries(entries, page.url)


def _json_entries(entries: list[object], base: str) -> Iterator[FeedItem]:
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        url = try_canonical(str(entry.get("url") or entry.get("external_url") or ""), base)
        if url is None:
            continue
        tags = entry.get("tags")
        published = entry.get("date_published")
        yield FeedItem(
            url=url,
            title=clean(str(entry.get("title") or "")),
            teaser=plain(str(entry.get("summary") or "")),
            section=clean(str(tags[0])) if isinstance(tags, list) and tags else "",
            published=dates.read(str(published)) if published else None,
        )
