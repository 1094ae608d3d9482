"""A reader's copy of an article page put back into tagDiv markup, both generations, as the theme's pages are made."""

from dataclasses import dataclass
from html import escape
from pathlib import Path

HOST = "https://daily.example"


@dataclass(frozen=True)
class Copied:
    """The visible text of a page, as copy-and-paste gives it."""

    date: str
    cards: list[tuple[str, str]]
    title: str
    label: str
    body: list[str]
    subheading: str
    footer: list[str]


def copied(path: Path) -> Copied:
    """The parts of a copied page: date, three cards, own card, label and title glued together, body, footer heads."""
    lines = [line.strip() for line in path.read_text("utf-8").split("\n") if line.strip()]
    own, glued = lines[7], lines[8]
    assert glued.endswith(own)
    body = lines[9:-3]
    (subheading,) = [line for line in body if line[-1] not in ".!?”"]
    cards = [(lines[n], lines[n + 1]) for n in (1, 3, 5)]
    return Copied(lines[0], cards, own, glued.removesuffix(own), body, subheading, lines[-3:])


def slug(title: str) -> str:
    return HOST + "/" + "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split()) + "/"


def _paragraphs(page: Copied) -> str:
    return "\n".join(
        f"<h3>{escape(line)}</h3>" if line == page.subheading else f"<p>{escape(line)}</p>" for line in page.body
    )


def classic(page: Copied) -> str:
    """The classic templates: `td-post-header`, `td-post-content`, `td_module_<n>`."""

    def card(title: str, teaser: str, kind: str) -> str:
        return f"""<div class="{kind} td_module_wrap td-animation-stack"><div class="td-module-thumb"><a href="{slug(title)}"
 rel="bookmark" class="td-image-wrap" title="{escape(title)}"><img class="entry-thumb" src="/i.jpg" alt=""></a></div>
<div class="item-details"><h3 class="entry-title td-module-title"><a href="{slug(title)}" rel="bookmark">{escape(title)}</a></h3>
<div class="td-module-meta-info"><a href="{HOST}/category/news/" class="td-post-category">News</a>
<span class="td-post-date"><time class="entry-date updated td-module-date" datetime="2025-12-01T08:00:00+09:00">Dec 1</time></span>
<span class="td-post-author-name"><a href="{HOST}/author/desk/">Some Reporter</a> <span>-</span> </span></div>
<div class="td-excerpt">{escape(teaser)}</div></div></div>"""

    cards = "".join(card(title, teaser, "td_module_10") for title, teaser in page.cards)
    return f"""<!doctype html><html lang="en-US"><head><meta charset="utf-8"><title>{escape(page.title)} - Daily</title></head>
<body class="post-template-default single single_template_2 td-standard-pack"><div class="td-header-wrap">
<div class="td_data_time">{escape(page.date)}</div><nav><a href="{HOST}/category/health/">Health</a></nav></div>
<div class="td_block_wrap td_block_9"><div class="td_block_inner">{cards}{card(page.title, "", "td_module_mx1")}</div></div>
<article class="post td-post-template-2 type-post"><div class="td-post-header">
<ul class="td-category"><li class="entry-category"><a href="{HOST}/category/x/">{escape(page.label)}</a></li></ul>
<header class="td-post-title"><h1 class="entry-title">{escape(page.title)}</h1></header></div>
<div class="td-post-sharing td-ps-bg"><a href="#">Share</a></div>
<div class="td-post-content tagdiv-type"><style>.x{{}}</style><div class="td-post-featured-image"><figure>
<img src="/f.jpg" alt=""><figcaption class="wp-caption-text">Stock photo</figcaption></figure></div>
<div class="td-a-rec td-a-rec-id-content_inline"><p>Advertisement that is no part of the text at all, though long enough.</p></div>
{_paragraphs(page)}<script>var a = 1;</script></div>
<footer><div class="td-post-source-tags"></div></footer></article>
<div class="td_block_wrap td_block_related_posts"><h4 class="td-related-title"><a>{escape(page.footer[0])}</a></h4>
<div class="td-related-row">{card(*page.cards[0], "td_module_related_posts")}</div></div>
<div class="td-footer-wrapper"><h4 class="block-title"><span>{escape(page.footer[1])}</span></h4>
<h4 class="block-title"><span>{escape(page.footer[2])}</span></h4></div></body></html>"""


def builder(page: Copied) -> str:
    """The page builder's templates: `tdb_*` blocks, flex modules; the label stands glued before the headline."""

    def card(title: str, teaser: str, kind: str = "td_module_flex td_module_flex_1") -> str:
        short = title[:30] + "..."
        return f"""<div class="{kind} td_module_wrap"><div class="td-module-container td-category-pos-above">
<div class="td-image-container"><div class="td-module-thumb"><a href="{slug(title)}" title="{escape(title)}"><span
 class="entry-thumb td-thumb-css" data-img-url="/i.jpg"></span></a></div></div><div class="td-module-meta-info">
<a href="{HOST}/category/world/" class="td-post-category">World</a><h3 class="entry-title td-module-title"><a href="{slug(title)}"
 title="{escape(title)}">{escape(short)}</a></h3><div class="td-editor-date"><span class="td-author-date"><span
 class="td-post-author-name"><a href="{HOST}/author/x/">Another Writer</a></span></span></div>
<div class="td-excerpt">{escape(teaser)}</div></div></div></div>"""

    cards = "".join(card(title, teaser) for title, teaser in page.cards)
    return f"""<!doctype html><html lang="en-US"><head><meta charset="utf-8"></head>
<body class="single tdb_template_55 tdb-template"><div class="tdb_header_date tdb-block"><div class="tdb-block-inner">{escape(page.date)}
</div></div><div class="td_block_wrap td_flex_block_1"><style>.y{{}}</style><div class="td_block_inner">{cards}
{card(page.title, "")}</div></div>
<div class="td_block_wrap tdb_single_categories"><div class="tdb-category td-fix-index"><a class="tdb-entry-category"
 href="{HOST}/category/h/">{escape(page.label)}</a></div></div><div class="td_block_wrap tdb_title tdb-single-title"><div
 class="tdb-block-inner td-fix-index"><h1 class="tdb-title-text">{escape(page.title)}</h1></div></div>
<div class="td_block_wrap tdb_single_content td-post-content tagdiv-type"><div class="tdb-block-inner td-fix-index">
{_paragraphs(page)}</div></div>
<div class="td_block_wrap tdb_single_related"><h4 class="td-block-title"><span>{escape(page.footer[0])}</span></h4>
{card(page.cards[1][0], "", "tdb_module_related")}</div><div class="tdb_single_tags"><ul class="tdb-tags"><li><span>
{escape(page.footer[1])}</span></li></ul></div><div class="td_block_wrap td_block_7"><h4 class="td-block-title">
<span>{escape(page.footer[2])}</span></h4></div></body></html>"""


def glued(page: Copied) -> str:
    """The classic page whose label stands as bare text inside the headline, with no category element at all."""
    html = classic(page).replace(
        f'<h1 class="entry-title">{escape(page.title)}</h1>',
        f'<h1 class="entry-title"><span class="td-cat">{escape(page.label)}</span>{escape(page.title)}</h1>',
    )
    start, end = html.index('<ul class="td-category">'), html.index("</ul>") + 5
    return html[:start] + html[end:]


FORMS = {"classic": classic, "builder": builder}
