"""Takedown: what goes, the tombstones it leaves, and the steps by which it goes for good.

New files stand beside the old ones until one transaction deletes the rows, moves the others and leaves the tombstones; only
then is the old content erased. Killed before the transaction, nothing was taken down; after it, `finish` goes on when the
archive is next opened for writing (`PRAGMA user_version` says that there is something to finish).
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from parsers.errors import ArchiveError, UsageError
from parsers.page import Page
from parsers.text import normalised
from parsers.url import canonical, removed
from storage import columns, doomed, reindex, tombstones
from storage.captures import revision_of, sync_folder
from storage.layers import DENSE, fold, texts
from storage.rewrite import Change, Job, Visited, survey
from storage.spotting import names_in
from storage.strike import Target, phrase, slugs, strike
from storage.tombstones import Tombstone, Tombstones
from storage.wording import near_copies, wording

if TYPE_CHECKING:
    from storage.archive import Archive

PENDING = 1
"""`user_version` of a database whose takedown is decided and not finished."""
_STRUCK = ".struck"


@dataclass(slots=True)
class Plan:
    """What a takedown removes. `addresses`: of the stories; `left`: addresses that are a front's and stay.

    `rows`: that go, by table; `columns`: rows of which words are struck, by table. `again`: addresses of articles that are
    read again because their text names what goes; `unread`: their captures. `fronts`: that showed the stories. `copies`:
    near copies, for a decision. `spelled`: addresses that spell a title or a name, and stay. `short`, `shared`: see
    `storage.wording.Wording`. `changes`: files that are rewritten.
    """

    addresses: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    target: Target = field(default_factory=Target)
    rows: dict[str, int] = field(default_factory=dict)
    columns: dict[str, int] = field(default_factory=dict)
    again: list[str] = field(default_factory=list)
    fronts: list[str] = field(default_factory=list)
    copies: list[dict[str, object]] = field(default_factory=list)
    spelled: list[str] = field(default_factory=list)
    short: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    unread: list[int] = field(default_factory=list)

    @property
    def digests(self) -> list[tuple[str, bytes]]:
        """Kind and digest of every tombstone, once each."""
        named = [("person", tombstones.of_person(name)) for name in self.people]
        return list(dict.fromkeys([*(("url", tombstones.of_url(url)) for url in self.addresses), *named]))


def plan(archive: "Archive", urls: Sequence[str] = (), people: Sequence[str] = ()) -> Plan:
    """What the takedown of some stories and people removes; reads rows alone. See `look` for the files.

    Raises UsageError for an address that is a front's, and for a name that is one word.
    """
    conn = archive.db.conn
    doomed.begin(conn)
    made = Plan()
    fronts = {row[0] for row in conn.execute("SELECT url FROM front_url")}
    given = [canonical(url) for url in urls]
    for url in given:
        if url in fronts:
            raise UsageError(f"{url} is a front, a feed or robots.txt, and no story", next="name the story's address")
    for name in people:
        _check(name)
    keys = {fold(name) for name in people}
    doomed.choose_people(conn, lambda name: fold(name) in keys)
    spellings = _column(conn, "SELECT DISTINCT name FROM person WHERE id IN gone_person ORDER BY id")
    if given:
        doomed.choose_stories(conn, given)
    made.addresses = list(dict.fromkeys([*given, *_column(conn, "SELECT url FROM gone_url ORDER BY url")]))
    made.left = _column(
        conn, "SELECT url FROM alias WHERE article_id IN gone_article AND url NOT IN gone_url ORDER BY url"
    )
    made.people = list({normalised(name): name for name in (*people, *spellings)}.values())
    instead = {url: removed(url, tombstones.of_url(url).hex()) for url in made.addresses}
    words = wording(conn, instead, _unread(archive))
    made.target = replace(words.target, names=tuple({fold(name): phrase(name) for name in made.people}.values()))
    made.short, made.shared = words.short, words.shared
    made.copies = near_copies(conn, words.by)
    made.fronts = _column(
        conn,
        "SELECT DISTINCT f.url FROM placement p JOIN front f ON f.id = p.front_id WHERE p.card_id IN gone_card ORDER BY f.url",
    )
    columns.choose_again(conn, made.target)
    made.again = _column(conn, "SELECT url FROM article WHERE id IN again ORDER BY url")
    spelled = [key for key in (*keys, *map(fold, slugs(made.addresses))) if key]
    known = set(made.addresses)
    made.spelled = [url for url in _addresses(conn) if url not in known and any(key in fold(url) for key in spelled)]
    made.rows = doomed.count(conn)
    made.columns = columns.strike(conn, made.target, write=False)
    return made


def _unread(archive: "Archive") -> Iterator[Page]:
    """Pages of the stories that were never read, or could not be."""
    sql = (
        "SELECT id FROM capture WHERE id IN gone_capture AND withheld IS NULL "
        "AND coalesce(verdict, 'error') IN ('error', 'teaser_only', 'truncated')"
    )
    for key in archive.db.conn.execute(sql).fetchall():
        with suppress(ArchiveError):
            yield archive.page(key[0])


def _check(name: str) -> None:
    words = name.split()
    if len(words) < 2 and not (DENSE.search(name) and len(name.strip()) > 1):
        raise UsageError(
            f"{name!r} is one word",
            cause="it would be struck out wherever it stands, whoever is meant",
            next="name the person as articles do, first and last name",
        )


def _column(conn: sqlite3.Connection, sql: str) -> list[str]:
    return [row[0] for row in conn.execute(sql).fetchall()]


def look(archive: "Archive", made: Plan, *, at: str, write: bool = False) -> None:
    """Go through the WARC files for what the plan removes (`Plan.changes`); with `write`, make the new files.

    `at`: when it was decided, UTC text.
    """
    if not made.target:
        return
    keys = {url: tombstones.of_url(url).hex() for url in made.addresses}
    first = made.digests[0][1].hex()
    job = Job(made.target, keys, first, at)
    for path in archive.warc.files():
        change = survey(path, job, _visited(archive.db.conn, path.name, keys), write=write)
        if change or change.said:
            made.changes.append(change)


def _visited(conn: sqlite3.Connection, file: str, keys: dict[str, str]) -> dict[int, Visited]:
    rows = conn.execute(
        "SELECT v.offset, s.name, c.kind, c.verdict, c.asked, c.id IN gone_capture FROM visit v JOIN capture c ON c.id = v.capture_id "
        "LEFT JOIN site s ON s.id = c.site_id WHERE v.file = ?",
        (file,),
    )
    return {
        offset: Visited(
            site,
            kind,
            kind == "story" and verdict in (None, "article"),
            keys.get(asked, next(iter(keys.values()), "")) if gone else None,
        )
        for offset, site, kind, verdict, asked, gone in rows
    }


def apply(archive: "Archive", made: Plan, *, at: str, reason: str, decided_by: str) -> None:
    """Carry a plan out; `finish` then erases what is left of the old content. Raises ArchiveError; then nothing was done.

    Captures in `Plan.unread` are to be read again.
    """
    conn = archive.db.conn
    archive.warc.close()
    reason, decided_by = (columns.struck(text, made.target) for text in (reason, decided_by))
    made.changes.clear()
    try:
        look(archive, made, at=at, write=True)
        _strike_files(archive.path, made.target)
        conn.execute("PRAGMA secure_delete = ON")
        with archive.transaction():
            tombstones.add(conn, archive.tombstones)
            tombstones.add(conn, [Tombstone(kind, key, at, reason, decided_by) for kind, key in made.digests])
            doomed.delete(conn)
            made.unread = doomed.forget(conn)
            columns.strike(conn, made.target, write=True)
            reindex.reindex(conn, [change for change in made.changes if change])
            made.unread = reindex.readable(archive, made.unread)
            conn.execute("INSERT INTO text_fts (text_fts) VALUES ('optimize')")
            conn.execute(f"PRAGMA user_version = {PENDING}")
    except BaseException as error:
        if not pending(conn):
            for change in made.changes:
                change.made.unlink(missing_ok=True)
            _drop_struck(archive.path)
        if isinstance(error, OSError):
            raise ArchiveError(
                f"cannot write to {archive.path}",
                cause=str(error),
                next="free some space (the files that hold it are written anew), then run the same command; nothing was done",
            ) from error
        raise
    archive.heed()


def obey(archive: "Archive") -> Plan | None:
    """Take down whatever the archive holds of what its tombstones (table and sidecar) name; None if there is nothing.

    Goes by the rows: addresses, people, and names in what was read. For archives that were restored, merged or rebuilt.
    As after `apply`, captures are to be read again, and the old content is erased by `finish` or when next opened.
    """
    archive.heed()
    stones = archive.tombstones
    urls = [url for url in _addresses(archive.db.conn) if stones.url(url)] if stones.urls else []
    people = _people(archive.db.conn, stones) if stones.people else []
    if not (urls or people):
        with archive.transaction():
            tombstones.add(archive.db.conn, stones)
        return None
    made = plan(archive, urls, people)
    first = next(stone for stone in stones if stone.digest in {key for _, key in made.digests})
    apply(archive, made, at=first.at, reason=first.reason, decided_by=first.decided_by)
    return made


def _addresses(conn: sqlite3.Connection) -> Iterable[str]:
    sql = (
        "SELECT url FROM alias UNION SELECT url FROM card UNION SELECT url FROM frontier UNION SELECT asked FROM capture "
        "UNION SELECT url FROM capture"
    )
    return _column(conn, sql)


def _people(conn: sqlite3.Connection, stones: Tombstones) -> list[str]:
    found = {name for name in _column(conn, "SELECT name FROM person") if stones.person(name)}
    for sql in (
        "SELECT title || ' . ' || teaser || ' . ' || description || ' . ' || body || ' . ' || captions FROM reading",
        "SELECT title || ' . ' || teaser FROM card",
    ):
        for (text,) in conn.execute(sql):
            found |= names_in(texts(text), stones.person)
    return sorted(found)


# -- finishing ---------------------------------------------------------------------------------------------------------


def pending(conn: sqlite3.Connection) -> bool:
    """Whether a takedown is decided and not finished."""
    return int(conn.execute("PRAGMA user_version").fetchone()[0]) == PENDING


def finish(archive: "Archive") -> bool:
    """Erase what a decided takedown left: free pages, the write-ahead log, old WARC files. False if a reader prevents it.

    Raises ArchiveError if the disk refuses. In both cases it goes on when the archive is next opened for writing.
    """
    conn = archive.db.conn
    try:
        if not pending(conn):
            return True
        if not _checkpointed(conn):
            return False
        tombstones.write(conn, archive.path)
        for path in _struck_files(archive.path):
            path.replace(path.with_name(path.name.removesuffix(_STRUCK)))
            sync_folder(path.parent)
        conn.execute("PRAGMA secure_delete = ON")
        if conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat4'").fetchone():
            conn.execute("DELETE FROM sqlite_stat4")  # holds samples of indexed texts
        conn.execute("VACUUM")
        if not _checkpointed(conn):
            return False
        _unlink_unindexed(archive)
        conn.execute("PRAGMA user_version = 0")
        return _checkpointed(conn)
    except (sqlite3.OperationalError, OSError) as error:
        raise ArchiveError(
            "the takedown is decided, but what was there before is not erased yet",
            cause=str(error),
            next="free some space; the next run that writes to the archive erases it",
        ) from error


def settle(archive: "Archive") -> list[str]:
    """Finish or undo what a killed takedown left; says what was done."""
    if pending(archive.db.conn):
        if finish(archive):
            return ["finished a takedown that was interrupted"]
        return ["a takedown waits for another program to let go of the database before it erases what was there"]
    _drop_struck(archive.path)
    for path in archive.warc.folder.glob("*.tmp"):
        path.unlink()
    if _fresh(archive):
        return []  # the database is older than the sidecar: which state of a file is the right one is not for it to say
    return [f"{path.name}: removed, left by a takedown that was interrupted" for path in _unlink_unindexed(archive)]


def _fresh(archive: "Archive") -> bool:
    """Whether the sidecar holds tombstones that the table does not: the archive was restored, or they were added by hand."""
    known = {row[0] for row in archive.db.conn.execute("SELECT digest FROM takedown")}
    return any(stone.digest not in known for stone in tombstones.read(archive.path / tombstones.SIDECAR))


def catch_up(archive: "Archive") -> list[str]:
    """Apply the tombstones that the sidecar holds and the table does not; says what was done."""
    said = []
    if _fresh(archive):
        if unindexed(archive):
            words = "archive.db is older than takedowns.jsonl and the WARC files beside it; next: newsmorgue rebuild"
            return [words]
        plan = obey(archive)
        if plan is not None:
            archive.to_read += plan.unread
            finish(archive)
            said.append("took down what takedowns.jsonl names and the archive still held")
    tombstones.write(archive.db.conn, archive.path)
    return said


def _checkpointed(conn: sqlite3.Connection) -> bool:
    return int(conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]) == 0


def unindexed(archive: "Archive") -> list[Path]:
    """States of WARC files that the tables do not point to, where they point to another one."""
    indexed = {row[0] for row in archive.db.conn.execute("SELECT file FROM warc")}
    stems = {revision_of(Path(name))[0] for name in indexed}
    files = archive.warc.folder.glob("*.warc.gz")
    return [path for path in files if path.name not in indexed and revision_of(path)[0] in stems]


def _unlink_unindexed(archive: "Archive") -> list[Path]:
    stale = unindexed(archive)
    for path in stale:
        path.unlink()
    if stale:
        sync_folder(archive.warc.folder)
    return stale


def _files(folder: Path) -> list[Path]:
    """What else of an archive holds texts: corrections and reports."""
    return [path for path in (folder / "corrections.jsonl", *(folder / "reports").rglob("*")) if path.is_file()]


def _struck_files(folder: Path) -> list[Path]:
    return [*folder.glob(f"*{_STRUCK}"), *(folder / "reports").rglob(f"*{_STRUCK}")]


def _strike_files(folder: Path, target: Target) -> None:
    for path in _files(folder):
        done = strike(path.read_bytes(), target, listing=True, story=True)
        if done is not None:
            with path.with_name(path.name + _STRUCK).open("wb") as file:
                file.write(done)
                file.flush()
                os.fsync(file.fileno())


def _drop_struck(folder: Path) -> None:
    for path in _struck_files(folder):
        path.unlink()


# -- for the command line ----------------------------------------------------------------------------------------------


def sites(archive: "Archive") -> list[tuple[int, str, str, str | None, str | None]]:
    """Key, name, home, parser and timezone of every site."""
    return archive.db.conn.execute("SELECT id, name, home, parser, timezone FROM site").fetchall()


def tidy(archive: "Archive") -> None:
    """Delete people, topics, authors and affiliations that nothing names any more after articles were read again."""
    with archive.transaction():
        doomed.orphans(archive.db.conn)


def stones(archive: "Archive") -> list[dict[str, str]]:
    """The tombstones of the archive, oldest first."""
    return [stone.as_dict() for stone in archive.tombstones]


def counted(changes: Iterable[Change]) -> list[dict[str, object]]:
    """The files of a plan as plain rows."""
    return [
        {"file": change.path.name, "removed": len(change.removed), "struck": change.records, "unreadable": change.said}
        for change in changes
    ]
