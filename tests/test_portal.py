"""The demo portal by itself, asked over real HTTP: what it serves, what its truth says, what its clock changes."""

import json
import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree

import httpx
import pytest
from bs4 import BeautifulSoup, Tag

from scraper.portal.server import Portal
from scraper.portal.stories import Truth

SECTIONS = ("health", "science", "business", "society")
LISTINGS = ["", "feed/", *(f"category/{section}/" for section in SECTIONS)]
FORBIDDEN = ("partners/", "print/", "search/", "?s=", "wp-admin/")


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    """A portal whose clock stands still."""
    with Portal() as running:
        yield running


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=10) as open_client:
        yield open_client


@pytest.fixture(scope="module")
def pages(portal: Portal, client: httpx.Client) -> dict[str, BeautifulSoup]:
    """Every story's page by its address."""
    return {story["url"]: BeautifulSoup(client.get(story["url"]).text, "html.parser") for story in portal.stories}


def words(node: Tag) -> str:
    return " ".join(node.get_text().split())


def sentences(story: Truth) -> list[str]:
    found = [part.strip() for block in story["body"] for part in re.split(r"(?<=[.?!”])\s+", block)]
    return [part for part in found if len(part.split()) > 4]


def hrefs(client: httpx.Client, url: str, css: str) -> list[str]:
    soup = BeautifulSoup(client.get(url).text, "html.parser")
    return [str(link["href"]) for link in soup.select(css)]


def test_there_is_enough_to_read(portal: Portal) -> None:
    stories = portal.stories
    assert len(stories) >= 48
    assert Counter(story["section"] for story in stories) == {name.capitalize(): 12 for name in SECTIONS}
    counts = Counter(expert["name"] for story in stories for expert in story["experts"])
    assert len(counts) >= 36
    assert sum(count > 1 for count in counts.values()) >= 15
    assert max(counts.values()) >= 4
    assert len({story["url"] for story in stories}) == len({story["id"] for story in stories}) == len(stories)
    assert [story["published"] for story in stories] == sorted((story["published"] for story in stories), reverse=True)
    assert all(180 <= len(" ".join(story["body"]).split()) <= 450 for story in stories)
    assert any(not story["authors"] for story in stories)
    assert 10 <= sum(bool(story["teaser"]) for story in stories) <= 30
    assert all(story["teaser"] != story["card_teaser"] for story in stories)


def test_experts_stand_in_their_stories_with_role_and_affiliation(portal: Portal) -> None:
    for story in portal.stories:
        text = "\n".join(story["body"])
        assert story["experts"] or story["described"], story["url"]
        for expert in story["experts"]:
            assert expert["name"] in text, story["url"]
            assert expert["affiliation"] in text, (story["url"], expert)
            assert expert["role"].casefold() in text.casefold(), (story["url"], expert)
        for source in story["described"]:
            assert source.casefold() in text.casefold(), (story["url"], source)


def test_an_expert_is_the_same_person_in_every_story(portal: Portal) -> None:
    known = {(e["name"], e["role"], e["affiliation"]) for story in portal.stories for e in story["experts"]}
    assert len(known) == len({name for name, _, _ in known})


def test_no_two_stories_share_a_sentence(portal: Portal) -> None:
    seen: dict[str, str] = {}
    for story in portal.stories:
        for sentence in set(sentences(story)):
            assert seen.setdefault(sentence, story["url"]) == story["url"], sentence
    assert len(seen) > 700


def test_every_story_is_reached_from_front_sections_and_feed(portal: Portal, client: httpx.Client) -> None:
    waiting = [portal.base, *(f"{portal.base}category/{section}/" for section in SECTIONS)]
    listings: set[str] = set()
    found: set[str] = set()
    while waiting:
        page = waiting.pop()
        if page in listings:
            continue
        listings.add(page)
        found |= set(hrefs(client, page, ".td-main-content h3.entry-title a, .tdc-content-wrap h3.entry-title a"))
        waiting += [link for link in hrefs(client, page, ".page-nav a") if link not in listings]
    assert sum("/page/" in page for page in listings) >= 4 * 2
    short = {story["short_url"]: story["url"] for story in portal.stories}
    reached = {short.get(link, link) for link in found}
    assert {story["url"] for story in portal.stories} <= reached
    assert reached - {story["url"] for story in portal.stories} == {
        portal.base + "partners/seven-quiet-islands-for-a-winter-weekend-without-a-car/"
    }
    assert found & set(short), "one story is linked by its short address"


