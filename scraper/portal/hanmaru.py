"""The Hanmaru Sinmun: a Korean weekly's site in EUC-KR, on one of the publishing systems that many Korean papers rent."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from urllib.parse import quote

from scraper.portal import feeds
from scraper.portal.paper import Answer, Paper, body, newest, page_of
from scraper.portal.stories import Data, Story

NAME = "한마루신문"
CODES = {"사회": "S1N1", "경제": "S1N2", "과학": "S1N3", "문화": "S1N4"}
A_PAGE = 8
IN_FEED = 10
LEAD = 110  # letters of a listing's excerpt
CHARSET = "euc-kr"
HTML = f"text/html; charset={CHARSET}"
WRAP = {
    "p": "<p>{}</p>",
    "heading": "<p><strong>{}</strong></p>",
    "subheading": "<p><strong>{}</strong></p>",
    "item": "<li>{}</li>",
    "quote": "<blockquote><p>{}</p></blockquote>",
    "pull": "<blockquote><p>{}</p></blockquote>",
}


class Hanmaru(Paper):
    """Stories stand at `articleView.html?idxno=`, with variants for printing and as AMP; the headline is an `h3`."""

    name = "hanmaru-sinmun"
    folder = "hanmaru"
    sources = (("front", "/"), ("front", "/news/articleList.html?view_type=sm"), ("feed", "/rss/allArticle.xml"))
    robots = """\
