"""Mending what the WARC files or a backup can mend. Every mend is sound by itself: a repair that is killed can go on."""

import gzip
import os
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from parsers.errors import ArchiveDamaged
from parsers.page import Page
from parsers.url import try_canonical
from storage import records, verify_rows, verify_warc
from storage.captures import sync_folder
from storage.facts import PageFacts, RunFacts
from storage.findings import BYTES, Finding
from storage.keeping import Slot
from storage.records import Place, Stored
from storage.replay import Applied, Event, Replay
from storage.timing import stamp
from storage.verify_warc import Checked, FileCheck, Row, differs

if TYPE_CHECKING:
    from storage.archive import Archive

Judge = Callable[[Page, str, int | None], str | None]
"""The verdict of a page, given its kind and its site."""
BESIDE = 4096
"""Bytes before and behind a stretch that must be the same in a backup."""
ENDS = ("file_missing", "file_cut")
ALWAYS = frozenset(
    "altered_header bytes_without_row torn_tail index_behind text_missing text_extra text_mismatch latest_reading".split()
)
"""Kinds that can be mended from what is there."""


# -- bytes from a backup ---------------------------------------------------------------------------------------------


def given_back(archive: "Archive", finding: Finding, backup: Path, *, apply: bool) -> bool:
    """Take the bytes of a damaged, cut or missing stretch from a backup's WARC file of the same name.

    Only if what stands there are whole records that fill the stretch, are what their digests say and what the rows speak
    of, and if what lies before and behind is the same in both. False if the backup cannot give them.
    """
    if finding.kind not in BYTES or finding.kind == "row_without_bytes" or finding.offset is None:
        return False
    theirs, ours = backup / "warc" / finding.file, archive.warc.folder / finding.file
    if not theirs.is_file():
        return False
    with _opened(theirs) as source, _opened(ours if ours.exists() else theirs) as target:
        begin, end = finding.offset, finding.offset + (finding.length or 0)
        if finding.kind in ENDS:
            end = _end_of_whole(source, begin, min(end, os.fstat(source).st_size))
        if not (_alike(source, target, begin, end) and _fits(archive, finding.file, source, begin, end)):
            return False
        if apply:
            _copy(source, ours, begin, end)
    return True


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)


def _end_of_whole(handle: int, begin: int, stop: int) -> int:
    """Where whole records end that follow each other from an offset on."""
    for _, end, whole in records.walk(handle, begin, stop):
        if not whole or end > stop:
            break
        begin = end
    return begin


def _alike(one: int, two: int, begin: int, end: int) -> bool:
    """Whether two files are the same just before and just behind a stretch."""
    behind = min(BESIDE, *(max(os.fstat(handle).st_size - end, 0) for handle in (one, two)))
    before = min(BESIDE, begin)
    places = ((before, begin - before), (behind, end))
    return all(os.pread(one, length, at) == os.pread(two, length, at) for length, at in places)


def _fits(archive: "Archive", name: str, source: int, begin: int, end: int) -> bool:
    """Whether whole records fill a stretch and are those of the rows."""
    pointing = takewhile(lambda row: row.offset < end, verify_warc.rows(archive.db.conn, name, begin))
    check = FileCheck(
        name=name,
        handle=source,
        start=begin,
        stop=end,
        indexed=None,
        pointing=pointing,
        covered=lambda at: at,
        known=lambda url: True,
        seen=lambda record: False,
        checked=Checked(lambda checked: None),
    )
    return begin < end and next(check.findings(), None) is None and check.at == end


def _copy(source: int, path: Path, begin: int, end: int) -> None:
    fresh = not path.exists()
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        while begin < end:
            begin += os.pwrite(handle, os.pread(source, min(1 << 20, end - begin), begin), begin)
        os.fsync(handle)
    finally:
        os.close(handle)
    if fresh:
        sync_folder(path.parent)


