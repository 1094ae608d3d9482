"""WARC files of others: what the field writes, whichever way, comes in; what cannot is said and costs nothing else."""

import gzip
import sqlite3
import zlib
from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from test_crawl import NOW, PROSE, STORY, front, html, visit
from test_imports import FEED, URL, Folder
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from parsers.errors import UsageError
from scraper.crawl import Limits
from scraper.imports import Imported, Inputs
from scraper.settings import FILE
from storage import foreign
from storage.archive import Archive
from storage.captures import Warc
from storage.foreign import Broken
from storage.keeping import payload_digest
from tests.servers import Server, answer, moved, zipped

DATE = "2019-03-01T06:00:00Z"
BODY = html("Two boats lost")
HTML = (("Content-Type", "text/html"),)


class Writer:
    """A WARC file as others write them. `version`: 1.0 or 1.1."""

    def __init__(self, path: Path, version: str = "1.0", *, packed: bool = True) -> None:
        self.path = path
        self.out = BytesIO()
        self.warc = WARCWriter(self.out, gzip=packed, warc_version=version)
        self.warc.write_record(self.warc.create_warcinfo_record(path.name, {"software": "another/1.0"}))

    def add(
        self,
        kind: str,
        url: str,
        payload: bytes = BODY,
        headers: Sequence[tuple[str, str]] = HTML,
        *,
        status: str = "200 OK",
        **given: str,
    ) -> None:
        named = {"WARC-Date": DATE, **{name.replace("_", "-"): value for name, value in given.items()}}
        http = StatusAndHeaders(status, list(headers), "HTTP/1.1") if kind in ("response", "revisit") else None
        if kind == "request":
            http = StatusAndHeaders("/ HTTP/1.1", list(headers), "GET", is_http_request=True)
        stated = dict(headers).get("Content-Type", "") if http is None else ""
        record = self.warc.create_warc_record(
            url, kind, BytesIO(payload), len(payload), stated, named, http_headers=http
        )
        self.warc.write_record(record)

    def done(self, data: bytes | None = None) -> Path:
        self.path.write_bytes(self.out.getvalue() if data is None else data)
        return self.path


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def taken(folder: Folder, *paths: Path, **more: Any) -> Imported:
    return folder.take(Inputs(paths), **more)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("form", ["a member a record", "plain", "one member", "two members"])
def test_every_form_of_file_is_read(folder: Folder, version: str, form: str) -> None:
    writer = Writer(folder.path / "other.warc", version, packed=form == "a member a record")
    for n in range(5):
        writer.add("response", URL.format(n), BODY + f"<!-- {n} -->".encode())
    data = writer.out.getvalue()
    if form == "one member":
        data = gzip.compress(data)
    elif form == "two members":  # cut anywhere, in the middle of a record
        half = writer.out.getvalue().index(b"WARC/", len(data) // 2)
        data = gzip.compress(data[:half]) + gzip.compress(data[half:])
    done = taken(folder, writer.done(data))
    assert (done.state, dict(done.tally.counts), dict(done.skipped)) == (
        "done", {"got": 5, "new": 5}, {"warcinfo record": 1},
    )  # fmt: skip
    assert folder.rows("SELECT DISTINCT at, at_source, status, verdict FROM capture") == [
        ("2019-03-01T06:00:00.000Z", "stated", 200, "article")
    ]
    assert folder.kinds() == ["response"] * 5
    folder.assert_rebuilds()


def chunked(body: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:100], body[100:])) + b"0\r\n\r\n"


RAW = zlib.compressobj(wbits=-15)
CODINGS: dict[str, tuple[bytes, tuple[tuple[str, str], ...]]] = {
    "plain": (BODY, ()),
    "gzip": (gzip.compress(BODY), (("Content-Encoding", "gzip"),)),
    "deflate": (zlib.compress(BODY), (("Content-Encoding", "deflate"),)),
    "raw deflate": (RAW.compress(BODY) + RAW.flush(), (("Content-Encoding", "deflate"),)),
    "chunked": (chunked(BODY), (("Transfer-Encoding", "chunked"),)),
    "gzip, chunked": (chunked(gzip.compress(BODY)), (("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked"))),
    "said to be chunked": (BODY, (("Transfer-Encoding", "chunked"),)),
    "said to be gzip": (BODY, (("Content-Encoding", "gzip"),)),
}


