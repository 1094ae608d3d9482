"""Imported pages in the archive: what is known of them already, their sites, their rows."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from parsers.page import Page
from parsers.url import try_canonical
from storage import history, keeping, runs
from storage.articles import KeptArticle
from storage.facts import PageFacts, SiteFacts, address
from storage.foreign import Found
from storage.keeping import Kept
from storage.records import Exchange, Place, Resource, Stored
from storage.timing import stamp

if TYPE_CHECKING:
    from storage.archive import Archive


def known(archive: "Archive", asked: str, body: bytes, at: datetime | None) -> bool:
    """Whether an address is known to have shown this content, at that instant if one is given."""
    return bool(
        archive.db.conn.execute(
            "SELECT 1 FROM capture c JOIN visit v ON v.capture_id = c.id "
            "WHERE c.asked = ?1 AND c.digest = ?2 AND (?3 IS NULL OR v.at = ?3)",
            (asked, keeping.digest(body), stamp(at) if at else None),
        ).fetchone()
    )


def shown(archive: "Archive", asked: str, body: bytes, at: datetime) -> str | None:
    """The kind of the capture that stood at an address then, if it holds this content and was read; else None."""
    row = archive.db.conn.execute(
        "SELECT kind, digest, verdict FROM capture WHERE asked = ? AND at <= ? ORDER BY at DESC, id DESC LIMIT 1",
        (asked, stamp(at)),
    ).fetchone()
    return str(row[0]) if row and row[1] == keeping.digest(body) and row[2] is not None else None


def whole(archive: "Archive", found: Found) -> Exchange | Resource | None:
    """What is to be kept of a page: with the payload, if its record left that to another one; None if that is not kept.

    A `revisit` without a head of its own, or with a 304, gets that of the answer with the payload.
    """
    sought, answer = found.original, found.answer
    if sought is None or not isinstance(answer, Exchange):
        return answer
    row = archive.db.conn.execute(
        "SELECT c.file, c.offset, c.length FROM capture c JOIN visit v ON v.capture_id = c.id "
        "WHERE c.asked = ?1 AND c.withheld IS NULL AND (v.at = ?2 OR c.payload_digest = ?3) ORDER BY v.at = ?2 DESC, c.at DESC LIMIT 1",
        (try_canonical(sought.url) or sought.url, stamp(sought.at) if sought.at else "", sought.digest),
    ).fetchone()
    if row is None:
        return None
    stored = archive.warc.read(Place(*row))
    if stored.kind == "resource":
        return Resource(answer.url, answer.at, stored.payload, stored.headers[0][1])
    status = answer.response_head.split(b"\r\n", 1)[0].split(b" ")[1:2]
    head = answer.response_head if status not in ([], [b"304"]) else _head(stored)
    return replace(answer, response_head=head, payload=stored.payload)


def _head(stored: Stored) -> bytes:
    lines = [f"HTTP/1.1 {stored.status} ", *(f"{name}: {value}" for name, value in stored.headers)]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def keep(archive: "Archive", page: Page, answer: Exchange | Resource, facts: PageFacts, *, site: int) -> Kept:
    """Keep an imported page; `facts.at_source` says where its time comes from. See `storage.keeping.keep`."""
    with archive.transaction():
        return keeping.keep(archive.db.conn, archive.warc, page, [answer], facts, site=site)


def in_order(archive: "Archive", kept: KeptArticle, at: datetime) -> None:
    """Put a story's revisions in order, after a text from `at` came that may be older than others."""
    with archive.transaction():
        history.in_order(archive.db.conn, kept.article, stamp(at))


def use_site(archive: "Archive", facts: SiteFacts, *, now: datetime) -> int:
    """The key of a site that imported pages belong to. It is written to the log, for no crawl's settings name it."""
    with archive.transaction():
        archive.warc.facts(address(facts), now, facts.as_json())
        return runs.site(
            archive.db.conn, facts.name, home=facts.home, parser=facts.parser, timezone=facts.timezone, now=now
        )


def site(archive: "Archive", wanted: str | int) -> dict[str, Any]:
    """`name`, `home`, `parser` and `timezone` of a site by its name or key; {} if there is none."""
    column = "name" if isinstance(wanted, str) else "id"
    return next(archive.db.query(f"SELECT name, home, parser, timezone FROM site WHERE {column} = ?", [wanted]), {})
