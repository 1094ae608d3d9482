"""Search, quotes, people, status, verdicts, changes: what the command line asks the archive."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parsers.article import Article, Block, Quote, When
from parsers.errors import UsageError
from parsers.page import Page
from storage.archive import Archive
from storage.questions import match
from storage.records import Exchange

NOW = datetime(2026, 3, 10, 6, 0, tzinfo=UTC)
STORIES = (
    # site, title, teaser, body, day of March or None
    ("example", "Harbour closed", "A storm keeps ferries in port", "The wind is strong. O'Hara's café stays open.", 1),
    ("example", "Ferries sail again", "", "The harbour reopened after the storm.", 5),
    ("other", "Budget passed", "", "The council voted at night. No storm was forecast.", None),
)


def keep(archive: Archive, n: int, site: str, article: Article, verdict: str = "article") -> int:
    at = NOW + timedelta(days=n)
    key = archive.site_id(site, home=f"https://{site}.example/", parser=None, timezone=None, now=at)
    run = archive.start_run(now=at, version="1", command="crawl", settings="{}")
    answer = Exchange(article.url, at, b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", f"{n}".encode())
    page = Page(article.url, f"{n}".encode(), captured=at)
    kept = archive.keep(page, [answer], run=run, site=key, kind="story", verdict=verdict)
    if verdict == "article":
        archive.keep_article(kept.capture, article, site=key, now=at)
    return run


def article(n: int, title: str, teaser: str, body: str, day: int | None, **changes: Any) -> Article:
    url = f"https://example.org/{n}"
    published = When("", datetime(2026, 3, day, tzinfo=UTC), "offset", "second") if day else None
    quote = Quote(["Ada Example", "Bo 100%", "the council"][n % 3], None, "person", ["master", None, None][n % 3], None,
                  "said", "words", ((0, 3),), "indirect", 0.9)  # fmt: skip
    values: dict[str, Any] = {
        "quotes": (quote,),
        "published": published,
        "parser_version": "1",
        "tags": ("Storm",) if n == 0 else (),
    }
    return Article(url, url, title=title, teaser=teaser, blocks=(Block("p", body),), **{**values, **changes})


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    folder = tmp_path_factory.mktemp("questions") / "archive"
    with Archive.create(folder) as writer:
        for n, (site, title, teaser, body, day) in enumerate(STORIES):
            keep(writer, n, site, article(n, title, teaser, body, day))
    with Archive.open(folder) as reader:
        yield reader


def titles(archive: Archive, words: str, **filters: Any) -> list[str]:
    return [row["title"] for row in archive.search(words, **filters)]


# -- search --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("harbour", ["Harbour closed", "Ferries sail again"]),
        ("HARBOUR wind", ["Harbour closed"]),
        ("cafe", ["Harbour closed"]),
        ("o'hara", ["Harbour closed"]),
        ('"harbour reopened"', ["Ferries sail again"]),
        ('"reopened harbour"', []),
        ("reop*", ["Ferries sail again"]),
        ("reop", []),
        ("storm", ["Harbour closed", "Ferries sail again", "Budget passed"]),
        ("council OR harbour", []),
        ("title:harbour", []),
        ("", []),
        ("  ?! ", []),
    ],
)
def test_articles_are_found_by_every_word(archive: Archive, words: str, found: list[str]) -> None:
    assert sorted(titles(archive, words)) == sorted(found)


def test_a_hit_in_the_title_comes_first(archive: Archive) -> None:
    assert titles(archive, "harbour") == ["Harbour closed", "Ferries sail again"]
    assert titles(archive, "ferries") == ["Ferries sail again", "Harbour closed"]


def test_what_a_hit_says(archive: Archive) -> None:
    row = archive.search("reopened")[0]
    assert set(row) == {"title", "url", "site", "section", "published_utc", "published_flag", "snippet", "rank", "id"}
    assert row["snippet"] == "The harbour [reopened] after the storm."
    assert row["rank"] < 0
    assert (row["site"], row["published_utc"]) == ("example", "2026-03-05T00:00:00Z")


def test_filters(archive: Archive) -> None:
    assert titles(archive, "storm", site="other") == ["Budget passed"]
    with pytest.raises(UsageError, match="did you mean 'other'"):
        archive.search("storm", site="othr")
    with pytest.raises(UsageError, match="its sites: example, other"):
        archive.quotes(site="nobody")
    assert len(titles(archive, "storm", limit=2)) == 2
    fifth = datetime(2026, 3, 5, tzinfo=UTC)
    assert titles(archive, "storm", until=fifth) == ["Harbour closed"]
    # Without a date of its own an article counts from when it was first seen (12 March).
    assert set(titles(archive, "storm", since=fifth)) == {"Ferries sail again", "Budget passed"}
    assert titles(archive, "storm", since=datetime(2026, 3, 6, tzinfo=UTC)) == ["Budget passed"]
    assert titles(archive, "storm", since=fifth, until=datetime(2026, 3, 12, tzinfo=UTC)) == ["Ferries sail again"]


def test_a_date_that_cannot_be_right_neither_filters_nor_sorts(tmp_path: Path) -> None:
    with Archive.create(tmp_path / "archive") as archive:
        for n, year in enumerate((2026, 2099, 1970)):
            when = When("", datetime(year, 3, 9, tzinfo=UTC), "offset", "second")
            keep(archive, n, "example", article(n, f"Storm of {year}", "", "B", None, published=when, tags=("Storm",)))
        rows = archive.quotes()
        flags = {row["title"]: row["published_flag"] for row in rows}
        assert flags == {"Storm of 2026": None, "Storm of 2099": "future", "Storm of 1970": "before_1990"}
        assert rows[0]["title"] == "Storm of 2026"
        assert {row["published_flag"] for row in archive.search("storm")} == {None, "future", "before_1990"}
        # They count from when they were first seen: 11 and 12 March.
        assert titles(archive, "storm", until=datetime(2026, 3, 10, tzinfo=UTC)) == ["Storm of 2026"]
        assert titles(archive, "storm", since=datetime(2026, 3, 12, tzinfo=UTC)) == ["Storm of 1970"]
        seen = list(archive.db.query("SELECT first_seen, last_seen FROM people"))
        assert all(row[key].startswith("2026-03-") for row in seen for key in row)
        (row,) = archive.db.query("SELECT first_seen, last_seen FROM tags")
        assert row == {"first_seen": "2026-03-09T00:00:00Z", "last_seen": "2026-03-12T06:00:00.000Z"}
        assert list(archive.db.query("SELECT day, published FROM coverage WHERE published > 0")) == []
        archive.note(1, datetime(2026, 3, 9, tzinfo=UTC).date(), "tried")
        archive.note(1, datetime(2099, 3, 9, tzinfo=UTC).date(), "tried")
        days = {row["day"]: row["published"] for row in archive.db.query("SELECT day, published FROM coverage")}
        assert (days["2026-03-09"], days["2099-03-09"]) == (1, 0)
        (row,) = archive.db.query("SELECT published_utc, published_flag FROM articles WHERE title LIKE '%2099'")
        assert row == {"published_utc": "2099-03-09T00:00:00Z", "published_flag": "future"}
        kept = list(archive.db.query("SELECT first_seen, last_seen FROM person"))
        assert all(row[key].startswith("2026-03-") for row in kept for key in row)


ODD = [
    '"', '""', '"""', '"open', "(", ")", "a AND", "NOT", "NEAR(a b)", "a NEAR b", "*", "**", "a*b*", "-a", "+a", "^a", "a^",
    "title:", "{a b}: c", "a:b", "'", "\\", ";", "--", "%", "_", "\x00", "a\x00b", '"a\x00', "\udc80", "a \ud800", "漢字", "é",
    "🙂", "\u0301", "\n\t", "a" * 5000, '"' * 999, "OR OR", "rank MATCH", "?1",
]  # fmt: skip


