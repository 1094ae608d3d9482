"""What a killed run or a power cut left: a torn record at the end of a WARC file, events that SQLite does not know yet."""

from typing import TYPE_CHECKING

from storage import takedown
from storage.records import stretches
from storage.replay import Replay, end, readable

if TYPE_CHECKING:
    from storage.archive import Archive


def recover(archive: "Archive") -> list[str]:
    """Cut torn tails and index what lies behind the last recorded offset of each WARC file; says what was done.

    A takedown that was interrupted is finished or undone first; one that the sidecar alone knows is carried out last. Pages
    that were fetched but not read are captures without a verdict afterwards; `scraper.ingest.catch_up` reads them.
    """
    said = takedown.settle(archive)
    archive.heed()
    indexed = dict(archive.db.execute("SELECT file, indexed FROM warc").fetchall())
    run = archive.db.execute("SELECT max(id) FROM run").fetchone()[0]
    replay = Replay(archive, run)
    strays = takedown.unindexed(archive)
    for path in archive.warc.files():
        if path in strays:
            continue
        size = path.stat().st_size
        begun, pointed = archive.db.execute(
            "SELECT max(offset), max(offset + length) FROM visit WHERE file = ? AND offset + length <= ?",
            (path.name, size),
        ).fetchone()
        known = max(indexed.get(path.name, 0), pointed or 0)
        if size <= known:
            continue
        if known and known not in (behind for _, behind, _ in stretches(path, begun or 0)):
            said.append(f"{path.name}: no record ends at {known}, up to which it is indexed; next: newsmorgue verify")
            continue
        with archive.transaction():
            cut = archive.warc.cut(path, archive.warc.whole(path, known))
            pages, last = 0, None
            for event in readable(archive.warc, path, said, known):
                pages += replay.apply(event) is not None
                last = event
            cut += archive.warc.cut(path, end(archive.warc, path, last, known))
            archive.indexed(path, path.stat().st_size)
        if cut:
            said.append(f"{path.name}: cut {cut} bytes of a record that was never finished")
        if pages:
            said.append(f"{path.name}: indexed {pages} responses that were fetched but not yet recorded")
    return said + (takedown.catch_up(archive) if archive.tombstones else [])
