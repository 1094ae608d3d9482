"""Revisions as they are kept: kinds and words, withdrawals and returns, and the words between two revisions."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from parsers.article import Article, Block, Quote, When
from parsers.errors import UsageError
from parsers.page import Page
from storage.archive import Archive, KeptArticle
from storage.captures import Exchange

NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
URL = "https://example.org/2026/03/01/harbour"
ALIAS = "https://example.org/?p=7"
ARTICLE = Article(
    url=URL,
    canonical_url=URL,
    title="Harbour closed",
    teaser="A storm keeps 12 ferries in port",
    blocks=(Block("p", "The harbour is closed."), Block("p", "None of 12 ferries sails today.")),
    modified=When("", NOW, "offset", "second"),
    parser_version="1",
)


def body(*paragraphs: str, **changes: Any) -> Article:
    return replace(ARTICLE, blocks=tuple(Block("p", text) for text in paragraphs), **changes)


class Keeper:
    """Keeps what an address answers, an hour apart."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.at = NOW
        self.run = archive.start_run(now=NOW, version="1", command="crawl", settings="{}")
        self.site = archive.site_id("example", home="https://example.org/", parser=None, timezone=None, now=NOW)

    def capture(self, verdict: str, asked: str = URL, given: str = "", status: int = 200, kind: str = "story") -> int:
        self.at += timedelta(hours=1)
        payload = f"{self.at}".encode()
        head = f"HTTP/1.1 {status} Said\r\n\r\n".encode()
        answer = Exchange(given or asked, self.at, b"GET / HTTP/1.1\r\n\r\n", head, payload)
        page = Page(given or asked, payload, asked, self.at, status)
        kept = self.archive.keep(page, [answer], run=self.run, site=self.site, kind=kind, verdict=verdict)
        return kept.capture

    def __call__(self, article: Article, asked: str = URL) -> KeptArticle:
        return self.archive.keep_article(self.capture("article", asked), article, site=self.site, now=self.at)

    def gone(self, asked: str = URL, verdict: str = "gone") -> bool:
        return self.archive.withdrawn(self.capture(verdict, asked, status=404))

    def changes(self) -> list[list[str]]:
        return [json.loads(row["changes"]) for row in self.archive.db.query("SELECT changes FROM revision ORDER BY id")]

    def one(self, sql: str) -> dict[str, Any]:
        (row,) = self.archive.db.query(sql)
        return row


@pytest.fixture
def keep(tmp_path: Path) -> Iterator[Keeper]:
    with Archive.create(tmp_path / "archive") as archive:
        yield Keeper(archive)


# -- kinds ---------------------------------------------------------------------------------------------------------


def test_a_first_revision_has_no_kind_and_a_repeated_one_is_none(keep: Keeper) -> None:
    keep(ARTICLE)
    keep(ARTICLE)
    assert keep.changes() == [[]]


def test_kinds_and_words_are_kept_with_the_revision(keep: Keeper) -> None:
    later = When("", NOW + timedelta(hours=2), "offset", "second")
    keep(ARTICLE)
    keep(body("The harbour is open.", "None of 14 ferries sails today.", title="Harbour open", modified=later))
    row = keep.one("SELECT * FROM revisions WHERE revision = 2")
    assert json.loads(row["changes"]) == ["headline", "text", "figures"]
    assert (row["words_added"], row["words_removed"], row["title"]) == (2, 2, "Harbour open")
    flags = keep.one("SELECT title_changed, body_changed FROM revision WHERE n = 2")
    assert flags == {"title_changed": 1, "body_changed": 1}


def test_statements_of_the_latest_readings_are_compared(keep: Keeper) -> None:
    def said(*texts: str) -> tuple[Quote, ...]:
        return tuple(Quote("Ada", None, "person", None, None, "said", text, ((0, 1),), "direct", 1.0) for text in texts)

    one, two = "The wind is far too strong for us.", "Nobody may leave before the morning comes."
    keep(body(f"Ada said: {one}", quotes=()))
    keep(body(f"Ada said: {one}", quotes=said(one), parser_version="2"))
    keep(body(f"Ada said: {two}", quotes=said(two), parser_version="2"))
    assert keep.changes() == [[], ["text", "quote_added", "quote_removed", "silent"]]


def test_an_edit_without_a_new_date_is_silent(keep: Keeper) -> None:
    keep(ARTICLE)
    keep(body("The harbour is shut.", "None of 12 ferries sails today."))
    keep(body("The harbour is shut.", "None of 12 ferries leaves.", modified=When("", keep.at, "offset", "second")))
    keep(body("The harbour is shut.", "None of 12 ferries leaves.", teaser="A storm"))
    assert keep.changes() == [[], ["text", "silent"], ["text"], ["teaser"]]


