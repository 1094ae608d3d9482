"""Words, addresses and names struck out of payloads. Pure: bytes in, bytes out.

Matched through entities, JSON and percent escapes, tags and spaces between words, any case, marks and accents. What a word
is struck from stays what it was: tags, other words and every other byte.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import unquote

from parsers.quotes.lexicon import HONORIFICS, NOT_NAMES, PARTICLES, PLACES, ROLES, SUFFIXES, TITLES
from parsers.text import REMOVED
from storage.entries import without_entries
from storage.layers import DENSE, TAG, Folded, Layer, Piece, between_tags, fold, layers, texts
from storage.spotting import spellings, tokens

LONG_WORDS = 4
LONG_LETTERS = 20
"""Shorter phrases ("Weather") are anyone's words; letters of scripts without spaces count twice."""
CUT_AT = 24
"""Letters of a long phrase that, followed by an ellipsis, are the phrase cut short."""

_WORD = re.compile(r"[A-Za-z0-9]{4,}")
_ELLIPSIS = re.compile(r"[\s\W]{0,4}?(?:…|\.\.\.|\[)")
_SPACED = re.compile(r"[\s+<]")
_NAME_GAP = re.compile("[\\w\\s'’.·‐‑\u00ad\u200b\u0300-\u036f-]+")
_MEDIA = re.compile(
    r"[^\s\"'<>/\\(=]{16,200}(?=\.(?:jpe?g|png|gif|webp|avif|svg|mp[34]|m4a|webm|pdf)\b)", re.IGNORECASE
)
_CAPITALISED = re.compile(r"\s+[\"“‘']?[A-ZÀ-ÞА-Я]")
_WORD_BEFORE = re.compile(r"(\S+)\s+\Z")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words to be found. `key`: their letters alone. `spaced`: they are several words of a script with spaces."""

    text: str
    key: str
    spaced: bool

    @property
    def long(self) -> bool:
        """Whether nobody else says this by chance."""
        words = len(self.text.split()) >= LONG_WORDS or not self.spaced
        return words and len(self.key) + len(DENSE.findall(self.text)) >= LONG_LETTERS


def phrase(text: str) -> Phrase:
    """A phrase of these words."""
    return Phrase(text, fold(text), len(text.split()) > 1)


@dataclass(frozen=True)
class Target:
    """What is to be struck out.

    `addresses`: canonical address to what stands there instead; pictures named after them go, too. `phrases`: wherever they
    stand; `listed`: on fronts and in feeds; `local`: inside links to the addresses. `names`: of people.
    """

    addresses: Mapping[str, str] = field(default_factory=dict)
    phrases: tuple[Phrase, ...] = ()
    listed: tuple[Phrase, ...] = ()
    local: tuple[Phrase, ...] = ()
    names: tuple[Phrase, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.addresses or self.phrases or self.listed or self.local or self.names)

    def sought(self, listing: bool) -> tuple[Phrase, ...]:
        """The phrases that are struck from a page of this kind."""
        return (*self.phrases, *self.listed) if listing else self.phrases

    def clues(self, listing: bool) -> tuple[str, ...] | None:
        """Words, one of which stands in every payload that holds anything of this; None if there are no such words."""
        return self._clues[listing]

    @cached_property
    def _clues(self) -> tuple[tuple[str, ...] | None, ...]:
        tails = [_tail(url) for url in self.addresses]
        sought = [[*tails, *(_clue(one.text) for one in (*self.sought(kind), *self.names))] for kind in (False, True)]
        return tuple(tuple(dict.fromkeys(words)) if all(words) else None for words in sought)


def _tail(url: str) -> str:
    """The longest word of an address's last part that has one."""
    parts = (_WORD.findall(part) for part in reversed(url.lower().split("/")[3:]))
    words: list[str] = next((found for found in parts if found), []) if "%" not in url else []
    return max(words, key=len, default="")


def slugs(urls: Iterable[str]) -> Iterator[str]:
    """Last parts of addresses that spell a title: pictures and recordings of a story are named after them."""
    for url in urls:
        slug = unquote(url.split("?")[0].rstrip("/").rsplit("/", 1)[-1]).rsplit(".", 1)[0]
        if phrase(re.sub(r"[-_]", " ", slug)).long:
            yield slug


def _clue(text: str) -> str:
    """A word of plain letters, not the first (it may have a drop cap) if there is another."""
    runs = (
        _WORD.findall(text.lower()) if text.isascii() else [w for w in re.findall(r"\w+", text.lower()) if w.isascii()]
    )
    runs = [run for run in runs if len(run) >= 4]
    return max(runs[1:] or runs, key=len, default="")


