"""What the addresses of a page cost: `python tests/bench/addresses.py`. Microseconds for the 98 links of a page.

Each page of a site of 2,000 stories links to its 38 menu and foot links, and to 60 of the 400 stories last published, in
the spellings that sites use (relative, absolute, with tracking parameters, with a fragment). Beside it the same links
through `urljoin` alone, and through the cache emptied before each page.
"""

import os
import random
import statistics
import time
from collections.abc import Callable
from urllib.parse import urljoin

from parsers import url as addresses

HOST = "https://www.daily.example"
ROUNDS = 5
SPELLINGS = (
    "{}",
    "{}",
    "{}",
    HOST + "{}",
    "{}?utm_source=front&utm_content=pos{n}",
    "{}#comments",
    "//www.daily.example{}",
)


def pages(rng: random.Random) -> list[tuple[str, list[str]]]:
    """Pages: address and raw links, in the order in which a crawl would come to them."""
    stories = [
        f"/2026/{n // 170 + 1:02d}/{n % 28 + 1:02d}/the-price-of-seat-{n}-on-the-first-train.html" for n in range(2000)
    ]
    menu = [f"/section-{n}/" for n in range(30)] + [f"/about/{n}.html" for n in range(8)]
    found = []
    for number, story in enumerate(stories):
        near = rng.choices(stories[max(0, number - 200) : number + 200], k=60)
        found.append((HOST + story, menu + [rng.choice(SPELLINGS).format(one, n=rng.randrange(30)) for one in near]))
    return found


def cost(site: list[tuple[str, list[str]]], step: Callable[[str, str], object], before: Callable[[], None]) -> float:
    """CPU microseconds a page."""
    spent = 0.0
    for base, links in site:
        before()
        start = time.process_time()
        for link in links:
            step(link, base)
        spent += time.process_time() - start
    return spent * 1e6 / len(site)


def forget() -> None:
    """Empty the cache."""
    addresses._known.cache_clear()
    addresses._known_query.cache_clear()


def main() -> None:
    """Print the table."""
    site = pages(random.Random(5))
    ways: dict[str, tuple[Callable[[str, str], object], Callable[[], None]]] = {
        "canonical, as in a crawl": (addresses.try_canonical, lambda: None),
        "canonical, cache emptied before each page": (addresses.try_canonical, forget),
        "urljoin alone": (lambda link, base: urljoin(base, link), lambda: None),
    }
    figures: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        forget()
        for name, way in ways.items():
            figures[name].append(cost(site, *way))
    print(f"us a page of 98 links, median of {ROUNDS}; load {os.getloadavg()[0]:.1f}\n\n| | us a page |\n|---|---|")
    for name, values in figures.items():
        print(f"| {name} | {statistics.median(values):.0f} |")


if __name__ == "__main__":
    main()
