"""What a page costs: `python tests/bench/speed.py [--pages N]`. A table to stdout; ratios within one run.

Reads the bundled portal's pages (and, where the shared corpora are there, a spread of real ones) and sets each step
against a bare parse of the same bytes, in CPU time, interleaved over three rounds, medians. The machine's load stands
beside the figures: other work on the machine slows both alike.
"""

import argparse
import json
import os
import statistics
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from common import shared
from selectolax.lexbor import LexborHTMLParser

from parsers import registry
from parsers.page import Page
from parsers.quotes.extract import extract
from scraper.portal.server import Portal

ROUNDS = 3


def portal_pages() -> list[Page]:
    """Every story of the bundled portal, over HTTP."""
    with Portal() as portal:
        urls = [str(story["url"]) for story in portal.stories]
        return [Page(url=url, body=urllib.request.urlopen(url).read()) for url in urls]


def corpus_pages(folder: Path, most: int) -> list[Page]:
    """A spread of real pages."""
    import gzip

    pages = []
    for name in ("fundus", "aeb", "nwd", "wcxb", "trafilatura"):
        records = [json.loads(line) for line in (folder / f"{name}.jsonl").open(encoding="utf-8")]
        step = max(1, len(records) // max(1, most // 5))
        for record in records[::step][: most // 5]:
            body = gzip.decompress((folder / record["html_path"]).read_bytes())
            pages.append(Page(url=record["url"], body=body))
    return pages


def cost(pages: Sequence[Page], step: Callable[[Page], object]) -> float:
    """CPU milliseconds a page; every page is fresh, so nothing is cached."""
    fresh = [replace(page) for page in pages]
    start = time.process_time()
    for page in fresh:
        step(page)
    return (time.process_time() - start) * 1000 / len(pages)


def report(title: str, pages: Sequence[Page]) -> None:
    """One table."""
    bodies = {page.url: registry.read(replace(page), generic=True).body for page in pages}
    steps: dict[str, Callable[[Page], object]] = {
        "bare parse": lambda page: LexborHTMLParser(page.body),
        "quotes of the body": lambda page: extract(bodies[page.url]),
        "whole reading": lambda page: registry.read(page, generic=True),
    }
    figures: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            figures[name].append(cost(pages, step))
    bare = statistics.median(figures["bare parse"])
    size = sum(len(page.body) for page in pages) / len(pages) / 1000
    print(f"{title}: {len(pages)} pages, {size:.0f} kB on average; load {os.getloadavg()[0]:.1f}")
    print(f"{'':<22}{'CPU ms/page':>12}{'x bare parse':>14}{'pages/CPU s':>13}")
    for name, values in figures.items():
        median = statistics.median(values)
        print(f"{name:<22}{median:>12.2f}{median / bare:>14.1f}{1000 / median if median else 0:>13.0f}")
    print()


def main() -> None:
    """Print the tables."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--pages", type=int, default=100, help="real pages at most (%(default)s)")
    chosen = options.parse_args()
    report("bundled portal", portal_pages())
    folder = shared()
    if folder is None:
        print("real pages: left out, the shared corpora are not here (NEWSMORGUE_SHARED or ../shared)")
    else:
        report("real pages", corpus_pages(folder / "corpora" / "extraction", chosen.pages))


if __name__ == "__main__":
    main()