def test_the_feed_holds_the_newest_stories(portal: Portal, client: httpx.Client) -> None:
    answer = client.get(portal.base + "feed/")
    assert answer.headers["content-type"].startswith("application/rss+xml")
    items = ElementTree.fromstring(answer.content).findall("channel/item")
    newest = portal.stories[: len(items)]
    assert len(items) >= 10
    assert [item.findtext("title") for item in items] == [story["title"] for story in newest]
    assert {item.findtext("guid") for item in items} == {story["short_url"] for story in newest}
    assert all(item.findtext("pubDate", "").endswith("+0000") for item in items)


@pytest.mark.parametrize("path", [*LISTINGS, "story"])
def test_what_the_client_has_is_not_sent_again(portal: Portal, client: httpx.Client, path: str) -> None:
    url = portal.stories[7]["url"] if path == "story" else portal.base + path
    first = client.get(url)
    tag, modified = first.headers["etag"], first.headers["last-modified"]
    for headers in ({"If-None-Match": tag}, {"If-Modified-Since": modified}, {"If-None-Match": f'"x", {tag}'}):
        again = client.get(url, headers=headers)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    old = "Mon, 01 Jan 2024 00:00:00 GMT"
    for headers in ({"If-None-Match": 'W/"other"'}, {"If-Modified-Since": old}, {"If-Modified-Since": "yesterday"}):
        assert client.get(url, headers=headers).content == first.content
    other = client.get(url, headers={"If-None-Match": 'W/"other"', "If-Modified-Since": modified})
    assert other.status_code == 200, "If-None-Match alone decides"
    assert portal.log[-1].validator


def test_short_links_and_missing_slashes_redirect(portal: Portal, client: httpx.Client) -> None:
    for story in portal.stories:
        answer = client.get(story["short_url"])
        assert (answer.status_code, answer.headers["location"]) == (301, story["url"])
    story = portal.stories[0]
    assert client.get(story["url"].rstrip("/")).headers["location"] == story["url"]
    for path in (
        "?p=1",
        "health/no-such-story/",
        "category/sports/",
        "category/health/page/9/",
        "category/health/page/x/",
    ):
        answer = client.get(portal.base + path)
        assert answer.status_code == 404, path
        assert "etag" not in answer.headers


def test_robots_txt_forbids_what_pages_link(portal: Portal, client: httpx.Client) -> None:
    answer = client.get(portal.base + "robots.txt")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text == portal.robots_txt
    rules = RobotFileParser()
    rules.parse(answer.text.splitlines())
    linked = {link for path in ("", "category/health/") for link in hrefs(client, portal.base + path, "a[href]")}
    linked |= set(hrefs(client, portal.stories[0]["url"], "a[href]"))
    for prefix in FORBIDDEN:
        tempting = [link for link in linked if link.startswith(portal.base + prefix)]
        assert tempting, prefix
        assert not any(rules.can_fetch("newsmorgue", link) for link in tempting), prefix
        assert client.get(tempting[0]).status_code == 200, "only the rule keeps a crawler out"
    for story in portal.stories:
        assert rules.can_fetch("newsmorgue", story["url"])
        assert rules.can_fetch("newsmorgue", story["short_url"])


