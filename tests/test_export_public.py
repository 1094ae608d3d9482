"""`--public`: every byte of every format is searched for what belongs to publishers."""

import csv
import json
import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from conftest import Crawled
from test_export import keep, keep_front, read_jsonl, write

from parsers.article import Card
from storage.archive import Archive
from storage.export import VIEWS, Choice
from storage.export_choice import LEFT_OUT, PUBLIC, TABLES
from storage.export_record import columns

FORMS = ("csv", "jsonl", "parquet", "sqlite")
csv.field_size_limit(10**9)


def words_of(path: Path) -> str:
    """Everything a file says: its values as text, and its bytes as they are."""
    raw = path.read_bytes().decode("utf-8", "replace")
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return raw + "\n".join(cell for row in csv.reader(file) for cell in row)
    if path.suffix == ".jsonl":
        return raw + "\n".join(repr(value) for row in read_jsonl(path) for value in row.values()).replace("\\n", "\n")
    if path.suffix == ".parquet":
        rows = pyarrow.parquet.read_table(path).to_pylist()
        return "\n".join(str(value) for row in rows for value in row.values())
    if path.suffix == ".sqlite":
        return raw + "\n".join(sqlite3.connect(path).iterdump()).replace("''", "'")
    return raw


def said(folder: Path, form: str, out: Path, **choice: Any) -> str:
    """Everything that an export says."""
    where = out / (form if form != "sqlite" else "db.sqlite")
    write(folder, form, where, **choice)
    return "\n".join(words_of(path) for path in (where.iterdir() if where.is_dir() else [where]))


