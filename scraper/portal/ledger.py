"""The Peninsula Ledger: a business daily made with Next.js, rendered on the server, with JSON-LD, sitemaps and a cookie wall.

Some stories show only their beginning to readers without a subscription. A visitor without the consent cookie is sent to the
consent page, which sets it and sends him back.
"""

import gzip
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from html import escape
from urllib.parse import parse_qs, quote, urlsplit

from scraper.portal import feeds
from scraper.portal.paper import Answer, Paper, body, newest, page_of, utc
from scraper.portal.stories import Data, Story, plain, slug

NAME = "The Peninsula Ledger"
SECTIONS = ("Economy", "Markets", "Companies", "Technology")
A_PAGE = 6
BUILD = "LdGr20261101"
COOKIE = "ledger_consent=all"
WRAP = {
    "p": '<p class="Paragraph_root__vB2nK">{}</p>',
    "heading": '<h2 class="Heading_h2__cW5tJ">{}</h2>',
    "subheading": '<h3 class="Heading_h3__dX6uL">{}</h3>',
    "item": "<li>{}</li>",
    "quote": '<blockquote class="Quote_root__eY7vM"><p>{}</p></blockquote>',
    "pull": '<figure class="PullQuote_root__fZ8wN"><blockquote><p>{}</p></blockquote></figure>',
}


