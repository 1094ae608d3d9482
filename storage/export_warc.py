"""WARC files with the records of chosen captures: gzip members copied byte for byte, a group at a time.

A group is what one visit added: its answer (response, revisit, resource or metadata), the request after it, and before it
redirects with their requests and our own facts. SQLite knows the answer's place; the rest lies between two answers.
"""

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from parsers.errors import ArchiveDamaged
from parsers.version import __version__
from storage import records
from storage.facts import PageFacts
from storage.records import OURS, members
from storage.timing import stamp


class _Member(NamedTuple):
    """One record: what it is, its id, the id it belongs to, and its bytes as they lie in the file."""

    kind: str
    id: str
    about: str
    data: bytes


def files(conn: sqlite3.Connection) -> dict[str, int]:
    """WARC files that hold chosen captures, with the number of answers to copy. `storage.export_choice` has chosen."""
    return dict(conn.execute("SELECT file, count(*) FROM temp.visit GROUP BY file ORDER BY file").fetchall())


def copy(conn: sqlite3.Connection, source: Path, target: Path, *, now: datetime) -> Iterator[tuple[int, int]]:
    """Copy the groups of one file, a `warcinfo` record first; gives the old and new offset of each answer.

    Raises ArchiveDamaged naming file and offset.
    """
    places = conn.execute(
        "WITH place AS (SELECT offset, max(id IN (SELECT id FROM temp.visit)) AS wanted, "
        "lag(offset + length, 1, 0) OVER (ORDER BY offset) AS begin FROM main.visit WHERE file = ?1 GROUP BY offset, length) "
        "SELECT begin, offset FROM place WHERE wanted ORDER BY offset",
        (source.name,),
    )
    with target.open("xb") as file:
        writer = records.Writer(file)
        about = {
            "software": f"newsmorgue/{__version__}",
            "format": "WARC File Format 1.1",
            "description": f"records copied from {source.name}",
        }
        record = writer.create_warcinfo_record(target.name, about)
        record.rec_headers.replace_header("WARC-Date", stamp(now))
        writer.write_record(record)
        for begin, offset in places:
            for member, is_answer in _group(source, begin, offset):
                if is_answer:
                    yield offset, file.tell()
                file.write(member.data)


def _group(path: Path, begin: int, offset: int) -> Iterator[tuple[_Member, bool]]:
    """The members of the group whose answer lies at `offset`; `begin` is where the answer before it ends."""
    kept: list[_Member] = []
    answer: _Member | None = None
    for member, first in _members(path, begin):
        if answer is not None:
            if member.kind == "request" and member.about == answer.id:
                kept.append(member)
            break
        if first == offset:
            answer = member
            kept.append(member)
        elif member.kind in ("request", "redirect", "metadata"):
            kept.append(member)
        elif member.kind == "page":
            kept = [member]
        elif member.kind != "event":  # a response that no row knows: nothing up to here belongs to our answer
            kept.clear()
    if answer is None:
        raise ArchiveDamaged(
            f"{path}: the record at offset {offset} cannot be read",
            cause="the file is cut, damaged or not what the archive's rows say",
            next="newsmorgue verify",
        )
    named = {name for member in kept if member.kind != "request" for name in (member.id, member.about)} - {""}
    for member in kept:
        if member.kind != "request" or {member.id, member.about} & named:
            yield member, member is answer


def _kind(record: Any) -> str:
    """The record's type, but for redirects and our own facts: those of a page, and those of runs and failures."""
    http = record.http_headers
    if record.rec_type == "response" and http is not None and http.get_statuscode()[:1] == "3":
        return "redirect"
    if record.rec_type == "metadata" and (text := record.content_stream().read()).startswith(OURS):
        return "page" if json.loads(text[len(OURS) :]).get("event") == PageFacts.event else "event"
    return str(record.rec_type)


def _members(path: Path, begin: int) -> Iterator[tuple[_Member, int]]:
    """Records from an offset on, and where they begin; ends before one that is none."""
    try:
        with path.open("rb") as file:
            for first, end in members(path, begin):
                file.seek(first)
                data = file.read(end - first)
                record = next(iter(ArchiveIterator(BytesIO(data))), None)
                if record is None:
                    return
                headers = record.rec_headers
                yield (
                    _Member(
                        _kind(record),
                        headers.get_header("WARC-Record-ID") or "",
                        headers.get_header("WARC-Concurrent-To") or "",
                        data,
                    ),
                    first,
                )
    except ArchiveLoadFailed:
        return
    except FileNotFoundError as error:
        raise ArchiveDamaged(f"{path} is missing", next="restore it from a backup") from error
