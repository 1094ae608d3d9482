"""`diff`: the words that a publisher changed in a story."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from scraper.cli.common import archive_folder, archive_option
from scraper.cli.output import document, json_options, lines, printable, say
from storage.archive import Archive

CONTEXT = 8
"""Words of what stayed the same, shown on either side of a change."""
_WORDS = re.compile(r"\s*\S+")
_LONG_WORD = 24
"""Characters after which a run without spaces is cut like words (Chinese, Japanese)."""


@click.command(
    epilog="""\b
Examples:
  newsmorgue diff https://example.org/story
  newsmorgue diff https://example.org/story --from 1 --to 3
  newsmorgue diff https://example.org/story --all --jsonl
\b
--json prints {"schema": 1, "diffs": [...]}, --jsonl one diff a line: url; from and to, numbers of revisions;
from_at and to_at, when each was first seen; changes, their kinds (see docs/archive.md, table revision);
words_added and words_removed of the body; title, teaser and body, each a list of {op, text} with op equal,
delete or insert. The texts of equal and insert joined are the newer text. A story without changes has no diffs."""
)
@click.argument("url")
@archive_option
@click.option("--from", "start", type=int, metavar="N", help="The older revision; else the one before --to.")
@click.option("--to", "end", type=int, metavar="N", help="The newer revision; else the last.")
@click.option("--all", "every", is_flag=True, help="Every step, from the first revision to the last.")
@json_options
def diff(
    url: str,
    archive: Path | None,
    start: int | None,
    end: int | None,
    every: bool,
    as_json: bool,
    jsonl: bool,
) -> int:
    """Show the words that changed between two revisions of a story: [-removed-] {+added+}.

    URL is any address of the story that the archive knows.
    """
    with Archive.open(archive_folder(archive)) as opened:
        rows = opened.diff(url, start=start, end=end, every=every)
    if jsonl:
        lines(rows)
    elif as_json:
        document("diffs", rows)
    else:
        for row in rows:
            _show(row)
    if not rows:
        say("one revision: nothing has changed since the story was first seen")
    return 0


def _show(row: Mapping[str, Any]) -> None:
    kinds = ", ".join(row["changes"]) or "no kind recorded"
    click.echo(printable(row["url"]))
    click.echo(f"revision {row['from']} of {row['from_at']} -> {row['to']} of {row['to_at']}")
    click.echo(f"{kinds}; +{row['words_added']} -{row['words_removed']} words in the body\n")
    for field in ("title", "teaser", "body"):
        if any(op["op"] != "equal" for op in row[field]):
            click.echo(click.style(field, bold=True))
            click.echo(_marked(row[field]) + "\n")


def _marked(ops: Sequence[Mapping[str, str]]) -> str:
    """Changes in their marks, and of what stayed the same the words beside them."""
    out = []
    for n, op in enumerate(ops):
        text = printable(op["text"])
        if op["op"] == "equal":
            out.append(_elided(text, first=n == 0, last=n == len(ops) - 1))
            continue
        before, after = ("[-", "-]") if op["op"] == "delete" else ("{+", "+}")
        bare = text.rstrip()
        out.append(click.style(before + bare + after, fg="red" if op["op"] == "delete" else "green"))
        followed = n + 1 < len(ops) and ops[n + 1]["op"] == "insert"
        out.append("" if followed else text[len(bare) :])
    return "".join(out)


def _elided(text: str, *, first: bool, last: bool) -> str:
    """The words of a stretch that stand next to a change: its last ones, unless it ends the text, and its first ones."""
    words = [part for word in _WORDS.findall(text) for part in _parts(word)]
    head, tail = (0 if first else CONTEXT), (0 if last else CONTEXT)
    if len(words) <= head + tail + 2:
        return text
    begin = "".join(words[:head])
    end = "".join(words[len(words) - tail :]) + text[len(text.rstrip()) :] if tail else ""
    return f"{begin} ...{end}" if begin else f"...{end}"


def _parts(word: str) -> list[str]:
    return list(word) if len(word) > _LONG_WORD else [word]
