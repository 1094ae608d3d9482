"""What an open archive answers. Nothing here writes."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from parsers.page import Page
from storage import history, keeping, questions, standing
from storage.captures import Warc


@dataclass(slots=True)
class Answers:
    """The reading half of `Archive`."""

    path: Path
    db: Database
    warc: Warc

    # -- captures --------------------------------------------------------------------------------------------------

    def holds(self, url: str, page: Page) -> bool:
        """Whether a page's content is that of the last capture of its address, and was read."""
        return keeping.holds(self.db.conn, url, page)

    def captured(self, url: str) -> bool:
        """Whether there is a capture of an address."""
        return keeping.known(self.db.conn, url)

    def unread(self, *, left: bool = False) -> list[keeping.Unread]:
        """Captures that nobody has read although their run reads, or (`left`) whether it does or not, oldest first."""
        return keeping.unread(self.db.conn, left=left)

    def leads_to_front(self, capture: int) -> bool:
        """Whether a capture was redirected to its site's home page, or to another front or feed that we know."""
        return history.leads_to_front(self.db.conn, capture)

    def page(self, capture: int) -> Page:
        """The page of a capture, digests checked. Raises ArchiveDamaged, or ArchiveError if there is no such capture."""
        return keeping.page(self.db.conn, self.warc, capture)

    def pages(self, *, site: str | None = None, verdict: str | None = None) -> Iterator[tuple[int, Page]]:
        """Captures of stories with their pages, oldest first."""
        for capture in keeping.captures(self.db.conn, site=site, verdict=verdict):
            yield capture, self.page(capture)

    # -- what is in them ---------------------------------------------------------------------------------------------

    def search(self, words: str, **filters: Any) -> list[dict[str, Any]]:
        """Articles by their words; see `storage.questions.search`."""
        return questions.search(self.db.conn, words, **filters)

    def quotes(self, **filters: Any) -> list[dict[str, Any]]:
        """Statements; see `storage.questions.quotes`."""
        return questions.quotes(self.db.conn, **filters)

    def people(self, *, limit: int, experts_only: bool = False) -> list[dict[str, Any]]:
        """People, most quoted first."""
        return questions.people(self.db.conn, limit=limit, experts_only=experts_only)

    def status(self, *, now: datetime, names: Collection[str] = ()) -> list[dict[str, Any]]:
        """One row a site; see `storage.standing.standing`."""
        return standing.standing(self.db.conn, now=now, names=names)

    def robots(self, url: str) -> Page | None:
        """A robots.txt as it stood last; None if it is not kept. Raises ArchiveDamaged."""
        capture = standing.robots(self.db.conn, url)
        return None if capture is None else self.page(capture)

    def refused(self) -> list[dict[str, Any]]:
        """Sites that refuse us; see `storage.standing.refused`."""
        return standing.refused(self.db.conn)

    def verdicts(self) -> list[dict[str, Any]]:
        """Captures by verdict."""
        return questions.verdicts(self.db.conn)

    def diff(
        self, url: str, *, start: int | None = None, end: int | None = None, every: bool = False
    ) -> list[dict[str, Any]]:
        """The words that changed between two revisions of a story; see `storage.history.diff`."""
        return history.diff(self.db.conn, url, start=start, end=end, every=every)

    def changes(self, *, run: int) -> list[dict[str, Any]]:
        """Stories that a run found new, changed or withdrawn; see `storage.questions.changes`."""
        return questions.changes(self.db.conn, run)
