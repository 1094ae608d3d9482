"""Fit the weights of `parsers/stories.py`: `python tests/bench/train_links.py LINKS.jsonl [--write]`.

Logistic regression by full-batch gradient descent with an L2 penalty; prints accuracy in five folds by homepage, then the
weights fitted on everything. `--write` puts them into the module.
"""

import json
import math
import re
import sys
import zlib
from pathlib import Path

from parsers.stories import features

MODULE = Path(__file__).resolve().parents[2] / "parsers" / "stories.py"
STEPS, RATE, PENALTY, FOLDS = 400, 0.5, 0.004, 5

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


def right(weights: dict[str, float], sample: Sample) -> bool:
    """Whether the weights decide a sample right."""
    return (sum(weights.get(name, 0.0) for name in sample[0]) > 0) == sample[1]


def main() -> None:
    """Cross-validate, fit, and write if asked."""
    records = [json.loads(line) for line in Path(sys.argv[1]).read_text("utf-8").splitlines()]
    samples = [(list(features(r["url"], r["text"])), bool(r["is_story"]), str(r["home"])) for r in records]
    fold = {home: zlib.crc32(home.encode()) % FOLDS for _, _, home in samples}
    good = 0
    for number in range(FOLDS):
        weights = fit([sample for sample in samples if fold[sample[2]] != number])
        good += sum(right(weights, sample) for sample in samples if fold[sample[2]] == number)
    print(f"accuracy in {FOLDS} folds by homepage: {good / len(samples):.4f} of {len(samples)} links")
    weights = fit(samples)
    print(f"accuracy on what it was fitted on: {sum(right(weights, s) for s in samples) / len(samples):.4f}")
    lines = "".join(f'    "{name}": {value:.2f},\n' for name, value in sorted(weights.items()) if abs(value) >= 0.005)
    if "--write" in sys.argv:
        text = MODULE.read_text("utf-8")
        table = "WEIGHTS: dict[str, float] = {\n" + lines + "}\n"
        MODULE.write_text(re.sub(r"WEIGHTS: dict\[str, float\] = \{.*?\n\}\n", table, text, flags=re.S), "utf-8")
    else:
        print(lines)


if __name__ == "__main__":
    main()
