"""What tests of takedowns share: what a story says, and what must hold of an archive afterwards."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

from parsers.quotes.sentences import paragraphs, sentences
from scraper.takedown import take_down
from storage import takedown
from storage.archive import Archive
from storage.captures import Warc
from storage.takedown import Plan

AT = "2026-11-30T12:00:00Z"
_OF = "JOIN revision v ON v.id = r.revision_id JOIN article a ON a.id = v.article_id WHERE a.url = ?"


def down(folder: Path, *urls: str, people: tuple[str, ...] = ()) -> Plan:
    """Take stories or people down, for good."""
    with Archive.open(folder, write=True) as archive:
        plan = takedown.plan(archive, urls, people)
        assert take_down(archive, plan, at=AT, reason="for a test", decided_by="tests")
    return plan


def says(folder: Path, url: str) -> set[str]:
    """Everything that a story says and that is said of it: titles, teasers, every sentence, caption and quote; its addresses."""
    db = sqlite3.connect(f"file:{folder / 'archive.db'}?mode=ro", uri=True)
    said: set[str] = set()
    for title, teaser, description, body, captions in db.execute(
        f"SELECT r.title, r.teaser, r.description, r.body, r.captions FROM reading r {_OF}", (url,)
    ):
        said |= {title, teaser, description, *json.loads(captions)}
        said |= {body[one.start : one.end] for one in sentences(body, paragraphs(body))}
    said |= {
        text
        for (text,) in db.execute(f"SELECT q.text FROM quote q JOIN reading r ON r.id = q.reading_id {_OF}", (url,))
    }
    for row in db.execute("SELECT title, teaser FROM card WHERE url = ?", (url,)):
        said |= set(row)
    rows = db.execute("SELECT l.url FROM alias l JOIN article a ON a.id = l.article_id WHERE a.url = ?", (url,))
    said |= {url, *(row[0] for row in rows)}
    db.close()
    return {text for text in said if len(text) >= 24 and len(text.replace("-", " ").split()) >= 4}


def assert_sound(folder: Path) -> None:
    """Nothing waits to be recovered, every row has its bytes, database and full text are whole, `warcio check` is content."""
    with Archive.open(folder, write=True) as archive:
        assert archive.recovered == []
        assert not takedown.pending(archive.db.conn)
        assert archive.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert archive.db.execute("PRAGMA foreign_key_check").fetchall() == []
        archive.db.execute("INSERT INTO text_fts (text_fts, rank) VALUES ('integrity-check', 1)")
        for (capture,) in archive.db.execute("SELECT id FROM capture WHERE withheld IS NULL").fetchall():
            archive.page(capture)
        assert archive.db.execute("SELECT count(*) FROM capture WHERE verdict IS NULL").fetchone()[0] == 0
        files = archive.warc.files()
        sizes = {path.name: path.stat().st_size for path in files}
        assert dict(archive.db.execute("SELECT file, indexed FROM warc").fetchall()) == sizes
    assert sorted(files) == sorted((folder / "warc").iterdir())
    warcio = Path(sys.executable).with_name("warcio")
    done = subprocess.run([str(warcio), "check", *map(str, files)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def records(folder: Path) -> list[tuple[str, str, bytes]]:
    """Kind, address and payload of every record, in order."""
    warc = Warc(folder / "warc")
    return [(one.kind, one.url, one.payload) for path in warc.files() for one in warc.records(path)]
