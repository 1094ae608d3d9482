"""`export`: what the archive holds, in files that other tools read, with the dictionary and a record of what was taken.

One read transaction, so one consistent state, while a crawl goes on; rows are streamed; everything is written beside its
final name and renamed at the end.
"""

import json
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from parsers.errors import ArchiveError, UsageError
from storage import export_record, export_sqlite, export_warc, lock, schema
from storage.archive import Archive
from storage.export_choice import TABLES, Choice, choose
from storage.export_record import Release
from storage.export_tables import WRITERS, require_parquet

__all__ = ["FORMATS", "Choice", "Release", "counts", "export"]

FORMATS = ("csv", "jsonl", "parquet", "sqlite", "warc")
Progress = Callable[[str, int], None]
"""Hears what is being written and how many rows of it are."""
EVERY = 1_000
"""Rows between two words of progress."""

VIEWS = {
    "articles": "reading_id",
    "quotes": "id",
    "people": "id",
    "experts": "id",
    "tags": "tag",
    "article_tags": "article_id, position",
    "article_authors": "article_id, position",
    "revisions": "id",
    "headline_changes": "url, revision",
    "stories": "story_id",
    "syndication": "url, first_url",
    "captures": "id",
    "front_page_history": "site, front, seen_from, position, url",
    "coverage": "site, day",
    "runs": "id",
}
"""Views that become files, and what their rows are ordered by, so that equal archives give equal files."""


def counts(archive: Archive, form: str, out: Path, choice: Choice) -> dict[str, int]:
    """What `export` would write: rows of each file (of sqlite: of each table; of WARC files: answers). Writes nothing.

    Raises what `export` would raise before it writes.
    """
    _check(form, choice)
    _check_out(out, file=form == "sqlite")
    with _snapshot(archive, choice) as conn:
        if form == "warc":
            found = export_warc.files(conn)
            return {**found, "captures.jsonl": _count(conn, "captures")}
        if form == "sqlite":
            return {table: _count(conn, table) for table in TABLES}
        return {f"{view}.{form}": _count(conn, view) for view in VIEWS}


def _count(conn: sqlite3.Connection, name: str) -> int:
    return int(conn.execute(f"SELECT count(*) FROM temp.{name}").fetchone()[0])


def export(
    archive: Archive,
    form: str,
    out: Path,
    choice: Choice,
    *,
    now: datetime,
    progress: Progress = lambda name, rows: None,
) -> Release:
    """Write the chosen rows in a format of `FORMATS` to `out`, a file for sqlite and a folder for the others.

    Gives the record that becomes `release.json`. Raises UsageError if `out` holds something, a site is not known, the
    format cannot be public or needs an extra; ArchiveLocked if another export writes there; ArchiveError if the disk
    refuses; ArchiveDamaged for a record that cannot be read.
    """
    out = out.absolute()
    _check(form, choice)
    _check_out(out, file=form == "sqlite")
    with _workplace(out) as work, _snapshot(archive, choice) as conn:
        rows: Counter[str] = Counter()

        def counted(name: str, found: Iterable[Any]) -> Iterator[Any]:
            rows[name] = 0
            for row in found:
                rows[name] += 1
                if rows[name] % EVERY == 1:
                    progress(name, rows[name])
                yield row
            progress(name, rows[name])

        folder = work / "done"
        folder.mkdir()
        if form == "sqlite":
            export_sqlite.write(conn, work / "building", choice, counted)
        elif form == "warc":
            _records(conn, archive, folder, now=now, counted=counted)
            _table(conn, folder, "captures", "jsonl", choice, counted, {"offset": _MOVED})
            _dictionary(folder, ["captures"], "jsonl", choice, counted)
        else:
            for view in VIEWS:
                _table(conn, folder, view, form, choice, counted)
            _dictionary(folder, VIEWS, form, choice, counted)
        release = export_record.release(conn, form, choice, now=now, counts=rows)
        if form == "sqlite":
            export_sqlite.finish(work / "building", folder / out.name, release)
            release = _recorded(folder, release)
            (folder / out.name).replace(out)
        else:
            (folder / "README.md").write_text(export_record.readme(release), "utf-8")
            release = _recorded(folder, release)
            text = json.dumps(release.as_dict(), ensure_ascii=False, indent=1)
            (folder / "release.json").write_text(text + "\n", "utf-8")
            _sync(folder / "release.json")
            folder.rename(out)
    return release


