"""Adapter: `links.py LINKS.jsonl` prints `{id, is_story}` for each record, from address and link text alone.

The time a link takes, to stderr.
"""

import sys
import time
from pathlib import Path

from common import run

from parsers.links import is_story

spent: list[float] = []


def answer(record: dict[str, object]) -> dict[str, object]:
    """One record's row."""
    url, text = str(record["url"]), str(record.get("text") or "")
    begin = time.perf_counter()
    found = is_story(url, text)
    spent.append(time.perf_counter() - begin)
    return {"id": record["id"], "is_story": found}


if __name__ == "__main__":
    code = run(Path(sys.argv[1]), answer)
    print(f"{sum(spent) / max(len(spent), 1) * 1e6:.0f} us a link", file=sys.stderr)
    sys.exit(code)
