"""A round of `crash.py`: an archive, the lives of one to three processes and their ends, and what is left."""

import json
import os
import random
import select
import shutil
import signal
import sys
import tarfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import crash_check
import crash_disk
import crash_life
import crash_stock
from crash_check import Acknowledged
from crash_disk import Shadow
from crash_life import Life
from crash_stock import Stock

from scraper.settings import FILE, Settings, load
from storage.restore import restore

FIRST_EDITION = Path(__file__).resolve().parents[2] / "fixtures" / "archives" / "0.1.0.tar.xz"
PATIENCE = 100.0
"""Seconds after which a process that does not end has hung."""
COMPARED = 0.1
"""Share of the rounds whose archive is compared, row for row, with one made anew from its WARC files."""
SIZED = ("group", "fetch")
"""Actions whose number is a number of pages."""
KILLED = ("kill", "power")
"""Kinds of rounds whose processes are killed; those of the others meet a disk that refuses."""


@dataclass(slots=True)
class Bench:
    """What rounds share. `area`: where they work. `portal`: settings of the running demo portal.

    `templates`: archives to begin with. `typical`: seconds that an action takes, or a page of it.
    """

    area: Path
    stock: Stock
    portal: Settings
    templates: dict[str, tuple[Path, Acknowledged]] = field(default_factory=dict)
    typical: dict[str, float] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """Every site that an archive may hold."""
        return Settings(self.stock.settings.crawl, self.stock.settings.sites + self.portal.sites)


@dataclass(slots=True)
class Result:
    """What came of a round. `killed`: the actions in which its processes were killed. `story`: how it went, in words."""

    kind: str
    number: int
    inconsistent: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    acknowledged: int = 0
    recovered: int = 0
    compared: int = 0
    story: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def wrong(self) -> list[str]:
        """Everything that must not be."""
        return self.inconsistent + self.lost + self.unclear


def prepare(area: Path, portal: Settings) -> Bench:
    """Write the pages, make the archives to begin with, and learn how long an action takes."""
    bench = Bench(area, crash_stock.make(area), portal)
    with tarfile.open(FIRST_EDITION) as packed:
        packed.extractall(area / "first", filter="data")
    bench.templates["first"] = (area / "first", crash_check.everything(area / "first" / "archive"))
    session = (("init", 0), ("open", 0), ("begin", 1), ("group", 30), ("group", 30), ("end", 0), ("close", 0))
    verbs = (*((verb, 0) for verb in crash_life.VERBS), ("fetch", 8))
    for name, actions in (("stock", session), ("learnt", (*session, *verbs))):
        round_ = Round(bench, Result("stock", 0), random.Random(0), area / name)
        round_.area.mkdir()
        round_.live(Life(1, 0, actions))
        if round_.result.wrong or round_.result.errors:
            raise SystemExit("\n".join([*round_.result.wrong, *round_.result.errors]))
        if name == "stock":
            bench.templates["stock"] = (round_.area, round_.said)
    return bench


def run(bench: Bench, kind: str, number: int, seed: int, *, keep: bool) -> Result:
    """One round; `keep` leaves its folder."""
    result = Result(kind, number)
    begun = time.perf_counter()
    area = bench.area / f"{kind}-{number}"
    area.mkdir()
    mounted = kind == "enospc" and crash_disk.mount(area, 64)
    try:
        Round(bench, result, random.Random(f"{seed} {kind} {number}"), area, mounted).go()
    except Exception:
        result.inconsistent.append(traceback.format_exc())
    finally:
        if mounted:
            if keep:
                shutil.copytree(area, area.with_name(f"{area.name}-left"))
            crash_disk.unmount(area)
        if not keep:
            for path in bench.area.glob(f"{area.name}*"):
                shutil.rmtree(path, ignore_errors=True)
    result.seconds = time.perf_counter() - begun
    return result


