"""After a power cut SQLite may know less than the WARC files: recovery and catching up give what was there before."""

import json
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from parsers.page import Page
from scraper.ingest import Ingest, catch_up
from scraper.reading import read
from scraper.rebuild import rebuild
from scraper.settings import Settings, SiteSettings
from storage import disk
from storage.archive import Archive
from storage.captures import Warc
from storage.records import Exchange

NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
SITE = SiteSettings(name="example", home="https://example.org/", parser="generic", timezone="UTC")
STORY, FRONT = "https://example.org/2026/02/story", "https://example.org/"
TEXT = (
    "<h1>The pier is open again</h1>" + "<p>The harbour office says the pier stands on rock and is open again.</p>" * 4
)
CARDS = "".join(
    f'<article><h2><a href="/2026/02/{n}">A headline of some words {n}</a></h2></article>' for n in range(4)
)
BODIES = {STORY: f"<article>{TEXT}</article>".encode(), FRONT: f"<main>{CARDS}</main>".encode()}


@dataclass
class Run:
    """A run of the crawl over an archive, an hour after the last thing that happened in it."""

    archive: Archive
    reads: bool = True
    withheld: str | None = None
    hops: Sequence[str] = ()
    at: datetime = field(init=False)

    def __post_init__(self) -> None:
        last = self.archive.db.execute("SELECT max(started) FROM run").fetchone()[0]
        self.at = (datetime.fromisoformat(last) if last else NOW) + timedelta(hours=1)
        settings = {**Settings(sites=(SITE,)).as_json(), "chosen": ["example"], "limits": {"read": self.reads}}
        self.run = self.archive.start_run(now=self.at, version="1", command="crawl", settings=json.dumps(settings))
        self.site = self.archive.db.execute("SELECT id FROM site").fetchone()[0]
        self.ingest = Ingest(self.archive, {self.site: SITE})

    def visit(self, url: str, body: bytes | None = None) -> str:
        """Keep and read a page as the crawl does; gives the outcome."""
        self.at += timedelta(minutes=1)
        kind = "front" if url == FRONT else "story"
        given = f"{url}-moved" if self.hops else url
        page = Page(given, BODIES[url] if body is None else body, url, self.at, 200, (("Content-Type", "text/html"),))
        hops = [self._exchange(hop, b"", "301 Moved") for hop in self.hops]
        known = self.archive.holds(url, page)
        reading = None if known or (kind == "story" and not self.reads) else read(page, kind, "generic", "UTC")
        with self.archive.transaction():
            entry = self.archive.frontier.find(url, site=self.site, kind=kind, now=self.at)
            answers = [*hops, self._exchange(given, page.body)]
            kept = self.archive.keep(page, answers, run=self.run, site=self.site, kind=kind, withheld=self.withheld)
            self.archive.note(self.site, self.at.date(), "tried")
            self.archive.note(self.site, self.at.date(), "got")
            return self.ingest.page(entry, kept, page, reading)

    def _exchange(self, url: str, body: bytes, status: str = "200 OK") -> Exchange:
        head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\n\r\n".encode()
        return Exchange(url, self.at, b"GET / HTTP/1.1\r\n\r\n", head, body)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Archive.create(tmp_path / "archive").close()
    return tmp_path / "archive"


@contextmanager
def lost(folder: Path) -> Iterator[None]:
    """What SQLite commits meanwhile is gone afterwards, as if a power cut had taken its write-ahead log."""
    before = (folder / "archive.db").read_bytes()
    yield
    for path in folder.glob("archive.db-*"):
        path.unlink()
    (folder / "archive.db").write_bytes(before)


def recover(folder: Path) -> list[str]:
    with Archive.open(folder, write=True) as archive:
        row = archive.db.execute("SELECT id FROM site").fetchone()
        catch_up(Ingest(archive, {row[0]: SITE}) if row else Ingest(archive, {}))
        return archive.recovered


