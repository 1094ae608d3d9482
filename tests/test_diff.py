"""The verb `diff`: words for people, ops for programs, errors that lead on."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Crawled

from parsers.article import Article, Block
from parsers.page import Page
from scraper.settings import FILE
from storage.archive import Archive
from storage.captures import Exchange
from tests.test_cli import run

NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
URL = "https://example.org/harbour"
SENTENCE = "Nobody knows how long the storm will last or when the next ship may leave the harbour of the old town."


def corrected(crawled: Crawled) -> str:
    """The story that the Lantern corrects."""
    (row,) = crawled.rows("SELECT url FROM articles WHERE revisions > 1 AND site = ?", crawled.portal.name)
    return str(row["url"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An archive with one story of three revisions, the last of them hostile, and one that never changed."""
    folder = tmp_path / "archive"
    texts = [
        ("Closed", ["First of all.", SENTENCE, "It has 12 boats.", SENTENCE, "Last of all."]),
        ("Closed", ["First of all.", SENTENCE, "It has 14 boats.", SENTENCE, "Last of all."]),
        ("Open\x1b[2J", ["First of all.", SENTENCE, "It has 14 \x1b[31mships\x07.", SENTENCE, "Last of all."]),
    ]
    with Archive.create(folder) as archive:
        (folder / FILE).write_text("[crawl]\n", "utf-8")
        site = archive.site_id("example", home="https://example.org/", parser=None, timezone=None, now=NOW)
        run_id = archive.start_run(now=NOW, version="1", command="crawl", settings="{}")
        for n, (title, paragraphs) in enumerate([*texts, ("Alone", ["One text."])]):
            at = NOW + timedelta(hours=n)
            url = URL if title != "Alone" else f"{URL}/alone"
            answer = Exchange(url, at, b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", f"{n}".encode())
            page = Page(url, f"{n}".encode(), captured=at)
            kept = archive.keep(page, [answer], run=run_id, site=site, kind="story", verdict="article")
            article = Article(url, url, title=title, blocks=tuple(Block("p", text) for text in paragraphs))
            archive.keep_article(kept.capture, replace(article, parser_version="1"), site=site, now=at)
    return folder


def test_the_demos_correction_word_for_word(crawled: Crawled) -> None:
    url = corrected(crawled)
    done = run("diff", url, "--archive", str(crawled.folder))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(url + "\nrevision 1 of 2026-11-23T06:00:0")
    assert "headline, text, figures, correction; +39 -1 words in the body" in done.stdout
    assert "[-Almost Half-]{+A Third+} of New Cafés" in done.stdout
    assert "in 2024, [-47-]{+34+} percent had closed" in done.stdout
    assert "\n{+Correction: An earlier version of this story" in done.stdout
    assert "teaser" not in done.stdout, "it did not change"
    assert done.stdout.count(" ... ") >= 1, "what stayed the same is cut"
    assert "People laugh" not in done.stdout
    assert "\x1b" not in done.stdout, "no colours where nobody looks"


def test_json_holds_the_newer_text(crawled: Crawled) -> None:
    url = corrected(crawled)
    done = run("diff", url, "--json", "--archive", str(crawled.folder))
    value = json.loads(done.stdout)
    assert list(value) == ["schema", "diffs"]
    (row,) = value["diffs"]
    keys = "url from to from_at to_at changes words_added words_removed title teaser body"
    assert list(row) == keys.split()
    assert (value["schema"], row["url"], row["from"], row["to"]) == (1, url, 1, 2)
    assert row["changes"] == ["headline", "text", "figures", "correction"]
    now = crawled.rows("SELECT title, body FROM articles WHERE url = ?", url)[0]
    for field in ("title", "body"):
        assert "".join(op["text"] for op in row[field] if op["op"] != "delete") == now[field]
        assert {op["op"] for op in row[field]} == {"equal", "delete", "insert"}
    lines = run("diff", url, "--jsonl", "--archive", str(crawled.folder)).stdout.splitlines()
    assert [json.loads(line) for line in lines] == [row]
    stored = crawled.rows(
        "SELECT changes, words_added, words_removed FROM revisions WHERE url = ? AND revision = 2", url
    )[0]
    assert (json.loads(stored["changes"]), stored["words_added"], stored["words_removed"]) == (row["changes"], 39, 1)


def test_another_address_of_the_story(crawled: Crawled) -> None:
    row = crawled.rows(
        "SELECT l.url, a.url AS own FROM alias l JOIN article a ON a.id = l.article_id WHERE l.url <> a.url"
    )[0]
    done = run("diff", row["url"], "--json", "--archive", str(crawled.folder))
    assert json.loads(done.stdout) == {"schema": 1, "diffs": []}
    assert "one revision" in done.stderr


def test_steps_and_numbers(folder: Path) -> None:
    def asked(*flags: str) -> list[tuple[int, int]]:
        done = run("diff", URL, *flags, "--jsonl", "--archive", str(folder))
        assert done.returncode == 0, done.stderr
        return [(row["from"], row["to"]) for row in map(json.loads, done.stdout.splitlines())]

    assert asked() == [(2, 3)]
    assert asked("--all") == [(1, 2), (2, 3)]
    assert asked("--from", "1") == [(1, 3)]
    assert asked("--to", "2") == [(1, 2)]
    shown = run("diff", URL, "--all", "--archive", str(folder)).stdout
    assert shown.count("revision ") == 2
    assert "It has [-12-]{+14+} boats" in shown


def test_hostile_text_cannot_drive_the_terminal(folder: Path) -> None:
    done = run("diff", URL, "--archive", str(folder))
    assert "[-boats-]{+\ufffd[31mships\ufffd+}." in done.stdout
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", done.stdout)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["https://example.org/nowhere"], "https://example.org/nowhere"),
        (["nonsense"], "no story is kept from nonsense"),
        ([URL, "--from", "7"], "no step leads from revision 7 to 3"),
        ([URL, "--from", "2", "--to", "2"], "it has 3 revisions"),
        ([f"{URL}/alone", "--to", "2"], "it has 1 revision,"),
    ],
)
def test_what_is_not_there_is_an_error_that_leads_on(folder: Path, arguments: list[str], words: str) -> None:
    done = run("diff", *arguments, "--archive", str(folder))
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "next: newsmorgue " in done.stderr


def test_asking_changes_nothing(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    run("diff", URL, "--archive", str(folder))
    after = {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }
    assert after == before