def strike(
    data: bytes, target: Target, *, charset: str = "utf-8", base: str = "", listing: bool = False, story: bool = False
) -> bytes | None:
    """A payload without its content coding, with what is to be struck struck; None if there is nothing.

    `charset`: its codec. `base`: its address. `listing`: it is a front or a feed. `story`: it is an article, in which a
    person that is struck is struck where it is named shortly ("Kang said"), too.
    """
    if not data or not may_hold(data, target, listing):
        return None
    struck = data
    for codec in dict.fromkeys((charset, "utf-8")):
        text = _decoded(struck, codec)
        done = strike_text(text, target, base=base, listing=listing, story=story)
        if done != text:
            struck = _encoded(done, codec)
    return struck if struck != data else None


def _decoded(data: bytes, codec: str) -> str:
    """Bytes that are no text come back as they are, but for codecs that know no way to keep them."""
    try:
        return data.decode(codec, "surrogateescape")
    except UnicodeError:
        return data.decode(codec, "replace")


def _encoded(text: str, codec: str) -> bytes:
    try:
        return text.encode(codec, "surrogateescape")
    except UnicodeError:
        return text.encode(codec, "replace")


def may_hold(data: bytes, target: Target, listing: bool) -> bool:
    """Whether a closer look is worth while."""
    clues = target.clues(listing)
    if clues is None:
        return True
    plain = data.replace(b"\x00", b"").lower()
    for hyphen in (b"&shy;", b"\xc2\xad", b"&#173;", b"&#xad;", b"\\u00ad"):
        plain = plain.replace(hyphen, b"")
    return any(clue.encode("ascii") in plain for clue in clues)


def strike_text(text: str, target: Target, *, base: str = "", listing: bool = False, story: bool = False) -> str:
    """A text with what is to be struck struck; see `strike`."""
    text = without_entries(text, target.addresses, base)
    if not _holds(text, target, listing):
        return text
    keys = [one.key for one in target.sought(listing) if one.long] + [fold(slug) for slug in slugs(target.addresses)]
    edits: list[tuple[int, int, str]] = []
    named = False
    found = layers(text)
    for layer in found:
        regions = []
        for start, end, url in _addresses(layer.text, base, target.addresses):
            edits.append((layer.starts[start], layer.ends[end - 1], target.addresses[url]))
            regions += _link(layer.text, start)
        for match in _MEDIA.finditer(layer.text) if keys else ():
            if any(key in fold(match[0]) for key in keys):
                edits += _edits(layer, [match.span()])
        for pieces in _hits(layer, target.sought(listing)):
            edits += _edits(layer, pieces)
        for region in regions:
            for pieces in _hits(layer, target.local, region):
                edits += _edits(layer, pieces)
        for pieces in _hits(layer, target.names, name=True):
            named = True
            edits += _edits(layer, pieces)
    if named and story:
        for layer in found:
            for piece in _mentions(layer.text, target.names):
                edits += _edits(layer, [piece])
    return _applied(text, edits)


def _holds(text: str, target: Target, listing: bool) -> bool:
    """Whether the letters of anything sought stand in a layer of the text; where they stand is dear to find out."""
    addresses = [fold(unquote(url.split("?")[0].rstrip("/").rsplit("/", 1)[-1])) for url in target.addresses]
    phrases = [one.key[:CUT_AT] for one in (*target.sought(listing), *target.names)]
    for layer in texts(text):
        letters = fold(layer)
        if any(key in letters for key in (*addresses, *phrases)):
            return True
        bare = fold(TAG.sub("", layer))
        if any(key in bare for key in phrases):
            return True
    return False


def _edits(layer: Layer, pieces: Sequence[Piece]) -> Iterator[tuple[int, int, str]]:
    for number, (start, end) in enumerate(pieces):
        yield layer.starts[start], layer.ends[end - 1], "" if number else REMOVED


def _applied(text: str, edits: list[tuple[int, int, str]]) -> str:
    if not edits:
        return text
    out = []
    done = 0
    for start, end, instead in sorted(set(edits), key=lambda edit: (edit[0], -edit[1])):
        if start >= done:
            out += [text[done:start], instead]
        done = max(done, end)
    return "".join((*out, text[done:]))


# -- phrases and names -------------------------------------------------------------------------------------------------


def _hits(
    layer: Layer, phrases: Sequence[Phrase], within: Piece | None = None, *, name: bool = False
) -> Iterator[list[Piece]]:
    """Where phrases stand: the pieces of text of each, tags left out. Looked for across tags, and inside of tags."""
    if not phrases:
        return
    text = layer.text
    for pieces in ([within or (0, len(text))], between_tags(text, within)):
        folded = Folded(text, pieces)
        letters = folded.letters
        for one in phrases:
            at = letters.find(one.key[:CUT_AT])
            while at >= 0:
                length = _agreement(letters, at, one.key)
                inside = _span(pieces, folded.place(at), folded.place(at + length - 1) + 1)
                if _is_it(text, one, inside, whole=length == len(one.key), name=name):
                    yield inside
                at = letters.find(one.key[:CUT_AT], at + 1)


