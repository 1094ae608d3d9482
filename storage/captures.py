"""WARC files: append in groups, fsync, read back, rotate, cut. The log of the archive; SQLite is its index.

One gzip member a record, so that a record can be read by offset and length alone. What is appended lies in memory until
`sync` writes it in one piece and makes it durable; `undo` forgets it.
"""

import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from parsers.errors import ArchiveDamaged
from parsers.version import __version__
from storage import disk, records
from storage.records import Exchange, Place, Resource, Stored, members, stretches

ROTATE_AT = 1_000_000_000
"""Bytes after which a new WARC file is begun; a group is never divided."""
SPILL_AT = 32_000_000
"""Bytes of a group that may lie in memory."""
SOFTWARE = f"newsmorgue/{__version__}"
_REWRITTEN = re.compile(r"-r\d+(?=\.warc\.gz\Z)")
_NUMBER = re.compile(r"-(\d{5,})(?:-r(\d+))?\.warc\.gz\Z")
_REVISION = re.compile(r"(.*?)(-\d{5,})-r(\d+)\.warc\.gz", re.DOTALL)
_UNNUMBERED = "-00000"


class Warc:
    """The WARC files of one archive; one writer at a time."""

    def __init__(self, folder: Path, *, rotate_at: int = ROTATE_AT) -> None:
        self.folder = folder
        self.rotate_at = rotate_at
        self._path: Path | None = None
        self._size = 0  # bytes of the file that are synced
        self._spilled = 0  # bytes of the group at hand that are in the file, but not synced
        self._fresh = False  # the file is new: its name is not durable yet
        self._buffer = BytesIO()
        self._writer = records.Writer(self._buffer)

    # -- writing -------------------------------------------------------------------------------------------------

    def append(
        self,
        exchange: Exchange | Resource,
        *,
        same_as: tuple[str, str, str] | None = None,
        note: str | None = None,
        digest: str | None = None,
    ) -> Place:
        """Append response and request, if there was one; the place is that of the response's record. Call `sync` before
        relying on it.

        `same_as`: (address, WARC-Date, payload digest) of the earlier record with the identical payload: a `revisit`
        record without payload is written, and no request: but for validators it was that of the earlier record. `note`: the
        payload is withheld for this reason: the headers are kept in a `metadata` record instead. `digest`: that of the
        payload, where it is known.
        """
        begin = self._begin(exchange.at)
        record = records.answer(self._writer, exchange, same_as, note, digest)
        place = self._place(begin)
        if isinstance(exchange, Exchange) and exchange.request_head and same_as is None:
            records.request(self._writer, exchange, record)
        self._spill()
        return place

    def facts(self, url: str, at: datetime, values: Mapping[str, object]) -> None:
        """Append facts of our own: what SQLite must know and the exchanges do not say."""
        self._begin(at)
        records.facts(self._writer, url, at, values)

    def sync(self) -> tuple[str, int] | None:
        """Write what was appended and make it durable; gives the file's name and its size in bytes, None if nothing was.

        Raises OSError, which names the file, if the disk refuses; then `undo` must follow.
        """
        if self._path is None or not (self._buffer.tell() or self._spilled):
            return None
        self._write()
        disk.sync(self._path)
        if self._fresh:
            disk.sync(self.folder)
            self._fresh = False
        self._size += self._spilled
        self._spilled = 0
        return self._path.name, self._size

    def undo(self) -> None:
        """Forget what was appended since the last `sync`. Raises OSError if it stays in the file."""
        self._clear()
        path, self._path = self._path, None  # looked for anew: after a failed write nothing is taken for granted
        self._spilled = 0
        if path is not None and path.exists():
            if self._size:
                os.truncate(path, self._size)
            else:
                path.unlink()

    def close(self) -> None:
        """Sync what was appended."""
        self.sync()
        self._path = None

    def _clear(self) -> None:
        self._buffer.seek(0)
        self._buffer.truncate()

    def _begin(self, at: datetime) -> int:
        """Where the next record begins in the file at hand, which is chosen or begun if a group begins."""
        empty = not (self._spilled or self._buffer.tell())
        if empty and (self._path is None or self._size >= self.rotate_at):
            files = self.files()
            if files and files[-1].stat().st_size < self.rotate_at:
                self._path, self._size = files[-1], files[-1].stat().st_size
            else:
                number = number_of(files[-1])[0] + 1 if files else 1
                self._path = self.folder / f"{at.astimezone(UTC):%Y%m%dT%H%M%S}-{number:05d}.warc.gz"
                self._size = 0
            self._fresh = not self._size
            if self._fresh:
                records.warcinfo(self._writer, self._path.name, SOFTWARE)
        return self._size + self._spilled + self._buffer.tell()

    def _place(self, begin: int) -> Place:
        assert self._path is not None
        return Place(self._path.name, begin, self._size + self._spilled + self._buffer.tell() - begin)

    def _spill(self) -> None:
        if self._buffer.tell() > SPILL_AT:
            self._write()

    def _write(self) -> None:
        assert self._path is not None
        try:
            with self._buffer.getbuffer() as data, self._path.open("ab", buffering=0) as file:
                written = 0
                while written < data.nbytes:
                    written += file.write(data[written:])
        except OSError as error:
            error.filename = str(self._path)
            raise
        self._spilled += self._buffer.tell()
        self._clear()

    # -- reading -------------------------------------------------------------------------------------------------

    def files(self) -> list[Path]:
        """The WARC files, in the order they were begun; of one that was rewritten, the last state."""
        newest: dict[str, Path] = {}
        for path in sorted(self.folder.glob("*.warc.gz"), key=revision_of):
            newest[revision_of(path)[0]] = path
        return sorted(newest.values(), key=lambda path: (number_of(path)[0], revision_of(path)[0]))

    def read(self, place: Place) -> Stored:
        """The record at a place. Raises ArchiveDamaged naming file and offset if its bytes are not what was written."""
        path = self.folder / place.file
        try:
            stored = next(records.read(self._member(path, place), place), None)
        except FileNotFoundError as error:
            raise ArchiveDamaged(f"{path} is missing", next="restore it from a backup") from error
        except Exception as error:
            raise ArchiveDamaged(
                f"{path}: the record at offset {place.offset} cannot be read",
                cause=str(error),
                next="restore it from a backup",
            ) from error
        if stored is None:
            raise ArchiveDamaged(f"{path}: no record at offset {place.offset}", next="restore it from a backup")
        return stored

    def _member(self, path: Path, place: Place) -> bytes:
        appended = place.offset - self._size - self._spilled
        if path == self._path and appended >= 0:
            return self._buffer.getvalue()[appended : appended + place.length]
        with path.open("rb") as file:
            file.seek(place.offset)
            return file.read(place.length)

    def whole(self, path: Path, start: int = 0) -> int:
        """Where the last whole gzip member from an offset on ends. What lies behind is a write that never ended.

        Bytes that went bad with a whole member behind them are none: they must not cost what follows.
        """
        return max((end for _, end, whole in stretches(path, start) if whole), default=start)

    def cut(self, path: Path, end: int) -> int:
        """Cut a file at an offset; the number of bytes cut off."""
        size = path.stat().st_size
        if end < size:
            os.truncate(path, end)
        return size - end

    def settle(self, path: Path) -> None:
        """Make a file and its name durable: of a process that was killed nobody knows whether it came to that."""
        disk.sync(path)
        disk.sync(self.folder)

    def records(self, path: Path, start: int = 0) -> Iterator[Stored]:
        """Every record of a file from an offset on, warcinfo left out; stops before a torn one.

        Raises ArchiveDamaged for a whole member that holds no readable record.
        """
        for begin, end in members(path, start):
            yield from self.at(path, begin, end)

    def at(self, path: Path, begin: int, end: int) -> Iterator[Stored]:
        """The record of a whole gzip member, none for a warcinfo. Raises ArchiveDamaged if there is none to read."""
        with path.open("rb") as file:
            file.seek(begin)
            member = file.read(end - begin)
        try:
            found = list(records.read(member, Place(path.name, begin, end - begin)))
        except Exception as error:
            raise ArchiveDamaged(
                f"{path}: the record at offset {begin} cannot be read", cause=str(error), next="newsmorgue verify"
            ) from error
        yield from (stored for stored in found if stored.kind != "warcinfo")


def number_of(path: Path) -> tuple[int, int]:
    """The running number in a file's name, and how often the file was rewritten (`-r1`); (0, 0) for foreign names."""
    match = _NUMBER.search(path.name)
    return (int(match[1]), int(match[2] or 0)) if match else (0, 0)


def revision_of(path: Path) -> tuple[str, int]:
    """A file's name without what says how often it was rewritten, and how often.

    Only behind a running number: a foreign `clips-r2.warc.gz` is no state of `clips.warc.gz`.
    """
    match = _REVISION.fullmatch(path.name)
    if match is None:
        return path.name.removesuffix(".warc.gz"), 0
    return match[1] + (match[2] if match[2] != _UNNUMBERED else ""), int(match[3])


def revised(path: Path) -> Path:
    """Where a file goes when it is rewritten."""
    name, number = revision_of(path)
    numbered = name if re.search(r"-\d{5,}\Z", name) else name + _UNNUMBERED
    return path.with_name(f"{numbered}-r{number + 1}.warc.gz")


def first_name(name: str) -> str:
    """The name that a file had before it was rewritten."""
    return _REWRITTEN.sub("", name)


def sync_folder(folder: Path) -> None:
    """Make what was renamed or removed in a folder durable."""
    disk.sync(folder)