@pytest.mark.parametrize("coding", CODINGS)
def test_codings_come_off_as_the_field_puts_them_on(folder: Folder, coding: str) -> None:
    payload, headers = CODINGS[coding]
    writer = Writer(folder.path / "other.warc.gz")
    writer.add("response", URL.format(1), payload, (*HTML, *headers))
    assert taken(folder, writer.done()).tally.counts["new"] == 1
    with Archive.open(folder.archive) as archive:
        assert archive.page(1).body == BODY
        assert ("Content-Type", "text/html") in archive.page(1).headers
        assert archive.page(1).header("transfer-encoding") is None
    folder.assert_rebuilds()


def test_requests_stay_with_their_responses_and_secrets_go(folder: Folder) -> None:
    secret = (("Host", "sea.example"), ("Cookie", "session=swordfish"), ("Authorization", "Basic swordfish"))
    before, after = URL.format(1), URL.format(2)
    writer = Writer(folder.path / "other.warc.gz")
    writer.add("request", before, b"", secret)
    writer.add("response", before, headers=(*HTML, ("Set-Cookie", "session=swordfish")))
    writer.add("response", after)
    writer.add("request", after, b"", secret)
    writer.add("metadata", after, b"fetchTimeMs: 12", (("Content-Type", "application/warc-fields"),))
    writer.add("response", "https://user:swordfish@sea.example/2019/03/01/two-boats-lost-in-the-high-tide-3/")
    done = taken(folder, writer.done())
    assert done.tally.counts["got"] == 3
    assert folder.kinds() == ["response", "request", "response", "request", "response"]
    content = b"".join(gzip.decompress(path.read_bytes()) for path in (folder.archive / "warc").iterdir())
    assert b"swordfish" not in content + (folder.archive / "archive.db").read_bytes()
    assert content.count(b"[removed]") == 5
    assert folder.rows("SELECT url FROM capture WHERE id = 3") == [(URL.format(3),)]
    folder.assert_rebuilds()


def test_what_is_no_page_is_counted(folder: Folder) -> None:
    writer = Writer(folder.path / "other.warc.gz")
    writer.add("response", "https://sea.example/boat.png", b"\x89PNG", (("Content-Type", "image/png"),))
    writer.add("response", "https://sea.example/data", b"{}", (("Content-Type", "application/json"),))
    writer.add("response", "https://sea.example/old", b"moved", (*HTML, ("Location", "/new")), status="301 Moved")
    writer.add("resource", "urn:screenshot:https://sea.example/", b"\x89PNG", (("Content-Type", "image/png"),))
    writer.add("resource", "https://sea.example/1", BODY)
    writer.add("response", "https://sea.example/feed", FEED, (("Content-Type", "application/rss+xml"),))
    writer.add("response", "https://sea.example/nameless", BODY, ())
    writer.add("response", "https://sea.example/gone", html("Gone"), status="404 Not Found")
    done = taken(folder, writer.done())
    assert dict(done.skipped) == {
        "warcinfo record": 1, "image/png": 1, "application/json": 1, "redirect": 1, "no web address": 1,
    }  # fmt: skip
    assert folder.rows("SELECT url, kind, verdict FROM capture") == [
        ("https://sea.example/1", "story", "article"),
        ("https://sea.example/feed", "feed", "front"),
        ("https://sea.example/nameless", "story", "article"),
        ("https://sea.example/gone", "story", "gone"),
    ]
    assert folder.kinds() == ["resource", "response", "response", "response"]
    folder.assert_rebuilds()


def revisit(writer: Writer, url: str, date: str, of: str = "", at: str = "", **more: Any) -> None:
    given = {"WARC_Payload_Digest": "sha1:AAAA", "WARC_Date": date}
    if of:
        given |= {"WARC_Refers_To_Target_URI": of, "WARC_Refers_To_Date": at}
    writer.add("revisit", url, b"", **{**given, **more})


