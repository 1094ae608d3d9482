"""What a parser gives and an archive keeps. Each attribute says its form and what stands in when it is missing.

Missing is None, empty is "" or (). All records are frozen: a reading is a value.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Literal

Span = tuple[int, int]
"""`[start, end)` in Unicode code points of `Article.body`."""

BlockKind = Literal["p", "heading", "item", "quote", "table", "entry"]
QuoteKind = Literal["direct", "indirect", "mixed"]
SpeakerType = Literal["person", "described", "organisation"]
Verdict = Literal[
    "article",
    "front",
    "teaser_only",
    "consent",
    "challenge",
    "soft_404",
    "gone",
    "not_html",
    "truncated",
    "empty",
    "error",
]


@dataclass(frozen=True, slots=True)
class Block:
    """One block of the body, in reading order. `text` has no line breaks and single spaces."""

    kind: BlockKind
    text: str


@dataclass(frozen=True, slots=True)
class When:
    """A date as the page gives it.

    `raw`: as written. `utc`: the instant, an aware UTC datetime; None if the text could not be understood.
    `zone_source`: where the zone came from: `offset` (in the text), `site` (the site's own zone), `assumed` (UTC for
    want of better). `precision`: `second`, `minute` or `day`; a day without a time is midnight in its zone.
    """

    raw: str
    utc: datetime | None
    zone_source: Literal["offset", "site", "assumed"]
    precision: Literal["second", "minute", "day"]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a value came from.

    `source`: `json-ld`, `meta`, `dom`, `url`, `site` or `text`; `rule`: the key or selector.
    """

    source: str
    rule: str


@dataclass(frozen=True, slots=True)
class Quote:
    """A statement that the article attributes to someone.

    `speaker`: the resolved name, without honorific ("Kang Jun Yoon"), or the words that describe the source ("medical
    experts"). `speaker_span`: the mention beside the statement, which may be a pronoun; None if there is none.
    `text`: the pieces at `spans` joined by one space. `cue`: the words that say it is said ("explains that"),
    may be "". `role`, `affiliation`: None if the article gives none. `confidence`: 0..1.
    """

    speaker: str
    speaker_span: Span | None
    speaker_type: SpeakerType
    role: str | None
    affiliation: str | None
    cue: str
    text: str
    spans: tuple[Span, ...]
    kind: QuoteKind
    confidence: float


@dataclass(frozen=True, slots=True)
class Person:
    """Everyone and everything an article quotes, once each. `quotes` counts the statements."""

    name: str
    honorific: str | None
    role: str | None
    affiliation: str | None
    type: SpeakerType
    quotes: int

    @property
    def is_expert(self) -> bool:
        """A named person to whom the text gives a role or an affiliation."""
        return self.type == "person" and bool(self.role or self.affiliation)


@dataclass(frozen=True, slots=True)
class Card:
    """A story as a front (or another story's page) announces it. `position` counts from 1 in page order.

    `teaser` and `section` are "" where the card shows none. `url` is canonical.
    """

    url: str
    title: str
    teaser: str = ""
    section: str = ""
    position: int = 0


@dataclass(frozen=True, slots=True)
class Image:
    """The main picture: canonical address, caption and credit ("" where not given)."""

    url: str
    caption: str = ""
    credit: str = ""


@dataclass(frozen=True, slots=True)
class Article:
    """One reading of one page.

    `url`: the address the page was given at. `canonical_url`: what the page says its address is, else `url` made
    canonical. `alternates`: further addresses of this text, as the page says. `site`: name of the `Site`, None if none
    is registered. `layout`: name of the layout that read it.
    `verdict`: what kind of page this really is; only `article` counts as one.
    `title`: the headline as printed, "" if none. `teaser`: the standfirst printed on this page, else "".
    `card_teaser`: what a front showed for it (filled by the archive, never by a parser), else "".
    `description`: the head's description, else "". Nothing is copied between the three.
    `blocks`: the body in reading order, without title, teaser and captions. `captions`: of pictures, in order.
    `authors`: people, without "By" and roles. `section`: the most specific section, None if none; `sections`: all,
    outermost first. `tags`: topics, apart from sections. `language`: BCP 47, None if not known.
    `paywall`: True/False where the page says so, else None. `image`: the main picture.
    `quotes`, `people`: who says what. `cards`: other stories announced on the page.
    `provenance`: field name to where its value came from.
    """

    url: str
    canonical_url: str
    site: str | None = None
    layout: str | None = None
    verdict: Verdict = "article"
    title: str = ""
    teaser: str = ""
    card_teaser: str = ""
    description: str = ""
    blocks: tuple[Block, ...] = ()
    captions: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    published: When | None = None
    modified: When | None = None
    section: str | None = None
    sections: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    language: str | None = None
    paywall: bool | None = None
    image: Image | None = None
    quotes: tuple[Quote, ...] = ()
    people: tuple[Person, ...] = ()
    cards: tuple[Card, ...] = ()
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
    parser_version: str = ""
    alternates: tuple[str, ...] = ()

    @property
    def body(self) -> str:
        """Blocks joined by one newline; spans count its code points."""
        return "\n".join([block.text for block in self.blocks])

    @property
    def experts(self) -> tuple[Person, ...]:
        """Named people to whom the text gives a role or an affiliation."""
        return tuple(person for person in self.people if person.is_expert)

    def as_dict(self) -> dict[str, object]:
        """The object that `parse --json` prints: plain values, `schema: 1`, times as UTC text in ISO 8601 with `Z`."""
        return {
            "schema": 1,
            "url": self.url,
            "canonical_url": self.canonical_url,
            "site": self.site,
            "layout": self.layout,
            "verdict": self.verdict,
            "title": self.title,
            "teaser": self.teaser,
            "card_teaser": self.card_teaser,
            "description": self.description,
            "body": self.body,
            "blocks": [asdict(block) for block in self.blocks],
            "captions": list(self.captions),
            "authors": list(self.authors),
            "published": _when(self.published),
            "modified": _when(self.modified),
            "section": self.section,
            "sections": list(self.sections),
            "tags": list(self.tags),
            "language": self.language,
            "paywall": self.paywall,
            "image": asdict(self.image) if self.image else None,
            "quotes": [_quote(quote) for quote in self.quotes],
            "people": [asdict(person) for person in self.people],
            "cards": [asdict(card) for card in self.cards],
            "provenance": {name: asdict(found) for name, found in self.provenance.items()},
            "parser_version": self.parser_version,
        }


def _when(when: When | None) -> dict[str, object] | None:
    if when is None:
        return None
    utc = when.utc.isoformat().replace("+00:00", "Z") if when.utc else None
    return {"raw": when.raw, "utc": utc, "zone_source": when.zone_source, "precision": when.precision}


def _quote(quote: Quote) -> dict[str, object]:
    plain = asdict(quote)
    plain["speaker_span"] = list(quote.speaker_span) if quote.speaker_span else None
    plain["spans"] = [list(span) for span in quote.spans]
    return plain
