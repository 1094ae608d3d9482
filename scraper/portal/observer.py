"""The Yeongil Observer: a harbor town's paper on an older *Newspaper* (its seventh version), with AMP and print plugins."""

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from urllib.parse import quote

from scraper.portal import feeds
from scraper.portal.paper import Answer, Paper, body, cut, newest, page_of, utc
from scraper.portal.stories import Data, Story, slug

NAME = "The Yeongil Observer"
SECTIONS = ("Port", "Works", "Courts", "Table")
A_PAGE = 8
IN_FEED = 10
SHORT = 54  # letters after which narrow cards cut a headline
WRAP = {
    "p": "<p>{}</p>",
    "heading": "<h3>{}</h3>",
    "subheading": "<h4>{}</h4>",
    "item": "<li>{}</li>",
    "quote": "<blockquote><p>{}</p></blockquote>",
    "pull": '<blockquote class="td_pull_quote"><p>{}</p></blockquote>',
}


class Observer(Paper):
    """Dated addresses; cards of the front and the feed carry tracking parameters; the most read link the AMP pages."""

    name = "yeongil-observer"
    folder = "observer"
    sources = (("front", "/"), ("feed", "/feed/"), ("sitemap", "/sitemap_index.xml"))
    robots = """\
User-agent: *
Disallow: /wp-admin/
Disallow: /subscribe/
Disallow: /*/print/
Crawl-delay: 0

Sitemap: $basesitemap_index.xml
"""

    def __init__(self, data: Data, stories: Sequence[Story], gone: Sequence[Story] = (), *, base: str) -> None:
        super().__init__(data, stories, gone, base=base)
        self._by_path = {self.path(story): story for story in stories}
        self._by_id = {str(story.id): story for story in stories}

    def path(self, story: Story) -> str:
        return f"{story.published:%Y/%m/%d}/{story.slug}/"

    def short_path(self, story: Story) -> str:
        return f"?p={story.id}"

    def make(self, path: str, query: Mapping[str, str]) -> Answer:
        if not path:
            story = self._by_id.get(query.get("p", ""))
            return self.moved(self.path(story)) if story else self._missing() if "p" in query else self._front()
        if path in self._by_path:
            return self._article(self._by_path[path])
        if path in {self.path(story) for story in self.gone}:
            return self._plain(
                410, "This story is gone", "<p>The editors have withdrawn the story that stood here.</p>"
            )
        stem, _, variant = path.rstrip("/").rpartition("/")
        if variant in ("amp", "print") and f"{stem}/" in self._by_path:
            return self._variant(self._by_path[f"{stem}/"], variant)
        match path.rstrip("/").split("/"):
            case ["feed"]:
                return self._feed()
            case ["sitemap_index.xml" | "post-sitemap.xml" | "category-sitemap.xml" as name]:
                return self._sitemap(name)
            case [("category" | "tag" | "author") as kind, name, *rest] if not rest or rest[0] == "page":
                return self._listing(kind, name, int(rest[1]) if rest[1:] and rest[1].isdecimal() else 1)
            case ["about" | "subscribe" as name]:
                return self._plain(200, name.capitalize(), "<p>The Yeongil Observer is an invented newspaper.</p>")
        return self._missing()

    def _article(self, story: Story) -> Answer:
        older, newer = self.beside(story, 0, 2)
        tags = "".join(f'<li><a href="{self._about("tag", tag)}">{escape(tag)}</a></li>' for tag in story.tags)
        content = self.fill(
            "article",
            **self._values(story)
            | self._signed(story)
            | {
                "standfirst": f'<p class="td-post-sub-title">{escape(story.standfirst)}</p>'
                if story.standfirst
                else "",
                "views": 90 + story.id % 3100,
                "quoted": quote(self.url(story), safe=""),
                "image": self._image(story),
                "body": "\n".join(body(story.visible, self.base, WRAP)),
                "source": '<div class="td-post-source-via"><div class="td-post-small-box"><span>SOURCE</span>'
                f'<a rel="nofollow" href="https://hanul-wire.example/">{story.agency}</a></div></div>'
                if story.agency
                else "",
                "tags": f'<ul class="td-tags td-post-small-box clearfix"><li><span>TAGS</span></li>{tags}</ul>'
                if tags
                else "",
                "older": escape(older.title),
                "older_url": self.url(older),
                "newer": escape(newer.title),
                "newer_url": self.url(newer),
                "modified": story.modified.isoformat(),
                "related": self._cards("td_module_related_posts", self.beside(story, 2, 5)),
                "sidebar": self._sidebar(self.beside(story, 5, 9)),
            },
        )
        kind = f"single single-post postid-{story.id} single-format-standard {story.slug}"
        return Answer(200, self._page(story.title, kind, content, self._head(story)), modified=story.modified)

    def _signed(self, story: Story) -> dict[str, object]:
        """The byline, the box below the text and the hidden twin that the theme prints of an author."""
        if not story.authors:
            return {"byline": "", "author_box": "", "author_meta": ""}
        name = escape(story.authors[0])
        link = f'<a itemprop="author" href="{self._about("author", story.authors[0])}">{name}</a>'
        by, line = '<div class="td-author-by">By</div>', '<div class="td-author-line"> - </div>'
        box = f'<div class="td-author-name vcard author"><span class="fn">{link}</span></div>'
        return {
            "byline": f'<div class="td-post-author-name">{by} {link}{line} </div>',
            "author_box": f'<div class="author-box-wrap"><div class="desc">{box}<div class="td-author-description"></div></div></div>',
            "author_meta": '<span style="display: none;" itemprop="author" itemscope itemtype="https://schema.org/Person">'
            f'<meta itemprop="name" content="{name}"></span>',
        }

    def _image(self, story: Story) -> str:
        if not story.caption:
            return ""
        image = f"{self.base}wp-content/uploads/2026/11/{story.slug}.jpg"
        return (
            f'<div class="td-post-featured-image"><figure><a href="{image}" data-caption="{escape(story.caption)}" class="td-modal-image">'
            f'<img width="696" height="464" itemprop="image" class="entry-thumb" src="{image}" alt=""/></a>'
            f'<figcaption class="wp-caption-text">{escape(story.caption)}</figcaption></figure></div>'
        )

    def _variant(self, story: Story, kind: str) -> Answer:
        author = escape(", ".join(story.authors) or "Staff")
        lines = "\n".join(body(story.visible, self.base, WRAP))
        graph = {
            "@context": "http://schema.org",
            "@type": "NewsArticle",
            "mainEntityOfPage": self.url(story),
            "headline": story.title,
            "datePublished": utc(story.published),
            "dateModified": utc(story.modified),
            "author": [{"@type": "Person", "name": author} for author in story.authors],
            "articleSection": story.section,
            "keywords": list(story.tags),
            "publisher": {"@type": "Organization", "name": NAME},
        }
        values = self._values(story) | {"author": author, "body": lines, "graph": json.dumps(graph, ensure_ascii=False)}
        return Answer(200, self.fill(kind, **values).encode(), modified=story.modified)

    def _front(self) -> Answer:
        grid = self._cards("td_module_mx1", self.stories[:3], "?utm_source=front&utm_medium=grid")
        blocks = []
        for section in SECTIONS:
            own = [story for story in self.stories if story.section == section]
            cards = self._cards("td_module_4", own[:1]) + self._cards("td_module_6", own[1:5])
            heading = f'<a href="{self._about("category", section)}">{section.upper()}</a>'
            blocks.append(self.fill("block", kind="td_block_1", heading=heading, cards=cards))
        content = self.fill(
            "front", grid=grid, blocks="\n".join(blocks), sidebar=self._sidebar(self.steady[8:12], "amp/")
        )
        head = f'<link rel="canonical" href="{self.base}" />'
        return Answer(
            200,
            self._page("News from the Bay", "home page page-template", content, head),
            modified=newest(self.stories),
        )

    def _listing(self, kind: str, name: str, number: int) -> Answer:
        def belongs(story: Story) -> bool:
            words = {"category": (story.section,), "tag": story.tags, "author": story.authors}[kind]
            return name in {slug(word) for word in words}

        own = [story for story in self.stories if belongs(story)]
        shown, last = page_of(own, number, A_PAGE)
        if not shown:
            return self._missing()
        url = f"{self.base}{kind}/{quote(name)}/"
        links = "".join(
            f'<span class="current">{n}</span>'
            if n == number
            else f'<a href="{url}{f"page/{n}/" if n > 1 else ""}" class="page" title="{n}">{n}</a>'
            for n in range(1, last + 1)
        )
        content = self.fill(
            "listing",
            heading=escape(name.replace("-", " ").capitalize()),
            cards=self._cards("td_module_10" if kind != "category" else "td_module_1", shown),
            page_nav=f'<div class="page-nav td-pb-padding-side">{links}<span class="pages">Page {number} of {last}</span></div>'
            if last > 1
            else "",
            sidebar=self._sidebar(self.steady[3:7]),
        )
        page = self._page(
            name.capitalize(), f"archive {kind} {kind}-{name}", content, f'<link rel="canonical" href="{url}" />'
        )
        return Answer(200, page, modified=newest(own))

    def _feed(self) -> Answer:
        items = [self._item(story) for story in self.stories[:IN_FEED]]
        text = feeds.rss(items, title=NAME, home=self.base, own=f"{self.base}feed/")
        return Answer(200, text.encode(), "application/rss+xml; charset=UTF-8", modified=newest(self.stories))

    def _item(self, story: Story) -> feeds.Item:
        return feeds.Item(
            url=f"{self.url(story)}?utm_source=rss&utm_medium=rss&utm_campaign={story.slug}",
            guid=self.base + self.short_path(story),
            title=story.title,
            published=story.published,
            modified=story.modified,
            authors=story.authors,
            words=(story.section, *story.tags),
            excerpt=cut(story.excerpt, 55, " [&#8230;]"),
        )

    def _sitemap(self, name: str) -> Answer:
        at = newest(self.stories)
        if name == "sitemap_index.xml":
            text = feeds.sitemap_index([(f"{self.base}{kind}-sitemap.xml", at) for kind in ("post", "category")])
        elif name == "post-sitemap.xml":
            text = feeds.sitemap((self.url(story), story.modified) for story in self.stories)
        else:
            text = feeds.sitemap((self._about("category", section), None) for section in SECTIONS)
        return Answer(200, text.encode(), "text/xml; charset=UTF-8", modified=at)

    def _sidebar(self, stories: Sequence[Story], variant: str = "") -> str:
        return self.fill(
            "block",
            kind="td_block_7 widget td_block_widget",
            heading="<span>MOST READ</span>",
            cards=self._cards("td_module_6", stories, variant),
        )

    def _about(self, kind: str, name: str) -> str:
        return f"{self.base}{kind}/{quote(slug(name))}/"

    def _cards(self, kind: str, stories: Iterable[Story], tail: str = "") -> str:
        return "\n".join(self.fill(kind, **self._values(story, tail)) for story in stories)

    def _values(self, story: Story, tail: str = "") -> dict[str, object]:
        """What cards and pages both show. `tail`: what is put behind the story's address."""
        title = story.title if len(story.title) <= SHORT else story.title[:SHORT].rsplit(" ", 1)[0] + "..."
        author = (
            f'<a itemprop="author" href="{self._about("author", story.authors[0])}">{escape(story.authors[0])}</a>'
            if story.authors
            else ""
        )
        return {
            "id": story.id,
            "url": self.url(story),
            "link": escape(self.url(story) + tail),
            "title": escape(story.title),
            "short": escape(title),
            "section": story.section,
            "section_slug": slug(story.section),
            "section_url": self._about("category", story.section),
            "cut": escape(cut(story.excerpt, 25)),
            "thumb": f"{self.base}wp-content/uploads/2026/11/{story.slug}-324x235.jpg",
            "iso": story.published.isoformat(),
            "date": f"{story.published:%b %-d, %Y}",
            "card_byline": f'<div class="td-post-author-name">{author} <span>-</span> </div>' if author else "",
        }

    def _head(self, story: Story) -> str:
        url, title, about = self.url(story), escape(story.title), escape(cut(story.excerpt, 30))
        return "\n".join(
            [
                f'<meta name="description" content="{about}"/>',
                f'<link rel="canonical" href="{url}" />',
                '<meta property="og:type" content="article" />',
                f'<meta property="og:title" content="{title} - {NAME}" />',
                f'<meta property="og:description" content="{about}" />',
                f'<meta property="og:url" content="{url}" />',
                f'<meta property="og:site_name" content="{NAME}" />',
                *(f'<meta property="article:tag" content="{escape(tag)}" />' for tag in story.tags),
                f'<meta property="article:section" content="{story.section}" />',
                f'<meta property="article:published_time" content="{story.published.isoformat()}" />',
                f"<link rel='shortlink' href='{self.base}?p={story.id}' />",
                f'<link rel="amphtml" href="{url}amp/" />',
            ]
        )

    def _page(self, title: str, kind: str, content: str, head: str = "") -> bytes:
        menu = "".join(
            f'<li class="menu-item menu-item-type-taxonomy"><a href="{self._about("category", name)}">{name}</a></li>'
            for name in SECTIONS
        )
        picks = self._cards("td_module_6", self.steady[:3])
        return self.fill(
            "page",
            title=f"{escape(title)} - {NAME}",
            head=head,
            body_class=kind,
            content=content,
            menu=menu,
            picks=picks,
        ).encode()

    def _plain(self, status: int, title: str, text: str) -> Answer:
        return Answer(status, self._page(title, "page", self.fill("plain", heading=title, text=text)))

    def _missing(self) -> Answer:
        return self._plain(404, "Ooops... Error 404", "<p>Sorry, but the page you are looking for doesn't exist.</p>")