def _agreement(letters: str, at: int, key: str) -> int:
    length = min(len(key), CUT_AT)
    while length < len(key) and letters[at + length : at + length + 1] == key[length]:
        length += 1
    return length


def _span(pieces: Sequence[Piece], first: int, end: int) -> list[Piece]:
    return [(max(a, first), min(b, end)) for a, b in pieces if a < end and b > first]


def _is_it(text: str, one: Phrase, pieces: list[Piece], *, whole: bool, name: bool) -> bool:
    """Whether letters that agree are the phrase: whole words, and no part of an address (`a-story-about-owls`)."""
    first, end = pieces[0][0], pieces[-1][1]
    if _joined(text, first - 1) or (whole and _joined(text, end - 1)):
        return False
    if not whole and not _ELLIPSIS.match(text, end):
        return False
    if name:
        return any(_names(glue.join(text[a:b] for a, b in pieces), one) for glue in ("", " "))
    return not one.spaced or bool(_SPACED.search(text, first, end))


def _names(text: str, one: Phrase) -> bool:
    if "+" in text and " " not in text:
        text = text.replace("+", " ")
    return bool(_NAME_GAP.fullmatch(text)) and (not one.spaced or len(text.split()) > 1)


def _joined(text: str, at: int) -> bool:
    """Whether the characters at this place and after it are of one word."""
    if at < 0 or at + 1 >= len(text):
        return False
    here, after = text[at], text[at + 1]
    return here.isalnum() and after.isalnum() and not (DENSE.match(here) or DENSE.match(after))


def _mentions(text: str, names: Iterable[Phrase]) -> Iterator[Piece]:
    """Where first or last names stand alone and belong to no one else's name."""
    parts = {part for one in names for part in _short(one.text.split())}
    if not parts:
        return
    wanted = re.compile(rf"(?<![\w-])(?:{'|'.join(sorted(map(re.escape, parts)))})(?![\w-])")
    for begin, end in between_tags(text):
        for match in wanted.finditer(text, begin, end):
            if not _CAPITALISED.match(text, match.end()) and not _others(
                text[max(begin, match.start() - 40) : match.start()]
            ):
                yield match.span()


def _short(words: list[str]) -> Iterator[str]:
    """By which parts of a name alone articles mean its bearer: the surname, or the family name that comes first (see
    `parsers.quotes.names.Cast.find`); no part that is a word or a place as well."""
    words = [word for word in words if word.lower() not in SUFFIXES]
    first = len(words) == 3 or any("-" in word for word in words)
    for word in (words[-1], words[0]) if first else words[-1:]:
        low = word.lower()
        if len(words) > 1 and len(word) > 1 and word[0].isupper() and not ({low} & (NOT_NAMES | PLACES | PARTICLES)):
            yield word


def _others(before: str) -> bool:
    """Whether a capitalised word before a name makes it another one's: no title, and not the first of its sentence."""
    found = _WORD_BEFORE.search(before)
    if found is None or not found[1][0].isupper() or not found[1].isalpha():
        return False
    word = found[1].lower()
    first = not before[: found.start()].strip() or before[: found.start()].rstrip()[-1] in ".!?“\"‘'"
    return not (first or word in HONORIFICS or word in TITLES or word in ROLES)


# -- addresses ---------------------------------------------------------------------------------------------------------


def _addresses(text: str, base: str, known: Mapping[str, str]) -> Iterator[tuple[int, int, str]]:
    """Where known addresses stand in a text: start, end, the canonical address."""
    if not known:
        return
    tails = [_tail(url) for url in known]
    tails = [] if not all(tails) else tails
    for start, token in tokens(text):
        low = token.lower()
        if tails and not any(tail in low for tail in tails):
            continue
        for length, url in spellings(token, base):
            if url in known:
                yield start, start + length, url
                break


def _link(text: str, at: int) -> list[Piece]:
    """The `<a>` element whose tag holds this place."""
    begin = text.rfind("<", 0, at)
    if begin < 0 or not re.match(r"<a\s[^<>]*>", text[begin : begin + 5000], re.IGNORECASE):
        return []
    end = re.compile(r"</a\b", re.IGNORECASE).search(text, at, begin + 20_000)
    return [(begin, end.start() if end else min(len(text), begin + 20_000))]