# -- rows from records -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Reindex:
    """Rows for responses that no visit points to. `judge` says what kind of page one is that is not read any more.

    A visit that points to nothing, but speaks of such a response, is pointed to it; else the response gets rows of its own,
    under the numbers they had if those are free. What was read from a capture hangs on its number.
    """

    archive: "Archive"
    judge: Judge
    said: list[str] = field(default_factory=list)
    _wrong: set[tuple[str, int | None]] = field(default_factory=set)
    _adrift: dict[tuple[str, int], list[Row]] = field(default_factory=lambda: defaultdict(list))

    def files(self, found: Sequence[Finding]) -> None:
        """Go through every file in which there is such a response."""
        self._wrong = {(one.file, one.offset) for one in found if one.kind in ("row_without_bytes", "row_mismatch")}
        for file, offset in self._wrong:
            for row in verify_warc.rows(self.archive.db.conn, file, offset or 0):
                if row.offset != offset:
                    break
                self._adrift[row.at, row.status].append(row)
        wanted = {one.file for one in found if one.kind in ("bytes_without_row", "row_mismatch")}
        visit = capture = 0  # the last ones before the file at hand
        for path in self.archive.warc.files():
            if path.name in wanted:
                self._file(path, visit, capture)
            last = self.archive.db.execute("SELECT max(id), max(capture_id) FROM visit WHERE file = ?", (path.name,))
            visit, capture = (
                max(one, other or 0) for one, other in zip((visit, capture), last.fetchone(), strict=True)
            )
        self._captures()

    def _file(self, path: Path, visit: int, capture: int) -> None:
        archive = self.archive
        replay = Replay(archive)
        for event in archive.events(path, []):
            if isinstance(event.facts, RunFacts):
                replay.run = event.facts.run
            if event.answer is None:
                continue
            place = event.answer.place
            row = archive.db.execute(
                "SELECT id, capture_id FROM visit WHERE file = ? AND offset = ?", (place.file, place.offset)
            ).fetchone()
            if row is None or (place.file, place.offset) in self._wrong:
                with archive.transaction():
                    pointed = self._point(event.answer, row[0] if row else None)
                    row = pointed or row or self._index(replay, event, visit, capture)
            if row is not None:
                visit, capture = max(visit, row[0]), max(capture, row[1])

    def _point(self, answer: Stored, visit: int | None) -> tuple[int, int] | None:
        """Point a visit that speaks of a response to where that lies. `visit`: the one that points there already."""
        place = answer.place
        waiting = self._adrift.get((stamp(answer.at), answer.status), [])
        for row in waiting:
            moved = row._replace(offset=place.offset, length=place.length)
            if row.capture is None or visit not in (None, row.visit) or differs(answer, moved):
                continue
            waiting.remove(row)
            for table, key in (("visit", row.visit), *([("capture", row.capture)] if row.first else [])):
                self.archive.db.execute(
                    f"UPDATE {table} SET file = ?, offset = ?, length = ? WHERE id = ?",
                    (place.file, place.offset, place.length, key),
                )
            return row.visit, row.capture
        return None

    def _index(self, replay: Replay, event: Event, visit: int, capture: int) -> tuple[int, int] | None:
        """Rows for a response, behind the visit and the capture that came before it."""
        answer = event.answer
        assert answer is not None
        asked = event.facts.asked if isinstance(event.facts, PageFacts) else try_canonical(answer.url) or answer.url
        own = self.archive.db.execute(
            "SELECT id FROM capture WHERE asked = ? AND file = ? AND offset = ?",
            (asked, answer.place.file, answer.place.offset),
        ).fetchone()
        after = own[0] if own else capture
        slot = Slot(self._free("capture", capture + 1), self._free("visit", visit + 1), after)
        applied = replay.page(event, slot)
        if applied is None:
            return None
        if not applied.kept.identical and applied.facts.verdict is None and applied.facts.withheld is None:
            self._read_before(applied)
        return applied.kept.visit, applied.kept.capture

    def _free(self, table: str, key: int) -> int | None:
        return None if self.archive.db.execute(f"SELECT 1 FROM {table} WHERE id = ?", (key,)).fetchone() else key

    def _read_before(self, applied: Applied) -> None:
        """The verdict of a capture that was read before, or that later ones of its address have overtaken.

        Without one it is read as what is new at its address, like a page that a killed run fetched.
        """
        execute, kept, asked = self.archive.db.execute, applied.kept, applied.facts.asked
        read = execute(
            "SELECT 1 FROM reading WHERE capture_id = ? UNION ALL SELECT 1 FROM placement WHERE ? IN (since, until)",
            (kept.capture, kept.visit),
        ).fetchone()
        overtaken = execute(
            "SELECT 1 FROM capture c, capture own WHERE own.id = ? AND c.asked = ? AND c.at > own.at",
            (kept.capture, asked),
        ).fetchone()
        if read or overtaken:
            verdict = self.judge(applied.page, applied.facts.kind, applied.site)
            self.archive.set_verdict(kept.capture, verdict or "error")
            if verdict == "article" and not read:
                self.said.append(f"capture {kept.capture}: an older text of {asked} is kept, but in no revision")

    def _captures(self) -> None:
        """Point captures that no visit brought from where they point to what their own visits brought."""
        conn, warc = self.archive.db.conn, self.archive.warc
        for key in [key for key, *_ in verify_rows.misplaced(conn)]:
            visits = conn.execute(
                "SELECT id, file, offset FROM visit WHERE capture_id = ? ORDER BY id", (key,)
            ).fetchall()
            for visit, file, offset in visits:
                row = next(row for row in verify_warc.rows(conn, file, offset) if row.visit == visit)
                try:
                    stored = warc.read(Place(file, offset, row.length))
                except ArchiveDamaged:
                    continue
                if stored.kind != "revisit" and not differs(stored, row._replace(first=True)):
                    with self.archive.transaction():
                        place = (file, offset, row.length, key)
                        conn.execute("UPDATE capture SET file = ?, offset = ?, length = ? WHERE id = ?", place)
                    break


