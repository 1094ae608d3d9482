"""The demo's publications, asked over real HTTP: what each serves beside its pages, and what their stories are to each other."""

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree

import httpx
import pytest
from bs4 import BeautifulSoup

from scraper.portal.hanmaru import Hanmaru
from scraper.portal.lantern import Lantern
from scraper.portal.ledger import Ledger
from scraper.portal.observer import Observer
from scraper.portal.papers import PAPERS
from scraper.portal.review import Review
from scraper.portal.server import Newsstand, Portal
from scraper.portal.stories import Truth

MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
NEWS = "{http://www.google.com/schemas/sitemap-news/0.9}"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def stand() -> Iterator[Newsstand]:
    """Publications whose clocks stand still."""
    with Newsstand() as running:
        yield running


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """A visitor who follows redirects and keeps cookies."""
    with httpx.Client(trust_env=False, timeout=10, follow_redirects=True) as visitor:
        yield visitor


def of(stand: Newsstand, paper: type) -> Portal:
    return next(portal for portal in stand.portals if portal.paper is paper)


def stories(stand: Newsstand) -> list[Truth]:
    return [story for portal in stand.portals for story in portal.stories]


def words(story: Truth) -> list[str]:
    return " ".join(story["body"]).split()


def sentences(story: Truth) -> list[str]:
    found = [part.strip() for block in story["body"] for part in re.split(r"(?<=[.?!”])\s+", block)]
    return [part for part in found if len(part.split()) > 4]


def test_there_are_five_publications_and_enough_stories(stand: Newsstand) -> None:
    assert [portal.paper for portal in stand.portals] == list(PAPERS)
    assert len({portal.base for portal in stand.portals}) == len(PAPERS) == 5
    counts = {portal.name: len(portal.stories) for portal in stand.portals}
    assert sum(counts.values()) >= 150
    assert min(counts.values()) >= 20
    for story in stories(stand):
        korean = "articleView" in story["url"]
        size = len(" ".join(story["body"])) if korean else len(words(story))
        assert (170 if korean else 25 if story["verdict"] == "teaser_only" else 85) <= size <= 450 * (1 + korean), (
            story["url"]
        )


def test_no_two_stories_share_a_sentence_but_copies(stand: Newsstand) -> None:
    seen: dict[str, str] = {}
    for story in stories(stand):
        if not story["copy_of"]:
            for sentence in set(sentences(story)):
                assert seen.setdefault(sentence, story["url"]) == story["url"], sentence
    assert len(seen) > 1500


def test_copies_have_headlines_of_their_own_and_small_edits(stand: Newsstand) -> None:
    every = stories(stand)
    copies = [story for story in every if story["copy_of"]]
    assert len(copies) >= 8
    for copy in copies:
        text = " ".join(words(copy))
        alike = [
            (SequenceMatcher(None, words(copy), words(story), autojunk=False).ratio(), story)
            for story in every
            if not story["copy_of"] and set(sentences(copy)) & set(sentences(story))
        ]
        ((share, original),) = alike
        assert 0.8 < share < 1, copy["url"]
        assert copy["title"] != original["title"]
        assert text != " ".join(words(original))
        assert urlsplit(copy["url"]).port != urlsplit(original["url"]).port


def test_experts_are_the_same_people_everywhere_and_stand_in_the_text(stand: Newsstand) -> None:
    known: dict[str, tuple[str, str]] = {}
    for portal in stand.portals:
        for story in portal.stories:
            text = "\n".join(story["body"])
            for one in story["experts"]:
                assert known.setdefault(one["name"], (one["role"], one["affiliation"])) == (
                    one["role"],
                    one["affiliation"],
                )
                if story["verdict"] == "article":
                    for said in one.values():
                        assert str(said).casefold() in text.casefold(), (story["url"], one)
            for source in story["described"]:
                assert source.casefold() in text.casefold(), (story["url"], source)
    assert len(known) >= 100
    places: dict[str, set[str]] = {}
    for portal in stand.portals:
        for story in portal.stories:
            for one in story["experts"]:
                places.setdefault(one["name"], set()).add(portal.name)
    assert sum(len(names) > 1 for names in places.values()) >= 20


def test_each_page_says_what_its_story_says(stand: Newsstand, client: httpx.Client) -> None:
    for portal in stand.portals[1:]:
        for story in portal.stories:
            page = BeautifulSoup(client.get(story["url"]).content, "html.parser")
            text = " ".join(page.get_text(" ").split())
            for block in story["body"]:
                whole = " ".join(block.split())
                assert whole in text or whole in re.sub(r" (?=[,.;:?!”’)])", "", text), (story["url"], block)
            assert " ".join(story["title"].split()) in text
            canonical = page.select_one('link[rel="canonical"]')
            assert canonical is not None
            assert canonical["href"] == story["url"]


