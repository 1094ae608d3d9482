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
from collections.abc import Iterator
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

FIRST_EDITION = Path(__file__).resolve().parents[2] / "fixtures" / "archives" / "0.1.0.tar.xz"
PATIENCE = 60.0
"""Seconds after which a process that does not end has hung."""
COMPARED = 0.1
"""Share of the rounds whose archive is compared, row for row, with one made anew from its WARC files."""
SIZED = ("group", "fetch")
"""Actions whose number is a number of pages."""


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
    verbs = tuple((verb, 0) for verb in crash_life.verbs() if verb != "takedown")
    for name in ("stock", "learnt"):
        actions = (("init", 0), ("open", 0), ("begin", 1), ("group", 30), ("group", 30), ("end", 0), ("close", 0))
        result, said = Result("kill", 0), Acknowledged()
        (area / name).mkdir()
        life = Life(1, 0, actions if name == "stock" else (*actions, *verbs, ("fetch", 8)))
        _live(bench, life, area / name / "archive", said, result, None, kill=None)
        if result.wrong or result.errors:
            raise SystemExit("\n".join([*result.wrong, *result.errors]))
        if name == "stock":
            bench.templates["stock"] = (area / name, said)
    bench.typical["open"] = max(bench.typical["open"], 0.02)
    return bench


def run(bench: Bench, kind: str, number: int, seed: int, *, keep: bool) -> Result:
    """One round."""
    rng = random.Random(f"{seed} {kind} {number}")
    result = Result(kind, number)
    begun = time.perf_counter()
    area = bench.area / f"{kind}-{number}"
    area.mkdir()
    mounted = kind == "enospc" and crash_disk.mount(area, 64)
    try:
        _round(bench, kind, area, result, rng, mounted)
    except Exception:
        result.inconsistent.append(traceback.format_exc())
    finally:
        if keep and mounted:
            shutil.copytree(area, bench.area / f"{kind}-{number}-left")
        if mounted:
            crash_disk.unmount(area)
        if not keep:
            shutil.rmtree(area, ignore_errors=True)
            shutil.rmtree(_shadow_of(area), ignore_errors=True)
    result.seconds = time.perf_counter() - begun
    return result


def _shadow_of(area: Path) -> Path:
    return area.with_name(f"{area.name}-durable")


def _printed(folder: Path) -> Path:
    """Where processes print to: not on the disk that is full."""
    return folder.parent.with_name(f"{folder.parent.name}-printed")


def _round(bench: Bench, kind: str, area: Path, result: Result, rng: random.Random, mounted: bool) -> None:
    start = rng.choices(("new", "first", "stock"), (2, 1, 4))[0]
    said = Acknowledged()
    if start != "new":
        template, said = bench.templates[start]
        shutil.copytree(template, area, dirs_exist_ok=True)
        said = said.copy()
    result.story.append(f"begins with an archive: {start}")
    folder = area / "archive"
    shadow = Shadow(area, _shadow_of(area)) if kind == "power" else None
    if shadow:
        shadow.begin()
    lives = rng.choices((1, 2, 3), (10, 7, 3))[0]
    for number in range(1, lives + 1):
        new = not (folder / FILE).exists()
        life = _plan(rng, kind, number, new=new, first=start == "first")
        if kind == "enospc":
            _short_of_space(area, rng, mounted)
        result.story.append(str(life))
        _live(bench, life, folder, said, result, shadow, kill=rng if kind in ("kill", "power") else None)
        if kind == "enospc":
            (area / "ballast").unlink(missing_ok=True)
        if shadow and (number == lives or rng.random() < 0.5):
            result.story += shadow.lose_power(rng)
    compare = start != "first" and "fetch" not in str(result.story) and rng.random() < COMPARED
    _look(bench, folder, said, result, compare=compare)  # a crawl of other sites leaves what is unread for later


# -- what the processes do -------------------------------------------------------------------------------------------


def _plan(rng: random.Random, kind: str, number: int, *, new: bool, first: bool) -> Life:
    actions: list[tuple[str, int]] = [("init", 0)] if new else []
    for _ in range(rng.choice((1, 1, 2))):
        verbs = [verb for verb in crash_life.verbs() if verb != "rebuild" or not first]  # it wrote no runs to its files
        what = rng.choices(("session", "verb", "fetch"), (6, 3 if verbs else 0, 1))[0]
        if what == "session":
            actions += [("open", 0), ("begin", int(rng.random() < 0.9))]
            actions += [("group", min(50, int(1.3 ** rng.uniform(0, 15.5)))) for _ in range(rng.randint(1, 4))]
            actions += [("end", 0), ("close", 0)]
        elif what == "verb":
            actions.append((rng.choice(verbs), 0))
        else:
            actions.append(("fetch", rng.randint(1, 8)))
    faults: dict[str, Any] = {}
    if kind == "fsync" and rng.random() < 0.35:
        faults = {"most": int(2 ** rng.uniform(12, 20))}
    elif kind == "fsync":
        faults = {"fail": (rng.randint(1, 12), rng.choice((1, 1, 2, 1000)), rng.random() < 0.2)}
    elif kind != "enospc" and rng.random() < 0.3:
        faults = {"steps": rng.randint(1, 40)}
    return Life(
        rng.randrange(1 << 30),
        number,
        tuple(actions),
        rotate_at=rng.choice((0, 0, rng.randint(5_000, 80_000))),
        spill_at=rng.choice((0, 0, 0, rng.randint(2_000, 20_000))),
        checkpoint=rng.choice((0, rng.randint(5, 200))),
        goes_on=kind in ("enospc", "fsync") and rng.random() < 0.5,
        **faults,
    )


