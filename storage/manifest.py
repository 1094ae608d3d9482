"""`backup.json`: what a backup consists of, and which of its files count when one was killed."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from parsers.errors import ArchiveDamaged, ArchiveError, SchemaTooNew, UsageError
from storage import disk
from storage.captures import sync_folder
from storage.database import DATABASE

MANIFEST = "backup.json"
SETTINGS = "newsmorgue.toml"
SIDECARS = ("corrections.jsonl", "takedowns.jsonl")
NEW = ".new"
"""Ending of a file that is to take the place of another, or that a killed backup left."""
SCHEMA = 1


class Entry(NamedTuple):
    """A file of a backup: its name below the folder, its size in bytes, and the SHA-256 (hex) of so many bytes."""

    name: str
    size: int
    sha256: str


@dataclass(slots=True)
class Copied:
    """What a backup or a restore did. `copied`: bytes written, or to be. `said`: what is not as it should be, in words."""

    files: list[Entry] = field(default_factory=list)
    copied: int = 0
    said: list[str] = field(default_factory=list)


def read(folder: Path) -> dict[str, Entry]:
    """The files of the backup that counts, by name. Raises UsageError if there is none, ArchiveDamaged, SchemaTooNew."""
    path = _counting(folder)
    if path is None:
        raise UsageError(f"{folder} is no backup", cause=f"it holds no {MANIFEST}", next=f"newsmorgue backup {folder}")
    try:
        value = json.loads(path.read_text("utf-8"))
        entries = [Entry(str(one["name"]), int(one["size"]), str(one["sha256"])) for one in value["files"]]
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise ArchiveDamaged(f"{path} cannot be read", cause=str(error), next="take another backup") from error
    if value.get("schema") != SCHEMA:
        raise SchemaTooNew(f"{path} was written by a later edition of newsmorgue", next="upgrade newsmorgue")
    for entry in entries:
        if entry.name not in (DATABASE, SETTINGS, *SIDECARS) and not _is_warc(entry.name):
            raise ArchiveDamaged(
                f"{path} names {entry.name!r}, which is no file of an archive", next="take another backup"
            )
    return {entry.name: entry for entry in entries}


def refuse(folder: Path) -> None:
    """Raises UsageError if a folder is a backup: whoever wrote into it would make its manifest untrue."""
    if _counting(folder) is not None:
        raise UsageError(f"{folder} is a backup", next=f"newsmorgue restore {folder} DIR")


def _is_warc(name: str) -> bool:
    folder, _, file = name.partition("/")
    return folder == "warc" and file.endswith(".warc.gz") and Path(file).name == file


def _counting(folder: Path) -> Path | None:
    """The manifest that counts: that of a backup which was complete, but not tidied up, comes first."""
    paths = (folder / f"{MANIFEST}{NEW}", folder / MANIFEST)
    return next((path for path in paths if path.is_file()), None)


def place(folder: Path, name: str) -> Path:
    """Where the bytes of a file lie that counts."""
    staged = folder / f"{name}{NEW}"
    return staged if (folder / f"{MANIFEST}{NEW}").is_file() and staged.is_file() else folder / name


def commit(folder: Path, value: dict[str, Any]) -> None:
    """Make what was staged the backup that counts, from one instant to the next."""
    path = folder / f"{MANIFEST}.tmp"
    with path.open("w", encoding="utf-8") as file:
        json.dump(value, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(folder / "warc")
    sync_folder(folder)
    path.replace(folder / f"{MANIFEST}{NEW}")
    sync_folder(folder)
    settle(folder)


def settle(folder: Path) -> None:
    """Give every file of the backup that counts its name, and remove what a killed one left."""
    committed = folder / f"{MANIFEST}{NEW}"
    if committed.is_file():
        for name in read(folder):
            staged = folder / f"{name}{NEW}"
            if staged.is_file():
                staged.replace(folder / name)
        sync_folder(folder / "warc")
        sync_folder(folder)
        committed.replace(folder / MANIFEST)
        sync_folder(folder)
    for path in (*folder.glob(f"*{NEW}*"), *folder.glob("*.tmp"), *folder.glob(f"warc/*{NEW}")):
        path.unlink()


@contextmanager
def written(folder: Path) -> Iterator[None]:
    """An error of the system inside becomes one of ours that names the folder."""
    try:
        yield
    except OSError as error:
        raise ArchiveError(
            f"cannot write to {folder}",
            cause=str(error),
            next="free some space or look after the disk, then run the same command; what was there before is as it was",
        ) from error


def furnish(path: Path) -> None:
    """What belongs into an archive's folder beside the database, made where it is missing, durable."""
    for name in ("warc", "reports"):
        disk.make_folder(path / name)
    if missing := [name for name in SIDECARS if not (path / name).exists()]:
        for name in missing:
            (path / name).touch()
        disk.sync(path)
