"""The Lantern's markup: cards, blocks and heads of pages, filled into the templates; all text escaped here.

The templates follow the two generations of tagDiv's Newspaper theme as real pages show them, not what we look for.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from html import escape
from urllib.parse import quote

from scraper.portal.paper import Paper, utc
from scraper.portal.stories import Story, slug

NAME = "The Hangang Lantern"
SECTIONS = ("Health", "Science", "Business", "Society")
SHORT = 62  # letters after which narrow cards cut a headline
CUT = 16  # words after which some cards cut a teaser


@dataclass(frozen=True, slots=True)
class Markup:
    """Fills the paper's templates. `today`: printed above every page. `menu`: the menus' stories."""

    paper: Paper
    today: datetime
    menu: tuple[Story, ...]

    def fill(self, template: str, **values: object) -> str:
        """A template with its values, which are markup already."""
        return self.paper.fill(template, **values)

    def url(self, story: Story) -> str:
        """Where the portal's own pages link a story."""
        return self.paper.base + self.paper.short_path(story) if story.short else self.paper.url(story)

    def section_url(self, section: str) -> str:
        """A section's listing."""
        return f"{self.paper.base}category/{section.lower()}/"

    def author_url(self, author: str) -> str:
        """An author's listing."""
        return f"{self.paper.base}author/{quote(slug(author))}/"

    def author_links(self, story: Story, name: str = "") -> str:
        """All authors of a story, each a link; `name`: the links' class."""
        mark = f' class="{name}"' if name else ""
        return " and ".join(f'<a{mark} href="{self.author_url(who)}">{escape(who)}</a>' for who in story.authors)

    def common(self, story: Story) -> dict[str, object]:
        """What cards and article pages both show of a story."""
        author = story.authors[0] if story.authors else ""
        words = story.excerpt.split()
        return {
            "id": story.id,
            "url": self.url(story),
            "title": escape(story.title),
            "short": escape(_shortened(story.title)),
            "section": story.section,
            "section_slug": story.section.lower(),
            "section_url": self.section_url(story.section),
            "excerpt": escape(story.excerpt),
            "cut": escape(story.excerpt if len(words) <= CUT else " ".join(words[:CUT]) + "..."),
            "byline": f'<span class="td-post-author-name">{self.author_links(story)} <span>-</span> </span>'
            if author
            else "",
            "iso": story.published.isoformat(),
            "date": _long(story.published),
            "thumb": f"{self.paper.base}wp-content/uploads/{story.slug}-324x235.jpg",
            "image_url": f"{self.paper.base}wp-content/uploads/{story.slug}.jpg",
            "slug": story.slug,
            "author": escape(author),
            "author_url": self.author_url(author) if author else "",
        }

    def cards(self, kind: str, stories: Iterable[Story]) -> str:
        """Cards of one kind, in order."""
        return "\n".join(self.fill(kind, **self.common(story)) for story in stories)

    def block(self, kind: str, uid: int, heading: str, cards: str) -> str:
        """A block of cards under a heading."""
        return self.fill("block", kind=kind, uid=uid, heading=heading, cards=cards)

    def popular(self, stories: Iterable[Story]) -> str:
        """The side column's list."""
        return self.block("td_block_7", 81, "Most Popular Articles", self.cards("td_module_6", stories))

    def tag_cloud(self, tags: Iterable[str]) -> str:
        """The list of other tags."""
        links = "".join(
            f'<li><a href="{self.paper.base}tag/{quote(slug(tag))}/">{escape(tag)}</a></li>' for tag in tags
        )
        return self.fill("tag_cloud", links=links)

    def page(self, title: str, body_class: str, content: str, head: str = "") -> bytes:
        """A whole page around its content. `title` is plain text; the site's name is put behind it."""
        menu, mega = [], []
        for section in SECTIONS:
            item = f'<a href="{self.section_url(section)}">{section}</a>'
            menu.append(f'<li class="menu-item menu-item-type-taxonomy menu-item-object-category">{item}</li>')
            cards = self.cards("td_module_mega_menu", [story for story in self.menu if story.section == section][:2])
            mega.append(self.fill("mega_item", url=self.section_url(section), section=section, cards=cards))
        return self.fill(
            "page",
            title=escape(f"{title} - {NAME}" if title != NAME else f"{NAME} - News from Korea"),
            head=head,
            body_class=body_class,
            content=content,
            menu="\n".join(menu),
            mega_menu="\n".join(mega),
            today=self.today.strftime("%A, %B %-d, %Y"),
            categories="".join(f'<li><a href="{self.section_url(name)}">{name}</a></li>' for name in SECTIONS),
        ).encode()

    def head(self, story: Story) -> str:
        """The head of an article's page: as an SEO plugin writes it, or less."""
        url, short = self.paper.url(story), f"{self.paper.base}?p={story.id}"
        lines = [f'<link rel="canonical" href="{url}" />', f"<link rel='shortlink' href='{short}' />"]
        if story.head == "bare":
            return lines[1]
        title, about = escape(story.title), escape(story.excerpt)
        suffix = f" - {NAME}" if story.id % 2 else ""
        lines += [
            '<meta name="robots" content="index, follow, max-image-preview:large" />',
            f'<meta name="description" content="{about}" />',
            '<meta property="og:locale" content="en_US" />',
            '<meta property="og:type" content="article" />',
            f'<meta property="og:title" content="{title}{suffix}" />',
            f'<meta property="og:description" content="{about}" />',
            f'<meta property="og:url" content="{url}" />',
            f'<meta property="og:site_name" content="{NAME}" />',
            f'<meta property="article:published_time" content="{utc(story.published)}" />',
            f'<meta property="article:modified_time" content="{utc(story.modified)}" />',
            f'<meta property="og:image" content="{self.paper.base}wp-content/uploads/{story.slug}.jpg" />',
            '<meta name="twitter:card" content="summary_large_image" />',
        ]
        if story.authors:
            lines.append(f'<meta name="author" content="{escape(", ".join(story.authors))}" />')
        if story.head == "full":
            graph = json.dumps(self._graph(story, url), ensure_ascii=False).replace("</", "<\\/")
            lines.append(f'<script type="application/ld+json" class="yoast-schema-graph">{graph}</script>')
        return "\n".join(lines)

    def _graph(self, story: Story, url: str) -> dict[str, object]:
        article: dict[str, object] = {
            "@type": "NewsArticle" if story.section != "Science" else "Article",
            "@id": f"{url}#article",
            "isPartOf": {"@id": url},
            "headline": story.title,
            "datePublished": utc(story.published),
            "dateModified": utc(story.modified),
            "mainEntityOfPage": {"@id": url},
            "wordCount": sum(len(text.split()) for _, text in story.blocks),
            "publisher": {"@id": f"{self.paper.base}#organization"},
            "articleSection": [story.section],
            "inLanguage": "en-US",
        }
        people = []
        if story.authors:
            article["author"] = [{"@id": self.author_url(author), "name": author} for author in story.authors]
            people = [
                {"@type": "Person", "@id": self.author_url(author), "name": author, "url": self.author_url(author)}
                for author in story.authors
            ]
        if story.tags:
            article["keywords"] = list(story.tags)
        crumbs = [("Home", self.paper.base), (story.section, self.section_url(story.section)), (story.title, "")]
        trail = [
            {"@type": "ListItem", "position": at, "name": name} | ({"item": link} if link else {})
            for at, (name, link) in enumerate(crumbs, 1)
        ]
        page = {
            "@type": "WebPage",
            "@id": url,
            "url": url,
            "name": f"{story.title} - {NAME}",
            "isPartOf": {"@id": f"{self.paper.base}#website"},
            "datePublished": utc(story.published),
            "description": story.excerpt,
            "breadcrumb": {"@id": f"{url}#breadcrumb"},
        }
        site = {"@type": "WebSite", "@id": f"{self.paper.base}#website", "url": self.paper.base, "name": NAME}
        owner = {
            "@type": "Organization",
            "@id": f"{self.paper.base}#organization",
            "name": NAME,
            "url": self.paper.base,
        }
        crumb = {"@type": "BreadcrumbList", "@id": f"{url}#breadcrumb", "itemListElement": trail}
        return {"@context": "https://schema.org", "@graph": [article, page, crumb, site, owner, *people]}


def _shortened(title: str) -> str:
    return title if len(title) <= SHORT else title[:SHORT].rsplit(" ", 1)[0] + "..."


def _long(when: datetime) -> str:
    return when.strftime("%B %-d, %Y")
