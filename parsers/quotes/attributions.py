"""Statements of one sentence: each cue with its source and what it introduces."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from parsers.article import Span
from parsers.quotes.lexicon import (
    ADVERBS,
    AFTER_THAT,
    CALENDAR,
    CUES,
    LOOSE,
    NEEDS_THAT,
    NEGATIONS,
    NOUNISH,
    PASSIVE,
    SURE,
)
from parsers.quotes.names import capitalised
from parsers.quotes.sentences import Sentence, Spans, Word, words
from parsers.quotes.sources import QUOTED, Source, ending_at, left_of, right_of

_OBJECT_VERBS = frozenset(
    "tell ask remind assure inform warn advise notify instruct urge encourage text teach show".split()
)
_CIRCUMSTANCE = frozenset(
    "in on at during after before when while as by for with from via through outside inside following earlier last this late "
    "of about to over into upon under amid".split()
)
_OPENERS = frozenset(
    "in on at after before when while as during for with by speaking asked despite although since if because though among like "
    "unlike amid following however meanwhile but and still yet also instead later then so".split()
)
_NOUN_BEFORE = frozenset(
    "the a an this that these those his her their its our my your no any some such of in on at for with by from into each every "
    "first second last new public recent official latest previous own similar several many more most’s ’s own".split()
)
_PHRASES = (("according", "to"), ("in", "the", "words", "of"))
MIN_WORDS = 2


@dataclass(slots=True)
class Statement:
    """A candidate: a source, a cue, and the spans of what is said."""

    source: Source | None
    cue: Span
    spans: list[Span]
    words: Sequence[Word]
    confidence: float
    verb: str
    sentence: Sentence


@dataclass(slots=True)
class Line:
    """A sentence as units: words outside of quotations, and one unit for each quotation."""

    sentence: Sentence
    units: list[Word]
    text: str
    quotations: Spans

    def quoted(self, place: int) -> bool:
        """Whether a unit is a quotation."""
        return 0 <= place < len(self.units) and self.units[place].low == QUOTED

    def begins(self, place: int) -> int:
        """Offset where a unit begins; a quotation may begin in an earlier sentence."""
        return self.units[place].start

    def ends(self, place: int) -> int:
        """Offset where a unit ends; a quotation may end in a later sentence."""
        return self.units[place].end


def line_of(text: str, sentence: Sentence, quotations: Spans) -> Line:
    """Collapse the quotations of a sentence."""
    units: list[Word] = []
    cursor = sentence.start
    for index in quotations.touching(sentence.start, sentence.end):
        begin, end, _ = quotations.spans[index]
        if begin > cursor:
            units.extend(words(text, cursor, begin))
        units.append(Word('"Q"', QUOTED, begin, end))
        cursor = max(cursor, end)
    if cursor < sentence.end:
        units.extend(words(text, cursor, sentence.end))
    return Line(sentence, units, text, quotations)


def statements(line: Line) -> list[Statement]:
    """Every statement that the sentence attributes, in order."""
    found: list[Statement] = list(_according(line))
    taken = [one.cue for one in found]
    places = [place for place in range(len(line.units)) if _is_cue(line, place)]
    subject: Source | None = None
    for place in places:
        if any(start <= line.units[place].start < end for start, end in taken):
            continue
        one = _statement(line, place, subject)
        if one is not None:
            found.append(one)
            subject = one.source or subject
        else:
            direct = left_of(line.units, place)
            subject = direct if direct is not None and direct.kind in ("person", "described") else subject
    if not found:
        colon = _colon(line)
        if colon is not None:
            found.append(colon)
    return _without_overlaps(found)


def _is_cue(line: Line, place: int) -> bool:
    unit = line.units[place]
    if unit.low not in CUES or (capitalised(unit) and place > 0 and not _headline(line)):
        return False
    before = line.units[place - 1].low if place else ""
    if before == "to":
        return place > 1 and line.units[place - 2].low in ("on", "continued", "continues")
    if before in _NOUN_BEFORE and (unit.low in NOUNISH or unit.low.endswith("ing")):
        return False
    if (
        unit.low in NOUNISH
        and place + 1 < len(line.units)
        and line.units[place + 1].low in ("of", "from", "made", "is", "are", "was")
    ):
        return False
    back = place - 1
    while back >= 0 and line.units[back].low in ADVERBS:
        back -= 1
    if back >= 0 and line.units[back].low in PASSIVE and not unit.low.endswith("ing"):
        return False
    return not (back >= 0 and line.units[back].low in NEGATIONS and CUES[unit.low] not in ("believe", "think", "say"))


def _headline(line: Line) -> bool:
    """A headline has most of its words capitalised and no end mark."""
    letters = [unit for unit in line.units if unit.text[0].isalpha() and len(unit.text) > 3]
    return len(line.units) < 22 and bool(letters) and sum(capitalised(unit) for unit in letters) >= 0.8 * len(letters)


def _according(line: Line) -> Iterator[Statement]:
    units = line.units
    for place in range(len(units) - 2):
        for phrase in _PHRASES:
            if tuple(unit.low for unit in units[place : place + len(phrase)]) != phrase:
                continue
            source = right_of(units, place + len(phrase))
            if source is None:
                continue
            spans = _beside(line, place, source)
            if spans:
                cue = (units[place].start, units[place + len(phrase) - 1].end)
                yield Statement(source, cue, spans, units, 0.9, "according", line.sentence)


def _beside(line: Line, place: int, source: Source) -> list[Span]:
    """What "according to X" stands beside: what follows its comma at the sentence's beginning, else what goes before."""
    units = line.units
    if place <= 1:
        comma = _after_apposition(line, source.last + 1)
        return _range(line, comma + 1, len(units)) if comma is not None else []
    start = 0
    if units[0].low in ("but", "and") and place > 3:
        start = 1
    return _range(line, start, place)


