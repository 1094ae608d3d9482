"""Articles, revisions, readings, aliases and copies: what counts as a change, and what does not."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.article import Article, Block, Image, Provenance, When
from parsers.page import Page
from storage.archive import Archive, KeptArticle
from storage.articles import COPY_WORDS, words_of
from storage.records import Exchange

NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
URL = "https://example.org/harbour"
LONG = " ".join(f"Ferry number {n} stays in port until the wind drops." for n in range(10))
ARTICLE = Article(
    url=URL,
    canonical_url=URL,
    site="example",
    layout="plain",
    title='Harbour "closed" until Monday',
    teaser="A storm keeps ferries in port",
    description="Head",
    blocks=(Block("p", "The harbour is closed."), Block("heading", "Ferries"), Block("p", "None sails today.")),
    captions=("The pier",),
    authors=("Ana Example", "Bo Sample"),
    published=When("1 March 2026, 14:00", datetime(2026, 3, 1, 5, 0, tzinfo=UTC), "site", "minute"),
    section="Ferries",
    sections=("Coast", "Ferries"),
    tags=("Storm", "Ferries"),
    language="en",
    paywall=False,
    image=Image("https://example.org/pier.jpg", "The pier", "C. Credit"),
    provenance={"title": Provenance("dom", "h1")},
    parser_version="1",
)


class Keeper:
    """Keeps one article after the other, an hour apart."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.at = NOW
        self.run = archive.start_run(now=NOW, version="1", command="crawl", settings="{}")
        self.sites = {
            name: archive.site_id(name, home=f"https://{name}.example/", parser=None, timezone=None, now=NOW)
            for name in ("example", "mirror")
        }

    def __call__(
        self, article: Article, *, asked: str = "", given: str = "", site: str = "example", capture: int | None = None
    ) -> KeptArticle:
        self.at += timedelta(hours=1)
        if capture is None:
            asked = asked or article.url
            given = given or asked
            body = f"{self.at}".encode()
            answer = Exchange(given, self.at, b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", body)
            page = Page(given, body, asked, self.at)
            capture = self.archive.keep(
                page, [answer], run=self.run, site=self.sites[site], kind="story", verdict="article"
            ).capture
        return self.archive.keep_article(capture, article, site=self.sites[site], now=self.at)

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        return list(self.archive.db.query(sql, values))


@pytest.fixture
def keep(tmp_path: Path) -> Iterator[Keeper]:
    with Archive.create(tmp_path / "archive") as archive:
        yield Keeper(archive)


def with_body(*texts: str, **changes: Any) -> Article:
    return replace(ARTICLE, blocks=tuple(Block("p", text) for text in texts), **changes)


# -- what is stored ------------------------------------------------------------------------------------------------


def test_a_new_article_shows_in_the_view(keep: Keeper) -> None:
    kept = keep(ARTICLE)
    assert kept == KeptArticle(1, 1, 1, new_article=True, new_revision=False, copy_of=None)
    row = keep.rows("SELECT * FROM articles")[0]
    expected = {
        "url": URL,
        "site": "example",
        "title": ARTICLE.title,
        "teaser": ARTICLE.teaser,
        "card_teaser": "",
        "description": "Head",
        "summary": ARTICLE.teaser,
        "body": "The harbour is closed.\nFerries\nNone sails today.",
        "words": 8,
        "authors": "Ana Example; Bo Sample",
        "tags": "Storm; Ferries",
        "section": "Ferries",
        "language": "en",
        "paywall": 0,
        "image": "https://example.org/pier.jpg",
        "published_utc": "2026-03-01T05:00:00Z",
        "published_raw": "1 March 2026, 14:00",
        "published_zone_source": "site",
        "published_precision": "minute",
        "modified_utc": None,
        "layout": "plain",
        "parser_version": "1",
        "verdict": "article",
        "revisions": 1,
        "quotes": 0,
        "experts": 0,
        "first_seen": "2026-03-01T07:00:00.000Z",
        "last_seen": "2026-03-01T07:00:00.000Z",
    }
    assert {name: row[name] for name in expected} == expected


def test_lists_and_records_are_json(keep: Keeper) -> None:
    keep(ARTICLE)
    row = keep.rows("SELECT blocks, captions, sections, image, provenance FROM reading")[0]
    assert {name: json.loads(value) for name, value in row.items()} == {
        "blocks": ["p", "heading", "p"],
        "captions": ["The pier"],
        "sections": ["Coast", "Ferries"],
        "image": {"url": "https://example.org/pier.jpg", "caption": "The pier", "credit": "C. Credit"},
        "provenance": {"title": {"source": "dom", "rule": "h1"}},
    }


def test_what_is_missing_is_null_and_what_is_empty_is_empty(keep: Keeper) -> None:
    keep(Article(URL, URL))
    row = keep.rows("SELECT * FROM articles")[0]
    assert {row[name] for name in ("title", "teaser", "card_teaser", "description", "summary", "body")} == {""}
    missing = ("authors", "tags", "section", "language", "paywall", "image", "published_utc", "published_raw", "layout")
    assert {row[name] for name in missing} == {None}


def test_a_date_that_nobody_understands_keeps_its_words(keep: Keeper) -> None:
    keep(replace(ARTICLE, published=When("the other day", None, "assumed", "day")))
    row = keep.rows("SELECT published_utc, published_raw FROM articles")[0]
    assert row == {"published_utc": None, "published_raw": "the other day"}


def test_dates_are_held_against_the_capture(keep: Keeper) -> None:
    # The capture is of 07:00.
    late = When("", datetime(2026, 3, 1, 7, 59, tzinfo=UTC), "offset", "second")
    later = When("", datetime(2026, 3, 1, 8, 1, tzinfo=UTC), "offset", "second")
    keep(replace(ARTICLE, published=late, modified=later))
    row = keep.rows("SELECT published_flag, modified_flag, modified_utc FROM reading")[0]
    assert row == {"published_flag": None, "modified_flag": "future", "modified_utc": "2026-03-01T08:01:00Z"}
    keep.at += timedelta(days=1)
    epoch = When("0", datetime(1970, 1, 1, tzinfo=UTC), "offset", "second")
    keep(replace(ARTICLE, published=epoch, modified=later, title="New"))
    row = keep.rows("SELECT published_flag, modified_flag FROM reading WHERE latest = 1")[0]
    assert row == {"published_flag": "before_1990", "modified_flag": None}


def test_tags_and_authors_are_shared_between_articles(keep: Keeper) -> None:
    keep(ARTICLE)
    other = replace(
        with_body("Other words."), url=f"{URL}/2", canonical_url=f"{URL}/2", tags=("STORM", "storm", "Wind")
    )
    keep(other)
    assert [row["name"] for row in keep.rows("SELECT name FROM tag ORDER BY id")] == ["Storm", "Ferries", "Wind"]
    tags = {row["tag"]: row["articles"] for row in keep.rows("SELECT * FROM tags")}
    assert tags == {"Storm": 2, "Ferries": 1, "Wind": 1}
    assert [row["name"] for row in keep.rows("SELECT name FROM author ORDER BY id")] == ["Ana Example", "Bo Sample"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("", 0), ("Two words", 2), ("it's 5 o'clock", 5), ("漢字で書く", 5), ("서울 항구", 2), ("Seoul 서울 漢字", 3)],
)
def test_words(text: str, words: int) -> None:
    assert words_of(text) == words


