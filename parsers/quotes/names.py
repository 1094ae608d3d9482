"""Names of people: where they stand in a text, and which later words mean them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from parsers.quotes.lexicon import (
    ADVERBS,
    FEMALE,
    HONORIFICS,
    MALE,
    NOT_NAMES,
    ORG_MARKS,
    PARTICLES,
    PLACES,
    ROLES,
    SUFFIXES,
    TITLES,
)  # fmt: skip
from parsers.quotes.sentences import Word

MAX_TOKENS = 5


@dataclass(slots=True)
class Named:
    """A person of the article. `at`: where the name first stands; `last`: where it was last meant."""

    name: str
    at: int
    last: int
    honorific: str | None = None
    female: bool | None = None
    role: str | None = None
    affiliation: str | None = None
    tokens: tuple[str, ...] = ()
    said: int = 0


@dataclass(frozen=True, slots=True)
class Mention:
    """A name as it stands: word indexes `[first, last]` of the name alone, the words before it that belong to it."""

    first: int
    last: int
    name: str
    honorific: str | None
    title: tuple[int, int] | None


@dataclass(slots=True)
class Cast:
    """The people of one article, in order of appearance."""

    people: list[Named] = field(default_factory=list)

    def introduce(self, mention: Mention, at: int) -> Named:
        """The person of a name, new or known."""
        known = self.find(mention.name, mention.honorific is not None)
        if known is None:
            known = Named(mention.name, at, at, tokens=tuple(mention.name.lower().split()))
            self.people.append(known)
        elif len(mention.name.split()) > len(known.tokens) and known.tokens:
            known.name, known.tokens = mention.name, tuple(mention.name.lower().split())
        if mention.honorific:
            word = mention.honorific.lower().rstrip(".")
            known.honorific = known.honorific or mention.honorific
            known.female = True if word in FEMALE else False if word in MALE else known.female
        known.last = max(known.last, at)
        return known

    def find(self, name: str, titled: bool = False) -> Named | None:
        """The person whom a name means: the same name, a surname, or a family name that comes first (Korean, Chinese and
        Japanese order). The one met last where several could be meant."""
        tokens = tuple(name.lower().replace(".", "").split())
        if not tokens:
            return None
        met = sorted(self.people, key=lambda one: one.last, reverse=True)
        for person in met:
            own = tuple(token.replace(".", "") for token in person.tokens)
            if own == tokens or (len(tokens) > 1 and _fits(tokens, own)):
                return person
        if len(tokens) > 1:
            return None
        for person in met:
            own = tuple(token for token in person.tokens if token not in SUFFIXES)
            if own and own[-1] == tokens[0]:
                return person
        for person in met:
            if (
                len(person.tokens) > 1
                and person.tokens[0] == tokens[0]
                and (titled or len(person.tokens) == 3 or "-" in person.name)
            ):
                return person
        return None

    def before(self, offset: int, female: bool | None) -> Named | None:
        """Whom a pronoun at an offset means: the speaker or person met last whose sex does not speak against it."""
        candidates = [one for one in self.people if one.last < offset and (one.female is None or one.female == female)]
        return max(candidates, key=lambda one: one.last, default=None)


def _fits(short: tuple[str, ...], own: tuple[str, ...]) -> bool:
    """ "Dan McDowell" and "Daniel J. McDowell": the same surname, first names that may be one."""
    if short[-1] != own[-1] or len(own) < 2:
        return False
    return (
        set(short) <= set(own)
        or set(own) <= set(short)
        or (short[0][0] == own[0][0] and (len(short[0]) == 1 or len(own[0]) == 1))
    )


def capitalised(word: Word) -> bool:
    """Begins with a capital letter, or a hyphenated name part."""
    return word.text[0].isupper() or (word.text[0] in "’‘'" and len(word.text) > 2 and word.text[1].isupper())


def _part(word: Word) -> bool:
    """May be part of a person's name."""
    if not capitalised(word) or any(char.isdigit() for char in word.text):
        return False
    return word.low not in NOT_NAMES and word.low not in ORG_MARKS and word.low not in ADVERBS