# -- what is kept twice, and what is lost ----------------------------------------------------------------------------


def made_again(archive: "Archive", found: Sequence[Finding]) -> None:
    """Make again what other rows or bytes tell: the full text index, the latest readings, heads of gzip members."""
    kinds = {finding.kind for finding in found}
    with archive.transaction():
        if kinds & {"text_missing", "text_extra", "text_mismatch", "latest_reading"}:
            archive.db.execute("INSERT INTO text_fts (text_fts) VALUES ('rebuild')")
        for finding in found:
            if finding.kind == "latest_reading":
                verify_rows.mark_latest(archive.db.conn, finding.offset)
        for path in archive.warc.files():
            archive.db.execute(
                "UPDATE warc SET indexed = (SELECT max(warc.indexed, coalesce(max(offset + length), 0)) FROM visit "
                "WHERE file = ?1 AND offset + length <= ?2) WHERE file = ?1",
                (path.name, path.stat().st_size),
            )
    for finding in found:
        if finding.kind == "altered_header":
            _head(archive.warc.folder / finding.file, finding)


def _head(path: Path, finding: Finding) -> None:
    """Give a gzip member the head that it was written with, if that is all that is wrong with it."""
    with path.open("r+b") as file:
        file.seek(finding.offset or 0)
        member = file.read(finding.length or 0)
        mended = records.HEADER + member[len(records.HEADER) :]
        try:
            if gzip.decompress(mended) != gzip.decompress(member):
                return
        except (OSError, EOFError, zlib.error):
            return
        file.seek(finding.offset or 0)
        file.write(records.HEADER)
        file.flush()
        os.fsync(file.fileno())


def mark(archive: "Archive", left: Sequence[Finding], *, now: datetime) -> int:
    """Note which bytes are gone: `verify` passes over them from now on. Gives the number of stretches."""
    gone = [finding for finding in left if finding.kind in BYTES and finding.length]
    with archive.transaction():
        archive.db.execute("DELETE FROM lost")
        archive.db.conn.executemany(
            "INSERT INTO lost VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [(one.file, one.offset, one.length, stamp(now, "seconds"), one.detail) for one in gone],
        )
    return len(gone)


def mendable(archive: "Archive", finding: Finding, backup: Path | None) -> bool:
    """Whether a repair would mend this, as far as that can be told beforehand."""
    if finding.behind or finding.kind in ALWAYS:
        return True
    if finding.kind == "row_without_bytes":  # mended if there is a response that no visit points to, and it is the one
        return False
    return backup is not None and given_back(archive, finding, backup, apply=False)
