"""The archive made anew from its WARC files: the same, row for row."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from conftest import Silent, settings_for
from test_crawl import NOW, PROSE, STORY, front, html, visit

from scraper.cli.main import run as newsmorgue
from scraper.clock import Clock
from scraper.crawl import Limits
from scraper.fetch import rules
from scraper.imports import Inputs
from scraper.imports import run as run_import
from scraper.portal.server import Portal
from scraper.rebuild import rebuild
from scraper.runs import crawl as run_crawl
from scraper.settings import FILE, load
from storage.archive import Archive
from storage.captures import Warc
from storage.records import members
from tests.servers import Server, answer, moved, reset_after

SKIPPED = ("frontier", "host", "text_fts", "sqlite_", "_")
QUEUE = (
    "SELECT f.url, f.kind, s.name, f.priority, f.state, f.failures, f.checks, f.status, f.outcome, f.etag, f.last_modified, "
    "f.found_on, f.last_fetched FROM frontier f JOIN site s ON s.id = f.site_id ORDER BY f.url"
)
KILLED = """
import sys, time
from pathlib import Path
from scraper.rebuild import rebuild
from scraper.settings import load

def wait(path, pages):
    print(pages, flush=True)
    time.sleep(60)

rebuild(Path(sys.argv[1]), load(Path(sys.argv[1]), environ={}), progress=wait)
"""


def tables(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table of content."""
    db = sqlite3.connect(f"file:{folder / 'archive.db'}?mode=ro", uri=True)
    names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in names if not name.startswith(SKIPPED)}
    db.close()
    return found


