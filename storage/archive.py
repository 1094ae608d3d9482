"""`Archive`: open and recover, keep a page, keep an article, give pages back. WARC is the log, SQLite the index."""

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any

from sqlite_utils import Database

from parsers.article import Article, Card
from parsers.errors import ArchiveDamaged, ArchiveError, UsageError
from parsers.page import Page
from storage import articles, fronts, keeping, lock, questions, recovery, schema
from storage.articles import KeptArticle
from storage.captures import Exchange, Warc
from storage.frontier import Frontier
from storage.keeping import Kept
from storage.names import Connection
from storage.timing import stamp

__all__ = ["Archive", "Kept", "KeptArticle"]

DATABASE = "archive.db"
SIDECARS = ("corrections.jsonl", "takedowns.jsonl")
BUSY = 30_000
"""Milliseconds that a reader waits for a checkpoint."""
CACHE = 65_536
"""KiB of pages that the writer keeps in memory: the upper levels of every index, and what full text merges."""
CHECKPOINT = 4_000
"""Pages in the -wal before they are copied into the database: one page changed by many groups is copied once."""
_INSIDE = nullcontext()
"""What a transaction within another one is."""


@dataclass(slots=True)
class Archive:
    """An open archive. Use `create` or `open`; a context manager."""

    path: Path
    db: Database
    warc: Warc
    frontier: Frontier
    recovered: list[str]
    _lock: IO[str] | None = None

    # -- opening -------------------------------------------------------------------------------------------------

    @classmethod
    def create(cls, path: Path) -> "Archive":
        """Make an archive's folder and open it for writing. Raises UsageError if there is one already."""
        if (path / DATABASE).exists():
            raise UsageError(f"{path} is an archive already", next=f"newsmorgue crawl --archive {path}")
        try:
            (path / "warc").mkdir(parents=True, exist_ok=True)
            (path / "reports").mkdir(exist_ok=True)
            for name in SIDECARS:
                (path / name).touch()
        except OSError as error:
            raise ArchiveError(f"cannot make {path}", cause=str(error), next="choose another folder") from error
        return cls._open_for_writing(path)

    @classmethod
    def open(cls, path: Path | str, *, write: bool = False, frozen: bool = False) -> "Archive":
        """Open an archive; for reading unless `write`.

        Writing takes the lock (ArchiveLocked), upgrades the schema (SchemaTooNew) and recovers what a killed run left:
        bytes after the last whole record are cut, responses that SQLite does not know yet are indexed (`recovered`).
        Reading never blocks and is never blocked. `frozen`: read for a moment and leave the folder byte for byte as it
        is; only while nobody writes, else it is plain reading. Raises UsageError if there is no archive.
        """
        path = Path(path)
        if not (path / DATABASE).is_file():
            raise UsageError(
                f"{path} is not an archive", cause=f"it holds no {DATABASE}", next=f"newsmorgue init {path}"
            )
        return cls._open_for_writing(path) if write else cls._open_for_reading(path, frozen)

    @classmethod
    def _open_for_writing(cls, path: Path) -> "Archive":
        held = lock.take(path)
        conn = _connect(path / DATABASE, "rwc")
        db = Database(conn)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute(f"PRAGMA cache_size = {-CACHE}")
            db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT}")
            schema.upgrade(db)
            conn.remember()
            archive = cls(path, db, Warc(path / "warc"), Frontier(db.conn), [], held)
            archive.recovered = recovery.recover(archive.db.conn, archive.warc)
        except BaseException:
            db.close()
            lock.release(held)
            raise
        return archive

    @classmethod
    def _open_for_reading(cls, path: Path, frozen: bool) -> "Archive":
        # An immutable connection makes no -wal and -shm files, but would not see what a writer does meanwhile.
        quiet = not (path / f"{DATABASE}-wal").exists() and (frozen or not os.access(path, os.W_OK))
        db = Database(_connect(path / DATABASE, "ro", immutable=quiet))
        try:
            schema.check(db)
        except sqlite3.DatabaseError as error:
            db.close()
            raise ArchiveDamaged(
                f"{path / DATABASE} cannot be read", cause=str(error), next="restore it from a backup"
            ) from error
        return cls(path, db, Warc(path / "warc"), Frontier(db.conn), [])

    def close(self) -> None:
        """Close files and give the lock back."""
        self.warc.close()
        if self._lock is not None:
            self.db.conn.execute("PRAGMA optimize")
            self.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.db.close()
        if self._lock is not None:
            lock.release(self._lock)
            self._lock = None

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def transaction(self) -> AbstractContextManager[None]:
        """Everything inside arrives together or not at all; nests."""
        return _INSIDE if self.db.conn.in_transaction else self._transaction()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        conn = self.db.conn
        try:
            conn.execute("BEGIN IMMEDIATE")
            yield
            conn.execute("COMMIT")
        except sqlite3.OperationalError as error:
            _rollback(conn)
            raise ArchiveError(
                f"cannot write to {self.path / DATABASE}",
                cause=str(error),
                next="free some space or close the program that holds the file, then run the same command",
            ) from error
        except OSError as error:
            _rollback(conn)
            raise ArchiveError(
                f"cannot write to {self.path / 'warc'}",
                cause=str(error),
                next="free some space, then run the same command; nothing kept was harmed",
            ) from error
        except BaseException:
            _rollback(conn)
            raise

    # -- runs and sites ------------------------------------------------------------------------------------------

    def start_run(self, *, now: datetime, version: str, command: str, settings: str) -> int:
        """Begin a run; runs that never ended are marked `killed`. Gives its key."""
        with self.transaction():
            conn = self.db.conn
            conn.execute("UPDATE run SET state = 'killed', ended = ? WHERE state = 'running'", (stamp(now),))
            cursor = conn.execute(
                "INSERT INTO run (command, version, settings, started, state) VALUES (?, ?, ?, ?, 'running')",
                (command, version, settings, stamp(now)),
            )
            return int(cursor.lastrowid or 0)

    def end_run(self, run: int, *, now: datetime, state: str, counts: Mapping[str, int], errors: int) -> None:
        """End a run: `done`, `partly`, `failed` or `interrupted`."""
        with self.transaction():
            self.db.conn.execute(
                "UPDATE run SET ended = ?, state = ?, counts = ?, errors = ? WHERE id = ?",
                (stamp(now), state, json.dumps(dict(counts), sort_keys=True), errors, run),
            )

    def site_id(self, name: str, *, home: str, parser: str | None, timezone: str | None, now: datetime) -> int:
        """The key of a site, whose row is made or brought up to date."""
        with self.transaction():
            row = self.db.conn.execute(
                "INSERT INTO site (name, home, parser, timezone, first_seen) VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE "
                "SET home = excluded.home, parser = excluded.parser, timezone = excluded.timezone RETURNING id",
                (name, home, parser, timezone, stamp(now)),
            ).fetchone()
            return int(row[0])

    def note(self, site: int, day: date, stage: str, reason: str = "", n: int = 1) -> None:
        """Count in the ledger: `listed`, `tried`, `got`, `failed` or `dropped`, and why."""
        if n:
            with self.transaction():
                self.db.conn.execute(
                    "INSERT INTO ledger VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
                    (site, day.isoformat(), stage, reason, n),
                )

    # -- keeping -------------------------------------------------------------------------------------------------

    def keep(
        self,
        page: Page,
        exchanges: Sequence[Exchange],
        *,
        run: int,
        site: int | None,
        kind: str,
        verdict: str | None = None,
        withheld: str | None = None,
    ) -> Kept:
        """Keep a response: durable in WARC first, then its rows. See `storage.keeping`."""
        with self.transaction():
            return keeping.keep(
                self.db.conn,
                self.warc,
                page,
                exchanges,
                run=run,
                site=site,
                kind=kind,
                verdict=verdict,
                withheld=withheld,
            )

    def not_modified(self, url: str, exchanges: Sequence[Exchange], *, run: int, now: datetime) -> Kept:
        """Keep a 304: a `revisit` record and a visit of the capture that still stands."""
        with self.transaction():
            return keeping.not_modified(self.db.conn, self.warc, url, exchanges, run=run, now=now)

    def set_verdict(self, capture: int, verdict: str, problem: str = "", *, title: str = "") -> None:
        """What kind of page a capture really is, why it could not be read, and the headline of a page that opts out."""
        with self.transaction():
            self.db.conn.execute(
                "UPDATE capture SET verdict = ?, problem = ?, title = ? WHERE id = ?",
                (verdict, problem or None, title or None, capture),
            )

    def keep_article(self, capture: int, article: Article, *, site: int | None, now: datetime) -> KeptArticle:
        """Keep a reading of a capture, and the revision it shows if the publisher changed the text."""
        with self.transaction():
            return articles.keep(self.db.conn, capture, article, site=site, now=now)

    def seen_again(self, url: str, *, now: datetime) -> None:
        """A story still stands at its address."""
        with self.transaction():
            self.db.conn.execute(
                "UPDATE article SET last_seen = ? WHERE id = (SELECT article_id FROM alias WHERE url = ?)",
                (stamp(now), url),
            )

    def knows(self, url: str) -> bool:
        """Whether an address is another name of a story that is kept already."""
        return bool(
            self.db.conn.execute(
                "SELECT 1 FROM alias l JOIN article a ON a.id = l.article_id WHERE l.url = ? AND a.url <> l.url", (url,)
            ).fetchone()
        )

    def keep_front(
        self, visit: int, url: str, cards: Sequence[Card], *, site: int, kind: str, title: str, now: datetime
    ) -> int:
        """Keep what stood where on a front at a visit; gives the number of stories never announced before."""
        with self.transaction():
            return fronts.keep(self.db.conn, visit, url, cards, site=site, kind=kind, title=title, now=now)

    def front_unchanged(self, visit: int, url: str, *, now: datetime) -> None:
        """A front still shows what it showed at its last visit."""
        with self.transaction():
            fronts.unchanged(self.db.conn, visit, url, now=now)

    # -- giving back ---------------------------------------------------------------------------------------------

    def page(self, capture: int) -> Page:
        """The page of a capture, digests checked. Raises ArchiveDamaged, or ArchiveError if there is no such capture."""
        return keeping.page(self.db.conn, self.warc, capture)

    def pages(self, *, site: str | None = None, verdict: str | None = None) -> Iterator[tuple[int, Page]]:
        """Captures of stories with their pages, oldest first."""
        for capture in keeping.captures(self.db.conn, site=site, verdict=verdict):
            yield capture, self.page(capture)

    def search(self, words: str, **filters: Any) -> list[dict[str, Any]]:
        """Articles by their words; see `storage.questions.search`."""
        return questions.search(self.db.conn, words, **filters)

    def quotes(self, **filters: Any) -> list[dict[str, Any]]:
        """Statements; see `storage.questions.quotes`."""
        return questions.quotes(self.db.conn, **filters)

    def people(self, *, limit: int, experts_only: bool = False) -> list[dict[str, Any]]:
        """People, most quoted first."""
        return questions.people(self.db.conn, limit=limit, experts_only=experts_only)

    def status(self, *, now: datetime) -> list[dict[str, Any]]:
        """One row a site; see `storage.questions.status`."""
        return questions.status(self.db.conn, now=now)

    def verdicts(self) -> list[dict[str, Any]]:
        """Captures by verdict."""
        return questions.verdicts(self.db.conn)

    def changes(self, *, run: int) -> list[dict[str, Any]]:
        """Stories that a run found new or changed."""
        return questions.changes(self.db.conn, run)


def _connect(path: Path, mode: str, *, immutable: bool = False) -> Connection:
    flags = "&immutable=1" if immutable else ""
    conn = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}{flags}", uri=True, isolation_level=None, factory=Connection
    )
    conn.execute(f"PRAGMA busy_timeout = {BUSY}")
    conn.execute("PRAGMA foreign_keys = ON")
    return conn


def _rollback(conn: sqlite3.Connection) -> None:
    if conn.in_transaction:
        conn.execute("ROLLBACK")
    if isinstance(conn, Connection):  # SQLite may have rolled back by itself
        conn.forget()