def test_revisits_are_resolved_in_the_input_and_in_the_archive(folder: Folder) -> None:
    url, other = URL.format(1), URL.format(2)
    writer = Writer(folder.path / "one.warc.gz", "1.1")
    writer.add("response", url, gzip.compress(BODY), (*HTML, ("Content-Encoding", "gzip")))
    revisit(writer, url, "2019-03-02T06:00:00Z", url, DATE, headers=(*HTML, ("Content-Encoding", "gzip")))
    revisit(writer, url, "2019-03-03T06:00:00Z", url, DATE, status="304 Not Modified", headers=())
    done = taken(folder, writer.done())
    assert dict(done.tally.counts) == {"got": 3, "new": 1, "unchanged": 2}
    assert folder.kinds() == ["response", "revisit", "revisit"]
    later = Writer(folder.path / "two.warc.gz", "1.1")
    revisit(later, other, "2019-03-04T06:00:00Z", url, DATE, headers=(*HTML, ("Content-Encoding", "gzip")))
    revisit(later, other, "2019-03-05T06:00:00Z", "https://sea.example/nowhere", DATE)
    done = taken(folder, later.done())
    assert dict(done.tally.counts) == {"got": 1, "new": 1}
    assert done.skipped["revisit of what is not kept here"] == 1
    assert folder.rows("SELECT asked, visits FROM captures") == [(url, 3), (other, 1)]
    folder.assert_rebuilds()


def test_a_revisit_of_warc_1_0_is_resolved_by_its_digest(folder: Folder) -> None:
    url = URL.format(1)
    writer = Writer(folder.path / "one.warc.gz")
    writer.add("response", url)
    revisit(writer, url, "2019-03-02T06:00:00Z", WARC_Payload_Digest=payload_digest(BODY))
    writer.add("revisit", url, b"", (), WARC_Payload_Digest=payload_digest(BODY), WARC_Date="2019-03-03T06:00:00Z")
    assert dict(taken(folder, writer.done()).tally.counts) == {"got": 3, "new": 1, "unchanged": 2}
    folder.assert_rebuilds()


def test_the_same_file_again_adds_nothing(folder: Folder) -> None:
    writer = Writer(folder.path / "one.warc.gz", "1.1")
    writer.add("response", URL.format(1))
    revisit(writer, URL.format(1), "2019-03-02T06:00:00Z", URL.format(1), DATE)
    taken(folder, writer.done())
    done = taken(folder, writer.done())
    assert dict(done.tally.counts) == {"known": 2}
    assert folder.rows("SELECT count(*) FROM visit") == [(2,)]


def test_an_older_text_of_a_story_that_is_gone_does_not_bring_it_back(folder: Folder) -> None:
    writer, later = Writer(folder.path / "one.warc.gz"), Writer(folder.path / "two.warc.gz")
    writer.add("response", URL.format(1))
    writer.add("response", URL.format(1), html("Gone"), status="404 Not Found", WARC_Date="2020-03-01T06:00:00Z")
    taken(folder, writer.done())
    gone = "SELECT title, withdrawn FROM articles"
    assert folder.rows(gone) == [("Two boats lost", "2020-03-01T06:00:00.000Z")]
    for date in ("2018-03-01T06:00:00Z", "2019-09-01T06:00:00Z"):
        later.add("response", URL.format(1), html("Boats missing" if "2018" in date else "Boats found"), WARC_Date=date)
    taken(folder, later.done())
    assert folder.rows(gone) == [("Boats found", "2020-03-01T06:00:00.000Z")]
    kinds = [("[]",), ('["headline"]',), ('["headline"]',), ('["withdrawn"]',)]
    assert folder.rows("SELECT changes FROM revisions ORDER BY revision") == kinds
    folder.assert_rebuilds()


# -- damage ------------------------------------------------------------------------------------------------------------


def five(folder: Folder, **more: Any) -> tuple[Path, bytes]:
    writer = Writer(folder.path / "other.warc.gz", **more)
    for n in range(5):
        writer.add("response", URL.format(n))
    return writer.path, writer.out.getvalue()