def rows(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    db = sqlite3.connect(f"file:{folder / 'archive.db'}?mode=ro", uri=True)
    found = db.execute(sql).fetchall()
    db.close()
    return found


def anew(folder: Path) -> list[str]:
    """Rebuild an archive; what could not be used."""
    return rebuild(folder, load(folder, environ={})).said


def assert_same(before: dict[str, list[tuple[object, ...]]], folder: Path) -> None:
    after = tables(folder)
    assert list(after) == list(before)
    for name, kept in before.items():
        assert after[name] == kept, name


def test_the_same_archive_row_for_row(copy: Path) -> None:
    before = tables(copy)
    assert len(before["article"]) > 40
    done = rebuild(copy, load(copy, environ={}))
    assert (done.said, done.articles) == ([], len(before["article"]))
    assert_same(before, copy)


@pytest.mark.parametrize("harm", ["missing", "garbage", "cut"])
def test_without_a_database_or_with_a_damaged_one(copy: Path, harm: str) -> None:
    before = tables(copy)
    database = copy / "archive.db"
    if harm == "missing":
        database.unlink()
    else:
        database.write_bytes(b"garbage" * 5000 if harm == "garbage" else database.read_bytes()[:5000])
    assert newsmorgue(["rebuild", "--archive", str(copy)]) == 0
    assert_same(before, copy)
    assert not list(copy.glob("archive.db.new*"))


# -- whatever happens in a crawl ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def eventful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of a site where all sorts of things happen, in four runs."""
    folder = tmp_path_factory.mktemp("eventful") / "archive"
    names = ("plain", "etag", "noarchive", "robots", "moved", "gone", "broken", "reset", "busy", "closed")
    with Server() as server, Server() as other:
        at = server.at
        at["/robots.txt"] = answer(b"User-agent: *\nDisallow: /closed\n", headers={"Content-Type": "text/plain"})
        at["/"] = answer(front("/closed/2026/03/10/a-story-that-is-forbidden/", *map(STORY.format, names)))
        at[STORY.format("plain")] = [answer(html(title, f"{PROSE}<p>{title}</p>")) for title in ("Boats lost", "Found")]
        at[STORY.format("etag")] = [answer(html("Tide"), headers={"ETag": '"1"'}), answer(status=304)]
        for name in ("noarchive", "robots"):
            at[STORY.format(name)] = answer(html(f"A page with {name}"), headers={"X-Robots-Tag": "noarchive"})
        at[STORY.format("moved")] = moved(STORY.format("plain") + "?again=1")
        at[STORY.format("plain") + "?again=1"] = answer(html("Boats moved"))
        at[STORY.format("gone")] = answer(html("Gone"), status=410)
        at[STORY.format("broken")] = answer(b"", status=500)
        at[STORY.format("reset")] = reset_after(b"HTTP/1.1 200 OK\r\nContent-Le")
        visit(server, folder)
        at["/"] = answer(front(*map(STORY.format, names), STORY.format("later")))
        at[STORY.format("later")] = answer(html("Later"))
        visit(server, folder, Limits(wait=0.0, read=False), now=NOW + timedelta(hours=1))
        visit(server, folder, Limits(wait=0.0, recheck=True), now=NOW + timedelta(hours=3))
        at["/"] = answer(front(*map(STORY.format, names), STORY.format("last"), STORY.format("least")))
        for name in ("last", "least"):
            at[STORY.format(name)] = answer(b"", status=429, headers={"Retry-After": "600"})
        visit(server, folder, now=NOW + timedelta(hours=9))
        other.at["/"] = answer()
    return folder


def test_everything_that_happens_in_a_crawl(eventful: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(eventful, tmp_path / "copy")
    before, queue = tables(folder), rows(folder, QUEUE)
    held = "SELECT name, held_until, held_for FROM host"
    hosts = rows(folder, held)
    verdicts = {row[0] for row in rows(folder, "SELECT verdict FROM capture")}
    assert {"article", "front", "gone", "error"} <= verdicts
    assert rows(folder, "SELECT count(*) FROM capture WHERE withheld = 'noarchive' AND title <> ''") == [(2,)]
    assert {row[2] for row in before["ledger"]} >= {"listed", "tried", "got", "failed", "dropped"}
    assert rows(folder, "SELECT count(*) FROM visit WHERE status = 304")[0][0] >= 1
    assert rows(folder, "SELECT count(*) FROM capture WHERE asked <> url") == [(1,)]
    assert hosts[0][1] is not None
    assert anew(folder) == []
    assert_same(before, folder)
    assert rows(folder, held) == hosts
    assert rows(folder, QUEUE) == queue


def test_a_run_that_was_killed(tmp_path: Path) -> None:
    """The database of some moment, the WARC file of a later one, and a torn record behind it: then a next crawl."""
    folder, copy = tmp_path / "archive", tmp_path / "copy"

    class Killer(Silent):
        seen = 0

        def fetched(self, site: str, url: str, outcome: str) -> None:
            self.seen += 1
            if self.seen == 30:
                shutil.copytree(folder, copy)
            elif self.seen == 40:
                shutil.copytree(folder / "warc", copy / "warc", dirs_exist_ok=True)

    with Portal() as portal:
        Archive.create(folder).close()
        settings = settings_for(portal, folder)
        limits = Limits(wait=0.0)
        killer = Killer()
        run_crawl(folder, settings, settings.sites, clock=Clock(portal.now), limits=limits, progress=killer)
        (warc,) = Warc(copy / "warc").files()
        warc.write_bytes(warc.read_bytes() + b"\x1f\x8b\x08torn")
        later = Clock(portal.now + timedelta(hours=1))
        done = run_crawl(copy, settings, settings.sites, clock=later, limits=limits, progress=Silent())
    assert [words.split(": ")[1].split(" ")[0] for words in done.recovered] == ["cut", "indexed"]
    assert rows(copy, "SELECT state FROM run ORDER BY id") == [("killed",), ("done",)]
    assert rows(copy, "SELECT count(*) FROM article") == rows(folder, "SELECT count(*) FROM article")
    before = tables(copy)
    assert anew(copy) == []
    assert_same(before, copy)


def test_after_a_rebuild_a_crawl_asks_what_it_would_have_asked(tmp_path: Path) -> None:
    story, other = STORY.format(1), STORY.format(2)
    kept = answer(html("Two boats lost"), headers={"ETag": '"7"', "Last-Modified": "Tue, 10 Mar 2026 08:00:00 GMT"})
    with Server() as server:
        server.at["/"] = [
            answer(front(story), headers={"ETag": '"front"'}),
            answer(status=304),
            answer(front(story, other)),
        ]
        server.at[story] = [kept, answer(status=304)]
        server.at[other] = answer(html("Three boats lost"))
        visit(server, tmp_path)
        assert anew(tmp_path) == []
        visit(server, tmp_path, now=NOW + timedelta(minutes=10))
        assert server.targets == ["/", story, "/"]
        assert server.pages[-1].headers["if-none-match"] == '"front"'
        assert anew(tmp_path) == []
        visit(server, tmp_path, now=NOW + timedelta(hours=2))
        assert server.targets[3:] == ["/", story, other] or server.targets[3:] == ["/", other, story]
        asked = next(request for request in server.pages[3:] if request.target == story)
        assert asked.headers["if-none-match"] == '"7"'
        assert asked.headers["if-modified-since"] == "Tue, 10 Mar 2026 08:00:00 GMT"


# -- damage --------------------------------------------------------------------------------------------------------------


def test_a_torn_tail_is_said_and_the_rest_comes(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = tables(copy)
    (warc,) = Warc(copy / "warc").files()
    size = warc.stat().st_size
    warc.write_bytes(warc.read_bytes() + b"\x1f\x8b\x08torn in the middle")
    assert newsmorgue(["rebuild", "--archive", str(copy), "--json"]) == 4
    said = json.loads(capsys.readouterr().out)
    assert said["unreadable"] == [f"{warc.name}: 21 bytes from offset {size} on are no records"]
    after = tables(copy)
    del before["warc"], after["warc"]
    assert after == before


@pytest.mark.parametrize("harm", [b"\x00" * 300, b"\xff"])
def test_a_damaged_stretch_costs_its_pages_and_no_others(
    copy: Path, harm: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (warc,) = Warc(copy / "warc").files()
    story, offset, length = rows(
        copy,
        "SELECT asked, offset, length FROM capture c WHERE kind = 'story' AND verdict = 'article' AND "  # one text, one address
        "(SELECT count(*) FROM capture x WHERE x.asked = c.asked) = 1 AND "
        "(SELECT count(*) FROM alias l JOIN alias m USING (article_id) WHERE l.url = c.asked) = 1 ORDER BY c.id LIMIT 1 OFFSET 9",
    )[0]
    data = bytearray(warc.read_bytes())
    data[offset + length // 2 : offset + length // 2 + len(harm)] = harm
    warc.write_bytes(data)
    articles = rows(copy, "SELECT url, title FROM articles ORDER BY url")
    assert newsmorgue(["rebuild", "--archive", str(copy), "--json"]) == 4
    (words,) = json.loads(capsys.readouterr().out)["unreadable"]
    assert f"offset {offset}" in words
    assert rows(copy, f"SELECT count(*) FROM capture WHERE asked = '{story}'") == [(0,)]
    assert rows(copy, "SELECT url, title FROM articles ORDER BY url") == [row for row in articles if row[0] != story]
    with Archive.open(copy, write=True) as archive:
        assert archive.recovered == []


def test_a_lost_file_costs_its_pages_and_what_refers_to_them(copy: Path) -> None:
    (warc,) = Warc(copy / "warc").files()
    second = rows(copy, "SELECT min(offset) FROM visit WHERE run_id = 2")[0][0]
    begin = max(end for _, end in members(warc) if end <= second)
    data = warc.read_bytes()
    warc.write_bytes(data[begin:])
    assert anew(copy) == [f"{warc.name}: the beginning of run 2 is lost; read with the settings of today"]
    assert rows(copy, "SELECT count(*) FROM visit v LEFT JOIN capture c ON c.id = v.capture_id WHERE c.id IS NULL") == [
        (0,)
    ]
    assert rows(copy, "SELECT id, command, state FROM run") == [(2, "unknown", "done")]
    assert rows(copy, "SELECT count(*) > 0 FROM articles WHERE site = 'hangang-lantern'") == [(1,)]


def test_killed_in_the_middle_it_leaves_the_old_database(copy: Path) -> None:
    database = copy / "archive.db"
    before, kept = database.read_bytes(), tables(copy)
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(copy)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert int(child.stdout.readline()) > 10
    os.kill(child.pid, signal.SIGKILL)
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL
    assert database.read_bytes() == before
    assert list(copy.glob("archive.db.new*"))
    with Archive.open(copy, write=True) as archive:
        assert archive.recovered == []
    assert anew(copy) == []
    assert_same(kept, copy)
    assert not list(copy.glob("archive.db.new*"))


def test_a_rebuild_that_fails_leaves_the_old_database(copy: Path) -> None:
    before = (copy / "archive.db").read_bytes()

    def fail(path: Path, pages: int) -> None:
        raise RuntimeError("no such luck")

    with pytest.raises(RuntimeError):
        rebuild(copy, load(copy, environ={}), progress=fail)
    assert (copy / "archive.db").read_bytes() == before
    assert not list(copy.glob("archive.db.new*"))


def test_a_dry_run_leaves_the_folder_byte_for_byte(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    visits = rows(copy, "SELECT count(*) FROM visit")[0][0]
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    assert newsmorgue(["rebuild", "--archive", str(copy), "--dry-run", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["dry_run"], said["files"], said["pages"]) == (True, 1, visits)
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before


# -- imported pages ------------------------------------------------------------------------------------------------------


def imported(folder: Path, lines: Iterator[dict[str, str]], beside: Path) -> Path:
    """An archive of what a list names, which is rebuilt and compared."""
    Archive.create(folder).close()
    (folder / FILE).write_text('[crawl]\ncontact = "test@example.org"\n', "utf-8")
    listed = beside / "list.jsonl"
    listed.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    done = run_import(folder, load(folder, environ={}), Inputs(listed=listed), clock=Clock(NOW))
    assert (done.state, dict(done.tally.errors)) == ("done", {})
    before = tables(folder)
    assert anew(folder) == []
    assert_same(before, folder)
    return folder


def test_an_imported_page_whose_facts_are_lost_is_still_no_crawled_one(tmp_path: Path) -> None:
    (tmp_path / "1.html").write_bytes(html("Boats lost"))
    line = {"path": "1.html", "url": "https://sea.example/2019/03/01/boats-lost-in-the-tide/"}
    folder = imported(tmp_path / "archive", iter([line]), tmp_path)
    (warc,) = Warc(folder / "warc").files()
    data, offset = bytearray(warc.read_bytes()), rows(folder, "SELECT offset FROM capture")[0][0]
    data[offset - 40] ^= 0x10
    warc.write_bytes(data)
    (words,) = anew(folder)
    assert "are no records" in words or "cannot be read" in words
    assert rows(folder, "SELECT kind, at_source FROM capture") == [("story", "import")]
    assert rows(folder, "SELECT count(*) FROM ledger") == [(0,)]


@pytest.mark.slow
def test_some_hundred_imported_pages(tmp_path: Path) -> None:
    def lines() -> Iterator[dict[str, str]]:
        for n in range(300):
            said = f"<p>\u201cThe tide took {n % 90} boats,\u201d said Harbor Master Ann Oak {n % 7}, of the port of Lund.</p>"
            name = f"{n}.html"
            (tmp_path / name).write_bytes(html(f"Boats lost: {n % 90}", PROSE + said))
            line = {"path": name, "url": f"https://paper{n % 40}.example/2019/03/01/boats-lost-in-the-tide-{n % 150}/"}
            yield line if n % 3 else {**line, "captured": f"2019-03-{n % 28 + 1:02}T06:00:00Z"}

    folder = imported(tmp_path / "archive", lines(), tmp_path)
    assert rows(folder, "SELECT count(*) > 200, count(DISTINCT site) FROM articles") == [(1, 40)]
    assert rows(folder, "SELECT count(*) > 100 FROM quote") == [(1,)]


@pytest.mark.slow
@pytest.mark.corpora
@pytest.mark.timeout(900)
def test_a_thousand_imported_pages(shared: Path, tmp_path: Path) -> None:
    corpus = shared / "corpora" / "extraction"
    given = (json.loads(line) for path in sorted(corpus.glob("*.jsonl")) for line in path.read_bytes().splitlines())
    lines = (
        {"html_path": str(corpus / line["html_path"]), "url": line["url"], "encoding": line["encoding"]}
        for line in islice(given, 1000)
    )
    folder = imported(tmp_path / "archive", lines, tmp_path)
    assert rows(folder, "SELECT count(*) FROM capture") == [(1000,)]
    assert rows(folder, "SELECT count(*) > 800 FROM article") == [(1,)]


def test_robots_asked_for_again_in_a_long_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """304 to robots.txt is a visit of the rules that stand; here they are asked for before every page."""
    monkeypatch.setattr(rules, "LIFETIME", 0.0)
    with Server() as server:
        tagged = {"ETag": '"1"', "Content-Type": "text/plain"}
        server.at |= {
            "/robots.txt": [
                answer(b"User-agent: *", headers=tagged),
                answer(status="304 Not Modified", headers=tagged),
            ],
            "/": answer(front(STORY.format(1))),
            STORY.format(1): answer(html("Two boats lost")),
        }
        visit(server, tmp_path)
        assert [request.target for request in server.log] == ["/robots.txt", "/", "/robots.txt", STORY.format(1)]
    robots = "SELECT v.status FROM visit v JOIN capture c ON c.id = v.capture_id WHERE c.kind = 'robots' ORDER BY v.id"
    assert rows(tmp_path, robots) == [(200,), (304,)]
    before = tables(tmp_path)
    assert anew(tmp_path) == []
    assert_same(before, tmp_path)


@pytest.mark.parametrize("declared", [False, True])
def test_a_source_belongs_to_the_site_whose_settings_name_it_and_is_what_they_say(
    tmp_path: Path, declared: bool
) -> None:
    """A site gets another name, and an address that was asked for as a story may be a section's."""
    stories, section = [STORY.format(n) for n in range(3)], STORY.format(9)
    with Server() as server:
        server.at.update({story: answer(html(f"Boat {story}", f"<p>{story}</p>{PROSE}")) for story in stories})
        server.at["/"] = [answer(front(stories[0], section)), answer(front(stories[1]))]
        server.at[section] = [answer(html("The harbor")), answer(front(stories[2]))]
        server.at["/robots.txt"] = answer(f"Sitemap: {server.url('/news.xml')}".encode())
        visit(server, tmp_path)
        before = len(server.targets)
        path = tmp_path / FILE
        sources = f'sources = [{{ front = "/" }}, {{ front = "{section}" }}]' if declared else ""
        path.write_text(f"{path.read_text('utf-8').replace('site.sea', 'site.ocean')}\n{sources}\n", "utf-8")
        settings = load(tmp_path, environ={})
        limits = Limits(wait=0.0)
        clock = Clock(NOW + timedelta(hours=3))
        run_crawl(tmp_path, settings, settings.sites, clock=clock, limits=limits, progress=Silent())
        asked = {"/", stories[1], *((section, stories[2]) if declared else ("/news.xml",))}
        assert set(server.targets[before:]) == asked
    queue = rows(tmp_path, QUEUE)
    assert ("front", "ocean", 2) in {row[1:4] for row in queue}
    anew(tmp_path)
    assert rows(tmp_path, QUEUE) == queue
