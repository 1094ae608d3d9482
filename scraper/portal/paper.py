"""What every publication has in common: one moment of it, its addresses and the answers that stand there."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from typing import ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from scraper.portal.stories import INLINE, Data, Kind, Story

HTML = "text/html; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a publication says to one GET. `modified`: an aware instant; None where the answer carries no validator."""

    status: int
    body: bytes
    content_type: str = HTML
    location: str = ""
    modified: datetime | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Paper(ABC):
    """A publication at one moment: `stories` published by then, newest first, and those that are `gone` again.

    `name`: as in `[site.NAME]`. `folder`: where its data is. `parser`, `sources`: what the demo's settings say of it.
    """

    name: ClassVar[str]
    folder: ClassVar[str]
    parser: ClassVar[str | None] = None
    sources: ClassVar[tuple[tuple[str, str], ...]] = (("front", "/"), ("feed", "/feed/"))
    robots: ClassVar[str]

    def __init__(self, data: Data, stories: Sequence[Story], gone: Sequence[Story] = (), *, base: str) -> None:
        self.data = data
        self.stories = tuple(stories)
        self.gone = tuple(gone)
        self.base = base
        # What stands beside a story never changes, so that a page changes only when its own story does.
        self.steady = tuple(story for story in stories if story.steady)
        self._made: dict[str, Answer] = {}

    @property
    def robots_txt(self) -> str:
        """The rules that crawlers are asked to keep."""
        return self.robots.replace("$base", self.base)

    @abstractmethod
    def path(self, story: Story) -> str:
        """Where a story stands, without the first slash."""

    def short_path(self, story: Story) -> str:
        """Another address that leads to a story, without the first slash: its own where there is none."""
        return self.path(story)

    def url(self, story: Story) -> str:
        """Where a story stands."""
        return self.base + self.path(story)

    def answer(self, target: str, cookie: str = "") -> Answer:
        """What stands at a request's target ("/path?query"), for a visitor who brings that Cookie header."""
        if target not in self._made:
            if len(self._made) > 1000:  # a visitor with endless addresses must not fill the memory
                self._made.clear()
            parts = urlsplit(target)
            path, query = unquote(parts.path).lstrip("/"), parse_qs(parts.query)
            if path == "robots.txt":
                self._made[target] = Answer(200, self.robots_txt.encode(), "text/plain; charset=utf-8")
            else:
                self._made[target] = self.make(path, {key: values[0] for key, values in query.items()})
        return self._made[target]

    @abstractmethod
    def make(self, path: str, query: Mapping[str, str]) -> Answer:
        """What stands at a path (without the first slash) and query."""

    def fill(self, template: str, **values: object) -> str:
        """A template with its values, which are markup already."""
        return self.data.templates[template].substitute(values, base=self.base)

    def moved(self, path: str) -> Answer:
        """A lasting redirect to a path of our own."""
        return Answer(301, b"", location=self.base + path)

    def beside(self, story: Story, first: int, last: int) -> list[Story]:
        """A slice of the other steady stories, beginning at another one for each story."""
        others = [other for other in self.steady if other.id != story.id]
        start = story.id * 7 % len(others)
        return [*others[start:], *others[:start]][first:last]


def newest(stories: Sequence[Story]) -> datetime:
    """When the last of some stories was published or changed."""
    return max(max(story.published, story.modified) for story in stories)


def page_of(stories: Sequence[Story], number: int, size: int) -> tuple[Sequence[Story], int]:
    """The stories of one page of a listing, none if there is no such page, and the number of pages."""
    last = max(1, -(-len(stories) // size))
    return (stories[(number - 1) * size : number * size] if 1 <= number <= last else ()), last


def inline(text: str, base: str) -> str:
    """A block's text as markup: `*emphasis*` and `[links](/path/)`."""
    parts, at = [], 0
    for found in INLINE.finditer(text):
        parts.append(escape(text[at : found.start()], quote=False))
        if found[1]:
            parts.append(f"<em>{escape(found[1], quote=False)}</em>")
        else:
            parts.append(f'<a href="{base}{found[3].lstrip("/")}">{escape(found[2], quote=False)}</a>')
        at = found.end()
    return "".join(parts) + escape(text[at:], quote=False)


def body(blocks: Sequence[tuple[Kind, str]], base: str, wrap: Mapping[str, str], listing: str = "<ul>") -> list[str]:
    """Blocks as markup, list items within lists. `wrap`: markup of each kind with `{}` for its text."""
    lines, inside = [], False
    for kind, text in blocks:
        if inside != (kind == "item"):
            inside = not inside
            lines.append(listing if inside else "</ul>")
        lines.append(wrap[kind].format(inline(text, base)))
    return [*lines, "</ul>"] if inside else lines


def cut(text: str, words: int, mark: str = "...") -> str:
    """The first words of a text, with a mark where some are missing."""
    parts = text.split()
    return text if len(parts) <= words else " ".join(parts[:words]) + mark


def utc(when: datetime) -> str:
    """An instant as heads write it: in UTC with its offset."""
    return when.astimezone(UTC).isoformat(timespec="seconds")
