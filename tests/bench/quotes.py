"""Adapter: `quotes.py GOLD.jsonl[.gz]` prints `{id, quotes: [...]}` for each article; articles/s (CPU) to stderr."""

import sys
import time
from dataclasses import asdict
from pathlib import Path

from common import run

from parsers.quotes.extract import extract


def main() -> int:
    """Read every article of the file."""
    spent = 0.0
    articles = 0

    def answer(record: dict[str, object]) -> dict[str, object]:
        nonlocal spent, articles
        text = str(record["text"])
        start = time.process_time()
        quotes, _ = extract(text)
        spent += time.process_time() - start
        articles += 1
        return {"id": record["id"], "quotes": [asdict(quote) for quote in quotes]}

    code = run(Path(sys.argv[1]), answer)
    print(f"{articles} articles, {articles / spent if spent else 0:.0f} articles/s of CPU time", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
