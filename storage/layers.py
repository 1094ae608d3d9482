"""What a payload says beneath its escapes, each character with its place in the payload. Pure.

A sentence may stand in a page as plain text, with entities (`&rsquo;`, `&#8217;`), inside JSON (`\\u2019`, `\\/`), inside an
address (`%20`), or in several of these at once (HTML in a feed, JSON in a script). Each layer takes one of them off.
"""

import html
import re
import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

DEEPEST = 4
"""Layers looked at: escapes of escapes of escapes."""
Piece = tuple[int, int]
"""`[start, end)` of a text."""
TAG = re.compile(r"<[/!?]?[A-Za-z][^<>]*>|<!--|-->|<!\[CDATA\[|\]\]>")
DENSE = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]"
)
"""Characters of scripts whose words need no space between them, or carry particles."""
_CHUNK = 256
_ESCAPE = re.compile(
    r"&(?:#[xX][0-9a-fA-F]{1,6}|#\d{1,7});?|&[A-Za-z][A-Za-z0-9]{1,30};|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\[/\\\"'bfnrt]|(?:%[0-9a-fA-F]{2})+"
)


class Layer(NamedTuple):
    """A text, and for each of its characters where in the payload's text it begins and ends."""

    text: str
    starts: "array[int]"
    ends: "array[int]"


class _Fold(dict[int, str]):
    """For `str.translate`: letters and digits alone, one case, without accents."""

    def __missing__(self, code: int) -> str:
        char = unicodedata.normalize("NFKD", chr(code)).casefold() if not 0xD800 <= code < 0xE000 else ""
        self[code] = "".join(c for c in unicodedata.normalize("NFKD", char) if c.isalnum())
        return self[code]


FOLD = _Fold()


def fold(text: str) -> str:
    """Letters and digits alone: two texts that differ in marks, spaces, case or accents are the same."""
    return text.translate(FOLD)


def layers(text: str) -> list[Layer]:
    """The text as it stands, then with one more layer of escapes taken off each time."""
    found = [Layer(text, array("l", range(len(text))), array("l", range(1, len(text) + 1)))]
    while len(found) < DEEPEST and (beneath := _beneath(found[-1])) is not None:
        found.append(beneath)
    return found


def texts(text: str) -> Iterator[str]:
    """The texts of the layers alone."""
    for _ in range(DEEPEST):
        yield text
        plain = _ESCAPE.sub(lambda match: "".join(char for char, _ in _decoded(match[0])), text)
        if plain == text:
            return
        text = plain


def _beneath(layer: Layer) -> Layer | None:
    out: list[str] = []
    starts, ends = array("l"), array("l")
    done = 0
    for match in _ESCAPE.finditer(layer.text):
        first = match.start()
        out.append(layer.text[done:first])
        starts.extend(layer.starts[done:first])
        ends.extend(layer.ends[done:first])
        for chars, width in _decoded(match[0]):
            out.append(chars)
            starts.extend([layer.starts[first]] * len(chars))
            ends.extend([layer.ends[first + width - 1]] * len(chars))
            first += width
        done = match.end()
    out.append(layer.text[done:])
    text = "".join(out)
    if text == layer.text:
        return None
    starts.extend(layer.starts[done:])
    ends.extend(layer.ends[done:])
    return Layer(text, starts, ends)


def _decoded(token: str) -> list[tuple[str, int]]:
    """What an escape means: characters, and how much of the escape they take up."""
    if token[0] == "&":
        return [(html.unescape(token), len(token))]
    if token[0] == "%":
        data = bytes.fromhex(token.replace("%", ""))
        chars = data.decode("utf-8", "surrogateescape")
        return [(char, 3 * len(char.encode("utf-8", "surrogateescape"))) for char in chars]
    if len(token) == 12:
        return [(token.encode("ascii").decode("unicode-escape").encode("utf-16", "surrogatepass").decode("utf-16"), 12)]
    if len(token) > 2:
        return [(chr(int(token[2:], 16)), len(token))]
    return [(" " if token[1] in "bfnrt" else token[1], 2)]


def between_tags(text: str, within: Piece | None = None) -> list[Piece]:
    """The pieces of a text that are not markup."""
    begin, stop = within or (0, len(text))
    pieces = []
    for match in TAG.finditer(text, begin, stop):
        if match.start() > begin:
            pieces.append((begin, match.start()))
        begin = match.end()
    if begin < stop:
        pieces.append((begin, stop))
    return pieces


class Folded:
    """Letters and digits of some pieces of a text (`letters`), and for each of them its place in the text."""

    def __init__(self, text: str, pieces: Sequence[Piece]) -> None:
        self._text = text
        self._chunks = [(a, min(a + _CHUNK, end)) for begin, end in pieces for a in range(begin, end, _CHUNK)]
        folded = [text[begin:end].translate(FOLD) for begin, end in self._chunks]
        self._before = list(accumulate(map(len, folded), initial=0))
        self.letters = "".join(folded)

    def place(self, index: int) -> int:
        """Where in the text the character stands to which a letter belongs."""
        chunk = bisect_right(self._before, index) - 1
        left = index - self._before[chunk]
        begin, end = self._chunks[chunk]
        for place in range(begin, end):
            left -= len(FOLD[ord(self._text[place])])
            if left < 0:
                return place
        raise IndexError(index)