User-agent: *
Disallow: /member/
Disallow: /news/articlePrint.html
"""

    def __init__(self, data: Data, stories: Sequence[Story], gone: Sequence[Story] = (), *, base: str) -> None:
        super().__init__(data, stories, gone, base=base)
        self._by_id = {str(story.id): story for story in stories}
        self._gone = {str(story.id) for story in gone}

    def path(self, story: Story) -> str:
        return f"news/articleView.html?idxno={story.id}"

    def make(self, path: str, query: Mapping[str, str]) -> Answer:
        story = self._by_id.get(query.get("idxno", ""))
        match path:
            case "":
                return self._front()
            case "news/articleView.html" if story:
                return self._article(story)
            case "news/articlePrint.html" | "news/articleViewAmp.html" if story:
                return self._variant(story, "print" if "Print" in path else "amp")
            case "news/articleList.html":
                number = int(query["page"]) if query.get("page", "").isdecimal() else 1
                return self._listing(query.get("sc_section_code", ""), query.get("sc_word", ""), number)
            case "rss/allArticle.xml":
                return self._feed()
        if path.startswith(("com/", "member/")):
            return self._page("안내", f"<h1>안내</h1><p>{NAME}은 지어낸 신문입니다.</p>")
        # What was taken back is answered as such systems do: with 200, and words that say it is not there.
        return self._missing(200 if query.get("idxno") in self._gone else 404)

    def _missing(self, status: int = 404) -> Answer:
        return self._page("오류", "<h1>존재하지 않는 기사입니다.</h1>", status=status)

    def _article(self, story: Story) -> Answer:
        content = self.fill(
            "article",
            **self._values(story),
            subheading=f'  <h4 class="subheading">{escape(story.standfirst)}</h4>' if story.standfirst else "",
            author_id=self._author_id(story),
            updated=f'<li><i class="icon-clock-o"></i> 수정 {story.modified:%Y.%m.%d %H:%M}</li>'
            if story.modified != story.published
            else "",
            quoted=quote(self.url(story), safe=""),
            image=self.fill("image", id=story.id, caption=escape(story.caption)) if story.caption else "",
            body="\n".join(body(story.visible, self.base, WRAP)),
            tags="".join(
                f'<a href="/news/articleList.html?sc_area=K&amp;sc_word={quote(tag.encode(CHARSET))}">#{escape(tag)}</a>'
                for tag in story.tags
            ),
            related="".join(
                f'<li><a href="/{escape(self.path(other))}">{escape(other.title)}</a></li>'
                for other in self.beside(story, 0, 3)
            ),
            popular=self._popular(self.beside(story, 3, 8)),
        )
        return self._page(story.title, content, self._head(story), at=story)

    def _author_id(self, story: Story) -> str:
        return f"desk{sum(map(ord, ''.join(story.authors))) % 97:02d}"

    def _variant(self, story: Story, kind: str) -> Answer:
        text = self.fill(
            "variant", **self._values(story), kind=kind, body="\n".join(body(story.visible, self.base, WRAP))
        )
        return Answer(200, text.encode(CHARSET), HTML, modified=story.modified)

    def _front(self) -> Answer:
        blocks = []
        for section, code in CODES.items():
            own = [story for story in self.stories if story.section == section][:4]
            blocks.append(self.fill("block", section=section, code=code, cards=self._cards(own)))
        content = self.fill(
            "front",
            top=self._cards(self.stories[:3]),
            blocks="\n".join(blocks),
            popular=self._popular(self.steady[4:9]),
        )
        return self._page(f"{NAME} - 생각이 모이는 마루", content, at=self.stories)

    def _listing(self, code: str, word: str, number: int) -> Answer:
        own = [story for story in self.stories if CODES[story.section] == code or not code]
        own = [story for story in own if not word or self._author_id(story) == word]
        shown, last = page_of(own, number, A_PAGE)
        if not shown:
            return self._missing()
        heading = next((name for name, one in CODES.items() if one == code), "전체기사")
        address = f"/news/articleList.html?page={{}}&amp;sc_section_code={code}&amp;view_type=sm"
        pages = "".join(
            f'<li><a class="current">{n}</a></li>' if n == number else f'<li><a href="{address.format(n)}">{n}</a></li>'
            for n in range(1, last + 1)
        )
        content = self.fill("listing", heading=heading, cards=self._cards(shown), pages=pages)
        return self._page(f"{heading} 기사목록 - {NAME}", content, at=own)

    def _feed(self) -> Answer:
        items = [
            feeds.Item(
                url=self.url(story),
                guid=self.url(story),
                title=story.title,
                published=story.published,
                modified=story.modified,
                authors=story.authors,
                words=(story.section,),
                excerpt=story.excerpt[:LEAD],
            )
            for story in self.stories[:IN_FEED]
        ]
        text = feeds.rss(
            items, title=NAME, home=self.base, own=f"{self.base}rss/allArticle.xml", language="ko", encoding=CHARSET
        )
        return Answer(200, text.encode(CHARSET), f"text/xml; charset={CHARSET}", modified=newest(self.stories))

    def _cards(self, stories: Iterable[Story]) -> str:
        return "\n".join(self.fill("card", **self._values(story)) for story in stories)

    def _popular(self, stories: Iterable[Story]) -> str:
        return "".join(self.fill("popular", **self._values(story), rank=rank) for rank, story in enumerate(stories, 1))

    def _values(self, story: Story) -> dict[str, object]:
        lead = story.excerpt if len(story.excerpt) <= LEAD else story.excerpt[:LEAD] + "..."
        return {
            "id": story.id,
            "url": escape(self.url(story)),
            "link": "/" + escape(self.path(story)),
            "title": escape(story.title),
            "section": story.section,
            "code": CODES[story.section],
            "author": escape(", ".join(story.authors)),
            "date": f"{story.published:%Y.%m.%d %H:%M}",
            "cut": escape(lead),
            "thumb": f"/news/thumbnail/{story.id}_v150.jpg",
        }

    def _head(self, story: Story) -> str:
        title, about = escape(story.title), escape(story.excerpt[:LEAD])
        return "\n".join(
            [
                f'<link rel="canonical" href="{self.url(story)}">',
                f'<link rel="amphtml" href="{self.base}news/articleViewAmp.html?idxno={story.id}">',
                '<meta property="og:type" content="article">',
                f'<meta property="og:title" content="{title}">',
                f'<meta property="og:description" content="{about}">',
                f'<meta property="og:site_name" content="{NAME}">',
                f'<meta property="article:section" content="{story.section}">',
                f'<meta property="article:published_time" content="{story.published.isoformat()}">',
                f'<meta property="og:article:author" content="{escape(", ".join(story.authors))} 기자">',
            ]
        )

    def _page(
        self, title: str, content: str, head: str = "", *, status: int = 200, at: Story | Sequence[Story] = ()
    ) -> Answer:
        """A page in EUC-KR. `at`: the stories whose times are its own."""
        link = '<li><a href="/news/articleList.html?sc_section_code={}&amp;view_type=sm">{}</a></li>'
        menu = "\n".join(link.format(code, section) for section, code in CODES.items())
        suffix = "" if NAME in title else f" - {NAME}"
        text = self.fill("page", title=escape(title) + suffix, head=head, content=content, menu=menu)
        stories = [at] if isinstance(at, Story) else at
        return Answer(status, text.encode(CHARSET), HTML, modified=newest(stories) if stories else None)
