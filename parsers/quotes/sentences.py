"""Paragraphs, sentences, quoted spans and words of a text, all as offsets into it."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

from parsers.article import Span
from parsers.quotes.lexicon import ABBREVIATIONS

_PARAGRAPH = re.compile(r"[^\n]+")
_WORD = re.compile(r"[^\W_]+(?:[’'\-.&][^\W_]+)*(?:’s|'s)?|\S")
_END = re.compile(r"[.!?…]+[\"”’»」』')\]]*(?=\s+[\"“‘«„「『'(\[]*[^\W\d_a-z]|\s+[\"“‘«„'(]*\d|\s*$)|[。！？]+[」』”]?")
_BEFORE = re.compile(r"([^\s(\"“‘'«]+)\Z")
_PAIRS = {"“": "”", "„": "“”", "«": "»", "»": "«", "「": "」", "『": "』", "〝": "〟"}
MAX_SENTENCE = 4000
"""Characters; a longer run without an end mark is no prose."""


class Word(NamedTuple):
    """A word or a mark: its text, lower-case form and offsets."""

    text: str
    low: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with the words outside of quotation marks, and the quotations that touch it."""

    start: int
    end: int
    paragraph: int


def paragraphs(text: str) -> list[Span]:
    """Lines that hold something."""
    return [match.span() for match in _PARAGRAPH.finditer(text) if match[0].strip()]


def quotations(text: str, within: list[Span]) -> list[tuple[int, int, bool]]:
    """Quoted spans, marks included: start, end, and whether the closing mark is missing (it goes on in the next
    paragraph, by an old habit of print)."""
    found: list[tuple[int, int, bool]] = []
    for start, end in within:
        found.extend(_in_paragraph(text, start, end))
    return found


def _in_paragraph(text: str, start: int, end: int) -> list[tuple[int, int, bool]]:
    spans: list[tuple[int, int, bool]] = []
    open_at = -1
    closing = ""
    place = start
    while place < end:
        char = text[place]
        double = char in "'`" and text[place : place + 2] in ("''", "``")
        width = 2 if double else 1
        mark = '"' if double else char
        if open_at < 0:
            if mark == '"' or mark in _PAIRS:
                open_at, closing = place, '"' if mark == '"' else _PAIRS[mark]
            elif char == "‘" and _opens(text, place, start):
                close = _closing_single(text, place, end)
                if close > 0:
                    open_at, closing = place, "’"
        elif mark in closing and (mark != "’" or not text[place + 1 : place + 2].isalnum()):
            spans.append((open_at, place + width, False))
            open_at = -1
        elif mark == "“" and closing == "”":
            open_at = place
        place += width
    if open_at >= 0 and end - open_at > 3:
        spans.append((open_at, end, True))
    return spans


def _opens(text: str, place: int, start: int) -> bool:
    return place == start or text[place - 1].isspace() or text[place - 1] in "(—–-"


def _closing_single(text: str, place: int, end: int) -> int:
    at = text.find("’", place + 1, min(end, place + 600))
    while at > 0:
        if not text[at + 1 : at + 2].isalnum() and text[at - 1] in ".,!?…":
            return at
        at = text.find("’", at + 1, min(end, place + 600))
    return -1


def sentences(text: str, within: list[Span]) -> list[Sentence]:
    """Sentences of each paragraph; abbreviations, initials and institutions named after saints do not end one."""
    found = []
    for number, (start, end) in enumerate(within):
        begin = start
        for match in _END.finditer(text, start, end):
            if match.end() - begin < 2 or (match[0][0] == "." and _abbreviated(text, match.start(), start)):
                continue
            found.append(Sentence(begin, match.end(), number))
            begin = match.end()
            while begin < end and text[begin].isspace():
                begin += 1
        if begin < end:
            found.append(Sentence(begin, end, number))
    return [one for one in found if one.end - one.start <= MAX_SENTENCE]


def _abbreviated(text: str, dot: int, start: int) -> bool:
    before = _BEFORE.search(text, max(start, dot - 20), dot)
    if before is None:
        return False
    word = before[1].lower()
    single = len(word) == 1 and before[1].isupper()
    return single or word in ABBREVIATIONS or bool(re.fullmatch(r"(?:[a-z]\.)+[a-z]", word))


_DEGREE = re.compile(r"(?<=[A-Za-z.]),\s(?:M\.?D|Ph\.?D|D\.?D\.?S|D\.?M\.?D|MPH|MBA|R\.?N)\b\.?(?=,|\s[a-z(])")


def words(text: str, start: int, end: int) -> list[Word]:
    """Words and marks between two offsets, without the degrees behind a name (", M.D., Ph.D.")."""
    found = []
    degrees = [match.span() for match in _DEGREE.finditer(text, start, end)]
    for match in _WORD.finditer(text, start, end):
        if degrees and any(first <= match.start() < last for first, last in degrees):
            continue
        word = match[0]
        low = word.lower()
        if word.endswith(("’s", "'s")) and len(word) > 2:
            cut = match.end() - 2
            found.append(Word(word[:-2], low[:-2], match.start(), cut))
            found.append(Word(word[-2:], "’s", cut, match.end()))
        else:
            found.append(Word(word, low, match.start(), match.end()))
    return found


class Spans:
    """Spans in order, to be asked by offset."""

    def __init__(self, spans: list[tuple[int, int, bool]]) -> None:
        self.spans = spans
        self.starts = [span[0] for span in spans]

    def at(self, offset: int) -> int:
        """Index of the span that holds an offset, else -1."""
        index = bisect_right(self.starts, offset) - 1
        return index if index >= 0 and offset < self.spans[index][1] else -1

    def touching(self, start: int, end: int) -> list[int]:
        """Indexes of the spans that overlap a range."""
        index = max(bisect_right(self.starts, start) - 1, 0)
        found = []
        while index < len(self.spans) and self.spans[index][0] < end:
            if self.spans[index][1] > start:
                found.append(index)
            index += 1
        return found
