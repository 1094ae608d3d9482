"""As what, and for whom: role and affiliation from appositions, titles before the name, and chains of of/at/for/with."""

from collections.abc import Sequence

from parsers.quotes.lexicon import (
    AUXILIARIES,
    CALENDAR,
    CUES,
    DESCRIBED,
    NOT_NAMES,
    ORG_HEADS,
    ORG_MARKS,
    PLACES,
    ROLES,
    TITLES,
)
from parsers.quotes.names import Mention, capitalised
from parsers.quotes.sentences import Word

_ARTICLES = frozenset("a an the his her their its our one another".split())
_PLACE_PREPOSITIONS = frozenset("at with for from in".split())
_LEADING = frozenset(
    "president director head chief ceo chairman chairwoman chair founder co-founder owner member members spokesman spokeswoman "
    "spokesperson dean secretary manager minister editor executive officer leader coach mayor governor rector provost "
    "principal commissioner ambassador fellow".split()
)
_JOINERS = frozenset("of for the and & in de du del der von on at".split())
_HEADING = {"heads": "head", "leads": "leader", "directs": "director", "chairs": "chair", "runs": "head", "led": "leader",
            "headed": "head", "founded": "founder", "co-founded": "co-founder", "oversees": "head", "manages": "manager"}  # fmt: skip
_FIELDS = frozenset(
    """research development security economics operations communications policy strategy affairs sales marketing analysis
    engineering medicine surgery science sciences health education studies finance design technology innovation trading
    products programs programmes planning relations content insights risk""".split()
)
"""Last words of what one is head *of* inside an institution."""
_STOPS = frozenset((",", ";", ":", ".", "—", "–", "(", ")", "-", "…", '"q"'))
_FINITE = frozenset(word for word in CUES if word.endswith("ed")) | {"said", "told", "wrote", "says", "left"}
_NO_MODIFIER = _ARTICLES | frozenset(
    """and but or as by to with that when while of in on at for from who which than then so because if after before since until
    this these those some many most all he she they it we i you not is was are were said says told""".split()
)
MAX_ROLE = 12
_LEARNED = ("ologist", "iatrist", "ician", "surgeon", "dentist", "therapist", "specialist", "expert")
_RANKS = frozenset("associate assistant adjunct clinical visiting".split())
_SUBUNITS = frozenset("department division section faculty school college".split())
"""What an institution is divided into: "the Department of Otology at Red River University"."""


def _text(words: Sequence[Word], first: int, last: int) -> str:
    out = ""
    for number in range(first, last + 1):
        gap = "" if number == first or words[number].start == words[number - 1].end else " "
        out += gap + words[number].text
    return out.strip(" ,;.")


def organisation(words: Sequence[Word], start: int) -> tuple[int, int] | None:
    """The range of the institution's name that begins at a word, an article before it left out; None if there is none."""
    place = start
    while place < len(words) and words[place].low in ("the", "a", "an", "his", "her", "its", "both", "nearby"):
        place += 1
    if place >= len(words) or not (capitalised(words[place]) or words[place].low in ORG_MARKS):
        return None
    first = last = place
    if not capitalised(words[place]):
        return (first, last) if words[start].low in ("the", "a", "an") else None
    while place + 1 < len(words):
        following = words[place + 1]
        if capitalised(following) or following.low == "’s":
            place += 1
            last = place
        elif (following.text == "." and _dotted(words, place)) or (
            following.low in _JOINERS and _capital_after(words, place + 1)
        ):
            place += 1
        elif following.text == "," and place + 2 < len(words) and words[place + 2].text in ("Inc", "Ltd", "LLC"):
            place += 2
            last = place
        elif (
            following.low in ORG_MARKS
            and following.low not in ROLES
            and following.low not in ("program", "county", "times")
        ):
            place += 1
            last = place
        else:
            break
    if words[last].low == "’s" and last > first:
        last -= 1
    return first, last


def employer(words: Sequence[Word], start: int) -> tuple[int, int] | None:
    """The range of the institution that begins at a word; of a department "at" or "of" an institution, the latter."""
    own = organisation(words, start)
    if own is None or words[own[0]].low not in _SUBUNITS or own[1] + 2 >= len(words):
        return own
    joiner = words[own[1] + 1]
    outer = organisation(words, own[1] + 2) if joiner.low in ("at", "of", "in") or joiner.text == "," else None
    return outer if outer is not None and _marked(words, outer) else own


