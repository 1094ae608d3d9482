"""An article’s page of the Lantern: the story among other stories’ cards, in either generation of the theme."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from scraper.portal.lantern_markup import Markup
from scraper.portal.paper import inline
from scraper.portal.stories import Story, slug

BUILDER = "Science"  # the section that has moved to the theme's template builder
AD_AFTER = 2  # blocks before the advertisement in the text


@dataclass(frozen=True, slots=True)
class ArticlePage:
    """The page of `story`, with cards of stories that are the same at every tick around it."""

    story: Story
    markup: Markup

    def render(self) -> bytes:
        """The whole page."""
        story, markup = self.story, self.markup
        builder = story.section == BUILDER
        label = f'<span class="td-post-category">{story.section}</span>' if story.glued else ""
        content = markup.fill(
            "builder" if builder else "classic",
            **markup.common(story)
            | {
                "label": label,
                "views": 120 + story.id % 4700,
                "share": self._share(),
                "body": "\n".join(self._body()),
                "above": self._above(),
                "below": self._below(),
                "sidebar": markup.popular(self.markup.paper.beside(story, 3, 8)),
                "next_prev": self._next_prev(),
                "related": markup.cards(
                    "tdb_module_related" if builder else "td_module_related_posts", self._same_section(3)
                ),
                "image": self._image(builder),
                "tags": self._tags(builder),
                "standfirst": self._standfirst(builder),
                "byline": self._byline(builder),
                "author_box": self._author_box(builder),
            },
        )
        kind = "tdb-template tdb_template_377" if builder else "single_template_5"
        body_class = f"post-template-default single single-post postid-{story.id} single-format-standard {kind}"
        return markup.page(story.title, body_class, content, markup.head(story))

    def _same_section(self, count: int) -> list[Story]:
        same = [o for o in self.markup.paper.steady if o.section == self.story.section and o.id != self.story.id]
        start = self.story.id % max(1, len(same))
        return (same + same)[start : start + count]

    def _body(self) -> Iterator[str]:
        wrap = {
            "p": "<p>{}</p>",
            "heading": "<h2>{}</h2>",
            "subheading": "<h3>{}</h3>",
            "quote": '<blockquote class="wp-block-quote"><p>{}</p></blockquote>',
            "pull": '<blockquote class="td_pull_quote td_pull_center"><p>{}</p></blockquote>',
            "item": "<li>{}</li>",
        }
        listing = False
        for at, (kind, text) in enumerate(self.story.blocks):
            if listing != (kind == "item"):
                listing = not listing
                yield '<ul class="wp-block-list">' if listing else "</ul>"
            if at == AD_AFTER and not listing:
                yield self.markup.fill("ad")
            if at == AD_AFTER + 2 and not listing and self.story.id % 5 == 0:
                yield self.markup.fill("code_block")
            yield wrap[kind].format(inline(text, self.markup.paper.base))
        if listing:
            yield "</ul>"

    def _above(self) -> str:
        kind, block = (
            ("td_module_flex_1", "td_flex_block_1")
            if self.story.section == BUILDER
            else ("td_module_11", "td_block_15")
        )
        return self.markup.block(
            block, 31, "Today in the Lantern", self.markup.cards(kind, self.markup.paper.beside(self.story, 0, 3))
        )

    def _below(self) -> str:
        more = self.markup.block(
            "td_block_15",
            82,
            "Check Out Our Content",
            self.markup.cards("td_module_flex_3", self.markup.paper.beside(self.story, 8, 12)),
        )
        tags = sorted(
            {tag for other in self.markup.paper.beside(self.story, 12, 21) for tag in other.tags[:1]}
            - set(self.story.tags)
        )
        return more + self.markup.tag_cloud(tags)

    def _share(self) -> str:
        story, base = self.story, self.markup.paper.base
        return self.markup.fill(
            "share",
            title_query=quote(story.title),
            short_url=quote(f"{base}?p={story.id}", safe=""),
            print_url=f"{base}print/{self.markup.paper.path(story)}",
        )

    def _image(self, builder: bool) -> str:
        if not self.story.caption:
            return ""
        caption = escape(self.story.caption)
        values = self.markup.common(self.story) | {"caption": caption}
        return self.markup.fill("tdb_image" if builder else "image", **values)

    def _standfirst(self, builder: bool) -> str:
        words = escape(self.story.standfirst, quote=False)
        if not words:
            return ""
        if builder:
            return self.markup.fill("tdb_standfirst", tag="h2" if self.story.id % 2 else "p", standfirst=words)
        return f'<p class="td-post-sub-title">{words}</p>'

    def _byline(self, builder: bool) -> str:
        if not self.story.authors:
            return ""
        if builder:
            return self.markup.fill("tdb_byline", links=self.markup.author_links(self.story, "tdb-author-name"))
        return self.markup.fill("byline", links=self.markup.author_links(self.story))

    def _author_box(self, builder: bool) -> str:
        if not self.story.authors:
            return ""
        return self.markup.fill("tdb_author_box" if builder else "author_box", **self.markup.common(self.story))

    def _tags(self, builder: bool) -> str:
        links = "".join(
            f'<li><a href="{self.markup.paper.base}tag/{quote(slug(tag))}/">{escape(tag)}</a></li>'
            for tag in self.story.tags
        )
        return self.markup.fill("tdb_tags" if builder else "tags", links=links) if links else ""

    def _next_prev(self) -> str:
        older, newer = self._same_section(2)
        return self.markup.fill(
            "next_prev",
            older=escape(older.title),
            older_url=self.markup.url(older),
            newer=escape(newer.title),
            newer_url=self.markup.url(newer),
        )
