"""Which element holds the body, and which of its blocks belong to it.

A block's *good text* is its length if it reads like prose (60 characters or more, under a third of them in links; a quarter
if it has neither a comma nor an end mark; Chinese characters, kana and Hangul count twice). The container is found by going
down from `body` to the child that holds most of the good text until none does; wrappers that are named like furniture count
less. Blocks inside are kept unless what encloses them, below the container, is furniture.
"""

import re
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from parsers.article import Block, BlockKind
from parsers.text import BLOCKS, CAPTIONS, MAX_DEPTH, SILENT, clean, node_text

SHARE = 0.62
GOOD = 60
_SKIP = SILENT | {"footer", "aside"}
_MARKS = re.compile(r"[,.!?;:…。、！？।؟،]")
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_HINT_WORDS = re.compile(r"[a-z]+|[A-Z][a-z]+")
_NEGATIVE = frozenset(
    """
    comment comments disqus related relatedposts recommend recommended recommendation recommendations share
    sharing social newsletter subscribe subscription signup promo promotion promoted advert advertisement ads
    adbox sponsor sponsored sidebar footer nav navigation menu breadcrumb breadcrumbs bio popular trending
    mostread widget widgets cookie consent popup modal banner toolbar outbrain taboola player poll quiz rating
    ratings toc copyright disclaimer login paywall hidden visuallyhidden screenreader credit byline tags tag
    taglist meta metadata pagination pager printonly caption gallery carousel slideshow readmore morestories next
    prev previous teaserlist linklist appeal donate donation donations membership authorbox authorbio contributor
    contributors follow skip print email
    """.split()
)
_JOINED = re.compile(
    r"related|recommend|newsletter|most-?(?:read|popular)|read-?(?:more|next|also)|author-?(?:bio|box|info|card|desc)|about-?(?:the-)?author|"
    r"more-?(?:from|stories|on|news)|sign-?up|screen-?reader|sr-only|share-?(?:bar|button|tool)|social-?(?:share|link|media)|"
    r"ad-?(?:slot|unit|container|wrapper|block)|(?:^|[\s_-])ads?(?:[\s_-]|$)|google-auto|adsense|gallery-caption|wp-caption|"
    r"post-?tags|article-?tags|tags-?(?:list|links)|entry-?(?:meta|footer|utility)|post-?(?:meta|footer|nav)|article-?(?:meta|footer)|"
    r"call-?to-?action|\bcta\b|up-?next|trending|inline-?(?:promo|link)|in-?article-?(?:ad|promo|link)|jp-relatedposts|sharedaddy|"
    r"editors?-?note-?box|fact-?box|info-?box|factbox|pull-?quote|pullquote",
    re.IGNORECASE,
)
_HINTS: dict[str, bool] = {}


@dataclass(slots=True)
class Element:
    """An element of the page with the text below it."""

    node: LexborNode
    parent: "Element | None"
    negative: bool
    depth: int
    text: int = 0
    good: float = 0.0
    children: list["Element"] = field(default_factory=list)
    texts: list["Run"] = field(default_factory=list)


@dataclass(slots=True)
class Run:
    """A block of text in its element, with the characters that are links."""

    text: str
    linked: int
    element: Element
    kind: BlockKind

    @property
    def good(self) -> float:
        """How much of it reads like prose, in characters."""
        size = len(self.text)
        if self.linked * 3 > size:
            return 0.0
        if not self.text.isascii():
            size += len(_DENSE.findall(self.text))
        if size < GOOD:
            return 0.0
        return size if _MARKS.search(self.text) else size / 4


def furniture(name: str) -> bool:
    """Whether class and id words name furniture; remembered by the whole string."""
    known = _HINTS.get(name)
    if known is None:
        words = {word.lower() for word in _HINT_WORDS.findall(name)}
        known = bool(words & _NEGATIVE) or bool(_JOINED.search(name))
        if len(_HINTS) < 50_000:
            _HINTS[name] = known
    return known


