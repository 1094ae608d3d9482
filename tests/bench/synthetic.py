"""Articles made of invented sentences, the same for the same seed: about 4 KB of body, four tags, two quotes with people.

Words, tags and people come from invented vocabularies with Zipf-like frequencies, as in news; quotes stand in curly quotation
marks, and some words carry accents.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from parsers.article import Article, Block, Image, Person, Provenance, Quote, When

START = datetime(2026, 1, 1, tzinfo=UTC)
PARAGRAPHS = 14
_RULES = {
    "title": ("dom", "h1.entry-title"),
    "teaser": ("dom", "p.standfirst"),
    "description": ("meta", "og:description"),
    "body": ("dom", "div.entry-content"),
    "authors": ("json-ld", "author"),
    "published": ("json-ld", "datePublished"),
    "modified": ("json-ld", "dateModified"),
    "section": ("meta", "article:section"),
    "tags": ("meta", "article:tag"),
    "language": ("meta", "html[lang]"),
    "image": ("meta", "og:image"),
    "quotes": ("text", "cues"),
}


class _Zipf:
    """Draws from a list; what stands at place r comes about 1/(r + 2) as often."""

    def __init__(self, things: list[str]) -> None:
        self.things = things
        total = 0.0
        self.cumulated = [total := total + 1 / (place + 2) for place in range(len(things))]

    def draw(self, rng: random.Random, n: int) -> list[str]:
        return rng.choices(self.things, cum_weights=self.cumulated, k=n)

    def distinct(self, rng: random.Random, n: int) -> list[str]:
        found: dict[str, None] = {}
        while len(found) < n:
            found[self.draw(rng, 1)[0]] = None
        return list(found)


class Synthetic:
    """A source of articles. `people`, `tags`, `words`: sizes of the vocabularies."""

    def __init__(self, seed: int = 1, *, words: int = 30_000, tags: int = 3_000, people: int = 3_000) -> None:
        rng = self._rng = random.Random(seed)
        self._topic: list[str] = []
        vocabulary = sorted({_word(rng) for _ in range(words)})
        rng.shuffle(vocabulary)
        # Short words are the frequent ones, as in any language.
        vocabulary.sort(key=lambda word: len(word) + 20 * rng.random())
        self._words = _Zipf(vocabulary)
        self._tags = _Zipf(
            [" ".join(rng.choices(vocabulary[200:], k=rng.choice((1, 1, 2)))).title() for _ in range(tags)]
        )
        names = [f"{rng.choice(vocabulary)} {rng.choice(vocabulary)}".title() for _ in range(people)]
        self._people = _Zipf(list(dict.fromkeys(names)))
        kinds = ("university", "ministry", "bank", "institute")
        places = [f"{rng.choice(vocabulary)} {kind}".title() for kind in kinds for _ in range(100)]
        roles = ("analyst", "spokeswoman", "professor of law")
        # Each has one affiliation or none, and one role.
        self._known = {
            name: (rng.choice(("Dr", "Prof", None)), rng.choice(roles), rng.choice((*places, None)))
            for name in self._people.things
        }  # fmt: skip

    def articles(self, n: int) -> Iterator[Article]:
        """`n` articles, a minute apart."""
        for number in range(1, n + 1):
            yield self._article(number)

    def _sentence(self, n: int) -> str:
        words = self._words.draw(self._rng, n)
        for place in self._rng.sample(range(n), n // 3):
            words[place] = self._rng.choice(self._topic)
        return " ".join(words).capitalize() + "."

    def _article(self, number: int) -> Article:
        rng = self._rng
        at = START + timedelta(minutes=number)
        self._topic = self._words.draw(rng, 40)
        if rng.random() < 0.25:  # about as many English news texts hold a letter with an accent
            self._topic[0] = self._topic[0].replace("e", "é").replace("a", "á")
        speakers = self._people.distinct(rng, 2)
        paragraphs = [
            " ".join(self._sentence(rng.randint(8, 24)) for _ in range(rng.randint(2, 4))) for _ in range(PARAGRAPHS)
        ]
        quotes = []
        begin = 0
        for place in range(PARAGRAPHS):
            if place in (3, 8):
                name = speakers[place == 8]
                _, role, affiliation = self._known[name]
                said = self._sentence(rng.randint(12, 24)).removesuffix(".") + ","
                paragraphs[place] = f"“{said}” {name} said – {paragraphs[place]}"
                first, mention = begin + 1, begin + len(said) + 3
                quotes.append(
                    Quote(
                        speaker=name, speaker_span=(mention, mention + len(name)), speaker_type="person", role=role,
                        affiliation=affiliation, cue="said", text=said, spans=((first, first + len(said)),), kind="direct",
                        confidence=0.95,
                    )
                )  # fmt: skip
            begin += len(paragraphs[place]) + 1
        url = f"https://news{number % 20}.example/{at:%Y/%m/%d}/{'-'.join(self._words.draw(rng, 6))}-{number}"
        people = tuple(Person(name, *self._known[name], "person", 1) for name in speakers)
        return Article(
            url=url, canonical_url=url, site=f"news{number % 20}", layout="invented",
            title=self._sentence(10).removesuffix("."), teaser=self._sentence(20), description=self._sentence(20),
            blocks=tuple(Block("p", text) for text in paragraphs), captions=(self._sentence(8),),
            authors=(f"{rng.choice(self._people.things[:200])}",),
            published=When(f"{at:%Y-%m-%dT%H:%M:%S}+00:00", at, "offset", "second"),
            modified=When(f"{at:%Y-%m-%dT%H:%M:%S}+00:00", at, "offset", "second"),
            section="News", sections=("Front", "News"), tags=tuple(self._tags.distinct(rng, 4)), language="en",
            paywall=False, image=Image(f"{url}.jpg", self._sentence(8), "Invented"), quotes=tuple(quotes), people=people,
            provenance={field: Provenance(*rule) for field, rule in _RULES.items()}, parser_version="0.2.0",
        )  # fmt: skip


def _word(rng: random.Random) -> str:
    syllables = [rng.choice("bcdfghjklmnprstvw") + rng.choice("aaeeiou") for _ in range(rng.choice((1, 2, 3, 3, 4, 4)))]
    return "".join(syllables) + rng.choice(("", "n", "r", "s"))
