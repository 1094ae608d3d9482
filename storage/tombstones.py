"""Tombstones: what must not be kept again, known by hashes alone. A table, and a sidecar that outlives the database."""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from parsers.errors import ArchiveDamaged, ArchiveError
from parsers.text import normalised
from parsers.url import try_canonical
from storage import disk
from storage.keeping import digest

SIDECAR = "takedowns.jsonl"


@dataclass(frozen=True, slots=True)
class Tombstone:
    """One decision. `kind`: url or person; `digest`: of the canonical address or the normalised name; `at`: UTC text."""

    kind: str
    digest: bytes
    at: str
    reason: str
    decided_by: str

    def as_dict(self) -> dict[str, str]:
        """A line of the sidecar."""
        return {
            "kind": self.kind,
            "digest": self.digest.hex(),
            "at": self.at,
            "reason": self.reason,
            "decided_by": self.decided_by,
        }


def of_url(url: str) -> bytes:
    """The digest of an address, in its one spelling."""
    return digest((try_canonical(url) or url).encode("utf-8", "surrogatepass"))


def of_person(name: str) -> bytes:
    """The digest of a person's name, in whatever case and marks it is written."""
    return digest(normalised(name).encode("utf-8", "surrogatepass"))


class Tombstones:
    """The tombstones of an archive; false if there are none, so that nothing need be looked for."""

    def __init__(self, stones: Iterable[Tombstone] = ()) -> None:
        self._stones: dict[bytes, Tombstone] = {}
        for stone in stones:
            self._stones.setdefault(stone.digest, stone)
        self.urls = frozenset(stone.digest for stone in self if stone.kind == "url")
        self.people = frozenset(stone.digest for stone in self if stone.kind == "person")

    def __bool__(self) -> bool:
        return bool(self._stones)

    def __iter__(self) -> Iterator[Tombstone]:
        return iter(self._stones.values())

    def url(self, url: str) -> bool:
        """Whether an address was taken down."""
        return bool(self.urls) and of_url(url) in self.urls

    def person(self, name: str) -> bool:
        """Whether a person was taken down."""
        return bool(self.people) and of_person(name) in self.people

    def of(self, url: str) -> Tombstone | None:
        """The tombstone of an address."""
        return self._stones.get(of_url(url)) if self.urls else None

    def refuse(self, *urls: str) -> None:
        """Raises ArchiveError if one of some addresses was taken down."""
        for url in urls:
            if self.url(url):
                raise ArchiveError(
                    "this story was taken down and is not kept again",
                    cause=f"tombstone {of_url(url).hex()}",
                    next="newsmorgue takedown --list",
                )


def load(conn: sqlite3.Connection, folder: Path) -> Tombstones:
    """The tombstones of the table, then of the sidecar. Raises ArchiveDamaged if the sidecar cannot be read."""
    try:
        rows = conn.execute("SELECT kind, digest, at, reason, decided_by FROM takedown ORDER BY id").fetchall()
    except sqlite3.OperationalError:  # an archive of the first edition, opened for reading, has no such columns
        rows = []
    return Tombstones([*(Tombstone(*row) for row in rows), *read(folder / SIDECAR)])


def read(path: Path) -> list[Tombstone]:
    """The tombstones of a sidecar. Raises ArchiveDamaged naming the line that is none."""
    found = []
    for number, line in enumerate(path.read_text("utf-8").splitlines() if path.exists() else (), 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
            values["digest"] = bytes.fromhex(values["digest"])
            found.append(Tombstone(**{name: values[name] for name in Tombstone.__slots__}))
        except (ValueError, KeyError, TypeError) as error:
            raise ArchiveDamaged(
                f"{path}: line {number} is no tombstone",
                cause=f"{type(error).__name__}: {error}",
                next="mend or restore that line; without it what was taken down could come back",
            ) from error
    return found


def add(conn: sqlite3.Connection, stones: Iterable[Tombstone]) -> None:
    """Put tombstones into the table; the first decision on an address or a name stays."""
    conn.executemany(
        "INSERT INTO takedown (kind, digest, at, reason, decided_by) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [(stone.kind, stone.digest, stone.at, stone.reason, stone.decided_by) for stone in stones],
    )


def write(conn: sqlite3.Connection, folder: Path) -> None:
    """Make the sidecar hold every tombstone of the table; durable when this returns."""
    path = folder / SIDECAR
    known = read(path)
    missing = [stone for stone in load(conn, folder) if stone.digest not in {one.digest for one in known}]
    if not missing:
        return
    lines = [json.dumps(stone.as_dict(), ensure_ascii=False) + "\n" for stone in (*known, *missing)]
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    disk.sync(folder)
