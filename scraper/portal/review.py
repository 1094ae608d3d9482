"""The Namsan Review: a magazine on a plain WordPress block theme, with what the core brings: REST, RSS, Atom, sitemaps."""

from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import quote

from scraper.portal import feeds, review_rest
from scraper.portal.paper import Answer, Paper, body, cut, newest, page_of
from scraper.portal.stories import Data, Story, slug

NAME = "Namsan Review"
SECTIONS = ("Ideas", "Nature", "Culture", "Learning")
A_PAGE = 8
IN_FEED = 10
EXCERPT = 55  # words, WordPress's own measure
WRAP = {
    "p": "<p>{}</p>",
    "heading": '<h2 class="wp-block-heading">{}</h2>',
    "subheading": '<h3 class="wp-block-heading">{}</h3>',
    "item": "<li>{}</li>",
    "quote": '<blockquote class="wp-block-quote is-layout-flow wp-block-quote-is-layout-flow"><p>{}</p></blockquote>',
    "pull": '<figure class="wp-block-pullquote"><blockquote><p>{}</p></blockquote></figure>',
}


class Review(Paper):
    """Addresses are bare slugs; heads say little, for there is no plugin that would fill them."""

    name = "namsan-review"
    folder = "review"
    sources = (("front", "/"), ("feed", "/feed/atom/"), ("wp", "/wp-json/wp/v2/posts"))
    robots = """\
User-agent: *
Disallow: /wp-admin/
Allow: /wp-admin/admin-ajax.php

Sitemap: $basewp-sitemap.xml
"""

    def __init__(self, data: Data, stories: Sequence[Story], gone: Sequence[Story] = (), *, base: str) -> None:
        super().__init__(data, stories, gone, base=base)
        self._by_path = {self.path(story): story for story in stories}
        self._by_id = {str(story.id): story for story in stories}

    def path(self, story: Story) -> str:
        return f"{story.slug}/"

    def short_path(self, story: Story) -> str:
        return f"?p={story.id}"

    def make(self, path: str, query: Mapping[str, str]) -> Answer:
        if path in self._by_path:
            return self._article(self._by_path[path])
        if not path and "p" in query:
            story = self._by_id.get(query["p"])
            return self.moved(self.path(story)) if story else self._missing()
        match path.rstrip("/").split("/"):
            case [""]:
                return self._listing("", "", 1)
            case ["page", number] if number.isdecimal():
                return self._listing("", "", int(number))
            case [("category" | "tag" | "author") as kind, name]:
                return self._listing(kind, name, 1)
            case [("category" | "tag" | "author") as kind, name, "page", number] if number.isdecimal():
                return self._listing(kind, name, int(number))
            case ["feed", *kind]:
                return self._feed("".join(kind), int(query.get("paged", "1")))
            case ["wp-json", *rest]:
                return review_rest.answer(self, rest, query)
            case [name] if name.startswith("wp-sitemap"):
                return self._sitemap(name)
            case ["about" | "privacy-policy" as name]:
                return self._plain(200, name.capitalize(), "The Namsan Review is an invented magazine.")
        return self._missing()

    def content(self, story: Story) -> str:
        """A story's text as the editor keeps it."""
        return "\n\n".join(body(story.visible, self.base, WRAP, '<ul class="wp-block-list">'))

    def excerpt(self, story: Story) -> str:
        """The first words of the text, as the core cuts them."""
        return escape(cut(story.excerpt, EXCERPT, " […]"), quote=False)

    def about(self, kind: str, name: str) -> str:
        """The listing of a category, a tag or an author."""
        return f"{self.base}{kind}/{quote(slug(name))}/"

    def _article(self, story: Story) -> Answer:
        older, newer = self.beside(story, 0, 2)
        tags = '<span class="wp-block-post-terms__separator">, </span>'.join(
            f'<a href="{self.about("tag", tag)}" rel="tag">{escape(tag)}</a>' for tag in story.tags
        )
        image = f"{self.base}wp-content/uploads/2026/11/{story.slug}.jpg"
        content = self.fill(
            "article",
            **self._values(story),
            body=self.content(story),
            image=f'<figure class="wp-block-post-featured-image"><img src="{image}" class="attachment-post-thumbnail" alt="" /></figure>',
            tags=f'<div class="taxonomy-post_tag wp-block-post-terms is-style-pill">{tags}</div>' if tags else "",
            older=escape(older.title),
            older_url=self.url(older),
            newer=escape(newer.title),
            newer_url=self.url(newer),
        )
        url = self.url(story)
        head = "\n".join(
            [
                f'<link rel="alternate" title="JSON" type="application/json" href="{self.base}wp-json/wp/v2/posts/{story.id}" />',
                f'<link rel="canonical" href="{url}" />',
                f"<link rel='shortlink' href='{self.base}?p={story.id}' />",
            ]
        )
        kind = f"wp-singular post-template-default single single-post postid-{story.id} single-format-standard"
        return Answer(200, self._page(f"{story.title} – {NAME}", kind, content, head), modified=story.modified)

    def _listing(self, kind: str, name: str, number: int) -> Answer:
        own = [story for story in self.stories if not kind or name in {slug(word) for word in _words(story, kind)}]
        shown, last = page_of(own, number, A_PAGE)
        if not shown:
            return self._missing()
        url = f"{self.base}{kind}/{quote(name)}/" if kind else self.base
        heading = ""
        if kind:
            label = "Category" if kind == "category" else kind.capitalize()
            heading = (
                f'<h1 class="wp-block-query-title">{label}: <span>{escape(name.replace("-", " ").title())}</span></h1>'
            )
        content = self.fill(
            "listing",
            heading=heading,
            cards="\n".join(self.fill("card", **self._values(story)) for story in shown),
            pagination=_pagination(url, number, last),
        )
        classes = f"archive {kind} {kind}-{name}" if kind else "home blog"
        page = self._page(
            f"{name.capitalize()} – {NAME}" if kind else f"{NAME} – Essays and reports, slowly", classes, content
        )
        return Answer(200, page, modified=newest(own))

    def _feed(self, kind: str, number: int) -> Answer:
        shown, _ = page_of(self.stories, number, IN_FEED)
        if not shown or kind not in ("", "atom"):
            return self._missing()
        items = [self._item(story) for story in shown]
        at = newest(self.stories)
        if kind:
            text = feeds.atom(items, title=NAME, home=self.base, own=f"{self.base}feed/atom/", updated=at)
            return Answer(200, text.encode(), "application/atom+xml; charset=UTF-8", modified=at)
        text = feeds.rss(items, title=NAME, home=self.base, own=f"{self.base}feed/")
        return Answer(200, text.encode(), "application/rss+xml; charset=UTF-8", modified=at)

    def _item(self, story: Story) -> feeds.Item:
        return feeds.Item(
            url=self.url(story),
            guid=self.base + self.short_path(story),
            title=story.title,
            published=story.published,
            modified=story.modified,
            authors=story.authors,
            words=(story.section, *story.tags),
            excerpt=cut(story.excerpt, EXCERPT, " […]"),
            content=self.content(story),
        )

    def _sitemap(self, name: str) -> Answer:
        match name:
            case "wp-sitemap.xml":
                kinds = ("posts-post", "taxonomies-category", "users")
                text = feeds.sitemap_index(
                    (f"{self.base}wp-sitemap-{kind}-1.xml", newest(self.stories)) for kind in kinds
                )
            case "wp-sitemap-posts-post-1.xml":
                text = feeds.sitemap((self.url(story), story.modified) for story in self.stories)
            case "wp-sitemap-taxonomies-category-1.xml":
                text = feeds.sitemap((self.about("category", section), None) for section in SECTIONS)
            case "wp-sitemap-users-1.xml":
                names = sorted({author for story in self.stories for author in story.authors})
                text = feeds.sitemap((self.about("author", author), None) for author in names)
            case _:
                return self._missing()
        return Answer(200, text.encode(), "application/xml; charset=UTF-8")

    def _values(self, story: Story) -> dict[str, object]:
        author = story.authors[0] if story.authors else ""
        byline = self.fill("byline", url=self.about("author", author), name=escape(author)) if author else ""
        return {
            "id": story.id,
            "url": self.url(story),
            "title": escape(story.title, quote=False),
            "iso": story.published.isoformat(),
            "date": f"{story.published:%B %-d, %Y}",
            "section": story.section,
            "section_slug": slug(story.section),
            "section_url": self.about("category", story.section),
            "excerpt": self.excerpt(story),
            "byline": byline,
        }

    def _page(self, title: str, kind: str, content: str, head: str = "") -> bytes:
        menu = "".join(self.fill("menu_item", url=self.about("category", name), name=name) for name in SECTIONS)
        return self.fill(
            "page", title=escape(title, quote=False), head=head, body_class=kind, content=content, menu=menu
        ).encode()

    def _plain(self, status: int, title: str, text: str) -> Answer:
        return Answer(status, self._page(f"{title} – {NAME}", "page", self.fill("plain", heading=title, text=text)))

    def _missing(self) -> Answer:
        return self._plain(
            404,
            "Page Not Found",
            "The page you are looking for does not exist, or it has been moved. Please try searching using the form below.",
        )


def _words(story: Story, kind: str) -> tuple[str, ...]:
    return {"category": (story.section,), "tag": story.tags, "author": story.authors}[kind]


def _pagination(url: str, number: int, last: int) -> str:
    if last == 1:
        return ""

    def at(page: int) -> str:
        return url if page == 1 else f"{url}page/{page}/"

    numbers = "\n".join(
        f'<span aria-current="page" class="page-numbers current">{n}</span>'
        if n == number
        else f'<a class="page-numbers" href="{at(n)}">{n}</a>'
        for n in range(1, last + 1)
    )
    before = (
        f'<a href="{at(number - 1)}" class="wp-block-query-pagination-previous">Previous Page</a>' if number > 1 else ""
    )
    after = f'<a href="{at(number + 1)}" class="wp-block-query-pagination-next">Next Page</a>' if number < last else ""
    return (
        '<nav class="alignwide wp-block-query-pagination is-content-justification-space-between is-layout-flex" aria-label="Pagination">'
        f'{before}<div class="wp-block-query-pagination-numbers">{numbers}</div>{after}</nav>'
    )
