"""What a killed run or a power cut left: a torn record at the end of a WARC file, events that SQLite does not know yet."""

from pathlib import Path
from typing import TYPE_CHECKING

from storage.replay import Replay, end

if TYPE_CHECKING:
    from storage.archive import Archive


def behind(archive: "Archive") -> list[tuple[Path, int]]:
    """The WARC files that are longer than SQLite knows, and how much of each it knows."""
    indexed = dict(archive.db.execute("SELECT file, indexed FROM warc").fetchall())
    known = [(path, indexed.get(path.name, 0)) for path in archive.warc.files()]
    return [(path, end) for path, end in known if path.stat().st_size > end]


def recover(archive: "Archive") -> list[str]:
    """Cut torn tails and index what lies behind the last recorded offset of each WARC file; says what was done.

    Pages that were fetched but not read are captures without a verdict afterwards; `scraper.ingest.catch_up` reads them.
    """
    said: list[str] = []
    run = archive.db.execute("SELECT max(id) FROM run").fetchone()[0]
    replay = Replay(archive, run)
    for path, known in behind(archive):
        with archive.transaction():
            pages, last = 0, None
            for event, applied in replay.file(path, known):
                pages += applied is not None
                last = event
            cut = archive.warc.cut(path, end(path, last, known))
            archive.indexed(path, path.stat().st_size)
        if cut:
            said.append(f"{path.name}: cut {cut} bytes of a record that was never finished")
        if pages:
            said.append(f"{path.name}: indexed {pages} responses that were fetched but not yet recorded")
    return said