@dataclass(slots=True)
class Round:
    """One round in the folder `area`. `mounted`: that is a small disk of its own. `said`: what was acknowledged."""

    bench: Bench
    result: Result
    rng: random.Random
    area: Path
    mounted: bool = False
    said: Acknowledged = field(default_factory=Acknowledged)
    shadow: Shadow | None = None
    first: bool = False

    @property
    def folder(self) -> Path:
        """The archive's."""
        return self.area / "archive"

    @property
    def printed(self) -> Path:
        """Where processes print to: not on the disk that is full."""
        return self.area.with_name(f"{self.area.name}-printed")

    def go(self) -> None:
        """Begin with some archive, let processes live and end, and look at what is left."""
        rng = self.rng
        start = rng.choices(("new", "first", "stock"), (2, 1, 4))[0]
        self.first = start == "first"
        if start != "new":
            template, said = self.bench.templates[start]
            shutil.copytree(template, self.area, dirs_exist_ok=True)
            self.said = said.copy()
        self.result.story.append(f"begins with an archive: {start}")
        if self.result.kind == "power":
            self.shadow = Shadow(self.area, self.area.with_name(f"{self.area.name}-durable"))
            self.shadow.begin()
        lives = rng.choices((1, 2, 3), (10, 7, 3))[0]
        for number in range(1, lives + 1):
            life = self.plan(number)
            self.result.story.append(str(life))
            if self.mounted:
                crash_disk.fill(self.area, free=int(2 ** rng.uniform(8, 21)))
            self.live(life)
            if self.mounted:
                (self.area / "ballast").unlink(missing_ok=True)
            if self.shadow and (number == lives or rng.random() < 0.5):
                self.result.story += self.shadow.lose_power(rng)
        self.look()

    # -- what a process does and how it ends -----------------------------------------------------------------------

    def plan(self, number: int) -> Life:
        """Some life."""
        rng, kind = self.rng, self.result.kind
        actions: list[tuple[str, int]] = [] if (self.folder / FILE).exists() else [("init", 0)]
        for _ in range(rng.choice((1, 1, 2))):
            what = rng.choices(("session", "verb", "fetch"), (6, 4, 1))[0]
            if what == "session":
                actions += [("open", 0), ("begin", int(rng.random() < 0.9))]
                actions += [("group", min(50, int(1.3 ** rng.uniform(0, 15.5)))) for _ in range(rng.randint(1, 4))]
                actions += [("end", 0), ("close", 0)]
            elif what == "verb":
                # The first edition wrote no runs to its files: a rebuild has none of them.
                actions.append((rng.choice(crash_life.VERBS[self.first :]), 0))
            else:
                actions.append(("fetch", rng.randint(1, 8)))
        faults: dict[str, Any] = {}
        if (kind == "fsync" and rng.random() < 0.35) or (kind == "enospc" and not self.mounted):
            faults = {"most": int(2 ** rng.uniform(12, 20))}
        elif kind == "fsync":
            faults = {"fail": (rng.randint(1, 12), rng.choice((1, 1, 2, 1000)), rng.random() < 0.2)}
        elif kind in KILLED and rng.random() < 0.3:
            faults = {"steps": rng.randint(1, 40)}
        return Life(
            rng.randrange(1 << 30),
            number,
            tuple(actions),
            rotate_at=rng.choice((0, 0, rng.randint(5_000, 80_000))),
            spill_at=rng.choice((0, 0, 0, rng.randint(2_000, 20_000))),
            checkpoint=rng.choice((0, rng.randint(5, 200))),
            goes_on=kind not in KILLED and rng.random() < 0.5,
            **faults,
        )

    def end(self, life: Life) -> tuple[int, float]:
        """In which action a process is killed from outside, and how many seconds after it has begun; (-1, 0): in none."""
        if self.result.kind not in KILLED or life.steps:
            return -1, 0.0
        weights = {"open": 3, "fetch": 3, "init": 2, "close": 2, **dict.fromkeys(crash_life.VERBS, 3)}
        numbers = range(len(life.actions))
        target = self.rng.choices(numbers, [weights.get(name, 1) for name, _ in life.actions])[0]
        name, size = life.actions[target]
        typical = max(self.bench.typical[name], 0.01) * (size if name in SIZED else 1)
        return target, self.rng.uniform(0, 1.1) * typical

    def live(self, life: Life, *, spared: bool = False) -> None:
        """Let a process live its life, kill it when its time has come unless it is spared; note what it acknowledged."""
        target, delay = (-1, 0.0) if spared else self.end(life)
        reading, writing = os.pipe()
        child = self._fork(lambda: self._work(life, writing), reading)
        os.close(writing)
        watched = self.result.kind in KILLED and (self.folder / "archive.db").exists() and self.rng.random() < 0.15
        reader = self._fork(lambda: crash_life.read_along(self.folder), reading) if watched else 0
        now, refused = "", False
        for message in self._messages(reading, child, target, delay):
            now = life.actions[message["begin"]][0] if "begin" in message else now
            refused |= message.get("error") == ""
            self._note(message, life)
        os.close(reading)
        _, status = os.waitpid(child, 0)
        if reader:
            os.kill(reader, signal.SIGKILL)
            os.waitpid(reader, 0)
        if os.WIFSIGNALED(status):
            self.result.killed.append(now)
            if os.WTERMSIG(status) != signal.SIGKILL:
                self.result.unclear.append(f"a process died of signal {os.WTERMSIG(status)} in {now}")
        text = self.printed.read_text("utf-8", "replace") if self.printed.exists() else ""
        if "Traceback" in text or "database is locked" in text or (refused and "next: " not in text):
            self.result.unclear.append(f"printed: {text[-2000:]}")
        self.printed.unlink(missing_ok=True)

    def _fork(self, work: Callable[[], None], close: int) -> int:
        child = os.fork()
        if child:
            return child
        try:
            os.close(close)
            crash_life.silence(self.printed)
            work()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(0)

    def _work(self, life: Life, writing: int) -> None:
        def say(message: dict[str, Any]) -> None:
            os.write(writing, json.dumps(message).encode() + b"\n")

        if self.shadow:
            self.shadow.watch()
        crash_life.live(life, self.folder, self.bench.stock, self.said, self.bench.portal, say)

    def _messages(self, reading: int, child: int, target: int, delay: float) -> Iterator[dict[str, Any]]:
        """What a process says until it ends; it is killed `delay` seconds after it has begun action `target`."""
        data, end, doomed = b"", time.monotonic() + PATIENCE, False
        while True:
            ready, _, _ = select.select([reading], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                if not doomed:
                    self.result.unclear.append(f"hung for {PATIENCE} s")
                os.kill(child, signal.SIGKILL)
                end = time.monotonic() + PATIENCE
                continue
            piece = os.read(reading, 1 << 16)
            if not piece:
                return
            *lines, data = (data + piece).split(b"\n")
            for line in lines:
                message = json.loads(line)
                if message.get("begin") == target:
                    doomed, end = True, time.monotonic() + delay
                yield message

    def _note(self, message: dict[str, Any], life: Life) -> None:
        """Note what a process said: what it acknowledged, or an error, which must be ours and clear."""
        result = self.result
        if "traceback" in message:
            result.unclear.append(f"in {message['action']}: {message['traceback']}")
        elif "error" in message:
            text, code, action = message["error"], message["code"], message["action"]
            result.errors.append(f"{action}: {text}")
            if code != 1 and (action, code) != ("rebuild", 4):  # it says what is torn
                result.unclear.append(f"{action} ended with {code}: {text}")
            if text and ("next: " not in text or str(self.folder) not in text):
                result.unclear.append(f"{action}: {text}")
        elif "begin" not in message:
            result.acknowledged += self.said.note(message, self.bench.stock)
        if "done" in message and result.kind == "stock":
            name, size = life.actions[message["done"]]
            seconds = message["seconds"] / (size if name in SIZED else 1)
            self.bench.typical[name] = max(self.bench.typical.get(name, 0.0), seconds)

    # -- what is left ----------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Recover as the next crawl would; then the archive must be sound and hold what was acknowledged."""
        result, settings = self.result, self.bench.settings
        if not (self.folder / FILE).exists():
            if self.said.init:
                result.lost.append("the archive was made, and is not there")
            self.live(Life(1, 9, (("init", 0),)), spared=True)
        load(self.folder, environ={})
        words = crash_check.recover(self.folder, settings)
        result.story += words
        result.recovered += sum(int(one.split(" indexed ")[1].split()[0]) for one in words if " indexed " in one)
        result.inconsistent += crash_check.problems(self.folder)
        result.lost += crash_check.missing(self.folder, self.said)
        if self.said.backup is not None:
            restored = self.area / "restored"
            if not self.said.restored:
                restore(self.area / "backup", restored)  # where a killed one has left something, too
            crash_check.recover(restored, settings)
            result.inconsistent += [f"restored: {words}" for words in crash_check.problems(restored)]
            self.said.backup.doomed = self.said.doomed
            result.lost += [f"restored: {words}" for words in crash_check.missing(restored, self.said.backup)]
        # Not where other sites were crawled, which leaves what is unread for later, nor after a takedown.
        alike = not (self.first or self.said.fetched or self.said.doomed or result.wrong)
        if alike and self.rng.random() < COMPARED:
            result.compared = 1
            result.inconsistent += crash_check.unlike_rebuilt(self.folder, settings)