def test_a_text_that_comes_back_is_reverted_but_not_to_the_one_before(keep: Keeper) -> None:
    for title in ("One", "Two", "One", "Three", "Two"):
        keep(replace(ARTICLE, title=title))
    assert keep.changes() == [[], ["headline"], ["headline", "reverted"], ["headline"], ["headline", "reverted"]]


# -- withdrawals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", ["gone", "soft_404"])
def test_a_story_that_is_gone_keeps_its_last_text(keep: Keeper, verdict: str) -> None:
    keep(ARTICLE)
    assert keep.gone(verdict=verdict)
    assert keep.changes() == [[], ["withdrawn"]]
    row = keep.one("SELECT title, body, revisions, last_seen, withdrawn FROM articles")
    assert (row["title"], row["body"], row["revisions"]) == (ARTICLE.title, ARTICLE.body, 1)
    assert (row["last_seen"], row["withdrawn"]) == ("2026-03-01T07:00:00.000Z", "2026-03-01T08:00:00.000Z")
    assert keep.one("SELECT title FROM revisions WHERE revision = 2") == {"title": None}
    assert [row["title"] for row in keep.archive.search("harbour")] == [ARTICLE.title]


def test_it_is_withdrawn_once_while_it_stays_gone(keep: Keeper) -> None:
    keep(ARTICLE)
    assert [keep.gone(), keep.gone(), keep.gone(verdict="soft_404")] == [True, False, False]
    keep.archive.seen_again(URL, now=keep.at)
    row = keep.one("SELECT last_seen, withdrawn FROM article")
    assert row == {"last_seen": "2026-03-01T07:00:00.000Z", "withdrawn": "2026-03-01T08:00:00.000Z"}


def test_it_comes_back_as_it_was(keep: Keeper) -> None:
    keep(ARTICLE)
    keep.gone()
    back = keep(ARTICLE)
    assert (back.new_article, back.new_revision) == (False, True)
    assert keep.changes() == [[], ["withdrawn"], ["reverted"]]
    row = keep.one("SELECT title, revisions, withdrawn, last_seen FROM articles")
    assert row == {"title": ARTICLE.title, "revisions": 3, "withdrawn": None, "last_seen": "2026-03-01T09:00:00.000Z"}
    assert list(keep.archive.db.query("SELECT * FROM headline_changes")) == []
    keep(ARTICLE)
    assert len(keep.changes()) == 3
    assert keep.gone()
    assert keep.one("SELECT withdrawn FROM article") == {"withdrawn": "2026-03-01T11:00:00.000Z"}


def test_it_comes_back_changed(keep: Keeper) -> None:
    keep(ARTICLE)
    keep.gone()
    keep(replace(ARTICLE, title="Harbour open"))
    assert keep.changes() == [[], ["withdrawn"], ["headline"]]
    row = keep.one("SELECT old_title, new_title, revision FROM headline_changes")
    assert row == {"old_title": "Harbour closed", "new_title": "Harbour open", "revision": 3}


def test_an_address_of_no_story_is_not_withdrawn(keep: Keeper) -> None:
    keep(ARTICLE)
    assert not keep.gone("https://example.org/never-seen")
    assert keep.changes() == [[]]


def test_another_address_of_the_story_may_die(keep: Keeper) -> None:
    keep(ARTICLE, asked=ALIAS)
    keep(ARTICLE)
    assert not keep.gone(ALIAS)
    assert keep.gone()
    keep(ARTICLE, asked=ALIAS)
    assert keep.gone(ALIAS)


def test_an_old_capture_read_again_withdraws_nothing(keep: Keeper) -> None:
    keep(ARTICLE)
    gone = keep.capture("gone", status=404)
    assert keep.archive.withdrawn(gone)
    keep(ARTICLE)
    assert not keep.archive.withdrawn(gone)
    assert keep.one("SELECT withdrawn FROM article") == {"withdrawn": None}


def test_a_run_says_what_was_withdrawn(keep: Keeper) -> None:
    keep(ARTICLE)
    keep.run = keep.archive.start_run(now=NOW, version="1", command="crawl", settings="{}")
    keep.gone()
    (row,) = keep.archive.changes(run=keep.run)
    assert (row["what"], row["title"], row["changes"]) == ("withdrawn", ARTICLE.title, ["withdrawn"])


