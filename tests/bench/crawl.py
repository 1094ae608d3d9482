"""What a crawled page costs, by room: `python tests/bench/crawl.py [--hosts N,N] [--articles N] [--read]`. A table to stdout.

The ordinary crawl of the judge's portal, fetched and captured only (`--no-read`: fronts are read for their links, stories for
their opt-outs), portal and crawl on a core each, CPU time of the crawl without its start. Allowed to differ from defaults:
`allow_addresses`, contact, `delay = "0s"`. A signal each millisecond of CPU time notes which of our rooms is at work: the
innermost one on the stack, so that a library's time is its caller's. The machine's load stands beside it.
"""

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from types import FrameType

from portals import CORES, furnish, portal, tools

ROOT = Path(__file__).resolve().parents[2]
ROOMS = tuple(f"{ROOT / name}{os.sep}" for name in ("scraper", "storage", "parsers"))
TICK = 0.001


class Sampler:
    """Counts ticks of CPU time by room."""

    def __init__(self) -> None:
        self.ticks: Counter[str] = Counter()

    def start(self) -> None:
        """Begin to count."""
        signal.signal(signal.SIGPROF, self._tick)
        signal.setitimer(signal.ITIMER_PROF, TICK, TICK)

    def stop(self) -> None:
        """End."""
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _tick(self, number: int, frame: FrameType | None) -> None:
        while frame is not None and not frame.f_code.co_filename.startswith(ROOMS):
            frame = frame.f_back
        self.ticks[str(Path(frame.f_code.co_filename).relative_to(ROOT)) if frame else "event loop"] += 1


def one(archive: Path, options: list[str]) -> dict[str, object]:
    """Crawl in this process; CPU seconds, requests, peak memory in MB, ticks by room."""
    from scraper.cli.main import run

    sampler = Sampler()
    stdout = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    run(["crawl", "--dry-run", "--archive", str(archive)])  # what is loaded once is no page's cost
    before = resource.getrusage(resource.RUSAGE_SELF)
    sampler.start()
    code = run(["crawl", "--wait", "0s", "--json", "--archive", str(archive), *options])
    sampler.stop()
    after = resource.getrusage(resource.RUSAGE_SELF)
    os.dup2(stdout, 1)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"code": code, "cpu": cpu, "mb": after.ru_maxrss / 1024, "ticks": sampler.ticks}


def crawl(judge: Path, hosts: int, articles: int, options: list[str], python: str) -> None:
    """Crawl a portal of so many hosts and print what a page cost."""
    import sqlite3

    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "archive"
        sizes = ["--hosts", str(hosts), "--articles", str(max(articles // hosts, 1)), "--prerender"]
        with portal(judge, *sizes, python=python) as control:
            furnish(archive, control)
            command = [sys.executable, __file__, "--one", str(archive), *options]
            done = subprocess.run(
                ["taskset", "-c", str(CORES[-1]), *command],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        row = json.loads(done.stdout)
        db = sqlite3.connect(archive / "archive.db")
        pages = db.execute("SELECT count(*) FROM visit").fetchone()[0]
        db.close()
    each = 1000 * row["cpu"] / pages
    total = sum(row["ticks"].values())
    print(f"{hosts} hosts, {pages} pages: {each:.2f} ms a page; peak {row['mb']:.0f} MB; load {os.getloadavg()[0]:.1f}")
    for room, ticks in sorted(row["ticks"].items(), key=lambda pair: -pair[1]):
        if ticks / total >= 0.01:
            print(f"  {room:<32}{each * ticks / total:>7.3f} ms {100 * ticks / total:>5.1f} %")


def main() -> None:
    """Print the tables, or, for the crawl's own process, a line of figures."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--hosts", default="1,500", help="(%(default)s)")
    options.add_argument("--articles", type=int, default=2000, help="of all hosts together (%(default)s)")
    options.add_argument("--read", action="store_true", help="read the stories, too")
    options.add_argument("--python", default=sys.executable, help="runs the portal, faster with uvloop")
    options.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    chosen, rest = options.parse_known_args()
    if chosen.one:
        print(json.dumps(one(chosen.one, rest)))
        return
    judge = tools()
    for hosts in map(int, chosen.hosts.split(",")):
        crawl(judge, hosts, chosen.articles, [] if chosen.read else ["--no-read"], chosen.python)


if __name__ == "__main__":
    main()
