"""The raw loop that `archive.py` measures against: the rows that one archive gained, written into another by plain executes."""

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from storage.archive import Archive

TABLES = (
    "site", "run", "capture", "visit", "article", "alias", "revision", "reading", "tag", "article_tag", "author", "article_author",
    "affiliation", "person", "quote", "quote_span", "story", "story_member",
)  # fmt: skip

KEYED = (
    "site",
    "run",
    "capture",
    "visit",
    "article",
    "revision",
    "reading",
    "tag",
    "author",
    "affiliation",
    "person",
    "quote",
)
Statement = tuple[str, tuple[object, ...]]


class Replay:
    """Rows that one archive gained, as plain statements for another, article by article."""

    def __init__(self, folder: Path) -> None:
        self.db = sqlite3.connect(folder / "archive.db", isolation_level=None)
        self.last = dict.fromkeys(KEYED, 0)
        self.insert = {}
        for table in TABLES:
            names = [row[1] for row in self.db.execute(f"PRAGMA table_info({table})")]
            columns = ", ".join(f'"{name}"' for name in names)
            self.insert[table] = f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * len(names))})"

    def statements(self) -> list[Statement]:
        """Everything that came since the last call, in the order in which an article needs it."""
        # By table: how to know a row's article, a number that grows with the articles.
        orders = {
            "site": "0", "run": "0",
            "capture": "id - :capture", "visit": "id - :visit",
            "article": "id - :article", "alias": "article_id - :article", "revision": "id - :revision",
            "affiliation": "(SELECT min(q.reading_id) FROM quote q WHERE q.affiliation_id = t.id AND q.id > :quote) - :reading",
            "person": "(SELECT min(q.reading_id) FROM quote q WHERE q.person_id = t.id) - :reading",
            "tag": "(SELECT min(x.reading_id) FROM article_tag x WHERE x.tag_id = t.id) - :reading",
            "author": "(SELECT min(x.reading_id) FROM article_author x WHERE x.author_id = t.id) - :reading",
            "reading": "id - :reading", "article_tag": "reading_id - :reading", "article_author": "reading_id - :reading",
            "quote": "reading_id - :reading",
            "quote_span": "(SELECT q.reading_id FROM quote q WHERE q.id = t.quote_id) - :reading",
        }  # fmt: skip
        fresh = {"alias": "article_id > :article", "article_tag": "reading_id > :reading", "article_author": "reading_id > :reading",
                 "quote_span": "quote_id > :quote"}  # fmt: skip
        found: list[tuple[int, int, Statement]] = []
        for place, (table, order) in enumerate(orders.items()):
            new = fresh.get(table, f"id > :{table}")
            rows = self.db.execute(f"SELECT {order}, t.* FROM {table} t WHERE {new} ORDER BY 1, 2", self.last)
            found += [(row[0], place, (self.insert[table], row[1:])) for row in rows]
        moved = self.db.execute(
            "SELECT max(q.reading_id) - :reading, p.first_seen, p.last_seen, p.honorific, p.affiliation_id, p.id FROM person p "
            "JOIN quote q ON q.person_id = p.id WHERE p.id <= :person AND q.id > :quote GROUP BY p.id",
            self.last,
        )
        update = "UPDATE person SET first_seen = ?, last_seen = ?, honorific = ?, affiliation_id = ? WHERE id = ?"
        found += [(row[0], 99, (update, row[1:])) for row in moved]
        for table in KEYED:
            self.last[table] = self.db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0]
        return [statement for _, _, statement in sorted(found, key=lambda one: one[:2])]


def raw_store(folder: Path, *, foreign_keys: bool) -> sqlite3.Connection:
    """A second archive's file, through a connection of Python's own defaults."""
    Archive.create(folder).close()
    conn = sqlite3.connect(folder / "archive.db", isolation_level=None)
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("PRAGMA synchronous = NORMAL")
    conn.execute(f"PRAGMA foreign_keys = {int(foreign_keys)}")
    return conn


def replay(conn: sqlite3.Connection, statements: Sequence[Statement]) -> None:
    """The raw loop: one transaction of plain executes."""
    execute = conn.execute
    execute("BEGIN IMMEDIATE")
    for sql, values in statements:
        execute(sql, values)
    execute("COMMIT")


def checksum(conn: sqlite3.Connection) -> dict[str, str]:
    """Count and digest of the rows of each table, and of what the full-text index knows."""
    found = {}
    for table in TABLES:
        keys = [row[1] for row in conn.execute(f"PRAGMA table_info({table})") if row[5]]
        digest, rows = hashlib.sha256(), 0
        for row in conn.execute(f"SELECT * FROM {table} ORDER BY {', '.join(keys)}"):
            digest.update(repr(row).encode("utf-8", "surrogatepass"))
            rows += 1
        found[table] = f"{rows} {digest.hexdigest()[:16]}"
    conn.execute("CREATE VIRTUAL TABLE temp.word USING fts5vocab (main, text_fts, row)")
    digest = hashlib.sha256()
    for row in conn.execute("SELECT * FROM temp.word"):
        digest.update(repr(row).encode())
    found["text_fts"] = digest.hexdigest()[:16]
    conn.execute("INSERT INTO text_fts (text_fts, rank) VALUES ('integrity-check', 1)")
    return found
