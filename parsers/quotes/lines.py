"""A sentence with its quotations collapsed, and which of its words are cues."""

from dataclasses import dataclass

from parsers.quotes.lexicon import ADVERBS, CUES, NEGATIONS, NOUNISH, PASSIVE
from parsers.quotes.names import capitalised
from parsers.quotes.sentences import Sentence, Spans, Word, words
from parsers.quotes.sources import QUOTED

_NOUN_BEFORE = frozenset(
    "the a an this that these those his her their its our my your no any some such of in on at for with by from into each every "
    "first second last new public recent official latest previous own similar several many more most’s ’s own".split()
)


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


def is_cue(line: Line, place: int) -> bool:
    """Whether a unit is a verb that may announce a statement: no noun, no infinitive, not passive, not denied."""
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


def progressive(line: Line, place: int) -> bool:
    """ "is saying", "began telling": a finite form although the cue ends in -ing."""
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
