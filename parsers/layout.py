"""`Layout`: one page through one template's eyes. Selectors first, plain methods second."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, ClassVar, TypeVar

from selectolax.lexbor import LexborNode

from parsers import dates, links, metadata, tails, titles
from parsers.article import Article, Block, Card, Image, Person, Provenance, Quote, When
from parsers.links import Front
from parsers.page import Page
from parsers.quotes.extract import extract
from parsers.text import REMOVED, blocks, clean, node_text, normalised
from parsers.url import domain, try_canonical
from parsers.version import __version__

if TYPE_CHECKING:
    from parsers.site import Site

T = TypeVar("T")

FURNITURE = (
    "aside",
    "[aria-hidden=true]",
    "[hidden]",
    ".sharedaddy",
    ".jp-relatedposts",
    ".addtoany_share_save_container",
    ".yarpp-related",
    ".screen-reader-text",
    ".sr-only",
    ".visually-hidden",
)
"""What no body holds, whatever its template."""


class Layout:
    """A template. Built for one page and thrown away; it never fetches, opens a file or asks the clock.

    A template says what is different about it: `mark` is a selector only it has (else `body_at`); `since` the first day
    it was seen; the `_at` selectors name where a field is printed; `drop` what to cut out of the body. What a selector
    cannot say, the method of the same name can. Title and body are mandatory, all else may be empty.
    """

    name: ClassVar[str] = "layout"
    since: ClassVar[date] = date.min
    mark: ClassVar[str] = ""
    title_at: ClassVar[str] = ""
    teaser_at: ClassVar[str] = ""
    body_at: ClassVar[str] = ""
    byline_at: ClassVar[str] = ""
    date_at: ClassVar[str] = ""
    section_at: ClassVar[str] = ""
    tags_at: ClassVar[str] = ""
    captions_at: ClassVar[str] = "figcaption"
    drop: ClassVar[tuple[str, ...]] = ()

    def __init__(self, page: Page, site: "Site | None" = None, *, timezone: str | None = None) -> None:
        self.page = page
        self.site = site
        self.timezone = timezone or (site.timezone if site else None)
        self.tree = page.tree
        self.head = metadata.head(page)
        self.provenance: dict[str, Provenance] = {}

    @classmethod
    def fits(cls, page: Page) -> bool:
        """Whether the page is made from this template."""
        selector = cls.mark or cls.body_at
        return bool(selector) and page.tree.css_first(selector) is not None

    @classmethod
    def fits_front(cls, page: Page) -> bool:
        """Whether a front is made from this template's family."""
        return cls.fits(page)

    # -- fields: each notes where its value came from ------------------------------------------------------------

    def title(self) -> str:
        """The headline as printed; the head's title, without the site's name, where none is."""
        labels = self.sections()
        for node in self._nodes(self.title_at):
            if text := titles.without_label(node_text(node), labels):
                self._note("title", "dom", self.title_at)
                return text
        stated = [value.value for value in self.head.titles]
        plain = [titles.without_site(text, self._site_names()) for text in stated]
        headings = [text for node in self.tree.css("h1")[:20] if (text := node_text(node)) and self._is_headline(node)]
        if best := titles.printed(headings, plain):
            self._note("title", "dom", "h1")
            return titles.without_label(best, labels)
        if plain:
            self.provenance["title"] = self.head.titles[0].provenance
            return plain[0]
        return ""

    def teaser(self) -> str:
        """The standfirst printed on this page, else ""."""
        for node in self._nodes(self.teaser_at):
            if text := node_text(node):
                self._note("teaser", "dom", self.teaser_at)
                return text
        return ""

    def blocks(self) -> tuple[Block, ...]:
        """The body's blocks in reading order, before their tail is cut."""
        nodes = list(self._nodes(self.body_at))
        found = blocks(_outermost(nodes), drop=(*FURNITURE, *self.drop))
        if found:
            self._note("body", "dom", self.body_at)
        return found

    def captions(self) -> tuple[str, ...]:
        """Captions of pictures, in order, once each."""
        texts = (node_text(node) for node in self._nodes(self.captions_at))
        return tuple(dict.fromkeys(text for text in texts if text))

    def authors(self) -> tuple[str, ...]:
        """People of the byline, else of the head."""
        printed = [node_text(node) for node in self._nodes(self.byline_at)]
        if people := metadata.people_among(printed, self._own_name()):
            self._note("authors", "dom", self.byline_at)
            return people
        return self._of_head("authors", self.head.authors) or ()

    def published(self) -> When | None:
        """When the story appeared, as the head or the printed date says."""
        if self.head.published is not None:
            when = dates.read(self.head.published.value, self.timezone)
            if when.utc is not None:
                self.provenance["published"] = self.head.published.provenance
                return when
        return self._printed_date()

    def modified(self) -> When | None:
        """When the story was changed, as the head says."""
        value = self._of_head("modified", self.head.modified)
        when = dates.read(value, self.timezone) if value else None
        if when is None or when.utc is None:
            self.provenance.pop("modified", None)
            return None
        return when

    def sections(self) -> tuple[str, ...]:
        """Sections, outermost first."""
        printed = tuple(dict.fromkeys(text for node in self._nodes(self.section_at) if (text := node_text(node))))
        if printed:
            self._note("sections", "dom", self.section_at)
            return printed
        return self._of_head("sections", self.head.sections) or ()

    def section(self) -> str | None:
        """The most specific section."""
        sections = self.sections()
        return sections[-1] if sections else None

    def tags(self) -> tuple[str, ...]:
        """Topics as printed, else as the head states them; sections are none."""
        known = {normalised(text) for text in self.sections()}
        texts = (node_text(node).strip(" #,;") for node in self._nodes(self.tags_at))
        printed = {normalised(text): text for text in texts if text and len(text) <= 80}
        if kept := tuple(text for plain, text in printed.items() if plain not in known):
            self._note("tags", "dom", self.tags_at)
            return kept
        stated = self._of_head("tags", self.head.tags) or ()
        return tuple(tag for tag in stated if normalised(tag) not in known)

    def image(self) -> Image | None:
        """The main picture, as the head says."""
        return self._of_head("image", self.head.image)

    def cards(self) -> tuple[Card, ...]:
        """Other stories that the page announces."""
        return links.generic_cards(self.page)

    def front(self) -> Front:
        """The page read as a front."""
        return links.front(self.page, self.cards())

    def quotes(self, body: Sequence[Block]) -> tuple[tuple[Quote, ...], tuple[Person, ...]]:
        """Who says what; a site overrides it only if it marks its speakers."""
        return extract("\n".join(block.text for block in body), tuple(body))

    # -- the whole -----------------------------------------------------------------------------------------------

    def read(self) -> Article:
        """Every field of the page; the verdict is the registry's business."""
        title = self.title()
        teaser = self.teaser()
        raw = self.blocks()
        body = tails.cut(raw, title=title, teaser=teaser)
        found, people = self.quotes(body)
        canonical = self._of_head("canonical_url", self.head.canonical)
        own = canonical or try_canonical(self.page.url) or self.page.url
        others = [card for card in self.cards() if card.url != own and normalised(card.title) != normalised(title)]
        section, sections, captions = self.section(), self.sections(), self.captions()
        self._derived(found, others, captions)
        return Article(
            url=self.page.url,
            canonical_url=own,
            alternates=tuple(dict.fromkeys(url for url in self.head.alternates if url != own)),
            site=self.site.name if self.site else None,
            layout=self.name,
            title=title,
            teaser=teaser,
            description=self._of_head("description", self.head.description) or "",
            blocks=body,
            captions=captions,
            authors=tuple(name for name in self.authors() if REMOVED not in name),
            published=self.published(),
            modified=self.modified(),
            section=section,
            sections=sections,
            tags=tuple(name for name in self.tags() if REMOVED not in name),
            language=self._of_head("language", self.head.language) or (self.site.language if self.site else None),
            paywall=self._of_head("paywall", self.head.paywall),
            image=self.image(),
            quotes=found,
            people=people,
            cards=tuple(others),
            provenance=dict(self.provenance),
            parser_version=__version__,
        )

    def _derived(self, found: Sequence[Quote], others: Sequence[Card], captions: Sequence[str]) -> None:
        """Where fields come from that are made of other fields, or of the page as a whole."""
        for field, basis in (("section", "sections"), ("blocks", "body")):
            if basis in self.provenance:
                self.provenance.setdefault(field, self.provenance[basis])
        if found:
            self._note("quotes", "text", "statements in the body")
            self._note("people", "text", "statements in the body")
        if others:
            self._note("cards", "dom", "stories announced beside this one")
        if captions:
            self._note("captions", "dom", self.captions_at)

    # -- for layouts ---------------------------------------------------------------------------------------------

    def own(self, node: LexborNode) -> bool:
        """Whether a node belongs to this story, not to a card of another; a theme knows its cards."""
        return True

    def _nodes(self, selector: str) -> Iterator[LexborNode]:
        if selector:
            yield from (node for node in self.tree.css(selector)[:500] if self.own(node))

    def _is_headline(self, node: LexborNode) -> bool:
        return self.own(node)

    def _note(self, field: str, source: str, rule: str) -> None:
        self.provenance[field] = Provenance(source, rule)

    def _of_head(self, field: str, value: metadata.Value[T] | None) -> T | None:
        if value is None:
            return None
        self.provenance[field] = value.provenance
        return value.value

    def _own_name(self) -> str:
        return self.head.site_name.value if self.head.site_name else (self.site.name if self.site else "")

    def _site_names(self) -> list[str]:
        suffixes = list(self.site.title_suffixes) if self.site else []
        stated = [self._own_name()] if self._own_name() else []
        return [*suffixes, *stated, domain(self.page.url)]

    def _printed_date(self) -> When | None:
        for node in self._nodes(self.date_at):
            inner = node.css_first("time[datetime]")
            attributes = (node if inner is None else inner).attributes
            for raw in (attributes.get("datetime"), attributes.get("content"), node_text(node)):
                when = dates.read(clean(raw), self.timezone) if raw else None
                if when is not None and when.utc is not None:
                    self._note("published", "dom", self.date_at)
                    return when
        return None


def _outermost(nodes: Sequence[LexborNode]) -> list[LexborNode]:
    """Nodes that lie in none of the others."""
    ids = {node.mem_id for node in nodes}
    kept = []
    for node in nodes:
        parent = node.parent
        while parent is not None and parent.mem_id not in ids:
            parent = parent.parent
        if parent is None:
            kept.append(node)
    return kept
