"""The generic reader on markup that publishing systems write: what a page says, told from what stands around it."""

from parsers import registry
from parsers.article import Article
from parsers.page import Page

PROSE = "The tide rose higher than in any March that the harbor master remembers, and it stayed for two days. " * 3
BLOCK_THEME = f"""
<html lang="en"><head><title>High Tide – Sea Post</title></head><body class="single single-post postid-7">
<header><p class="wp-block-site-title"><a href="/">Sea Post</a></p></header>
<main><h1 class="wp-block-post-title">High Tide</h1>
<div class="wp-block-post-date"><time datetime="2026-03-10T18:00:00+09:00"><a href="/high-tide/">March 10, 2026</a></time></div>
<div class="taxonomy-category wp-block-post-terms">in <a href="/category/harbor/" rel="tag">Harbor</a></div>
<div class="entry-content wp-block-post-content"><p>{PROSE}</p><p>{PROSE[::-1]}</p></div>
<div class="taxonomy-post_tag wp-block-post-terms"><a href="/tag/tides/" rel="tag">tides</a></div></main></body></html>"""
KOREAN = """
<html lang="ko"><head><meta charset="euc-kr"><title>밀물이 방파제를 넘었다 - 바다신문</title>
<meta property="og:site_name" content="바다신문"><meta property="og:article:author" content="김민지 기자"></head><body>
<nav><ul><li><a href="/news/articleList.html">전체기사</a></li></ul></nav>
<div class="article-view"><h3 class="heading">밀물이 방파제를 넘었다</h3>
<h4 class="subheading">사흘째 이어진 바람에 항구와 시장이 잠겼다</h4>
<ul class="infomation"><li>기자명 김민지 기자</li><li>입력 2026.03.10 09:12</li></ul>
<article id="article-view-content-div"><p>물은 새벽 네 시에 넘쳤다. 등대지기만이 그것을 보았고, 아무에게도 말하지 않았다.</p>
<p>항만소장은 3월에 이런 높이는 처음이라고 말했다. 바람이 사흘 동안 같은 쪽에서 불었고, 그사이 썰물이 두 번이나 오지 않았다. 배는 모두 \
안쪽 부두로 옮겨졌으며 시장은 하루 문을 닫았다. 다친 사람은 없었고, 창고 네 곳이 물에 잠겼다. 복구에는 보름이 걸릴 전망이다.</p>
<p>상인들은 녹기 시작한 얼음을 길에 쏟았다. 아이들은 그 위에서 미끄럼을 탔다.</p></article></div></body></html>""".replace(
    "\\\n", ""
)


def read(html: str, charset: str = "utf-8") -> Article:
    return registry.read(Page("https://sea.example/high-tide/", html.encode(charset)), timezone="Asia/Seoul")


def test_a_block_theme_of_wordpress() -> None:
    article = read(BLOCK_THEME)
    assert (article.section, article.tags) == ("Harbor", ("tides",))
    assert article.published is not None
    assert str(article.published.utc) == "2026-03-10 09:00:00+00:00"


def test_a_korean_page_in_euc_kr() -> None:
    article = read(KOREAN, "euc-kr")
    assert article.title == "밀물이 방파제를 넘었다"
    assert article.teaser == "사흘째 이어진 바람에 항구와 시장이 잠겼다"
    assert article.authors == ("김민지",)
    assert [block.text[:6] for block in article.blocks] == ["물은 새벽 ", "항만소장은 ", "상인들은 녹"]
