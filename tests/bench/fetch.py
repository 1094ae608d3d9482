"""What fetching a page costs: `python tests/bench/fetch.py [--anchors PYTHON] [--rounds N] [--all]`. A table to stdout.

`fetch.get` with deadline, cap, address check, decoding and conditional headers, 32 in flight, against a bare aiohttp loop:
the same 2000 pages (60 to 150 kB, gzipped) of the same portal, of 1 host and of 500, in one run, one after the other in
turn, portal and client on a core each. CPU time of the fetching loop alone; ratios within a round, then the median. The
machine's load stands beside them. Our pace lets one request at a time go to a host; the loop's 32 go at once.

`--anchors` is an interpreter that has aiohttp, uvloop and selectolax. Portal and loop are those of the shared tools.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from contextlib import AbstractContextManager
from ipaddress import ip_network
from pathlib import Path

from portals import on_core, portal, tools

from scraper.fetch.client import Fetcher, user_agent
from scraper.settings import CrawlSettings

IN_FLIGHT = 32
SIZES = {1: 2000, 500: 4}
OTHERS = ("aiohttp_isal", "httpx", "httpx_perhost_ssl", "httpx_aiohttp")


def pages(control: int) -> list[str]:
    """Every story's address, the hosts in turn."""
    rows = urllib.request.urlopen(f"http://127.0.0.1:{control}/truth").read().decode().splitlines()
    by_host: dict[str, list[str]] = {}
    for row in rows:
        url = json.loads(row)["url"]
        by_host.setdefault(url[: url.index("/", 8)], []).append(url)
    rounds = max(map(len, by_host.values()))
    return [urls[n] for n in range(rounds) for urls in by_host.values() if n < len(urls)]


async def ours(control: int, *, robots_first: bool) -> dict[str, float]:
    """Seconds of CPU and wall, and pages. `robots_first`: robots.txt is asked for before the clock starts."""
    urls = pages(control)
    settings = CrawlSettings(contact="bench@example.org", delay=0.0, allow_addresses=(ip_network("127.0.0.0/8"),))
    conditions = {"etag": '"of another edition"', "last_modified": "Tue, 24 Nov 2020 05:00:00 GMT"}
    async with Fetcher(settings, agent=user_agent(settings.contact)) as fetcher:
        if robots_first:
            for origin in {url[: url.index("/", 8)] for url in urls}:
                await fetcher.get(f"{origin}/robots.txt")
        left = iter(urls)

        async def worker() -> None:
            for url in left:
                fetched = await fetcher.get(url, **conditions)
                assert len(fetched.page.body) > 1000

        wall, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
        return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "pages": len(urls)}


def cost(name: str, folder: Path, python: str, control: int) -> float:
    """CPU milliseconds a page."""
    if name.startswith("fetch.get"):
        command = [
            sys.executable,
            __file__,
            "--one",
            str(control),
            *(["--robots-first"] if name == "fetch.get" else []),
        ]
    else:
        command = [python, str(folder / "anchors" / "loops.py"), name, str(control), str(IN_FLIGHT), "fetch"]
    process = on_core(1, command)
    out, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    row = json.loads(out[out.index("{") :])
    return 1000 * float(row["cpu"] if "cpu" in row else row["loop_cpu"]) / float(row["pages"])


def _portal(folder: Path, python: str, hosts: int) -> AbstractContextManager[int]:
    return portal(folder, "--hosts", str(hosts), "--articles", str(SIZES[hosts]), "--prerender", python=python)


def compare(folder: Path, python: str, rounds: int, others: tuple[str, ...]) -> None:
    """Print the table."""
    clients = ("fetch.get", "fetch.get, robots.txt included", "aiohttp", *others)
    with _portal(folder, python, 1) as one, _portal(folder, python, 500) as many:
        runs = [(client, hosts) for client in clients for hosts in SIZES]
        found: dict[tuple[str, int], list[float]] = {run: [] for run in runs}
        for number in range(rounds):
            for client, hosts in runs if number % 2 == 0 else reversed(runs):
                found[client, hosts].append(cost(client, folder, python, one if hosts == 1 else many))
    print(
        f"{rounds} rounds; load {os.getloadavg()[0]:.1f}; CPU ms a page, x aiohttp on the same hosts, x its own on 1 host"
    )
    print(f"{'':<34}{'1 host':>9}{'x aio':>7}{'500 hosts':>11}{'x aio':>7}{'x 1 host':>10}")
    for client in clients:
        single, several = found[client, 1], found[client, 500]
        ratios = [
            statistics.median(a / b for a, b in zip(mine, other, strict=True))
            for mine, other in ((single, found["aiohttp", 1]), (several, found["aiohttp", 500]), (several, single))
        ]
        print(
            f"{client:<34}{statistics.median(single):>9.2f}{ratios[0]:>7.2f}"
            f"{statistics.median(several):>11.2f}{ratios[1]:>7.2f}{ratios[2]:>10.2f}"
        )


def main() -> None:
    """Print the table, or, for one process of it, a line of figures."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--anchors", default=sys.executable, metavar="PYTHON", help="has aiohttp, uvloop, selectolax")
    options.add_argument("--rounds", type=int, default=3, help="(%(default)s)")
    options.add_argument("--all", action="store_true", help="other ways to fetch under httpx, too")
    options.add_argument("--one", type=int, metavar="CONTROLPORT", help=argparse.SUPPRESS)
    options.add_argument("--robots-first", action="store_true", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.one:
        print(json.dumps(asyncio.run(ours(chosen.one, robots_first=chosen.robots_first))))
        return
    folder = tools()
    needed = "import aiohttp, uvloop, selectolax"
    if subprocess.run([chosen.anchors, "-c", needed], stderr=subprocess.DEVNULL).returncode:
        print(f"fetching: left out, {chosen.anchors} has no aiohttp, uvloop and selectolax (--anchors PYTHON)")
        return
    compare(folder, chosen.anchors, chosen.rounds, OTHERS if chosen.all else ())


if __name__ == "__main__":
    main()
