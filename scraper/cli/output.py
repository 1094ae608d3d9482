"""How answers are printed: data on stdout, words on stderr."""

import functools
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click

from parsers.errors import UsageError

SHORT = 16
"""Characters of a cell that is not folded: a time to the minute."""


def printable(text: str) -> str:
    """Text from the web without control characters, which could drive a terminal; keeps line breaks."""
    return "".join(c if c == "\n" or c.isprintable() else "\ufffd" for c in text)


def counted(counts: Mapping[str, int]) -> str:
    """Counts in words, the largest first: `12 article, 2 gone`."""
    return ", ".join(
        f"{number} {word}" for word, number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


def say(text: str) -> None:
    """Words for the person at the terminal, on stderr."""
    click.echo(printable(text), err=True)


def data(value: Mapping[str, object]) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=1, default=str))


def document(key: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows as one JSON document with `schema: 1`."""
    data({"schema": 1, key: rows})


def lines(rows: Iterable[Mapping[str, object]]) -> None:
    """Print rows as JSON lines."""
    for row in rows:
        click.echo(json.dumps(row, ensure_ascii=False, default=str))


def table(rows: Sequence[Mapping[str, object]], columns: Mapping[str, str], *, width: int = 160) -> None:
    """Print rows for people. `columns`: key of the row to the column's heading; wide text is folded. `width`: characters,
    where there is no terminal."""
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - slow to import, not needed for --help and --json
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    grid = Table(box=SIMPLE_HEAD, pad_edge=False)
    for key, heading in columns.items():
        numeric = all(isinstance(row[key], int | float) for row in rows)
        short = all(len(str(row[key])) <= SHORT for row in rows)
        grid.add_column(heading, justify="right" if numeric else "left", overflow="fold", no_wrap=short)
    for row in rows:
        grid.add_row(*(Text(printable(str("" if row[key] is None else row[key]))) for key in columns))
    console = Console(width=None if sys.stdout.isatty() else width)
    console.print(grid)


def json_options(command: Callable[..., int]) -> Callable[..., int]:
    """`--json` prints one document, `--jsonl` one row a line; not both."""

    @functools.wraps(command)
    def either(*arguments: Any, as_json: bool, jsonl: bool, **others: Any) -> int:
        if as_json and jsonl:
            raise UsageError("--json and --jsonl exclude each other", next="choose one")
        return command(*arguments, as_json=as_json, jsonl=jsonl, **others)

    either = click.option("--jsonl", is_flag=True, help="One JSON object a line.")(either)
    return click.option("--json", "as_json", is_flag=True, help="One JSON document.")(either)