@pytest.mark.parametrize("words", ODD, ids=[f"{n}" for n in range(len(ODD))])
def test_odd_searches_are_no_errors(archive: Archive, words: str) -> None:
    assert isinstance(archive.search(words), list)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.one_of(st.text(), st.text(alphabet='"*^(){}:+-ANDORT a\x00\udc80')))
def test_no_search_is_an_error(archive: Archive, words: str) -> None:
    assert isinstance(archive.search(words), list)


@pytest.mark.parametrize(
    ("words", "query"),
    [
        ("one two", '"one" "two"'),
        ('"one two" three', '"one two" "three"'),
        ("one*", '"one"*'),
        ('one"two', '"onetwo"'),
        ("- one", '"one"'),
        ("AND", '"AND"'),
    ],
)
def test_every_term_is_quoted(words: str, query: str) -> None:
    assert match(words) == query


# -- quotes and people ---------------------------------------------------------------------------------------------


def test_quotes_newest_first(archive: Archive) -> None:
    rows = archive.quotes()
    assert [row["speaker"] for row in rows] == ["Bo 100%", "Ada Example", "the council"]
    assert list(rows[0]) == (
        "speaker honorific speaker_type role affiliation cue text kind confidence site section title url "
        "published_utc published_flag".split()
    )


@pytest.mark.parametrize(
    ("speaker", "found"),
    [("ada", 1), ("EXAMPLE", 1), ("%", 1), ("100%", 1), ("_", 0), ("!", 0), ("nobody", 0), ("", 3), (None, 3)],
)
def test_quotes_of_a_speaker(archive: Archive, speaker: str | None, found: int) -> None:
    assert len(archive.quotes(speaker=speaker)) == found


def test_quotes_of_a_site_and_their_limit(archive: Archive) -> None:
    assert [row["speaker"] for row in archive.quotes(site="other")] == ["the council"]
    assert len(archive.quotes(limit=2)) == 2


def test_people_and_experts(archive: Archive) -> None:
    assert [row["person"] for row in archive.people(limit=9)] == ["Ada Example", "Bo 100%", "the council"]
    assert [row["person"] for row in archive.people(limit=9, experts_only=True)] == ["Ada Example"]
    assert len(archive.people(limit=1)) == 1


