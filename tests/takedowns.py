"""What tests of takedowns share: what a story says, and what must hold of an archive afterwards."""

import gzip
import json
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from search import content

from parsers.page import Page
from parsers.quotes.sentences import paragraphs, sentences
from scraper.ingest import Ingest
from scraper.reading import read
from scraper.rebuild import rebuild
from scraper.settings import FILE, SiteSettings, load
from scraper.takedown import take_down
from storage import takedown
from storage.archive import Archive
from storage.captures import Warc
from storage.records import Exchange
from storage.takedown import Plan

AT = "2026-11-30T12:00:00Z"
OWLS = "https://example.org/2026/11/the-owls-of-gochang-learn-to-wait/"
HERONS = "https://example.org/2026/11/herons-return-to-the-dye-works-pond/"
CRANES = "https://example.org/2026/11/cranes-that-skip-the-south-in-winter/"
TITLE = "The Owls of Gochang Learn to Wait"
TEASER = "Seven winters of counting show how patience feeds a colony of birds."
TEXT = (
    "Nobody in Gochang remembers when the owls began to wait for the night train before they hunt along the dam.",
    "Counting them takes three people, two thermos flasks and a tolerance for cold feet, says the warden of the reserve.",
    "The train scares mice out of the ballast, and the mice run where the grass has been cut, straight into the open.",
    "This year the railway company moved the night train to another hour, and within a week the owls had moved as well.",
)
OTHER = (
    "Herons came back to the pond behind the dye works after the last vat was drained and the water cleared in spring.",
    "Children from the school next door keep a list of arrivals on a blackboard that the caretaker guards with his life.",
    "The mayor wants a fence, the fishing club wants a key to it, and the herons have so far not been asked by anyone.",
)
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


NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
SITE = SiteSettings(name="example", home="https://example.org/")


class Paper:
    """A small paper whose pages are put into an archive as a crawl would put them."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.now = NOW
        settings = json.dumps({"sites": [asdict(SITE)], "chosen": ["example"]})
        self.run = archive.start_run(now=NOW, version="1", command="crawl", settings=settings)
        self.site = archive.site_id("example", home=SITE.home, parser=None, timezone=None, now=NOW)
        self.ingest = Ingest(archive, {self.site: SITE})

    def put(
        self,
        url: str,
        text: str,
        *,
        kind: str = "story",
        coding: str = "",
        charset: str = "utf-8",
        hop: str = "",
        later: bool = False,
    ) -> str:
        """Keep a page that came, and what it says; gives the outcome's word. `hop`: an address that was redirected here.

        `later`: it is not read.
        """
        self.now += timedelta(minutes=1)
        body = text.encode(charset)
        wire = {
            "": body,
            "gzip": gzip.compress(body, mtime=0),
            "deflate": zlib.compress(body),
            "br": body,
            "x-own": body,
        }[coding]
        coded = f"Content-Encoding: {coding}\r\n" if coding else ""
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset={charset}\r\n{coded}\r\n".encode()
        asked = hop or url
        page = Page(url, body, asked, self.now, 200, (("Content-Type", f"text/html; charset={charset}"),))
        moved = Exchange(
            asked, self.now, b"GET / HTTP/1.1\r\n\r\n", f"HTTP/1.1 301 Moved\r\nLocation: {url}\r\n\r\n".encode(), b""
        )
        answer = Exchange(url, self.now, b"GET / HTTP/1.1\r\n\r\n", head, wire)
        reading = read(page, kind, None, None)
        with self.archive.transaction():
            entry = self.archive.frontier.find(asked, site=self.site, kind=kind, now=self.now)
            kept = self.archive.keep(
                page, [moved, answer] if hop else [answer], run=self.run, site=self.site, kind=kind
            )
            self.archive.note(self.site, self.now.date(), "tried")
            self.archive.note(self.site, self.now.date(), "got")
            return self.ingest.page(entry, kept, page, None if kept.read or later else reading)


def story(title: str, *paragraphs: str, teaser: str = "", canonical: str = "", related: str = "") -> str:
    """A story's page as any paper might write it."""
    link = f'<link rel="canonical" href="{canonical}">' if canonical else ""
    body = "".join(f"<p>{text}</p>" for text in paragraphs)
    return (
        f'<!DOCTYPE html><html lang="en"><head><title>{title}</title>{link}<meta name="description" content="{teaser}">'
        f'<meta property="og:type" content="article"></head><body><article><h1>{title}</h1>{body}</article>'
        f"<aside>{related}</aside></body></html>"
    )


def front(*cards: tuple[str, str, str]) -> str:
    """A front: address, title and teaser of each story."""
    shown = "".join(f'<div><h2><a href="{url}">{title}</a></h2><p>{teaser}</p></div>' for url, title, teaser in cards)
    return f"<!DOCTYPE html><html><head><title>The Paper</title></head><body><main>{shown}</main></body></html>"


@contextmanager
def printed(folder: Path) -> Iterator[Paper]:
    """A new archive that a paper is put into."""
    with Archive.create(folder) as archive:
        (folder / FILE).write_text(
            '[crawl]\ncontact = "a@example.org"\n\n[site.example]\nhome = "https://example.org/"\n'
        )
        yield Paper(archive)


def close(paper: Paper) -> Path:
    """End the run and close the archive; gives its folder."""
    paper.archive.end_run(paper.run, now=paper.now, state="done", counts={}, errors=0)
    paper.archive.close()
    return paper.archive.path


def assert_same_after_rebuild(folder: Path) -> None:
    """What is made anew from the WARC files is what is there."""
    before = content(folder)
    rebuild(folder, load(folder, environ={}))
    after = content(folder)
    for table, rows in before.items():
        assert after[table] == rows, table


def bodies(folder: Path) -> dict[str, str]:
    """Address to body of every article."""
    with Archive.open(folder) as archive:
        return dict(archive.db.execute("SELECT url, body FROM articles").fetchall())


def ask_everything_again(folder: Path) -> None:
    """Forget the validators, so that every page comes again, unchanged or not."""
    db = sqlite3.connect(folder / "archive.db")
    with db:
        db.execute("UPDATE frontier SET etag = NULL, last_modified = NULL")
    db.close()
