"""What a killed run left: a torn record at the end of a WARC file, responses that SQLite does not know yet."""

import sqlite3

from parsers.url import host, try_canonical
from storage.captures import Stored, Warc
from storage.keeping import decoded, digest, payload_digest
from storage.timing import stamp


def recover(conn: sqlite3.Connection, warc: Warc) -> list[str]:
    """Cut torn tails and index what follows the last recorded offset of the newest WARC file; says what was done."""
    said: list[str] = []
    for path in warc.files()[-2:]:
        known = conn.execute("SELECT max(offset + length) FROM visit WHERE file = ?", (path.name,)).fetchone()[0] or 0
        cut = warc.cut_tail(path, known)
        if cut:
            said.append(f"{path.name}: cut {cut} bytes of a record that was never finished")
        found = [stored for stored in warc.records(path, known) if stored.kind == "response" and not _redirect(stored)]
        if not found:
            continue
        conn.execute("BEGIN IMMEDIATE")
        for stored in found:
            _index(conn, stored)
        conn.execute("COMMIT")
        said.append(f"{path.name}: indexed {len(found)} responses that were fetched but not yet recorded")
    return said


def _redirect(stored: Stored) -> bool:
    return 300 <= stored.status < 400


def _index(conn: sqlite3.Connection, stored: Stored) -> None:
    """A capture without verdict: its page is fetched or read again, and its bytes are not lost."""
    url = try_canonical(stored.url) or stored.url
    queued = conn.execute("SELECT site_id, kind FROM frontier WHERE url = ?", (url,)).fetchone()
    if queued is None:
        row = conn.execute("SELECT id FROM site WHERE instr(home, ?) > 0 LIMIT 1", (host(url),)).fetchone()
        queued = (row[0] if row else None, "robots" if url.endswith("/robots.txt") else "story")
    header = {name.lower(): value for name, value in stored.headers}
    body = decoded(stored.payload, header.get("content-encoding", ""))
    run = conn.execute("SELECT max(id) FROM run").fetchone()[0]
    place = stored.place
    cursor = conn.execute(
        "INSERT INTO capture (site_id, run_id, kind, asked, url, at, status, content_type, size, digest, payload_digest, file, offset, "
        "length) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            queued[0], run, queued[1], url, url, stamp(stored.at), stored.status,
            header.get("content-type", "").split(";")[0].strip().lower() or None, len(stored.payload), digest(body),
            payload_digest(stored.payload), place.file, place.offset, place.length,
        ),
    )  # fmt: skip
    conn.execute(
        "INSERT INTO visit (capture_id, run_id, at, status, file, offset, length) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (cursor.lastrowid, run, stamp(stored.at), stored.status, place.file, place.offset, place.length),
    )