def tables(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table of content."""
    db = sqlite3.connect(f"file:{folder / 'archive.db'}?mode=ro", uri=True)
    names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    skipped = ("frontier", "host", "text_fts", "sqlite_", "_")
    found = {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in names if not name.startswith(skipped)}
    db.close()
    return found


def same_as_before(folder: Path, before: dict[str, list[tuple[object, ...]]]) -> None:
    """The recovered archive is what it was, and is what its WARC files say."""
    recover(folder)
    assert tables(folder) == before
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    assert rebuild(copy, Settings()).said == []
    assert tables(copy) == before


def test_everything_is_lost_but_the_files(folder: Path) -> None:
    with lost(folder):
        with Archive.open(folder, write=True) as archive:
            run = Run(archive)
            assert [run.visit(STORY), run.visit(FRONT)] == ["new", "front"]
        before = tables(folder)
    assert (len(before["reading"]), len(before["placement"])) == (1, 4)
    same_as_before(folder, before)


def test_what_was_seen_again_stood_until_then(folder: Path) -> None:
    with Archive.open(folder, write=True) as archive:
        run = Run(archive)
        assert [run.visit(STORY), run.visit(FRONT)] == ["new", "front"]
    with lost(folder):
        with Archive.open(folder, write=True) as archive:
            run = Run(archive)
            assert [run.visit(STORY), run.visit(FRONT)] == ["unchanged", "unchanged"]
        before = tables(folder)
    assert before["article"][0][4] > before["article"][0][3]
    assert {row[4] for row in before["placement"]} == {4}
    same_as_before(folder, before)


def test_what_was_found_and_seen_again_stood_until_then(folder: Path) -> None:
    with lost(folder):
        with Archive.open(folder, write=True) as archive:
            run = Run(archive)
            assert [run.visit(url) for url in (STORY, FRONT, STORY, FRONT)] == [
                "new",
                "front",
                "unchanged",
                "unchanged",
            ]
        before = tables(folder)
    same_as_before(folder, before)


def test_a_card_was_last_seen_when_it_was_and_not_when_it_was_caught_up(folder: Path) -> None:
    section = "https://example.org/section/"
    BODIES[section] = BODIES[FRONT] + b"<p>A section"
    with Archive.open(folder, write=True) as archive:
        assert Run(archive).visit(FRONT) == "front"
    with lost(folder):
        with Archive.open(folder, write=True) as archive:
            run = Run(archive)
            run.visit(section, BODIES[section])
            assert run.visit(FRONT) == "unchanged"
        before = tables(folder)
    same_as_before(folder, before)


def test_a_page_kept_for_later_and_read_at_its_next_visit(folder: Path) -> None:
    with Archive.open(folder, write=True) as archive:
        assert Run(archive, reads=False).visit(STORY) == "unread"
    with lost(folder):
        with Archive.open(folder, write=True) as archive:
            assert Run(archive).visit(STORY) == "new"
        before = tables(folder)
    assert before["article"][0][4] == before["visit"][1][3]
    same_as_before(folder, before)


def test_a_page_kept_for_later_stays_so(folder: Path) -> None:
    with lost(folder):
        with Archive.open(folder, write=True) as archive:
            assert Run(archive, reads=False).visit(STORY) == "unread"
        before = tables(folder)
    assert before["article"] == []
    same_as_before(folder, before)


def test_a_page_that_opts_out_and_comes_again(folder: Path) -> None:
    with lost(folder):
        with Archive.open(folder, write=True) as archive:
            run = Run(archive, reads=False, withheld="noarchive")
            assert run.visit(STORY) == "unread"
            run.withheld = None
            assert run.visit(STORY) == "unchanged"
        before = tables(folder)
    same_as_before(folder, before)


def test_bytes_of_a_killed_process_are_durable_before_a_new_database_points_to_them(folder: Path) -> None:
    with Archive.open(folder, write=True) as archive:
        Run(archive).visit(STORY)
    path = Warc(folder / "warc").files()[-1]
    synced: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disk, "sync", lambda path: synced.append(path.name))
        rebuild(folder, Settings())
    assert synced == [path.name, "warc", "archive.db.new", "archive", "archive"]


def test_a_page_that_can_no_longer_be_read_stops_no_crawl(folder: Path) -> None:
    with lost(folder), Archive.open(folder, write=True) as archive:
        run = Run(archive)
        run.visit(STORY)
        run.visit(FRONT)
    Archive.open(folder, write=True).close()
    with Archive.open(folder) as archive:
        file, offset, length = archive.db.execute("SELECT file, offset, length FROM capture WHERE id = 1").fetchone()
    data = bytearray((folder / "warc" / file).read_bytes())
    data[offset + length // 2] ^= 0x10
    (folder / "warc" / file).write_bytes(data)
    recover(folder)
    after = tables(folder)
    assert [row[11] for row in after["capture"]] == [None, "front"]


def test_the_sites_of_a_run_are_there_with_it(folder: Path) -> None:
    with Archive.open(folder, write=True) as archive:
        Run(archive)
    with lost(folder):
        with Archive.open(folder, write=True) as archive:
            archive.site_id("example", home="https://example.org/", parser="generic", timezone="UTC", now=NOW)
            Run(archive).visit(STORY)
        before = tables(folder)
    assert len(before["site"]) == 1
    same_as_before(folder, before)


def cut_in_the_middle(folder: Path, url: str) -> int:
    """Cut the newest file behind the facts and redirects of a page, in front of its answer; the bytes that are torn then."""
    path = Warc(folder / "warc").files()[-1]
    records = list(Warc(folder / "warc").records(path))
    begin = next(r.place.offset for r in records if r.facts is not None and r.facts.get("asked") == url)
    end = next(r.place.offset for r in records if r.kind == "response" and r.status == 200 and r.place.offset > begin)
    path.write_bytes(path.read_bytes()[:end])
    return end - begin


def test_facts_whose_answer_was_torn_off_never_get_the_next_answer(folder: Path) -> None:
    moved = "https://example.org/2026/02/moved"
    BODIES[moved] = BODIES[STORY]
    with Archive.open(folder, write=True) as archive:
        Run(archive).visit(STORY)
    with lost(folder), Archive.open(folder, write=True) as archive:
        Run(archive, hops=[moved]).visit(moved)
    torn = cut_in_the_middle(folder, moved)
    assert torn > 500
    with lost(folder):
        with Archive.open(folder, write=True) as archive:
            assert archive.recovered[0].endswith(f"cut {torn} bytes of a record that was never finished")
            # A plain revisit has no facts of its own: it would be taken for what the torn facts announce.
            assert Run(archive).visit(STORY) == "unchanged"
        before = tables(folder)
    assert [row[1] for row in before["visit"]] == [1, 1]
    same_as_before(folder, before)


def test_a_rebuild_has_a_torn_end_cut(folder: Path) -> None:
    with Archive.open(folder, write=True) as archive:
        run = Run(archive)
        assert [run.visit(FRONT), run.visit(STORY)] == ["front", "new"]
    path = Warc(folder / "warc").files()[-1]
    path.write_bytes(path.read_bytes()[:-40] + b"torn")
    torn = cut_in_the_middle(folder, STORY)
    size = path.stat().st_size
    done = rebuild(folder, Settings())
    assert (done.pages, done.articles) == (1, 0)
    assert path.stat().st_size == size - torn
    with Archive.open(folder, write=True) as archive:
        assert Run(archive).visit(STORY) == "new"
    before = tables(folder)
    same_as_before(folder, before)


def test_facts_never_get_the_answer_that_follows_damage(folder: Path) -> None:
    other = "https://example.org/2026/02/other"
    with Archive.open(folder, write=True) as archive:
        run = Run(archive)
        run.visit(other, BODIES[STORY])
        run.visit(STORY)
        run.visit(other, BODIES[STORY])
    path = Warc(folder / "warc").files()[-1]
    answers = [r.place for r in Warc(folder / "warc").records(path) if r.kind == "response"]
    data = bytearray(path.read_bytes())
    data[answers[1].offset + answers[1].length // 2] ^= 0x10
    path.write_bytes(data)
    done = rebuild(folder, Settings())
    assert len(done.said) == 1
    after = tables(folder)
    assert [row[4] for row in after["capture"]] == [other]
    assert [row[1] for row in after["visit"]] == [1, 1]
