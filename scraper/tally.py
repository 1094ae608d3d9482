"""What a run did, in numbers: outcomes by site, links that were not followed by cause, errors by address."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from scraper.agenda import Waiting

MAX_ERRORS = 1000
"""Addresses whose errors are kept in memory for the end of a run; the archive has all of them."""


@dataclass(slots=True)
class Tally:
    """What a crawl did. `counts`: outcome to number; `by_site`: the same for each site; `errors`: address to words.

    `dropped`: cause to number of links, each time they were met, that were not followed.
    """

    counts: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    by_site: dict[str, Counter[str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def add(self, site: str, *outcomes: str) -> None:
        """Count outcomes for a site."""
        self.counts.update(outcomes)
        self.by_site.setdefault(site, Counter()).update(outcomes)

    def drop(self, cause: str, n: int = 1) -> None:
        """Count links that were not followed, and why, in one word."""
        if n:
            self.dropped[cause] += n

    def row(self) -> dict[str, int]:
        """All counts as the row of a run holds them."""
        return {**self.counts, **{f"dropped_{cause}": n for cause, n in self.dropped.items()}}

    def error(self, url: str, words: str) -> None:
        """Note what went wrong at an address."""
        if len(self.errors) < MAX_ERRORS:
            self.errors[url] = words

    def failed_sites(self) -> list[str]:
        """Sites from which nothing came although something was asked."""
        return sorted(site for site, seen in self.by_site.items() if seen["tried"] and not seen["got"])


class Progress(Protocol):
    """Who watches a crawl."""

    def fetched(self, site: str, url: str, outcome: str) -> None:
        """An address was tried."""

    def queued(self, waiting: Mapping[str, Waiting]) -> None:
        """What waits of each site."""
