"""Exports of WARC files: copies of chosen records, whole groups, and nothing that other tools stumble over."""

import gzip
import subprocess
import sys
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from conftest import Crawled
from test_export import keep, read_jsonl, take_down, write
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from parsers.errors import ArchiveDamaged
from parsers.page import Page
from storage.archive import Archive
from storage.captures import Exchange, members

WARCIO = str(Path(sys.executable).parent / "warcio")


def packed(path: Path) -> list[bytes]:
    """The gzip members of a file."""
    data = path.read_bytes()
    return [data[begin:end] for begin, end in members(path)]


def records(folder: Path) -> list[tuple[str, str]]:
    """Type and address of every record but warcinfo and our own facts."""
    found = []
    for path in sorted(folder.glob("*.warc.gz")):
        with path.open("rb") as file:
            for record in ArchiveIterator(file, check_digests="raise"):
                ours = record.content_stream().read().startswith(b"newsmorgue: ")
                if record.rec_type != "warcinfo" and not ours:
                    found.append((record.rec_type, record.rec_headers.get_header("WARC-Target-URI")))
    return found


def check(folder: Path) -> None:
    for path in folder.glob("*.warc.gz"):
        done = subprocess.run([WARCIO, "check", "-v", str(path)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "digest pass" in done.stdout


def test_everything_chosen_is_everything_copied(crawled: Crawled, tmp_path: Path) -> None:
    out = tmp_path / "out"
    release = write(crawled.folder, "warc", out)
    (source,) = (crawled.folder / "warc").iterdir()
    mine = [
        member
        for member in packed(source)
        if b'{"event":"page"' in (text := gzip.decompress(member)) or b'{"event":' not in text
    ]
    copied = packed(out / source.name)
    assert 4 <= len(packed(source)) - len(mine) < 10, "two runs began and ended, some requests failed"
    assert copied[1:] == mine[1:]
    assert len(copied) > 200
    assert b"copied from " in gzip.decompress(copied[0])
    check(out)
    kinds = {kind for kind, _ in records(out)}
    assert kinds == {"response", "request", "revisit"}
    assert release.counts[source.name] == crawled.rows("SELECT count(*) AS n FROM visit")[0]["n"]


def test_captures_point_into_the_copies(crawled: Crawled, tmp_path: Path) -> None:
    (day,) = crawled.rows("SELECT max(at) AS at FROM capture WHERE kind = 'story'")
    since = datetime.fromisoformat(day["at"]).astimezone(UTC)
    write(crawled.folder, "warc", tmp_path / "out", since=since)
    rows = read_jsonl(tmp_path / "out" / "captures.jsonl")
    assert 0 < len(rows) < crawled.rows("SELECT count(*) AS n FROM capture")[0]["n"]
    for row in rows:
        data = (tmp_path / "out" / row["file"]).read_bytes()[row["offset"] : row["offset"] + row["length"]]
        (record,) = ArchiveIterator(BytesIO(data))
        assert record.rec_headers.get_header("WARC-Target-URI") == row["url"]
        assert record.rec_type == "response"
        assert record.rec_headers.get_header("WARC-Date") == row["at"]
    check(tmp_path / "out")
    described = read_jsonl(tmp_path / "out" / "dictionary.jsonl")
    assert {row["column"] for row in described} == {"", *rows[0]}


def exchange(url: str, at: datetime, payload: bytes, status: str = "200 OK", headers: str = "") -> Exchange:
    return Exchange(
        url, at, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", f"HTTP/1.1 {status}\r\n{headers}\r\n".encode(), payload
    )


@pytest.fixture
def groups(tmp_path: Path) -> Path:
    """Site a: a story behind two redirects, the same again (revisit), one that opts out. Site b: a story between them."""
    folder = tmp_path / "archive"
    with Archive.create(folder) as archive:
        at = datetime(2026, 3, 1, 12, tzinfo=UTC)
        a, b = (
            archive.site_id(name, home=f"https://{name}.example/", parser=None, timezone=None, now=at) for name in "ab"
        )
        run = archive.start_run(now=at, version="1", command="crawl", settings="{}")
        hops = [
            exchange("https://a.example/short", at, b"", "301 Moved", "Location: /long\r\n"),
            exchange("https://a.example/long", at, b"", "302 Found", "Location: /story\r\n"),
        ]
        story = Page("https://a.example/story", b"the story", captured=at, asked="https://a.example/short")
        answer = exchange("https://a.example/story", at, b"the story")
        other = Page("https://b.example/1", b"between", captured=at)
        private = Page("https://a.example/private", b"private words", captured=at)
        archive.keep(story, [*hops, answer], run=run, site=a, kind="story", verdict="article")
        archive.keep(other, [exchange(other.url, at, b"between")], run=run, site=b, kind="story", verdict="article")
        archive.keep(story, [*hops, answer], run=run, site=a, kind="story", verdict="article")
        private_answer = exchange(private.url, at, b"private words")
        archive.keep(private, [private_answer], run=run, site=a, kind="story", verdict="article", withheld="noarchive")
    return folder


def test_redirects_go_with_their_answer(groups: Path, tmp_path: Path) -> None:
    write(groups, "warc", tmp_path / "a", sites=("a",))
    write(groups, "warc", tmp_path / "b", sites=("b",))
    a = "https://a.example"
    hops = [(kind, f"{a}/{name}") for name in ("short", "long") for kind in ("response", "request")]
    assert records(tmp_path / "a") == [
        *hops, ("response", f"{a}/story"), ("request", f"{a}/story"),
        *hops, ("revisit", f"{a}/story"),
        ("metadata", f"{a}/private"), ("request", f"{a}/private"),
    ]  # fmt: skip
    assert records(tmp_path / "b") == [("response", "https://b.example/1"), ("request", "https://b.example/1")]
    check(tmp_path / "a")
    check(tmp_path / "b")
    (source,) = (groups / "warc").iterdir()
    mine = packed(source)
    assert all(member in mine for member in packed(tmp_path / "a" / source.name)[1:])


def append(writer: WARCWriter, kind: str, url: str, payload: bytes, **headers: str) -> str:
    """A record of someone else's WARC file; gives its id."""
    http = None
    if kind == "response":
        http = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], "HTTP/1.1")
    elif kind == "request":
        http = StatusAndHeaders("GET / HTTP/1.1", [("Host", "x")], is_http_request=True)
    record = writer.create_warc_record(
        url, kind, payload=BytesIO(payload), length=len(payload), http_headers=http, warc_headers_dict=headers
    )
    writer.write_record(record)
    return str(record.rec_headers.get_header("WARC-Record-ID"))


