"""`verify`: is everything in the archive that was written, and does everything in it agree? Only reads.

Runs beside a crawl, on media that cannot be written to, and without `archive.db`. One record is in memory at a time.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from parsers.errors import ArchiveError, ArchiveLocked, SchemaTooNew, UsageError
from storage import keeping, lock, schema, verify_rows
from storage.captures import Warc, first_name
from storage.database import DATABASE, in_our_words, reading
from storage.findings import BYTES, Finding
from storage.records import GZIP
from storage.verify_warc import Checked, FileCheck, rows


@dataclass(slots=True)
class Verify:
    """A check of the archive in `folder`; afterwards the counts say what was looked at.

    `quick`: sizes, places and rows, but no record is unpacked. `with_lost`: also find what `repair` has marked as lost.
    `tell` is called with every record. `lost`: stretches that are marked. `busy`: somebody was writing, so that what is not
    indexed yet was left out.
    """

    folder: Path
    quick: bool = False
    with_lost: bool = False
    tell: Callable[[Checked], None] = lambda checked: None
    lost: int = 0
    busy: bool = False
    checked: Checked = field(init=False)

    def __post_init__(self) -> None:
        self.checked = Checked(self.tell)

    def findings(self) -> Iterator[Finding]:
        """Everything that is not as it was written. Raises UsageError without an archive, SchemaTooNew, ArchiveLocked."""
        if not (self.folder / "warc").is_dir() and not (self.folder / DATABASE).exists():
            raise UsageError(
                f"{self.folder} is not an archive",
                cause=f"it holds neither warc/ nor {DATABASE}",
                next=f"newsmorgue init {self.folder}",
            )
        conn, problem = self._connection()
        if problem is not None:
            yield problem
        try:
            with closing(_Seen()) as seen:
                for finding in self._files(conn, seen):
                    if not self._is_lost(conn, finding):
                        yield finding
            if conn is not None:
                for finding in verify_rows.check(conn, quick=self.quick):
                    if not self._is_lost(conn, finding):
                        yield finding
        finally:
            if conn is not None:
                conn.close()

    def _connection(self) -> tuple[sqlite3.Connection | None, Finding | None]:
        path = self.folder / DATABASE
        if not path.is_file():
            return None, Finding("database_missing", DATABASE, None, None, "there is no such file")
        try:
            db = reading(path)
            try:
                schema.check(db)
                db.execute("SELECT 1 FROM capture, visit LIMIT 1").fetchone()
                if verify_rows.has(db.conn, "lost"):
                    self.lost = db.execute("SELECT count(*) FROM lost").fetchone()[0]
            except BaseException:
                db.close()
                raise
        except SchemaTooNew:
            raise
        except (sqlite3.Error, ArchiveError) as error:
            ours = in_our_words(error, path) if isinstance(error, sqlite3.Error) else error
            if isinstance(ours, ArchiveLocked):
                raise ours from error
            return None, Finding("database_damaged", DATABASE, None, None, ours.cause)
        return db.conn, None

    def _is_lost(self, conn: sqlite3.Connection | None, finding: Finding) -> bool:
        """Whether a finding is marked as lost, so that it is no news."""
        if self.with_lost or not self.lost or conn is None or finding.kind not in BYTES | {"altered_header"}:
            return False
        row = conn.execute(
            "SELECT offset + length FROM lost WHERE file = ? AND offset <= ? ORDER BY offset DESC LIMIT 1",
            (finding.file, finding.offset),
        ).fetchone()
        return row is not None and finding.offset is not None and finding.offset < row[0]

    # -- WARC files ------------------------------------------------------------------------------------------------

    def _files(self, conn: sqlite3.Connection | None, seen: "_Seen") -> Iterator[Finding]:
        done: set[str] = set()
        # Asked again until there is no new one: a takedown writes a file anew under another name.
        while names := [name for name in self._names(conn) if name not in done]:
            for name in names:
                done.add(name)
                try:
                    yield from self._file(conn, name, seen)
                except sqlite3.DatabaseError as error:
                    yield Finding("database_damaged", DATABASE, None, None, f"{error}, while {name} was compared")

    def _names(self, conn: sqlite3.Connection | None) -> list[str]:
        names = [path.name for path in Warc(self.folder / "warc").files()]
        try:
            known = list(_indexed(conn)) if conn is not None else []
        except sqlite3.DatabaseError:
            known = []  # told when the database itself is looked at
        return [*names, *(name for name in known if name not in names)]

    def _file(self, conn: sqlite3.Connection | None, name: str, seen: "_Seen") -> Iterator[Finding]:
        if conn is None:
            yield from self._opened(None, name, None, seen, busy=False)
            return
        conn.execute("BEGIN")  # one state of the rows for one file, whatever a crawl does meanwhile
        try:
            indexed = _indexed(conn).get(name, 0)
            busy = lock.held(self.folder)
            behind: list[Finding] = []
            for finding in self._opened(conn, name, indexed, seen, busy=busy):
                if finding.behind:
                    behind.append(finding)
                else:
                    yield finding
        finally:
            conn.execute("ROLLBACK")
        if busy or lock.held(self.folder) or _indexed(conn).get(name, 0) != indexed:
            self.busy = True
        else:
            yield from behind

    def _opened(
        self, conn: sqlite3.Connection | None, name: str, indexed: int | None, seen: "_Seen", *, busy: bool
    ) -> Iterator[Finding]:
        path = self.folder / "warc" / name
        try:
            handle = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            if conn is not None:
                yield from _missing(conn, name, indexed or 0)
            return
        except OSError as error:
            yield Finding("file_unreadable", name, 0, None, str(error), indexed)
            return
        self.checked.files += 1
        size = os.fstat(handle).st_size
        check = FileCheck(
            name=name,
            handle=handle,
            stop=min(size, indexed) if busy and indexed is not None else size,
            indexed=indexed,
            pointing=rows(conn, name) if conn is not None else iter(()),
            covered=lambda at: _covered(conn, name, at),
            known=lambda url: conn is not None and keeping.known(conn, url),
            seen=lambda record: seen.before(record, name),
            checked=self.checked,
        )
        try:
            if self.quick and conn is not None:
                yield from _places(check, size)
                check.start = min(indexed or 0, size)
                check.pointing = rows(conn, name, check.start)
            yield from check.findings()
        except OSError as error:
            yield Finding("file_unreadable", name, check.at, None, f"{error}; nothing behind it was checked", size)
        finally:
            os.close(handle)


def _indexed(conn: sqlite3.Connection) -> dict[str, int]:
    """How much of each WARC file is indexed; an archive of the first edition does not say it, but its rows do."""
    table = "warc" if verify_rows.has(conn, "warc") else None
    return dict(
        conn.execute(
            "SELECT file, indexed FROM warc" if table else "SELECT file, max(offset + length) FROM visit GROUP BY file"
        ).fetchall()
    )


def _missing(conn: sqlite3.Connection, name: str, indexed: int) -> Iterator[Finding]:
    if indexed:
        yield Finding("file_missing", name, 0, None, f"it was {indexed} bytes long", indexed)
    for row in rows(conn, name):
        detail = f"visit {row.visit} of capture {row.capture}: the file is missing"
        yield Finding("row_without_bytes", name, row.offset, row.url, detail, row.length)


def _covered(conn: sqlite3.Connection | None, name: str, at: int) -> int:
    """The end of the answer that lies over an offset, as its visit has it; else the offset."""
    if conn is None:
        return at
    row = conn.execute(
        "SELECT offset + length FROM visit WHERE file = ? AND offset < ? ORDER BY offset DESC LIMIT 1", (name, at)
    ).fetchone()
    return max(at, row[0]) if row else at


def _places(check: FileCheck, size: int) -> Iterator[Finding]:
    """Rows whose place is not within the file, or where no record begins; nothing is unpacked."""
    for row in check.pointing:
        check.checked.rows += 1
        if row.offset + row.length > size or os.pread(check.handle, len(GZIP), row.offset) != GZIP:
            detail = f"visit {row.visit} of capture {row.capture}: no record begins there"
            yield Finding("row_without_bytes", check.name, row.offset, row.url, detail, row.length)


class _Seen:
    """The ids of records seen so far, in a temporary database on disk: there may be millions."""

    def __init__(self) -> None:
        self.db = sqlite3.connect("", isolation_level=None)
        self.db.execute("PRAGMA journal_mode = OFF")
        self.db.execute("CREATE TABLE seen (id BLOB PRIMARY KEY, file TEXT) WITHOUT ROWID")
        self.db.execute("BEGIN")

    def before(self, record: str, file: str) -> bool:
        """Whether a record of this id came before, but not in a file of which this one is another writing; notes it."""
        key = blake2b(record.encode(), digest_size=16).digest()
        if self.db.execute("INSERT INTO seen VALUES (?, ?) ON CONFLICT DO NOTHING", (key, file)).rowcount:
            return False
        (other,) = self.db.execute("SELECT file FROM seen WHERE id = ?", (key,)).fetchone()
        return bool(other == file or first_name(other) != first_name(file))

    def close(self) -> None:
        """Forget them."""
        self.db.close()
