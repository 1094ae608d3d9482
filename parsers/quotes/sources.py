"""Who says it: the source to the left or to the right of a cue."""

from collections.abc import Sequence
from dataclasses import dataclass

from parsers.quotes.lexicon import (
    ADVERBS,
    AUXILIARIES,
    CALENDAR,
    CUES,
    DESCRIBED,
    GROUP_ONLY,
    NOT_NAMES,
    ORG_HEADS,
    ORG_MARKS,
    PLACES,
    PRONOUNS,
    ROLES,
)  # fmt: skip
from parsers.quotes.names import Mention, capitalised, mention_at, mention_from
from parsers.quotes.roles import employer, organisation
from parsers.quotes.sentences import Word

QUOTED = '"q"'
_BREAKS = frozenset((",", ";", ":", "—", "–", "(", ")", "-", "…", QUOTED, "/", "|"))
_CLAUSE = frozenset(
    "that because while when if although though where which so than after before since until but whether as and or".split()
)
_PREPOSITIONS = frozenset("of at for with from in on to by near about inside within against behind among under".split())
_DETERMINERS = frozenset(
    "a an the one two three four five several many some most other another his her their its our these those "
    "this that no".split()
)
_INSERTED = frozenset(
    """a an the who whose of from at one his her himself herself which both speaking citing in on during when like for with
    however too meanwhile along including""".split()
)
MAX_NP = 14


@dataclass(frozen=True, slots=True)
class Source:
    """A source beside a cue: word indexes `[first, last]`, and what it is.

    `kind`: person (a name), pronoun, described, organisation. `mention`: the name of a person.
    """

    first: int
    last: int
    kind: str
    mention: Mention | None = None


def left_of(words: Sequence[Word], cue: int) -> Source | None:
    """The subject that ends before a cue."""
    end = cue - 1
    for _ in range(8):
        if end < 0:
            return None
        low = words[end].low
        if (
            low in AUXILIARIES
            or low in ADVERBS
            or (low.endswith("ly") and low not in DESCRIBED and not capitalised(words[end]))
        ):
            end -= 1
        elif low in CALENDAR and end > 0 and words[end - 1].low in ("on", "last", "this"):
            end -= 2
        else:
            break
    if end < 0:
        return None
    if words[end].text in (",", ")", "—", "–"):
        return _behind_apposition(words, end)
    return ending_at(words, end)


def ending_at(words: Sequence[Word], end: int) -> Source | None:
    """The source that ends at a word."""
    low = words[end].low
    if low in PRONOUNS:
        if low in ("you", "we", "i"):
            return None
        return Source(end, end, "relative" if low == "who" else "pronoun")
    if _is_verb(words[end]):
        return None  # "She urges caution": the word before the cue is a verb, no source
    start = end
    while start > 0 and end - start < MAX_NP and not _breaks(words, start - 1):
        start -= 1
    head = _described_head(words, start, end)
    mention = mention_at(words, end)
    if mention is not None and mention.first >= start and not _capital_group(words, mention):
        inside = head is not None and any(words[n].low in _PREPOSITIONS for n in range(head + 1, mention.first))
        if not inside:
            return Source(_with_title(words, mention, start), end, "person", mention)
    named = _named_before_preposition(words, start, end)
    if named is not None:
        return named
    if head is not None:
        first = _noun_phrase_start(words, head, start)
        return Source(first, _described_end(words, head, end), _kind_of(words, head))
    return _institution(words, start, end)


def _described_end(words: Sequence[Word], head: int, end: int) -> int:
    """ "The firm in Bucheon was founded in 1978 and said ...": the description ends before its first verb."""
    verbs = (n for n in range(head + 1, end + 1) if words[n].low in AUXILIARIES and words[n].low != "’s")
    last = next(verbs, end + 1) - 1
    while last > head and (words[last].low == "and" or words[last].low in ADVERBS):
        last -= 1
    return last


def _capital_group(words: Sequence[Word], mention: Mention) -> bool:
    """ "Experts", "Neurologists" at a sentence's beginning: a group, although its capital makes it look like a name."""
    low = words[mention.last].low
    return mention.first == mention.last == 0 and low in DESCRIBED and low not in ROLES


