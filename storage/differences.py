"""Which words differ between two texts."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from parsers.text import normalised

NO_SPACES = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Ranges of scripts written without spaces (Thai, Lao, Burmese, Khmer, Chinese, Japanese): a character is a word."""
_DENSE = re.compile(f"[{NO_SPACES}]")
_LETTER = rf"[^\W{NO_SPACES}]"
# Words with their inner signs (1,200  10:15  it's  twenty-one), characters, other signs; each with the space behind it.
_TOKEN = re.compile(r"(?:\w+(?:[.,:'’-]\w+)*|\S)\s*|\s+")
_DENSE_TOKEN = re.compile(rf"(?:[{NO_SPACES}]|{_LETTER}+(?:[.,:'’-]{_LETTER}+)*|\S)\s*|\s+")
_WORD = re.compile(rf"[\w{NO_SPACES}]")
_SENTENCE_END = re.compile(r"[.!?。！？]\s*\Z")
CHANCE = 4
"""An equal stretch of at most so many tokens that is shorter than the changes on both sides is taken for chance."""
MAX_CELLS = 400_000_000
"""Tokens times tokens of the stretches that differ, beyond which they are not compared (50 MB and 0.1 s of CPU)."""

Kind = Literal["equal", "delete", "insert"]


class Op(NamedTuple):
    """A stretch of text: `equal` (as the newer text spells it), `delete` (of the older) or `insert` (of the newer)."""

    op: Kind
    text: str


class _Match(NamedTuple):
    """`size` equal tokens, from `old` and from `new` on."""

    old: int
    new: int
    size: int


def tokens(text: str) -> list[str]:
    """Words and signs, each with the space behind it; joined they are the text."""
    return (_DENSE_TOKEN if _DENSE.search(text) else _TOKEN).findall(text)


def words(text: str) -> int:
    """How many words a text has; characters of scripts that are written without spaces."""
    return sum(_WORD.match(token) is not None for token in tokens(text))


def counts(ops: Iterable[Op]) -> tuple[int, int]:
    """Words added and words removed."""
    n: dict[Kind, int] = {"insert": 0, "delete": 0, "equal": 0}
    for op in ops:
        n[op.op] += words(op.text) if op.op != "equal" else 0
    return n["insert"], n["delete"]


def differences(older: str, newer: str) -> list[Op]:
    """What to delete and insert to come from one text to the other, in order.

    The texts of `equal` and `insert` joined are the newer text. What `normalised` does not tell apart (case, spaces, quote
    marks, dashes) is equal. It is the longest common subsequence of words, but for matches that are mere chance, and with
    insertions and deletions that could stand in several places moved to the ends of paragraphs and sentences.
    """
    before, after = tokens(older), tokens(newer)
    keys: dict[str, str] = {}
    for token in (*before, *after):
        if token not in keys:
            keys[token] = normalised(token)
    old, new = [keys[token] for token in before], [keys[token] for token in after]
    matches = _slid(_likely(_matches(old, new)), old, new, before, after)
    found: list[Op] = []
    for last, match in pairwise([_Match(0, 0, 0), *matches, _Match(len(old), len(new), 0)]):
        stretches: tuple[tuple[Kind, list[str]], ...] = (
            ("delete", before[last.old + last.size : match.old]),
            ("insert", after[last.new + last.size : match.new]),
            ("equal", after[match.new : match.new + match.size]),
        )
        found += [Op(kind, "".join(stretch)) for kind, stretch in stretches if stretch]
    return found


def _matches(old: Sequence[str], new: Sequence[str]) -> Iterator[_Match]:
    """The longest common subsequence, in stretches."""
    shorter = min(len(old), len(new))
    head = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    tail = next((n for n in range(shorter - head) if old[-1 - n] != new[-1 - n]), shorter - head)
    yield _Match(0, 0, head)
    before, after = old[head : len(old) - tail], new[head : len(new) - tail]
    if before and after and len(before) * len(after) <= MAX_CELLS:
        from rapidfuzz.distance import Indel  # noqa: PLC0415 - slow to import, needed only where something changed

        for step in Indel.opcodes(before, after):
            if step.tag == "equal":
                yield _Match(head + step.src_start, head + step.dest_start, step.src_end - step.src_start)
    yield _Match(len(old) - tail, len(new) - tail, tail)


def _likely(matches: Iterable[_Match]) -> list[_Match]:
    """Without what is equal by chance; the first and the last one stay, though they may be empty."""
    kept: list[_Match] = []
    for match in matches:
        while (
            len(kept) > 1
            and kept[-1].size <= CHANCE
            and kept[-1].size < min(_gap(kept[-2], kept[-1]), _gap(kept[-1], match))
        ):
            kept.pop()
        kept.append(match)
    return kept


def _gap(last: _Match, match: _Match) -> int:
    return max(match.old - last.old - last.size, match.new - last.new - last.size)


def _slid(
    matches: list[_Match], old: Sequence[str], new: Sequence[str], before: Sequence[str], after: Sequence[str]
) -> list[_Match]:
    """A bare insertion or deletion between two matches may stand further left or right: the place that ends a paragraph
    is the best, then one that ends a sentence, then the first."""
    for n in range(len(matches) - 1):
        one, two = matches[n], matches[n + 1]
        deleted, inserted = two.old - one.old - one.size, two.new - one.new - one.size
        if bool(deleted) == bool(inserted):
            continue
        keys, text, end = (new, after, two.new) if inserted else (old, before, two.old)
        start = end - inserted - deleted
        # No match but the first and the last is used up: two changes would touch.
        leftmost, rightmost = one.size - (n > 0), two.size - (n + 2 < len(matches))
        left = next((by for by in range(leftmost) if keys[start - 1 - by] != keys[end - 1 - by]), leftmost)
        right = next((by for by in range(rightmost) if keys[start + by] != keys[end + by]), rightmost)
        by = max(range(-left, right + 1), key=lambda by: (_rank(text, start + by, end + by), -abs(by)))
        matches[n] = one._replace(size=one.size + by)
        matches[n + 1] = _Match(two.old + by, two.new + by, two.size - by)
    return matches


def _rank(text: Sequence[str], start: int, end: int) -> int:
    """How natural the borders of a stretch are."""
    last = text[end - 1]
    paragraphs = (start == 0 or "\n" in text[start - 1]) + (end == len(text) or "\n" in last)
    return 2 * paragraphs + bool(_SENTENCE_END.search(last))
