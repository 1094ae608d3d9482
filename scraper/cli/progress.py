"""Live progress on stderr: a table that moves on a terminal, a line for each site every few seconds elsewhere."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from scraper.agenda import Waiting
from scraper.cli.output import counted, printable, say
from scraper.fetch.pace import MAX_DELAY
from scraper.tally import Progress

EVERY = 10.0
"""Seconds between two lines where there is no terminal."""
MOST = 15
"""Sites that are shown: those that were asked last."""
ENOUGH = 10
"""Addresses after which a rate says something."""


class Watch:
    """What is known of each site while it is crawled. Seconds count from the beginning."""

    def __init__(self) -> None:
        self.seen: dict[str, Counter[str]] = {}
        self.waiting: Mapping[str, Waiting] = {}
        self.started = time.monotonic()

    def fetched(self, site: str, url: str, outcome: str) -> None:
        """An address was tried. The sites that were asked last stand last."""
        self.seen[site] = self.seen.pop(site, Counter())
        self.seen[site][outcome] += 1

    def queued(self, waiting: Mapping[str, Waiting]) -> None:
        """What waits of each site."""
        self.waiting = waiting

    def row(self, site: str) -> tuple[str, str, str, str]:
        """Of a site: how many were tried and what came, how many wait, the rate and the time left, who is waited for."""
        counts, waits = self.seen[site], self.waiting.get(site, Waiting(0, None))
        tried, seconds = counts.total(), time.monotonic() - self.started
        rate = f"{60 * tried / seconds:.0f}/min" if tried >= ENOUGH and seconds >= 1 else ""
        left = f"{duration(waits.due * seconds / tried)} left" if rate and waits.due else ""
        return (
            f"{tried} tried: " + counted(counts),
            f"{waits.due} due",
            ", ".join(words for words in (rate, left) if words),
            _waits(waits),
        )

    def total(self) -> str:
        """All sites in a few words."""
        tried, due = sum(map(Counter.total, self.seen.values())), sum(waits.due for waits in self.waiting.values())
        sites = "1 site" if len(self.waiting) == 1 else f"{len(self.waiting)} sites"
        return f"{sites}, {tried} tried, {due} due, {duration(time.monotonic() - self.started)}"


def _waits(waits: Waiting) -> str:
    if not waits.due or waits.seconds is None or waits.seconds < 1:
        return ""
    return (
        f"host held for {duration(waits.seconds)}" if waits.seconds > MAX_DELAY else f"pause of {waits.seconds:.0f} s"
    )


def duration(seconds: float) -> str:
    """Seconds as people say them: 40 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class Lines(Watch):
    """Plain lines, for logs: now and then one for each site of which something came since the last ones."""

    def __init__(self) -> None:
        super().__init__()
        self.said = self.started
        self.stirred: set[str] = set()

    def fetched(self, site: str, url: str, outcome: str) -> None:
        """Count, and say so every few seconds."""
        super().fetched(site, url, outcome)
        self.stirred.add(site)
        if time.monotonic() - self.said >= EVERY:
            self.said = time.monotonic()
            for name in [name for name in self.seen if name in self.stirred][-MOST:]:
                say(f"{name}: {'; '.join(words for words in self.row(name) if words)}")
            say(self.total())
            self.stirred.clear()


class Screen(Watch):
    """A table that changes in place."""

    def __rich__(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for site in sorted(list(self.seen)[-MOST:]):
            table.add_row(Text(printable(site), style="bold"), *map(Text, self.row(site)))
        table.add_row(Text("all", style="dim"), Text(self.total(), style="dim"))
        return table


@contextmanager
def watching() -> Iterator[Progress]:
    """Progress for one crawl. Colours as NO_COLOR and the terminal say; none where it cannot move."""
    console = Console(stderr=True)
    if not sys.stderr.isatty() or console.is_dumb_terminal:
        yield Lines()
        return
    screen = Screen()
    with Live(screen, console=console, refresh_per_second=5, transient=True):
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