def _dotted(words: Sequence[Word], place: int) -> bool:
    return words[place].low in ("st", "mt", "ft", "u.s", "u.k", "dr") or len(words[place].text) == 1


def _abbreviated(words: Sequence[Word], place: int) -> bool:
    """A full stop that belongs to "St." and the like."""
    return words[place].text == "." and place > 0 and _dotted(words, place - 1)


def _capital_after(words: Sequence[Word], place: int) -> bool:
    """ "of the" and the like inside a name: a capitalised word follows that is part of the institution."""
    following = place + 1
    if following < len(words) and words[following].low == "the":
        following += 1
    if following >= len(words) or not capitalised(words[following]):
        return False
    return (
        words[place].low in ("of", "for", "and", "&", "de", "du", "del", "der", "von")
        or words[following].low in ORG_MARKS
    )


def of_phrase(words: Sequence[Word], start: int, end: int) -> tuple[str | None, str | None]:
    """Role and affiliation of a phrase such as "a neurosurgeon of Gangnam St. Peter’s General Hospital"."""
    place = start
    while place < end and words[place].low in _ARTICLES:
        place += 1
    if (
        place >= end
        or words[place].low in CUES
        or words[place].low in AUXILIARIES
        or words[place].low in ("which", "that")
    ):
        return None, None
    limit = min(end, place + MAX_ROLE + 10)
    head = next((n for n in range(place, limit) if words[n].low in ROLES or words[n].low.rstrip("s") in ROLES), None)
    if head is not None and any(_verb(words[n]) for n in range(place, head)):
        return None, None
    if head is None:
        own = organisation(words, place) if words[start].low not in ("a", "an") else None
        if own and own[1] < limit and any(words[n].low in ORG_MARKS for n in range(own[0], own[1] + 1)):
            outer = employer(words, place)
            return None, _text(words, *(outer or own))
        return None, None
    while head + 1 < limit and (
        words[head + 1].low in ROLES or words[head + 1].low in ("emeritus", "emerita", "general")
    ):
        head += 1
    if (
        head + 2 < limit
        and words[head + 1].low == "and"
        and any(words[n].low in ROLES for n in range(head + 2, min(head + 5, limit)))
    ):
        head = next(n for n in range(min(head + 4, limit - 1), head, -1) if words[n].low in ROLES)
    last = head
    affiliation = _before_head(words, place, head)
    first = affiliation[1] if affiliation else place
    found = affiliation[0] if affiliation else None
    number = head + 1
    while (
        number < limit
        and words[number].text not in _STOPS
        and words[number].low not in ("who", "which", "that", "whose")
    ):
        low = words[number].low
        if low in ("of", *_PLACE_PREPOSITIONS):
            institution = employer(words, number + 1)
            unit = organisation(words, number + 1) if low == "of" and words[head].low in _LEADING else None
            if unit and unit[1] + 2 < limit and words[unit[1] + 1].low == "at":
                outer = organisation(words, unit[1] + 2)
                if outer and _marked(words, outer):  # "director of the Spine Center at Han River Hospital"
                    return _text(words, first, unit[1]), found or _text(words, *outer)
            if institution and _is_affiliation(words, low, institution, words[head].low, limit):
                return _text(words, first, last), found or _text(words, *institution)
        last = number
        number += 1
    return _text(words, first, min(last, first + MAX_ROLE)), found


def _verb(word: Word) -> bool:
    return word.low != "’s" and (word.low in AUXILIARIES or word.low in _FINITE)


def _before_head(words: Sequence[Word], place: int, head: int) -> tuple[str, int] | None:
    """ "the Red Cross spokesman", "Edmunds analyst": an institution before the role; its name and where the role begins."""
    last = place
    while last < head and capitalised(words[last]) and words[last].low not in TITLES and words[last].low not in ROLES:
        last += 1
    if last < head and words[last].low == "’s":
        return (_text(words, place, last - 1), last + 1) if last > place else None
    if last == place or last > head or not _names_institution(words, place, last):
        return None
    return _text(words, place, last - 1), last


