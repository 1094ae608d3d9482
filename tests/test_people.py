"""Who is who: quotes with their speakers, and when two names are one person."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from parsers.article import Article, Block, Person, Quote, SpeakerType, When
from parsers.page import Page
from storage.archive import Archive, KeptArticle
from storage.records import Exchange

NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
TEXT = "Ada Example said ferries stay in port. She said the wind will drop."


def said(
    speaker: str = "Ada Example",
    affiliation: str | None = None,
    *,
    role: str | None = None,
    kind: SpeakerType = "person",
) -> Quote:
    return Quote(
        speaker, (0, 11), kind, role, affiliation, "said", "ferries stay in port.", ((17, 38),), "indirect", 0.9
    )


class Keeper:
    """Keeps articles with quotes, a day apart."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.n = 0
        self.run = archive.start_run(now=NOW, version="1", command="crawl", settings="{}")
        self.site = archive.site_id("example", home="https://example.org/", parser=None, timezone=None, now=NOW)

    def __call__(self, *quotes: Quote, people: tuple[Person, ...] = (), **changes: Any) -> KeptArticle:
        self.n += 1
        at = NOW + timedelta(days=self.n)
        url = f"https://example.org/{self.n}"
        answer = Exchange(url, at, b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", url.encode())
        kept = self.archive.keep(
            Page(url, url.encode(), captured=at),
            [answer],
            run=self.run,
            site=self.site,
            kind="story",
            verdict="article",
        )
        values: dict[str, Any] = {
            "title": f"Story {self.n}",
            "blocks": (Block("p", TEXT),),
            "published": When("", at, "offset", "second"),
            "parser_version": "1",
        }
        article = Article(url, url, quotes=quotes, people=people, **{**values, **changes})
        return self.archive.keep_article(kept.capture, article, site=self.site, now=at)

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        return list(self.archive.db.query(sql, values))

    def persons(self) -> list[tuple[str, str | None]]:
        rows = self.archive.db.execute(
            "SELECT p.name, f.name FROM person p LEFT JOIN affiliation f ON f.id = p.affiliation_id ORDER BY p.id"
        )
        return [tuple(row) for row in rows]


@pytest.fixture
def keep(tmp_path: Path) -> Iterator[Keeper]:
    with Archive.create(tmp_path / "archive") as archive:
        yield Keeper(archive)


# -- quotes --------------------------------------------------------------------------------------------------------


def test_a_quote_is_kept_with_its_spans(keep: Keeper) -> None:
    spans = ((17, 38), (48, 67))
    text = " ".join(TEXT[start:end] for start, end in spans)
    quote = Quote(
        "Ada Example", (0, 11), "person", "harbour master", "Port of Example", "said", text, spans, "mixed", 0.75
    )
    keep(quote, people=(Person("Ada Example", "Dr", "harbour master", "Port of Example", "person", 1),))
    assert keep.rows("SELECT * FROM quotes") == [
        {
            "id": 1,
            "speaker": "Ada Example",
            "honorific": "Dr",
            "speaker_type": "person",
            "role": "harbour master",
            "affiliation": "Port of Example",
            "cue": "said",
            "text": text,
            "kind": "mixed",
            "confidence": 0.75,
            "site": "example",
            "section": None,
            "title": "Story 1",
            "url": "https://example.org/1",
            "published_utc": "2026-03-02T06:00:00Z",
            "published_flag": None,
            "article_id": 1,
            "person_id": 1,
        }
    ]
    # Spans count code points of the body, as SQLite's substr does from 1.
    pieces = keep.rows(
        'SELECT substr(r.body, s.start + 1, s."end" - s.start) AS piece FROM quote_span s JOIN quote q ON q.id = s.quote_id '
        "JOIN reading r ON r.id = q.reading_id ORDER BY s.n"
    )
    assert " ".join(row["piece"] for row in pieces) == text
    assert keep.rows("SELECT speaker_start, speaker_end FROM quote") == [{"speaker_start": 0, "speaker_end": 11}]


def test_a_quote_without_a_mention_has_no_span_of_one(keep: Keeper) -> None:
    keep(Quote("Ada Example", None, "person", None, None, "", "x", ((0, 1),), "direct", 0.5))
    assert keep.rows("SELECT speaker_start, speaker_end, cue FROM quote") == [
        {"speaker_start": None, "speaker_end": None, "cue": ""}
    ]


def test_quotes_are_numbered_in_order(keep: Keeper) -> None:
    keep(said(), said("Bo Sample"), said())
    assert [tuple(row.values()) for row in keep.rows("SELECT n, speaker, person_id FROM quote ORDER BY n")] == [
        (1, "Ada Example", 1),
        (2, "Bo Sample", 2),
        (3, "Ada Example", 1),
    ]


def test_the_quotes_of_an_older_reading_do_not_show(keep: Keeper) -> None:
    keep(said(), said("Bo Sample"))
    article = Article("https://example.org/1", "https://example.org/1", quotes=(said(),), parser_version="2")
    keep.archive.keep_article(1, article, site=1, now=NOW)
    assert [row["speaker"] for row in keep.rows("SELECT speaker FROM quotes")] == ["Ada Example"]
    assert [row["person"] for row in keep.rows("SELECT person FROM people")] == ["Ada Example"]
    assert keep.archive.db["quote"].count == 3


# -- who is one person ---------------------------------------------------------------------------------------------


def test_the_same_name_and_affiliation_is_one_person(keep: Keeper) -> None:
    keep(said("Ada Example", "The Port of Example"))
    keep(said("ADA  Example", "Port of  Example"))
    assert keep.persons() == [("Ada Example", "The Port of Example")]
    assert keep.archive.db["affiliation"].count == 1


def test_the_same_name_elsewhere_is_another_person(keep: Keeper) -> None:
    keep(said("Ada Example", "Port of Example"))
    keep(said("Ada Example", "Sample University"))
    keep(said("Ada Example", "Port of Example"))
    assert keep.persons() == [("Ada Example", "Port of Example"), ("Ada Example", "Sample University")]
    assert [row["quotes"] for row in keep.rows("SELECT quotes FROM people ORDER BY id")] == [2, 1]


def test_a_bare_name_joins_the_only_person_of_that_name(keep: Keeper) -> None:
    keep(said("Ada Example", "Port of Example"))
    keep(said("Ada Example"))
    assert keep.persons() == [("Ada Example", "Port of Example")]


def test_an_affiliation_completes_the_only_bare_name(keep: Keeper) -> None:
    keep(said("Ada Example"))
    keep(said("Ada Example", "Port of Example"))
    keep(said("Ada Example"))
    assert keep.persons() == [("Ada Example", "Port of Example")]


def test_a_bare_name_among_several_stays_on_its_own(keep: Keeper) -> None:
    keep(said("Ada Example", "Port of Example"))
    keep(said("Ada Example", "Sample University"))
    keep(said("Ada Example"))
    keep(said("Ada Example"))
    keep(said("Ada Example", "Third House"))
    assert [affiliation for _, affiliation in keep.persons()] == [
        "Port of Example",
        "Sample University",
        None,
        "Third House",
    ]


def test_in_one_article_one_name_is_one_person(keep: Keeper) -> None:
    keep(said("Ada Example"), said("Ada Example", "Port of Example"), said("Ada Example", "Ministry"))
    assert len(keep.persons()) == 1
    affiliations = [row["affiliation"] for row in keep.rows("SELECT affiliation FROM quotes ORDER BY id")]
    assert affiliations == [None, "Port of Example", "Ministry"]


def test_what_the_article_says_of_a_person_counts_for_all_their_quotes(keep: Keeper) -> None:
    keep(said("Ada Example"), people=(Person("Ada Example", None, None, "Port of Example", "person", 1),))
    assert keep.persons() == [("Ada Example", "Port of Example")]


def test_people_organisations_and_descriptions_are_apart(keep: Keeper) -> None:
    keep(said("Example"), said("Example", kind="organisation"), said("Example", kind="described"))
    keep(said("example", "anyone", kind="organisation"))
    rows = keep.rows("SELECT type, quotes FROM people ORDER BY id")
    assert [tuple(row.values()) for row in rows] == [("person", 1), ("organisation", 2), ("described", 1)]


def test_names_are_seen_from_their_first_article_to_their_last(keep: Keeper) -> None:
    keep(said(), published=When("", NOW, "offset", "second"))
    keep(said(), published=When("", NOW - timedelta(days=9), "offset", "second"))
    keep(said(), published=None)
    expected = {"first_seen": "2026-02-20T06:00:00Z", "last_seen": "2026-03-04T06:00:00Z"}
    assert keep.rows("SELECT first_seen, last_seen FROM person") == [expected]


def test_an_honorific_is_kept_once_it_is_known(keep: Keeper) -> None:
    keep(said())
    keep(said(), people=(Person("Ada Example", "Dr", None, None, "person", 1),))
    keep(said(), people=(Person("Ada Example", None, None, None, "person", 1),))
    assert keep.rows("SELECT honorific FROM people") == [{"honorific": "Dr"}]


# -- views ---------------------------------------------------------------------------------------------------------


def test_a_person_is_shown_as_what_they_mostly_are(keep: Keeper) -> None:
    keep(said("Ada Example", "Port of Example", role="spokeswoman"))
    keep(said("Ada Example", "Port of Example", role="harbour master"), said("Ada Example", role="harbour master"))
    row = keep.rows("SELECT * FROM people")[0]
    assert row == {
        "id": 1,
        "person": "Ada Example",
        "honorific": None,
        "type": "person",
        "role": "harbour master",
        "affiliation": "Port of Example",
        "quotes": 3,
        "articles": 2,
        "first_seen": "2026-03-02T06:00:00Z",
        "last_seen": "2026-03-03T06:00:00Z",
    }


def test_experts_are_named_people_with_a_role_or_an_affiliation(keep: Keeper) -> None:
    kept = keep(
        said("Ada Example", role="harbour master"),
        said("Bo Sample", "Sample University"),
        said("Cy Bystander"),
        said("medical experts", role="experts", kind="described"),
        said("Port of Example", "Ministry", kind="organisation"),
    )
    assert [row["person"] for row in keep.rows("SELECT person FROM experts ORDER BY id")] == [
        "Ada Example",
        "Bo Sample",
    ]
    assert keep.archive.db["people"].count == 5
    row = keep.rows("SELECT quotes, experts FROM articles WHERE reading_id = ?", kept.reading)
    assert row == [{"quotes": 5, "experts": 2}]