class Ledger(Paper):
    """No feed: fronts and sitemaps alone say what there is. Cards of the front say in a parameter where they stood."""

    name = "peninsula-ledger"
    folder = "ledger"
    sources = (("front", "/"), ("sitemap", "/sitemap.xml"), ("sitemap", "/sitemaps/news.xml"))
    robots = """\
User-agent: *
Disallow: /subscribe
Disallow: /api/

Sitemap: $basesitemap.xml
Sitemap: $basesitemaps/news.xml
"""

    def __init__(self, data: Data, stories: Sequence[Story], gone: Sequence[Story] = (), *, base: str) -> None:
        super().__init__(data, stories, gone, base=base)
        self._by_path = {self.path(story): story for story in stories}

    def path(self, story: Story) -> str:
        return f"{story.section.lower()}/{story.slug}-{story.id}"

    def answer(self, target: str, cookie: str = "") -> Answer:
        parts = urlsplit(target)
        if parts.path == "/consent":
            back = parse_qs(parts.query).get("to", ["/"])[0]
            cookies = {"Set-Cookie": f"{COOKIE}; Path=/; Max-Age=15552000; SameSite=Lax", "Cache-Control": "no-store"}
            return Answer(307, b"", location=self.base + back.lstrip("/"), headers=cookies)
        found = super().answer(target, cookie)
        if COOKIE not in cookie and found.status == 200 and found.content_type.startswith("text/html"):
            return Answer(307, b"", location=f"{self.base}consent?to={quote(target, safe='')}")
        return found

    def make(self, path: str, query: Mapping[str, str]) -> Answer:
        if path in self._by_path:
            return self._article(self._by_path[path])
        if path.removeprefix("amp/") in self._by_path:
            return self._amp(self._by_path[path.removeprefix("amp/")])
        if path == "":
            return self._listing("", self.stories[:14], "", "?ref=home")
        if path in {section.lower() for section in SECTIONS}:
            own = [story for story in self.stories if story.section.lower() == path]
            number = int(query["page"]) if query.get("page", "").isdecimal() else 1
            shown, last = page_of(own, number, A_PAGE)
            return self._listing(path, shown, _pages(path, number, last)) if shown else self._missing()
        if path.startswith("sitemap"):
            return self._sitemap(path)
        if path in ("about", "terms", "privacy", "subscribe"):
            return self._plain(200, path.capitalize(), "The Peninsula Ledger is an invented newspaper.")
        return self._missing()

    def _article(self, story: Story) -> Answer:
        shown = body(story.visible, self.base, WRAP, '<ul class="List_root__gA9xP">')
        content = self.fill(
            "article",
            **self._values(story),
            byline="".join(
                f'<span class="Byline_root__hB0yQ">By <!-- -->{escape(author)}</span>' for author in story.authors
            ),
            updated=f'<span class="Timestamp_updated__iC1zR">Updated <!-- -->{story.modified:%B %-d}</span>'
            if story.modified != story.published
            else "",
            image=self.fill("image", id=story.id, caption=escape(story.caption)) if story.caption else "",
            body="".join(shown),
            wall=self.fill("wall", id=story.id) if story.shown else "",
            tags='<ul class="TopicList_root__lF4cU">'
            + "".join(
                f'<li><a class="TopicList_link__mG5dV" href="/topics/{slug(tag)}" rel="tag">{escape(tag)}</a></li>'
                for tag in story.tags
            )
            + "</ul>",
            more="".join(self.fill("more", **self._values(other)) for other in self._more(story)),
        )
        props = {
            "article": {
                "id": story.id,
                "headline": story.title,
                "dek": story.standfirst,
                "section": {"name": story.section, "path": f"/{story.section.lower()}"},
                "authors": [{"name": author} for author in story.authors],
                "publishedAt": utc(story.published),
                "isPremium": bool(story.shown),
                "body": [{"type": kind, "text": plain(text)} for kind, text in story.visible],
            },
            "related": [{"id": other.id, "headline": other.title} for other in self._more(story)],
        }
        page = self._page(f"{story.title} | {NAME}", content, "/[section]/[slug]", props, self._head(story))
        return Answer(200, page, modified=story.modified)

    def _more(self, story: Story) -> list[Story]:
        return self.beside(story, 0, 4)

    def _listing(self, section: str, shown: Sequence[Story], pages: str, tail: str = "") -> Answer:
        cards = "".join(self.fill("card", **self._values(story, tail)) for story in shown)
        content = self.fill("listing", heading=section.capitalize() or "Today", cards=cards, pages=pages)
        title = f"{section.capitalize()} | {NAME}" if section else f"{NAME}: business news from Korea"
        props = {"section": section, "stories": [{"id": story.id, "headline": story.title} for story in shown]}
        return Answer(200, self._page(title, content, "/[section]" if section else "/", props), modified=newest(shown))

    def _amp(self, story: Story) -> Answer:
        lines = "".join(body(story.visible, self.base, WRAP | {"p": "<p>{}</p>"}))
        text = self.fill("amp", **self._values(story), authors=escape(", ".join(story.authors)), body=lines)
        return Answer(200, text.encode(), modified=story.modified)

    def _sitemap(self, path: str) -> Answer:
        at = newest(self.stories)
        months = sorted({f"{story.published:%Y-%m}" for story in self.stories})
        if path == "sitemap.xml":
            maps = [
                f"sitemaps/{name}" for name in ("news.xml", "sections.xml", *(f"{month}.xml.gz" for month in months))
            ]
            text = feeds.sitemap_index((self.base + name, at) for name in maps)
        elif path == "sitemaps/news.xml":
            fresh = [story for story in self.stories if story.published > at - timedelta(days=2)]
            text = feeds.news_sitemap([self._item(story) for story in fresh], name=NAME, language="en")
        elif path == "sitemaps/sections.xml":
            text = feeds.sitemap((f"{self.base}{section.lower()}", None) for section in SECTIONS)
        elif path.removeprefix("sitemaps/").removesuffix(".xml.gz") in months:
            own = [story for story in self.stories if path == f"sitemaps/{story.published:%Y-%m}.xml.gz"]
            text = feeds.sitemap((self.url(story), story.modified) for story in own)
            return Answer(200, gzip.compress(text.encode(), mtime=0), "application/x-gzip", modified=newest(own))
        else:
            return self._missing()
        return Answer(200, text.encode(), "application/xml", modified=at)

    def _item(self, story: Story) -> feeds.Item:
        url = self.url(story)
        return feeds.Item(url=url, guid=url, title=story.title, published=story.published, modified=story.modified)

    def _values(self, story: Story, tail: str = "") -> dict[str, object]:
        return {
            "id": story.id,
            "url": self.url(story),
            "link": f"/{self.path(story)}{tail}",
            "title": escape(story.title, quote=False),
            "deck": escape(story.standfirst, quote=False),
            "section": story.section,
            "section_slug": story.section.lower(),
            "iso": utc(story.published),
            "date": f"{story.published:%B %-d, %Y at %-I:%M %p} KST",
        }

    def _head(self, story: Story) -> str:
        url = self.url(story)
        graph: dict[str, object] = {
            "@context": "https://schema.org",
            "@type": "NewsArticle",
            "headline": story.title,
            "description": story.standfirst,
            "mainEntityOfPage": {"@type": "WebPage", "@id": url},
            "datePublished": utc(story.published),
            "dateModified": utc(story.modified),
            "author": [{"@type": "Person", "name": author} for author in story.authors],
            "publisher": {
                "@type": "Organization",
                "name": NAME,
                "logo": {"@type": "ImageObject", "url": f"{self.base}logo.png"},
            },
            "articleSection": story.section,
            "keywords": list(story.tags),
            "isAccessibleForFree": not story.shown,
        }
        if story.shown:
            wall = {"@type": "WebPageElement", "isAccessibleForFree": False, "cssSelector": ".ArticleBody_body__x1Y2z"}
            graph["hasPart"] = wall
        text = json.dumps(graph, ensure_ascii=False).replace("</", "<\\/")
        amp = f"{self.base}amp/{self.path(story)}"
        return self.fill(
            "head", url=url, amp=amp, title=escape(story.title), about=escape(story.standfirst), graph=text
        )

    def _page(self, title: str, content: str, route: str, props: Mapping[str, object], head: str = "") -> bytes:
        menu = "".join(
            f'<li class="SiteNav_item__nH6eW"><a href="/{name.lower()}">{name}</a></li>' for name in SECTIONS
        )
        state = {
            "props": {"pageProps": props, "__N_SSP": True},
            "page": route,
            "query": {},
            "buildId": BUILD,
            "isFallback": False,
        }
        data = json.dumps(state, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        return self.fill(
            "page", title=escape(title, quote=False), head=head, menu=menu, content=content, data=data
        ).encode()

    def _plain(self, status: int, title: str, text: str) -> Answer:
        content = f'<main class="Page_main__oI7fX"><h1>{title}</h1><p>{text}</p></main>'
        return Answer(status, self._page(f"{title} | {NAME}", content, "/_error", {"statusCode": status}))

    def _missing(self) -> Answer:
        return self._plain(404, "404: This page could not be found", "")


def _pages(section: str, number: int, last: int) -> str:
    links = "".join(
        f'<span aria-current="page">{n}</span>'
        if n == number
        else f'<a class="Pagination_link__pJ8gY" href="/{section}?page={n}">{n}</a>'
        for n in range(1, last + 1)
    )
    return f'<nav class="Pagination_root__qK9hZ" aria-label="Pages">{links}</nav>' if last > 1 else ""
