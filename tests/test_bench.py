"""The judging adapters: rows to stdout and nothing else, no gold seen, every record tried. The archive's bench."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent / "bench"
HTML = b"<title>Rain</title><article><h1>Rain</h1><p>" + b"It rained for a week, and nobody minded. " * 20 + b"</p>"


def run(adapter: str, *arguments: str) -> tuple[int, list[dict[str, object]], str]:
    done = subprocess.run([sys.executable, str(BENCH / adapter), *arguments], capture_output=True, text=True)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_a_record_that_fails_is_named_and_the_others_are_tried(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(HTML)
    (tmp_path / "c.html.gz").write_bytes(gzip.compress(HTML))
    names = {"a": "a.html", "b": "missing.html", "c": "c.html.gz"}
    rows = [{"id": key, "html_path": name, "url": "https://x.example/r", "gold": {}} for key, name in names.items()]
    gold = tmp_path / "gold.jsonl.gz"
    gold.write_bytes(gzip.compress("\n".join(json.dumps(row) for row in rows).encode()))
    code, printed, words = run("extract.py", str(gold))
    assert code != 0
    assert "b: FileNotFoundError" in words
    assert [(row["id"], row["title"]) for row in printed] == [("a", "Rain"), ("c", "Rain")]
    assert set(printed[0]) == {"id", "title", "teaser", "body", "authors", "published", "tags"}


def test_every_record_answered_is_exit_code_zero(tmp_path: Path) -> None:
    links = tmp_path / "links.jsonl"
    links.write_text(json.dumps({"id": 1, "url": "https://x.example/2026/03/rain", "text": "Rain", "is_story": 1}))
    code, printed, _ = run("links.py", str(links))
    assert code == 0
    assert [set(row) for row in printed] == [{"id", "is_story"}]
    texts = tmp_path / "texts.jsonl"
    texts.write_text(json.dumps({"id": 1, "text": "“It rained,” Ada Sturm said.", "attributions": [], "people": []}))
    code, printed, words = run("quotes.py", str(texts))
    assert code == 0
    assert [quote["speaker"] for quote in printed[0]["quotes"]] == ["Ada Sturm"]  # type: ignore[attr-defined]
    assert "articles/s" in words


def test_both_ways_of_the_bench_write_the_same_rows() -> None:
    small = ["--articles", "100", "--visits", "50", "--rows", "100", "--warc", "50"]
    done = subprocess.run([sys.executable, str(BENCH / "archive.py"), *small], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "the same rows, row for row: True" in done.stdout
    assert "revisions, readings and full text are as they were: True" in done.stdout
    assert "by content, not there" in done.stdout
    assert "ingest of 50 articles with WARC" in done.stdout


def test_fetching_is_left_out_in_one_line_where_its_tools_are_missing(tmp_path: Path) -> None:
    for folder, words in ((tmp_path / "nowhere", "shared tools are not here"), (tmp_path, "shared tools are not here")):
        done = subprocess.run(
            [sys.executable, str(BENCH / "fetch.py")],
            capture_output=True,
            text=True,
            env={**os.environ, "NEWSMORGUE_SHARED": str(folder)},
        )
        assert (done.returncode, done.stdout.count("\n")) == (0, 1)
        assert words in done.stdout


def test_a_minute_of_fuzz_in_small() -> None:
    done = subprocess.run([sys.executable, str(BENCH / "fuzz.py"), "--seconds", "3"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for outcome in ("whole", "not HTTP", "closed early", "damaged", "broken off", "cut", "unknown"):
        assert outcome in done.stdout


def test_every_story_of_the_judges_portal_is_found(shared: Path) -> None:
    small = ["--hosts", "1", "--articles", "12", "--only", "all"]
    done = subprocess.run([sys.executable, str(BENCH / "portal.py"), *small], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| all | 12 | 0 | 0 | 0 |" in done.stdout
