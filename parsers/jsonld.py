"""JSON-LD as publishers write it: nested, broken, several nodes a page. Bounded in depth and number."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from parsers.page import Page
from parsers.url import try_canonical

Node = Mapping[str, Any]

ARTICLES = frozenset(
    "Article NewsArticle ReportageNewsArticle AnalysisNewsArticle BackgroundNewsArticle OpinionNewsArticle "
    "ReviewNewsArticle AskPublicNewsArticle LiveBlogPosting BlogPosting SocialMediaPosting Report "
    "ScholarlyArticle TechArticle MedicalScholarlyArticle SatiricalArticle AdvertiserContentArticle Review "
    "Recipe HowTo".split()
)
MAX_NODES = 400
MAX_DEPTH = 12
MAX_SCRIPT = 2_000_000

_COMMENT = re.compile(r"^\s*(?:<!--|//<!\[CDATA\[|<!\[CDATA\[)|(?:-->|//\]\]>|\]\]>)\s*$")
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_TRAILING = re.compile(r",\s*([}\]])")


def nodes(page: Page) -> tuple[Node, ...]:
    """Every object of the page's JSON-LD, outer before inner."""
    found: list[Node] = []
    for script in page.tree.css('script[type*="ld+json"]')[:40]:
        text = script.text(deep=True)
        if text and len(text) <= MAX_SCRIPT:
            _gather(_load(text), found, 0)
    return tuple(found)


def _load(text: str) -> object:
    text = _COMMENT.sub("", _COMMENT.sub("", text.strip())).strip().rstrip(";")
    for attempt in (text, _TRAILING.sub(r"\1", text)):
        try:
            return whole(json.loads(attempt, strict=False))
        except (ValueError, RecursionError):
            continue
    return None


def whole(value: Any) -> Any:
    """A JSON value whose texts can be written: half of a surrogate pair becomes U+FFFD."""
    if isinstance(value, str):
        return value if not _HALF_PAIR.search(value) else _HALF_PAIR.sub("\ufffd", value)
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {whole(key): whole(item) for key, item in value.items()}
    return value


def _gather(value: object, found: list[Node], depth: int) -> None:
    if depth > MAX_DEPTH or len(found) >= MAX_NODES:
        return
    if isinstance(value, list):
        for item in value[:MAX_NODES]:
            _gather(item, found, depth + 1)
    elif isinstance(value, dict):
        if "@type" in value or "@graph" in value:
            found.append(value)
        for key in ("@graph", "mainEntity", "mainEntityOfPage", "hasPart", "itemListElement", "item"):
            if key in value:
                _gather(value[key], found, depth + 1)


def types(node: object) -> tuple[str, ...]:
    """The `@type` words of a node."""
    value = node.get("@type") if isinstance(node, Mapping) else None
    words = value if isinstance(value, list) else [value]
    return tuple(word.rsplit("/", 1)[-1] for word in words if isinstance(word, str))


def kind(node: Node) -> str | None:
    """The first `@type` word."""
    return next(iter(types(node)), None)


def main(found: Sequence[Node], url: str) -> Node | None:
    """The article-like node that is about this page: one that names its address, else the first with a headline."""
    articles = [node for node in found if ARTICLES & set(types(node))]
    if not articles:
        return next((node for node in found if "WebPage" in types(node) and node.get("datePublished")), None)
    path = urlsplit(url).path
    for node in articles:
        entity = node.get("mainEntityOfPage")
        stated = [node.get("url"), node.get("@id"), entity if isinstance(entity, str) else None]
        stated += [entity.get("@id")] if isinstance(entity, dict) else []
        for text in stated:
            own = try_canonical(text) if isinstance(text, str) else None
            if own and urlsplit(own).path.rstrip("/") == path.rstrip("/"):
                return node
    return max(articles, key=lambda node: bool(node.get("headline")) + bool(node.get("datePublished")))


def many(value: object) -> list[Any]:
    """A value that may be one or several, as a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


def texts(value: object) -> Iterator[str]:
    """The text of a value that may be a string, a list, or an object with a name."""
    for item in many(value)[:200]:
        if isinstance(item, str):
            yield unescape(item)
        elif isinstance(item, int | float) and not isinstance(item, bool):
            yield str(item)
        elif isinstance(item, Mapping):
            yield from names(item)


def names(item: object) -> Iterator[str]:
    """The names of an author, a publisher or a thing."""
    if isinstance(item, str):
        yield unescape(item)
    elif isinstance(item, Mapping):
        value = item.get("name") or item.get("@value")
        for name in many(value)[:50]:
            if isinstance(name, str):
                yield unescape(name)
    elif isinstance(item, list):
        for inner in item[:50]:
            yield from names(inner) if not isinstance(inner, list) else ()


def resolve(item: object, found: Sequence[Node]) -> object:
    """An object that only refers to another by `@id` gives that other."""
    if isinstance(item, Mapping) and "name" not in item and isinstance(item.get("@id"), str):
        return next(
            (node for node in found if node.get("@id") == item["@id"] and node is not item and "name" in node), item
        )
    return item


def _path(url: str) -> str:
    """The path of an address without slashes at its ends; "" for what is no address."""
    try:
        return urlsplit(url).path.strip("/")
    except ValueError:
        return ""


def breadcrumbs(found: Sequence[Node], url: str) -> list[str]:
    """Names of the path from home to the page, without home and the page itself."""
    for node in found:
        if "BreadcrumbList" in types(node):
            crumbs = [item for item in many(node.get("itemListElement")) if isinstance(item, Mapping)]
            steps = []
            for crumb in crumbs[:20]:
                inner = crumb.get("item")
                target = inner.get("@id") or inner.get("url") if isinstance(inner, Mapping) else inner
                label = crumb.get("name") or (inner.get("name") if isinstance(inner, Mapping) else None)
                if isinstance(label, str):
                    steps.append((unescape(label).strip(), target if isinstance(target, str) else None))
            plain = [label for label, target in steps if target and _path(target)]
            own = _path(url)
            last = steps[-1] if steps else None
            if plain and last and (last[1] is None or _path(last[1]) == own):
                plain = [label for label in plain if label != last[0]]
            return plain
    return []
