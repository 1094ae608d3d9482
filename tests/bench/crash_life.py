"""One life of a process that writes an archive, as `crash.py` starts and ends it: what it does, and what it says it did.

Before an action it says {"begin": n}, after it {"done": n, ...} with what is acknowledged. It works through what users
call: verbs of the command line, `Archive.open`, `scraper.runs.crawl`, and, so that groups have the size that the round
wants, the crawl's own way of keeping what came.
"""

import dataclasses
import json
import os
import random
import signal
import sqlite3
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import crash_disk
from crash_check import Acknowledged
from crash_stock import START, Stock, failure, not_modified

from parsers.errors import NewsmorgueError
from scraper import ingest, runs
from scraper.cli import main as cli
from scraper.crawl import Crawl, Limits, _Came
from scraper.reading import Reading
from scraper.settings import Settings
from storage import captures, timing
from storage.archive import Archive
from storage.captures import Warc

Say = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Life:
    """What one process does. `actions`: names of `ACTIONS` with a number each.

    `rotate_at`, `spill_at`, `checkpoint`: bytes of a WARC file, bytes of a group in memory, pages of the -wal before a
    checkpoint; 0 leaves them. `steps`: the process kills itself before or after this many fsyncs, renames and cuts; 0:
    it is killed from outside. `fail`: arguments of `crash_disk.fail_fsync`. `most`: bytes that no file may exceed.
    `goes_on`: after an error it frees the disk, does the same again and goes on.
    """

    seed: int
    number: int
    actions: tuple[tuple[str, int], ...]
    rotate_at: int = 0
    spill_at: int = 0
    checkpoint: int = 0
    steps: int = 0
    fail: tuple[int, int, bool] | None = None
    most: int = 0
    goes_on: bool = False


class Ticking:
    """A clock that moves a second each time it is asked, so that every visit has its own time."""

    def __init__(self, start: datetime) -> None:
        self.at = start

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@dataclass(slots=True)
class Worker:
    """The process at work on `folder`. `known`: addresses that were kept and read; `doomed`: those of takedowns. `backed`:
    there is a backup."""

    life: Life
    folder: Path
    stock: Stock
    known: set[str]
    doomed: set[str]
    backed: bool
    portal: Settings
    say: Say
    clock: Ticking
    rng: random.Random
    archive: Archive | None = None
    crawl: Crawl | None = None
    run: int = 0
    reads: bool = True
    said: dict[str, Any] = field(default_factory=dict)

    # -- verbs -------------------------------------------------------------------------------------------------------

    def verb(self, *words: str) -> None:
        """Call a verb of the command line in this process."""
        os.environ["NEWSMORGUE_NOW"] = timing.stamp(self.clock.now())
        code = cli.run(words)
        if code:
            raise Refused(code)

    def init(self, _: int) -> None:
        self.verb("init", str(self.folder), "--contact", "archive@example.org")
        self.said["init"] = True

    def rebuild(self, _: int) -> None:
        self.verb("rebuild", "--archive", str(self.folder))

    def takedown(self, _: int) -> None:
        if stories := [url for url in sorted(self.known) if self.stock.kinds[url] == "story"]:
            url = self.rng.choice(stories)
            self.doomed.add(url)
            self.known = self.known - {url}
            self.say({"doomed": url})
            self.verb("takedown", url, "--apply", "--reason", "asked", "--by", "us", "--archive", str(self.folder))
            self.said["gone"] = url

    def backup(self, _: int) -> None:
        self.verb("backup", str(self.folder.with_name("backup")), "--archive", str(self.folder))
        self.said["backup"] = True

    def restore(self, _: int) -> None:
        if self.backed and not self.folder.with_name("restored").exists():
            self.verb("restore", str(self.folder.with_name("backup")), str(self.folder.with_name("restored")))
            self.said["restored"] = True

    # -- an open archive -----------------------------------------------------------------------------------------------

    def open(self, _: int) -> None:
        self.archive = Archive.open(self.folder, write=True)
        if self.life.checkpoint:
            self.archive.db.execute(f"PRAGMA wal_autocheckpoint = {self.life.checkpoint}")

    def begin(self, reads: int) -> None:
        """Begin a run as `scraper.runs.crawl` does."""
        assert self.archive is not None
        settings, limits, started = self.stock.settings, Limits(read=bool(reads)), self.clock.now()
        values = {
            **settings.as_json(),
            "chosen": [site.name for site in settings.sites],
            "limits": dataclasses.asdict(limits),
        }
        self.run = self.archive.start_run(
            now=started, version="1", command="crawl", settings=json.dumps(values, default=str)
        )
        self.reads = bool(reads)
        self.crawl = Crawl(
            self.archive, settings, settings.sites, clock=self.clock, agent="a", limits=limits, progress=Silent(),
            run=self.run, started=started,
        )  # fmt: skip
        ingest.catch_up(self.crawl.ingest)
        self.said["run"] = [self.run, "running"]

    def group(self, size: int) -> None:
        """Keep a group of answers and failures in one transaction, as the crawl does."""
        assert self.archive is not None
        assert self.crawl is not None
        pages: list[list[Any]] = []
        failures: list[list[Any]] = []
        known = set(self.known)
        with self.archive.transaction():
            for _ in range(size):
                came, version = self._came(known)
                outcome = self.crawl._keep(came)
                entry, site = came.entry, self.stock.sites[came.entry.url].name
                if came.fetched is None:
                    failures.append([entry.url, site, self.clock.at.date().isoformat()])
                else:
                    at = came.fetched.exchanges[-1].at
                    withheld = self.stock.answers[entry.url][0].reading.optouts
                    pages.append([entry.url, site, "withheld" if withheld else outcome, timing.stamp(at), version])
                    if outcome != "unread":
                        known.add(entry.url)
        self.said |= {"pages": pages, "failures": failures}
        self.known = known

    def _came(self, known: set[str]) -> tuple[_Came, int | None]:
        assert self.archive is not None
        kind = self.rng.choices(("story", "front", "feed"), (16, 2, 1))[0]
        url = self.rng.choice([url for url, one in self.stock.kinds.items() if one == kind and url not in self.doomed])
        site = self.stock.sites[url]
        at = self.clock.now()
        row = self.archive.db.execute("SELECT id FROM site WHERE name = ?", (site.name,)).fetchone()
        entry = self.archive.frontier.find(url, site=row[0], kind=kind, now=at)
        if self.rng.random() < 0.06:
            return _Came(entry, error=failure(url, self.rng)), None
        if url in known and self.rng.random() < 0.15:
            return _Came(entry, not_modified(url, at)), None
        version = self.rng.randrange(len(self.stock.answers[url]))
        answer = self.stock.answers[url][version]
        fetched = answer.fetched(at)
        if self.archive.holds(url, fetched.page):
            return _Came(entry, fetched), version
        later = kind == "story" and not self.reads
        return _Came(entry, fetched, Reading(optouts=answer.reading.optouts) if later else answer.reading), version

    def end(self, _: int) -> None:
        assert self.archive is not None
        self.archive.end_run(self.run, now=self.clock.now(), state="done", counts={}, errors=0)
        self.said["run"] = [self.run, "done"]

    def close(self, _: int) -> None:
        if self.archive is not None:
            archive, self.archive = self.archive, None
            archive.close()

    # -- the whole crawl -----------------------------------------------------------------------------------------------

    def fetch(self, stories: int) -> None:
        """A crawl of the demo portal over HTTP; it acknowledges an address when its progress says so."""
        limits, progress = Limits(wait=0.0, stories=stories), Acknowledging(self.say)
        runs.crawl(self.folder, self.portal, self.portal.sites, clock=self.clock, limits=limits, progress=progress)  # type: ignore[arg-type]


