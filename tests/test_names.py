"""The memory of names: it may make keeping faster, and never changes what is kept."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers.article import Article, Block, Quote
from parsers.errors import ArchiveError
from parsers.page import Page
from storage import articles, names
from storage.archive import Archive
from storage.captures import Exchange

NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


def article(n: int, *tags: str, authors: tuple[str, ...] = (), affiliation: str | None = None) -> Article:
    url = f"https://example.org/{n}"
    said = Quote("Ada Example", None, "person", None, affiliation, "said", "Body", ((0, 4),), "direct", 0.9)
    return Article(
        url, url, title=f"Title {n}", blocks=(Block("p", f"Body {n}"),), tags=tags, authors=authors, quotes=(said,)
    )


class Keeper:
    """Keeps articles that come from captures of their own."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.run = archive.start_run(now=NOW, version="1", command="crawl", settings="{}")

    def capture(self, kept: Article) -> int:
        answer = Exchange(kept.url, NOW, b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", kept.url.encode())
        page = Page(kept.url, kept.url.encode(), captured=NOW)
        return self.archive.keep(page, [answer], run=self.run, site=None, kind="story", verdict="article").capture

    def __call__(self, kept: Article) -> None:
        with self.archive.transaction():
            self.archive.keep_article(self.capture(kept), kept, site=None, now=NOW)

    def shown(self) -> dict[str, tuple[str | None, str | None]]:
        return {
            row["url"].rsplit("/", 1)[1]: (row["tags"], row["authors"])
            for row in self.archive.db.query("SELECT url, tags, authors FROM articles")
        }


@pytest.fixture
def keep(tmp_path: Path) -> Iterator[Keeper]:
    with Archive.create(tmp_path / "archive") as archive:
        yield Keeper(archive)


def keys(conn: sqlite3.Connection, table: names.Table, *found: str) -> list[int]:
    return [names.key(conn, table, name) for name in found]


def undone(keep: Keeper, *kept: Article, full: bool = False) -> None:
    """Keep articles in a transaction that fails; `full`: as SQLite does on a full disk, where it rolls back by itself."""

    def fail() -> None:
        with keep.archive.transaction():
            for one in kept:
                keep(one)
            if full:
                keep.archive.db.conn.execute("ROLLBACK")
            raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(ArchiveError, match="disk is full"):
        fail()


def test_names_of_a_transaction_that_was_undone_are_new_again(keep: Keeper) -> None:
    undone(keep, article(1, "Storm", "Ferries", authors=("Ana Example",), affiliation="Port of Example"))
    # These get the keys that the undone names had.
    keep(article(2, "Wind", "Rain", authors=("Bo Sample",), affiliation="Sample University"))
    keep(article(3, "Ferries", "Storm", authors=("Ana Example",), affiliation="Port of Example"))
    assert keep.shown() == {"2": ("Wind; Rain", "Bo Sample"), "3": ("Ferries; Storm", "Ana Example")}
    affiliations = keep.archive.db.execute("SELECT affiliation FROM quotes ORDER BY id").fetchall()
    assert affiliations == [("Sample University",), ("Port of Example",)]


def test_names_known_before_outlive_a_transaction_that_was_undone(keep: Keeper) -> None:
    keep(article(1, "Storm"))
    undone(keep, article(2, "Storm", "Wind"))
    keep(article(3, "Wind", "Storm"))
    assert keep.shown() == {"1": ("Storm", None), "3": ("Wind; Storm", None)}
    assert keep.archive.db["tag"].count == 2


def test_names_of_a_transaction_that_sqlite_undid_are_new_again(keep: Keeper) -> None:
    undone(keep, article(1, "Storm"), full=True)
    keep(article(2, "Wind"))
    keep(article(3, "Storm"))
    assert keep.shown() == {"2": ("Wind", None), "3": ("Storm", None)}


@pytest.mark.parametrize("table", ["tag", "author", "affiliation"])
def test_a_name_that_was_deleted_is_new_again(keep: Keeper, table: names.Table) -> None:
    conn = keep.archive.db.conn
    with keep.archive.transaction():
        assert keys(conn, table, "Storm", "Wind") == [1, 2]
    conn.execute(f"DELETE FROM {table} WHERE name = 'Wind'")
    with keep.archive.transaction():
        assert keys(conn, table, "Rain", "Wind", "Storm") == [2, 3, 1]
    assert conn.execute(f"SELECT name FROM {table} ORDER BY id").fetchall() == [("Storm",), ("Rain",), ("Wind",)]


def test_a_name_is_looked_up_once(keep: Keeper) -> None:
    conn = keep.archive.db.conn
    asked: list[str] = []
    conn.set_trace_callback(asked.append)
    for _ in range(3):
        assert keys(conn, "tag", "Storm", "STORM ") == [1, 1]
    conn.set_trace_callback(None)
    assert [sql.split()[0] for sql in asked] == ["SELECT", "INSERT", "SELECT"]


def test_what_is_remembered_has_a_bound(keep: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "MOST", 10)
    conn = keep.archive.db.conn
    assert isinstance(conn, names.Connection)
    many = [f"name {n}" for n in range(25)]
    assert keys(conn, "tag", *many, "x" * (names.LONGEST + 1)) == list(range(1, 27))
    assert conn.known is not None
    assert len(conn.known) == 5
    assert keys(conn, "tag", *many) == list(range(1, 26))


words = st.sampled_from(
    ["Storm", "storm", "Wind", "The Wind", "Port of Example", "Ana Example", "ana  example", "x" * 150]
)
kept = st.tuples(st.lists(words, max_size=4), st.lists(words, max_size=2), st.one_of(st.none(), words))
groups = st.lists(st.tuples(st.lists(kept, min_size=1, max_size=3), st.booleans()), max_size=5)


@settings(max_examples=10, deadline=None)
@given(groups)
def test_an_archive_that_remembers_keeps_what_one_that_looks_up_keeps(
    tmp_path_factory: pytest.TempPathFactory, plan: list[tuple[list[tuple[list[str], list[str], str | None]], bool]]
) -> None:
    folder = tmp_path_factory.mktemp("names")
    number = 0
    with Archive.create(folder / "a") as archive:
        keep = Keeper(archive)
        found = []
        for group, commits in plan:
            texts = []
            for tags, authors, affiliation in group:
                number += 1
                texts.append(article(number, *tags, authors=tuple(authors), affiliation=affiliation))
            if commits:
                with archive.transaction():
                    for one in texts:
                        found.append((keep.capture(one), one))
                        archive.keep_article(found[-1][0], one, site=None, now=NOW)
            else:
                undone(keep, *texts)
        remembered = dump(archive.db.conn)
        # The same captures, read through a connection that remembers nothing.
        with closing(sqlite3.connect(folder / "b.db", isolation_level=None)) as plain:
            archive.db.conn.backup(plain)
            for table in ("quote_span", "quote", "article_tag", "article_author", "reading", "revision", "alias", "article", "tag",
                          "author", "affiliation", "person"):  # fmt: skip
                plain.execute(f"DELETE FROM {table}")
            for capture, one in found:
                articles.keep(plain, capture, one, site=None, now=NOW)
            assert dump(plain) == remembered


def dump(conn: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    tables = (
        "tag",
        "author",
        "affiliation",
        "person",
        "article_tag",
        "article_author",
        "quote",
        "articles",
        "quotes",
        "people",
    )
    return {table: conn.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables}


def test_a_visit_touches_neither_text_nor_index(keep: Keeper) -> None:
    keep(article(1, "Storm"))
    conn = keep.archive.db.conn
    quiet = (
        "reading",
        "revision",
        "text_fts_data",
        "text_fts_docsize",
        "text_fts_idx",
        "article_tag",
        "quote",
        "person",
    )
    before = {table: conn.execute(f"SELECT * FROM {table}").fetchall() for table in quiet}
    url = "https://example.org/1"
    for day in range(1, 4):
        at = NOW + timedelta(days=day)
        answer = Exchange(url, at, b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", url.encode())
        changes = conn.total_changes
        if day == 1:
            keep.archive.not_modified(url, [answer], run=keep.run)
        else:
            page = Page(url, url.encode(), captured=at)
            kept = keep.archive.keep(page, [answer], run=keep.run, site=None, kind="story", verdict=None)
            assert kept.identical
        keep.archive.seen_again(url, now=at)
        # One visit, and the article's last_seen.
        assert conn.total_changes == changes + 3  # the visit, the article, how far the file is indexed
    assert {table: conn.execute(f"SELECT * FROM {table}").fetchall() for table in quiet} == before
    rows = conn.execute("SELECT last_seen, revisions FROM articles").fetchall()
    assert rows == [("2026-03-04T06:00:00.000Z", 1)]
