"""Statements of one sentence: each cue with its source and what it introduces."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from parsers.article import Span
from parsers.quotes.content import CIRCUMSTANCE, after_cue, spans_of, unit_range
from parsers.quotes.lexicon import CUES
from parsers.quotes.lines import Line, is_cue, progressive
from parsers.quotes.names import capitalised
from parsers.quotes.sentences import Sentence, Word
from parsers.quotes.sources import QUOTED, Source, ending_at, left_of, right_of

_PHRASES = (
    ("according", "to"),
    ("in", "the", "words", "of"),
    ("in", "the", "view", "of"),
    ("in", "the", "opinion", "of"),
)


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


def statements(line: Line) -> list[Statement]:
    """Every statement that the sentence attributes, in order."""
    found: list[Statement] = list(_according(line))
    taken = [one.cue for one in found]
    places = [place for place in range(len(line.units)) if is_cue(line, place)]
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
        return unit_range(line, comma + 1, len(units)) if comma is not None else []
    start = 0
    if units[0].low in ("but", "and") and place > 3:
        start = 1
    return unit_range(line, start, place)


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
    participle = units[place].low.endswith("ing") and not progressive(line, place)
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
        return _make(line, source, cue, verb, left=(0, 0), right=after_cue(line, place, verb), participle=True)
    if source is None and place == 0:
        return None
    if source is None:
        return None
    if source.kind == "relative":
        source = _antecedent(line, source.first)
        if source is None:
            return None
    return _make(line, source, cue, verb, left=(0, source.first), right=after_cue(line, place, verb))


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
    rest = range(place, len(units))
    if place >= len(units) or units[place].text != ",":
        return next((n for n in rest if line.quoted(n) or _participle(line, n)), len(units))
    comma = _after_apposition(line, place)
    if comma is not None and comma > place:
        return comma
    following = units[place + 1].low if place + 1 < len(units) else ""
    if following in ("a", "an", "the", "who", "of", "at", "whose") or following in CIRCUMSTANCE:
        return next((n for n in rest if line.quoted(n)), len(units))
    return place


def _participle(line: Line, place: int) -> bool:
    return line.units[place].low in CUES and line.units[place].low.endswith("ing")


def _make(
    line: Line, source: Source, cue: Span, verb: str, *, left: tuple[int, int], right: int, participle: bool = False
) -> Statement | None:
    found = spans_of(line, verb, left=left, right=right, participle=participle)
    if found is None:
        return None
    spans, confidence = found
    return Statement(source, cue, spans, line.units, confidence, verb, line.sentence)


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
    spans = unit_range(line, colon + 1, len(units))
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