def _breaks(words: Sequence[Word], place: int) -> bool:
    word = words[place]
    if word.text in _BREAKS or word.low in _CLAUSE or word.low in ("who", "whom"):
        return word.low not in ("and", "or") or not _joined(words, place)
    if word.text == ".":
        return not (place > 0 and words[place - 1].end == word.start and len(words[place - 1].text) <= 4)
    return _is_verb(word)


def _is_verb(word: Word) -> bool:
    return word.low in CUES and not capitalised(word) and word.low not in DESCRIBED and word.low not in ORG_HEADS


def _joined(words: Sequence[Word], place: int) -> bool:
    """ "and" between two capitalised or two described words joins one phrase."""
    if not 0 < place < len(words) - 1:
        return False
    one, other = words[place - 1], words[place + 1]
    return (one.low in DESCRIBED and other.low in DESCRIBED) or (
        one.low in ORG_MARKS | ROLES and capitalised(other) and capitalised(one)
    )


def _with_title(words: Sequence[Word], mention: Mention, start: int) -> int:
    first = mention.first
    if mention.honorific:
        first -= 2 if words[first - 1].text == "." else 1
    if mention.title and mention.title[0] >= start:
        first = min(first, mention.title[0])
    return max(first, start)


def _described_head(words: Sequence[Word], start: int, end: int) -> int | None:
    """The head noun of a description: the last one before the first preposition behind it."""
    place = end
    found = None
    first_preposition = next(
        (n for n in range(start + 1, end + 1) if words[n].low in _PREPOSITIONS and n > start), None
    )
    if first_preposition is not None:
        candidates = range(first_preposition - 1, start - 1, -1)
        found = next((n for n in candidates if _is_head(words, n) and n >= first_preposition - 2), None)
        if found is not None:
            return found
    return place if _is_head(words, place) else None


def _is_head(words: Sequence[Word], place: int) -> bool:
    low = words[place].low
    if low in GROUP_ONLY:
        return True
    return low in DESCRIBED or (low in ORG_HEADS and not capitalised(words[place]))


def _kind_of(words: Sequence[Word], head: int) -> str:
    return "organisation" if words[head].low in ORG_HEADS and words[head].low not in DESCRIBED else "described"


def _noun_phrase_start(words: Sequence[Word], head: int, start: int) -> int:
    first = head
    while first > start and head - first < 6:
        before = words[first - 1]
        if before.low in _PREPOSITIONS or before.text in _BREAKS or (before.low in AUXILIARIES and before.low != "’s"):
            break
        first -= 1
        if before.low in _DETERMINERS:
            break
    return first


def _named_before_preposition(words: Sequence[Word], start: int, end: int) -> Source | None:
    """ "Kim Min-ji of Seoul National University": a name, then the institution."""
    for place in range(start + 1, end):
        if words[place].low in ("of", "from", "at", "with"):
            mention = mention_at(words, place - 1)
            own = employer(words, place + 1)
            if mention is None or mention.first < start or own is None or own[1] < end - 1:
                return None
            known = len(mention.name.split()) > 1 or mention.honorific
            return Source(_with_title(words, mention, start), place - 1, "person", mention) if known else None
    return None


def _institution(words: Sequence[Word], start: int, end: int) -> Source | None:
    """A capitalised name that is no person's: "Toyota", "the World Health Organization"."""
    first = end
    while first > start and (
        capitalised(words[first - 1]) or words[first - 1].low in ("of", "the", "for", "and", "&", "’s", ".")
    ):
        first -= 1
    while first < end and not capitalised(words[first]):
        first += 1
    if not capitalised(words[first]) or (words[first].low in NOT_NAMES and first == end) or words[end].low in CALENDAR:
        return None
    if all(words[n].low in PLACES or words[n].low == "the" for n in range(first, end + 1)):
        return Source(first, end, "organisation")
    marked = any(words[n].low in ORG_MARKS or words[n].text.isupper() for n in range(first, end + 1))
    return Source(first, end, "organisation") if marked or first < end or len(words[first].text) > 2 else None


