"""The archive made anew from its WARC files: the same, row for row."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from conftest import Crawled

from scraper.rebuild import rebuild
from scraper.settings import load

SKIPPED = ("frontier", "host", "text_fts", "sqlite_", "_")


def tables(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table of content."""
    db = sqlite3.connect(f"file:{folder / 'archive.db'}?mode=ro", uri=True)
    names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in names if not name.startswith(SKIPPED)}
    db.close()
    return found


@pytest.fixture
def copy(crawled: Crawled, tmp_path: Path) -> Path:
    shutil.copytree(crawled.folder, tmp_path / "copy")
    return tmp_path / "copy"


def test_the_same_archive_row_for_row(copy: Path) -> None:
    before = tables(copy)
    assert len(before["article"]) > 40
    done = rebuild(copy, load(copy, environ={}))
    assert (done.said, done.articles) == ([], len(before["article"]))
    after = tables(copy)
    assert list(after) == list(before)
    for name, rows in before.items():
        assert after[name] == rows, name
