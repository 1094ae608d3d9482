"""Who is quoted or paraphrased saying what, and as what kind of expert.

Rules: sentences are split, quotations marked, each cue ("said", "according to", "explains that", a colon) looks for its
source on both sides and for what it introduces; names are followed through the article, so that a surname, a title, a
pronoun or "the neurosurgeon" leads back to the person; role and affiliation are read beside any mention.
"""

from collections.abc import Sequence
from dataclasses import replace

from parsers.article import Block, Person, Quote, QuoteKind, Span
from parsers.quotes import roles
from parsers.quotes.attributions import Statement, statements
from parsers.quotes.lexicon import FEMALE, HE, MALE, NOT_NAMES, ROLES, SHE
from parsers.quotes.lines import line_of
from parsers.quotes.names import Cast, Mention, Named, capitalised, mention_at
from parsers.quotes.sentences import Sentence, Spans, Word, paragraphs, quotations, sentences, words
from parsers.text import REMOVED

MAX_TEXT = 400_000
"""Characters of a body that are looked at."""
MIN_QUOTED_WORDS = 4
"""Words of a quotation in a paragraph of its own that is given to whoever spoke before."""

_NAMELESS = "Xx Xxxxxx"
"""Reads like a name and is as long as `[removed]`: pronouns and titles lead to it, and not to the next person."""


def extract(body: str, blocks: Sequence[Block] = ()) -> tuple[tuple[Quote, ...], tuple[Person, ...]]:
    """Statements in order, and everyone and everything quoted, once each, in order of appearance.

    Spans are offsets into `body`, whose lines are paragraphs. Headings of `blocks` announce no one. Where a name was taken
    out (`[removed]`), what its bearer says is nobody's.
    """
    text = body[:MAX_TEXT]
    found, people = _Reader(text.replace(REMOVED, _NAMELESS), _headings(body, blocks)).read()
    if REMOVED not in text:
        return found, people
    said = tuple(_restored(quote, text) for quote in found if not _nameless(quote.speaker))
    known = tuple(
        replace(one, role=_back(one.role), affiliation=_back(one.affiliation))
        for one in people
        if not _nameless(one.name)
    )
    return said, known


def _nameless(name: str) -> bool:
    return not set(_NAMELESS.split()).isdisjoint(name.split())


def _back(text: str | None) -> str | None:
    return text and text.replace(_NAMELESS, REMOVED)


def _restored(quote: Quote, text: str) -> Quote:
    words = " ".join(text[start:end] for start, end in quote.spans)
    return replace(quote, role=_back(quote.role), affiliation=_back(quote.affiliation), text=words)


def _headings(body: str, blocks: Sequence[Block]) -> list[Span]:
    found = []
    start = 0
    for block in blocks:
        end = start + len(block.text)
        if block.kind == "heading" and body[start:end] == block.text:
            found.append((start, end))
        start = end + 1
    return found


