"""What the adapters share: records of a corpus without its gold, rows to stdout."""

import gzip
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

GOLD = frozenset("gold people unnamed orgs attributions is_story family dup of kind".split())
"""Fields that no reader of ours may see."""


def records(path: Path) -> Iterator[dict[str, object]]:
    """Each record of a JSON Lines file (may be `.gz`) without its gold."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield {key: value for key, value in json.loads(line).items() if key not in GOLD}


def run(path: Path, answer: Callable[[dict[str, object]], dict[str, object]]) -> int:
    """Print `answer(record)` for each record, one JSON object a line. 0 only if every record was answered.

    A record that fails is named on stderr with its error, and the others are still tried.
    """
    tried = failed = 0
    for record in records(path):
        tried += 1
        try:
            row = json.dumps(answer(record), ensure_ascii=False)
        except Exception as error:
            failed += 1
            print(f"{record.get('id')}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        sys.stdout.write(row + "\n")
    sys.stdout.flush()
    return 0 if tried and not failed else 1


def shared() -> Path | None:
    """The folder of shared corpora, if it is there."""
    folder = Path(os.environ.get("NEWSMORGUE_SHARED") or Path(__file__).resolve().parents[2].parent / "shared")
    return folder if folder.is_dir() else None