def _after_apposition(line: Line, start: int) -> int | None:
    """The comma that ends the source's phrase; an apposition between two commas belongs to it."""
    units = line.units
    commas = [n for n in range(start, min(len(units), start + 45)) if units[n].text == ","]
    if not commas:
        return None
    first = commas[0]
    if len(commas) > 1 and first == start:
        following = units[first + 1].low if first + 1 < len(units) else ""
        inserted = following in (
            "a",
            "an",
            "the",
            "who",
            "of",
            "at",
            "professor",
            "director",
            "head",
            "chief",
            "associate",
            "assistant",
            "senior",
        )
        if inserted:
            for comma in commas[1:]:
                nxt = units[comma + 1].low if comma + 1 < len(units) else ""
                if nxt not in ("and", "a", "an", "who", "of", "at"):
                    return comma
    return first


def _statement(line: Line, place: int, subject: Source | None) -> Statement | None:
    units = line.units
    verb = CUES[units[place].low]
    participle = units[place].low.endswith("ing") and not _progressive(line, place)
    cue = (units[place].start, units[place].end)
    before_is_quote = line.quoted(place - 1) or (
        place > 1 and units[place - 1].text in (",", "—", "–") and line.quoted(place - 2)
    )
    inverted = right_of(units, place + 1) if before_is_quote or _comma_inversion(line, place) else None
    source = None if participle else left_of(units, place)
    if inverted is not None and (source is None or before_is_quote) and inverted.kind != "organisation":
        return _make(line, inverted, cue, verb, left=(0, place), right=_after_source(line, inverted.last + 1))
    if participle:
        if subject is None or not (
            (place and units[place - 1].text in (",", QUOTED)) or units[place - 1].low in ("and", "by", "in")
        ):
            return None
        source = subject
        return _make(line, source, cue, verb, left=(0, 0), right=_after_cue(line, place, verb), participle=True)
    if source is None and place == 0:
        return None
    if source is None:
        return None
    if source.kind == "relative":
        source = _antecedent(line, source.first)
        if source is None:
            return None
    return _make(line, source, cue, verb, left=(0, source.first), right=_after_cue(line, place, verb))


def _progressive(line: Line, place: int) -> bool:
    back = place - 1
    while back >= 0 and line.units[back].low in ADVERBS:
        back -= 1
    return back >= 0 and line.units[back].low in (
        "is",
        "are",
        "was",
        "were",
        "been",
        "be",
        "’s",
        "keeps",
        "kept",
        "began",
        "started",
    )


def _comma_inversion(line: Line, place: int) -> bool:
    """ "..., said Kim Min-ji": a comma before the cue and a capitalised word or an article after it."""
    units = line.units
    if place < 3 or units[place - 1].text not in (",", "—", "–") or place + 1 >= len(units):
        return False
    following = units[place + 1]
    return (
        capitalised(following) or following.low in ("a", "an", "the", "one", "another") or following.low.endswith("s")
    )


def _antecedent(line: Line, who: int) -> Source | None:
    place = who - 1
    if place >= 0 and line.units[place].text == ",":
        place -= 1
    if place < 0:
        return None
    source = ending_at(line.units, place)
    return source if source is not None and source.kind in ("person", "described") else None