def mention_at(words: Sequence[Word], end: int) -> Mention | None:
    """The person's name that ends at a word; None if what ends there is no person's name."""
    first = end
    if words[end].low in SUFFIXES and end:
        first = end - 1
    if not _part(words[first]) or _is_title(words, first):
        return None
    last = end
    while first > 0 and last - first < MAX_TOKENS:
        before = words[first - 1]
        initial = (
            before.text == "." and first > 1 and len(words[first - 2].text) == 1 and words[first - 2].text.isupper()
        )
        if initial:
            first -= 2
        elif (
            _part(before)
            and not _is_title(words, first - 1)
            and before.end + 2 >= words[first].start
            and before.text != "."
        ):
            first -= 1
        elif before.low in PARTICLES and first > 1 and _part(words[first - 2]) and not before.text[0].isupper():
            first -= 2
        else:
            break
    names = [word for word in words[first : last + 1] if word.text != "."]
    if all(word.low in PLACES for word in names) or (
        len(names) > 1 and names[-1].low in PLACES and names[0].low in PLACES
    ):
        return None
    if any(word.text.isupper() and len(word.text) > 3 for word in names) and not all(
        word.text.isupper() for word in names
    ):
        return None
    if names[-1].low in ("st", "mt", "ft", "inc", "co", "ltd"):
        return None
    if len(names) == 1 and (len(names[0].text) < 2 or names[0].text.isupper()):
        return None
    if _tail_of_institution(words, first) or _owner_in_institution(words, last):
        return None
    honorific, title = _before(words, first)
    name = _spelled(words, first, last)
    return Mention(first, last, name, honorific, title)


def _tail_of_institution(words: Sequence[Word], first: int) -> bool:
    """ "Earth Sciences" in "Institute of Earth Sciences" names no one."""
    if first < 2 or words[first - 1].low not in ("of", "for", "and", "&", "on"):
        return False
    return any(capitalised(word) and word.low in ORG_MARKS for word in words[max(first - 4, 0) : first - 1])


def _owner_in_institution(words: Sequence[Word], last: int) -> bool:
    """ "Hwaseong Women" in "Hwaseong Women’s University" names no one."""
    after = words[last + 1 : last + 3]
    return len(after) == 2 and after[0].low == "’s" and capitalised(after[1]) and after[1].low in ORG_MARKS


def _spelled(words: Sequence[Word], first: int, last: int) -> str:
    out = ""
    for number in range(first, last + 1):
        gap = "" if number == first or words[number].start == words[number - 1].end else " "
        out += gap + words[number].text
    return out


def mention_from(words: Sequence[Word], start: int) -> Mention | None:
    """The person's name that begins at a word, titles and honorifics before it included; None if there is none."""
    place = start
    limit = min(len(words), start + 12)
    while place < limit and (
        _is_title(words, place) or words[place].text == "." or words[place].low in ("the", "a", "an", "former")
    ):
        place += 1
    end = place
    while end < limit and end - place <= MAX_TOKENS + 2:
        word = words[end]
        if (
            (_part(word) and not (_is_title(words, end) and end > place))
            or (
                word.text == "."
                and end > place
                and len(words[end - 1].text) == 1
                and end + 1 < limit
                and capitalised(words[end + 1])
            )
            or (word.low in PARTICLES and end > place and end + 1 < limit and _part(words[end + 1]))
            or (word.low in SUFFIXES and end > place)
        ):
            end += 1
        else:
            break
    return mention_at(words, end - 1) if end > place else None


def _is_title(words: Sequence[Word], place: int) -> bool:
    """A title or a role rather than a name: "President", "Sen.", "Dr."."""
    low = words[place].low.rstrip(".")
    if low in HONORIFICS:
        return True
    return (low in TITLES or low in ROLES) and place + 1 < len(words)


def _before(words: Sequence[Word], first: int) -> tuple[str | None, tuple[int, int] | None]:
    """Honorific directly before a name, and the range of title words before that."""
    place = first - 1
    honorific = None
    if place >= 0 and words[place].text == "." and place > 0 and words[place - 1].end == words[place].start:
        low = words[place - 1].low
        if low in HONORIFICS:
            honorific = words[place - 1].text + "."
            place -= 2
    elif place >= 0 and words[place].low in HONORIFICS and capitalised(words[place]):
        honorific = words[place].text
        place -= 1
    last = place
    while place >= 0 and (words[place].low.rstrip(".") in TITLES or words[place].low in ROLES or
                          (words[place].text == "." and place > 0 and words[place - 1].low in TITLES)):  # fmt: skip
        place -= 1
    return honorific, (place + 1, last) if place < last else None
