"""Tombstones obeyed when a page comes: what leads to a story that was taken down is turned away, and what still shows it,
or names a person who was taken down, is struck before it is kept."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from parsers import links, metadata
from parsers.article import Card
from parsers.page import Page
from parsers.url import removed, try_canonical
from storage import tombstones
from storage.facts import RemovedFacts, address
from storage.frontier import Entry
from storage.layers import texts
from storage.records import Exchange, Resource
from storage.rewrite import struck_head
from storage.spotting import addresses_in, names_in
from storage.strike import Target, phrase, strike
from storage.tombstones import Tombstone, Tombstones

if TYPE_CHECKING:
    from storage.archive import Archive

A = TypeVar("A", Exchange, Resource)


def leads_to(page: Page, stones: Tombstones, *, story: bool) -> Tombstone | None:
    """The tombstone of the story that a page shows: by the address asked or given or, of a story, what it calls its own."""
    if not stones.urls:
        return None
    head = metadata.head(page).canonical if story and b"<" in page.body[:2000] else None
    urls = (page.asked, page.url, *((head.value,) if head else ()))
    return next((stone for url in urls if (stone := stones.of(url)) is not None), None)


def turn_away(archive: "Archive", entry: Entry, page: Page, stone: Tombstone, *, site: str, retry: datetime) -> None:
    """Keep nothing of a page that shows a story that was taken down.

    A story's address is not asked again, under a tombstone of its own; a front that leads there is tried again at `retry`.
    `site`: the name of the entry's site.
    """
    assert page.captured is not None
    day = page.captured.date()
    facts = RemovedFacts(stone.digest.hex(), stone.at, site, "dropped", "taken_down")
    with archive.transaction():
        archive.warc.facts(address(facts), page.captured, facts.as_json())
        archive.note(entry.site, day, "tried")
        archive.note(entry.site, day, facts.stage, facts.reason)
        if entry.kind == "story":
            urls = {entry.url, try_canonical(page.url) or page.url}
            tombstones.add(archive.db.conn, [replace(stone, digest=tombstones.of_url(url)) for url in sorted(urls)])
            archive.db.conn.executemany("DELETE FROM frontier WHERE url = ?", [(url,) for url in urls])
        else:
            archive.frontier.failed(entry, outcome=facts.reason, status=page.status, retry=retry)
    archive.heed()


def cleaned(page: Page, answer: A, stones: Tombstones, cards: Sequence[Card] = (), *, story: bool) -> tuple[Page, A]:
    """A page and the answer that brought it, without what was taken down; the very same if they hold nothing of it.

    `cards`: those that its reader found. `story`: it is asked for as an article, see `storage.strike.strike`.
    """
    target, keys = _target(page, stones, cards)
    if not target:
        return page, answer
    body = strike(page.body, target, charset=page.charset.name, base=page.url, listing=not story, story=story)
    if body is None:
        return page, answer
    if isinstance(answer, Resource):
        return replace(page, body=body), replace(answer, payload=body)
    stone = next(stone for stone in stones if stone.digest in keys)
    head = struck_head(answer.response_head, len(body), stone.digest.hex(), stone.at)
    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    headers = tuple((name, value.strip()) for name, colon, value in lines if colon)
    return replace(page, body=body, headers=headers), replace(answer, response_head=head + b"\r\n\r\n", payload=body)


def _target(page: Page, stones: Tombstones, announced: Sequence[Card]) -> tuple[Target, set[bytes]]:
    """What of the page is to be struck, and the digests that say so. Only hashes are known: addresses and names are found
    by them, titles and teasers by the cards of those addresses."""
    if not page.body:
        return Target(), set()
    layers = list(texts(page.text))
    urls = addresses_in(layers, page.url, stones.url) if stones.urls else set()
    names = names_in(layers, stones.person) if stones.people else set()
    if not (urls or names):
        return Target(), set()
    cards = [card for card in (*announced, *_cards(page)) if card.url in urls] if urls else []
    said = {text: phrase(text) for card in cards for text in (card.title, card.teaser) if text}
    target = Target(
        {url: removed(url, tombstones.of_url(url).hex()) for url in urls},
        tuple(one for one in said.values() if one.long),
        local=tuple(one for one in said.values() if not one.long),
        names=tuple(phrase(name) for name in sorted(names)),
    )
    return target, {*map(tombstones.of_url, urls), *map(tombstones.of_person, names)}


def _cards(page: Page) -> Sequence[Card]:
    return () if links.looks_like_feed(page) else links.generic_cards(page)
