"""A disk that can lose its power, be full, or refuse: what `crash.py` does to a process's files.

Power loss. `Shadow.watch` stands in for `os.fsync`, `os.replace`, `os.rename` and `os.unlink` in the process at work and
keeps, beside the archive, what is durable: of each file its bytes at its last fsync, of each folder its names at its last
fsync. `Shadow.lose_power` then leaves one of the states that a power cut may leave: a file has its durable bytes and any
part of what came later, whole, cut at any byte or followed by zeros or garbage; a name that its folder's fsync has not
seen may be missing, back, or stand for what it stood for before.

SQLite's own syncs are not seen. What is known of them: it syncs the -wal before a checkpoint copies pages from it, so
that the -wal is never cut below `nBackfillAttempted` frames of the -shm, and it syncs archive.db before it reuses the
-wal. So archive.db keeps its bytes, and the -wal loses any part behind that frame. A -wal that is gone may be back where
archive.db was replaced since and its folder not synced in between.
"""

import errno
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_DATABASE = re.compile(r"\.db(\.new)?(-wal|-shm|-journal)?\Z")


class Shadow:
    """What of the folder `area` is durable, kept in the folder `at` on the same file system."""

    def __init__(self, area: Path, at: Path) -> None:
        self.area = area
        self.at = at

    def begin(self) -> None:
        """Take everything as it is now for durable."""
        shutil.rmtree(self.at, ignore_errors=True)
        for name in ("bytes", "names", "pins"):
            (self.at / name).mkdir(parents=True)
        for folder, _, names in os.walk(self.area):
            self._folder_synced(Path(folder))
            for name in names:
                self._file_synced(Path(folder, name))

    # -- in the process at work ------------------------------------------------------------------------------------

    def watch(self) -> None:
        """From now on note in this process what becomes durable."""
        for wal in self.area.rglob("archive.db-wal"):
            self._file_synced(wal)
            self._name_synced(wal)
        fsync, replace, rename, unlink = os.fsync, os.replace, os.rename, os.unlink

        def synced(handle: int) -> None:
            fsync(handle)
            path = Path(os.readlink(f"/proc/self/fd/{handle}"))
            if path.is_relative_to(self.area):
                (self._folder_synced if path.is_dir() else self._file_synced)(path)

        def moved(move: Callable[..., None], old: Any, new: Any, **given: Any) -> None:
            self._pin(Path(new))
            move(old, new, **given)

        def removed(path: Any, **given: Any) -> None:
            if "dir_fd" not in given:
                self._pin(Path(path))
            unlink(path, **given)

        os.fsync = synced  # type: ignore[assignment]
        os.replace = lambda old, new, **given: moved(replace, old, new, **given)  # type: ignore[assignment]
        os.rename = lambda old, new, **given: moved(rename, old, new, **given)  # type: ignore[assignment]
        os.unlink = os.remove = removed  # type: ignore[assignment]

    def _file_synced(self, path: Path) -> None:
        inode = self._pin(path)
        part = self.at / "bytes" / f"{inode}.part"
        shutil.copyfile(path, part)
        part.rename(self.at / "bytes" / str(inode))

    def _folder_synced(self, path: Path) -> None:
        place = self._names_of(path)
        part = place.with_suffix(".part")
        part.write_text(json.dumps(_listing(path)), "utf-8")
        part.rename(place)

    def _name_synced(self, path: Path) -> None:
        place = self._names_of(path.parent)
        names = json.loads(place.read_text("utf-8")) if place.exists() else {}
        place.write_text(json.dumps(names | {path.name: path.stat().st_ino}), "utf-8")

    def _pin(self, path: Path) -> int:
        """Keep a file's inode from being reused, and what it holds at hand, when its name goes."""
        try:
            inode = path.stat().st_ino
            os.link(path, self.at / "pins" / str(inode))
        except FileNotFoundError:
            return 0
        except FileExistsError:
            pass
        return inode

    def _names_of(self, folder: Path) -> Path:
        return self.at / "names" / (str(folder.relative_to(self.area)).replace("/", "+") + ".json")

    # -- afterwards ------------------------------------------------------------------------------------------------

    def lose_power(self, rng: random.Random) -> list[str]:
        """Leave what a power cut may leave, and take it for durable; says what was lost."""
        said = list(self._names(self.area, rng))
        for folder, _, names in os.walk(self.area):
            for name in names:
                path = Path(folder, name)
                cut = _cut_wal(path, rng) if name.endswith(".db-wal") else self._cut(path, rng)
                if cut:
                    said.append(f"{name}: {cut}")
        for shm in self.area.rglob("*.db-shm"):
            if rng.random() < 0.5:
                shm.unlink()
        self.begin()
        return said

    def _names(self, folder: Path, rng: random.Random) -> Iterator[str]:
        now = _listing(folder)
        seen = self._names_of(folder)
        durable = json.loads(seen.read_text("utf-8")) if seen.exists() else {}
        replaced = "archive.db" in durable and durable["archive.db"] != now.get("archive.db")
        for name in sorted(now.keys() | durable.keys()):
            before, after = durable.get(name), now.get(name)
            ours = not _DATABASE.search(name) or (replaced and name in ("archive.db", "archive.db-wal"))
            if before == after or not ours or rng.random() < 0.5:
                continue
            path = folder / name
            if after is not None:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            if before is not None and (pin := self.at / "pins" / str(before)).exists():
                durable_bytes = self.at / "bytes" / str(before)
                whole = name == "archive.db" or not durable_bytes.exists()
                shutil.copyfile(pin if whole else durable_bytes, path)
            yield f"{name}: back to what it was" if before is not None else f"{name}: was never there"
        for name in os.listdir(folder):
            if (folder / name).is_dir():
                yield from self._names(folder / name, rng)

    def _cut(self, path: Path, rng: random.Random) -> str:
        if _DATABASE.search(path.name):
            return ""
        known = self.at / "bytes" / str(path.stat().st_ino)
        durable = known.read_bytes() if known.exists() else b""
        now = path.read_bytes()
        if now == durable:
            return ""
        common = len(durable) if now.startswith(durable) else _common(now, durable)
        if common < len(durable):  # cut back, or cut and written anew: the old bytes may be back
            left = rng.choice([durable, durable[:common], now, now[: rng.randint(common, len(now))]])
        else:
            left = now[: rng.randint(common, len(now))]
            rest = len(now) - len(left)
            left += rng.choice([b"", b"", bytes(rng.randint(0, rest)), rng.randbytes(rng.randint(0, rest))])
        _overwrite(path, left)
        return f"{len(now)} bytes, {len(durable)} of them durable, became {len(left)}"


