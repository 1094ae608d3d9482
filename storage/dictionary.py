"""What every table, view and column means: the source of `_dictionary` and of `docs/archive.md`.

One line an object or column: `name | type | unit | meaning`. `object:` lines open a table or a view. A meaning that begins
with "Empty until" names the feature that will fill it.
"""

from collections.abc import Iterator
from importlib.resources import files
from typing import NamedTuple


class Entry(NamedTuple):
    """One row of `_dictionary`; `column` is "" for the object itself."""

    object: str
    column: str
    kind: str
    type: str
    unit: str
    meaning: str


def entries() -> Iterator[Entry]:
    """Every row, in the order of the file."""
    name = kind = ""
    for line in files("storage").joinpath("sql", "dictionary.txt").read_text("utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith(("table ", "view ")):
            head, _, meaning = line.partition(":")
            kind, name = head.split()
            yield Entry(name, "", kind, "", "", meaning.strip())
            continue
        parts = [part.strip() for part in line.split("|", 3)]
        yield Entry(name, parts[0], "column", parts[1], parts[2], parts[3])


def as_markdown() -> str:
    """`docs/archive.md`."""
    lines = [
        "# The archive",
        "",
        "Made from `storage/sql/dictionary.txt` by `make docs`; the same text is the table `_dictionary` of every archive.",
        "",
        "An archive is a folder: `newsmorgue.toml` (settings), `archive.db` (everything below), `warc/*.warc.gz` (every response",
        "as it came), `corrections.jsonl` and `takedowns.jsonl` (decisions of people, outside the database so that it can be made",
        "anew), `lock` (held by the one writer), `reports/`.",
        "",
        "Tables have singular names, views for analysts plural ones. Times are UTC text in ISO 8601 with `Z`. Fields, authors, tags",
        "and quotes hang on the *reading*: what one parser version made of one capture. A *revision* is what the publisher",
        "changed. Views show the latest reading of the latest revision.",
    ]
    for entry in entries():
        if entry.kind in ("table", "view"):
            lines += [
                "",
                f"## {entry.kind} `{entry.object}`",
                "",
                entry.meaning,
                "",
                "| column | type | unit | meaning |",
                "|---|---|---|---|",
            ]
        else:
            lines.append(f"| `{entry.column}` | {entry.type} | {entry.unit} | {entry.meaning} |")
    return "\n".join(lines) + "\n"
