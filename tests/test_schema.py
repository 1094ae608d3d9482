"""Tables, views, full text, dictionary and migrations, on real databases."""

import sqlite3
from pathlib import Path

import pytest

from parsers.errors import SchemaTooNew
from storage import dictionary, schema
from storage.archive import Archive

TABLES = set(
    "site run front placement card capture visit alias article revision reading tag article_tag author article_author "
    "person affiliation quote quote_span story story_member frontier host takedown ledger _dictionary".split()
)
VIEWS = set(
    "articles quotes people experts tags stories captures runs revisions headline_changes syndication "
    "front_page_history coverage".split()
)
INTEGRITY = "INSERT INTO text_fts (text_fts, rank) VALUES ('integrity-check', 1)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Archive.create(tmp_path / "archive").close()
    return tmp_path / "archive"


def everything(folder: Path) -> str:
    """The whole database as SQL text, but for what SQLite notes for its planner."""
    db = sqlite3.connect(folder / "archive.db")
    try:
        return "\n".join(line for line in db.iterdump() if "sqlite_stat" not in line and "ANALYZE" not in line)
    finally:
        db.close()


def change(folder: Path, *statements: str) -> None:
    db = sqlite3.connect(folder / "archive.db")
    with db:
        for statement in statements:
            db.execute(statement)
    db.close()


def names(archive: Archive, kind: str) -> set[str]:
    return {row["name"] for row in archive.db.query("select name from sqlite_master where type = ?", [kind])}


def test_every_promised_table_and_view_exists(folder: Path) -> None:
    with Archive.open(folder) as archive:
        assert names(archive, "table") >= TABLES
        assert names(archive, "view") >= VIEWS


def test_every_table_is_strict(folder: Path) -> None:
    with Archive.open(folder) as archive:
        strict = {row["name"]: row["strict"] for row in archive.db.query("PRAGMA table_list")}
    assert not [name for name in TABLES if not strict[name]]


def test_a_value_of_the_wrong_type_is_refused(folder: Path) -> None:
    with Archive.open(folder, write=True) as archive, pytest.raises(sqlite3.IntegrityError, match="TEXT"):
        archive.db.execute("INSERT INTO story (first_seen) VALUES (x'00')")


def test_every_view_can_be_asked(folder: Path) -> None:
    with Archive.open(folder) as archive:
        for view in sorted(VIEWS):
            assert list(archive.db.query(f"SELECT * FROM {view}")) == []


def test_foreign_keys_are_valid_and_enforced(folder: Path) -> None:
    with Archive.open(folder, write=True) as archive:
        assert archive.db.execute("PRAGMA foreign_key_check").fetchall() == []
        targets = {
            row["table"] for table in sorted(TABLES) for row in archive.db.query(f"PRAGMA foreign_key_list({table})")
        }
        assert targets <= TABLES
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
            archive.db.execute("INSERT INTO story_member VALUES (1, 1, 'copy', 1.0)")


def test_the_dictionary_describes_exactly_what_there_is(folder: Path) -> None:
    with Archive.open(folder) as archive:
        described = {(row["object"], row["column"]): row for row in archive.db.query("SELECT * FROM _dictionary")}
        kinds = {
            row["name"]: row["type"]
            for row in archive.db.query("SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view')")
            if not row["name"].startswith(("sqlite_", "_sqlite_", "text_fts"))
        }
        real = {(name, "") for name in kinds} | {
            (name, column["name"]) for name in kinds for column in archive.db.query(f"PRAGMA table_info({name})")
        }
        declared = {
            (name, column["name"]): column["type"]
            for name, kind in kinds.items()
            if kind == "table"
            for column in archive.db.query(f"PRAGMA table_info({name})")
        }
    assert set(described) == real
    assert {name: described[name, ""]["kind"] for name in kinds} == kinds
    assert {key: described[key]["type"] for key in declared} == declared
    assert not [key for key, row in described.items() if not row["meaning"].endswith(".")]


def test_units_that_name_a_key_name_one_that_exists(folder: Path) -> None:
    with Archive.open(folder) as archive:
        known = {f"{row['object']}.{row['column']}" for row in archive.db.query("SELECT * FROM _dictionary")}
    units = {entry.unit for entry in dictionary.entries() if entry.unit.endswith(".id")}
    assert units
    assert units <= known


def test_an_empty_database_is_brought_to_the_current_schema(tmp_path: Path, folder: Path) -> None:
    empty = tmp_path / "empty"
    (empty / "warc").mkdir(parents=True)
    (empty / "archive.db").touch()
    Archive.open(empty, write=True).close()

    def made(at: Path) -> list[str]:
        return [line for line in everything(at).splitlines() if "_sqlite_migrations" not in line]

    assert made(empty) == made(folder)


def test_opening_again_changes_nothing(folder: Path) -> None:
    before = everything(folder)
    for _ in range(2):
        Archive.open(folder, write=True).close()
    assert everything(folder) == before


def test_migrations_are_recorded_once_each(folder: Path) -> None:
    Archive.open(folder, write=True).close()
    with Archive.open(folder) as archive:
        applied = [row["name"] for row in archive.db.query("SELECT name FROM _sqlite_migrations ORDER BY id")]
    assert applied == [migration.name for migration in schema.migrations._migrations]
    assert applied[0] == "0001_first_edition"


