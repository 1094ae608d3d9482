"""`parse`: one page, read and shown; no archive is needed and none is written."""

import asyncio
import gzip
import os
import sys
import zlib
from pathlib import Path

import click

from parsers import metadata, registry
from parsers.article import Article
from parsers.errors import UsageError
from parsers.page import Page
from parsers.url import canonical
from scraper.cli.common import archive_if_any, archive_option, asked_once
from scraper.cli.output import data, printable, say
from scraper.settings import load, require_contact

MAX_FILE = 50_000_000
"""Bytes of a file or of standard input, unpacked."""
NO_ADDRESS = "https://address-not-known.invalid/page"


@click.command(
    epilog="""\b
Examples:
  newsmorgue parse https://example.org/story
  newsmorgue parse page.html --url https://example.org/story --json
  curl -s https://example.org/story | newsmorgue parse - --url https://example.org/story
  newsmorgue parse page.html.gz --generic --why title

Exit code 0 if the page is an article, 4 if it is anything else, 1 if it could not be fetched or read."""
)
@click.argument("what", metavar="URL|FILE|-")
@archive_option
@click.option("--url", metavar="URL", help="The address the page came from.")
@click.option("--site", metavar="NAME", help='A site, a theme or "generic" to read it with.')
@click.option("--generic", is_flag=True, help="As if no site were registered.")
@click.option("--why", metavar="FIELD", help="Where a field's value comes from.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.option("--raw", is_flag=True, help="The page as it came: status, headers, text.")
def parse(
    what: str,
    archive: Path | None,
    url: str | None,
    site: str | None,
    generic: bool,
    why: str | None,
    as_json: bool,
    raw: bool,
) -> int:
    """Read one page and show what is in it. Keeps nothing.

    An address is fetched with the settings of the archive, if there is one, and of your own file.
    """
    if site and generic:
        raise UsageError("--site and --generic exclude each other", next="choose one")
    page = _fetch(what, archive_if_any(archive)) if what.startswith(("http://", "https://")) else _load(what, url)
    if raw:
        _show_raw(page)
        return 0
    article = registry.read(page, parser=site, generic=generic)
    if why:
        return _why(article, why)
    if as_json:
        data(article.as_dict())
    else:
        _show(article)
    return 0 if article.verdict == "article" else 4


def _load(what: str, url: str | None) -> Page:
    try:
        with sys.stdin.buffer if what == "-" else Path(what).open("rb") as stream:
            body = stream.read(MAX_FILE + 1)
    except OSError as error:
        raise UsageError(
            f"{what} cannot be read", cause=error.strerror or str(error), next="name a file, an http(s) address, or -"
        ) from error
    if body[:2] == b"\x1f\x8b":
        body = _gunzip(body, what)
    if len(body) > MAX_FILE:
        raise UsageError(f"{what} is larger than {MAX_FILE} bytes", next="newsmorgue reads single pages")
    if url is not None:
        return Page(url=canonical(url), body=body)
    stated = metadata.head(Page(url=NO_ADDRESS, body=body)).canonical
    if stated is None:
        say("the page does not say its address; relative links and the site are not known (--url URL)")
        return Page(url=NO_ADDRESS, body=body)
    say(f"address as the page states it: {stated.value}")
    return Page(url=stated.value, body=body)


def _gunzip(body: bytes, what: str) -> bytes:
    """All members of a gzip file, up to one byte over the cap."""
    out = bytearray()
    try:
        while body and len(out) <= MAX_FILE:
            member = zlib.decompressobj(wbits=31)
            out += member.decompress(body, MAX_FILE + 1 - len(out))
            if not member.eof and len(out) <= MAX_FILE:
                raise EOFError("it ends in the middle")
            body = member.unused_data
    except (zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise UsageError(f"{what} is a damaged gzip file", cause=str(error), next="get the file again") from error
    return bytes(out)


def _fetch(url: str, folder: Path | None) -> Page:
    from scraper.clock import clock  # noqa: PLC0415 - a file needs no network room
    from scraper.fetch.client import Fetcher, user_agent  # noqa: PLC0415

    settings = load(folder, environ=os.environ).crawl
    require_contact(settings)

    async def get() -> Page:
        async with Fetcher(settings, agent=user_agent(settings.contact), now=clock(os.environ).now) as fetcher:
            return (await fetcher.get(canonical(url))).page

    with asked_once():
        return asyncio.run(get())


def _show_raw(page: Page) -> None:
    click.echo(f"{page.url}\nstatus {page.status}")
    for name, value in page.headers:
        click.echo(printable(f"{name}: {value}"))
    click.echo(f"charset {page.charset.name} ({page.charset.source}), {len(page.body)} bytes\n")
    text = page.text
    click.echo(_harmless(text) if sys.stdout.isatty() else text)


def _harmless(text: str) -> str:
    return "\n".join(printable(line.replace("\t", "    ")) for line in text.splitlines())


def _why(article: Article, field: str) -> int:
    value = article.as_dict()
    if field not in value:
        raise UsageError(f"no field {field!r}", cause=f"fields: {', '.join(value)}", next="--why title")
    found = article.provenance.get(field)
    click.echo(printable(f"{field}: {value[field]!r}"))
    click.echo(printable(f"  from {found.source}: {found.rule}" if found else "  no rule gave a value"))
    click.echo(f"  read by {article.layout or 'no layout'} ({article.site or 'no site'})")
    return 0 if article.verdict == "article" else 4


def _show(article: Article) -> None:
    def line(name: str, value: object) -> None:
        if value:
            click.echo(printable(f"{name:<12}{value}"))

    line("verdict", article.verdict)
    line("read by", f"{article.layout or 'no layout'}" + (f", site {article.site}" if article.site else ""))
    line("url", article.canonical_url)
    line("title", article.title)
    line("teaser", article.teaser)
    line("authors", ", ".join(article.authors))
    for name, when in (("published", article.published), ("modified", article.modified)):
        if when is not None:
            instant = when.utc.isoformat().replace("+00:00", "Z") if when.utc else "not understood"
            line(name, f"{instant} ({when.precision}, zone: {when.zone_source}; as written: {when.raw})")
    line("section", article.section)
    line("tags", ", ".join(article.tags))
    line("language", article.language)
    for person in article.people:
        what = ", ".join(part for part in (person.role, person.affiliation) if part)
        name = " ".join(part for part in (person.honorific, person.name) if part)
        statements = f"{person.quotes} statement{'s' if person.quotes != 1 else ''}"
        line("quoted", f"{name}{f' ({what})' if what else ''}: {statements}")
    line("cards", f"{len(article.cards)} other stories announced" if article.cards else "")
    click.echo()
    for block in article.blocks:
        marks = {"heading": "## ", "item": "- ", "quote": "> "}
        click.echo(printable(marks.get(block.kind, "") + block.text) + "\n")