@given(st.text(st.one_of(st.sampled_from("a_1 -.’“\u00a0\n\u00adéก中あ①½™\u0301"), st.characters()), max_size=80))
def test_words_are_counted_as_a_pattern_would(text: str) -> None:
    # The plain way, which is ten times as slow.
    dense = len(
        re.findall(
            "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]", text
        )
    )
    assert words_of(text) == (dense if dense * 4 > len(text) else len(re.findall(r"\w+", text)))


def test_a_text_of_many_symbols_is_no_trap() -> None:
    symbols = "".join(map(chr, range(0x2190, 0x2C00))) * 200
    assert words_of(f"one {symbols} two") == len(re.findall(r"\w+", symbols)) + 2


# -- revisions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "title_changed", "body_changed"),
    [
        ({"title": "Harbour open"}, 1, 0),
        ({"teaser": "Ferries sail"}, 0, 0),
        ({"blocks": (Block("p", "The harbour is open."),)}, 0, 1),
        ({"title": "Harbour open", "blocks": ()}, 1, 1),
    ],
    ids=["title", "teaser", "body", "both"],
)
def test_a_changed_text_is_a_revision(
    keep: Keeper, changes: dict[str, Any], title_changed: int, body_changed: int
) -> None:
    first = keep(ARTICLE)
    second = keep(replace(ARTICLE, **changes))
    assert (second.article, second.new_article, second.new_revision) == (first.article, False, True)
    rows = keep.rows("SELECT n, title_changed, body_changed, at FROM revision ORDER BY id")
    assert rows == [
        {"n": 1, "title_changed": 0, "body_changed": 0, "at": "2026-03-01T07:00:00.000Z"},
        {"n": 2, "title_changed": title_changed, "body_changed": body_changed, "at": "2026-03-01T08:00:00.000Z"},
    ]
    assert keep.rows("SELECT revisions, reading_id FROM articles") == [{"revisions": 2, "reading_id": second.reading}]


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "  Harbour  “closed”\u00a0until Monday "},
        {"title": "HARBOUR «closed» until Monday"},
        {"title": 'Harbour \u200b"closed" until Mon\u00adday'},
        {"teaser": "A storm keeps\tferries in port"},
        {"blocks": (Block("p", "The harbour is closed."), Block("p", "Ferries None sails  today."))},
        {"description": "Another head"},
        {"tags": ("Wind",), "authors": (), "section": None, "captions": ()},
        {"image": None, "language": None, "paywall": True},
    ],
    ids=["quotes", "case", "invisible", "tab", "blocks", "description", "lists", "fields"],
)
def test_other_differences_are_no_revision(keep: Keeper, changes: dict[str, Any]) -> None:
    first = keep(ARTICLE)
    second = keep(replace(ARTICLE, **changes))
    assert (second.revision, second.reading, second.new_revision) == (first.revision, first.reading, False)
    assert keep.archive.db["revision"].count == keep.archive.db["reading"].count == 1
    row = keep.rows("SELECT first_seen, last_seen FROM articles")[0]
    assert row == {"first_seen": "2026-03-01T07:00:00.000Z", "last_seen": "2026-03-01T08:00:00.000Z"}


