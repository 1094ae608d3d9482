"""The Hangang Lantern: an English-language daily on tagDiv's *Newspaper*, classic templates beside the template builder's."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from email.utils import format_datetime
from html import escape

from scraper.portal.lantern_article import ArticlePage
from scraper.portal.lantern_markup import NAME, Markup
from scraper.portal.paper import Answer, Paper, newest, page_of
from scraper.portal.stories import Data, Story, slug

A_PAGE = 5  # stories on one page of a listing
IN_FEED = 15
PARTNER = "partners/seven-quiet-islands-for-a-winter-weekend-without-a-car/"


class Lantern(Paper):
    """Front, sections, tags, authors, feed, stories."""

    name = "hangang-lantern"
    folder = "lantern"
    parser = "tagdiv"
    robots = """\
User-agent: *
Disallow: /wp-admin/
Disallow: /search
Disallow: /?s=
Disallow: /print/
Disallow: /partners/
"""

    def __init__(self, data: Data, stories: Sequence[Story], gone: Sequence[Story] = (), *, base: str) -> None:
        super().__init__(data, stories, gone, base=base)
        today = max(story.published for story in self.steady)
        self._markup = Markup(self, today, self.steady[::-1])
        self._by_path = {self.path(story): story for story in stories}
        self._by_id = {str(story.id): story for story in stories}

    def path(self, story: Story) -> str:
        return f"{story.section.lower()}/{story.slug}/"

    def short_path(self, story: Story) -> str:
        return f"?p={story.id}"

    def make(self, path: str, query: Mapping[str, str]) -> Answer:
        if not path and "p" in query:
            story = self._by_id.get(query["p"])
            return self.moved(self.path(story)) if story else self._missing()
        if not path and "s" in query:
            return self._search(query["s"])
        if not path:
            return self._front()
        if not path.endswith("/"):
            known = self.make(f"{path}/", {}).status == 200
            return self.moved(f"{path}/") if known else self._missing()
        if path == "feed/":
            return self._feed()
        if path in self._by_path:
            return self._article(self._by_path[path])
        return self._other(path.rstrip("/").split("/"))

    def _other(self, words: list[str]) -> Answer:
        match words:
            case [("category" | "tag" | "author") as kind, name]:
                return self._listing(kind, name, 1)
            case [("category" | "tag" | "author") as kind, name, "page", number] if number.isdecimal():
                return self._listing(kind, name, int(number))
            case [("about" | "contact" | "privacy-policy") as name]:
                return self._plain(
                    name.replace("-", " ").capitalize(), "<p>The Hangang Lantern is an invented newspaper.</p>"
                )
            case ["search", name]:
                return self._search(name.replace("-", " "))
            case ["print", *rest] if "/".join(rest) + "/" in self._by_path:
                story = self._by_path["/".join(rest) + "/"]
                return self._plain(story.title, "".join(f"<p>{escape(text)}</p>" for _, text in story.blocks))
            case ["partners", _]:
                return self._plain(
                    "Seven Quiet Islands for a Winter Weekend", "<p>Paid for by an invented ferry line.</p>"
                )
            case ["wp-admin", *_]:
                return self._plain("Log In", '<form><input name="log" /><input name="pwd" type="password" /></form>')
        return self._missing()

    def _article(self, story: Story) -> Answer:
        page = ArticlePage(story, self._markup).render()
        return Answer(200, page, modified=story.modified)

    def _front(self) -> Answer:
        markup, stories = self._markup, self.stories
        ticker = markup.fill("ticker", cards=markup.cards("td_module_trending_now", stories[6:10]))
        grid = markup.fill(
            "grid", first=markup.cards("td_module_mx5", stories[:1]), rest=markup.cards("td_module_mx6", stories[1:5])
        )
        plan = (
            ("Health", "td_block_1", "td_module_4", "td_module_6"),
            ("Science", "td_flex_block_1", "td_module_flex_1", "td_module_flex_3"),
            ("Business", "td_block_2", "td_module_2", "td_module_6"),
            ("Society", "td_block_3", "td_module_11", "td_module_10"),
        )
        blocks = []
        for uid, (section, block, first, rest) in enumerate(plan, 24):
            own = [story for story in stories if story.section == section]
            heading = f'<a href="{markup.section_url(section)}">{section}</a>'
            cards = markup.cards(first, own[:1]) + markup.cards(rest, own[1:5])
            blocks.append(markup.block(block, uid, heading, cards))
        latest = markup.block("td_block_11", 40, "The Latest", markup.cards("td_module_10", stories[:8]))
        content = markup.fill(
            "front", ticker=ticker, grid=grid, blocks="\n".join(blocks), latest=latest, sidebar=self._sidebar()
        )
        page = markup.page(
            NAME, "home page-template page-template-page-pagebuilder-latest page", content, self._head(NAME, "")
        )
        return Answer(200, page, modified=newest(stories))

    def _sidebar(self) -> str:
        """The side column of listings: favourites, more stories with a partner's page (forbidden to crawlers), tags."""
        title = "Seven Quiet Islands for a Winter Weekend Without a Car"
        partner = self._markup.fill("partner", url=self.base + PARTNER, title=title)
        check_out = self._markup.cards("td_module_flex_3", self.steady[20:24]) + partner
        tags = sorted({story.tags[0] for story in self.steady if story.tags})[:14]
        return (
            self._markup.popular(self.steady[12:17])
            + self._markup.block("td_block_15", 82, "Check Out Our Content", check_out)
            + self._markup.tag_cloud(tags)
        )

    def _listing(self, kind: str, name: str, number: int) -> Answer:
        def belongs(story: Story) -> bool:
            if kind == "category":
                return story.section.lower() == name
            return name in {slug(word) for word in (story.tags if kind == "tag" else story.authors)}

        own = [story for story in self.stories if belongs(story)]
        shown, last = page_of(own, number, A_PAGE)
        if not shown:
            return self._missing()
        heading = name.capitalize() if kind == "category" else name.replace("-", " ")
        content = self._markup.fill(
            "listing",
            heading=escape(heading),
            cards=self._markup.cards("td_module_flex_1" if name == "science" else "td_module_10", shown),
            page_nav=self._page_nav(f"{self.base}{kind}/{name}/", number, last),
            sidebar=self._sidebar(),
        )
        title = heading if number == 1 else f"{heading} - Page {number} of {last}"
        page = self._markup.page(title, f"archive {kind} {kind}-{name}", content, self._head(title, f"{kind}/{name}/"))
        return Answer(200, page, modified=newest(own))

    @staticmethod
    def _page_nav(url: str, number: int, last: int) -> str:
        if last == 1:
            return ""

        def at(page: int) -> str:
            return url if page == 1 else f"{url}page/{page}/"

        arrow = '<a href="{}" aria-label="{}-page"><i class="td-icon-menu-{}"></i></a>'
        parts = [arrow.format(at(number - 1), "prev", "left")] if number > 1 else []
        parts += [
            f'<span class="current">{page}</span>'
            if page == number
            else f'<a href="{at(page)}" class="{"last" if page == last else "page"}" title="{page}">{page}</a>'
            for page in range(1, last + 1)
        ]
        parts += [arrow.format(at(number + 1), "next", "right")] if number < last else []
        pages = f'<span class="pages">Page {number} of {last}</span><div class="clearfix"></div>'
        return f'<div class="page-nav td-pb-padding-side">{"".join(parts)}{pages}</div>'

    def _head(self, title: str, path: str) -> str:
        about = f"{NAME}: news of Korea in English." if not path else f"{title}: all stories."
        return self._markup.fill("listing_head", url=self.base + path, about=escape(about), title=escape(title))

    def _feed(self) -> Answer:
        shown = self.stories[:IN_FEED]
        built = newest(shown)
        items = "".join(self._item(story) for story in shown)
        text = self._markup.fill("feed", items=items, built=format_datetime(built.astimezone(UTC)))
        return Answer(200, text.encode(), "application/rss+xml; charset=UTF-8", modified=built)

    def _item(self, story: Story) -> str:
        creator = f"\t\t<dc:creator><![CDATA[{', '.join(story.authors)}]]></dc:creator>\n" if story.authors else ""
        words = "".join(f"\t\t<category><![CDATA[{word}]]></category>\n" for word in (story.section, *story.tags))
        return self._markup.fill(
            "feed_item",
            id=story.id,
            title=escape(story.title, quote=False),
            url=escape(self._markup.url(story)),
            date=format_datetime(story.published.astimezone(UTC)),
            excerpt=escape(story.excerpt, quote=False),
            creator=creator,
            words=words,
        )

    def _search(self, words: str) -> Answer:
        found = [story for story in self.stories if words.lower() in story.title.lower()]
        cards = self._markup.cards("td_module_10", found)
        return self._plain(f"{words} - search results", cards or "<p>No results for your search</p>")

    def _plain(self, title: str, text: str) -> Answer:
        content = self._markup.fill("plain", heading=escape(title), text=text)
        return Answer(200, self._markup.page(title, "page-template-default page", content))

    def _missing(self) -> Answer:
        content = self._markup.fill("plain", heading="Page not found", text=self._markup.fill("missing"))
        return Answer(404, self._markup.page("Page not found", "error404", content))
