"""`backup`: a folder with everything that an archive is, consistent while a crawl writes.

It is laid out like the archive. SQLite gives a snapshot of its database; the WARC files are copied up to what that snapshot
knows of them, so that every row's bytes are there, and, while nobody writes, to the end of what is whole: what a power cut
took from SQLite lies there. Of a file that grew, only what is new is copied, behind what an earlier
backup counts; all else is staged. One that is killed leaves the one before it as it was: see `storage.manifest`.
"""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from parsers.errors import ArchiveDamaged, ArchiveError, UsageError
from parsers.version import __version__
from storage import disk, lock, manifest, records, verify_rows
from storage.captures import Warc, first_name
from storage.database import DATABASE, explained, in_our_words, reading
from storage.manifest import MANIFEST, NEW, SETTINGS, SIDECARS, Copied, Entry
from storage.timing import stamp

CHUNK = 1 << 20
BESIDE = 4096
"""Bytes before the end of what was copied earlier that must be the same in the archive."""
TRIES = 3
"""Times a backup begins anew because the archive was changed in what a crawl never changes."""


class _Changed(Exception):
    """A takedown went over the archive meanwhile."""


def backup(
    folder: Path,
    to: Path,
    *,
    now: datetime,
    check: bool = False,
    dry_run: bool = False,
    tell: Callable[[int], None] = lambda size: None,
) -> Copied:
    """Bring the backup of an archive up to date, or make it. `check`: read what was copied earlier, and mend it.

    `tell` is told the bytes copied so far. Raises UsageError if `to` is no place for it, ArchiveLocked if another backup
    is written there, ArchiveDamaged if the database or what was copied earlier is not whole, ArchiveError if a disk
    refuses; then the backup that is there is as it was.
    """
    _must_be_free(folder, to)
    if dry_run:
        return _Backup(folder, to, _known(to), check, tell, dry_run=True).run(now)
    with manifest.written(to):
        disk.make_folder(to / "warc")
    held = lock.take(to)
    try:
        with manifest.written(to):
            manifest.settle(to)
            for left in reversed(range(TRIES)):
                try:
                    return _Backup(folder, to, _known(to), check, tell).run(now)
                except _Changed as error:
                    if not left:
                        raise ArchiveError(
                            f"{folder} is being rewritten", cause=str(error), next="run the same command later"
                        ) from error
            raise AssertionError
    finally:
        lock.release(held)


def _known(to: Path) -> dict[str, Entry]:
    return manifest.read(to) if (to / MANIFEST).exists() or (to / f"{MANIFEST}{NEW}").exists() else {}


def _must_be_free(folder: Path, to: Path) -> None:
    """Raises UsageError if a folder is neither new, empty, a backup, nor one that was killed when it was begun."""
    if not (folder / DATABASE).is_file():
        raise UsageError(f"{folder} holds no {DATABASE}", next=f"newsmorgue rebuild --archive {folder}")
    inner, outer = to.resolve(), folder.resolve()
    if inner == outer or outer in inner.parents:
        raise UsageError(f"{to} lies within the archive", next="name a folder on another disk")
    if to.exists() and not to.is_dir():
        raise UsageError(f"{to} is no folder", next="name a folder that is new or empty")
    names = {path.name for path in to.iterdir()} if to.exists() else set()
    if MANIFEST not in names and any(
        name not in ("lock", "warc") and NEW not in name and not name.endswith(".tmp") for name in names
    ):
        raise UsageError(f"{to} is not empty and no backup", next="name a folder that is new or empty")


