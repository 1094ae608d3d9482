"""Fit the weights of `parsers/stories.py`: `python tests/bench/train_links.py LINKS.jsonl [--write]`.

Logistic regression by coordinate descent with an L2 penalty; prints accuracy and recall in five folds by homepage, five times
with other folds, then the weights fitted on everything. `--write` puts them into the module. Of a quantity (`depth=3`) the
step from level to level is fitted, so that a level which few links have keeps near its neighbour.
"""

import json
import math
import re
import sys
import zlib
from collections import Counter, defaultdict
from pathlib import Path

from parsers.stories import BY_HAND, LIKELY, features

MODULE = Path(__file__).resolve().parents[2] / "parsers" / "stories.py"
ROUNDS, PENALTY, FOLDS, SALTS = 40, 1.0, 5, 5

Sample = tuple[list[str], bool, str]
Levels = dict[str, list[int]]


def quantity(name: str) -> tuple[str, int]:
    """The two halves of `depth=3`; of any other name the name and -1."""
    head, mark, level = name.partition("=")
    return (head, int(level)) if mark else (name, -1)


def steps(names: list[str], levels: Levels) -> list[str]:
    """The names with all levels up to each quantity's own."""
    found = []
    for head, level in map(quantity, names):
        found += [f"{head}={step}" for step in levels[head] if step <= level] if level >= 0 else [head]
    return found


def chance(total: float) -> float:
    """The logistic function."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def fit(samples: list[Sample]) -> dict[str, float]:
    """Weights of the features; those given by hand stay as they are."""
    levels: Levels = defaultdict(list)
    for head, level in sorted({quantity(name) for names, _, _ in samples for name in names}):
        levels[head].append(level)
    rows = defaultdict(list)
    for row, (names, _, _) in enumerate(samples):
        for name in steps(names, levels):
            if name not in BY_HAND:
                rows[name].append(row)
    weights = dict.fromkeys(rows, 0.0)
    totals = [sum(BY_HAND.get(name, 0.0) for name in names) for names, _, _ in samples]
    for _ in range(ROUNDS):
        for name, those in rows.items():
            chances = [chance(totals[row]) for row in those]
            penalty = PENALTY * (name != "bias")
            slope = sum(chances) - sum(samples[row][1] for row in those) + penalty * weights[name]
            bend = sum(value * (1 - value) for value in chances) + penalty
            step = max(-1.0, min(1.0, slope / bend))
            weights[name] -= step
            for row in those:
                totals[row] -= step
    everything = [name if level < 0 else f"{name}={level}" for name in levels for level in levels[name]]
    return {name: sum((weights | BY_HAND)[step] for step in steps([name], levels)) for name in everything}


def judged(weights: dict[str, float], samples: list[Sample]) -> Counter[tuple[bool, bool]]:
    """How many samples are stories or not, and taken for stories or not."""
    least = math.log(LIKELY / (1 - LIKELY))
    return Counter((story, sum(weights.get(name, 0.0) for name in names) > least) for names, story, _ in samples)


def figures(found: Counter[tuple[bool, bool]]) -> str:
    """Accuracy and recall."""
    good, stories = found[True, True] + found[False, False], found[True, True] + found[True, False]
    return f"accuracy {good / found.total():.4f}, recall {found[True, True] / stories:.4f}"


def main() -> None:
    """Cross-validate, fit, and write if asked."""
    records = [json.loads(line) for line in Path(sys.argv[1]).read_text("utf-8").splitlines()]
    samples = [(list(features(r["url"], r["text"])), bool(r["is_story"]), str(r["home"])) for r in records]
    total: Counter[tuple[bool, bool]] = Counter()
    for salt in range(SALTS):
        found: Counter[tuple[bool, bool]] = Counter()
        fold = {home: zlib.crc32(f"{salt}{home}".encode()) % FOLDS for _, _, home in samples}
        for number in range(FOLDS):
            weights = fit([sample for sample in samples if fold[sample[2]] != number])
            found += judged(weights, [sample for sample in samples if fold[sample[2]] == number])
        print(f"{FOLDS} folds by homepage of {len(samples)} links: {figures(found)}")
        total += found
    print(f"mean: {figures(total)}")
    weights = fit(samples)
    print(f"what it was fitted on: {figures(judged(weights, samples))}")
    ordered = sorted(weights.items(), key=lambda item: quantity(item[0]))
    lines = "".join(f'    "{name}": {value:.2f},\n' for name, value in ordered if name not in BY_HAND)
    if "--write" in sys.argv:
        text = MODULE.read_text("utf-8")
        table = "WEIGHTS: dict[str, float] = {\n" + lines + "}\n"
        MODULE.write_text(re.sub(r"WEIGHTS: dict\[str, float\] = \{.*?\n\}\n", table, text, flags=re.S), "utf-8")
    else:
        print(lines)


if __name__ == "__main__":
    main()
