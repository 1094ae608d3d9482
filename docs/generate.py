"""Write the pages of docs/ that a machine knows best: `python docs/generate.py [--check]`.

`--check` writes nothing and exits 1 if a page is stale.
"""

import sys
from pathlib import Path

import click

from scraper.cli.main import VERBS, cli
from storage import dictionary

DOCS = Path(__file__).resolve().parent


def commands() -> str:
    """The command line's reference, from `--help`."""
    context = click.Context(cli, info_name="newsmorgue", max_content_width=100)
    parts = ["# Commands", "", "Made from `--help` by `make docs`.", "", "```", cli.get_help(context), "```"]
    for verb in VERBS:
        command = cli.get_command(context, verb)
        assert command is not None
        inner = click.Context(command, info_name=verb, parent=context, max_content_width=100)
        parts += ["", f"## {verb}", "", "```", command.get_help(inner), "```"]
    return "\n".join(line.rstrip() for line in "\n".join(parts).splitlines()) + "\n"


PAGES = {"commands.md": commands, "archive.md": dictionary.as_markdown}


def main() -> int:
    """Write or check every page; the exit code."""
    stale = 0
    for name, make in PAGES.items():
        path, text = DOCS / name, make()
        if path.exists() and path.read_text("utf-8") == text:
            continue
        if "--check" in sys.argv:
            stale = 1
            sys.stderr.write(f"{path.name} is stale; next: make docs\n")
        else:
            path.write_text(text, "utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(main())
