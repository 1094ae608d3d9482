"""`demo`: the main job on the bundled publications, and what came of it."""

from pathlib import Path

import click

from scraper import demo as demonstration
from scraper.cli.output import printable, say, table
from scraper.cli.progress import watching
from storage.archive import Archive


@click.command(
    epilog="""\b
Example:
  newsmorgue demo
  newsmorgue people --experts --archive demo-archive"""
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default="demo-archive")
def demo(folder: Path) -> int:
    """Crawl five bundled publications on this machine, twice, and show what the archive holds.

    Each is served on a free port of 127.0.0.1; nothing leaves this machine. FOLDER (demo-archive) is replaced if an
    earlier demo made it.
    """
    with watching() as progress:
        done = demonstration.run(folder, progress)
    with Archive.open(folder) as archive:
        total = sum(done.requests.values())
        click.echo(
            f"{total} requests to {len(done.requests)} publications in two visits, a day apart; the archive is {folder}/\n"
        )
        click.echo("Publications")
        columns = {"site": "publication", "requests": "requests", "articles": "articles", "corrected": "corrected"}
        table(done.publications(), columns | {"withdrawn": "withdrawn"})
        click.echo("Captures by verdict")
        table(archive.verdicts(), {"verdict": "verdict", "captures": "captures", "addresses": "addresses"})
        click.echo("What changed between the two visits")
        changes = archive.changes(run=done.second.run)
        for change in changes:
            click.echo(printable(f"  {change['what']:<9} {change['title']}"))
            if change["before"]:
                click.echo(printable(f"  {'was':>9} {change['before']}"))
            if change["changes"]:
                click.echo(
                    f"  {'':9} {', '.join(change['changes'])}; +{change['words_added']} -{change['words_removed']} words"
                )
        click.echo("\nMost quoted experts")
        columns = {
            "person": "name",
            "role": "role",
            "affiliation": "affiliation",
            "quotes": "statements",
            "articles": "articles",
        }
        table(archive.people(limit=10, experts_only=True), columns)
    say("Try:")
    say(f"  newsmorgue search 'sleep' --archive {folder}")
    say(f"  newsmorgue quotes --speaker Kim --archive {folder}")
    say(f"  newsmorgue diff '{next(change['url'] for change in changes if change['words_added'])}' --archive {folder}")
    say(f"  sqlite3 {folder}/archive.db 'select person, role, affiliation, quotes from experts limit 10'")
    return 0
