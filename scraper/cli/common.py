"""What verbs share: where the archive is, dates of flags, the next step where nobody comes back by himself."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from parsers.errors import HostHeld, UsageError
from scraper.settings import FILE


def archive_option(command: Callable[..., object]) -> Callable[..., object]:
    """`--archive DIR`, else NEWSMORGUE_ARCHIVE, else the current folder if it holds newsmorgue.toml."""
    return click.option(
        "--archive",
        type=click.Path(path_type=Path, file_okay=False),
        help=f"The archive's folder; else $NEWSMORGUE_ARCHIVE, else the current folder if it holds {FILE}.",
    )(command)


def archive_folder(given: Path | None) -> Path:
    """The archive's folder. Raises UsageError if none is named, found or there."""
    chosen = archive_if_any(given)
    if chosen is None:
        raise UsageError(
            "no archive named",
            cause=f"there is no --archive, no NEWSMORGUE_ARCHIVE, and no {FILE} in the current folder",
            next="newsmorgue init clips --contact you@example.org",
        )
    return chosen


def archive_if_any(given: Path | None) -> Path | None:
    """The archive's folder, or None if there is none here and none is named. Raises UsageError if the one named is none."""
    chosen = given or (Path(text) if (text := os.environ.get("NEWSMORGUE_ARCHIVE")) else None)
    if chosen is None:
        return Path() if Path(FILE).is_file() else None
    if not (chosen / FILE).is_file():
        raise UsageError(
            f"{chosen} is not an archive",
            cause=f"it holds no {FILE}",
            next=f"newsmorgue init {chosen} --contact you@example.org",
        )
    return chosen


@contextmanager
def asked_once() -> Iterator[None]:
    """Around what asks a site once: a crawl comes back to a host by itself, this does not, so the next step is another."""
    try:
        yield
    except HostHeld as error:
        error.next = "check the address, or come back later"
        raise


def instant(text: str | None, option: str) -> datetime | None:
    """A date or time of a flag as an aware UTC instant; a time without a zone is UTC."""
    if text is None:
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{option} {text!r} is not a date", next=f"{option} 2026-11-24") from error
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