@pytest.mark.parametrize(
    ("asked", "given", "front"),
    [
        (URL, "https://example.org/", True),
        (URL, "https://www.example.org/", True),
        (URL, "https://example.org/news/", True),  # a front that was kept
        (URL, "https://example.org/business/", False),
        (URL, "https://example.org/?s=harbour", False),
        (URL, "https://consent.example.org/", False),
        (URL, "https://example.org/2026/03/01/harbour-2", False),
        (URL, URL, False),
        ("https://example.org/", "https://www.example.org/", False),
    ],
)
def test_where_an_address_leads(keep: Keeper, asked: str, given: str, front: bool) -> None:
    visit = keep.capture("front", "https://example.org/news/", kind="front")
    keep.archive.keep_front(
        visit, "https://example.org/news/", [], site=keep.site, kind="front", title="News", now=keep.at
    )
    assert keep.archive.leads_to_front(keep.capture("front", asked, given)) is front


# -- diff ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def told(keep: Keeper) -> Keeper:
    """A story of four revisions: another headline, other words, gone, back."""
    keep(ARTICLE, asked=ALIAS)
    keep(replace(ARTICLE, title="Harbour open"))
    keep(body("The harbour is open.", "None of 12 ferries sails today.", title="Harbour open"))
    keep.gone()
    keep(ARTICLE)
    return keep


def test_the_last_two_by_default(told: Keeper) -> None:
    (row,) = told.archive.diff(URL)
    assert (row["from"], row["to"], row["changes"]) == (4, 5, ["headline", "text", "silent", "reverted"])
    assert (row["from_at"], row["to_at"]) == ("2026-03-01T10:00:00.000Z", "2026-03-01T11:00:00.000Z")
    assert row["title"] == [
        {"op": "equal", "text": "Harbour "},
        {"op": "delete", "text": "open"},
        {"op": "insert", "text": "closed"},
    ]
    stored = told.one("SELECT words_added, words_removed FROM revision WHERE n = 5")
    assert stored == {"words_added": 1, "words_removed": 1} == {key: row[key] for key in stored}


def test_every_step_and_its_stored_numbers(told: Keeper) -> None:
    rows = told.archive.diff(URL, every=True)
    assert [(row["from"], row["to"]) for row in rows] == [(1, 2), (2, 3), (3, 4), (4, 5)]
    assert [row["changes"] for row in rows] == told.changes()[1:]
    stored = told.archive.db.query("SELECT words_added, words_removed FROM revision WHERE n > 1 ORDER BY n")
    assert [(row["words_added"], row["words_removed"]) for row in rows] == [tuple(row.values()) for row in stored]
    gone = rows[2]
    assert {op["op"] for field in ("title", "teaser", "body") for op in gone[field]} == {"equal"}


def test_any_two(told: Keeper) -> None:
    (row,) = told.archive.diff(URL, start=1, end=3)
    assert (row["url"], row["changes"]) == (URL, ["headline", "text", "silent"])
    assert [op["text"] for op in row["body"] if op["op"] != "equal"] == ["closed", "open"]
    assert "".join(op["text"] for op in row["body"] if op["op"] != "delete") == (
        "The harbour is open.\nNone of 12 ferries sails today."
    )
    (row,) = told.archive.diff(URL, start=1)
    assert (row["to"], [op["op"] for op in row["body"]]) == (5, ["equal"])
    (row,) = told.archive.diff(URL, end=2)
    assert (row["from"], row["to"]) == (1, 2)
    assert [row["to"] for row in told.archive.diff(URL, start=2, end=4, every=True)] == [3, 4]


@pytest.mark.parametrize("url", [ALIAS, "HTTPS://Example.org:443/?utm_source=x&p=7", f"{URL}#top"])
def test_any_address_of_the_story_will_do(told: Keeper, url: str) -> None:
    assert told.archive.diff(url)[0]["url"] == URL


def test_one_revision_has_no_steps(keep: Keeper) -> None:
    keep(ARTICLE)
    assert keep.archive.diff(URL) == keep.archive.diff(URL, every=True) == []


@pytest.mark.parametrize("numbers", [(0, 1), (1, 1), (3, 2), (1, 6), (6, None), (None, 1), (-1, None)])
def test_numbers_that_are_not_there(told: Keeper, numbers: tuple[int | None, int | None]) -> None:
    with pytest.raises(UsageError, match="no step leads from revision") as caught:
        told.archive.diff(URL, start=numbers[0], end=numbers[1])
    assert "5 revisions" in caught.value.cause


@pytest.mark.parametrize("url", ["https://example.org/other", "", "no address", "http://["])
def test_an_unknown_address(told: Keeper, url: str) -> None:
    with pytest.raises(UsageError) as caught:
        told.archive.diff(url)
    assert url in caught.value.what
    assert "newsmorgue search" in caught.value.next
