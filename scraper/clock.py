"""Our clock is a value passed in; nobody below asks the system for the time."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from parsers.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock that started at `start` (aware UTC) and runs at the speed of the machine's."""

    start: datetime
    since: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        """The present, an aware UTC instant."""
        return self.start + timedelta(seconds=time.monotonic() - self.since)


def clock(environ: Mapping[str, str] = os.environ) -> Clock:
    """The machine's clock, or one started at `NEWSMORGUE_NOW` (ISO 8601 with a zone)."""
    text = environ.get("NEWSMORGUE_NOW")
    if not text:
        return Clock(datetime.now(UTC))
    try:
        start = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"NEWSMORGUE_NOW={text!r} is not a time", next="2026-11-24T06:00:00Z") from error
    if start.tzinfo is None:
        raise SettingsError(f"NEWSMORGUE_NOW={text!r} has no zone", next=f"{text}Z")
    return Clock(start.astimezone(UTC))