def _behind_apposition(words: Sequence[Word], comma: int) -> Source | None:
    """The source before an inserted phrase that ends at a comma: "X, professor of Y at Z, says"."""
    opening = {")": "(", "—": "—", "–": "–"}.get(words[comma].text, ",")
    borders = [comma]
    place = comma - 1
    while place >= 0 and len(borders) < 6 and comma - place < 60:
        if words[place].text == opening or (opening != "," and words[place].text == ","):
            borders.append(place)
        elif words[place].text in (QUOTED, ";", ":"):
            break
        place -= 1
    if len(borders) == 1:
        return None
    inner = _whole(words, borders[1] + 1, comma - 1)
    if (
        inner is not None
        and inner.kind == "person"
        and inner.mention is not None
        and _description_before(words, borders[1])
    ):
        return inner
    for border in borders[1:]:
        if border < 1:
            break
        source = ending_at(words, border - 1)
        if source is None or _bare_role(words, source):
            continue
        if source.kind in ("person", "described", "organisation") and _appositive(words, border + 1, comma, source):
            return source
    return None


def _bare_role(words: Sequence[Word], source: Source) -> bool:
    """ "Kim Min-ji, neurosurgeon, Han River Hospital, says": one role without an article is no source of its own."""
    return source.kind == "described" and words[source.last].low in ROLES and words[source.first - 1].text == ","


def _whole(words: Sequence[Word], first: int, last: int) -> Source | None:
    if last < first or last - first > 7:
        return None
    source = ending_at(words, last)
    return source if source is not None and source.first <= first + 1 else None


def _description_before(words: Sequence[Word], comma: int) -> bool:
    if comma < 1:
        return False
    source = ending_at(words, comma - 1)
    return source is not None and source.kind == "described"


def _appositive(words: Sequence[Word], start: int, end: int, source: Source) -> bool:
    """Whether what stands between describes the source rather than goes on with the sentence."""
    if start >= end:
        return False
    low = words[start].low
    if low in _INSERTED:
        return low not in ("in", "on", "when", "for", "during") or source.kind == "person"
    if words[start].text.isdigit():
        return True
    return any(
        words[n].low in ROLES or words[n].low in ("phd", "md", "jr") for n in range(start, min(end, start + 10))
    ) or (source.kind == "person" and len(source.mention.name.split()) > 1 if source.mention else False)


def right_of(words: Sequence[Word], start: int) -> Source | None:
    """The source that begins at a word: after "said" in an inversion, after "according to"."""
    if start >= len(words):
        return None
    low = words[start].low
    if low in ("he", "she", "they"):
        return Source(start, start, "pronoun")
    mention = _name_from(words, start)
    if mention is not None:
        return Source(start, mention.last, "person", mention)
    end = start
    while end < len(words) and end - start < MAX_NP and words[end].text not in _BREAKS and words[end].text not in '."':
        if words[end].low in ("who", "that", "which", "said", "says") or (
            words[end].low in AUXILIARIES and words[end].low != "’s"
        ):
            break
        end += 1
    if end == start:
        return None
    head = _described_head(words, start, end - 1)
    if head is not None and (words[start].low in _DETERMINERS or head - start <= 4):
        return Source(start, end - 1, _kind_of(words, head))
    own = organisation(words, start)
    if own is not None and capitalised(words[own[0]]):
        return Source(start, own[1], "organisation")
    return None


def _name_from(words: Sequence[Word], start: int) -> Mention | None:
    """A name within the first words of a phrase, behind its titles: "Trump campaign manager Kellyanne Conway"."""
    mention = mention_from(words, start)
    if mention is not None and mention.first - start <= 6:
        following = words[mention.last + 1] if mention.last + 1 < len(words) else None
        if following is None or not (following.low in ROLES or following.low in ORG_MARKS or following.low == "’s" or
                                     following.low in ("campaign", "administration", "press", "senior")):  # fmt: skip
            return mention
    for place in range(start + 1, min(start + 9, len(words))):
        word = words[place]
        if word.text in _BREAKS or word.low in _PREPOSITIONS or word.low in _CLAUSE or word.text in '."':
            return None
        if capitalised(word) and (words[place - 1].low in ROLES or words[place - 1].low in ("author", "manager")):
            later = mention_from(words, place)
            if later is not None and later.first == place:
                return later
    return None
