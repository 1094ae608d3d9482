"""The demo portal's stories: text files with a TOML head; each also tells what a reader should find in it."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import Literal, TypedDict

SECTIONS = ("Health", "Science", "Business", "Society")
Kind = Literal["p", "heading", "subheading", "item", "quote", "pull"]
MARKS: tuple[tuple[str, Kind], ...] = (
    ("### ", "subheading"),
    ("## ", "heading"),
    ("- ", "item"),
    (">> ", "pull"),
    ("> ", "quote"),
)
INLINE = re.compile(r"\*([^*\n]{1,400})\*|\[([^\]\n]{1,200})\]\(([^)\s]{1,200})\)")


class Expert(TypedDict):
    """A named person whom the story quotes or paraphrases, as the story's text describes them."""

    name: str
    role: str
    affiliation: str


class Truth(TypedDict):
    """What a reader should find in a story: the fields of the contract, and the people quoted.

    `teaser`: the standfirst printed on the story's page, else "". `card_teaser`: what fronts print. `published`,
    `modified`: UTC, ISO 8601 with `Z`. `body`: one string a block (paragraph, subheading, list item, quotation).
    `described`: sources without a name, as the text calls them.
    """

    id: int
    url: str
    short_url: str
    title: str
    teaser: str
    card_teaser: str
    section: str
    tags: list[str]
    authors: list[str]
    published: str
    modified: str
    body: list[str]
    captions: list[str]
    experts: list[Expert]
    described: list[str]


@dataclass(frozen=True, slots=True)
class Correction:
    """What the publisher changes at the first tick; `swaps` are (old, new) words of the body."""

    at: datetime
    note: str
    title: str
    swaps: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Story:
    """One story as the publisher wrote it. `blocks`: (kind, text with inline marks).

    `head`: `full` (JSON-LD, Open Graph), `og` (no JSON-LD) or `bare` (a `<title>` alone). `glued`: the section's label
    stands inside the headline's own element. `short`: fronts and feeds link it by its `?p=` address. `tick`: published
    at this tick of the portal's clock.
    """

    id: int
    slug: str
    section: str
    title: str
    published: datetime
    modified: datetime
    excerpt: str
    blocks: tuple[tuple[Kind, str], ...]
    standfirst: str = ""
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    caption: str = ""
    experts: tuple[Expert, ...] = ()
    described: tuple[str, ...] = ()
    head: Literal["full", "og", "bare"] = "full"
    glued: bool = False
    short: bool = False
    tick: int = 0
    correction: Correction | None = None

    @property
    def path(self) -> str:
        """The story's place on the portal, without the first slash."""
        return f"{self.section.lower()}/{self.slug}/"

    @property
    def steady(self) -> bool:
        """Whether it is the same at every tick."""
        return self.tick == 0 and self.correction is None

    def at(self, tick: int) -> "Story":
        """The story as it stands at a tick of the portal's clock."""
        change = self.correction
        if change is None or tick == 0:
            return self
        blocks = []
        for kind, text in self.blocks:
            for old, new in change.swaps:
                text = text.replace(old, new)  # noqa: PLW2901 - each swap works on the result of the last
            blocks.append((kind, text))
        blocks.append(("p", f"*{change.note}*"))
        return replace(self, title=change.title, blocks=tuple(blocks), modified=change.at)


@dataclass(frozen=True, slots=True)
class Data:
    """All the portal is made of: every story, and its templates by name."""

    stories: tuple[Story, ...]
    templates: dict[str, Template] = field(repr=False)


def folder() -> Traversable:
    """Where the portal's data is: inside the installed package, else in the repository."""
    packed = files("scraper") / "_portal"
    return packed if packed.is_dir() else Path(__file__).resolve().parent.parent / "fixtures" / "portal"


def load() -> Data:
    """Read the portal's data."""
    root = folder()
    stories = [
        _story(file.name.removesuffix(".md"), section, file.read_text("utf-8"))
        for section in SECTIONS
        for file in (root / "stories" / section.lower()).iterdir()
        if file.name.endswith(".md")
    ]
    templates = {
        file.name.rpartition(".")[0]: Template(file.read_text("utf-8"))
        for place in (root / "templates", root / "templates" / "cards")
        for file in place.iterdir()
        if file.name.endswith((".html", ".xml"))
    }
    return Data(tuple(sorted(stories, key=lambda story: story.published, reverse=True)), templates)


def plain(text: str) -> str:
    """A block's text without its inline marks: what a reader sees."""
    return INLINE.sub(lambda found: found[1] or found[2], text)


def truth(story: Story, base: str) -> Truth:
    """What a reader should find in a story served at `base`."""
    return Truth(
        id=story.id,
        url=base + story.path,
        short_url=f"{base}?p={story.id}",
        title=story.title,
        teaser=story.standfirst,
        card_teaser=story.excerpt,
        section=story.section,
        tags=list(story.tags),
        authors=list(story.authors),
        published=_utc(story.published),
        modified=_utc(story.modified),
        body=[plain(text) for _, text in story.blocks],
        captions=[story.caption] if story.caption else [],
        experts=list(story.experts),
        described=list(story.described),
    )


def _utc(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _story(slug: str, section: str, text: str) -> Story:
    _, head, body = text.split("+++\n", 2)
    said = tomllib.loads(head)
    for key in ("authors", "tags", "experts", "described"):
        said[key] = tuple(said.get(key, ()))
    change = said.pop("correction", None)
    if change:
        swaps = tuple((old, new) for old, new in change["swaps"])
        said["correction"] = Correction(change["at"], change["note"], change.get("title", said["title"]), swaps)
    said.setdefault("modified", said["published"])
    return Story(slug=slug, section=section, blocks=tuple(_blocks(body)), **said)


def _blocks(body: str) -> Iterator[tuple[Kind, str]]:
    """Blocks in reading order; list items stand on lines of their own, all else is parted by empty lines."""
    for part in re.split(r"\n\s*\n", body.strip()):
        lines = part.split("\n") if part.startswith("- ") else [" ".join(part.split("\n"))]
        for line in lines:
            mark, kind = next(((mark, kind) for mark, kind in MARKS if line.startswith(mark)), ("", "p"))
            yield kind, line.removeprefix(mark).strip()
