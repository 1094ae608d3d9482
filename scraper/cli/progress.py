"""Live progress on stderr: one line that moves on a terminal, a line every few seconds elsewhere."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from scraper.cli.output import printable, say
from scraper.crawl import Progress

EVERY = 10.0
"""Seconds between two lines where there is no terminal."""


class Watch:
    """Counts for each site, and the last address."""

    def __init__(self) -> None:
        self.seen: dict[str, Counter[str]] = {}
        self.last: dict[str, str] = {}
        self.due = 0
        self.started = time.monotonic()

    def fetched(self, site: str, url: str, outcome: str) -> None:
        """An address was tried."""
        self.seen.setdefault(site, Counter())[outcome] += 1
        self.last[site] = url

    def queued(self, due: int) -> None:
        """How many addresses wait."""
        self.due = due

    def lines(self) -> Iterator[tuple[str, str, str]]:
        """Site, counts, last address."""
        for site, counts in self.seen.items():
            words = ", ".join(f"{number} {word}" for word, number in counts.most_common())
            yield site, words, self.last[site]


class Lines(Watch):
    """Plain lines, for logs."""

    def __init__(self) -> None:
        super().__init__()
        self.said = self.started

    def fetched(self, site: str, url: str, outcome: str) -> None:
        """Count, and say so every few seconds."""
        super().fetched(site, url, outcome)
        if time.monotonic() - self.said >= EVERY:
            self.said = time.monotonic()
            for name, words, last in self.lines():
                say(f"{name}: {words}; {self.due} waiting; {last}")


class Screen(Watch):
    """A table that changes in place."""

    def __rich__(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for site, words, last in self.lines():
            table.add_row(
                Text(site, style="bold"), Text(words), Text(printable(last), style="dim", overflow="ellipsis")
            )
        table.add_row(Text(f"{self.due} waiting, {time.monotonic() - self.started:.0f} s", style="dim"))
        return table


@contextmanager
def watching() -> Iterator[Progress]:
    """Progress for one crawl."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    screen = Screen()
    with Live(screen, console=Console(stderr=True), refresh_per_second=5, transient=True):
        yield screen


@contextmanager
def counting() -> Iterator[Callable[[str, int], None]]:
    """Progress of work that goes through rows: call what it gives with what is at hand and how much of it is done."""
    said = time.monotonic()

    def line(name: str, rows: int) -> None:
        nonlocal said
        if time.monotonic() - said >= EVERY:
            said = time.monotonic()
            say(f"{name}: {rows:,}")

    if not sys.stderr.isatty():
        yield line
        return
    with Console(stderr=True).status("") as status:
        yield lambda name, rows: status.update(Text(f"{printable(name)}  {rows:,}"))