@dataclass(slots=True)
class _Backup:
    """One attempt. `old`: what the last backup counts."""

    folder: Path
    to: Path
    old: dict[str, Entry]
    check: bool
    tell: Callable[[int], None]
    dry_run: bool = False
    done: Copied = field(default_factory=Copied)

    def run(self, now: datetime) -> Copied:
        """Stage and append everything, then make it count."""
        before = self._decisions()
        needed = self._snapshot()
        self._same_archive(needed)
        if not lock.held(self.folder):
            needed = self._with_tails(needed)
        for name, size in needed.items():
            self._warc(name, size)
        for name in (SETTINGS, *SIDECARS):
            if (self.folder / name).is_file():
                self._small(name)
        if self._decisions() != before:
            raise _Changed("takedowns or corrections were added meanwhile")
        if not self.dry_run:
            files = [entry._asdict() for entry in self.done.files]
            value = {"schema": manifest.SCHEMA, "edition": __version__, "made": stamp(now, "seconds"), "files": files}
            manifest.commit(self.to, value)
            counted = {entry.name for entry in self.done.files}
            for path in (self.to / "warc").glob("*.warc.gz"):
                if f"warc/{path.name}" not in counted:
                    path.unlink()  # rewritten under another name by a takedown: its content must not stay here
        return self.done

    def _decisions(self) -> list[bytes]:
        return [path.read_bytes() for name in SIDECARS if (path := self.folder / name).is_file()]

    # -- the database ----------------------------------------------------------------------------------------------

    def _snapshot(self) -> dict[str, int]:
        """Stage a copy of the database; gives how many bytes of which WARC files it knows."""
        source, staged = self.folder / DATABASE, self.to / f"{DATABASE}{NEW}"
        with explained(source), closing(reading(source, frozen=self.dry_run)) as db:
            if self.dry_run:
                self._count(Entry(DATABASE, source.stat().st_size, ""), source.stat().st_size)
                return _needed(db.conn)
            db.execute("BEGIN")  # asked while another program holds the database, `backup` would ask again for ever
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            try:
                with closing(sqlite3.connect(staged)) as copy:
                    db.conn.backup(copy)
                    copy.execute("PRAGMA journal_mode = DELETE")  # one file, which can be read wherever it lies
                    found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
                    needed = _needed(copy)
            except sqlite3.Error as error:
                ours = in_our_words(error, staged)
                raise in_our_words(error, source) if isinstance(ours, ArchiveDamaged) else ours from error
        if found != "ok":
            raise ArchiveDamaged(f"{source} is damaged", cause=found, next=f"newsmorgue verify --archive {self.folder}")
        self._stage(staged, DATABASE)
        return needed

    def _same_archive(self, needed: dict[str, int]) -> None:
        theirs = {first_name(name.removeprefix("warc/")) for name in self.old if name.startswith("warc/")}
        if theirs and not theirs & {first_name(name) for name in needed}:
            raise UsageError(f"{self.to} is the backup of another archive", next="name another folder")

    # -- WARC files ------------------------------------------------------------------------------------------------

    def _with_tails(self, needed: dict[str, int]) -> dict[str, int]:
        """The files up to the last whole record in a row behind what SQLite knows, and files it knows nothing of.

        What a takedown that was interrupted left is neither.
        """
        warc = Warc(self.folder / "warc")
        known = {first_name(name) for name in needed}
        rewritten = {path for path in warc.files() if path.name not in needed and first_name(path.name) in known}
        ends = {path.name: warc.whole(path, needed.get(path.name, 0)) for path in warc.files() if path not in rewritten}
        return needed | {name: max(end, needed.get(name, 0)) for name, end in ends.items() if end}

    def _warc(self, name: str, size: int) -> None:
        source, target = self.folder / "warc" / name, self.to / "warc" / name
        old = self.old.get(f"warc/{name}")
        have = old.size if old and target.is_file() and target.stat().st_size >= old.size else 0
        if old is not None and have == size and not self.check:
            self.done.files.append(old)
            return
        there = self._size(source, name)
        if there < size:
            self.done.said.append(f"{name}: rows speak of {size} bytes, and {there} are there")
        end = min(size, there)
        digest = hashlib.sha256()
        if old is None or not have or have > size or not self._goes_on(digest, source, target, old, end):
            have, digest, target = 0, hashlib.sha256(), target.with_name(f"{name}{NEW}")
        elif have >= end:
            self.done.files.append(old)
            return
        if not there:
            self.done.files += [old] if old else []
            return
        if self.dry_run:
            self._count(Entry(f"warc/{name}", end, ""), end - have)
            return
        with source.open("rb") as reading_from, target.open("r+b" if have else "w+b") as writing_to:
            reading_from.seek(have)
            writing_to.truncate(have)
            writing_to.seek(have)
            at = have
            while at < end and (data := reading_from.read(min(CHUNK, end - at))):
                writing_to.write(data)
                digest.update(data)
                at += len(data)
                self.tell(self.done.copied + at - have)
            writing_to.flush()
            os.fsync(writing_to.fileno())
            for first, last, whole in records.walk(writing_to.fileno(), have, at):
                if not whole:
                    self.done.said.append(
                        f"{name}: {last - first} bytes from offset {first} on are no record; copied as they are"
                    )
        self._count(Entry(f"warc/{name}", at, digest.hexdigest()), at - have)

    def _size(self, source: Path, name: str) -> int:
        """The size of a WARC file, 0 if it is missing."""
        try:
            return source.stat().st_size
        except FileNotFoundError:
            with explained(self.folder / DATABASE), closing(reading(self.folder / DATABASE)) as db:
                if name not in _needed(db.conn):
                    raise _Changed(f"{name} was rewritten") from None
            return 0

    def _goes_on(self, digest: "hashlib._Hash", source: Path, target: Path, old: Entry, end: int) -> bool:
        """Whether what was copied earlier is whole, and the file goes on behind it; else it is copied anew.

        Raises ArchiveDamaged if the file is not what was copied from it, and not whole: the copy is the better one.
        """
        with target.open("rb") as file:
            left = old.size
            while left and (data := file.read(min(CHUNK, left))):
                digest.update(data)
                left -= len(data)
        if digest.hexdigest() != old.sha256:
            return False
        last = min(old.size, end)
        with source.open("rb") if end else target.open("rb") as one, target.open("rb") as two:
            begin = max(last - BESIDE, 0)
            same = os.pread(one.fileno(), last - begin, begin) == os.pread(two.fileno(), last - begin, begin)
            if not same and not all(whole for _, _, whole in records.walk(one.fileno(), 0, last)):
                raise ArchiveDamaged(
                    f"{source} is damaged, and the backup is not",
                    cause=f"they differ before offset {last}",
                    next=f"newsmorgue repair --archive {self.folder} --from {self.to}",
                )
        return same

    # -- small files -----------------------------------------------------------------------------------------------

    def _small(self, name: str) -> None:
        source, staged = self.folder / name, self.to / f"{name}{NEW}"
        if self.dry_run:
            self._count(Entry(name, source.stat().st_size, ""), source.stat().st_size)
            return
        shutil.copy(source, staged)
        self._stage(staged, name)

    def _stage(self, staged: Path, name: str) -> None:
        with staged.open("r+b") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        size = staged.stat().st_size
        self._count(Entry(name, size, digest), size)

    def _count(self, entry: Entry, copied: int) -> None:
        self.done.files.append(entry)
        self.done.copied += copied
        self.tell(self.done.copied)


def _needed(conn: sqlite3.Connection) -> dict[str, int]:
    """How many bytes of which WARC files the rows know."""
    known = "SELECT file, indexed AS n FROM warc UNION ALL " if verify_rows.has(conn, "warc") else ""
    return dict(
        conn.execute(
            f"SELECT file, max(n) FROM ({known}SELECT file, max(offset + length) AS n FROM visit GROUP BY file) GROUP BY file"
        ).fetchall()
    )