def test_revisions_are_numbered_and_a_text_may_come_back(keep: Keeper) -> None:
    for title in ("One", "Two", "One", "One"):
        keep(replace(ARTICLE, title=title))
    assert [row["n"] for row in keep.rows("SELECT n FROM revision ORDER BY id")] == [1, 2, 3]
    changes = keep.rows(
        "SELECT old_title, new_title, revision, seen_until, seen_from FROM headline_changes ORDER BY revision"
    )
    assert changes == [
        {
            "old_title": old,
            "new_title": new,
            "revision": n,
            "seen_until": f"2026-03-01T0{n + 5}:00:00.000Z",
            "seen_from": f"2026-03-01T0{n + 6}:00:00.000Z",
        }
        for n, old, new in ((2, "One", "Two"), (3, "Two", "One"))
    ]
    assert keep.rows("SELECT title, revisions FROM articles") == [{"title": "One", "revisions": 3}]


def test_two_articles_are_numbered_apart(keep: Keeper) -> None:
    keep(ARTICLE)
    keep(replace(ARTICLE, url=f"{URL}/2", canonical_url=f"{URL}/2"))
    keep(replace(ARTICLE, title="New"))
    rows = keep.rows("SELECT article_id, n FROM revision ORDER BY id")
    assert [tuple(row.values()) for row in rows] == [(1, 1), (2, 1), (1, 2)]


# -- readings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"parser_version": "2"},
        {"layout": "other"},
        {"published": None},
        {"modified": When("2 March 2026", datetime(2026, 3, 2, tzinfo=UTC), "site", "day")},
    ],
    ids=["parser", "layout", "published", "modified"],
)
def test_another_parser_or_other_dates_are_a_reading_of_the_same_revision(
    keep: Keeper, changes: dict[str, Any]
) -> None:
    first = keep(ARTICLE)
    second = keep(replace(ARTICLE, **changes))
    assert (second.revision, second.new_revision) == (first.revision, False)
    assert second.reading != first.reading
    rows = keep.rows("SELECT id, latest FROM reading ORDER BY id")
    assert rows == [{"id": first.reading, "latest": 0}, {"id": second.reading, "latest": 1}]
    assert keep.rows("SELECT reading_id FROM articles") == [{"reading_id": second.reading}]


def test_one_capture_read_again_by_a_later_parser(keep: Keeper) -> None:
    first = keep(ARTICLE)
    again = keep(replace(ARTICLE, parser_version="2", tags=("Wind",)), capture=1)
    assert again.revision == first.revision
    rows = keep.rows("SELECT capture_id, parser_version FROM reading ORDER BY id")
    assert [tuple(row.values()) for row in rows] == [(1, "1"), (1, "2")]
    assert [row["tag"] for row in keep.rows("SELECT tag FROM tags")] == ["Wind"]


def test_only_one_reading_of_an_article_is_the_latest(keep: Keeper) -> None:
    for n in range(6):
        keep(replace(ARTICLE, title=f"Title {n // 2}", parser_version=f"{n}"))
    assert keep.archive.db["reading"].count == 6
    assert keep.rows("SELECT id, title FROM reading WHERE latest = 1") == [{"id": 6, "title": "Title 2"}]
    assert [row["title"] for row in keep.archive.search("harbour")] == ["Title 2"]
    keep.archive.db.execute("INSERT INTO text_fts (text_fts, rank) VALUES ('integrity-check', 1)")


