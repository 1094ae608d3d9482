"""Fit the weights of `parsers/stories.py`: `python tests/bench/train_links.py LINKS.jsonl [--write]`.

Logistic regression by full-batch gradient descent with an L2 penalty; prints accuracy and recall in five folds by homepage,
five times with other folds, then the weights fitted on everything. `--write` puts them into the module.
"""

import json
import math
import re
import sys
import zlib
from collections import Counter
from pathlib import Path

from parsers.stories import LIKELY, features

MODULE = Path(__file__).resolve().parents[2] / "parsers" / "stories.py"
STEPS, RATE, PENALTY, FOLDS, SALTS = 400, 0.5, 0.004, 5, 5

Sample = tuple[list[str], bool, str]


def fit(samples: list[Sample]) -> dict[str, float]:
    """Weights of the features."""
    weights: dict[str, float] = {}
    speed: dict[str, float] = {}
    for _ in range(STEPS):
        slope: dict[str, float] = {}
        for names, story, _ in samples:
            total = sum(weights.get(name, 0.0) for name in names)
            error = 1 / (1 + math.exp(-max(-30.0, min(30.0, total)))) - story
            for name in names:
                slope[name] = slope.get(name, 0.0) + error
        for name, value in slope.items():
            step = value / len(samples) + PENALTY * weights.get(name, 0.0) * (name != "bias")
            speed[name] = 0.9 * speed.get(name, 0.0) - RATE * step
            weights[name] = weights.get(name, 0.0) + speed[name]
    return weights


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
    for salt in range(SALTS):
        found: Counter[tuple[bool, bool]] = Counter()
        fold = {home: zlib.crc32(f"{salt}{home}".encode()) % FOLDS for _, _, home in samples}
        for number in range(FOLDS):
            weights = fit([sample for sample in samples if fold[sample[2]] != number])
            found += judged(weights, [sample for sample in samples if fold[sample[2]] == number])
        print(f"{FOLDS} folds by homepage of {len(samples)} links: {figures(found)}")
    weights = fit(samples)
    print(f"what it was fitted on: {figures(judged(weights, samples))}")
    lines = "".join(f'    "{name}": {value:.2f},\n' for name, value in sorted(weights.items()) if abs(value) >= 0.005)
    if "--write" in sys.argv:
        text = MODULE.read_text("utf-8")
        table = "WEIGHTS: dict[str, float] = {\n" + lines + "}\n"
        MODULE.write_text(re.sub(r"WEIGHTS: dict\[str, float\] = \{.*?\n\}\n", table, text, flags=re.S), "utf-8")
    else:
        print(lines)


if __name__ == "__main__":
    main()