def _recorded(folder: Path, release: Release) -> Release:
    """The record with its files, which are durable from here on."""
    written = sorted(folder.iterdir())
    for path in written:
        _sync(path)
    return release.of(*written)


# -- files ---------------------------------------------------------------------------------------------------------------


def _table(
    conn: sqlite3.Connection,
    folder: Path,
    view: str,
    form: str,
    choice: Choice,
    counted: export_sqlite.Counted,
    replaced: Mapping[str, str] = {},
) -> None:
    """A view to a file of its name."""
    columns = export_record.columns(view, choice)
    shown = ", ".join(replaced.get(entry.column, f'"{entry.column}"') for entry in columns)
    found = conn.execute(f"SELECT {shown} FROM temp.{view} ORDER BY {VIEWS[view]}")
    name = f"{view}.{form}"
    WRITERS[form](folder / name, columns, counted(name, found))


def _dictionary(folder: Path, views: Iterable[str], form: str, choice: Choice, counted: export_sqlite.Counted) -> None:
    name = f"dictionary.{form}"
    found = counted(name, export_record.described(views, choice))
    WRITERS[form](folder / name, export_record.columns("_dictionary", choice), found)


_MOVED = "(SELECT m.here FROM moved m WHERE m.file = captures.file AND m.offset = captures.offset)"


def _records(
    conn: sqlite3.Connection, archive: Archive, folder: Path, *, now: datetime, counted: export_sqlite.Counted
) -> None:
    """WARC files with the chosen records; the table `moved` says where each answer is now."""
    conn.execute("CREATE TEMP TABLE moved (file TEXT, offset INTEGER, here INTEGER, PRIMARY KEY (file, offset))")
    for name in export_warc.files(conn):
        moved = export_warc.copy(conn, archive.warc.folder / name, folder / name, now=now)
        conn.executemany("INSERT INTO moved VALUES (?, ?, ?)", ((name, *places) for places in counted(name, moved)))


# -- before and after ----------------------------------------------------------------------------------------------------


def _check(form: str, choice: Choice) -> None:
    if form == "warc" and choice.public:
        raise UsageError(
            "WARC files cannot be public",
            cause="their records are the publishers' pages, whole",
            next="newsmorgue export csv OUT --public",
        )
    if form == "parquet":
        require_parquet()


def _check_out(out: Path, *, file: bool) -> None:
    if not out.parent.is_dir():
        raise UsageError(f"{out.parent} is not a folder", next=f"mkdir -p {out.parent}")
    if file and out.is_dir():
        raise UsageError(
            f"{out} is a folder", cause="a SQLite export is one file", next=f"name {out / 'export.sqlite'}"
        )
    if not out.exists() or (out.is_file() and file and not out.stat().st_size):
        return
    if not out.is_dir() or any(out.iterdir()):
        raise UsageError(f"{out} is there already", cause="nothing is overwritten", next="name another place")


@contextmanager
def _workplace(out: Path) -> Iterator[Path]:
    """A folder beside `out`, emptied of what a killed export left, and gone in the end."""
    work = out.parent / f".{out.name}.part"
    try:
        work.mkdir(exist_ok=True)
        held = lock.take(work)
        try:
            for path in work.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
                elif path.name != lock.NAME:
                    path.unlink()
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)
            lock.release(held)
    except (OSError, sqlite3.OperationalError) as error:
        raise ArchiveError(
            f"cannot write {out}", cause=str(error), next="free some space or name another place, then run it again"
        ) from error


@contextmanager
def _snapshot(archive: Archive, choice: Choice) -> Iterator[sqlite3.Connection]:
    """The archive at one instant, the chosen rows as temporary views."""
    if schema.migrations.pending(archive.db):
        raise ArchiveError(
            f"{archive.path} was written by an earlier edition of newsmorgue",
            cause="its tables lack what this edition exports",
            next=f"newsmorgue crawl --archive {archive.path}, which upgrades it",
        )
    conn = archive.db.conn
    conn.execute("BEGIN")
    try:
        choose(conn, choice)
        yield conn
    finally:
        conn.execute("ROLLBACK")


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