def sentences(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield from (part.strip() for part in re.split(r"(?<=[.!?…”])\s+", line) if len(part.strip()) > 25)


def secrets(crawled: Crawled) -> set[str]:
    """Sentences of bodies, teasers, descriptions, cards and captions; but for titles and for statements that may be quoted."""
    texts: list[str] = []
    for row in crawled.rows("SELECT body, teaser, description, captions FROM reading"):
        texts += [row["body"], row["teaser"], row["description"], *json.loads(row["captions"])]
    texts += [row["teaser"] for row in crawled.rows("SELECT teaser FROM card")]
    allowed = [row["text"] for row in crawled.rows("SELECT text FROM quote WHERE length(text) <= 200")]
    allowed += [row["title"] for row in crawled.rows("SELECT title FROM reading UNION SELECT title FROM card")]
    open_text = "\n".join(allowed)
    return {part for text in texts for part in sentences(text) if part not in open_text}


@pytest.mark.parametrize("form", FORMS)
def test_no_text_of_a_publisher_leaks(crawled: Crawled, tmp_path: Path, form: str) -> None:
    hidden = secrets(crawled)
    assert len(hidden) > 400
    (tmp_path / "whole").mkdir()
    (tmp_path / "public").mkdir()
    whole = said(crawled.folder, form, tmp_path / "whole")
    found = [part for part in hidden if part in whole]
    assert len(found) == len(hidden) if form == "sqlite" else len(found) > 400, "the search would find them"
    public = said(crawled.folder, form, tmp_path / "public", public=True)
    assert not [part for part in hidden if part in public]
    for row in crawled.rows("SELECT title, url FROM articles"):
        assert row["url"] in public
        assert row["title"] in public


@pytest.mark.parametrize("form", FORMS)
def test_long_statements_end_with_an_ellipsis(crawled: Crawled, tmp_path: Path, form: str) -> None:
    long = [row["text"] for row in crawled.rows("SELECT text FROM quotes WHERE length(text) > 200")]
    assert long
    public = said(crawled.folder, form, tmp_path, public=True)
    for text in long:
        assert text not in public
        assert text[:200] not in public
        assert text[:199] + "…" in public
    short = [row["text"] for row in crawled.rows("SELECT text FROM quotes WHERE length(text) BETWEEN 150 AND 200")]
    assert short
    assert all(text in public for text in short)


def test_left_out_columns_are_not_there_and_not_in_the_dictionary(crawled: Crawled, tmp_path: Path) -> None:
    write(crawled.folder, "csv", tmp_path / "out", public=True)
    with (tmp_path / "out" / "articles.csv").open(encoding="utf-8", newline="") as file:
        names = set(csv.DictReader(file).fieldnames or ())
    assert names >= {"id", "url", "title", "published_utc", "tags", "authors", "words"}
    assert not names & {"body", "teaser", "card_teaser", "description", "summary"}
    with (tmp_path / "out" / "dictionary.csv").open(encoding="utf-8", newline="") as file:
        described = {(row["object"], row["column"]) for row in csv.DictReader(file)}
    assert {column for name, column in described if name == "articles"} == names | {""}
    assert "This is a public export" in (tmp_path / "out" / "README.md").read_text("utf-8")
    assert json.loads((tmp_path / "out" / "release.json").read_text("utf-8"))["public"] is True


def test_a_public_sqlite_file_says_what_is_missing_and_still_works(crawled: Crawled, tmp_path: Path) -> None:
    write(crawled.folder, "sqlite", tmp_path / "db", public=True)
    db = sqlite3.connect(tmp_path / "db")
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert db.execute("SELECT DISTINCT body, teaser, description, summary, card_teaser FROM articles").fetchall() == [
        ("",) * 5
    ]
    assert db.execute("SELECT DISTINCT settings FROM run").fetchall() == [("{}",)]
    db.execute("INSERT INTO text_fts (text_fts, rank) VALUES ('integrity-check', 1)")
    db.rollback()
    (word,) = db.execute(
        "SELECT substr(title, 1, instr(title, ' ') - 1) FROM articles WHERE title LIKE '% %'"
    ).fetchone()
    assert db.execute("SELECT count(*) FROM text_fts WHERE text_fts MATCH ?", (word,)).fetchone()[0] >= 1
    meanings = dict(db.execute("SELECT object || '.' || \"column\", meaning FROM _dictionary"))
    for name in ("articles.body", "reading.body", "card.teaser", "front_page_history.teaser", "articles.summary"):
        assert meanings[name].startswith("Left out of this public export. ")
    assert not meanings["quote.text"].startswith("Left out")


def test_cards_that_differ_in_their_teaser_alone_become_one(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    url = "https://odd.example/1"
    with Archive.create(folder) as archive:
        keep(archive, 1, "odd", "Title", 1)
        for day, teaser in ((2, "First undercover"), (3, "Second undercover"), (4, "First undercover")):
            keep_front(archive, "odd", day, [Card(url, "Title", teaser, "News", 1)], f"{day}".encode())
        keep_front(archive, "odd", 5, [Card(url, "Other title", "Third undercover", "News", 1)], b"5")
    for form in FORMS:
        assert "undercover" not in said(folder, form, tmp_path, public=True)
    db = sqlite3.connect(tmp_path / "db.sqlite")
    assert db.execute("SELECT title, first_seen, last_seen FROM card ORDER BY id").fetchall() == [
        ("Title", "2026-03-02T12:00:00.000Z", "2026-03-04T12:00:00.000Z"),
        ("Other title", "2026-03-05T12:00:00.000Z", "2026-03-05T12:00:00.000Z"),
    ]
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    history = db.execute("SELECT title, seen_from FROM front_page_history ORDER BY seen_from").fetchall()
    assert [title for title, _ in history] == ["Title", "Title", "Title", "Other title"]
    assert [row["seen_from"] for row in read_jsonl(tmp_path / "jsonl" / "front_page_history.jsonl")] == [
        at for _, at in history
    ]


def test_a_nul_hides_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    with Archive.create(folder) as archive:
        keep(archive, 1, "odd", "Title", 1)
        archive.db.execute("UPDATE quote SET text = 'short' || char(0) || ?", ("the undercover tail " * 20,))
        archive.db.execute("UPDATE capture SET problem = 'undercover of the page', kept_because = 'undercover of ours'")
    for form in FORMS:
        assert "undercover" not in said(folder, form, tmp_path, public=True)


def test_tombstones_stay_at_home(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    with Archive.create(folder) as archive:
        keep(archive, 1, "odd", "Title", 1)
        archive.db.execute(
            "INSERT INTO takedown (kind, digest, at, reason, decided_by) VALUES ('url', x'00', '2026-01-01', 'undercover', 'undercover')"
        )
    for form in FORMS:
        assert "undercover" not in said(folder, form, tmp_path, public=True)


SEEN = """
    alias.source alias.url article.url affiliation.name affiliation.normalised author.name author.normalised capture.asked
    capture.charset capture.charset_source capture.content_type capture.file capture.kind capture.optouts
    capture.payload_digest capture.title capture.url capture.verdict capture.withheld capture.at_source capture.digest
    card.section card.title card.url front.kind front.title front.url ledger.reason ledger.stage person.honorific
    person.normalised person.type quote.kind quote.speaker_type reading.language reading.layout reading.modified_flag
    reading.modified_precision reading.modified_raw reading.modified_zone_source reading.parser_site reading.parser_version
    reading.published_flag reading.published_precision reading.published_raw reading.published_zone_source reading.section
    reading.sections reading.title revision.changes revision.digest revision.text_digest run.command run.counts run.state
    run.version site.home site.name site.parser site.timezone story_member.kind tag.name tag.normalised visit.file
"""
"""Columns of text or bytes that the public may see as they are: names, addresses, titles, tags, hashes, words of ours."""


def test_every_text_is_left_out_or_may_be_seen(crawled: Crawled) -> None:
    """A new column of text fails this test until someone has decided."""
    found = set()
    for table in set(TABLES) - {"takedown", "failure"}:
        for row in crawled.rows(f"PRAGMA table_info({table})"):
            time = {"UTC", "UTC date"} & {c.unit for c in columns(table, Choice()) if c.column == row["name"]}
            if row["type"] in ("TEXT", "BLOB") and not time:
                found.add(f"{table}.{row['name']}")
    assert found - {".".join(name) for name in PUBLIC} == set(SEEN.split())
    assert {".".join(name) for name in PUBLIC} <= found


def test_every_column_left_out_is_there(crawled: Crawled) -> None:
    for name, gone in LEFT_OUT.items():
        assert name in VIEWS
        assert gone < {row["name"] for row in crawled.rows(f"PRAGMA table_info({name})")}


def test_a_span_and_the_public_go_together(crawled: Crawled, tmp_path: Path) -> None:
    (last,) = crawled.rows("SELECT max(published_utc) AS at FROM articles")
    since = datetime.fromisoformat(last["at"]).astimezone(UTC)
    release = write(
        crawled.folder, "jsonl", tmp_path / "out", public=True, since=since, until=since + timedelta(seconds=1)
    )
    assert release.counts["articles.jsonl"] == 1