def _after_source(line: Line, place: int) -> int:
    """Where the rest of the sentence begins behind an inverted source and its apposition."""
    units = line.units
    if place < len(units) and units[place].text == ",":
        comma = _after_apposition(line, place)
        if comma is not None and comma > place:
            return comma
        following = units[place + 1].low if place + 1 < len(units) else ""
        if following in ("a", "an", "the", "who", "of", "at", "whose") or following in _CIRCUMSTANCE:
            nextq = next((n for n in range(place, len(units)) if line.quoted(n)), len(units))
            return nextq
    else:
        nextq = next(
            (
                n
                for n in range(place, len(units))
                if line.quoted(n) or (CUES.get(units[n].low) and units[n].low.endswith("ing"))
            ),
            len(units),
        )
        return nextq
    return place


def _after_cue(line: Line, place: int, verb: str) -> int:
    """Where the statement begins behind a cue: behind its object, its circumstances and "that"."""
    units = line.units
    start = place + 1
    horizon = min(len(units), start + 14)
    that = next(
        (n for n in range(start, horizon) if units[n].low in AFTER_THAT or units[n].text == ":" or line.quoted(n)), None
    )
    comma = next((n for n in range(start, horizon) if units[n].text == ","), None)
    if that is not None and (comma is None or that < comma or units[start].low in _CIRCUMSTANCE):
        between = units[start:that]
        plain = not any(unit.low in CUES for unit in between)
        skippable = (
            not between
            or units[start].low in _CIRCUMSTANCE
            or units[start].low in CALENDAR
            or verb in _OBJECT_VERBS
            or all(unit.low in ADVERBS or unit.low in CALENDAR for unit in between)
        )
        if plain and skippable:
            return that + (0 if line.quoted(that) or units[that].low in ("whether", "if", "how", "why") else 1)
    if verb in _OBJECT_VERBS and start < len(units):
        return _behind_object(line, start)
    while start < len(units) and (units[start].low in CALENDAR or units[start].low in ADVERBS):
        start += 1
    return start


def _behind_object(line: Line, start: int) -> int:
    units = line.units
    place = start
    while place < len(units) and place - start < 6:
        if units[place].text == "," or line.quoted(place) or units[place].low in ("to", "about", "that"):
            return place
        place += 1
    return (
        start + 1
        if start < len(units) and units[start].low in ("me", "us", "him", "her", "them", "reporters", "people")
        else start
    )


def _make(
    line: Line, source: Source, cue: Span, verb: str, *, left: tuple[int, int], right: int, participle: bool = False
) -> Statement | None:
    units = line.units
    before = _left_content(line, *left)
    after = _right_content(line, right)
    quoted_before = before is not None and any(line.quoted(n) for n in range(*before))
    quoted_after = after is not None and any(line.quoted(n) for n in range(*after))
    following = units[right] if right < len(units) else None
    if before is not None and after is not None and not quoted_before:
        # "In a statement, X said that ...": an opening phrase, not a part of what is said.
        goes_on = following is not None and (following.text == "," or line.quoted(right))
        if not goes_on or units[before[0]].low in _OPENERS:
            before = None
    if before is not None and after is not None and quoted_before and not quoted_after:
        # "...," X said in Seoul: a circumstance, not a part of what is said; but "..., and that ..." is one.
        thatted = right > 0 and units[right - 1].low in AFTER_THAT
        if not thatted:
            after = None
    if before is not None and after is None and not quoted_before and not _sets_off(line, left[1]):
        before = None
    if not _plausible(line, verb, before, after, quoted_before or quoted_after, right, participle):
        return None
    spans = [span for piece in (before, after) if piece is not None for span in _range(line, *piece)]
    if not spans:
        return None
    size = sum(len(line.text[a:b].split()) for a, b in spans)
    if size < MIN_WORDS and not (quoted_before or quoted_after):
        return None
    confidence = 0.95 if quoted_before or quoted_after else 0.85 if verb in SURE else 0.6
    return Statement(source, cue, spans, units, confidence, verb, line.sentence)


def _sets_off(line: Line, end: int) -> bool:
    """A comma, a quotation or a dash ends what goes before the source."""
    return end > 0 and (line.units[end - 1].text in (",", "—", "–") or line.quoted(end - 1))


def _left_content(line: Line, start: int, end: int) -> tuple[int, int] | None:
    units = line.units
    while end > start and units[end - 1].text in (",", "—", "–", ";"):
        end -= 1
    while start < end and units[start].low in ("and", "but", "so", ",", "—"):
        start += 1
    if end <= start:
        return None
    last = next((n for n in range(end - 1, start - 1, -1) if line.quoted(n)), None)
    if last is None:
        return (start, end) if end - start >= 3 else None
    if last < end - 3:
        # Words behind the quotation belong to the next clause: the quotation has its own cue.
        return None if any(unit.low in CUES for unit in units[last + 1 : end]) else (start, end)
    return start, end


