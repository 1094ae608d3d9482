"""`Archive`: open and recover, keep a page, keep an article, give pages back. WARC is the log, SQLite the index."""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import IO

from parsers.article import Article, Card
from parsers.errors import ArchiveError, NewsmorgueError, UsageError
from parsers.page import Page
from parsers.url import try_canonical
from storage import articles, fronts, history, keeping, lock, manifest, recovery, replay, runs, schema, tombstones
from storage.answers import Answers
from storage.articles import KeptArticle
from storage.captures import Warc
from storage.database import DATABASE, explained, in_our_words, reading, writing
from storage.facts import EndFacts, Facts, FailureFacts, PageFacts, RunFacts, address
from storage.frontier import Frontier
from storage.keeping import Kept
from storage.manifest import furnish
from storage.names import Connection
from storage.records import Exchange
from storage.replacing import replacing
from storage.replay import Event
from storage.timing import stamp
from storage.tombstones import Tombstones

__all__ = ["Archive", "Kept", "KeptArticle"]

_INSIDE = nullcontext()
"""What a transaction within another one is."""


@dataclass(slots=True)
class Archive(Answers):
    """An open archive. Use `create` or `open`; a context manager."""

    frontier: Frontier
    recovered: list[str]
    tombstones: Tombstones = field(default_factory=Tombstones)
    to_read: list[int] = field(default_factory=list)
    _lock: IO[str] | None = None
    _broken: NewsmorgueError | None = None
    _notes: Counter[tuple[int, str, str, str]] = field(default_factory=Counter)
    _names: dict[int, str] = field(default_factory=dict)

    # -- opening -------------------------------------------------------------------------------------------------

    @classmethod
    def create(cls, path: Path) -> "Archive":
        """Make an archive's folder and open it for writing. Raises UsageError if there is one already."""
        if (path / DATABASE).exists():
            raise UsageError(f"{path} is an archive already", next=f"newsmorgue crawl --archive {path}")
        try:
            furnish(path)
        except OSError as error:
            raise ArchiveError(f"cannot make {path}", cause=str(error), next="choose another folder") from error
        return cls._open_for_writing(path)

    @classmethod
    def open(cls, path: Path | str, *, write: bool = False, frozen: bool = False) -> "Archive":
        """Open an archive; for reading unless `write`.

        Writing takes the lock (ArchiveLocked), upgrades the schema (SchemaTooNew) and recovers what a killed run left:
        bytes after the last whole record are cut, responses that SQLite does not know yet are indexed (`recovered`).
        Reading never blocks and is never blocked. `frozen`: read for a moment and leave the folder byte for byte as it
        is; only while nobody writes, else it is plain reading. Raises UsageError if there is no archive, or, for writing, if it
        is a backup.
        """
        path = Path(path)
        if write:
            manifest.refuse(path)
        if not (path / DATABASE).is_file():
            raise UsageError(
                f"{path} is not an archive", cause=f"it holds no {DATABASE}", next=f"newsmorgue init {path}"
            )
        return cls._open_for_writing(path) if write else cls._open_for_reading(path, frozen)

    @classmethod
    @contextmanager
    def building(cls, path: Path) -> Iterator["Archive"]:
        """An archive with the files of `path` and an empty database, which replaces the old one if all goes well.

        Raises ArchiveLocked if another run writes, UsageError if there are no WARC files or it is a backup.
        """
        if not (path / "warc").is_dir():
            raise UsageError(
                f"{path} is not an archive", cause="it holds no folder warc/", next=f"newsmorgue init {path}"
            )
        manifest.refuse(path)
        held = lock.take(path)
        try:
            with explained(path / DATABASE), replacing(path / DATABASE) as database:
                db = writing(database)
                try:
                    yield cls(path, db, Warc(path / "warc"), Frontier(db.conn), [])
                    db.execute("PRAGMA optimize")
                    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                finally:
                    db.close()
        finally:
            lock.release(held)

    @classmethod
    def _open_for_writing(cls, path: Path) -> "Archive":
        held = lock.take(path)
        try:
            with explained(path / DATABASE):
                furnish(path)
                db = writing(path / DATABASE)
                try:
                    archive = cls(path, db, Warc(path / "warc"), Frontier(db.conn), [], _lock=held)
                    archive.recovered = recovery.recover(archive)
                except BaseException:
                    db.close()
                    raise
        except BaseException:
            lock.release(held)
            raise
        return archive

    @classmethod
    def _open_for_reading(cls, path: Path, frozen: bool) -> "Archive":
        with explained(path / DATABASE):
            db = reading(path / DATABASE, frozen=frozen)
            try:
                schema.check(db)
            except BaseException:
                db.close()
                raise
        archive = cls(path, db, Warc(path / "warc"), Frontier(db.conn), [])
        archive.heed()
        return archive

    def heed(self) -> None:
        """Load the tombstones of table and sidecar: what they name is not kept."""
        self.tombstones = self.frontier.tombstones = tombstones.load(self.db.conn, self.path)

    def tombstoned(self, url: str) -> bool:
        """Whether an address was taken down."""
        return self.tombstones.url(url)

    def close(self) -> None:
        """Close files and give the lock back."""
        try:
            self.warc.close()
            if self._lock is not None:
                # What is committed is safe in the write-ahead log: a full disk or a reader only puts this off.
                with suppress(sqlite3.Error):
                    self.db.conn.execute("PRAGMA busy_timeout = 0")
                    self.db.conn.execute("PRAGMA optimize")
                    self.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self.db.close()
        finally:
            if self._lock is not None:
                lock.release(self._lock)
                self._lock = None

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
        if isinstance(error, sqlite3.Error):
            raise in_our_words(error, self.path / DATABASE) from error

    def transaction(self) -> AbstractContextManager[None]:
        """Everything inside arrives together or not at all; nests.

        What was appended to the WARC files inside is made durable before the rows that point to it are committed. Raises
        ArchiveError if the disk refuses; then nothing kept is harmed. If the files are ahead of SQLite by then, nothing
        more is written: whoever opens the archive next recovers what they hold.
        """
        return _INSIDE if self.db.conn.in_transaction else self._transaction()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        conn = self.db.conn
        if self._broken is not None:
            raise self._broken
        ahead = False
        try:
            conn.execute("BEGIN IMMEDIATE")
            yield
            self._write_notes()
            if (written := self.warc.sync()) is not None:
                ahead = True
                conn.execute(
                    "INSERT INTO warc VALUES (?, ?) ON CONFLICT DO UPDATE SET indexed = excluded.indexed", written
                )
            conn.execute("COMMIT")
        except BaseException as error:
            ours = in_our_words(error, self.path / DATABASE) if isinstance(error, sqlite3.Error | OSError) else error
            self._rollback(ours, ahead=ahead)
            if ours is error:
                raise
            raise ours from error

    def _rollback(self, error: BaseException, *, ahead: bool) -> None:
        self._notes.clear()
        self._names.clear()
        if self.db.conn.in_transaction:
            with suppress(sqlite3.Error):  # an error that made SQLite roll back by itself
                self.db.conn.execute("ROLLBACK")
        if isinstance(self.db.conn, Connection):
            self.db.conn.forget()
        try:
            self.warc.undo()
        except OSError:
            ahead = True
        if ahead:
            self._broken = (
                error
                if isinstance(error, NewsmorgueError)
                else ArchiveError(f"{self.path} must be opened anew", cause=str(error))
            )

    # -- runs, sites, what failed ----------------------------------------------------------------------------------

    def start_run(self, *, now: datetime, version: str, command: str, settings: str) -> int:
        """Begin a run; runs that never ended are marked `killed`. Gives its key."""
        with self.transaction():
            last = self.db.execute("SELECT coalesce(max(id), 0) FROM run").fetchone()[0]
            facts = RunFacts(last + 1, command, version, settings)
            self._log(facts, now)
            runs.begin(self.db.conn, facts, now=now)
            return facts.run

    def end_run(self, run: int, *, now: datetime, state: str, counts: Mapping[str, int], errors: int) -> None:
        """End a run: `done`, `partly`, `failed` or `interrupted`."""
        with self.transaction():
            facts = EndFacts(run, state, dict(counts), errors)
            self._log(facts, now)
            runs.end(self.db.conn, facts, now=now)

    def failed(self, facts: FailureFacts, *, site: int, now: datetime) -> None:
        """Keep that an address did not come, why, and when it is tried again."""
        with self.transaction():
            self._log(facts, now)
            runs.failure(self, facts, site=site, now=now)

    def _log(self, facts: Facts, now: datetime) -> None:
        self.warc.facts(address(facts), now, facts.as_json())

    def site_id(self, name: str, *, home: str, parser: str | None, timezone: str | None, now: datetime) -> int:
        """The key of a site, whose row is made or brought up to date."""
        with self.transaction():
            return runs.site(self.db.conn, name, home=home, parser=parser, timezone=timezone, now=now)

    def note(self, site: int, day: date, stage: str, reason: str = "", n: int = 1) -> None:
        """Count in the ledger: `listed`, `tried`, `got`, `failed` or `dropped`, and why."""
        if n:
            with self.transaction():
                self._notes[site, day.isoformat(), stage, reason] += n

    def _write_notes(self) -> None:
        self.db.conn.executemany(
            "INSERT INTO ledger VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
            [(*key, n) for key, n in self._notes.items()],
        )
        self._notes.clear()

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
        optouts: tuple[str, ...] = (),
        kept_because: str | None = None,
        title: str | None = None,
    ) -> Kept:
        """Keep a response: durable in WARC first, then its rows. See `storage.keeping` and `storage.facts.PageFacts`."""
        facts = PageFacts(
            asked=try_canonical(page.asked) or page.asked,
            kind=kind,
            run=run,
            site=self._site_name(site),
            optouts=optouts,
            kept_because=kept_because,
            withheld=withheld,
            title=title,
            verdict=verdict,
        )
        self.tombstones.refuse(facts.asked, page.url)
        with self.transaction():
            return keeping.keep(self.db.conn, self.warc, page, exchanges, facts, site=site)

    def not_modified(self, url: str, exchanges: Sequence[Exchange], *, run: int) -> Kept:
        """Keep a 304: a `revisit` record and a visit of the capture that still stands."""
        with self.transaction():
            kind, site = "", None
            if len(exchanges) > 1:  # a plain revisit needs no facts
                row = self.db.execute(
                    "SELECT kind, site_id FROM capture WHERE asked = ? ORDER BY at DESC, id DESC LIMIT 1", (url,)
                )
                kind, site = row.fetchone() or ("", None)
            facts = PageFacts(asked=url, kind=kind, run=run, site=self._site_name(site))
            return keeping.not_modified(self.db.conn, self.warc, exchanges, facts)

    def _site_name(self, site: int | None) -> str | None:
        if site is None:
            return None
        if site not in self._names:
            row = self.db.execute("SELECT name FROM site WHERE id = ?", (site,)).fetchone()
            if row is None:
                return None
            self._names[site] = row[0]
        return self._names[site]

    def set_verdict(self, capture: int, verdict: str, problem: str = "", title: str = "") -> None:
        """What kind of page a capture really is, why it could not be read, and the headline of one that is no article."""
        with self.transaction():
            self.db.conn.execute(
                "UPDATE capture SET verdict = ?, problem = ?, title = coalesce(?, title) WHERE id = ?",
                (verdict, problem or None, title or None, capture),
            )

    def keep_article(self, capture: int, article: Article, *, site: int | None, now: datetime) -> KeptArticle:
        """Keep a reading of a capture, and the revision it shows if the publisher changed the text."""
        self.tombstones.refuse(article.canonical_url, article.url)
        with self.transaction():
            return articles.keep(self.db.conn, capture, article, site=site, now=now)

    def seen_again(self, url: str, *, now: datetime) -> None:
        """A story still stands at its address, which shows the article that was captured there before."""
        with self.transaction():
            self.db.conn.execute(
                "UPDATE article SET last_seen = max(last_seen, ?1) WHERE id = (SELECT article_id FROM alias WHERE url = ?2) "
                "AND withdrawn IS NULL",
                (stamp(now), url),
            )

    def withdrawn(self, capture: int) -> bool:
        """A story is gone from its address, as a capture shows; see `storage.history.withdrawn`."""
        with self.transaction():
            return history.withdrawn(self.db.conn, capture)

    def knows(self, url: str) -> bool:
        """Whether an address is known to lead to a story that is kept already at another one, or was taken down."""
        return self.tombstones.url(url) or bool(
            self.db.conn.execute(
                "SELECT 1 FROM alias l JOIN article a ON a.id = l.article_id WHERE l.url = ? AND l.source <> 'hreflang' "
                "AND (a.url <> l.url OR l.source = 'redirect')",
                (url,),
            ).fetchone()
        )

    def asked_at_home(self, url: str) -> bool:
        """Whether an address is only another one of a story whose own address is asked and showed it."""
        return bool(
            self.db.conn.execute(
                "SELECT 1 FROM alias l JOIN article a ON a.id = l.article_id JOIN frontier f ON f.url = a.url "
                "JOIN alias h ON h.url = a.url WHERE l.url = ? AND a.url <> l.url AND f.checks > 0 AND h.source IN ('asked', 'redirect')",
                (url,),
            ).fetchone()
        )

    def keep_front(
        self, visit: int, url: str, cards: Sequence[Card], *, site: int, kind: str, title: str, now: datetime
    ) -> int:
        """Keep what stood where on a front at a visit; gives the number of stories never announced before."""
        cards = [card for card in cards if not self.tombstones.url(card.url)] if self.tombstones else cards
        with self.transaction():
            return fronts.keep(self.db.conn, visit, url, cards, site=site, kind=kind, title=title, now=now)

    def front_unchanged(self, visit: int, url: str, *, now: datetime) -> None:
        """A front still shows what it showed at its last visit."""
        with self.transaction():
            fronts.unchanged(self.db.conn, visit, url, now=now)

    def events(self, path: Path, said: list[str]) -> Iterator[Event]:
        """Every event of a WARC file; what cannot be read is passed over and said."""
        return replay.readable(self.warc, path, said)

    def indexed(self, path: Path, end: int) -> None:
        """Note that a WARC file, made durable before, is in the tables up to an offset."""
        with self.transaction():
            self.warc.settle(path)
            self.db.execute("INSERT OR REPLACE INTO warc VALUES (?, ?)", (path.name, end))
