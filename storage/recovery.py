"""What a killed run or a power cut left: a torn record at the end of a WARC file, events that SQLite does not know yet."""

from typing import TYPE_CHECKING

from parsers.url import host, try_canonical
from storage.facts import PageFacts
from storage.records import Stored
from storage.replay import Replay

if TYPE_CHECKING:
    from storage.archive import Archive


def recover(archive: "Archive") -> list[str]:
    """Cut torn tails and index what lies behind the last recorded offset of each WARC file; says what was done.

    Pages that were fetched but not read are captures without a verdict afterwards; `scraper.ingest.catch_up` reads them.
    """
    said: list[str] = []
    indexed = dict(archive.db.execute("SELECT file, indexed FROM warc").fetchall())
    run = archive.db.execute("SELECT max(id) FROM run").fetchone()[0]
    replay = Replay(archive, lambda answer: guess(archive, answer, run), run)
    for path in archive.warc.files():
        known = indexed.get(path.name, 0)
        if path.stat().st_size <= known:
            continue
        cut = archive.warc.cut_tail(path, known)
        if cut:
            said.append(f"{path.name}: cut {cut} bytes of a record that was never finished")
        with archive.transaction():
            pages = sum(applied is not None for _, applied in replay.file(path, known))
            archive.db.execute(
                "INSERT INTO warc VALUES (?, ?) ON CONFLICT DO UPDATE SET indexed = excluded.indexed",
                (path.name, path.stat().st_size),
            )
        if pages:
            said.append(f"{path.name}: indexed {pages} responses that were fetched but not yet recorded")
    return said


def guess(archive: "Archive", answer: Stored, run: int | None) -> PageFacts:
    """Facts of an answer that the first edition wrote, which wrote none: by the queue, else by the hosts of the sites."""
    asked = try_canonical(answer.url) or answer.url
    row = archive.db.execute(
        "SELECT f.kind, s.name FROM frontier f JOIN site s ON s.id = f.site_id WHERE f.url = ?", (asked,)
    ).fetchone()
    if row is None:
        site = archive.db.execute("SELECT name FROM site WHERE instr(home, ?) > 0 LIMIT 1", (host(asked),)).fetchone()
        row = ("robots" if asked.endswith("/robots.txt") else "story", site[0] if site else None)
    return PageFacts(asked, row[0], run, row[1])