def _common(one: bytes, other: bytes) -> int:
    """How many bytes two files have in common from the beginning on."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _listing(folder: Path) -> dict[str, int]:
    return {entry.name: entry.inode() for entry in os.scandir(folder)}


def _overwrite(path: Path, data: bytes) -> None:
    path.unlink()
    path.write_bytes(data)


def _cut_wal(path: Path, rng: random.Random) -> str:
    """Cut a write-ahead log (SQLite, WAL file format): 32 bytes, then frames of 24 bytes and a page."""
    shm = path.with_name(path.name.removesuffix("-wal") + "-shm")
    index = shm.read_bytes()[:136] if shm.exists() else b""
    now = path.read_bytes()
    if len(index) < 136 or len(now) <= 32:
        return ""  # nothing is known of what is synced
    attempted = int.from_bytes(index[128:132], "little")
    page = int.from_bytes(now[8:12], "big")
    least = 32 + attempted * (24 + page) if attempted else 0
    if least >= len(now):
        return ""
    end = rng.choice([least, rng.randint(least, len(now)), rng.randint(least, len(now))])
    rest = len(now) - end
    _overwrite(path, now[:end] + rng.choice([b"", b"", bytes(rest), rng.randbytes(rest)]))
    return f"cut from {len(now)} to {end} bytes, {least} of them durable"


# -- full and failing disks ----------------------------------------------------------------------------------------


def mount(at: Path, megabytes: int) -> bool:
    """A small file system of its own at a folder; False where that is not allowed."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(at)]
    return subprocess.run(command, capture_output=True).returncode == 0


def unmount(at: Path) -> None:
    """Take it away again."""
    subprocess.run(["umount", "--lazy", str(at)], capture_output=True)


def fill(at: Path, free: int) -> None:
    """Fill a file system with a file `ballast` until about `free` bytes are left."""
    room = os.statvfs(at)
    with (at / "ballast").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, room.f_bavail * room.f_frsize - free))


def limit_files(size: int) -> None:
    """No file of this process grows beyond `size` bytes: writes come out short, then fail with EFBIG."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def unlimit_files() -> None:
    """Files may grow again."""
    most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def fail_fsync(at: int, times: int, *, truncate: bool) -> None:
    """From call `at` on `os.fsync` fails `times` times in this process; with `truncate`, so does `os.truncate` meanwhile."""
    fsync, cut = os.fsync, os.truncate
    calls = 0

    def failing() -> bool:
        return at <= calls < at + times

    def synced(handle: int) -> None:
        nonlocal calls
        calls += 1
        if failing():
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(handle)

    def truncated(path: Any, size: int) -> None:
        if truncate and failing():
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        cut(path, size)

    os.fsync = synced  # type: ignore[assignment]
    os.truncate = truncated  # type: ignore[assignment]
