"""tagDiv *Newspaper* and *Newsmag* (WordPress): the classic templates and the page builder's ("tdb").

The cards of other stories repeat the article's classes (`entry-title`, `td-post-author-name`, `td-post-date` ...), so every
field is read outside of cards, and cards are known by their kind: `td_module_<n>`, `tdb_module_<name>`.
"""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborNode

from parsers import links, titles
from parsers.article import Block, Card
from parsers.layout import FURNITURE, Layout
from parsers.page import Page
from parsers.text import blocks, clean, node_text, normalised
from parsers.url import try_canonical

MODULES = "[class*=td_module_], [class*=tdb_module_]"
_MODULE = re.compile(r"(?:^|\s)tdb?_module_(?!meta|title|thumb|container)\w+")
_FOREIGN = re.compile(
    r"(?:^|\s)(?:tdb?_module_\w+|td_block_related_posts\w*|tdb_single_related|td-trending-now-\w+|td_block_trending_now|"
    r"td_block_mega_menu|td_block_big_grid\w*|td-subcat-item|td-footer-\w+|td-related-row)(?=\s|$)"
)
_CUT = re.compile(r"\s*(?:\.\.\.|…)\Z")
_LABEL = "a[class*=category], span[class*=category], .td-post-category"
_BODIES = (".tdb_single_content .tdb-block-inner", ".tdb_single_content", ".td-post-content")
_CARD_TITLE = (
    ".td-module-title a[href], .entry-title a[href], .tdb-module-title a[href], h3 a[href], h4 a[href], h2 a[href]"
)


