"""Addresses and names that stand somewhere in a text, whatever stands around them. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator

from parsers.quotes.lexicon import PARTICLES
from parsers.url import try_canonical
from storage.layers import DENSE, TAG

OWN_PATH = 12
"""Characters of a path that is a story's and no section's: what lies below it (comments, feeds) is struck with it."""
MOST_WORDS = 6
"""Words of a name that is looked for by its hash."""
_AROUND = ".,;:!?…—–-'‘’`*#@&"
_WORDS = re.compile(r"[^\s\"“”„«»<>=|(){}\[\]/\\]+")
_DENSE_RUN = re.compile(f"{DENSE.pattern}{{2,}}")
_ADDRESS = re.compile(
    r"(?:https?:)?//[^\s\"'<>\\^`{|}]+"
    r"|(?<=[\"'=(\s>])/(?!/)[^\s\"'<>\\^`{|})]+"
    r"|(?<=href=[\"'])[^\s\"'<>]+",
    re.IGNORECASE,
)
_AFTER_ADDRESS = ".,;:!?)]}\"'"


def tokens(text: str) -> Iterator[tuple[int, str]]:
    """What may be an address, and where it begins; an address inside of another one is found too."""
    place = 0
    while match := _ADDRESS.search(text, place):
        token = match[0].rstrip(_AFTER_ADDRESS)
        if len(token) > 1:
            yield match.start(), token
        inner = token.find("//", token.find("//") + 2)
        place = match.start() + max(inner - 6, 2) if inner > 0 else max(match.end(), match.start() + 1)


def alike(url: str) -> Iterator[str]:
    """An address, and those that differ from it in the scheme's security or the last slash alone."""
    other = url.removesuffix("/") if url.endswith("/") else f"{url}/"
    for one in (url, other) if min(url.count("/"), other.count("/")) > 2 and "?" not in url else (url,):
        yield one
        yield one.replace("https:", "http:", 1) if one.startswith("https:") else one.replace("http:", "https:", 1)


def spellings(token: str, base: str) -> Iterator[tuple[int, str]]:
    """Canonical addresses that a token may spell, with the length of what spells them: the whole of it, what stands before
    a fragment or a query, and the story below whose address it lies (`/feed/`, `/amp/`)."""
    whole = [len(token), *(cut for mark in "#?&" if (cut := token.find(mark)) > 0)]
    above = []
    place = len(token.rstrip("/"))
    for _ in range(3):
        place = token.rfind("/", 0, place)
        if place > 0 and token[place - 1] != "/":
            above += [place + 1, place]
    for cut in (*whole, *above):
        url = try_canonical(token[:cut], base or None)
        if url is None or (cut not in whole and len(url.split("/", 3)[-1]) < OWN_PATH):
            continue
        yield from ((cut, one) for one in alike(url))


def addresses_in(texts: Iterable[str], base: str, known: Callable[[str], bool]) -> set[str]:
    """Canonical addresses that stand in the layers of a payload and for which `known` holds."""
    seen = {token for text in texts for _, token in tokens(text)}
    return {url for token in seen for _, url in spellings(token, base) if known(url)}


def names_in(texts: Iterable[str], known: Callable[[str], bool]) -> set[str]:
    """Names that stand in the layers of a payload and for which `known` holds: runs of one to six words, of two to six
    letters in scripts without spaces. A name begins with a capital letter, a particle, or a letter that has no case."""
    runs: set[str] = set()
    for text in texts:
        for view in (TAG.sub(" ", text), TAG.sub("", text), text):
            words = _WORDS.findall(view)
            for at, word in enumerate(words):
                first = word.lstrip(_AROUND)
                if not first or (first[0].islower() and first.lower() not in PARTICLES):
                    continue
                run = [first, *words[at + 1 : at + MOST_WORDS]]
                for length in range(1, len(run) + 1):
                    runs.add(_bare(" ".join(run[:length])))
            for dense in _DENSE_RUN.findall(view):
                runs.update(dense[at : at + n] for at in range(len(dense)) for n in range(2, 7))
    return {run for run in runs if run and known(run)}


def _bare(run: str) -> str:
    run = run.rstrip(_AROUND)
    return run[:-2].rstrip(_AROUND) if run.endswith(("'s", "’s")) else run
