"""What a cue introduces: which words before and behind it belong to the statement."""

from parsers.article import Span
from parsers.quotes.lexicon import ADVERBS, AFTER_THAT, AUXILIARIES, CALENDAR, CUES, LOOSE, NEEDS_THAT, SURE
from parsers.quotes.lines import Line, is_cue
from parsers.quotes.sources import left_of

_OBJECT_VERBS = frozenset(
    "tell ask remind assure inform warn advise notify instruct urge encourage text teach show alert counsel".split()
)
CIRCUMSTANCE = frozenset(
    "in on at during after before when while as by for with from via through outside inside following earlier last this late "
    "of about to over into upon under amid".split()
)
_OPENERS = frozenset(
    "in on at after before when while as during for with by speaking asked despite although since if because though among like "
    "unlike amid following however meanwhile but and still yet also instead later then so".split()
)
_CONDITIONS = frozenset(("if", "how", "why", "whether"))
MIN_WORDS = 2


def after_cue(line: Line, place: int, verb: str) -> int:
    """Where the statement begins behind a cue: behind its object, its circumstances and "that"."""
    units = line.units
    start = place + 1
    horizon = min(len(units), start + 14)
    that = next(
        (n for n in range(start, horizon) if units[n].low in AFTER_THAT or units[n].text == ":" or line.quoted(n)), None
    )
    comma = next((n for n in range(start, horizon) if units[n].text == ","), None)
    if that is not None and comma is not None and comma < that and units[that].low in _CONDITIONS:
        that = None  # "insists on rest, as it may return if ignored": the condition is a part of what is said
    if that is not None and (comma is None or that < comma or units[start].low in CIRCUMSTANCE):
        between = units[start:that]
        if verb == "point" and between and between[0].low == "out":
            between = between[1:]
        plain = not any(unit.low in CUES for unit in between)
        skippable = (
            not between
            or units[start].low in CIRCUMSTANCE
            or units[start].low in CALENDAR
            or verb in _OBJECT_VERBS
            or all(unit.low in ADVERBS or unit.low in CALENDAR for unit in between)
        )
        if plain and skippable:
            return that + (0 if line.quoted(that) or units[that].low in _CONDITIONS else 1)
    if verb in _OBJECT_VERBS and start < len(units):
        return _behind_object(line, start)
    if verb == "point" and start < len(units) and units[start].low in ("to", "out"):
        return start + 1
    while start < len(units) and (units[start].low in CALENDAR or units[start].low in ADVERBS):
        start += 1
    return start


def _behind_object(line: Line, start: int) -> int:
    units = line.units
    place = start
    while place < len(units) and place - start < 6:
        if units[place].low == "to":
            return start  # "advises patients to rest": the object belongs to what is said
        if units[place].text == "," or line.quoted(place) or units[place].low in ("about", "that"):
            return place
        place += 1
    return (
        start + 1
        if start < len(units) and units[start].low in ("me", "us", "him", "her", "them", "reporters", "people")
        else start
    )


def _sets_off(line: Line, end: int) -> bool:
    """A comma, a quotation or a dash ends what goes before the source."""
    return end > 0 and (line.units[end - 1].text in (",", "—", "–") or line.quoted(end - 1))


def _finite(line: Line, place: int) -> bool:
    """ "Flushing, explains Kim, is often ...": the source stands between a subject and its verb."""
    return place < len(line.units) and line.units[place].low in AUXILIARIES


def _left_content(line: Line, start: int, end: int, least: int) -> tuple[int, int] | None:
    units = line.units
    while end > start and units[end - 1].text in (",", "—", "–", ";"):
        end -= 1
    while start < end and units[start].low in ("and", "but", "so", ",", "—"):
        start += 1
    if end <= start:
        return None
    last = next((n for n in range(end - 1, start - 1, -1) if line.quoted(n)), None)
    if last is None:
        return (start, end) if end - start >= least else None
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
            if is_cue(line, number) and CUES[units[number].low] in SURE:
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
    thatted = (0 < right <= len(units) and units[right - 1].low in AFTER_THAT) or (
        right < len(units) and units[right].low in AFTER_THAT
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
    pointed = units[right - 1].low if verb == "point" else ""
    if pointed == "out":
        return size >= 2 or before is not None
    if verb in LOOSE or pointed == "to":
        return size >= 3 and before is None
    if verb in NEEDS_THAT:
        return before is not None and before[1] - before[0] >= 4
    return size >= 3 or before is not None


def unit_range(line: Line, first: int, last: int) -> list[Span]:
    """The text of units `[first, last)` without marks at its ends."""
    units = line.units
    while first < last and units[first].text in ",;:—–.-" and not line.quoted(first):
        first += 1
    while last > first and units[last - 1].text in ",;:—–.-!?" and not line.quoted(last - 1):
        last -= 1
    if first >= last:
        return []
    return [(line.begins(first), line.ends(last - 1))]


def spans_of(
    line: Line, verb: str, *, left: tuple[int, int], right: int, participle: bool = False
) -> tuple[list[Span], float] | None:
    """The spans of what a cue introduces, and how sure that is; None if it introduces nothing that anyone says.

    `left`: the units before the source; `right`: where the rest of the sentence begins behind the cue.
    """
    units = line.units
    following = units[right] if right < len(units) else None
    split = following is not None and following.text == "," and _finite(line, right + 1)
    before = _left_content(line, *left, least=1 if split else 3)
    after = _right_content(line, right)
    quoted_before = before is not None and any(line.quoted(n) for n in range(*before))
    quoted_after = after is not None and any(line.quoted(n) for n in range(*after))
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
    spans = [span for piece in (before, after) if piece is not None for span in unit_range(line, *piece)]
    if not spans:
        return None
    size = sum(len(line.text[a:b].split()) for a, b in spans)
    if size < MIN_WORDS and not (quoted_before or quoted_after):
        return None
    confidence = 0.95 if quoted_before or quoted_after else 0.85 if verb in SURE else 0.6
    return spans, confidence
