"""Manners at speed: `python tests/bench/politeness.py [--hosts N] [--articles N] [--pace S]`. Figures to stdout.

The judge's portal with 200 hosts, each asked once a second, fetched and captured only (`--no-read`), all else as it is by default.
The bound is what the host with the longest queue takes by itself: its requests, and a second after each but the last. Gaps are
those of the portal's own log, from the end of one answer to the arrival of the next request.
"""

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from portals import ask, furnish, on_core, portal, tools

PACE = 1.0
NEAR = 0.005
"""Seconds by which a gap may seem shorter: the portal notes the end of an answer when it is sent, not when it was read."""


def requests(log: Path) -> dict[str, list[tuple[float, float]]]:
    """Begin and end of each request, by host."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for line in log.read_text().splitlines():
        row = json.loads(line)
        found[row["h"]].append((row["t"], row["e"]))
    return {host: sorted(times) for host, times in found.items()}


def bound(times: list[tuple[float, float]], pace: float) -> float:
    """Seconds that a host's requests take if each is sent as early as manners allow."""
    return sum(end - begin for begin, end in times) + pace * (len(times) - 1)


def main() -> int:
    """Crawl once and print what the log says."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--hosts", type=int, default=200, help="(%(default)s)")
    options.add_argument("--articles", type=int, default=30, help="of each host (%(default)s)")
    options.add_argument(
        "--pace", type=float, default=PACE, help="seconds between two requests to a host (%(default)s)"
    )
    options.add_argument("--python", default=sys.executable, help="runs the portal, faster with uvloop")
    chosen = options.parse_args()
    judge = tools()
    with tempfile.TemporaryDirectory() as folder:
        log, archive = Path(folder) / "log.jsonl", Path(folder) / "archive"
        sizes = ["--hosts", str(chosen.hosts), "--articles", str(chosen.articles), "--prerender", "--log", str(log)]
        with portal(judge, *sizes, python=chosen.python) as control:
            furnish(archive, control, delay=f'"{chosen.pace}s"')
            newsmorgue = [sys.executable, "-c", "from scraper.cli.main import main; main()"]
            begin = time.perf_counter()
            crawl = on_core(1, [*newsmorgue, "crawl", "--no-read", "--wait", "0s", "--json", "--archive", str(archive)])
            out, _ = crawl.communicate()
            wall = time.perf_counter() - begin
            ask(control, "/flush")
            by_host = requests(log)
    seconds = json.loads(out)["seconds"]
    gaps = [after[0] - before[1] for times in by_host.values() for before, after in itertools.pairwise(times)]
    longest = max(bound(times, chosen.pace) for times in by_host.values())
    number = sum(map(len, by_host.values()))
    print(f"{len(by_host)} hosts, {number} requests; load {os.getloadavg()[0]:.1f}; command {wall:.1f} s in all")
    print(f"run {seconds:.1f} s, longest host's own bound {longest:.1f} s: {seconds / longest:.3f} of it")
    print(
        f"gaps: {min(gaps):.4f} s at least; {sum(gap < chosen.pace - NEAR for gap in gaps)} shorter than {chosen.pace:g} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
