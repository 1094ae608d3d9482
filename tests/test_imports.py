"""Pages from files: HTML by a list, WARC files of others. Kept and read like crawled ones, and nothing is invented."""

import gzip
import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from test_crawl import NOW, PROSE, front, html

from parsers.errors import Interrupted
from scraper.cli.main import run as newsmorgue
from scraper.clock import Clock
from scraper.imports import Imported, Inputs
from scraper.imports import run as run_import
from scraper.rebuild import rebuild
from scraper.settings import FILE, load
from storage.archive import Archive
from tests.servers import Server, answer
from tests.test_rebuild import tables

URL = "https://sea.example/2019/03/01/two-boats-lost-in-the-high-tide-{}/"
LATER = "2020-05-01T00:00:00.000Z"
FEED = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Sea</title><item><title>Two boats lost in the tide</title>
<link>https://sea.example/2019/03/01/two-boats-lost-in-the-high-tide-1/</link></item></channel></rss>"""


class Folder:
    """An archive without sites, and a list beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[dict[str, Any] | str] = []
        Archive.create(path / "archive").close()
        self.settings("")

    @property
    def archive(self) -> Path:
        return self.path / "archive"

    def settings(self, sites: str) -> None:
        (self.archive / FILE).write_text(f'[crawl]\ncontact = "test@example.org"\n{sites}', "utf-8")

    def add(self, url: str, body: bytes = html("Two boats lost"), name: str = "", **more: str) -> None:
        name = name or f"{len(self.lines)}.html"
        (self.path / name).write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
        self.lines.append({"path": name, "url": url, **more})

    def write(self) -> Path:
        listed = self.path / "list.jsonl"
        listed.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in self.lines))
        return listed

    def run(self, now: datetime = NOW, *, reads: bool = True, site: str | None = None) -> Imported:
        return self.take(Inputs(listed=self.write(), site=site), now, reads=reads)

    def take(self, inputs: Inputs, now: datetime = NOW, *, reads: bool = True) -> Imported:
        return run_import(self.archive, load(self.archive, environ={}), inputs, clock=Clock(now), reads=reads)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with Archive.open(self.archive) as archive:
            return list(archive.db.execute(sql).fetchall())

    def kinds(self) -> list[str]:
        """Kinds of records, but for facts."""
        with Archive.open(self.archive) as archive:
            files = archive.warc.files()
            return [one.kind for path in files for one in archive.warc.records(path) if one.facts is None]

    def assert_rebuilds(self) -> None:
        """A rebuild gives every row again."""
        before = tables(self.archive)
        assert rebuild(self.archive, load(self.archive, environ={})).said == []
        after = tables(self.archive)
        for name, rows in before.items():
            assert after[name] == rows, name


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


# -- lists ---------------------------------------------------------------------------------------------------------


def test_pages_of_a_list_are_resources_and_no_time_is_invented(folder: Folder) -> None:
    folder.add(URL.format(1), captured="2019-03-01T15:00:00+09:00")
    folder.add(URL.format(2), name="2.html.gz")
    folder.lines[1] = {"html_path": "2.html.gz", "url": URL.format(2)}
    folder.add(URL.format(3), captured="2019-03-02")
    done = folder.run()
    assert (done.state, dict(done.tally.counts)) == ("done", {"got": 3, "new": 3})
    assert folder.kinds() == ["resource"] * 3
    assert folder.rows("SELECT asked, at, at_source, status, content_type, verdict FROM capture") == [
        (URL.format(1), "2019-03-01T06:00:00.000Z", "stated", 200, "text/html", "article"),
        (URL.format(2), folder.rows("SELECT started FROM run")[0][0], "import", 200, "text/html", "article"),
        (URL.format(3), "2019-03-02T00:00:00.000Z", "stated", 200, "text/html", "article"),
    ]
    assert folder.rows("SELECT command, state FROM run") == [("import", "done")]
    assert folder.rows("SELECT title, site FROM articles") == [("Two boats lost", "sea.example")] * 3
    folder.assert_rebuilds()


def test_the_encoding_of_a_list_is_a_label_that_a_later_reading_sees(folder: Folder) -> None:
    body = html("두 척의 배", PROSE).decode()
    folder.add(URL.format(1), body.encode("cp949"), encoding="cp949")
    folder.add(URL.format(2), body.encode(), encoding="latin-1")  # lies: the bytes decide
    folder.run()
    assert folder.rows("SELECT charset, charset_source FROM capture") == [("cp949", "header"), ("utf-8", "utf-8")]
    assert folder.rows("SELECT title FROM articles") == [("두 척의 배",)] * 2
    with Archive.open(folder.archive) as archive:
        assert [archive.page(n).header("content-type") for n in (1, 2)] == [
            "text/html; charset=cp949", "text/html; charset=latin-1",
        ]  # fmt: skip
    folder.assert_rebuilds()


BAD: dict[str, dict[str, Any] | str] = {
    "is no JSON": '{"path": ',
    "is no JSON object": "[1]",
    "names no file": {"url": URL.format(9)},
    "has no url": {"path": "0.html"},
    "is not an http or https address": {"path": "0.html", "url": "ftp://sea.example/1"},
    "No such file": {"path": "nowhere.html", "url": URL.format(9)},
    "Is a directory": {"path": "archive", "url": URL.format(9)},
    "no time in ISO 8601": {"path": "0.html", "url": URL.format(9), "captured": "yesterday"},
    "is no charset": {"path": "0.html", "url": URL.format(9), "encoding": "a\r\nSet-Cookie: b"},
    "Unknown compression method": {"path": "torn.gz", "url": URL.format(9)},
    "end-of-stream": {"path": "cut.gz", "url": URL.format(9)},
}


def test_bad_lines_are_named_and_cost_nothing_else(folder: Folder) -> None:
    folder.add(URL.format(1))
    folder.lines += ["", *BAD.values()]
    folder.add(URL.format(2))
    (folder.path / "torn.gz").write_bytes(b"\x1f\x8bnot gzip")
    (folder.path / "cut.gz").write_bytes(gzip.compress(b"x" * 1000)[:-10])
    done = folder.run()
    assert (done.state, done.tally.counts["got"], done.tally.counts["broken"]) == ("partly", 2, len(BAD))
    for number, words in enumerate(BAD, 3):
        assert words in done.tally.errors[f"list.jsonl:{number}"]
    folder.assert_rebuilds()


def test_a_list_that_breaks_off_is_used_so_far(folder: Folder) -> None:
    for n in range(200):
        folder.add(URL.format(n), name="one.html")
    folder.run()
    data = gzip.compress((folder.path / "list.jsonl").read_bytes())
    (folder.path / "list.jsonl.gz").write_bytes(data[: len(data) // 2])
    done = folder.take(Inputs(listed=folder.path / "list.jsonl.gz"))
    assert done.state == "partly"
    assert done.tally.counts["known"] > 20
    assert list(done.tally.errors) == [f"list.jsonl.gz:{done.tally.counts['known'] + 1}"]


def test_the_same_again_adds_nothing(folder: Folder) -> None:
    folder.add(URL.format(1), captured="2019-03-01T06:00:00Z")
    folder.add(URL.format(2))
    folder.run()
    before = tables(folder.archive)
    done = folder.run(NOW + timedelta(days=1))
    assert dict(done.tally.counts) == {"known": 2}
    after = tables(folder.archive)
    assert {name: rows for name, rows in after.items() if name not in ("run", "warc")} == {
        name: rows for name, rows in before.items() if name not in ("run", "warc")
    }


def test_the_same_text_at_another_time_is_a_visit(folder: Folder) -> None:
    for day in (1, 2, 3):
        folder.add(URL.format(1), captured=f"2019-03-0{day}T06:00:00Z")
    assert folder.run().tally.counts["unchanged"] == 2
    assert folder.kinds() == ["resource", "revisit", "revisit"]
    assert folder.rows("SELECT visits, last_visit FROM captures") == [(3, "2019-03-03T06:00:00.000Z")]
    assert folder.rows("SELECT first_seen, last_seen FROM articles") == [
        ("2019-03-01T06:00:00.000Z", "2019-03-03T06:00:00.000Z")
    ]
    folder.assert_rebuilds()


def test_texts_come_in_any_order_and_the_newest_is_the_latest(folder: Folder) -> None:
    titles = {"2020": "Boats found", "2018": "Boats missing", "2021": "Boats sold", "2019": "Boats missing"}
    for year, title in titles.items():
        folder.add(URL.format(1), html(title, f"{PROSE}<!-- {year} -->"), captured=f"{year}-01-01T00:00:00Z")
    folder.run()
    assert folder.rows("SELECT title, revisions, substr(first_seen, 1, 4) FROM articles") == [("Boats sold", 3, "2018")]
    assert folder.rows("SELECT substr(seen_until, 1, 4), old_title, substr(seen_from, 1, 4) FROM headline_changes") == [
        ("2019", "Boats missing", "2020"),
        ("2020", "Boats found", "2021"),
    ]
    kinds = "SELECT changes FROM revisions ORDER BY revision"
    assert folder.rows(kinds) == [("[]",), ('["headline"]',), ('["headline"]',)]
    assert folder.rows("SELECT count(*) FROM capture") == [(4,)]
    assert folder.rows("SELECT count(*) FROM text_fts WHERE text_fts MATCH 'sold'") == [(1,)]
    folder.assert_rebuilds()


def test_fronts_come_in_any_order(folder: Folder) -> None:
    for year, story in (("2020", 2), ("2018", 1), ("2021", 2), ("2019", 1)):
        body = front(URL.format(story)) + f"<!-- {year} -->".encode()
        folder.add("https://sea.example/", body, captured=f"{year}-01-01T00:00:00Z")
    folder.settings('[site.sea]\nhome = "https://sea.example/"\n')
    folder.run()
    sql = "SELECT substr(url, -2, 1), substr(seen_from, 1, 4), substr(seen_until, 1, 4) FROM front_page_history ORDER BY seen_from"
    assert folder.rows(sql) == [("1", "2018", "2018"), ("1", "2019", "2019"), ("2", "2020", "2021")]
    folder.assert_rebuilds()


# -- whose page it is, and what the crawl makes of it ---------------------------------------------------------------


def test_the_site_of_a_page(folder: Folder) -> None:
    folder.settings('[site.sea]\nhome = "https://www.sea.example/"\ntimezone = "Asia/Seoul"\n')
    folder.add(URL.format(1))
    folder.add("https://news1global.com/news/2026/two-boats-lost-in-the-high-tide/")
    folder.add("http://www.post.example:8080/2019/03/01/two-boats-lost-in-the-high-tide/")
    folder.run()
    sites = "SELECT s.name, s.home, s.timezone FROM site s JOIN capture c ON c.site_id = s.id ORDER BY c.id"
    assert folder.rows(sites) == [
        ("sea", "https://www.sea.example/", "Asia/Seoul"),
        ("news1global", "https://news1global.com/", None),
        ("post.example", "http://www.post.example:8080/", None),
    ]
    folder.add("https://other.example/2019/03/01/two-boats-lost-in-the-high-tide/")
    folder.run(site="sea")
    assert folder.rows(sites)[-1][0] == "sea"
    folder.assert_rebuilds()


def test_an_import_makes_nothing_due(folder: Folder) -> None:
    folder.add("https://sea.example/", front(URL.format(1), URL.format(2)))
    folder.add("https://sea.example/feed/", FEED)
    folder.add(URL.format(1))
    done = folder.run()
    assert done.tally.counts["front"] == 2
    kinds = [("front", "front"), ("feed", "front"), ("story", "article")]
    assert folder.rows("SELECT kind, verdict FROM capture ORDER BY id") == kinds
    assert [row[0] for row in folder.rows("SELECT kind FROM front")] == ["front", "feed"]
    assert folder.rows("SELECT count(*) FROM frontier") == [(0,)]
    assert folder.rows("SELECT count(*) FROM ledger") == [(0,)]
    folder.assert_rebuilds()


def test_a_crawl_does_not_fetch_what_was_imported(folder: Folder) -> None:
    from test_crawl import STORY, visit

    with Server() as server:
        server.at["/"] = answer(front(STORY.format(1), STORY.format(2)))
        server.at[STORY.format(1)] = answer(html("Two boats lost"))
        server.at[STORY.format(2)] = answer(html("Three boats lost"))
        folder.settings(f'[site.sea]\nhome = "{server.url("/")}"\n')
        folder.add(server.url(STORY.format(1)), captured="2019-03-01T06:00:00Z")
        folder.run()
        assert folder.rows("SELECT state, outcome FROM frontier") == [("done", "new")]
        visit(server, folder.archive)
        assert server.targets == ["/", STORY.format(2)]
        shutil.copytree(folder.archive, folder.path / "copy")
        folder.assert_rebuilds()
        visit(server, folder.archive, now=NOW + timedelta(minutes=1))
        assert server.targets == ["/", STORY.format(2), "/"]


def test_opt_outs_are_obeyed(folder: Folder) -> None:
    secret = html(
        "Two boats lost", f"{PROSE}<p>The unmistakable sentence.</p>", '<meta name="robots" content="noarchive">'
    )
    folder.add(URL.format(1), secret, captured="2019-03-01T06:00:00Z")
    done = folder.run()
    assert dict(done.tally.counts) == {"got": 1, "withheld": 1}
    assert folder.rows("SELECT withheld, verdict, title, optouts, charset FROM capture") == [
        ("noarchive", "article", "Two boats lost", '["noarchive"]', "utf-8")
    ]
    assert folder.rows("SELECT count(*) FROM article") == [(0,)]
    assert folder.kinds() == ["metadata"]
    assert folder.run().tally.counts["known"] == 1
    folder.assert_rebuilds()


def test_a_page_that_is_kept_in_spite_of_its_opt_out_says_why(folder: Folder) -> None:
    folder.settings('[site.sea]\nhome = "https://sea.example/"\narchive = "full"\nreason = "the publisher agreed"\n')
    folder.add(URL.format(1), html("Two boats lost", PROSE, '<meta name="robots" content="noarchive">'))
    folder.run()
    assert folder.rows("SELECT withheld, kept_because FROM capture") == [(None, "the publisher agreed")]
    folder.assert_rebuilds()


def test_without_reading(folder: Folder) -> None:
    folder.add(URL.format(1))
    folder.add(URL.format(2), html("Two boats lost", PROSE, '<meta name="robots" content="noarchive">'))
    assert dict(folder.run(reads=False).tally.counts) == {"got": 2, "unread": 2}
    assert folder.rows("SELECT verdict, withheld FROM capture") == [(None, None), (None, "noarchive")]
    folder.assert_rebuilds()


# -- stopped ------------------------------------------------------------------------------------------------------------


def test_stopped_in_the_middle_the_same_command_goes_on(folder: Folder) -> None:
    for n in range(120):
        folder.add(URL.format(n), name="one.html")
    listed = folder.write()

    def stop(pages: int) -> None:
        if pages == 100:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="100 pages"):
        run_import(
            folder.archive, load(folder.archive, environ={}), Inputs(listed=listed), clock=Clock(NOW), progress=stop
        )
    assert folder.rows("SELECT state FROM run") == [("interrupted",)]
    assert dict(folder.run().tally.counts) == {"known": 100, "got": 20, "new": 20}
    folder.assert_rebuilds()


def test_what_was_durable_and_not_yet_in_the_database_is_read_by_the_next_import(folder: Folder) -> None:
    with Archive.open(folder.archive, write=True):
        pass
    shutil.copy(folder.archive / "archive.db", folder.path / "old.db")
    folder.add(URL.format(1), captured="2019-03-01T06:00:00Z")
    folder.add("https://sea.example/", front(URL.format(1)), captured="2019-03-01T06:00:00Z")
    folder.run()
    before = tables(folder.archive)
    shutil.copy(folder.path / "old.db", folder.archive / "archive.db")
    done = folder.run()
    assert done.recovered
    assert dict(done.tally.counts) == {"known": 2}
    after = tables(folder.archive)
    for name in ("capture", "visit", "article", "reading", "front", "placement", "ledger"):
        assert after[name] == before[name], name


# -- the command --------------------------------------------------------------------------------------------------------


def command(folder: Folder, *arguments: str) -> int:
    return newsmorgue(["import", *arguments, "--archive", str(folder.archive)])


def test_the_command_says_what_it_did(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.add(URL.format(1))
    folder.run()
    folder.add(URL.format(2))
    folder.lines.append("{")
    listed = folder.write()
    assert command(folder, "--list", str(listed), "--json") == 3
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert (document["schema"], document["dry_run"], document["run"], document["state"]) == (1, False, 2, "partly")
    assert document["counts"] == {"known": 1, "got": 1, "new": 1, "broken": 1}
    assert list(document["errors"]) == ["list.jsonl:3"]
    assert "list.jsonl:3: is no JSON" in said.err
    listed.write_text("{\n")
    assert command(folder, "--list", str(listed)) == 1
    assert command(folder) == 2
    assert command(folder, str(listed)) == 2
    assert command(folder, str(listed), "--list", str(listed)) == 2


def test_a_dry_run_leaves_the_folder_byte_for_byte(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.add(URL.format(1))
    folder.run()
    folder.add(URL.format(2))
    listed = folder.write()
    before = {path: path.read_bytes() for path in folder.archive.rglob("*") if path.is_file()}
    assert command(folder, "--list", str(listed), "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["counts"] == {"known": 1, "got": 1, "new": 1}
    assert {path: path.read_bytes() for path in folder.archive.rglob("*") if path.is_file()} == before