def _right_content(line: Line, start: int) -> tuple[int, int] | None:
    units = line.units
    end = len(units)
    while start < end and (units[start].text in (",", ":", "—", "–") or units[start].low in ("that",)):
        start += 1
    for number in range(start + 1, end):
        if units[number].text in (",", ";", "—", "–") and number + 1 < end and _new_clause(line, number + 1):
            end = number
            break
    while end > start and units[end - 1].text in ".!?,;:…":
        end -= 1
    return (start, end) if end > start else None


def _new_clause(line: Line, place: int) -> bool:
    """Another statement begins: ", adding that", ", but she said", ", according to"."""
    units = line.units
    low = units[place].low
    if low == "according" or (
        low in CUES and low.endswith("ing") and (CUES[low] in SURE or _followed_by_that(line, place))
    ):
        return True
    if low in ("and", "but", "while", "as", "though", "although"):
        horizon = min(len(units), place + 7)
        for number in range(place + 1, horizon):
            if line.quoted(number) or units[number].text == ",":
                return False
            if _is_cue(line, number) and CUES[units[number].low] in SURE:
                source = left_of(units, number)
                return (source is not None and source.first <= place + 2) or number == place + 1
    return False


def _followed_by_that(line: Line, place: int) -> bool:
    return place + 1 < len(line.units) and (line.units[place + 1].low in AFTER_THAT or line.quoted(place + 1))


def _plausible(
    line: Line,
    verb: str,
    before: tuple[int, int] | None,
    after: tuple[int, int] | None,
    quoted: bool,
    right: int,
    participle: bool,
) -> bool:
    """Whether such a cue with such a content is likely to report what someone says."""
    if before is None and after is None:
        return False
    if quoted:
        return True
    units = line.units
    thatted = (
        (0 < right <= len(units)
        and units[right - 1].low in AFTER_THAT)
        or (right < len(units) and units[right].low in AFTER_THAT)
    )
    coloned = 0 < right <= len(units) and units[right - 1].text == ":"
    if thatted or coloned:
        return True
    size = after[1] - after[0] if after else 0
    if verb in SURE:
        if before is not None:
            return True
        if participle and verb not in (
            "say",
            "add",
            "note",
            "argue",
            "warn",
            "explain",
            "claim",
            "insist",
            "write",
            "suggest",
            "stress",
        ):
            return size >= 4
        return size >= 2
    if verb in LOOSE:
        return size >= 3 and before is None
    if verb in NEEDS_THAT:
        return before is not None and before[1] - before[0] >= 4
    return size >= 3 or before is not None


def _range(line: Line, first: int, last: int) -> list[Span]:
    """The text of units `[first, last)` without marks at its ends."""
    units = line.units
    while first < last and units[first].text in ",;:—–.-" and not line.quoted(first):
        first += 1
    while last > first and units[last - 1].text in ",;:—–.-!?" and not line.quoted(last - 1):
        last -= 1
    if first >= last:
        return []
    return [(line.begins(first), line.ends(last - 1))]


def _colon(line: Line) -> Statement | None:
    """ "Kim Min-ji: ..." and "In her words: ..." at a line's beginning; a name, a colon, a statement."""
    units = line.units
    colon = next((n for n in range(1, min(len(units), 9)) if units[n].text == ":"), None)
    if colon is None or colon + 2 >= len(units):
        return None
    source = right_of(units, 0)
    if source is None or source.kind != "person" or source.last != colon - 1 or source.mention is None:
        return None
    if not line.quoted(colon + 1) and len(source.mention.name.split()) < 2:
        return None
    spans = _range(line, colon + 1, len(units))
    cue = (units[colon].start, units[colon].end)
    return Statement(source, cue, spans, units, 0.7, ":", line.sentence) if spans else None


def _without_overlaps(found: list[Statement]) -> list[Statement]:
    """One statement for each stretch of text: the surer one; what an inner statement takes is cut from the outer one."""
    kept: list[Statement] = []
    for one in sorted(found, key=lambda item: (-item.confidence, item.cue[0])):
        spans = [span for span in one.spans if not any(_covers(other, span) for item in kept for other in item.spans)]
        if not spans:
            continue
        one.spans = spans
        kept.append(one)
    return sorted(kept, key=lambda item: item.spans[0][0])


def _covers(outer: Span, inner: Span) -> bool:
    shared = min(outer[1], inner[1]) - max(outer[0], inner[0])
    return shared * 2 > inner[1] - inner[0]