class TagDiv(Layout):
    """Both generations; the page's own classes say which."""

    name = "tagdiv"
    mark = ".tdb_single_content, .td-post-content"
    title_at = (
        "h1.tdb-title-text, .tdb_title h1, .td-post-header h1, .td-post-title h1, header h1.entry-title, h1.entry-title, "
        ".td-post-title .entry-title"
    )
    teaser_at = ".tdb_single_subtitle .tdb-block-inner, .td-post-sub-title"
    byline_at = (
        ".tdb_single_author a.tdb-author-name, .td-post-author-name a, a.tdb-author-name, .td-author-name.vcard .fn a, "
        ".td-post-author-name"
    )
    date_at = (
        ".tdb_single_date time, .td-post-header .td-post-date time, .td-post-title .td-post-date time, header .td-post-date time, "
        ".td-post-date time, time.entry-date"
    )
    section_at = (
        ".tdb_single_categories a, a.tdb-entry-category, .td-category a, .entry-category a, .td-post-header .td-post-category, "
        ".td-post-title .td-post-category"
    )
    tags_at = ".tdb_single_tags a, .tdb-tags a, .td-post-source-tags .td-tags a, .td-post-source-tags ul.td-post-small-box a, .td-tags a"
    captions_at = (
        ".td-post-content figcaption, .tdb_single_content figcaption, .tdb_single_featured_image figcaption, "
        ".td-post-featured-image figcaption, .td-post-content .wp-caption-text"
    )
    drop = (
        ".td-post-featured-image",
        "[class*=td-a-rec]",
        "[class*=td-g-rec]",
        "[class*=td_block_]",
        "[class*=td_module_]",
        "[class*=tdb_module_]",
        ".tdb_single_related",
        ".td-related-title",
        ".td-post-sharing",
        "[class*=tdb_single_post_share]",
        ".td-post-source-tags",
        ".tdb_single_tags",
        ".td-post-next-prev",
        ".tdb_single_next_prev",
        ".author-box-wrap",
        ".tdb-author-box",
        ".td-post-sub-title",
        ".td-post-header",
        "header",
        "footer",
        ".code-block",
        ".wp-caption-text",
        "[class*=newsletter]",
        "[class*=subscribe]",
        "[class*=advert]",
        ".adsbygoogle",
        ".comments",
        "#comments",
        "h1",
    )

    @classmethod
    def fits_front(cls, page: Page) -> bool:
        """A front of the theme shows its stories in modules."""
        return page.tree.css_first(MODULES) is not None

    def own(self, node: LexborNode) -> bool:
        """Not inside another story's card, a related block, a mega menu or the footer."""
        up: LexborNode | None = node
        for _ in range(40):
            if up is None or up.tag in ("body", "html"):
                return True
            if _FOREIGN.search(up.attributes.get("class") or ""):
                return False
            up = up.parent
        return True

    def title(self) -> str:
        """The printed headline; a section's label inside or glued to it is cut off."""
        for node in self._nodes(self.title_at):
            label = node.css_first(_LABEL)
            text = node_text(node)
            if label is not None and text.startswith(node_text(label)):
                text = clean(text[len(node_text(label)) :])
            if text:
                self._note("title", "dom", self.title_at)
                return self._unglued(text)
        return self._unglued(super().title())

    def _unglued(self, text: str) -> str:
        """Without a glued label: one of the page's sections, or what the story's own card and the head leave off."""
        own = list(self._own_cards())
        text = titles.without_label(text, [*self.sections(), *(card.section for card in own)])
        return text.removeprefix(self._glued(text))

    def _glued(self, text: str) -> str:
        """The label glued to a headline: what the story's own card and the head leave off; "" if there is none."""
        for other in (*(card.title for card in self._own_cards()), *(value.value for value in self.head.titles)):
            plain = titles.without_site(other, self._site_names())
            label = text[: -len(plain)] if plain and text.endswith(plain) else ""
            if 0 < len(label) <= 30 and not label[-1].isspace() and label[0].isupper():
                return label
        return ""

    def _own_cards(self) -> Iterator[Card]:
        """This story's own cards on its page."""
        own = {try_canonical(self.page.url), self.head.canonical.value if self.head.canonical else None}
        for module in self._modules():
            card = self._card(module, 0)
            if card is not None and card.url in own:
                yield card

    def sections(self) -> tuple[str, ...]:
        """The path of the breadcrumb, else the printed labels, else the head's."""
        labels = tuple(dict.fromkeys(text for node in self._nodes(self.section_at) if (text := node_text(node))))
        crumbs = self._crumbs()
        if crumbs and (not labels or set(crumbs) & set(labels)):
            self._note("sections", "dom", ".entry-crumbs a")
            return crumbs
        if labels:
            self._note("sections", "dom", self.section_at)
            return labels
        return super().sections() or self._headline_label()

    def _headline_label(self) -> tuple[str, ...]:
        """The section that is printed nowhere but inside the headline."""
        for node in self._nodes(self.title_at):
            inner = node.css_first(_LABEL)
            if label := node_text(inner) if inner is not None else self._glued(node_text(node)):
                self._note("sections", "dom", "the label before the headline")
                return (label,)
        return ()

    def _crumbs(self) -> tuple[str, ...]:
        found = []
        for node in self._nodes(".td-crumb-container a, .entry-crumbs a, .tdb-breadcrumbs a"):
            path = (try_canonical(node.attributes.get("href") or "", self.page.url) or "").split("/", 3)
            if len(path) == 4 and path[3]:
                found.append(node_text(node))
        return tuple(dict.fromkeys(text for text in found if text))

    def blocks(self) -> tuple[Block, ...]:
        """The longest of the theme's content elements that belongs to this story."""
        best: tuple[Block, ...] = ()
        for selector in _BODIES:
            for node in self._nodes(selector):
                found = blocks([node], drop=(*FURNITURE, *self.drop))
                if sum(len(b.text) for b in found) > sum(len(b.text) for b in best):
                    best = found
                    self._note("body", "dom", selector)
            if sum(len(b.text) for b in best) > 200:
                break
        return best

    def cards(self) -> tuple[Card, ...]:
        """One card for each story announced by a module; the generic reading where the page has no modules."""
        found: dict[str, Card] = {}
        for module in self._modules():
            card = self._card(module, len(found) + 1)
            if card is None:
                continue
            known = found.get(card.url)
            if known is None:
                found[card.url] = card
            elif not known.teaser and card.teaser:
                found[card.url] = Card(
                    card.url, known.title, card.teaser, known.section or card.section, known.position
                )
        if not found:
            return links.generic_cards(self.page)
        return tuple(found.values())

    def _modules(self) -> Iterator[LexborNode]:
        for node in self.tree.css(MODULES)[:3000]:
            if _MODULE.search(node.attributes.get("class") or ""):
                yield node

    def _card(self, module: LexborNode, position: int) -> Card | None:
        link = module.css_first(_CARD_TITLE) or module.css_first("a[href][title]")
        if link is None:
            return None
        url = try_canonical(link.attributes.get("href") or "", links.base_of(self.page))
        text = node_text(link)
        whole = clean(link.attributes.get("title") or "")
        if not text or (_CUT.search(text) and whole):
            text = whole
        if url is None or not text:
            return None
        excerpt = module.css_first(".td-excerpt, .tdb-excerpt")
        label = module.css_first("a.td-post-category, .td-post-category, .tdb-entry-category")
        section = node_text(label) if label is not None else ""
        title = titles.without_label(text, [section])
        teaser = node_text(excerpt) if excerpt is not None else ""
        return Card(url, title, "" if normalised(teaser) == normalised(title) else teaser, section, position)
