"""What SQLite must know of an event and the exchanges do not say: our own facts, kept in WARC `metadata` records.

A file is a sequence of events. A page's event is one record of facts, then its exchanges (redirects first, the answer
last). A visit that needs no facts, the `revisit` of an address that did not redirect, has none. Runs and failed requests
are facts alone. So the archive can be made anew from its WARC files.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self


@dataclass(frozen=True, slots=True)
class _Facts:
    event: ClassVar[str]

    def as_json(self) -> dict[str, object]:
        """The facts as a JSON object; what is empty is left out."""
        found = ((name, getattr(self, name)) for name in self.__dataclass_fields__)
        return {"event": self.event, **{name: value for name, value in found if value not in (None, "", (), 0)}}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The facts of a JSON object; keys of later editions are passed over."""
        known = {field.name for field in dataclasses.fields(cls)}
        plain = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
        return cls(**{key: value for key, value in plain.items() if key in known})


@dataclass(frozen=True, slots=True)
class PageFacts(_Facts):
    """A page that came. `hops`: redirects before the answer. `site`: its name.

    `withheld`: the opt-out for which no payload is kept; then `title`, `verdict`, `size`, `charset` and its source,
    `digest` (SHA-256, hex) and `payload_digest` are all that is known of it. `optouts`: those stated, obeyed or not.
    `kept_because`: why it is kept in spite of them. `at_source`: see `capture` in the dictionary.
    """

    event: ClassVar[str] = "page"
    asked: str
    kind: str
    run: int | None = None
    site: str | None = None
    hops: int = 0
    optouts: tuple[str, ...] = ()
    kept_because: str | None = None
    at_source: str = "response"
    withheld: str | None = None
    title: str | None = None
    verdict: str | None = None
    size: int = 0
    charset: str | None = None
    charset_source: str | None = None
    digest: str | None = None
    payload_digest: str | None = None

    @property
    def imported(self) -> bool:
        """Whether the page came from a file and not by a request of ours."""
        return self.at_source != "response"


@dataclass(frozen=True, slots=True)
class FailureFacts(_Facts):
    """An address that did not come. `outcome`: the error's kind. `retry`: UTC text, when it is tried again.

    `held_for`: why its host is left alone until then, "" if it is not.
    """

    event: ClassVar[str] = "failure"
    url: str
    kind: str
    site: str
    run: int
    outcome: str
    status: int | None = None
    retry: str | None = None
    held_for: str = ""
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class RunFacts(_Facts):
    """A run that began. `settings`: JSON text of the run's row."""

    event: ClassVar[str] = "run"
    run: int
    command: str
    version: str
    settings: str


@dataclass(frozen=True, slots=True)
class SiteFacts(_Facts):
    """A site that imported pages belong to. Sites that are crawled stand in the settings of their runs."""

    event: ClassVar[str] = "site"
    name: str
    home: str
    parser: str | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class EndFacts(_Facts):
    """A run that ended."""

    event: ClassVar[str] = "end"
    run: int
    state: str
    counts: Mapping[str, int]
    errors: int = 0


@dataclass(frozen=True, slots=True)
class RemovedFacts(_Facts):
    """The placeholder of an event that was taken down: nothing of what it said, only that it counts.

    `takedown`: digest of its tombstone, hex. `decided`: when, UTC text. `site`: name of the site whose ledger counts it,
    None if none does. `stage`, `reason`: what the ledger counts it as.
    """

    event: ClassVar[str] = "removed"
    takedown: str
    decided: str
    site: str | None = None
    stage: str = "got"
    reason: str = ""


Facts = PageFacts | FailureFacts | RunFacts | SiteFacts | EndFacts | RemovedFacts
_KINDS: dict[str, type[Facts]] = {
    kind.event: kind for kind in (PageFacts, FailureFacts, RunFacts, SiteFacts, EndFacts, RemovedFacts)
}


def parse(values: Mapping[str, Any]) -> Facts | None:
    """The facts of a record; None for an event of a later edition."""
    kind = _KINDS.get(str(values.get("event")))
    return kind.from_json(values) if kind else None


def address(facts: Facts) -> str:
    """The WARC-Target-URI of a record of facts."""
    match facts:
        case PageFacts():
            return facts.asked
        case FailureFacts():
            return facts.url
        case SiteFacts():
            return facts.home
        case RemovedFacts():
            return f"urn:newsmorgue:takedown:{facts.takedown}"
        case _:
            return f"urn:newsmorgue:run:{facts.run}"