def test_damage_costs_what_is_damaged(folder: Folder) -> None:
    path, data = five(folder)
    at = data.index(b"\x1f\x8b\x08", len(data) // 2)
    path.write_bytes(data[: at + 100] + b"\x00" * 50 + data[at + 150 :])
    done = taken(folder, path)
    assert (done.state, done.tally.counts["got"], done.tally.counts["broken"]) == ("partly", 4, 1)
    assert list(done.tally.errors) == [f"other.warc.gz at offset {at}"]
    path.write_bytes(data)
    assert dict(taken(folder, path).tally.counts) == {"known": 4, "got": 1, "new": 1}


@pytest.mark.parametrize("cut", [1, 20, 300])
def test_a_file_that_breaks_off_is_used_so_far(folder: Folder, cut: int) -> None:
    path, data = five(folder)
    path.write_bytes(data[:-cut])
    done = taken(folder, path)
    assert (done.state, done.tally.counts["got"], done.tally.counts["broken"]) == ("partly", 4, 1)


def test_a_plain_file_that_breaks_off_is_used_so_far(folder: Folder) -> None:
    path, data = five(folder, packed=False)
    path.write_bytes(data[:-300])
    done = taken(folder, path)
    assert (done.state, done.tally.counts["got"], done.tally.counts["broken"]) == ("partly", 4, 1)
    assert "cut" in next(iter(done.tally.errors.values()))


def broken(folder: Folder, old: bytes, new: bytes) -> str:
    """What is said of the third of five records in which something is replaced."""
    path, data = five(folder, packed=False)
    at = data.index(URL.format(2).encode())
    begin = data.rindex(b"WARC/1.0", 0, at)
    place = data.index(old, begin)
    path.write_bytes(data[:place] + new + data[place + len(old) :])
    done = taken(folder, path)
    assert done.tally.counts["broken"] == 1
    ((where, problem),) = done.tally.errors.items()
    assert where == f"other.warc.gz at offset {begin}"
    return problem


def test_a_record_that_lies_is_named(folder: Folder) -> None:
    assert "WARC-Block-Digest" in broken(folder, b"Two boats", b"Ten boats")


def test_a_record_without_a_date_is_named(folder: Folder) -> None:
    assert "WARC-Date" in broken(folder, DATE.encode(), b"sometime on Friday!!"[: len(DATE)])


def test_a_coding_that_is_not_read_is_named(folder: Folder) -> None:
    writer = Writer(folder.path / "other.warc.gz")
    writer.add("response", URL.format(1), b"\x1b\x00\x01", (*HTML, ("Content-Encoding", "x-own")))
    done = taken(folder, writer.done())
    assert (done.state, done.tally.counts["broken"]) == ("failed", 1)
    assert "x-own" in next(iter(done.tally.errors.values()))


def test_a_record_larger_than_the_cap_is_named(folder: Folder) -> None:
    path, data = five(folder)
    path.write_bytes(data)
    (said, *_) = [one for one in foreign.pages(path, 500) if isinstance(one, Broken)]
    assert "larger than 500 bytes" in said.problem


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"filedesc://IA-001102.arc 0 19960923142103 text/plain 76\n1 0 Alexa Internet\n", "is an ARC file"),
        (gzip.compress(b"filedesc://IA-001102.arc 0 19960923142103 text/plain 76\n"), "is an ARC file"),
        (b"<html>", "is no WARC file"),
        (b"", "is no WARC file"),
        (b"\x1f\x8bnot gzip", "cannot be read"),
    ],
    ids=["ARC", "ARC in gzip", "HTML", "nothing", "not gzip"],
)
def test_what_is_no_warc_file_is_refused_before_anything_is_written(folder: Folder, data: bytes, words: str) -> None:
    path, good = five(folder)
    path.write_bytes(good)
    other = folder.path / "other.arc.gz"
    other.write_bytes(data)
    with pytest.raises(UsageError, match=words):
        taken(folder, path, other)
    assert folder.rows("SELECT count(*) FROM run") == [(0,)]


# -- our own, elsewhere --------------------------------------------------------------------------------------------------


def test_an_archive_of_ours_is_imported_into_another(folder: Folder) -> None:
    ours = folder.path / "ours"
    with Server() as server:
        stories = [STORY.format(n) for n in range(6)]
        server.at["/"] = answer(front(*stories))
        for n, story in enumerate(stories):
            server.at[story] = zipped(html(f"Boats lost: {n}", f"{PROSE}<p>Number {n} of the boats.</p>"))
        server.at[stories[0]] = moved(stories[1])
        visit(server, ours)
        server.at[stories[2]] = answer(html("Boats found", PROSE))

        visit(server, ours, Limits(wait=0.0, recheck=True), now=NOW + timedelta(hours=2))
    folder.settings("[site." + (ours / FILE).read_text("utf-8").partition("[site.")[2])
    done = taken(folder, *Warc(ours / "warc").files())
    assert done.state == "done"
    assert done.skipped["redirect"] == 2
    sql = "SELECT url, title, revisions, first_seen, last_seen, published_utc FROM articles ORDER BY url"
    db = sqlite3.connect(ours / "archive.db")
    assert folder.rows(sql) == db.execute(sql).fetchall()
    db.close()
    folder.assert_rebuilds()
