"""Crash rounds: `python tests/bench/crash.py [--rounds N] [--seed S] [--kinds kill,power,enospc,fsync]`.

A round takes an archive (none yet, one of the first edition, or one with some pages), lets one to three processes work on
it, each killed with SIGKILL at a seeded random instant of what it does or between two steps of it, and looks at what is
left: after recovery the archive must be consistent and everything that was acknowledged must be there.

`kill`     killed in opening, migration, recovery, groups of 1 to 50 answers, rotation, closing, rebuild, takedown, backup.
`power`    the same; then the power goes, too, and what was not synced is lost or torn (see `crash_disk`).
`enospc`   the disk is full at a random instant: the error must be clear and nothing inconsistent.
`fsync`    fsync fails at a random call, or writes come out short and then fail: the same.

`--rounds` rounds of each of the first two kinds and a tenth as many of the others; or `--kinds kill=20,fsync=5`. A round
depends on the seed, its kind and its number alone (and on the machine's speed): `--only kill-17 --keep` runs one again and
leaves its folder. The table goes to stdout, words to stderr; exit code 0 only if nothing was inconsistent, lost or unclear.
"""

import argparse
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import crash_round
from crash_round import Bench, Result

from scraper import demo
from scraper.portal.lantern import Lantern
from scraper.portal.server import Portal
from scraper.settings import FILE, Settings, load

KINDS = ("kill", "power", "enospc", "fsync")
COLUMNS = (
    "kind",
    "rounds",
    "kills",
    "errors",
    "acknowledged",
    "recovered",
    "inconsistent",
    "lost",
    "unclear",
    "seconds",
)


@contextmanager
def portal(area: Path) -> Iterator[Settings]:
    """The demo portal in a process of its own; gives the settings that crawl it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        served = Portal()
        os.write(writing, served.base.encode())
        os.close(writing)
        served.serve_forever()
        os._exit(0)
    os.close(writing)
    base = os.read(reading, 200).decode()
    os.close(reading)
    text = demo.settings_text({Lantern: base})
    (area / FILE).write_text(text.replace('delay = "10ms"', 'delay = "0s"'), "utf-8")
    try:
        yield load(area, environ={})
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


def rounds(
    kinds: dict[str, int], *, seed: int, jobs: int = 1, only: str = "", keep: bool = False, area: Path | None = None
) -> list[Result]:
    """So many rounds of each kind, in so many processes."""
    with _folder(area, keep) as own:
        (own / "portal").mkdir()
        with portal(own / "portal") as settings:
            bench = crash_round.prepare(own, settings)
            tasks = [(kind, number) for kind, most in kinds.items() for number in range(1, most + 1)]
            if only:
                kind, _, number = only.partition("-")
                tasks = [(kind, int(number))]
            global _bench, _given
            _bench, _given = bench, (seed, keep)
            if jobs == 1:
                return [_one(task) for task in tasks]
            with multiprocessing.get_context("fork").Pool(
                jobs, signal.signal, (signal.SIGTERM, signal.SIG_DFL)
            ) as pool:
                return list(pool.imap_unordered(_one, tasks))


_bench: Bench
_given: tuple[int, bool]


def _one(task: tuple[str, int]) -> Result:
    seed, keep = _given
    result = crash_round.run(_bench, *task, seed, keep=keep)
    if result.wrong:
        words = "\n    ".join(
            line for text in (*result.story, "-- wrong:", *result.wrong[:8]) for line in text.splitlines()
        )
        print(f"{task[0]}-{task[1]}: {len(result.wrong)} wrong\n    {words}", file=sys.stderr, flush=True)
    return result


@contextmanager
def _folder(area: Path | None, keep: bool) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="crash-", dir=area))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def table(results: Sequence[Result], seconds: float) -> str:
    """Figures by kind, and in which actions processes were killed."""
    lines = ["  ".join(f"{name:>12}" for name in COLUMNS)]
    for kind in dict.fromkeys(result.kind for result in results):
        some = [result for result in results if result.kind == kind]
        figures = (
            kind, len(some), sum(len(one.killed) for one in some), sum(len(one.errors) for one in some),
            sum(one.acknowledged for one in some), sum(one.recovered for one in some),
            sum(bool(one.inconsistent) for one in some), sum(bool(one.lost) for one in some),
            sum(bool(one.unclear) for one in some), f"{sum(one.seconds for one in some):.0f}",
        )  # fmt: skip
        lines.append("  ".join(f"{figure:>12}" for figure in figures))
    where = Counter(action or "before the first" for one in results for action in one.killed)
    lines.append("killed in: " + ", ".join(f"{action} {n}" for action, n in where.most_common()))
    lines.append(f"compared row for row with a rebuild: {sum(one.compared for one in results)}; {seconds:.0f} s in all")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", default="", metavar="KIND-N")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--area", type=Path, help="folder to work in; else the system's temporary folder")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what is mounted and running is put away
    kinds = {}
    for word in given.kinds.split(","):
        kind, _, number = word.partition("=")
        kinds[kind] = int(number) if number else given.rounds if kind in KINDS[:2] else max(1, given.rounds // 10)
    begun = time.monotonic()
    results = rounds(kinds, seed=given.seed, jobs=given.jobs, only=given.only, keep=given.keep, area=given.area)
    print(table(results, time.monotonic() - begun))
    return 1 if any(result.wrong for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
