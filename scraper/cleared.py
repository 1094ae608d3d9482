"""What came from the web, without what was taken down. It is gone before anything is kept or read further."""

from collections.abc import Sequence
from dataclasses import replace

from parsers.article import Card
from scraper.fetch.client import Fetched
from storage import obedience
from storage.records import Exchange
from storage.tombstones import Tombstones


def cleared(fetched: Fetched, stones: Tombstones, cards: Sequence[Card] = (), *, story: bool = False) -> Fetched:
    """What came, without what was taken down; itself if it holds nothing of that."""
    if not stones:
        return fetched
    *hops, answer = fetched.exchanges
    page, answer = obedience.cleaned(fetched.page, answer, stones, cards, story=story)
    return fetched if page is fetched.page else replace(fetched, page=page, exchanges=(*hops, answer))


def exchanges(fetched: Fetched, stones: Tombstones) -> tuple[Exchange, ...]:
    """Redirects and answer. Where something was taken down, only the heads of redirects: nobody reads what else they say."""
    if not stones:
        return fetched.exchanges
    *hops, answer = fetched.exchanges
    return (*(hop.without_payload() for hop in hops), answer)
