"""`add`: look at a site and write its block into newsmorgue.toml."""

import asyncio
import json
import os
import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import click

from parsers.article import Article
from parsers.errors import SettingsError, UsageError
from parsers.page import Page
from parsers.url import canonical, domain, host, publication
from scraper.cli.common import archive_folder, archive_option, asked_once
from scraper.cli.output import data, printable, say, table
from scraper.clock import clock
from scraper.discover import Findings, Look, Sample
from scraper.fetch.client import Fetched, Fetcher, user_agent
from scraper.settings import FILE, Settings, in_scope, load, require_contact
from storage import disk
from storage.database import explained

_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")


@click.command(
    epilog="""\b
Examples:
  newsmorgue add https://example.org/              look, show the block, ask, write it
  newsmorgue add example.org --name example --yes  do not ask
  newsmorgue add example.org --dry-run --json      what was found, for programs

It asks for some 15 addresses at the archive's pace and keeps none of the pages. The block is put behind what
newsmorgue.toml holds, which stays as it is. Without --yes it asks first; with --json, or not at a terminal,
it then writes nothing."""
)
@click.argument("url")
@archive_option
@click.option("--name", metavar="N", help="The site's name; else made from its domain.")
@click.option("--yes", is_flag=True, help="Write the block without asking.")
@click.option("--dry-run", is_flag=True, help="Look and show the block; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document about what was found.")
def add(url: str, archive: Path | None, name: str | None, yes: bool, dry_run: bool, as_json: bool) -> int:
    """Look at a site and add its block to newsmorgue.toml.

    Looks for feeds, sitemaps and WordPress, reads three stories with the best parser and with the generic one, and says what it
    found and what it did not.
    """
    folder = archive_folder(archive)
    settings = load(folder, environ=os.environ)
    require_contact(settings.crawl)
    start = canonical(url if "://" in url else f"https://{url}")
    _new(settings, start, name)
    asked: list[str] = []
    with asked_once():
        found = asyncio.run(_look(settings, start, name, asked))
    block = _block(_named(settings, found.home) if name is None else name, found)
    if not as_json:
        _show(found)
        click.echo(block)
    written = not dry_run and (yes or _agreed(as_json))
    if written:
        _write(folder / FILE, block)
    if as_json:
        data(_document(found, block, asked, written=written))
    if written:
        say(f"written to {folder / FILE}; next:  newsmorgue crawl --archive {folder}")
    else:
        say("nothing was written" + ("" if dry_run else "; --yes writes the block"))
    return 0


async def _look(settings: Settings, start: str, name: str | None, asked: list[str]) -> Findings:
    def tell(url: str) -> None:
        asked.append(url)
        say(f"asks for {url}")

    def keep(fetched: Fetched) -> None:
        rules.append(fetched.page)
        tell(fetched.page.asked)

    now = clock(os.environ).now
    rules: list[Page] = []
    async with Fetcher(
        settings.crawl,
        agent=user_agent(settings.crawl.contact),
        keep_robots=keep,
        now=now,
    ) as fetcher:
        look = Look(fetcher, rules, tell, now())
        page = await look.front(start)
        if canonical(page.url) != start:
            say(f"{start} leads to {page.url}")
            _new(settings, canonical(page.url), name)
        return await look.at(page)


def _new(settings: Settings, url: str, name: str | None) -> None:
    """Raises UsageError if the host has a block already, or the name cannot be used."""
    for site in settings.sites:
        if in_scope(url, site):
            raise UsageError(
                f"{host(url)} is covered by [site.{site.name}] already",
                cause=f"its home is {site.home}",
                next=f"newsmorgue crawl {site.name}, or edit its block in {FILE}",
            )
    if name is None:
        return
    if not _NAME.fullmatch(name):
        raise UsageError(f"--name {name!r} cannot be used", cause="letters, digits, - and _", next="--name example")
    if name in {site.name for site in settings.sites}:
        raise UsageError(f"there is a [site.{name}] already", next=f"--name {name}-2")


def _named(settings: Settings, home: str) -> str:
    """A name that no block has, from the domain: `daily` of `www.daily.co.kr`."""
    whole = domain(home)
    label = publication(home).partition(".")[0] if re.search(r"[a-z]", whole.rpartition(".")[2]) else whole
    base = re.sub(r"[^a-z0-9_-]+", "-", label.lower()).strip("-")[:50] or "site"
    taken = {site.name for site in settings.sites}
    return next(
        name for number in range(1, len(taken) + 2) if (name := base + f"-{number}" * (number > 1)) not in taken
    )