class Refused(Exception):
    """A verb ended with this exit code."""


class Silent:
    """Progress that nobody watches."""

    def fetched(self, site: str, url: str, outcome: str) -> None:
        """Say nothing."""

    def queued(self, waiting: object) -> None:
        """Say nothing."""


@dataclass(slots=True)
class Acknowledging(Silent):
    """Progress that says what was kept."""

    say: Say

    def fetched(self, site: str, url: str, outcome: str) -> None:
        """An address was kept."""
        self.say({"fetched": [url, outcome]})


VERBS = ("rebuild", "takedown", "backup", "restore")
"""Verbs that rounds call while nobody has the archive open."""


# -- the process -----------------------------------------------------------------------------------------------------


def live(life: Life, folder: Path, stock: Stock, said: Acknowledged, portal: Settings, say: Say) -> None:
    """Do what the life says. Errors are said: {"error": ...} for ours, {"traceback": ...} for any other."""
    _arm(life)
    clock = Ticking(START + timedelta(days=life.number))
    known = said.known - said.doomed
    worker = Worker(
        life, folder, stock, known, said.doomed, said.backup is not None, portal, say, clock, random.Random(life.seed)
    )
    for n, (name, number) in enumerate(life.actions):
        say({"begin": n})
        if _do(worker, n, name, number, say):
            continue
        if not life.goes_on:
            return
        (folder.parent / "ballast").unlink(missing_ok=True)
        crash_disk.unlimit_files()
        if name not in ("group", "end", "close") and not _do(worker, n, name, number, say):
            return


def _do(worker: Worker, n: int, name: str, number: int, say: Say) -> bool:
    """One action; whether all went well."""
    worker.said = {}
    begun = time.perf_counter()
    try:
        getattr(worker, name)(number)
    except NewsmorgueError as error:
        say({"error": str(error), "code": error.exit_code, "action": name})
    except Refused as error:
        say({"error": "", "code": error.args[0], "action": name})
    except Exception:
        say({"traceback": traceback.format_exc(), "action": name})
    else:
        say({"done": n, "seconds": time.perf_counter() - begun, **worker.said})
        return True
    return False


def _arm(life: Life) -> None:
    if life.rotate_at:
        assert Warc.__init__.__kwdefaults__
        Warc.__init__.__kwdefaults__["rotate_at"] = life.rotate_at
    if life.spill_at:
        captures.SPILL_AT = life.spill_at
    if life.fail:
        at, times, truncate = life.fail
        crash_disk.fail_fsync(at, times, truncate=truncate)
    if life.most:
        crash_disk.limit_files(life.most)
    if life.steps:
        _kill_at(life.steps)


def _kill_at(step: int) -> None:
    """Kill this process before or after its n-th fsync, rename, cut or removal."""
    left = step

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **given: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            found = call(*args, **given)
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return found

        return wrapper

    for name in ("fsync", "replace", "rename", "truncate", "ftruncate", "unlink"):
        setattr(os, name, counted(getattr(os, name)))


def read_along(folder: Path) -> None:
    """Hold a reader's snapshot of the archive until killed: checkpoints cannot go past it."""
    try:
        with Archive.open(folder) as archive:
            archive.db.conn.execute("BEGIN")
            archive.db.conn.execute("SELECT count(*) FROM capture").fetchone()
            time.sleep(60)
    except (NewsmorgueError, sqlite3.Error):
        return


def silence(to: Path) -> None:
    """Send what this process prints to a file."""
    handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(handle, stream)