def _short_of_space(area: Path, rng: random.Random, mounted: bool) -> None:
    """Leave so little space that the disk is full soon; without a file system of its own there is a cap for each file."""
    free = int(2 ** rng.uniform(8, 21))
    if mounted:
        crash_disk.fill(area, free)


def _live(
    bench: Bench,
    life: Life,
    folder: Path,
    said: Acknowledged,
    result: Result,
    shadow: Shadow | None,
    *,
    kill: random.Random | None,
) -> None:
    """Let a process live its life, kill it when its time has come, and note what it acknowledged."""
    target, delay, along = -1, 0.0, False
    if kind_of_end := kill:
        target, delay = _end(bench, life, kind_of_end)
        along = kill.random() < 0.15 and (folder / "archive.db").exists()
    reading, writing = os.pipe()
    child = _fork(lambda: _work(bench, life, folder, said, shadow, writing), folder, reading)
    os.close(writing)
    reader = _fork(lambda: crash_life.read_along(folder), folder, reading) if along else 0
    now = ""
    for message in _messages(reading, child, -1 if life.steps else target, delay, result):
        now = _note(bench, message, life, said, result, now, folder)
    os.close(reading)
    _, status = os.waitpid(child, 0)
    if reader:
        os.kill(reader, signal.SIGKILL)
        os.waitpid(reader, 0)
    if os.WIFSIGNALED(status):
        result.killed.append(now)
        if os.WTERMSIG(status) != signal.SIGKILL:
            result.unclear.append(f"a process died of signal {os.WTERMSIG(status)} in {now}")
    words = _printed(folder)
    if words.exists():
        text = words.read_text("utf-8", "replace")
        if "Traceback" in text or "database is locked" in text:
            result.unclear.append(text[-2000:])
        words.unlink()


def _end(bench: Bench, life: Life, rng: random.Random) -> tuple[int, float]:
    """In which action a process is killed, and how long after its beginning."""
    weights = [
        3 if name in ("open", "fetch", *crash_life.VERBS) else 2 if name in ("init", "close") else 1
        for name, _ in life.actions
    ]
    target = rng.choices(range(len(life.actions)), weights)[0]
    name, size = life.actions[target]
    return target, rng.uniform(0, 1.1) * bench.typical.get(name, 0.05) * (max(size, 1) if name in SIZED else 1)


def _fork(work: Any, folder: Path, close: int) -> int:
    child = os.fork()
    if child:
        return child
    try:
        os.close(close)
        crash_life.silence(_printed(folder))
        work()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(0)


def _work(bench: Bench, life: Life, folder: Path, said: Acknowledged, shadow: Shadow | None, writing: int) -> None:
    def say(message: dict[str, Any]) -> None:
        os.write(writing, json.dumps(message).encode() + b"\n")

    if shadow:
        shadow.watch()
    crash_life.live(life, folder, bench.stock, said, bench.portal, say)


def _messages(reading: int, child: int, target: int, delay: float, result: Result) -> Iterator[dict[str, Any]]:
    """What a process says until it ends; it is killed `delay` seconds after it has begun action `target`."""
    data, end = b"", time.monotonic() + PATIENCE
    doomed = False
    while True:
        ready, _, _ = select.select([reading], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            if not doomed:
                result.unclear.append(f"hung for {PATIENCE} s")
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


def _note(
    bench: Bench, message: dict[str, Any], life: Life, said: Acknowledged, result: Result, now: str, folder: Path
) -> str:
    """Note what a process said; gives the action it is in."""
    if "begin" in message:
        return life.actions[message["begin"]][0]
    if "traceback" in message:
        result.unclear.append(f"in {message['action']}: {message['traceback']}")
    elif "error" in message:
        text = message["error"]
        result.errors.append(f"{message['action']}: {text}")
        if message["code"] != 1 and (message["action"], message["code"]) != ("rebuild", 4):  # it says what is torn
            result.unclear.append(f"{message['action']} ended with {message['code']}: {text}")
        if text and ("next: " not in text or str(folder) not in text or "locked" in text):
            result.unclear.append(f"{message['action']}: {text}")
    else:
        name, size = life.actions[message["done"]] if "done" in message else ("", 0)
        if name:
            seconds = message["seconds"] / (max(size, 1) if name in SIZED else 1)
            bench.typical[name] = (
                max(bench.typical.get(name, 0.0), seconds) if result.number == 0 else bench.typical[name]
            )
        result.acknowledged += said.note(message, bench.stock)
    return now


# -- what is left ----------------------------------------------------------------------------------------------------


def _look(bench: Bench, folder: Path, said: Acknowledged, result: Result, *, compare: bool) -> None:
    if not (folder / FILE).exists():
        if said.init:
            result.lost.append("the archive was made, and is not there")
        printed: list[dict[str, Any]] = []
        again = Life(1, 9, (("init", 0),))
        child_said = Acknowledged()
        _live(bench, again, folder, child_said, result, None, kill=None)
        if not child_said.init:
            result.inconsistent.append(f"a half-made archive cannot be made: {result.errors[-1:]} {printed}")
            return
    load(folder, environ={})
    settings = Settings(bench.stock.settings.crawl, bench.stock.settings.sites + bench.portal.sites)
    try:
        words = crash_check.recover(folder, settings)
    except Exception:
        result.inconsistent.append(f"recovery: {traceback.format_exc()}")
        return
    result.recovered += sum(int(one.split(" indexed ")[1].split()[0]) for one in words if " indexed " in one)
    result.story += words
    result.inconsistent += crash_check.problems(folder)
    result.lost += crash_check.missing(folder, said)
    for copy in said.backups:
        result.inconsistent += [f"backup: {words}" for words in crash_check.problems(Path(copy))]
    if compare and not result.wrong:
        result.compared = 1
        result.inconsistent += crash_check.unlike_rebuilt(folder, bench.stock.settings)