def _block(name: str, found: Findings) -> str:
    """The site's block as TOML. A basic string of TOML is written as one of JSON."""
    lines = [f"[site.{name}]", f"home = {_text(found.home)}"]
    zone = f"timezone = {_text(found.zone.name)}    #" if found.zone.name else "# timezone not known:"
    lines.append(f"{zone} {found.zone.why}")
    lines.append("sources = [")
    lines += [f"    {{ {one.source.kind} = {_text(_path(one.source.url, found.home))} }}," for one in found.offers]
    return "\n".join([*lines, "]\n"])


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _path(url: str, home: str) -> str:
    """An address as short as the block allows: without the host, if that is the home's."""
    parts, own = urlsplit(url), urlsplit(home)
    if (parts.scheme, parts.netloc) != (own.scheme, own.netloc) or parts.path.startswith("//"):
        return url
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _agreed(as_json: bool) -> bool:
    return (
        not as_json and sys.stdin.isatty() and click.confirm(f"write this block into {FILE}?", default=True, err=True)
    )


def _write(path: Path, block: str) -> None:
    """Put the block behind what the file holds. Raises SettingsError if the two do not go together."""
    with explained(path):
        before = path.read_bytes().decode()  # as it is now: it may have been edited while the site was looked at
    ends = "" if before.endswith("\n") else "\n"
    after = f"{before}{ends}\n{block}"
    try:
        tomllib.loads(after)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"the block cannot be put behind {path}", cause=str(error), next="put it in by hand"
        ) from error
    with explained(path):
        disk.write(path.resolve(), after)


def _show(found: Findings) -> None:
    def line(name: str, value: object) -> None:
        click.echo(printable(f"{name:<12}{value}"))

    line("home", found.home)
    line("publication", found.publication or "it does not say its name")
    line("parser", f"{found.theme}" + (f", site {found.site}" if found.site else ""))
    line("language", found.language or "not stated")
    line("zone", f"{found.zone.name or 'not known'} ({found.zone.why})")
    line("opt-outs", f"{', '.join(found.optouts)} (obeyed as respect in [crawl] says)" if found.optouts else "none")
    line("paywall", f"{found.paywalled} of {len(found.samples)} stories say so")
    for offer in found.offers:
        listed = f"{offer.stories} stories" if not offer.parts else f"{offer.parts} further sitemaps"
        newest = f", the newest of {offer.newest:%Y-%m-%d}" if offer.newest else ""
        line("found", f"{offer.source.kind} {offer.source.url}: {listed}{newest}")
    for lack in found.lacks:
        line("not found", f"{lack.what}: {lack.why}")
    click.echo()
    for sample in found.samples:
        _beside(sample)


def _beside(sample: Sample) -> None:
    """One story, as both parsers read it."""
    best, generic = sample.best, sample.generic
    click.echo(printable(best.url))
    rows = [
        {"field": field, "best": left or "-", "generic": right or "-"}
        for (field, left), (_, right) in zip(_fields(best), _fields(generic), strict=True)
    ]
    columns = {"field": "", "best": best.layout or "best"}
    table(rows, columns if best.layout == generic.layout else columns | {"generic": generic.layout or "generic"})


def _fields(article: Article) -> Sequence[tuple[str, str]]:
    published = article.published.raw if article.published else ""
    return (
        ("verdict", article.verdict),
        ("title", article.title),
        ("teaser", article.teaser),
        ("authors", ", ".join(article.authors)),
        ("published", published),
        ("body", f"{len(article.body)} characters" if article.body else ""),
        ("quotes", str(len(article.quotes) or "")),
        ("tags", ", ".join(article.tags)),
    )


def _document(found: Findings, block: str, asked: Sequence[str], *, written: bool) -> dict[str, object]:
    return {
        "schema": 1,
        "home": found.home,
        "publication": found.publication,
        "site": found.site,
        "theme": found.theme,
        "language": found.language,
        "timezone": found.zone.name,
        "timezone_source": found.zone.why,
        "optouts": found.optouts,
        "paywalled": found.paywalled,
        "sources": [
            {
                "kind": offer.source.kind,
                "url": offer.source.url,
                "stories": offer.stories,
                "sitemaps": offer.parts,
                "newest": offer.newest.isoformat(timespec="seconds").replace("+00:00", "Z") if offer.newest else None,
            }
            for offer in found.offers
        ],
        "not_found": [lack._asdict() for lack in found.lacks],
        "samples": [
            {"url": sample.best.url, "best": dict(_fields(sample.best)), "generic": dict(_fields(sample.generic))}
            for sample in found.samples
        ],
        "asked": list(asked),
        "block": block,
        "written": written,
    }
