"""What a revision costs: `python tests/bench/revisions.py [--words N]`. A table to stdout; medians of nine, CPU time.

Two bodies of N words, made of the bundled portal's stories, of which some words differ, evenly strewn, and the worst cases
for a diff. The standard library's difflib (`autojunk=False`) on the same words stands beside, but where it takes minutes.
"""

import argparse
import difflib
import os
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from parsers.quotes.extract import extract
from scraper.portal.stories import library, plain
from storage.differences import counts, differences, tokens
from storage.revisions import Shown, kinds

ROUNDS = 9


def body(words: int) -> str:
    """The stories' paragraphs, as many as have so many words."""
    paragraphs: list[str] = []
    for story in library()["lantern"].stories:
        paragraphs += (plain(text) for _, text in story.blocks)
    while sum(len(p.split()) for p in paragraphs) - len(paragraphs[-1].split()) >= words:
        paragraphs.pop()
    return "\n".join(paragraphs)


def edited(text: str, share: float) -> str:
    """The text with a share of its words replaced by others of it."""
    choose = random.Random(1)
    pool = text.split()
    return "\n".join(
        " ".join(choose.choice(pool) if choose.random() < share else word for word in line.split(" "))
        for line in text.split("\n")
    )


def cost(step: Callable[[], object], rounds: int = ROUNDS) -> float:
    """CPU milliseconds, median."""
    spent = []
    for _ in range(rounds):
        start = time.process_time()
        step()
        spent.append((time.process_time() - start) * 1000)
    return statistics.median(spent)


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--words", type=int, default=5000, help="words of a body (%(default)s)")
    n = options.parse_args().words
    text = body(n)
    at = datetime(2026, 3, 10, tzinfo=UTC)
    pairs = {f"{share:.1%} of the words": (text, edited(text, share)) for share in (0.001, 0.01, 0.1, 0.5)}
    pairs["another text"] = (text, " ".join(reversed(text.split())))
    pairs["one word repeated"] = ("the " * n, "the cat " * (n // 2))
    print(f"{len(text.split())} words, {len(text)} characters; load {os.getloadavg()[0]:.1f}")
    print(f"{'differing':<22}{'diff ms':>9}{'kinds ms':>10}{'difflib ms':>12}{'added':>8}{'removed':>9}")
    for name, (one, other) in pairs.items():
        older, newer = (
            Shown("Title", "", body, tuple(quote.text for quote in extract(body)[0]), None, False, at)
            for body in (one, other)
        )
        newer = replace(newer, title="Another title")
        old, new = ([token.strip() for token in tokens(body)] for body in (one, other))
        added, removed = counts(differences(one, other))
        diff = cost(lambda: counts(differences(one, other)))  # noqa: B023 - called at once
        kind = cost(lambda: kinds(older, newer))  # noqa: B023
        library = "-"
        if len(set(old)) > 1:
            spent = cost(lambda: difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes(), 1)  # noqa: B023
            library = f"{spent:.0f}"
        print(f"{name:<22}{diff:>9.1f}{kind:>10.1f}{library:>12}{added:>8}{removed:>9}")


if __name__ == "__main__":
    main()