@pytest.mark.parametrize("write", [True, False], ids=["writing", "reading"])
def test_a_later_edition_is_refused_and_left_alone(folder: Path, write: bool) -> None:
    change(
        folder, "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('newsmorgue', '9999_x', '')"
    )
    before = everything(folder)
    with pytest.raises(SchemaTooNew, match="9999_x") as caught:
        Archive.open(folder, write=write)
    assert caught.value.exit_code == 2
    assert caught.value.next == "upgrade newsmorgue"
    assert everything(folder) == before


def test_a_refused_archive_is_not_left_locked(folder: Path) -> None:
    change(
        folder, "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('newsmorgue', '9999_x', '')"
    )
    with pytest.raises(SchemaTooNew):
        Archive.open(folder, write=True)
    change(folder, "DELETE FROM _sqlite_migrations WHERE name = '9999_x'")
    Archive.open(folder, write=True).close()


@pytest.mark.parametrize(
    "statements",
    [
        ["UPDATE _dictionary SET meaning = 'Old words.' WHERE object = 'tags'"],
        ["DROP VIEW tags", "CREATE VIEW tags AS SELECT name AS tag FROM tag"],
        ["CREATE VIEW forgotten AS SELECT 1 AS one"],
    ],
    ids=["words", "view", "surplus"],
)
def test_views_and_dictionary_of_an_earlier_edition_are_made_anew(folder: Path, statements: list[str]) -> None:
    Archive.open(folder, write=True).close()
    with Archive.open(folder) as archive:
        before = {row["name"]: row["sql"] for row in archive.db.query("SELECT name, sql FROM sqlite_master")}
        words = list(archive.db.query("SELECT * FROM _dictionary"))
    change(folder, *statements)
    Archive.open(folder, write=True).close()
    with Archive.open(folder) as archive:
        assert {row["name"]: row["sql"] for row in archive.db.query("SELECT name, sql FROM sqlite_master")} == before
        assert list(archive.db.query("SELECT * FROM _dictionary")) == words


# -- full text -------------------------------------------------------------------------------------------------------

READING = (
    "INSERT INTO reading (id, revision_id, capture_id, at, parser_version, latest, title, teaser, description, body, blocks, "
    "captions, sections, words, provenance) VALUES (?, 1, 1, '', '1', ?, ?, ?, '', ?, '[]', '[]', '[]', 0, '{}')"
)


@pytest.fixture
def texts(folder: Path) -> sqlite3.Connection:
    """A database with an older and the latest reading of one revision; foreign keys off."""
    db = sqlite3.connect(folder / "archive.db")
    db.execute(READING, (1, 0, "Harbour closed", "A storm", "Ferries stay in port."))
    db.execute(READING, (2, 1, "Harbour reopened", "Calm", "Ferries sail again."))
    db.execute(
        "INSERT INTO article (id, url, first_seen, last_seen) VALUES (1, 'https://example.org/a', '2026-01-01', '2026-01-01')"
    )
    db.commit()
    return db


def found(db: sqlite3.Connection, word: str) -> list[int]:
    return [row[0] for row in db.execute("SELECT rowid FROM text_fts WHERE text_fts MATCH ? ORDER BY rowid", (word,))]


def index(db: sqlite3.Connection) -> list[tuple[object, ...]]:
    """The stored bytes of the index: equal only if nothing was written to it."""
    return db.execute("SELECT id, block FROM text_fts_data ORDER BY id").fetchall()


def test_only_the_latest_reading_is_indexed(texts: sqlite3.Connection) -> None:
    assert found(texts, "harbour") == [2]
    assert found(texts, "storm") == []
    texts.execute(INTEGRITY)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE reading SET words = 99",
        "UPDATE reading SET section = 'Coast', provenance = '{\"a\": 1}', parser_version = '2'",
        "UPDATE article SET last_seen = '2026-02-02'",
    ],
)
def test_other_columns_leave_the_index_alone(texts: sqlite3.Connection, statement: str) -> None:
    before = index(texts)
    assert texts.execute(statement).rowcount > 0
    texts.commit()
    assert index(texts) == before
    texts.execute(INTEGRITY)


def test_the_index_moves_with_latest(texts: sqlite3.Connection) -> None:
    texts.execute("UPDATE reading SET latest = 0 WHERE id = 2")
    assert found(texts, "harbour") == []
    texts.execute("UPDATE reading SET latest = 1 WHERE id = 1")
    assert found(texts, "harbour") == [1]
    assert found(texts, "storm") == [1]
    assert found(texts, "calm") == []
    texts.execute(INTEGRITY)


def test_the_index_follows_text_and_deletion(texts: sqlite3.Connection) -> None:
    texts.execute("UPDATE reading SET body = 'Buses run.' WHERE id = 2")
    texts.execute("UPDATE reading SET body = 'Trams run.' WHERE id = 1")
    assert found(texts, "buses") == [2]
    assert found(texts, "ferries OR trams") == []
    texts.execute(INTEGRITY)
    texts.execute("DELETE FROM reading")
    assert found(texts, "harbour OR buses") == []
    texts.execute(INTEGRITY)


def test_marks_over_letters_do_not_matter_to_search(texts: sqlite3.Connection) -> None:
    texts.execute("UPDATE reading SET title = 'Café in Łódź' WHERE id = 2")
    assert found(texts, "cafe") == [2]