def _names_institution(words: Sequence[Word], first: int, last: int) -> bool:
    """Whether the capitalised words before a role name an institution: no nationality, no place, no sentence's first word."""
    names = [words[n] for n in range(first, last)]
    if all(
        word.low in NOT_NAMES or word.low in PLACES or word.low.endswith(("-based", "-american", "-born"))
        for word in names
    ):
        return False
    titled = last < len(words) and capitalised(words[last])  # "InfoGrid President"; but "Climate scientist"
    return len(names) > 1 or first > 0 or names[0].text.isupper() or titled


def _is_affiliation(words: Sequence[Word], preposition: str, span: tuple[int, int], head: str, limit: int = 0) -> bool:
    """Whether an institution behind a role is whom the person stands for, rather than a field or a place."""
    marked = _marked(words, span)
    if (
        preposition == "of"
        and words[span[1]].low in _FIELDS
        and head in ("head", "director", "chief", "president", "dean", "professor")
    ):
        return False
    if preposition == "of" and not marked:
        if head not in _LEADING or not capitalised(words[span[0]]):
            return False
        # "head of Otology at Red River Hospital": the field first, then the institution.
        return not any(
            words[n].low in _PLACE_PREPOSITIONS and (own := organisation(words, n + 1)) and _marked(words, own)
            for n in range(span[1] + 1, min(limit, len(words) - 1))
        )
    if preposition == "in":
        return marked
    return capitalised(words[span[0]]) or marked


def _marked(words: Sequence[Word], span: tuple[int, int]) -> bool:
    """Whether a name holds a word that institutions bear, or an acronym."""
    return any(
        words[n].low in ORG_MARKS or (words[n].text.isupper() and len(words[n].text) > 1)
        for n in range(span[0], span[1] + 1)
    )


def may_be_called(noun: str, role: str | None, honorific: str | None) -> bool:
    """Whether "the <noun>" may mean a person of that role and honorific: "the doctor" a cardiologist, "the surgeon" a
    neurosurgeon, "the professor" whom the text calls Prof."""
    own = (role or "").lower().split()
    title = (honorific or "").lower().rstrip(".")
    if noun in own or (noun == "surgeon" and any(word.endswith(noun) for word in own)):
        return True
    if noun == "professor":
        return title in ("prof", noun)
    learned = title in ("dr", "prof", "professor") or any(word.endswith(_LEARNED) for word in own)
    return learned and noun in ("doctor", "physician", "specialist", "expert")


def after(words: Sequence[Word], mention: Mention) -> tuple[str | None, str | None]:
    """Role and affiliation from what follows a name: an apposition, "of/at/from X", "who heads X"."""
    place = mention.last + 1
    if place >= len(words):
        return None, None
    if words[place].low in ("of", "from", "at", "with"):
        own = employer(words, place + 1)
        if own is None or not _is_affiliation(words, "at", own, ""):
            return None, None
        comma = own[1] + 1
        apposed = comma + 1 < len(words) and words[comma].text == "," and words[comma + 1].low in _ARTICLES
        role = of_phrase(words, comma + 1, _phrase_end(words, comma + 1))[0] if apposed else None
        if role and role.split()[-1].lower() in ORG_HEADS:
            role = None  # "of Third Bridge, a research firm": the institution is described, not the person
        return role, _text(words, *own)
    if words[place].text not in (",", "(", "—", "–"):
        return None, None
    start = place + 1
    if start + 1 < len(words) and words[start].text.isdigit():
        start += 2 if words[start + 1].text == "," else 1
    if start >= len(words):
        return None, None
    if words[start].low == "who":
        return _relative(words, start)
    if words[start].low in ("of", "from", "at", "with"):
        own = employer(words, start + 1)
        return None, _text(words, *own) if own else None
    end = _phrase_end(words, start)
    role, affiliation = of_phrase(words, start, end)
    if role and affiliation is None and end < len(words) and words[end].text == "," and end + 1 < len(words):
        following = end + 1
        if words[following].low in ("at", "of", "for", "with", "from"):
            following += 1
        own = organisation(words, following)
        if own and any(words[n].low in ORG_MARKS for n in range(own[0], own[1] + 1)):
            affiliation = _text(words, *own)
    return role, affiliation


def _phrase_end(words: Sequence[Word], start: int) -> int:
    place = start
    while place < len(words) and place - start < 30:
        if words[place].text in _STOPS and not _abbreviated(words, place):
            break
        place += 1
    return place


