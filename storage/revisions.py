"""What kind of change a revision is: pure comparisons of two texts of a story as its publisher showed them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from parsers.corrections import is_note
from parsers.figures import Figure, figures
from parsers.text import normalised
from storage.differences import tokens

KINDS = (
    "headline", "teaser", "text", "figures", "quote_added", "quote_removed", "correction", "silent", "reverted", "withdrawn",
)  # fmt: skip
"""In the order in which they are listed."""
ALIKE = 0.6
"""Share of words (of pairs of words, in a body) that two wordings of one statement have in common."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A text of a story as its publisher showed it.

    `quotes`: its statements. `modified`: the aware instant that the page gives for its last change, None if it gives none;
    `by_day`: it gives the day alone. `seen`: aware instant at which the text was last there for us.
    """

    title: str
    teaser: str
    body: str
    quotes: tuple[str, ...]
    modified: datetime | None
    by_day: bool
    seen: datetime


def kinds(older: Shown, newer: Shown) -> list[str]:
    """What the publisher changed between two texts, in the order of `KINDS`; [] if nothing that counts.

    `reverted` and `withdrawn` take more than two texts to see: `storage.history` adds them.
    """
    text = normalised(older.body) != normalised(newer.body)
    headline = normalised(older.title) != normalised(newer.title)
    teaser = normalised(older.teaser) != normalised(newer.teaser)
    if not (text or headline or teaser):
        return []
    found = {
        "headline": headline,
        "teaser": teaser,
        "text": text,
        "figures": _numbers(older) != _numbers(newer),
        "quote_added": text and _has_other(newer.quotes, older),
        "quote_removed": text and _has_other(older.quotes, newer),
        "correction": _corrected(older, newer),
        "silent": text and silent(older, newer),
    }
    return [kind for kind in KINDS if found.get(kind)]


def silent(older: Shown, newer: Shown) -> bool:
    """Whether the page's date of change did not move, although the text did.

    Silent: the newer page gives the same date or an earlier one, or none any more. Not silent: the older page gave none,
    for such a site has no way to tell. A date without a time counts only once its day was over when the older text
    still stood there: until then an edit of the same day could not move it.
    """
    if older.modified is None:
        return False
    if newer.modified is None:
        return True
    return newer.modified <= older.modified and (not newer.by_day or newer.modified <= older.seen - timedelta(days=1))


def _numbers(shown: Shown) -> set[Figure]:
    return figures("\n".join((shown.title, shown.teaser, shown.body)))


def _corrected(older: Shown, newer: Shown) -> bool:
    """Whether a note that the story was corrected appeared or grew."""
    before, after = ({shown.teaser, *shown.body.split("\n")} for shown in (older, newer))
    return _note_words(after - before) > _note_words(before - after)


def _note_words(paragraphs: Iterable[str]) -> int:
    return sum(len(_words(paragraph)) for paragraph in paragraphs if is_note(paragraph))


def _has_other(quotes: Sequence[str], text: Shown) -> bool:
    """Whether a statement is not in the other text: neither among its statements, perhaps reworded a little, nor, word
    for word, anywhere in its body (where it only is not taken for a statement)."""
    known = {normalised(quote) for quote in text.quotes}
    other = [quote for quote in quotes if normalised(quote) not in known]
    if not other:
        return False
    body = _words(text.body)
    pairs = {*pairwise(body), *((word,) for word in body)}
    missing = [words for words in map(_words, other) if not _stands(words, pairs)]
    bags = [Counter(_words(quote)) for quote in text.quotes] if missing else []
    return any(not _like(words, bags) for words in missing)


def _words(text: str) -> list[str]:
    return [word for token in tokens(normalised(text)) if (word := token.strip()) and word[0].isalnum()]


def _stands(words: Sequence[str], pairs: set[tuple[str, ...]]) -> bool:
    own: list[tuple[str, ...]] = [*pairwise(words)] or [(word,) for word in words]
    return sum(pair in pairs for pair in own) >= ALIKE * len(own)


def _like(words: Sequence[str], bags: Iterable[Counter[str]]) -> bool:
    """Whether one of the bags holds much the same words (Dice's coefficient)."""
    own = Counter(words)
    return any(2 * (own & bag).total() >= ALIKE * (len(words) + bag.total()) for bag in bags)
