"""`restore`: an archive from its backup, every byte checked on the way."""

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from parsers.errors import ArchiveDamaged, UsageError
from storage import disk, lock, manifest, tombstones
from storage.captures import sync_folder
from storage.database import DATABASE
from storage.manifest import NEW, SETTINGS, SIDECARS, Copied, Entry

TAKEDOWNS = SIDECARS[1]
CHUNK = 1 << 20


def restore(
    backup: Path, folder: Path, *, dry_run: bool = False, tell: Callable[[int], None] = lambda size: None
) -> Copied:
    """Make an archive from a backup, in a folder that is new or empty, or in which a restore was killed.

    The folder may hold a `takedowns.jsonl`: what was taken down since the backup goes when the archive is first opened for
    writing. Sizes and SHA-256 are checked while files are copied; `dry_run` checks them and writes nothing. Raises UsageError
    if there is no backup or the folder holds something, ArchiveDamaged naming the file that is not what was backed up,
    ArchiveError if the disk refuses. Until all is there, the folder is no archive.
    """
    entries = manifest.read(backup)
    _must_be_free(folder, entries)
    tombstones.read(folder / TAKEDOWNS)
    decided = _lines(folder / TAKEDOWNS)
    done = Copied(list(entries.values()))
    order = sorted(entries.values(), key=lambda entry: (entry.name == DATABASE, entry.name == SETTINGS))
    if dry_run:
        for entry in order:
            _copy(manifest.place(backup, entry.name), None, entry, done, tell)
        return done
    with manifest.written(folder):
        for name in ("warc", "reports"):
            disk.make_folder(folder / name)
    held = lock.take(folder)
    try:
        for entry in order:
            if entry.name == DATABASE:
                _remember(folder, decided)
            with manifest.written(folder):
                staged = folder / f"{entry.name}{NEW}"
                _copy(manifest.place(backup, entry.name), staged, entry, done, tell)
                staged.replace(folder / entry.name)
                sync_folder((folder / entry.name).parent)
    finally:
        lock.release(held)
    return done


def _remember(folder: Path, decided: Sequence[str]) -> None:
    """Add tombstones that the folder had to those of the backup, before there is a database that they could come back in."""
    known = _lines(folder / TAKEDOWNS)
    with manifest.written(folder), (folder / f"{TAKEDOWNS}{NEW}").open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in dict.fromkeys((*known, *decided)))
        file.flush()
        os.fsync(file.fileno())
    (folder / f"{TAKEDOWNS}{NEW}").replace(folder / TAKEDOWNS)
    sync_folder(folder)


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8").splitlines() if line.strip()] if path.is_file() else []


def _must_be_free(folder: Path, entries: dict[str, Entry]) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", next="name a folder that is new or empty")
    names = {path.name for path in folder.iterdir()}
    if DATABASE in names:
        raise UsageError(
            f"{folder} is an archive already", cause=f"it holds {DATABASE}", next="name a folder that is new or empty"
        )
    ours = {"warc", "reports", "lock", *SIDECARS, *(f"{name}{NEW}" for name in entries)}
    strange = names - ours
    if SETTINGS in names and SETTINGS in entries and _digest(folder / SETTINGS) == entries[SETTINGS].sha256:
        strange.remove(SETTINGS)
    files = {f"warc/{path.name}" for path in (folder / "warc").glob("*")} if "warc" in names else set()
    strange |= files - {*entries, *(f"{name}{NEW}" for name in entries)}
    if strange:
        raise UsageError(
            f"{folder} is not empty", cause=f"it holds {min(strange)}", next="name a folder that is new or empty"
        )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _copy(source: Path, target: Path | None, entry: Entry, done: Copied, tell: Callable[[int], None]) -> None:
    """Copy as many bytes of a file as its entry says, checking them."""
    digest = hashlib.sha256()
    left = entry.size
    try:
        with source.open("rb") as reading, (target or Path(os.devnull)).open("wb") as writing:
            while left and (data := reading.read(min(CHUNK, left))):
                digest.update(data)
                writing.write(data)
                left -= len(data)
                done.copied += len(data)
                tell(done.copied)
            if target is not None:
                writing.flush()
                os.fsync(writing.fileno())
    except FileNotFoundError as error:
        raise ArchiveDamaged(f"{source} is missing", next="take another backup") from error
    if left or digest.hexdigest() != entry.sha256:
        if target is not None:
            target.unlink()
        raise ArchiveDamaged(
            f"{source} is not what was backed up",
            cause=f"it lacks {left} of {entry.size} bytes" if left else "its SHA-256 is another one",
            next="take another backup; nothing was restored that could be taken for an archive",
        )
    if target is not None:
        shutil.copymode(source, target)
