"""Every query of docs/queries.md runs on a crawled archive as it stands, and finds something."""

import gzip
import re
from typing import Any

import pytest
from conftest import ROOT, Crawled

PAGE = (ROOT / "docs" / "queries.md").read_text("utf-8")
BLOCKS = re.findall(r"```sql\n(.+?)```", PAGE, re.DOTALL)


def name(sql: str) -> str:
    """The view or table that a query asks in the end."""
    return re.findall(r"^FROM (\w+)", sql, re.MULTILINE)[-1]


@pytest.mark.parametrize("sql", BLOCKS, ids=[f"{n}-{name(sql)}" for n, sql in enumerate(BLOCKS, 1)])
def test_a_query_finds_something(crawled: Crawled, sql: str) -> None:
    rows = crawled.rows(sql)
    assert rows
    assert len(set(rows[0].keys())) == len(rows[0].keys())


def test_every_query_has_words_before_it() -> None:
    assert len(BLOCKS) >= 10
    parts = PAGE.split("```sql\n")
    for part in parts[:-1]:
        words = part.rsplit("```", 1)[-1].strip().rsplit("\n\n", 1)[-1]
        assert words.endswith("."), words
        assert not words.startswith("#")


def only(crawled: Crawled, view: str) -> list[dict[str, Any]]:
    """The rows of the one query that asks `view` first."""
    (sql,) = [block for block in BLOCKS if re.search(rf"^FROM {view}\b", block, re.MULTILINE)]
    return [dict(row) for row in crawled.rows(sql)]


def test_shares_lie_between_nothing_and_all(crawled: Crawled) -> None:
    for row in only(crawled, "quotes"):
        assert row["direct"] + row["mixed"] + row["indirect"] == pytest.approx(1, abs=0.002)
    for row in only(crawled, "coverage"):
        assert all(0 <= row[share] <= 1 for share in ("got_of_tried", "failed_of_tried") if row[share] is not None)


def test_nobody_is_quoted_beside_themselves(crawled: Crawled) -> None:
    pairs = only(crawled, "voice a")
    assert not [row for row in pairs if row["person"] == row["beside"]]


def test_the_place_of_a_capture_is_its_record(crawled: Crawled) -> None:
    rows = only(crawled, "captures c")
    assert len(rows) > 1, "an article that changed has more than one capture"
    for row in rows:
        data = (crawled.folder / "warc" / row["file"]).read_bytes()
        begin, length = row["offset"], row["length"]
        assert gzip.decompress(data[begin : begin + length]).startswith(b"WARC/1.1\r\n")
