"""Nodes to clean blocks of text."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from selectolax.lexbor import LexborNode

from parsers.article import Block, BlockKind

_JUNK = re.compile(
    "[\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]"
)
_SPACE = re.compile(r"\s+")
# What NFKC leaves as it is, or turns into the same (a no-break space, an ellipsis); "`" may come out of it.
_FOLD = {
    odd: plain
    for plain, group in {"'": "‘’‚‛`", '"': "“”„‟«»", "-": "‐‑‒–—―−", "...": "\u2026", " ": "\u00a0"}.items()
    for odd in group
}
_ASCII, _VISIBLE = bytes(range(128)), bytes(range(32, 127))

SILENT = frozenset(
    "script style noscript template svg math iframe object embed video audio canvas select option button form "
    "input textarea head title link meta nav dialog datalist map".split()
)
"""Elements whose text no reader sees as part of a text."""
CAPTIONS = frozenset(("figcaption",))
BLOCKS = frozenset(
    "address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer h1 h2 "
    "h3 h4 h5 h6 header hr html li main ol p pre section summary table tbody td tfoot th thead tr ul".split()
)
REMOVED = "[removed]"
"""What stands where something was taken out: a secret, or what was taken down."""
MAX_DEPTH = 200
"""Deeper markup is an accident or an attack; its text is taken as one run."""


def clean(text: str) -> str:
    """One line, single spaces, NFC, without control and zero-width characters."""
    if text.isascii() and text.isprintable():  # most texts: no pattern is needed, and they cost most of the time here
        return " ".join(text.split())
    return unicodedata.normalize("NFC", _SPACE.sub(" ", _JUNK.sub("", text)).strip())


@lru_cache(maxsize=1)
def foreign(text: str) -> str:
    """The characters beyond ASCII, in order. Words are counted right after a text was normalised: the last is remembered."""
    return (
        ""
        if text.isascii()
        else text.encode("utf-8", "surrogatepass").translate(None, _ASCII).decode("utf-8", "surrogatepass")
    )


def normalised(text: str) -> str:
    """For comparison and hashes: NFKC, case folded, quote marks and dashes folded, single spaces."""
    # Every article passes here whole, so the common case takes no pattern and no table: those cost ten times as much.
    odd = set(foreign(text))
    text = text.replace("\n", " ").replace("`", "'")
    if odd <= _FOLD.keys():
        for char in odd:
            text = text.replace(char, _FOLD[char])
        text = text.casefold()
        visible = not text.encode().translate(None, _VISIBLE)
    else:
        text = unicodedata.normalize("NFKC", text)
        for char, plain in _FOLD.items():
            text = text.replace(char, plain)
        text = text.casefold()
        visible = text.isprintable()
    if visible and "  " not in text:
        return text.strip(" ")
    return _SPACE.sub(" ", _JUNK.sub("", text)).strip()


def node_text(node: LexborNode) -> str:
    """The inline text of a node, cleaned; scripts and styles left out, `<br>` and block borders are spaces."""
    out: list[str] = []
    _inline(node, out, 0)
    return clean("".join(out))


def _inline(node: LexborNode, out: list[str], depth: int) -> None:
    child = node.first_child
    while child is not None:
        tag = child.tag
        if tag == "-text":
            out.append(child.text_content or "")
        elif tag == "br":
            out.append(" ")
        elif tag is not None and tag[0] not in "-_!" and tag not in SILENT:
            block = tag in BLOCKS
            if block:
                out.append(" ")
            if depth < MAX_DEPTH:
                _inline(child, out, depth + 1)
            else:
                out.append(child.text(deep=True, separator=" "))
            if block:
                out.append(" ")
        child = child.next


def selector_filter(root: LexborNode, selectors: Iterable[str]) -> Callable[[LexborNode], bool]:
    """A test "is this node to be dropped", for the nodes below `root` that match any of the selectors."""
    joined = ", ".join(selectors)
    dropped = {node.mem_id for node in root.css(joined)} if joined else set()
    return lambda node: node.mem_id in dropped


def blocks(
    nodes: Iterable[LexborNode], *, drop: tuple[str, ...] = (), skip: Callable[[LexborNode], bool] | None = None
) -> tuple[Block, ...]:
    """Body blocks below the nodes, in reading order; captions left out. Text runs outside of paragraphs are `p` blocks.

    `drop`: selectors of what is left out. `skip`: a test for the same.
    """
    found: list[Block] = []
    for node in nodes:
        dropped = selector_filter(node, drop)

        def unwanted(child: LexborNode, dropped: Callable[[LexborNode], bool] = dropped) -> bool:
            return dropped(child) or (skip is not None and skip(child))

        found.extend(_walk(node, unwanted))
    return tuple(found)


class _Run:
    """Inline text that gathers until a block border ends it."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def take(self) -> str:
        text = clean("".join(self.parts)) if self.parts else ""
        self.parts.clear()
        return text


def _walk(root: LexborNode, unwanted: Callable[[LexborNode], bool]) -> Iterator[Block]:
    run = _Run()
    tag = root.tag or ""
    if tag in ("table", "tr"):
        yield from _rows(root, unwanted)
        return
    yield from _children(root, _kind(tag, "p"), unwanted, run, 0)
    if text := run.take():
        yield Block(_kind(tag, "p"), text)


def _kind(tag: str, outer: BlockKind) -> BlockKind:
    if tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
        return "heading"
    if tag in ("li", "dd", "dt"):
        return "item"
    return "quote" if tag == "blockquote" else outer


def _children(
    node: LexborNode, kind: BlockKind, unwanted: Callable[[LexborNode], bool], run: _Run, depth: int
) -> Iterator[Block]:
    child = node.first_child
    breaks = 0
    while child is not None:
        tag = child.tag or ""
        if tag == "-text":
            text = child.text_content or ""
            run.parts.append(text)
            if text.strip():
                breaks = 0
        elif tag == "br":
            breaks += 1
            run.parts.append(" ")
            if breaks == 2 and (text := run.take()):
                yield Block(kind, text)
        elif not tag or tag[0] in "-_!" or tag in SILENT or tag in CAPTIONS or unwanted(child):
            pass
        elif tag in BLOCKS:
            breaks = 0
            if text := run.take():
                yield Block(kind, text)
            if tag == "table" and not _layout_table(child):
                yield from _rows(child, unwanted)
            elif depth >= MAX_DEPTH:
                if text := clean(child.text(deep=True, separator=" ")):
                    yield Block(kind, text)
            else:
                inner = _kind(tag, kind)
                yield from _children(child, inner, unwanted, run, depth + 1)
                if text := run.take():
                    yield Block(inner, text)
        elif depth < MAX_DEPTH:
            yield from _children(child, kind, unwanted, run, depth + 1)
        else:
            run.parts.append(child.text(deep=True, separator=" "))
        child = child.next


def _layout_table(table: LexborNode) -> bool:
    """A table that only places things on the page: it holds paragraphs or other tables."""
    return table.css_first("p, table table, h1, h2, h3") is not None


def _rows(table: LexborNode, unwanted: Callable[[LexborNode], bool]) -> Iterator[Block]:
    for row in table.css("tr"):
        if unwanted(row):
            continue
        cells = [node_text(cell) for cell in row.css("td, th") if not unwanted(cell)]
        if any(cells):
            yield Block("table", " | ".join(cells))