# -- status --------------------------------------------------------------------------------------------------------


def test_status_says_how_each_site_is(archive: Archive) -> None:
    rows = archive.status(now=NOW)
    keys = "site state cause last_success due queue next_due verdicts failures fill".split()
    assert [list(row) for row in rows] == [keys] * 2
    assert archive.status(now=NOW, names=["other"]) == rows[1:]
    first = rows[0]
    assert (first["site"], first["state"], first["last_success"]) == ("example", "ok", "2026-03-11T06:00:00.000Z")
    assert (first["due"], first["queue"], first["next_due"]) == (0, 0, None)
    assert (first["verdicts"], first["failures"]) == ({"article": 2}, {})
    assert archive.status(now=NOW + timedelta(days=8), names=["example"])[0]["verdicts"] == {"article": 1}
    assert first["fill"] == {
        "title": 1.0,
        "teaser": 0.5,
        "body": 1.0,
        "published": 1.0,
        "section": 0.0,
        "authors": 0.0,
        "tags": 0.5,
        "quotes": 1.0,
    }


def test_status_of_sites_that_wait_fail_or_are_held(tmp_path: Path) -> None:
    front = "https://example.org/"
    with Archive.create(tmp_path / "archive") as archive:
        assert archive.status(now=NOW) == []
        site = archive.site_id("example", home=front, parser=None, timezone=None, now=NOW)
        run = archive.start_run(now=NOW, version="1", command="crawl", settings="{}")

        def one() -> dict[str, Any]:
            return archive.status(now=NOW)[0]

        archive.frontier.add(front, site=site, kind="front", now=NOW, priority=2)
        archive.frontier.add(f"{front}1", site=site, kind="story", now=NOW + timedelta(hours=1))
        never = {
            "site": "example",
            "state": "never",
            "last_success": None,
            "due": 1,
            "queue": 2,
            "next_due": "2026-03-10T06:00:00.000Z",
            "verdicts": {},
            "failures": {},
            "fill": {},
            "cause": "",
        }
        assert one() == never
        answer = Exchange(front, NOW, b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 503 Busy\r\n\r\n", b"busy")
        archive.keep(Page(front, b"busy", status=503), [answer], run=run, site=site, kind="front", verdict="error")
        assert one() == never | {"verdicts": {"error": 1}}
        answer = Exchange(front, NOW, b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"front")
        archive.keep(Page(front, b"front"), [answer], run=run, site=site, kind="front", verdict="front")
        assert one()["state"] == "ok"
        for n in range(3):
            assert one()["state"] == "ok"
            (shard,) = archive.frontier.shards([site])
            entry = archive.frontier.take(shard, NOW + timedelta(days=n), kinds=["front"])
            assert entry is not None
            archive.frontier.failed(entry, outcome="x", status=None, retry=NOW + timedelta(days=n + 1))
        assert one()["state"] == "failing"
        archive.frontier.hold("https://example.org/", until=NOW + timedelta(hours=1), reason="429", now=NOW)
        assert (one()["state"], one()["cause"]) == ("held", "429")
        assert archive.status(now=NOW + timedelta(hours=2))[0]["state"] == "failing"
        assert one()["last_success"] == "2026-03-10T06:00:00.000Z"


def test_captures_by_verdict(tmp_path: Path) -> None:
    with Archive.create(tmp_path / "archive") as archive:
        for n, verdict in enumerate(("article", "article", "gone")):
            keep(archive, n, "example", article(n, "T", "", "B", None), verdict)
        archive.db.execute("UPDATE capture SET verdict = NULL WHERE verdict = 'gone'")
        assert archive.verdicts() == [
            {"verdict": "article", "captures": 2, "addresses": 2},
            {"verdict": "unread", "captures": 1, "addresses": 1},
        ]
        archive.db.execute("UPDATE capture SET kind = 'robots'")
        assert archive.verdicts() == []


def test_what_a_run_found(tmp_path: Path) -> None:
    with Archive.create(tmp_path / "archive") as archive:
        runs = [
            keep(archive, n, "example", article(0, title, teaser, "Body", None))
            for n, (title, teaser) in enumerate(
                [("One", ""), ("Two", ""), ("Two", "New teaser"), ("Two", "New teaser")]
            )
        ]
        found = [archive.changes(run=run) for run in runs]
    url = "https://example.org/0"
    same = {"url": url, "words_added": 0, "words_removed": 0}
    assert found == [
        [{"what": "new", "title": "One", "before": None, "changes": [], **same}],
        [{"what": "headline", "title": "Two", "before": "One", "changes": ["headline"], **same}],
        [{"what": "text", "title": "Two", "before": None, "changes": ["teaser"], **same}],
        [],
    ]


def test_questions_hold_no_values_in_their_sql() -> None:
    text = (Path(__file__).resolve().parent.parent / "storage" / "questions.py").read_text("utf-8")
    assert not re.search(r'execute\(\s*f"', text)