def test_of_other_peoples_files_only_what_belongs_to_a_capture_is_taken(tmp_path: Path) -> None:
    """Requests before their responses, our facts before an answer, pictures that no row knows, resources."""
    folder = tmp_path / "archive"
    with Archive.create(folder) as archive:
        capture = keep(archive, 1, "odd", "Title", 1)
        places = {}
        with (folder / "warc" / "20260302T000000-00002.warc.gz").open("wb") as file:
            writer = WARCWriter(file, gzip=True, warc_version="1.1")
            writer.write_record(writer.create_warcinfo_record("x.warc.gz", {"software": "another"}))
            before = append(writer, "request", "https://x.example/page", b"")
            places["page"] = file.tell()
            append(writer, "response", "https://x.example/page", b"page", **{"WARC-Concurrent-To": before})
            before = append(writer, "request", "https://x.example/picture", b"")
            append(writer, "response", "https://x.example/picture", b"picture", **{"WARC-Concurrent-To": before})
            append(writer, "metadata", "https://x.example/file", b"facts")
            places["file"] = file.tell()
            append(writer, "resource", "https://x.example/file", b"resource")
            append(writer, "metadata", "https://x.example/later", b"facts of nobody")
        for name, offset in places.items():
            archive.db.execute(
                "INSERT INTO capture (id, site_id, run_id, kind, asked, url, at, status, size, digest, payload_digest, file, "
                "offset, length) SELECT id + ?, site_id, run_id, kind, ?, ?, at, status, size, digest, payload_digest, "
                "'20260302T000000-00002.warc.gz', ?, 1 FROM capture WHERE id = ?",
                (offset, f"https://x.example/{name}", f"https://x.example/{name}", offset, capture),
            )
            archive.db.execute(
                "INSERT INTO visit (capture_id, at, status, file, offset, length) SELECT id, at, status, file, offset, ? "
                "FROM capture WHERE offset = ?",
                (1, offset),
            )
        for begin, end in members(folder / "warc" / "20260302T000000-00002.warc.gz"):
            archive.db.execute("UPDATE visit SET length = ? WHERE offset = ? AND length = 1", (end - begin, begin))
    write(folder, "warc", tmp_path / "out")
    assert records(tmp_path / "out") == [
        ("response", "https://odd.example/1"), ("request", "https://odd.example/1"),
        ("request", "https://x.example/page"), ("response", "https://x.example/page"),
        ("metadata", "https://x.example/file"), ("resource", "https://x.example/file"),
    ]  # fmt: skip
    check(tmp_path / "out")


def test_what_was_taken_down_is_not_copied(groups: Path, tmp_path: Path) -> None:
    take_down(groups, "url", "https://b.example/1")
    release = write(groups, "warc", tmp_path / "out")
    assert "https://b.example/1" not in {url for _, url in records(tmp_path / "out")}
    assert [row["url"] for row in read_jsonl(tmp_path / "out" / "captures.jsonl")] == [
        "https://a.example/story",
        "https://a.example/private",
    ]
    assert release.counts["captures.jsonl"] == 2


@pytest.mark.parametrize("damage", ["cut", "flipped", "nonsense", "empty", "missing"])
def test_damage_is_named_and_leaves_nothing(groups: Path, tmp_path: Path, damage: str) -> None:
    (source,) = (groups / "warc").iterdir()
    with Archive.open(groups) as archive:
        ((offset, length),) = archive.db.execute("SELECT offset, length FROM capture WHERE url LIKE '%private'")
    data = bytearray(source.read_bytes())
    if damage == "missing":
        source.unlink()
    elif damage == "cut":
        source.write_bytes(data[: offset + length - 5])
    elif damage == "flipped":
        data[offset + length // 2] ^= 0xFF
        source.write_bytes(data)
    else:  # a whole gzip member that is no record
        source.write_bytes(data[:offset] + gzip.compress(b"no record\r\n\r\n" if damage == "nonsense" else b""))
    with pytest.raises(ArchiveDamaged, match=source.name) as caught:
        write(groups, "warc", tmp_path / "out")
    assert damage == "missing" or f"offset {offset}" in str(caught.value)
    assert {path.name for path in tmp_path.iterdir()} == {"archive"}
    if damage != "missing":  # what does not lie there can still be had
        write(groups, "warc", tmp_path / "b", sites=("b",))
        assert len(records(tmp_path / "b")) == 2


def test_files_without_a_chosen_capture_are_not_made(groups: Path, tmp_path: Path) -> None:
    write(groups, "warc", tmp_path / "out", until=datetime(1999, 1, 1, tzinfo=UTC))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "README.md", "release.json", "captures.jsonl", "dictionary.jsonl",
    }  # fmt: skip