def test_robots_txt_lets_every_story_be_fetched(stand: Newsstand, client: httpx.Client) -> None:
    for portal in stand.portals:
        answer = client.get(portal.base + "robots.txt")
        assert answer.text == portal.robots_txt
        assert "Disallow" in answer.text
        rules = RobotFileParser()
        rules.parse([line for line in answer.text.splitlines() if "*/" not in line])
        assert all(rules.can_fetch("newsmorgue", story["url"]) for story in portal.stories)
        for place in re.findall(r"(?m)^Sitemap: (\S+)$", answer.text):
            assert place.startswith(portal.base)
            assert client.get(place).status_code == 200


def test_what_a_visitor_has_is_not_sent_again(stand: Newsstand, client: httpx.Client) -> None:
    for portal in stand.portals:
        for url in (portal.base, portal.stories[3]["url"]):
            first = client.get(url)
            again = client.get(url, headers={"If-None-Match": first.headers["etag"]})
            assert (again.status_code, again.content) == (304, b""), url
            later = client.get(url, headers={"If-Modified-Since": first.headers["last-modified"]})
            assert later.status_code == 304, url


@pytest.mark.parametrize(
    ("paper", "index"), [(Observer, "sitemap_index.xml"), (Review, "wp-sitemap.xml"), (Ledger, "sitemap.xml")]
)
def test_sitemaps_hold_every_story(stand: Newsstand, client: httpx.Client, paper: type, index: str) -> None:
    portal = of(stand, paper)
    maps = [
        node.text or "" for node in ElementTree.fromstring(client.get(portal.base + index).content).iter(f"{MAP}loc")
    ]
    assert len(maps) >= 2
    listed: set[str] = set()
    for url in maps:
        content = client.get(url).content
        text = gzip.decompress(content) if url.endswith(".gz") else content
        listed |= {node.text or "" for node in ElementTree.fromstring(text).iter(f"{MAP}loc")}
    assert {story["url"] for story in portal.stories} <= listed
    assert paper is not Ledger or any(url.endswith(".gz") for url in maps)


def test_the_news_sitemap_holds_two_days(stand: Newsstand, client: httpx.Client) -> None:
    portal = of(stand, Ledger)
    entries = ElementTree.fromstring(client.get(portal.base + "sitemaps/news.xml").content).findall(f"{MAP}url")
    titles = [entry.findtext(f"{NEWS}news/{NEWS}title") for entry in entries]
    assert titles == [story["title"] for story in portal.stories[: len(titles)]]
    assert 2 <= len(titles) < len(portal.stories)


def test_posts_are_given_by_rest_in_pages(stand: Newsstand, client: httpx.Client) -> None:
    portal = of(stand, Review)
    place = portal.base + "wp-json/wp/v2/posts"
    found: list[str] = []
    first = client.get(place, params={"per_page": 10})
    assert first.headers["x-wp-total"] == str(len(portal.stories))
    for number in range(1, int(first.headers["x-wp-totalpages"]) + 1):
        posts = client.get(place, params={"per_page": 10, "page": number}).json()
        found += [post["link"] for post in posts]
    assert found == [story["url"] for story in portal.stories]
    beyond = client.get(place, params={"page": 99})
    assert (beyond.status_code, beyond.json()["code"]) == (400, "rest_post_invalid_page_number")
    assert client.get(place, params={"per_page": 101}).json()["code"] == "rest_invalid_param"
    middle = portal.stories[10]["published"]
    later = client.get(place, params={"per_page": 100, "after": middle, "order": "asc", "_fields": "id,link"}).json()
    assert [post["link"] for post in later] == [story["url"] for story in portal.stories[:10]][::-1]
    assert set(later[0]) == {"id", "link"}
    one = client.get(f"{place}/{portal.stories[0]['id']}").json()
    assert one["title"]["rendered"] == portal.stories[0]["title"]
    assert client.get(portal.base + "wp-json/").json()["namespaces"] == ["wp/v2"]
    assert client.get(portal.base + "wp-json/wp/v2/none").status_code == 404


