"""An honest first reader for any article page: the container with most prose, and what the page and its head agree on."""

from typing import ClassVar

from selectolax.lexbor import LexborNode

from parsers import container, tails
from parsers.article import Block
from parsers.layout import Layout
from parsers.text import clean, node_text, normalised

SHORT = 250
"""Characters of body under which JSON-LD's articleBody is believed instead."""


class Generic(Layout):
    """Read by what news pages have in common."""

    name = "generic"
    mark = "body"
    byline_at = (
        "[rel~=author], [itemprop=author] [itemprop=name], [itemprop=author], a[href*='/author/'], .byline-name, .byline a, "
        ".author-name, .author a, [class*=byline] a, .byline, .author"
    )
    date_at = (
        "[itemprop=datePublished], time[pubdate], time.published, time.entry-date, article time[datetime], time[datetime], "
        ".entry-date, .post-date, .published, [class*=publish-date], [class*=pubdate], [class*=timestamp], [class*=article-date], "
        ".date, [class*=date], time"
    )
    tags_at = "a[rel~=tag], .tags a, .tag-list a, [class*=article-tags] a, [class*=post-tags] a, [class*=entry-tags] a"
    captions_at = "article figcaption, main figcaption, figcaption"
    lead_at: ClassVar[str] = (
        ".standfirst, [class*=standfirst], .article-lead, [class*=article__lead], .lead, .lede, [class*=subtitle], "
        "[class*=sub-title], [class*=subheadline], [class*=sub-headline], [class*=deck], .dek, [class*=__dek], "
        "[class*=article-summary], [class*=intro], [class*=teaser], [class*=kicker-text], [itemprop=description], "
        "[itemprop=alternativeHeadline], .excerpt, .article-excerpt, [class*=article__summary], [class*=chapo], [class*=vorspann], "
        "[class*=ingress], [class*=bajada], [class*=entradilla], [class*=sommario], [class*=catenaccio]"
    )

    def teaser(self) -> str:
        """A block near the headline that is named like a standfirst, or that the head's description repeats."""
        described = normalised(self.head.description.value) if self.head.description else ""
        heading = self.tree.css_first("h1")
        region = _around(heading) if heading is not None else None
        if region is None:
            return ""
        for node in region.css(self.lead_at)[:20]:
            text = node_text(node)
            if (
                20 <= len(text) <= 700
                and node.css_first("h1") is None
                and len(node.css("p")) <= 3
                and not _in_card(node, region)
            ):
                self._note("teaser", "dom", "standfirst beside the headline")
                return text
        if not 30 <= len(described) <= 600:
            return ""
        for node in region.css("h2, p, div, h3")[:60]:
            text = node_text(node)
            if normalised(text) == described and not self._is_first_paragraph(node):
                self._note("teaser", "dom", "the printed block that is the head's description")
                return text
        return ""

    def _is_first_paragraph(self, node: LexborNode) -> bool:
        """A sibling of like paragraphs is the body's first, no standfirst."""
        following = node.next
        for _ in range(6):
            if following is None:
                return False
            if following.tag == node.tag and len(node_text(following)) > 60:
                return True
            following = following.next
        return False

    def blocks(self) -> tuple[Block, ...]:
        """The prose of the page's main container; JSON-LD's articleBody where the document has next to nothing."""
        outline = container.Outline(self.tree)
        found = outline.container()
        blocks = container.as_blocks(container.body_runs(outline, found)) if found is not None else ()
        blocks = tuple(block for block in blocks if not _loose(block))
        if blocks:
            tag = found.node.tag if found is not None else ""
            self._note("body", "dom", f"the {tag} with most of the prose")
        stated = self.head.body.value if self.head.body else ""
        if sum(len(block.text) for block in blocks) < SHORT < len(stated) and self.head.body is not None:
            self.provenance["body"] = self.head.body.provenance
            return tuple(Block("p", text) for line in stated.splitlines() if (text := clean(line)))
        return blocks

    def _is_headline(self, node: LexborNode) -> bool:
        return not tails.is_others_heading(node_text(node))


def _around(heading: LexborNode) -> LexborNode | None:
    """The element around the headline that still holds little text but its standfirst."""
    region = heading.parent
    for _ in range(3):
        parent = region.parent if region is not None else None
        if parent is None or parent.tag in ("body", "html"):
            break
        region = parent
    return region


def _in_card(node: LexborNode, region: LexborNode) -> bool:
    """Inside the card of another story: an element between it and the region holds a linked headline."""
    up = node.parent
    while up is not None and up.mem_id != region.mem_id:
        if up.css_first("h2 a[href], h3 a[href], h4 a[href]") is not None:
            return True
        up = up.parent
    return False


def _loose(block: Block) -> bool:
    """A scrap: a label, a button, a counter."""
    text = block.text
    return block.kind in ("p", "item") and len(text) < 3 and not text.isalnum()
