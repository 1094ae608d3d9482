"""Archives of every released edition open in this one, and lose nothing."""

import sqlite3
import tarfile
from pathlib import Path

import pytest

from storage import schema
from storage.archive import Archive

STORED = sorted((Path(__file__).resolve().parent.parent / "fixtures" / "archives").glob("*.tar.xz"))


@pytest.fixture(params=STORED, ids=lambda path: path.name)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    with tarfile.open(request.param) as packed:
        packed.extractall(tmp_path, filter="data")
    return tmp_path / "archive"


def rows(folder: Path) -> dict[str, list[dict[str, object]]]:
    """Every row of every table of data, by table."""
    db = sqlite3.connect(folder / "archive.db")
    db.row_factory = sqlite3.Row
    names = [
        name
        for (name,) in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_%' ESCAPE '\\' "
            "AND name NOT LIKE 'text\\_fts%' ESCAPE '\\'"
        )
    ]
    found = {name: [dict(row) for row in db.execute(f"SELECT * FROM {name}")] for name in names}
    db.close()
    return found


def test_there_is_one_for_every_change_of_the_schema_but_the_last() -> None:
    assert len(STORED) >= len(schema.migrations._migrations) - 1


def test_it_opens_and_every_value_is_still_there(old: Path) -> None:
    before = rows(old)
    assert len(before["article"]) >= 5
    assert len(before["visit"]) > len(before["capture"])
    with Archive.open(old, write=True) as archive:
        assert archive.recovered == []
        for capture, page in archive.pages():
            assert page.body, capture
        assert archive.db.execute("PRAGMA foreign_key_check").fetchall() == []
    after = rows(old)
    for table, values in before.items():
        kept = [{key: row[key] for key in values[0]} for row in after[table]] if values else after[table]
        assert kept == values, table


def test_it_can_be_asked_after_the_change(old: Path) -> None:
    Archive.open(old, write=True).close()
    with Archive.open(old) as archive:
        assert archive.search("the")
        assert archive.people(limit=5, experts_only=True)
        for view in ("articles", "revisions", "coverage", "captures", "front_page_history"):
            assert list(archive.db.query(f"SELECT * FROM {view}")), view