def test_feeds(stand: Newsstand, client: httpx.Client) -> None:
    review, observer, hanmaru = of(stand, Review), of(stand, Observer), of(stand, Hanmaru)
    atom = ElementTree.fromstring(client.get(review.base + "feed/atom/").content)
    assert [entry.findtext(f"{ATOM}title") for entry in atom.findall(f"{ATOM}entry")] == [
        s["title"] for s in review.stories[:10]
    ]
    rss = ElementTree.fromstring(client.get(observer.base + "feed/").content)
    links = [item.findtext("link") or "" for item in rss.findall("channel/item")]
    assert all("?utm_source=rss" in link for link in links)
    answer = client.get(hanmaru.base + "rss/allArticle.xml")
    assert b'encoding="euc-kr"' in answer.content
    assert hanmaru.stories[0]["title"] in answer.content.decode("euc-kr")


def test_amp_and_print_variants_name_their_story(stand: Newsstand, client: httpx.Client) -> None:
    for paper in (Observer, Ledger, Hanmaru):
        story = of(stand, paper).stories[2]
        page = BeautifulSoup(client.get(story["url"]).content, "html.parser")
        variants = [str(link["href"]) for link in page.select('link[rel="amphtml"], a[href*="rint"]')]
        assert variants
        for place in variants:
            answer = client.get(str(httpx.URL(story["url"]).join(place)))
            other = BeautifulSoup(answer.content, "html.parser")
            assert answer.status_code == 200
            assert str(other.select_one('link[rel="canonical"]')["href"]) == story["url"]


def test_fronts_link_with_tracking_parameters_and_variants(stand: Newsstand, client: httpx.Client) -> None:
    assert "utm_medium=grid" in client.get(of(stand, Observer).base).text
    assert "/amp/" in client.get(of(stand, Observer).base).text
    assert "?ref=home" in client.get(of(stand, Ledger).base).text


def test_the_cookie_wall(stand: Newsstand) -> None:
    portal = of(stand, Ledger)
    story = portal.stories[0]
    bare = httpx.get(story["url"], trust_env=False)
    assert bare.status_code == 307
    assert urlsplit(bare.headers["location"]).path == "/consent"
    assert "etag" not in bare.headers
    consent = httpx.get(bare.headers["location"], trust_env=False)
    assert consent.headers["location"] == story["url"]
    cookie = consent.headers["set-cookie"].partition(";")[0]
    assert httpx.get(story["url"], headers={"Cookie": cookie}, trust_env=False).status_code == 200
    assert httpx.get(portal.base + "sitemap.xml", trust_env=False).status_code == 200, "robots need no cookie"


def test_a_paywalled_story_shows_its_beginning(stand: Newsstand, client: httpx.Client) -> None:
    walled = [story for story in of(stand, Ledger).stories if story["verdict"] == "teaser_only"]
    assert len(walled) == 3
    for story in walled:
        page = BeautifulSoup(client.get(story["url"]).text, "html.parser")
        graph = json.loads(page.select_one('script[type="application/ld+json"]').get_text())
        assert graph["isAccessibleForFree"] is False
        assert "Subscribe to continue reading" in page.get_text()


def test_the_korean_site_is_served_in_euc_kr(stand: Newsstand, client: httpx.Client) -> None:
    portal = of(stand, Hanmaru)
    answer = client.get(portal.stories[0]["url"])
    assert answer.headers["content-type"] == "text/html; charset=euc-kr"
    assert portal.stories[0]["title"] in answer.content.decode("euc-kr")
    with pytest.raises(UnicodeDecodeError):
        answer.content.decode("utf-8")


def test_a_tick_brings_new_corrected_and_withdrawn_stories(client: httpx.Client) -> None:
    with Newsstand() as moving:
        before = {story["url"]: story for story in stories(moving)}
        moving.tick()
        after = {story["url"]: story for story in stories(moving)}
        gone = [story["url"] for portal in moving.portals for story in portal.withdrawn]
        assert set(before) - set(after) == set(gone)
        answers = Counter(client.get(url).status_code for url in gone)
        assert answers == {410: 1, 200: 1}, "one system says Gone, the other in words"
        assert len(set(after) - set(before)) == 5
        changed = [url for url in set(before) & set(after) if before[url] != after[url]]
        assert len(changed) == 4
        for url in (*changed, *(set(after) - set(before))):
            assert client.get(url).status_code == 200


@pytest.mark.parametrize("paper", [paper for paper in PAPERS if paper is not Lantern])
def test_what_is_not_there_is_said_to_be_missing(stand: Newsstand, client: httpx.Client, paper: type) -> None:
    base = of(stand, paper).base
    for path in (
        "no-such-story/",
        "category/none/",
        "?p=1",
        "news/articleView.html?idxno=1",
        "economy?page=99",
        "page/99/",
    ):
        if client.get(base + path).status_code != 404:
            assert path in ("?p=1", "economy?page=99", "page/99/"), path