def _at_institution(words: Sequence[Word], start: int) -> tuple[int, int] | None:
    """The institution behind the first "at" of a phrase: "the sleep clinic at Han River Hospital"."""
    end = _phrase_end(words, start)
    place = next((n for n in range(start, end) if words[n].low == "at"), None)
    return organisation(words, place + 1) if place is not None else None


def _relative(words: Sequence[Word], start: int) -> tuple[str | None, str | None]:
    verb = next((n for n in range(start + 1, min(start + 4, len(words))) if words[n].low in _HEADING), None)
    if verb is not None:
        own = organisation(words, verb + 1) or _at_institution(words, verb + 1)
        return _HEADING[words[verb].low], _text(words, *own) if own else None
    copula = next((n for n in range(start + 1, min(start + 3, len(words))) if words[n].low in ("is", "was")), None)
    if copula is None:
        serves = [unit.low for unit in words[start + 1 : start + 6]]
        for phrase in (
            ["serves", "as"],
            ["works", "as"],
            ["holds", "the", "title", "of"],
            ["holds", "the", "post", "of"],
        ):
            if serves[: len(phrase)] == phrase:
                copula = start + len(phrase)
    if copula is not None:
        return of_phrase(words, copula + 1, _phrase_end(words, copula + 1))
    works = next(
        (
            n
            for n in range(start + 1, min(start + 4, len(words)))
            if words[n].low in ("works", "worked", "teaches", "studies")
        ),
        None,
    )
    if works is not None and works + 2 < len(words) and words[works + 1].low in _PLACE_PREPOSITIONS:
        own = organisation(words, works + 2)
        return None, _text(words, *own) if own else None
    return None, None


def before(words: Sequence[Word], mention: Mention) -> tuple[str | None, str | None]:
    """Role and affiliation from what stands before a name: "InfoNation President", "the lead author of the study,"."""
    place = mention.first - 1
    if mention.honorific:
        place -= 2 if words[place].text == "." else 1
    if place < 0:
        return None, None
    if words[place].text == "," and place > 0:
        return _before_comma(words, place)
    if words[place].text == "." and place > 0 and words[place - 1].low in TITLES:
        place -= 1
    elif not (words[place].low in ROLES or words[place].low in TITLES):
        return None, None
    last = place
    if words[last].low in _RANKS and (mention.honorific or "").lower() == "professor":
        last += 1  # "Associate Professor Kim": the honorific is a part of the role
    start = min(place, last)
    while start > 0 and last - start < 5 and _of_role(words, start - 1):
        start -= 1
    first = start
    while first > 0 and start - first < 8 and _of_name(words, first - 1, start):
        first -= 1
    while first < start and not capitalised(words[first]):
        first += 1
    owner = start - 1 if start > first and words[start - 1].low == "’s" else start
    affiliation = _text(words, first, owner - 1) if owner > first and _names_institution(words, first, owner) else None
    if affiliation is None and owner > first and words[first].low not in PLACES:
        start = first
    return _text(words, start, last) or None, affiliation


def _of_role(words: Sequence[Word], place: int) -> bool:
    """Whether a word before a role belongs to it: another title, or a plain lower-case word such as "planetary"."""
    word = words[place]
    if word.low in TITLES or word.low in ROLES:
        return True
    plain = word.text.isalpha() and word.text.islower()
    return plain and word.low not in _NO_MODIFIER and word.low not in CUES and word.low not in AUXILIARIES


def _of_name(words: Sequence[Word], place: int, role: int) -> bool:
    """Whether a word before a role belongs to the institution's name: capitalised, or "of" between two such words."""
    word = words[place]
    if capitalised(word) or (_abbreviated(words, place) and words[place - 1].low in ("st", "mt", "ft")):
        return word.low not in CALENDAR
    if word.low == "’s":
        return place == role - 1 or capitalised(words[place + 1])
    return word.low in ("of", "and", "&", "for") and place > 0 and capitalised(words[place - 1]) and place + 1 < role


def _before_comma(words: Sequence[Word], comma: int) -> tuple[str | None, str | None]:
    """ "The lead author of the study, Owen Dempsey": a description before the comma."""
    start = comma
    while start > 0 and comma - start < 16 and (words[start - 1].text not in _STOPS or _abbreviated(words, start - 1)):
        start -= 1
    described = words[start].low in _ARTICLES or words[start].low in DESCRIBED | ORG_HEADS
    if start < comma and (described or words[comma - 1].low in ROLES):
        return of_phrase(words, start, comma)
    return None, None
