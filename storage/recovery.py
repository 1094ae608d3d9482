"""What a killed run or a power cut left: a torn record at the end of a WARC file, events that SQLite does not know yet."""

from typing import TYPE_CHECKING

from storage import takedown, tombstones
from storage.replay import Replay

if TYPE_CHECKING:
    from storage.archive import Archive


def recover(archive: "Archive") -> list[str]:
    """Cut torn tails and index what lies behind the last recorded offset of each WARC file; says what was done.

    A takedown that was interrupted is finished or undone first. Pages that were fetched but not read are captures without
    a verdict afterwards; `scraper.ingest.catch_up` reads them.
    """
    said = takedown.settle(archive)
    archive.heed()
    if archive.tombstones:
        with archive.transaction():
            tombstones.add(archive.db.conn, archive.tombstones)
        tombstones.write(archive.db.conn, archive.path)
    indexed = dict(archive.db.execute("SELECT file, indexed FROM warc").fetchall())
    run = archive.db.execute("SELECT max(id) FROM run").fetchone()[0]
    replay = Replay(archive, run)
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
