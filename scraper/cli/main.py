"""The `newsmorgue` command: a table of verbs, errors for humans, exit codes for scripts."""

import difflib
import importlib
import keyword
import signal
import sys
from collections.abc import Sequence

import click

from parsers.errors import NewsmorgueError
from parsers.version import __version__
from scraper.cli.output import printable

INTERRUPTED, TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM
# verb: (module, what `--help` says). The module is imported when its verb is called, so that help starts fast.
VERBS = {
    "init": ("scraper.cli.init", "Make an archive folder with its settings."),
    "add": ("scraper.cli.add", "Look at a site and add its block to newsmorgue.toml."),
    "crawl": ("scraper.cli.crawl", "Fetch what the sites have, read it and keep it."),
    "status": ("scraper.cli.status", "Say how each site is doing."),
    "parse": ("scraper.cli.parse", "Read one page and show what is in it; keeps nothing."),
    "search": ("scraper.cli.ask", "Find articles by their words."),
    "quotes": ("scraper.cli.ask", "List who said what."),
    "people": ("scraper.cli.ask", "List who is quoted, as what, how often."),
    "verify": ("scraper.cli.verify", "Check that everything written is there and agrees."),
    "repair": ("scraper.cli.repair", "Mend what verify finds; dry unless --apply."),
    "import": ("scraper.cli.imports", "Import pages from WARC files, or HTML files by a list."),
    "backup": ("scraper.cli.backup", "Bring a second copy of the archive up to date."),
    "restore": ("scraper.cli.backup", "Make an archive from a backup."),
    "rebuild": ("scraper.cli.rebuild", "Make archive.db anew from the WARC files."),
    "diff": ("scraper.cli.diff", "Show the words that a publisher changed in a story."),
    "export": ("scraper.cli.export", "Write the archive to CSV, JSON lines, Parquet, SQLite or WARC files."),
    "takedown": ("scraper.cli.takedown", "Remove stories or a person for good, and leave a tombstone."),
    "demo": ("scraper.cli.demo", "Crawl bundled publications on this machine and show the archive."),
    "doctor": ("scraper.cli.doctor", "Check this machine and this archive."),
}

EPILOG = """\b
Start here:
  newsmorgue demo                              a whole crawl on this machine, under a minute
  newsmorgue init clips --contact you@example.org
  newsmorgue add https://example.org/ --archive clips
  newsmorgue parse page.html --url https://example.org/story
\b
Exit codes: 0 done, 1 failed, 2 usage or settings, 3 some sites failed, 4 a check found something,
75 another run holds the lock, 130 interrupted, 143 by SIGTERM (the next run goes on).
"""


class Verbs(click.Group):
    """A group whose verbs are imported only when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(VERBS[cmd_name][0])
        command = getattr(module, f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS:
            close = difflib.get_close_matches(args[0], VERBS, n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"verbs: {', '.join(VERBS)}"
            raise click.UsageError(f"no verb {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(name, words) for name, (_, words) in VERBS.items()])


@click.group(
    cls=Verbs, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__, "-V", "--version", message="newsmorgue %(version)s")
def cli() -> None:
    """A news-page scraper and archiver.

    Fetches portal pages politely, reads title, teaser, body, experts quoted and tags, and keeps everything in WARC files
    and one SQLite file that you can query.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a verb and leave with its exit code. SIGTERM ends a verb as Ctrl-C does, but for the exit code."""
    terminated: list[int] = []

    def terminate(number: int, frame: object) -> None:
        terminated.append(number)
        if (
            signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        ):  # a job that a shell put into the background is deaf to Ctrl-C
            signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.raise_signal(signal.SIGINT)

    signal.signal(signal.SIGTERM, terminate)
    code = run(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):  # it is over: one that comes now changes nothing
        signal.signal(number, signal.SIG_IGN)
    sys.exit(TERMINATED if terminated and code == INTERRUPTED else code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a verb and give its exit code."""
    try:
        code = cli.main(args=list(arguments) if arguments is not None else None, standalone_mode=False)
    except NewsmorgueError as error:
        click.echo(f"error: {printable(str(error))}", err=True)
        return error.exit_code
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except SystemExit:  # click's answer to a closed pipe: the reader of our output (head, less) has seen enough
        return 0
    return code if isinstance(code, int) else 0