def test_codings_head_and_keep_alive(portal: Portal, client: httpx.Client) -> None:
    zipped = client.get(portal.base)
    plain = client.get(portal.base, headers={"Accept-Encoding": "identity"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert zipped.content == plain.content
    assert int(zipped.headers["content-length"]) < len(plain.content) == int(plain.headers["content-length"])
    head = client.head(portal.base, headers={"Accept-Encoding": "identity"})
    assert head.content == b""
    assert head.headers["content-length"] == plain.headers["content-length"]
    with socket.create_connection(("127.0.0.1", urlsplit(portal.base).port)) as line:
        line.settimeout(5)
        for _ in range(3):
            line.sendall(b"HEAD /robots.txt HTTP/1.1\r\nHost: portal\r\n\r\n")
            answer = b""
            while not answer.endswith(b"\r\n\r\n"):
                answer += line.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200 ")


def test_the_log_shows_two_requests_at_once(client: httpx.Client) -> None:
    with Portal(latency=0.5) as slow:
        threads = [threading.Thread(target=httpx.get, args=(slow.base,), kwargs={"trust_env": False}) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        one, two = sorted(slow.log, key=lambda request: request.start)
    assert two.start < one.end
    assert (one.method, one.target, one.status) == ("GET", "/", 200)
    assert one.headers["user-agent"].startswith("python-httpx")


def test_a_page_holds_what_the_truth_says(portal: Portal, pages: dict[str, BeautifulSoup]) -> None:
    builder = 0
    for story in portal.stories:
        page = pages[story["url"]]
        tdb = "tdb-template" in page.body["class"]
        builder += tdb
        (title,) = page.select(".tdb_title h1.tdb-title-text" if tdb else "header.td-post-title h1.entry-title")
        glued = [label.extract() for label in title.select(".td-post-category")]
        assert words(title) == story["title"]
        assert all(words(label) == story["section"] for label in glued)
        content = page.select_one(".td-post-content")
        captions = content.select("figcaption.wp-caption-text") or page.select("figcaption.tdb-caption-text")
        assert [words(caption) for caption in captions] == story["captions"]
        for other in content.select(".td-a-rec, .code-block, .td-post-featured-image, style, script"):
            other.decompose()
        assert [words(block) for block in content.select("p, h2, h3, li")] == story["body"]
        standfirst = page.select(".tdb_single_subtitle .tdb-block-inner > *" if tdb else "p.td-post-sub-title")
        assert [words(node) for node in standfirst] == ([story["teaser"]] if story["teaser"] else [])
        tags = page.select(".tdb_single_tags .tdb-tags a" if tdb else ".td-post-source-tags .td-tags a")
        assert [words(tag) for tag in tags] == story["tags"]
        byline = page.select(".tdb_single_author a" if tdb else "header .td-post-author-name a")
        assert [words(author) for author in byline] == story["authors"]
        date = page.select_one(".tdb_single_date time" if tdb else "header .td-post-date time")
        assert str(date["datetime"]).endswith("+09:00")
    assert len(portal.stories) / 5 < builder < len(portal.stories) / 3


def test_a_page_is_full_of_other_stories(portal: Portal, pages: dict[str, BeautifulSoup]) -> None:
    by_title = {story["title"]: story for story in portal.stories}
    for url, page in pages.items():
        text = words(page)
        cards = {str(link["title"]) for link in page.select("h3.entry-title.td-module-title a")}
        assert len(cards & set(by_title)) >= 12
        for menu in page.select(".td-mega-menu"):
            menu.decompose()
        cards = {str(link["title"]) for link in page.select("h3.entry-title.td-module-title a")}
        assert len(cards) >= 12
        assert next(story["title"] for story in by_title.values() if story["url"] == url) not in cards
        for heading in ("Most Popular Articles", "Check Out Our Content", "Check Out Other Tags:"):
            assert heading in text
        before = text.index("Most Popular Articles")
        assert any(text.index(words(node)) < before for node in page.select(".td-excerpt"))


def test_the_front_shows_many_kinds_of_cards(portal: Portal, client: httpx.Client) -> None:
    front = BeautifulSoup(client.get(portal.base).text, "html.parser")
    classes = {name for node in front.select(".td_module_wrap") for name in node["class"]}
    kinds = {name for name in classes if re.fullmatch(r"td_module_(\d+|mx\d+|flex_\d+|trending_now|mega_menu)", name)}
    assert len(kinds) >= 10
    assert len(front.select(".td-excerpt")) >= 10
    known = {story["card_teaser"] for story in portal.stories}
    whole = [node for node in front.select(".td-excerpt") if words(node) in known]
    cut = [node for node in front.select(".td-excerpt") if words(node).endswith("...")]
    assert whole
    assert cut
    assert all(any(teaser.startswith(words(node)[:-3]) for teaser in known) for node in cut)


def test_heads_differ_in_what_they_tell(portal: Portal, pages: dict[str, BeautifulSoup]) -> None:
    kinds: Counter[str] = Counter()
    for story in portal.stories:
        head = pages[story["url"]].head
        assert words(head.title) == f"{story['title']} - The Hangang Lantern"
        graphs = head.select('script[type="application/ld+json"]')
        og = head.select_one('meta[property="og:title"]')
        kinds["full" if graphs else "og" if og else "bare"] += 1
        if graphs:
            article = json.loads(graphs[0].get_text())["@graph"][0]
            assert article["headline"] == story["title"]
            assert article["datePublished"].replace("+00:00", "Z") == story["published"]
            assert [author["name"] for author in article.get("author", [])] == story["authors"]
    assert min(kinds[kind] for kind in ("full", "og", "bare")) >= 2
    assert kinds["full"] > len(portal.stories) / 2


def test_a_tick_corrects_one_story_and_adds_one(client: httpx.Client) -> None:
    with Portal() as moving:
        before, then = {story["url"]: story for story in moving.stories}, moving.now
        heads = {url: client.get(url).headers for url in [*before, *(moving.base + path for path in LISTINGS)]}
        moving.tick()
        after = {story["url"]: story for story in moving.stories}
        assert (moving.now - then).days == 1
        (added,) = set(after) - set(before)
        (changed,) = [url for url in before if after[url] != before[url]]
        again = {
            url: client.get(url, headers={"If-None-Match": head["etag"], "If-Modified-Since": head["last-modified"]})
            for url, head in heads.items()
        }
        assert [url for url in before if again[url].status_code == 200] == [changed]
        assert again[changed].headers["etag"] != heads[changed]["etag"]
        assert again[changed].headers["last-modified"] != heads[changed]["last-modified"]
        section = after[added]["section"].lower(), after[changed]["section"].lower()
        news = {moving.base, moving.base + "feed/", *(f"{moving.base}category/{name}/" for name in section)}
        assert {url for url in heads if url not in before and again[url].status_code == 200} == news
        for url in (moving.base, moving.base + "feed/", f"{moving.base}category/{section[0]}/"):
            assert added in again[url].text
        assert before[changed]["title"] != after[changed]["title"]
        assert before[changed]["modified"] < after[changed]["modified"]
        assert after[changed]["body"][-1].startswith("Correction:")
        assert len(after[changed]["body"]) == len(before[changed]["body"]) + 1
        assert before[changed]["published"] == after[changed]["published"]
        assert client.get(after[added]["short_url"]).headers["location"] == added
        moving.tick()
        assert moving.stories == list(after.values()), "only the first tick brings news"


def test_before_the_tick_the_added_story_is_nowhere(portal: Portal, client: httpx.Client) -> None:
    with Portal() as moving:
        moving.tick()
        known = {urlsplit(story["url"]).path for story in portal.stories}
        (added,) = [s for s in moving.stories if urlsplit(s["url"]).path not in known]
    assert client.get(f"{portal.base}?p={added['id']}").status_code == 404
    assert client.get(portal.base + urlsplit(added["url"]).path[1:]).status_code == 404
    assert added["title"] not in client.get(portal.base).text


def test_a_stopped_portal_is_gone() -> None:
    with Portal() as short_lived:
        port = urlsplit(short_lived.base).port
        line = socket.create_connection(("127.0.0.1", port))
        line.settimeout(5)
        line.sendall(b"HEAD /robots.txt HTTP/1.1\r\nHost: portal\r\n\r\n")
        assert line.recv(4096).startswith(b"HTTP/1.1 200 ")
    with line:
        assert line.recv(1) == b"", "open connections are closed"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