class Outline:
    """A page as elements and runs of text, in reading order."""

    def __init__(self, tree: LexborHTMLParser) -> None:
        self.runs: list[Run] = []
        self.root: Element | None = None
        if tree.body is not None:
            self.root = Element(tree.body, None, False, 0)
            self._walk(self.root, "p")
            self._sum()

    def _walk(self, element: Element, kind: BlockKind) -> None:
        buffer: list[str] = []
        self._inline(element, element.node, kind, buffer, [0], False)
        self._flush(element, kind, buffer, [0])

    def _inline(
        self,
        element: Element,
        node: LexborNode,
        kind: BlockKind,
        buffer: list[str],
        linked: list[int],
        in_link: bool,
        depth: int = 0,
    ) -> None:
        child = node.first_child
        breaks = 0
        while child is not None:
            tag = child.tag or ""
            if tag == "-text":
                text = child.text_content or ""
                if text.strip():
                    breaks = 0
                    if in_link:
                        linked[0] += len(text.strip())
                buffer.append(text)
            elif tag == "br":
                breaks += 1
                buffer.append(" ")
                if breaks == 2:
                    self._flush(element, kind, buffer, linked)
            elif not tag or tag[0] in "-_!" or tag in _SKIP or tag in CAPTIONS:
                pass
            elif tag in BLOCKS:
                breaks = 0
                self._flush(element, kind, buffer, linked)
                self._block(element, child, tag, kind, in_link, depth)
            elif element.depth + depth < MAX_DEPTH:
                self._inline(element, child, kind, buffer, linked, in_link or tag == "a", depth + 1)
            else:
                buffer.append(child.text(deep=True, separator=" "))
            child = child.next

    def _block(self, element: Element, node: LexborNode, tag: str, kind: BlockKind, in_link: bool, depth: int) -> None:
        if element.depth + depth >= MAX_DEPTH:
            if text := node_text(node):
                self._add(element, text, 0, kind)
            return
        attributes = node.attributes
        names = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
        style = attributes.get("style") or ""
        hidden = (
            "hidden" in attributes
            or attributes.get("aria-hidden") == "true"
            or "display:none" in style.replace(" ", "")
        )
        below = Element(node, element, hidden or (len(names) > 1 and furniture(names)), element.depth + depth + 1)
        element.children.append(below)
        if tag == "table" and node.css_first("p, table, h1, h2, h3") is None:
            for row in node.css("tr")[:500]:
                cells = [text for cell in row.css("td, th") if (text := node_text(cell))]
                if cells:
                    self._add(below, " | ".join(cells), 0, "table")
            return
        inner: BlockKind = (
            "heading" if tag in ("h1", "h2", "h3", "h4", "h5", "h6")
            else "item" if tag in ("li", "dd", "dt")
            else "quote" if tag == "blockquote"
            else kind
        )  # fmt: skip
        buffer: list[str] = []
        linked = [0]
        self._inline(below, node, inner, buffer, linked, in_link)
        self._flush(below, inner, buffer, linked)

    def _flush(self, element: Element, kind: BlockKind, buffer: list[str], linked: list[int]) -> None:
        if buffer:
            text = clean("".join(buffer))
            if text:
                self._add(element, text, linked[0], kind)
            buffer.clear()
        linked[0] = 0

    def _add(self, element: Element, text: str, linked: int, kind: BlockKind) -> None:
        run = Run(text, min(linked, len(text)), element, kind)
        element.texts.append(run)
        self.runs.append(run)

    def _sum(self) -> None:
        """Good text of every element, its children's included; furniture counts for less."""
        stack: list[tuple[Element, bool]] = [(self.root, False)] if self.root else []
        while stack:
            element, done = stack.pop()
            if not done:
                stack.append((element, True))
                stack.extend((child, False) for child in element.children)
                continue
            element.good = sum(run.good for run in element.texts if run.kind != "heading")
            element.text = sum(len(run.text) for run in element.texts)
            for child in element.children:
                element.good += child.good * (0.4 if child.negative else 1.0)
                element.text += child.text

    def container(self) -> Element | None:
        """The smallest element that holds most of the page's good text."""
        element = self.root
        if element is None or element.good <= 0:
            return None
        while True:
            best = max(element.children, key=lambda child: child.good, default=None)
            if best is None or best.good < SHARE * element.good or (not best.children and not best.texts):
                return element
            if (
                best.node.tag in ("p", "h1", "h2", "h3", "li", "blockquote", "table", "td", "ul", "ol")
                and best.good < 0.95 * element.good
            ):
                return element
            element = best


def body_runs(outline: Outline, container: Element) -> list[Run]:
    """The runs of the container that are not in furniture below it."""
    wanted: dict[int, bool] = {id(container): True}

    def inside(element: Element) -> bool:
        known = wanted.get(id(element))
        if known is None:
            parent = element.parent
            good = parent is not None and inside(parent)
            if good and element.negative:
                good = element.good > 0.5 * container.good
            if good and _list_of_links(element):
                good = False
            wanted[id(element)] = known = good
        return known

    def loose(run: Run) -> bool:
        return run.kind != "heading" and run.linked * 2 > len(run.text) and len(run.text) < 200

    return [run for run in outline.runs if inside(run.element) and not loose(run)]


def _list_of_links(element: Element) -> bool:
    """A list or a box most of whose text is links: cards of other stories."""
    if element.node.tag not in ("ul", "ol", "div", "section", "nav", "table"):
        return False
    total = linked = count = 0
    stack = [element]
    while stack and count < 200:
        one = stack.pop()
        stack.extend(one.children)
        for run in one.texts:
            total += len(run.text)
            linked += run.linked
            count += 1
    return total > 0 and linked * 3 > total * 2 and count > 1


def as_blocks(runs: list[Run]) -> tuple[Block, ...]:
    """Runs as blocks of a body."""
    return tuple(Block(run.kind, run.text) for run in runs)
