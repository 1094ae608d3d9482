"""The publications' stories: text files with TOML heads; each also tells what a reader should find in it."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import Any, Literal, TypedDict

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
    `described`: sources without a name, as the text calls them. `verdict`: `teaser_only` for a story behind a paywall, whose
    `body` is what its page shows. `copy_of`: the story that this one repeats with small edits, as `publication/slug`.
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
    verdict: Literal["article", "teaser_only"]
    copy_of: str


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
    at this tick of the portal's clock. `withdrawn`: gone from this tick on; 0: never. `shown`: blocks that a reader without
    a subscription sees; 0: all. `copy_of`: the story that this one repeats with small edits, as `publication/slug`.
    `agency`: who supplied it, printed under the text.
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
    withdrawn: int = 0
    correction: Correction | None = None
    shown: int = 0
    copy_of: str = ""
    agency: str = ""

    @property
    def steady(self) -> bool:
        """Whether it is the same at every tick."""
        return self.tick == self.withdrawn == 0 and self.correction is None

    @property
    def visible(self) -> tuple[tuple[Kind, str], ...]:
        """The blocks that its page shows."""
        return self.blocks[: self.shown] if self.shown else self.blocks

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
    """All a publication is made of: every story, newest first, and its templates by name."""

    stories: tuple[Story, ...]
    templates: dict[str, Template] = field(repr=False)


def folder() -> Traversable:
    """Where the publications' data is: inside the installed package, else in the repository."""
    packed = files("scraper") / "_portal"
    return packed if packed.is_dir() else Path(__file__).resolve().parent.parent.parent / "fixtures" / "portal"


@cache
def library() -> Mapping[str, Data]:
    """Every publication's data by the name of its folder."""
    told = {place.name: tuple(_told(place / "stories")) for place in folder().iterdir() if place.is_dir()}
    originals = {
        f"{name}/{story.slug}": story for name, stories in told.items() for story, _ in stories if not story.copy_of
    }
    return {
        name: Data(
            tuple(
                sorted(
                    (
                        _copied(story, originals[story.copy_of], changes) if story.copy_of else story
                        for story, changes in stories
                    ),
                    key=lambda story: story.published,
                    reverse=True,
                )
            ),
            {
                file.name.rpartition(".")[0]: Template(file.read_text("utf-8"))
                for file in _under(folder() / name / "templates")
            },
        )
        for name, stories in told.items()
    }


def plain(text: str) -> str:
    """A block's text without its inline marks: what a reader sees."""
    return INLINE.sub(lambda found: found[1] or found[2], text)


def truth(story: Story, url: str, short_url: str) -> Truth:
    """What a reader should find in a story served at `url`, to which `short_url` leads."""
    return Truth(
        id=story.id,
        url=url,
        short_url=short_url,
        title=story.title,
        teaser=story.standfirst,
        card_teaser=story.excerpt,
        section=story.section,
        tags=list(story.tags),
        authors=list(story.authors),
        published=_utc(story.published),
        modified=_utc(story.modified),
        body=[plain(text) for _, text in story.visible],
        captions=[story.caption] if story.caption else [],
        experts=list(story.experts),
        described=list(story.described),
        verdict="teaser_only" if story.shown else "article",
        copy_of=story.copy_of,
    )


def _utc(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def slug(words: str) -> str:
    """A name or headline as it stands in an address, not yet escaped."""
    return re.sub(r"[^\w]+", "-", words.replace("’", "").lower()).strip("-")


def _under(place: Traversable) -> Iterator[Traversable]:
    for entry in place.iterdir():
        if entry.is_dir():
            yield from _under(entry)
        else:
            yield entry


def _told(place: Traversable, section: str = "") -> Iterator[tuple[Story, dict[str, Any]]]:
    """Stories of a folder: in files of their own in a folder for each section, or many in a file that names its section.

    Beside a story stands what it changes in the one that it copies, or nothing.
    """
    for entry in place.iterdir():
        if entry.is_dir():
            yield from _told(entry, entry.name.capitalize())
            continue
        heading, *parts = entry.read_text("utf-8").split("+++\n")
        for head, body in zip(parts[::2], parts[1::2], strict=True):
            said = tomllib.loads(head)
            name = slug(said["title"]) if heading else entry.name.removesuffix(".md")
            yield _story(said, name, heading.removeprefix("# ").strip() or section, body)


def _story(said: dict[str, Any], name: str, section: str, body: str) -> tuple[Story, dict[str, Any]]:
    for key in ("authors", "tags", "described"):
        said[key] = tuple(said.get(key, ()))
    said["experts"] = tuple(
        one
        if isinstance(one, dict)
        else Expert(**dict(zip(("name", "role", "affiliation"), one.split(" | "), strict=True)))  # type: ignore[typeddict-item]
        for one in said.get("experts", ())
    )
    change = said.pop("correction", None)
    if change:
        swaps = tuple((old, new) for old, new in change["swaps"])
        said["correction"] = Correction(change["at"], change["note"], change.get("title", said["title"]), swaps)
    changes: dict[str, Any] = {key: said.pop(key) for key in ("swaps", "without", "dateline") if key in said}
    said.setdefault("modified", said["published"])
    blocks = tuple(_blocks(body))
    said.setdefault("excerpt", plain(blocks[0][1]) if blocks else "")
    return Story(slug=name, section=section, blocks=blocks, **said), changes


def _copied(story: Story, original: Story, changes: dict[str, Any]) -> Story:
    """A story that repeats another with small edits: words swapped, blocks left out by number, a dateline before it."""
    blocks = []
    for number, (kind, words) in enumerate(original.blocks, 1):
        text = words
        for old, new in changes.get("swaps", ()):
            text = text.replace(old, new)
        if number not in changes.get("without", ()):
            blocks.append((kind, text))
    (kind, first), *rest = blocks
    text = "\n".join(words for _, words in blocks)
    return replace(
        story,
        blocks=((kind, changes.get("dateline", "") + first), *rest),
        excerpt=story.excerpt or plain(first),
        experts=tuple(one for one in original.experts if one["name"] in text),
        described=tuple(one for one in original.described if one in text),
    )


def _blocks(body: str) -> Iterator[tuple[Kind, str]]:
    """Blocks in reading order; list items stand on lines of their own, all else is parted by empty lines."""
    for part in re.split(r"\n\s*\n", body.strip()):
        lines = part.split("\n") if part.startswith("- ") else [" ".join(part.split("\n"))]
        for line in lines:
            mark, kind = next(((mark, kind) for mark, kind in MARKS if line.startswith(mark)), ("", "p"))
            yield kind, line.removeprefix(mark).strip()
