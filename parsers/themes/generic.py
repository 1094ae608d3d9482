"""An honest first reader for any article page: the container with most prose, and what the page and its head agree on."""

import re
from functools import cached_property
from typing import ClassVar

from selectolax.lexbor import LexborNode

from parsers import container, dates, metadata, tails
from parsers.article import Block, When
from parsers.layout import Layout
from parsers.text import clean, node_text, normalised

_URL_DATE = re.compile(r"/((?:19|20)\d\d)[/-]([01]?\d)[/-]([0-3]?\d)(?=[/_-]|\b)")
SHORT = 250
"""Characters of body under which JSON-LD's articleBody is believed instead."""


class Generic(Layout):
    """Read by what news pages have in common."""

    name = "generic"
    mark = "body"
    bylines: ClassVar[tuple[str, ...]] = (
        "a[rel~=author]",
        "[itemprop=author] [itemprop=name]",
        "[itemprop=author]",
        ".byline a, [class*=byline] a[href]",
        ".byline-name, .author-name, [class*=author-name], [class*=authorName]",
        "a[href*='/author/'], a[href*='/authors/'], a[href*='/autor/'], a[href*='/by/']",
        ".author a, .byline, [class*=byline], .author, [class*=article-author], [class*=article__author]",
    )
    """Where bylines stand, surest first; the first that names people is believed."""
    date_at = (
        "[itemprop=datePublished], time[pubdate], time.published, time.entry-date, article time[datetime], time[datetime], "
        ".entry-date, .post-date, .published, [class*=publish-date], [class*=pubdate], [class*=timestamp], [class*=article-date], "
        ".date, [class*=date], time"
    )
    section_at = ".wp-block-post-terms.taxonomy-category a"
    tags_at = "a[rel~=tag], .tags a, .tag-list a, [class*=article-tags] a, [class*=post-tags] a, [class*=entry-tags] a"
    captions_at = "article figcaption, main figcaption, figcaption"
    lead_at: ClassVar[str] = (
        ".standfirst, [class*=standfirst], .article-lead, [class*=article__lead], .lead, .lede, [class*=subtitle], "
        "[class*=sub-title], [class*=subheadline], [class*=sub-headline], [class*=deck], .dek, [class*=__dek], "
        "[class*=article-summary], [class*=intro], [class*=teaser], [class*=kicker-text], [itemprop=description], "
        "[itemprop=alternativeHeadline], .excerpt, .article-excerpt, [class*=article__summary], [class*=chapo], [class*=vorspann], "
        "[class*=ingress], [class*=bajada], [class*=entradilla], [class*=sommario], [class*=catenaccio]"
    )

    @cached_property
    def outline(self) -> container.Outline:
        """The page as elements and runs of text, made once."""
        return container.Outline(self.tree)

    def teaser(self) -> str:
        """A block near the headline that is named like a standfirst, or that the head's description repeats."""
        described = normalised(self.head.description.value) if self.head.description else ""
        heading = self.tree.css_first("h1")
        region = _around(heading) if heading is not None else None
        if region is None:
            return self._subheading()
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

    def _subheading(self) -> str:
        """The smaller heading right under a headline that is no `h1`."""
        title = normalised(self.title())
        headline = next((node for node in self.tree.css("h2, h3")[:20] if normalised(node_text(node)) == title), None)
        below = headline.next if headline is not None else None
        while below is not None and below.tag == "-text" and not clean(below.text()):
            below = below.next
        if headline is None or below is None or below.tag not in ("h3", "h4", "h5") or headline.tag == below.tag:
            return ""
        text = node_text(below)
        if not 20 <= len(text) <= 300:
            return ""
        self._note("teaser", "dom", "heading under the headline")
        return text

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

    def published(self) -> When | None:
        """The head's date, else a printed one, else the address's, else one in the lines beside the headline."""
        return super().published() or self._address_date() or self._date_beside_headline()

    def _address_date(self) -> When | None:
        match = _URL_DATE.search(self.page.url)
        when = dates.read("-".join(match.groups()), self.timezone) if match else None
        if when is None or when.utc is None:
            return None
        self._note("published", "url", "/yyyy/mm/dd")
        return when

    def _date_beside_headline(self) -> When | None:
        runs = self.outline.runs
        title = normalised(self.title())
        at = next((n for n, run in enumerate(runs) if run.kind == "heading" and normalised(run.text) == title), None)
        if at is None:
            return None
        for run in (*runs[at + 1 : at + 8], *reversed(runs[max(at - 5, 0) : at])):
            if len(run.text) <= 160:
                when = dates.read(run.text, self.timezone)
                if when.utc is not None:
                    self._note("published", "dom", "a line beside the headline")
                    return when
        return None

    def authors(self) -> tuple[str, ...]:
        """People of the head, else of the first byline that names some."""
        if self.head.authors is not None:
            self.provenance["authors"] = self.head.authors.provenance
            return self.head.authors.value
        for selector in self.bylines:
            nodes = [node for node in self.tree.css(selector)[:30] if not _in_furniture(node)]
            texts = [text for node in nodes[:4] if 3 <= len(text := node_text(node)) <= 80]
            if people := metadata.people_among(texts, self._own_name()):
                self._note("authors", "dom", selector)
                return people
        return ()

    def blocks(self) -> tuple[Block, ...]:
        """The prose of the page's main container; JSON-LD's articleBody where the document has next to nothing."""
        found = self.outline.container()
        blocks = container.as_blocks(container.body_runs(self.outline, found)) if found is not None else ()
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


def _in_furniture(node: LexborNode) -> bool:
    """Inside a sidebar, a footer, comments or a list of other stories."""
    up = node.parent
    for _ in range(12):
        if up is None or up.tag in ("body", "html"):
            return False
        attributes = up.attributes
        names = f"{attributes.get('class') or ''} {attributes.get('id') or ''}".lower()
        if up.tag in ("aside", "footer", "nav") or any(
            word in names for word in ("comment", "related", "sidebar", "recommend")
        ):
            return True
        up = up.parent
    return False


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
