"""Adapter: `links.py LINKS.jsonl` prints `{id, is_story}` for each record, from address and link text alone."""

import sys
from pathlib import Path

from common import run

from parsers.links import is_story


def answer(record: dict[str, object]) -> dict[str, object]:
    """One record's row."""
    return {"id": record["id"], "is_story": is_story(str(record["url"]), str(record.get("text") or ""))}


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), answer))
