"""Reading on more cores, and memory: `python tests/bench/cores.py [--jobs 1,2] [--rounds N] [--hosts N] [--articles N]`.

The ordinary crawl of the judge's portal (prerendered, pinned to a core), the ways of `--jobs` in turn, in the order of the
rounds and backwards; medians of the runs' own seconds and their ratio to the first within a round. Memory is the most that all
processes of a crawl together had resident, looked at five times a second; what they share counts in each of them. The load of the
machine stands beside it. Allowed to differ from defaults: `allow_addresses`, contact, `delay = "0s"`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from portals import furnish, portal, tools

MEGABYTE = 1_000_000
PAGE = os.sysconf("SC_PAGE_SIZE")


def resident(pid: int) -> int:
    """Bytes that a process and those it started have in memory."""
    try:
        total = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0
    return total + sum(resident(int(child)) for child in children)


def crawl(control: int, jobs: int) -> tuple[float, int, float]:
    """Seconds of a crawl, its requests, and the most memory in MB."""
    with tempfile.TemporaryDirectory() as folder:
        furnish(Path(folder), control)
        verb = ["crawl", "--wait", "0s", "--json", "--jobs", str(jobs), "--archive", folder]
        newsmorgue = [sys.executable, "-c", "from scraper.cli.main import main; main()"]
        process = subprocess.Popen([*newsmorgue, *verb], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        most = 0
        while process.poll() is None:
            most = max(most, resident(process.pid))
            time.sleep(0.2)
        out, _ = process.communicate()
    row = json.loads(out)
    return row["seconds"], row["counts"]["tried"], most / MEGABYTE


def main() -> None:
    """Print a line for each run, then the medians."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--jobs", default="1,2", help="(%(default)s)")
    options.add_argument("--rounds", type=int, default=5, help="(%(default)s)")
    options.add_argument("--hosts", type=int, default=8, help="(%(default)s)")
    options.add_argument("--articles", type=int, default=50, help="of each host (%(default)s)")
    options.add_argument("--python", default=sys.executable, help="runs the portal, faster with uvloop")
    chosen = options.parse_args()
    judge = tools()
    ways = [int(jobs) for jobs in chosen.jobs.split(",")]
    seconds: dict[int, list[float]] = {jobs: [] for jobs in ways}
    sizes = ["--hosts", str(chosen.hosts), "--articles", str(chosen.articles), "--prerender"]
    with portal(judge, *sizes, python=chosen.python) as control:
        for number in range(chosen.rounds):
            for jobs in ways if number % 2 == 0 else ways[::-1]:
                took, requests, megabytes = crawl(control, jobs)
                seconds[jobs].append(took)
                load = os.getloadavg()[0]
                print(
                    f"--jobs {jobs}: {requests} requests, {took:.1f} s, {megabytes:.0f} MB; load {load:.1f}", flush=True
                )
    for jobs in ways:
        ratio = statistics.median(one / other for one, other in zip(seconds[ways[0]], seconds[jobs], strict=True))
        print(
            f"--jobs {jobs}: median {statistics.median(seconds[jobs]):.1f} s, {ratio:.2f} times as fast as --jobs {ways[0]}"
        )


if __name__ == "__main__":
    main()