# -- aliases -------------------------------------------------------------------------------------------------------


def test_every_name_of_an_article_is_kept_with_its_source(keep: Keeper) -> None:
    article = replace(ARTICLE, url="https://example.org/harbour-2")
    keep(article, asked="https://example.org/?p=7", given="https://example.org/harbour-2")
    rows = {row["url"]: row["source"] for row in keep.rows("SELECT url, source FROM alias")}
    assert rows == {
        URL: "canonical",
        "https://example.org/harbour-2": "redirect",
        "https://example.org/?p=7": "asked",
    }
    assert keep.rows("SELECT url FROM articles") == [{"url": URL}]
    assert keep.archive.knows("https://example.org/?p=7")
    assert not keep.archive.knows(URL)
    assert not keep.archive.knows("https://example.org/other")


@pytest.mark.parametrize("which", ["canonical", "redirect", "asked"])
def test_an_article_is_found_by_any_of_its_names(keep: Keeper, which: str) -> None:
    first = keep(ARTICLE, asked="https://example.org/?p=7", given="https://example.org/harbour-2")
    by = {
        "canonical": {"asked": "https://example.org/x"},
        "redirect": {"asked": "https://example.org/y", "given": "https://example.org/harbour-2"},
        "asked": {"asked": "https://example.org/?p=7", "given": "https://example.org/z"},
    }[which]
    moved = ARTICLE if which == "canonical" else replace(ARTICLE, canonical_url="https://example.org/moved")
    again = keep(moved, **by)
    assert (again.article, again.new_article) == (first.article, False)
    assert keep.archive.db["article"].count == 1


def test_a_visit_without_news_moves_only_last_seen(keep: Keeper) -> None:
    keep(ARTICLE, asked="https://example.org/?p=7")
    keep.archive.seen_again("https://example.org/?p=7", now=NOW + timedelta(days=2))
    keep.archive.seen_again("https://example.org/nobody", now=NOW + timedelta(days=3))
    assert [row["last_seen"] for row in keep.rows("SELECT last_seen FROM article")] == ["2026-03-03T06:00:00.000Z"]


def test_reading_an_old_capture_again_does_not_turn_back_the_clock(keep: Keeper) -> None:
    keep(ARTICLE)
    keep(replace(ARTICLE, title="New"))
    keep(replace(ARTICLE, parser_version="2", title="New"), capture=1)
    assert [row["last_seen"] for row in keep.rows("SELECT last_seen FROM article")] == ["2026-03-01T08:00:00.000Z"]


# -- copies --------------------------------------------------------------------------------------------------------


def at(url: str, **changes: Any) -> Article:
    return with_body(LONG, url=url, canonical_url=url, **changes)


def test_the_very_same_text_elsewhere_is_a_copy(keep: Keeper) -> None:
    first = keep(at(URL))
    copy = keep(at("https://mirror.example/storm", title="Storm!"), site="mirror")
    third = keep(at("https://mirror.example/again"), site="mirror")
    assert (first.copy_of, copy.copy_of, third.copy_of) == (None, first.article, first.article)
    rows = keep.rows("SELECT * FROM syndication ORDER BY url DESC")
    assert rows[0] == {
        "url": "https://mirror.example/storm",
        "site": "mirror",
        "title": "Storm!",
        "first_url": URL,
        "first_site": "example",
        "first_title": ARTICLE.title,
        "hours_later": pytest.approx(1.0),
    }
    assert len(rows) == 2
    story = keep.rows("SELECT articles, sites, first_url, title, first_seen FROM stories")
    assert story == [
        {"articles": 3, "sites": 2, "first_url": URL, "title": ARTICLE.title, "first_seen": "2026-03-01T07:00:00.000Z"}
    ]
    members = keep.rows("SELECT article_id, kind, shared FROM story_member ORDER BY article_id")
    assert [tuple(row.values()) for row in members] == [(1, "first", 1.0), (2, "copy", 1.0), (3, "copy", 1.0)]


def test_other_typography_does_not_hide_a_copy(keep: Keeper) -> None:
    keep(at(URL))
    url = "https://mirror.example/storm"
    copy = keep(replace(at(url), blocks=(Block("p", LONG.upper().replace(" ", "\u00a0 ")),)))
    assert copy.copy_of == 1


