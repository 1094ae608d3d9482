"""`crawl`: fetch what the sites have, read it and keep it."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from parsers.errors import NewsmorgueError, PartlyFailed, UsageError
from scraper.cli.common import archive_folder, archive_option, instant
from scraper.cli.output import counted, data, say
from scraper.cli.progress import watching
from scraper.clock import clock
from scraper.crawl import Limits
from scraper.runs import Outcome
from scraper.runs import crawl as run_crawl
from scraper.settings import FILE, Settings, SiteSettings, in_scope, load
from storage.archive import Archive
from storage.timing import parse_duration


@click.command(
    epilog="""\b
Examples:
  newsmorgue crawl                          every site of the archive in this folder
  newsmorgue crawl example --limit 20       one site, twenty stories
  newsmorgue crawl example --since 2024-01-01   what its sitemaps list since then, too
  newsmorgue crawl --dry-run                what would be asked for
  newsmorgue crawl --set delay=5s --wait 0s

Stopped by Ctrl-C, a crash or kill -9, the next crawl goes on. Exit code 3 if some site gave nothing
or refuses us, 1 if none gave anything."""
)
@click.argument("sites", nargs=-1, metavar="[SITE]...")
@archive_option
@click.option("--wait", default="30s", show_default=True, metavar="TIME", help="End when nothing is due within TIME.")
@click.option("--recheck", is_flag=True, help="Ask every known story again.")
@click.option("--no-read", is_flag=True, help="Fetch and capture only.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Fetch at most N stories.")
@click.option("--since", metavar="DATE", help="Backfill by sitemaps and REST; leave out what is dated before.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, metavar="N", help="Processes that read.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="A setting of [crawl] for this run.")
@click.option("--dry-run", is_flag=True, help="Say what would be asked for; ask and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document about the run.")
def crawl(
    sites: tuple[str, ...],
    archive: Path | None,
    wait: str,
    recheck: bool,
    no_read: bool,
    limit: int | None,
    since: str | None,
    jobs: int,
    overrides: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> int:
    """Fetch what the sites have, read it and keep it.

    Takes every front, feed and sitemap of the sites now, then all that is due. Bytes are safe in WARC before anyone reads them.
    """
    folder = archive_folder(archive)
    settings = load(folder, environ=os.environ, flags=_flags(overrides))
    chosen = _chosen(settings, sites, folder)
    if dry_run:
        return _dry_run(folder, chosen, recheck=recheck, as_json=as_json)
    limits = Limits(
        wait=parse_duration(wait), stories=limit, recheck=recheck, read=not no_read, since=instant(since, "--since")
    )
    with watching() as progress:
        outcome = run_crawl(
            folder, settings, chosen, clock=clock(os.environ), limits=limits, progress=progress, jobs=jobs
        )
    _report(outcome, as_json=as_json)
    if older := outcome.tally.dropped["not_fresh"]:
        say(f"{older} older stories that sitemaps list were left out; --since DATE takes them")
    failed = [site for site in chosen if site.name in outcome.tally.failed_sites()]
    step = f"newsmorgue status --archive {folder}"
    if not as_json and not failed and not outcome.refused:
        say(f"next: {step}     or  newsmorgue search WORDS --archive {folder}")
    problems: list[NewsmorgueError] = [_refused(site, folder) for site in outcome.refused]
    if failed:
        kind = NewsmorgueError if outcome.state == "failed" else PartlyFailed
        names = ", ".join(sorted(site.name for site in failed))
        problems.append(kind(f"nothing came from {names}", cause=_why(outcome, failed), next=step))
    for problem in problems[:-1]:
        say(f"error: {problem}")
    if problems:
        raise problems[-1]
    return 0


def _refused(site: Mapping[str, Any], folder: Path) -> PartlyFailed:
    """A site that does not want us, in words."""
    return PartlyFailed(
        f"site {site['site']!r}: {site['held_for']} from {site['url']} (last success {site['last_success'] or 'never'})",
        cause=f"{site['host']} does not want us, or a challenge stands before it; it is left alone until {site['held_until']}",
        next=f"newsmorgue parse {site['url']} --raw --archive {folder}     or set  paused = true  in [site.{site['site']}]",
    )


def _flags(overrides: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals:
            raise UsageError(f"--set {override!r} is not KEY=VALUE", next="--set delay=5s")
        pairs[key.strip()] = value.strip()
    return pairs


def _chosen(settings: Settings, names: tuple[str, ...], folder: Path) -> tuple[SiteSettings, ...]:
    if not settings.sites:
        raise UsageError(
            f"{folder / FILE} names no site",
            next=f"newsmorgue add https://example.org/ --archive {folder}",
        )
    if names:
        return tuple(settings.site(name) for name in dict.fromkeys(names))
    chosen = tuple(site for site in settings.sites if not site.paused)
    if not chosen:
        raise UsageError("every site is paused", next=f"remove  paused = true  in {folder / FILE}, or name a site")
    return chosen


def _dry_run(folder: Path, sites: tuple[SiteSettings, ...], *, recheck: bool, as_json: bool) -> int:
    rows: list[dict[str, object]] = [
        {"site": site.name, "kind": source.kind, "url": source.url} for site in sites for source in site.sources
    ]
    names = {site.name for site in sites}
    with Archive.open(folder, frozen=True) as archive:
        due = archive.frontier.waiting(clock(os.environ).now(), stories=recheck)
        rows += [row for row in due if row["site"] in names and row["url"] not in {seen["url"] for seen in rows}]
    if as_json:
        data({"schema": 1, "would_fetch": rows})
    else:
        for row in rows:
            click.echo(f"{row['site']}\t{row['kind']}\t{row['url']}")
    say(f"would ask for {len(rows)} addresses, and for what they lead to; nothing was asked, nothing was written")
    return 0


def _why(outcome: Outcome, failed: Sequence[SiteSettings]) -> str:
    """The first error at an address of a site that gave nothing."""
    errors = outcome.tally.errors.items()
    own = (_said(url, words) for url, words in errors if any(in_scope(url, site) for site in failed))
    return next(own, "its host is held since an earlier run, or no address of it may be asked for")


SHOWN = 10
"""Errors that are said one by one."""
STORIES = ("new", "changed", "unchanged")
NOT_ASKED = ("robots_denied", "address_refused")
FAILED = ("connection_failed", "deadline_exceeded", "bad_response", "too_large", "host_held")


def _summary(seen: Mapping[str, int]) -> str:
    """What came of a site in one line: stories, other pages by verdict, what was not to be asked for, what failed and why."""
    words = [", ".join(f"{seen.get(word, 0)} {word}" for word in STORIES)]
    named = {*STORIES, *NOT_ASKED, *FAILED, "tried", "got"}
    others = {"other pages": tuple(sorted(set(seen) - named)), "not asked": NOT_ASKED, "failed": FAILED}
    for heading, outcomes in others.items():
        if said := counted({outcome: seen[outcome] for outcome in outcomes if seen.get(outcome)}):
            words.append(f"{heading}: {said}")
    return "; ".join(words)


def _said(url: str, problem: str) -> str:
    """An error in one line: the address, what went wrong and why."""
    what, *rest = problem.splitlines()
    cause = next((f" ({line.strip()})" for line in rest if not line.startswith("  next: ")), "")
    return (what if what.startswith(url) else f"{url}: {what}") + cause


def _report(outcome: Outcome, *, as_json: bool) -> None:
    counts, dropped = outcome.tally.counts, outcome.tally.dropped
    for words in outcome.recovered:
        say(f"recovered from a run that was killed: {words}")
    if as_json:
        data(
            {
                "schema": 1,
                "run": outcome.run,
                "state": outcome.state,
                "started": outcome.started.isoformat(timespec="seconds").replace("+00:00", "Z"),
                "seconds": round((outcome.ended - outcome.started).total_seconds(), 3),
                "counts": dict(counts),
                "dropped": dict(dropped),
                "sites": {site: dict(seen) for site, seen in outcome.tally.by_site.items()},
                "errors": outcome.tally.errors,
                "refused": outcome.refused,
            }
        )
        return
    seconds = (outcome.ended - outcome.started).total_seconds()
    say(f"run {outcome.run} {outcome.state} in {seconds:.1f} s: {counts['tried'] or 'no'} addresses asked")
    for site, seen in sorted(outcome.tally.by_site.items()):
        say(f"  {site}: {_summary(seen)}")
    if dropped:
        say(f"links not followed: {counted(dropped)}")
    errors = outcome.tally.errors
    for url, problem in list(errors.items())[:SHOWN]:
        say(f"  {_said(url, problem)}")
    if len(errors) > SHOWN:
        say(f"  and {len(errors) - SHOWN} more, in the table failure of archive.db")
