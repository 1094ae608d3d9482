"""The headline as printed: the h1 that the head agrees with, without the site's name and the section's label."""

import re
from collections.abc import Iterable, Sequence

from parsers.text import normalised

_WORD = re.compile(r"\w+")
_SEPARATOR = re.compile(r"\s+[-–—|·•:»«/]+\s+|\s*\|\s*")
AGREES = 0.55
"""Share of the shorter text's words that two titles must have in common."""


def agreement(one: str, other: str) -> float:
    """Share of the shorter text's words that stand in the other (0..1); single characters where there are no words."""
    first, second = set(_WORD.findall(normalised(one))), set(_WORD.findall(normalised(other)))
    if not first or not second:
        return 0.0
    if min(len(first), len(second)) < 3:  # few words: also scripts without spaces
        a, b = normalised(one), normalised(other)
        return 1.0 if a in b or b in a else len(first & second) / max(len(first), len(second))
    return len(first & second) / min(len(first), len(second))


def printed(headings: Sequence[str], stated: Sequence[str]) -> str | None:
    """The heading that agrees best with what the head states; the first long one where the head states nothing."""
    if not headings:
        return None
    if not stated:
        return max(headings, key=len)

    def rank(text: str) -> tuple[float, float]:
        best = max(agreement(text, title) for title in stated)
        closest = max(1 - abs(len(text) - len(title)) / max(len(text), len(title), 1) for title in stated)
        return best, closest

    best = max(headings, key=rank)
    return best if rank(best)[0] >= AGREES and len(best) >= 4 else None


def without_site(title: str, names: Iterable[str]) -> str:
    """A head's title without the site's name, which stands at its end or its beginning behind a mark."""
    marks = list(_SEPARATOR.finditer(title))
    if not marks:
        return title
    known = {_squeezed(name) for name in names if name}
    for mark in marks:
        head, tail = title[: mark.start()], title[mark.end() :]
        if _same_name(_squeezed(tail), known) and len(head) >= 8:
            return head.strip()
    for mark in reversed(marks):
        head, tail = title[: mark.start()], title[mark.end() :]
        if _same_name(_squeezed(head), known) and len(tail) >= 8:
            return tail.strip()
    return title


def _squeezed(name: str) -> str:
    text = normalised(name)
    text = re.sub(r"^(?:www\.)|\.(?:com|org|net|co|news|info|[a-z]{2})(?:\.[a-z]{2})?$", "", text)
    return re.sub(r"[\W_]+", "", re.sub(r"^the\s+", "", text))


def _same_name(part: str, known: set[str]) -> bool:
    if len(part) < 2:
        return False
    return any(part == name or (len(name) >= 4 and (name in part and len(part) <= 3 * len(name))) or
               (len(part) >= 4 and part in name) for name in known if name)  # fmt: skip


def without_label(title: str, labels: Iterable[str]) -> str:
    """A headline without the section's label that is glued to its front ("HealthThat Eye Twitch ...")."""
    for label in labels:
        rest = title[len(label) :]
        if label and title.startswith(label) and rest and (rest[0].isupper() or rest[0] in "‘“\"'"):
            return rest.strip()
    return title