def test_short_texts_may_be_equal_by_chance(keep: Keeper) -> None:
    short = " ".join(["word"] * (COPY_WORDS - 1))
    keep(with_body(short))
    assert keep(with_body(short, url=f"{URL}/2", canonical_url=f"{URL}/2")).copy_of is None
    enough = f"{short} more"
    keep(with_body(enough, url=f"{URL}/3", canonical_url=f"{URL}/3"))
    assert keep(with_body(enough, url=f"{URL}/4", canonical_url=f"{URL}/4")).copy_of == 3


def test_an_article_is_no_copy_of_itself(keep: Keeper) -> None:
    keep(at(URL))
    assert keep(at(URL, title="New")).copy_of is None
    assert keep.archive.db["story"].count == 0


def test_an_article_belongs_to_one_story(keep: Keeper) -> None:
    keep(at(URL))
    keep(at(f"{URL}/2"))
    again = keep(at(f"{URL}/2", title="New"))
    assert again.copy_of is None
    assert keep.archive.db["story_member"].count == 2
    assert keep.archive.db["story"].count == 1


# -- other forms of a story ----------------------------------------------------------------------------------------


def test_another_form_of_a_story_is_an_alias_and_no_reading(keep: Keeper) -> None:
    keep(with_body(LONG))
    amp = with_body(LONG, "Only here.", url=f"{URL}/amp")
    kept = keep(amp)
    assert kept == KeptArticle(1, 1, 1, new_article=False, new_revision=False, copy_of=None, variant_of=URL)
    assert keep.rows("SELECT count(*) AS n FROM reading") == [{"n": 1}]
    assert keep.rows("SELECT url, source FROM alias ORDER BY url") == [
        {"url": URL, "source": "asked"},
        {"url": f"{URL}/amp", "source": "asked"},
    ]
    assert keep.archive.knows(f"{URL}/amp")


def test_another_form_that_comes_first_is_read_and_the_story_has_its_own_address(keep: Keeper) -> None:
    kept = keep(with_body(LONG, url=f"{URL}/amp"))
    assert (kept.new_article, kept.variant_of) == (True, URL)
    assert not keep.archive.knows(URL)
    kept = keep(with_body(LONG, "And more."))
    assert (kept.article, kept.new_revision, kept.variant_of) == (1, True, "")
    assert keep.rows("SELECT url, source FROM alias ORDER BY url") == [
        {"url": URL, "source": "asked"},
        {"url": f"{URL}/amp", "source": "asked"},
    ]


def test_an_address_that_all_pages_call_their_own_is_not_believed(keep: Keeper) -> None:
    shared = "https://example.org/news"
    texts = [
        f"Story {n}: " + " ".join(f"the {word} of number {n}{k}" for k in range(20)) for n, word in enumerate("abc")
    ]
    kept = [
        keep(with_body(text, url=f"{URL}/{n}", canonical_url=shared, title=f"Story {n}"))
        for n, text in enumerate(texts)
    ]
    assert [one.article for one in kept] == [1, 2, 3]
    assert [row["url"] for row in keep.rows("SELECT url FROM article ORDER BY id")] == [shared, f"{URL}/1", f"{URL}/2"]
    again = keep(with_body("Now something else.", url=f"{URL}/1", canonical_url=shared))
    assert (again.article, again.new_revision) == (2, True)


def test_short_texts_are_one_story_if_the_headline_is(keep: Keeper) -> None:
    keep(ARTICLE)
    assert keep(with_body("Closed.", url=f"{URL}/print")).article == 1
    assert keep(with_body("Open.", url=f"{URL}/other", title="Museum opens")).article == 2


def test_a_form_in_the_same_language_is_an_alias_until_it_shows_another_text(keep: Keeper) -> None:
    british, american = f"{URL}/gb", f"{URL}/us"
    keep(with_body(LONG, url=british, canonical_url=british, alternates=(british, american)))
    assert keep.rows("SELECT source FROM alias WHERE url = ?", american) == [{"source": "hreflang"}]
    assert not keep.archive.knows(american)
    other = " ".join(f"Gate {n} opens at noon for the fair in town." for n in range(10))
    assert keep(with_body(other, url=american, canonical_url=american, title="Fair")).article == 2
    assert keep.rows("SELECT article_id, source FROM alias WHERE url = ?", american) == [
        {"article_id": 2, "source": "asked"}
    ]
    keep(with_body(LONG, "G'day.", url=f"{URL}/au", canonical_url=f"{URL}/au", alternates=(british,)))
    assert keep.rows("SELECT article_id FROM alias WHERE url = ?", british) == [{"article_id": 1}]