class _Reader:
    def __init__(self, text: str, headings: Sequence[Span]) -> None:
        self.text = text
        heads = set(headings)
        self.paragraphs = [span for span in paragraphs(text) if span not in heads]
        self.quotations = Spans(quotations(text, self.paragraphs))
        self.sentences = sentences(text, self.paragraphs)
        self.cast = Cast()
        self.others: dict[str, str] = {}
        self.quotes: list[Quote] = []
        self.order: list[tuple[str, str]] = []
        self.last: Quote | None = None

    def read(self) -> tuple[tuple[Quote, ...], tuple[Person, ...]]:
        """Every sentence in order; then what is known of the speakers is put into their statements."""
        self._meet()
        for sentence in self.sentences:
            if sentence.start and self._inside(sentence):
                self._orphans(sentence)
                continue
            line = line_of(self.text, sentence, self.quotations)
            self._note_mentions(sentence)
            for one in statements(line):
                quote = self._quote(one)
                if quote is not None:
                    self._keep(quote)
            self._orphans(sentence)
        return self._finished()

    def _inside(self, sentence: Sentence) -> bool:
        """Wholly inside a quotation that began before and goes on after."""
        index = self.quotations.at(sentence.start)
        if index < 0:
            return False
        begin, end, _ = self.quotations.spans[index]
        return begin < sentence.start and end > sentence.end

    def _meet(self) -> None:
        """First pass: full names, with role and affiliation beside any of their mentions."""
        for sentence in self.sentences:
            units = words(self.text, sentence.start, sentence.end)
            for mention in _full_names(units):
                known = self.cast.introduce(mention, units[mention.first].start)
                role, affiliation = roles.after(units, mention)
                pre_role, pre_affiliation = roles.before(units, mention)
                if role is None and pre_role is None and affiliation is None and pre_affiliation is None:
                    continue
                known.role = known.role or role or pre_role
                known.affiliation = known.affiliation or affiliation or pre_affiliation
                word = (role or pre_role or "").lower().split()
                if known.female is None and word:
                    known.female = True if set(word) & FEMALE else False if set(word) & MALE else None
        for person in self.cast.people:
            person.last = -1

    def _note_mentions(self, sentence: Sentence) -> None:
        """Whom the sentence names is the nearest candidate for the pronouns that follow."""
        units = words(self.text, sentence.start, sentence.end)
        for place, unit in enumerate(units):
            if not capitalised(unit) or (place + 1 < len(units) and capitalised(units[place + 1])):
                continue
            mention = mention_at(units, place)
            if mention is None:
                continue
            known = self.cast.find(mention.name, mention.honorific is not None)
            if known is not None:
                known.last = max(known.last, unit.start)
                if mention.honorific:
                    self.cast.introduce(mention, unit.start)

    def _quote(self, one: Statement) -> Quote | None:
        source = one.source
        if source is None:
            return None
        units = one.words
        span = (units[source.first].start, units[source.last].end)
        role = affiliation = None
        if source.kind == "person" and source.mention is not None:
            found = self._person(units, source.mention, one.cue[0])
            if found is None:
                name, kind = _plain(self.text[span[0] : span[1]]), "organisation"
            else:
                name, kind = found.name, "person"
        elif source.kind == "pronoun":
            met = self._meant(units[source.first].low, span[0])
            if met is None:
                return None
            name, kind = met
        else:
            name, kind = _plain(self.text[span[0] : span[1]]), source.kind
            back = self._described_before(units, source.first, source.last)
            if back is not None:
                name, kind = back.name, "person"
        pieces = _trimmed(self.text, one.spans)
        if not pieces or not name:
            return None
        return Quote(
            speaker=name,
            speaker_span=span,
            speaker_type=kind,  # type: ignore[arg-type]
            role=role,
            affiliation=affiliation,
            cue=self.text[one.cue[0] : one.cue[1]],
            text=" ".join(self.text[a:b] for a, b in pieces),
            spans=tuple(pieces),
            kind=self._kind(pieces),
            confidence=one.confidence,
        )

    def _person(self, units: Sequence[Word], mention: Mention, at: int) -> Named | None:
        """The person of a name; a single word never seen inside a longer name is a person only behind a title."""
        titled = mention.honorific is not None or mention.title is not None
        known = self.cast.find(mention.name, titled)
        if known is None:
            if len(mention.name.split()) < 2 and not titled:
                return None
            known = self.cast.introduce(mention, at)
            role, affiliation = roles.before(units, mention)
            known.role, known.affiliation = known.role or role, known.affiliation or affiliation
        known.last = max(known.last, at)
        known.said += 1
        return known

    def _meant(self, pronoun: str, at: int) -> tuple[str, str] | None:
        if pronoun in HE or pronoun in SHE:
            female = pronoun in SHE
            named = self.cast.before(at, female)
            last = self.last
            if (
                last is not None
                and last.speaker_type == "described"
                and (named is None or named.last < last.spans[0][0])
            ):
                return last.speaker, "described"
            if named is None:
                return None
            if named.female is None:
                named.female = female
            return named.name, "person"
        if pronoun == "they" and self.last is not None and self.last.speaker_type != "person":
            return self.last.speaker, self.last.speaker_type
        if pronoun == "it" and self.last is not None and self.last.speaker_type == "organisation":
            return self.last.speaker, "organisation"
        return None

    def _described_before(self, units: Sequence[Word], first: int, last: int) -> Named | None:
        """ "the neurosurgeon", "the doctor": a named person with that role or title who was met before."""
        if units[first].low not in ("the", "this") or last - first > 3:
            return None
        head, at = units[last].low, units[first].start
        if head not in ROLES:
            return None
        met = [p for p in self.cast.people if 0 <= p.last < at and roles.may_be_called(head, p.role, p.honorific)]
        return max(met, key=lambda one: one.last, default=None)

    def _orphans(self, sentence: Sentence) -> None:
        """Quotations without a cue: whoever spoke before goes on."""
        for index in self.quotations.touching(sentence.start, sentence.end):
            begin, end, _ = self.quotations.spans[index]
            if not sentence.start <= begin < sentence.end or self.last is None:
                continue
            here = self.last.spans[-1][1] >= self.paragraphs[sentence.paragraph][0]
            if len(self.text[begin:end].split()) < (2 if here else MIN_QUOTED_WORDS) or self._taken(begin, end):
                continue
            if begin > sentence.start + 1 or not self._goes_on(begin, sentence.paragraph):
                continue
            before = self.last
            self._keep(
                Quote(
                    before.speaker,
                    None,
                    before.speaker_type,
                    None,
                    None,
                    "",
                    self.text[begin:end],
                    ((begin, end),),
                    "direct",
                    0.7,
                )
            )

    def _taken(self, begin: int, end: int) -> bool:
        return any(a < end and begin < b for quote in self.quotes[-6:] for a, b in quote.spans) or self._ahead(end)

    def _ahead(self, end: int) -> bool:
        """A cue follows in the sentence where the quotation ends: the statement is found there."""
        rest = next((one for one in self.sentences if one.start <= end - 1 < one.end), None)
        return rest is not None and end < rest.end - 2

    def _goes_on(self, begin: int, paragraph: int) -> bool:
        """The last statement stands in this paragraph or the one before, and holds a quotation."""
        assert self.last is not None
        at = self.last.spans[-1][1]
        start = self.paragraphs[max(paragraph - 1, 0)][0]
        return at >= start and (self.last.kind != "indirect" or at >= self.paragraphs[paragraph][0])

    def _keep(self, quote: Quote) -> None:
        self.quotes.append(quote)
        self.last = quote
        name = (quote.speaker, quote.speaker_type)
        if name not in self.order:
            self.order.append(name)

    def _kind(self, pieces: Sequence[Span]) -> QuoteKind:
        """At least 90 % of the letters in quotation marks: direct; none: indirect; else mixed."""
        inside = total = 0
        for start, end in pieces:
            for index in self.quotations.touching(start, end):
                begin, stop, _ = self.quotations.spans[index]
                inside += sum(char.isalpha() for char in self.text[max(begin, start) : min(stop, end)])
            total += sum(char.isalpha() for char in self.text[start:end])
        share = inside / total if total else 0.0
        return "direct" if share >= 0.9 else "indirect" if inside == 0 else "mixed"

    def _finished(self) -> tuple[tuple[Quote, ...], tuple[Person, ...]]:
        people = {one.name: one for one in self.cast.people}
        names = {old: known.name for old, kind in self.order if kind == "person" and (known := self.cast.find(old))}
        done = []
        for quote in sorted(self.quotes, key=lambda one: one.spans[0][0]):
            known = people.get(names.get(quote.speaker, quote.speaker)) if quote.speaker_type == "person" else None
            speaker = known.name if known else quote.speaker
            done.append(
                Quote(
                    speaker, quote.speaker_span, quote.speaker_type, known.role if known else None,
                    known.affiliation if known else None, quote.cue, quote.text, quote.spans, quote.kind, quote.confidence,
                )
            )  # fmt: skip
        counts: dict[tuple[str, str], int] = {}
        for quote in done:
            key = (quote.speaker, quote.speaker_type)
            counts[key] = counts.get(key, 0) + 1
        listed = []
        for (name, kind), number in counts.items():
            known = people.get(name) if kind == "person" else None
            listed.append(
                Person(
                    name, known.honorific if known else None, known.role if known else None,
                    known.affiliation if known else None, kind, number,  # type: ignore[arg-type]
                )
            )  # fmt: skip
        return tuple(done), tuple(listed)


def _full_names(units: Sequence[Word]) -> list[Mention]:
    """Names of two or more words, or of one behind an honorific, that may be people's."""
    found = []
    place = len(units) - 1
    while place >= 0:
        if capitalised(units[place]) and units[place].low not in NOT_NAMES:
            mention = mention_at(units, place)
            if mention is not None and (len(mention.name.split()) > 1 or mention.honorific):
                found.append(mention)
                place = mention.first
        place -= 1
    return found[::-1]


def _plain(text: str) -> str:
    """The words of a description without the article before them."""
    text = " ".join(text.split())
    for article in ("the ", "The ", "a ", "A ", "an ", "An "):
        if text.startswith(article):
            return text[len(article) :]
    return text


def _trimmed(text: str, spans: Sequence[Span]) -> list[Span]:
    """Spans in order, without space at their ends."""
    found: list[Span] = []
    for begin, stop in sorted(spans):
        start, end = begin, stop
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        if end > start and (not found or start >= found[-1][1]):
            found.append((start, end))
    return found
