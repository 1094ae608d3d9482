"""WARC records: what is written, what is kept secret, what comes back."""

import base64
import gzip
import hashlib
import subprocess
import sys
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import brotlicffi as brotli
import pytest
from warcio.archiveiterator import ArchiveIterator

from parsers.coding import decode, zstd
from parsers.errors import ArchiveDamaged, ArchiveError
from parsers.page import Page
from storage import keeping
from storage.archive import Archive, Kept
from storage.captures import Warc
from storage.records import OURS, Exchange, Place, Stored, members, without_userinfo

NOW = datetime(2026, 3, 1, 6, 30, 15, 250_000, UTC)
URL = "https://example.org/harbour"
BODY = "<html><title>Häfen</title><p>Ferries stay in port.</p></html>".encode() * 20
REQUEST = (("Host", "example.org"), ("User-Agent", "newsmorgue"))
HTML = (("Content-Type", "text/html; charset=utf-8"),)


def head(first: str, pairs: tuple[tuple[str, str], ...]) -> bytes:
    return "".join(f"{line}\r\n" for line in (first, *(f"{name}: {value}" for name, value in pairs), "")).encode()


def exchange(
    payload: bytes = BODY,
    *,
    url: str = URL,
    at: datetime = NOW,
    status: str = "200 OK",
    headers: tuple[tuple[str, str], ...] = HTML,
    request: tuple[tuple[str, str], ...] = REQUEST,
) -> Exchange:
    return Exchange(
        url, at, head("GET /harbour HTTP/1.1", request), head(f"HTTP/1.1 {status}", headers), payload, "192.0.2.7"
    )


def page(answer: Exchange, body: bytes | None = None, asked: str = "") -> Page:
    lines = answer.response_head.decode().split("\r\n")
    headers = tuple((name, value) for name, _, value in (line.partition(": ") for line in lines[1:] if line))
    return Page(
        answer.url, answer.payload if body is None else body, asked, answer.at, int(lines[0].split()[1]), headers
    )


@pytest.fixture
def warc(tmp_path: Path) -> Warc:
    return Warc(tmp_path)


def records(folder: Path) -> list[tuple[Any, bytes]]:
    """Every record of a folder with its payload as it lies there; digests checked."""
    found = []
    for path in Warc(folder).files():
        with path.open("rb") as file:
            found += [(record, record.raw_stream.read()) for record in ArchiveIterator(file, check_digests="raise")]
    return found


def check(folder: Path) -> None:
    """`warcio check` has nothing to say."""
    files = [str(path) for path in Warc(folder).files()]
    assert files
    done = subprocess.run(
        [str(Path(sys.executable).with_name("warcio")), "check", "-v", *files], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "digest pass" in done.stdout
    assert "fail" not in done.stdout


def sha1(data: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(data).digest()).decode()


# -- one pair of records -------------------------------------------------------------------------------------------


def test_a_response_and_its_request(warc: Warc) -> None:
    place = warc.append(exchange())
    warc.close()
    info, response, request = [record for record, _ in records(warc.folder)]
    assert [r.rec_type for r in (info, response, request)] == ["warcinfo", "response", "request"]
    assert response.rec_headers.get_header("WARC-Target-URI") == URL
    assert response.rec_headers.get_header("WARC-Date") == "2026-03-01T06:30:15.250Z"
    assert response.rec_headers.get_header("WARC-IP-Address") == "192.0.2.7"
    assert response.rec_headers.get_header("WARC-Payload-Digest") == sha1(BODY)
    assert response.rec_headers.get_header("WARC-Block-Digest").startswith("sha1:")
    assert response.rec_headers.get_header("WARC-Truncated") is None
    assert request.rec_headers.get_header("WARC-Concurrent-To") == response.rec_headers.get_header("WARC-Record-ID")
    assert request.rec_headers.get_header("WARC-Target-URI") == URL
    assert (request.http_headers.protocol, request.http_headers.statusline) == ("GET", "/harbour HTTP/1.1")
    assert request.http_headers.get_header("user-agent") == "newsmorgue"
    assert place.file == warc.files()[0].name
    check(warc.folder)


def test_a_record_is_one_gzip_member_at_its_place(warc: Warc) -> None:
    places = [warc.append(exchange(url=f"{URL}/{n}")) for n in range(3)]
    warc.close()
    data = warc.files()[0].read_bytes()
    for n, place in enumerate(places):
        member = gzip.decompress(data[place.offset : place.offset + place.length])
        assert member.startswith(b"WARC/1.1\r\n")
        assert f"WARC-Target-URI: {URL}/{n}\r\n".encode() in member
    whole = list(members(warc.files()[0]))
    assert len(whole) == 7
    assert {(place.offset, place.offset + place.length) for place in places} <= set(whole)
    assert whole[-1][1] == len(data)


def test_why_a_body_is_cut_is_said(warc: Warc) -> None:
    warc.append(replace(exchange(), truncated="length"))
    warc.close()
    assert records(warc.folder)[1][0].rec_headers.get_header("WARC-Truncated") == "length"
    check(warc.folder)


def test_without_an_ip_there_is_none(warc: Warc) -> None:
    warc.append(replace(exchange(), ip=None))
    warc.close()
    assert records(warc.folder)[1][0].rec_headers.get_header("WARC-IP-Address") is None


# -- reading back --------------------------------------------------------------------------------------------------

CODINGS = {
    "plain": (BODY, HTML),
    "gzip": (gzip.compress(BODY), (*HTML, ("Content-Encoding", "gzip"))),
    "two gzip members": (gzip.compress(BODY[:100]) + gzip.compress(BODY[100:]), (*HTML, ("Content-Encoding", "gzip"))),
    "deflate": (zlib.compress(BODY), (*HTML, ("Content-Encoding", "deflate"))),
    "raw deflate": (zlib.compress(BODY)[2:-4], (*HTML, ("Content-Encoding", "deflate"))),
    "gzip twice": (gzip.compress(gzip.compress(BODY)), (*HTML, ("Content-Encoding", "gzip, gzip"))),
    "br": (brotli.compress(BODY), (*HTML, ("Content-Encoding", "br"))),
    "br in gzip": (
        gzip.compress(brotli.compress(BODY)),
        (*HTML, ("Content-Encoding", "br"), ("Content-Encoding", "gzip")),
    ),
    "zstd": (zstd.compress(BODY), (*HTML, ("Content-Encoding", "zstd"))),
    "gzip without a name": (gzip.compress(BODY), HTML),
    "gzip in name only": (BODY, (*HTML, ("Content-Encoding", "gzip"))),
    "chunked": (BODY, (*HTML, ("Transfer-Encoding", "chunked"))),
    "chunked gzip": (gzip.compress(BODY), (*HTML, ("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip"))),
    "looks chunked": (b"5\r\nhello\r\n0\r\n\r\n", (*HTML, ("Transfer-Encoding", "chunked"))),
    "a wrong length": (BODY, (*HTML, ("Content-Length", "3"))),
    "nothing": (b"", HTML),
    "bytes of all kinds": (bytes(range(256)) * 5, HTML),
    "a WARC in a page": (b"WARC/1.1\r\nWARC-Type: response\r\n\r\n", HTML),
}


@pytest.mark.parametrize(("payload", "headers"), CODINGS.values(), ids=CODINGS)
def test_payloads_come_back_byte_for_byte(warc: Warc, payload: bytes, headers: tuple[tuple[str, str], ...]) -> None:
    place = warc.append(exchange(payload, headers=headers))
    warc.close()
    check(warc.folder)
    stored = warc.read(place)
    assert stored.payload == payload
    assert (stored.kind, stored.url, stored.status, stored.place) == ("response", URL, 200, place)
    assert stored.at == NOW
    lengths = [value for name, value in stored.headers if name.lower() == "content-length"]
    assert lengths == [str(len(payload))]
    # A reader that undoes transfer codings must find none to undo.
    assert not [name for name, _ in stored.headers if name.lower() == "transfer-encoding"]
    said = dict(headers).get("Transfer-Encoding")
    assert dict(stored.headers).get("X-Archive-Transfer-Encoding") == said


@pytest.mark.parametrize("name", [name for name in CODINGS if name not in ("looks chunked",)])
def test_pages_come_back_decoded(tmp_path: Path, name: str) -> None:
    payload, headers = CODINGS[name]
    answer = exchange(payload, headers=headers)
    body = payload if name in ("nothing", "bytes of all kinds", "a WARC in a page") else BODY
    with Archive.create(tmp_path / "archive") as archive:
        kept = keep(archive, answer, body=body)
        again = archive.page(kept.capture)
    assert (again.body, again.url, again.asked, again.status, again.captured) == (body, URL, URL, 200, NOW)
    assert again.content_type == "text/html"
    assert again.charset == page(answer, body).charset


@pytest.mark.parametrize("value", ["https://example.org/häfen", "größer — 漢字", "a: b: c", ""])
def test_headers_come_back_as_they_came(warc: Warc, value: str) -> None:
    place = warc.append(exchange(headers=(*HTML, ("X-Note", value), ("X-Note", "twice"))))
    warc.close()
    assert [found for name, found in warc.read(place).headers if name == "X-Note"] == [value, "twice"]
    check(warc.folder)


def test_header_bytes_that_are_not_utf_8_come_back_as_latin_1(warc: Warc) -> None:
    answer = exchange()
    place = warc.append(replace(answer, response_head=answer.response_head[:-2] + b"X-Note: H\xe4fen\r\n\r\n"))
    warc.close()
    assert dict(warc.read(place).headers)["X-Note"] == "Häfen"
    check(warc.folder)


@pytest.mark.parametrize("status", ["404 Not Found", "500 ", "503", "299 Odd"])
def test_any_status_is_kept(warc: Warc, status: str) -> None:
    place = warc.append(exchange(status=status))
    warc.close()
    assert warc.read(place).status == int(status[:3])
    check(warc.folder)


# -- the same again ------------------------------------------------------------------------------------------------


def keep(
    archive: Archive,
    *answers: Exchange,
    body: bytes | None = None,
    asked: str = "",
    verdict: str | None = "article",
    withheld: str | None = None,
) -> Kept:
    site = archive.site_id("example", home="https://example.org/", parser=None, timezone=None, now=NOW)
    run = archive.start_run(now=NOW, version="1", command="crawl", settings="{}")
    return archive.keep(
        page(answers[-1], body, asked or answers[0].url),
        answers,
        run=run,
        site=site,
        kind="story",
        verdict=verdict,
        withheld=withheld,
    )


def exchanged(archive: Archive) -> list[Any]:
    """Every record but those of our own facts."""
    return [record for record, payload in records(archive.path / "warc") if not payload.startswith(OURS)]


def kinds(archive: Archive) -> list[str]:
    return [record.rec_type for record in exchanged(archive)]


def test_an_identical_payload_is_a_revisit(tmp_path: Path) -> None:
    with Archive.create(tmp_path / "archive") as archive:
        first = keep(archive, exchange())
        second = keep(archive, exchange(at=NOW + timedelta(hours=1)))
        assert not first.identical
        assert second.identical
        assert (second.capture, second.visit) == (first.capture, first.visit + 1)
        assert kinds(archive) == ["warcinfo", "response", "request", "revisit"]
        original, revisit = (exchanged(archive)[n].rec_headers for n in (1, 3))
        assert revisit.get_header("WARC-Profile").endswith("/identical-payload-digest")
        assert revisit.get_header("WARC-Refers-To-Target-URI") == original.get_header("WARC-Target-URI")
        assert revisit.get_header("WARC-Refers-To-Date") == original.get_header("WARC-Date")
        assert revisit.get_header("WARC-Payload-Digest") == original.get_header("WARC-Payload-Digest")
        assert archive.page(first.capture).body == BODY
        row = next(iter(archive.db.query("SELECT visits, last_visit FROM captures")))
        assert row == {"visits": 2, "last_visit": "2026-03-01T07:30:15.250Z"}
    check(tmp_path / "archive" / "warc")
    revisited = [
        (record, body) for record, body in records(tmp_path / "archive" / "warc") if record.rec_type == "revisit"
    ]
    assert [body for _, body in revisited] == [b""]


TYPICAL = (
    ("Date", "Tue, 24 Nov 2026 06:30:15 GMT"),
    ("Content-Type", "text/html; charset=UTF-8"),
    ("Transfer-Encoding", "chunked"),
    ("Connection", "close"),
    ("Vary", "Accept-Encoding"),
    ("X-Powered-By", "PHP/8.2.12"),
    ("Link", '<https://news.example.org/wp-json/>; rel="https://api.w.org/"'),
    ("Link", '<https://news.example.org/wp-json/wp/v2/posts/48213>; rel="alternate"; type="application/json"'),
    ("Link", "<https://news.example.org/?p=48213>; rel=shortlink"),
    ("ETag", 'W/"5f3a-62b1c8d9e0f12"'),
    ("Last-Modified", "Tue, 24 Nov 2026 05:10:00 GMT"),
    ("Cache-Control", "max-age=60, public"),
    ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
    ("CF-Cache-Status", "DYNAMIC"),
    ("CF-RAY", "8e7a0b1c2d3e4f50-ICN"),
)
KOREAN = (
    "https://news.example.org/2026/11/24/%EB%91%90-%EC%B2%99%EC%9D%98-%EB%B0%B0%EA%B0%80-%EB%B0%80%EB%AC%BC%EC%97%90/"
)


@pytest.mark.parametrize("status", ["200 OK", "304 Not Modified"])
@pytest.mark.parametrize("url", [URL, KOREAN])
def test_a_visit_to_a_known_page_takes_900_bytes_at_most(warc: Warc, url: str, status: str) -> None:
    first = exchange(url=url, headers=TYPICAL)
    warc.append(first)
    before = warc.sync()
    again = exchange(url=url, headers=TYPICAL, at=NOW + timedelta(hours=1), status=status)
    warc.append(again, same_as=(url, "2026-03-01T06:30:15.250Z", sha1(BODY)))
    after = warc.sync()
    assert before is not None
    assert after is not None
    assert after[1] - before[1] <= 900
    check(warc.folder)


def test_a_304_is_a_revisit(tmp_path: Path) -> None:
    answer = exchange(b"", at=NOW + timedelta(hours=1), status="304 Not Modified", headers=(("ETag", '"a"'),))
    with Archive.create(tmp_path / "archive") as archive:
        first = keep(archive, exchange())
        run = archive.start_run(now=NOW, version="1", command="crawl", settings="{}")
        kept = archive.not_modified(URL, [answer], run=run)
        assert (kept.capture, kept.identical) == (first.capture, True)
        header = exchanged(archive)[3].rec_headers
        assert header.get_header("WARC-Profile").endswith("/server-not-modified")
        assert header.get_header("WARC-Refers-To-Target-URI") == URL
        assert [row["status"] for row in archive.db.query("SELECT status FROM visit ORDER BY id")] == [200, 304]
    check(tmp_path / "archive" / "warc")


def test_a_304_for_what_was_never_captured_is_an_error(tmp_path: Path) -> None:
    with Archive.create(tmp_path / "archive") as archive:
        run = archive.start_run(now=NOW, version="1", command="crawl", settings="{}")
        with pytest.raises(ArchiveError, match="never captured"):
            archive.not_modified(URL, [exchange(b"", status="304 Not Modified")], run=run)
        assert kinds(archive) == ["warcinfo"]


def test_the_same_content_in_another_coding_is_a_visit_with_its_own_response(tmp_path: Path) -> None:
    packed = exchange(gzip.compress(BODY), headers=(*HTML, ("Content-Encoding", "gzip")))
    with Archive.create(tmp_path / "archive") as archive:
        first = keep(archive, exchange())
        second = keep(archive, packed, body=BODY)
        assert (second.capture, second.identical) == (first.capture, True)
        assert kinds(archive) == ["warcinfo", "response", "request", "response", "request"]


def test_changed_content_and_another_address_are_captures_of_their_own(tmp_path: Path) -> None:
    with Archive.create(tmp_path / "archive") as archive:
        kept = [keep(archive, exchange()), keep(archive, exchange(b"new")), keep(archive, exchange(url=f"{URL}/b"))]
        assert len({one.capture for one in kept}) == 3
        # Back to an earlier text: that is a change, too.
        assert not keep(archive, exchange()).identical
        assert "revisit" not in kinds(archive)


def test_a_capture_that_nobody_read_is_kept_once_but_not_taken_for_read(tmp_path: Path) -> None:
    with Archive.create(tmp_path / "archive") as archive:
        first = keep(archive, exchange(), verdict=None)
        assert not archive.holds(URL, page(exchange()))
        second = keep(archive, exchange())
        assert (second.capture, second.identical, second.read) == (first.capture, True, False)
        archive.set_verdict(first.capture, "article")
        assert archive.holds(URL, page(exchange()))
        assert keep(archive, exchange()).read


def test_redirects_are_kept_before_the_answer(tmp_path: Path) -> None:
    hop = exchange(
        b"moved", status="301 Moved Permanently", headers=(("Location", "/harbour"),), url="https://example.org/?p=7"
    )
    with Archive.create(tmp_path / "archive") as archive:
        kept = keep(archive, hop, exchange())
        assert archive.page(kept.capture).asked == "https://example.org/?p=7"
        assert archive.page(kept.capture).url == URL
        assert kinds(archive) == ["warcinfo", "response", "request", "response", "request"]
        assert [body for record, body in records(archive.path / "warc") if record.rec_type == "response"] == [
            b"moved",
            BODY,
        ]
    check(tmp_path / "archive" / "warc")


# -- opting out ----------------------------------------------------------------------------------------------------


def test_a_withheld_payload_is_nowhere(tmp_path: Path) -> None:
    with Archive.create(tmp_path / "archive") as archive:
        kept = keep(archive, exchange(headers=(*HTML, ("X-Robots-Tag", "noarchive"))), withheld="noarchive")
        row = next(iter(archive.db.query("SELECT withheld, size, digest, status FROM captures")))
        assert row == {"withheld": "noarchive", "size": len(BODY), "digest": keeping.digest(BODY).hex(), "status": 200}
        with pytest.raises(ArchiveError, match="not kept"):
            archive.page(kept.capture)
        assert list(archive.pages()) == []
    assert kinds(archive) == ["warcinfo", "metadata", "request"]
    record, fields = records(tmp_path / "archive" / "warc")[3]
    assert record.rec_headers.get_header("Content-Type") == "application/warc-fields"
    assert b"withheld: noarchive\r\n" in fields
    assert b"http-status: 200 OK\r\n" in fields
    assert b"http-header: X-Robots-Tag: noarchive\r\n" in fields
    unpacked = b"".join(gzip.decompress(path.read_bytes()) for path in (tmp_path / "archive" / "warc").iterdir())
    database = b"".join(path.read_bytes() for path in (tmp_path / "archive").glob("archive.db*"))
    assert b"Ferries stay" not in unpacked + database
    check(tmp_path / "archive" / "warc")


def test_a_page_that_opts_out_later_is_withheld_from_then_on(tmp_path: Path) -> None:
    with Archive.create(tmp_path / "archive") as archive:
        keep(archive, exchange())
        assert not keep(archive, exchange(), withheld="noarchive").identical
        assert kinds(archive) == ["warcinfo", "response", "request", "metadata", "request"]


# -- secrets -------------------------------------------------------------------------------------------------------

SECRETS = (
    ("Cookie", "session=topsecret"),
    ("cOOkie", "b=topsecret"),
    ("Authorization", "Bearer topsecret"),
    ("Proxy-Authorization", "Basic topsecret"),
    ("Referer", "https://user:topsecret@example.org/"),
    ("X-Up", "HTTPS://user:topsecret@example.org/ and http://a:b@topsecret@example.org/"),
)
ANSWERED = (
    *HTML,
    ("Set-Cookie", "session=topsecret"),
    ("set-cookie", "other=topsecret"),
    ("Location", "https://user:topsecret@example.org/next"),
    ("Link", "<https://user:topsecret@example.org/>; rel=next"),
)


@pytest.mark.parametrize("how", ["response", "revisit", "304", "withheld", "redirect"])
def test_secrets_never_reach_files_or_rows(tmp_path: Path, how: str) -> None:
    secret = exchange(url="https://user:topsecret@example.org/harbour", headers=ANSWERED, request=(*REQUEST, *SECRETS))
    with Archive.create(tmp_path / "archive") as archive:
        if how == "redirect":
            keep(archive, replace(secret, response_head=head("HTTP/1.1 302 Found", ANSWERED)), secret)
        else:
            keep(archive, secret, withheld="noarchive" if how == "withheld" else None)
        if how == "revisit":
            assert keep(archive, secret).identical
        if how == "304":
            answer = replace(secret, payload=b"", response_head=head("HTTP/1.1 304 Not Modified", ANSWERED))
            archive.not_modified(URL, [answer], run=1)
    unpacked = b"".join(gzip.decompress(path.read_bytes()) for path in (tmp_path / "archive" / "warc").iterdir())
    rows = b"".join(path.read_bytes() for path in (tmp_path / "archive").glob("archive.db*"))
    assert b"topsecret" not in unpacked + rows
    assert unpacked.count(b"[removed]") >= 10
    for name in (b"Authorization: [removed]", b"Cookie: [removed]", b"Proxy-Authorization: [removed]"):
        assert name in unpacked
    assert b"Set-Cookie: [removed]" in unpacked
    check(tmp_path / "archive" / "warc")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("https://u:p@example.org/a", "https://[removed]@example.org/a"),
        ("http://u@example.org", "http://[removed]@example.org"),
        ("HTTPS://u:p@example.org/", "HTTPS://[removed]@example.org/"),
        ("https://u:p@q@example.org/", "https://[removed]@example.org/"),
        ("https://example.org/@writer", "https://example.org/@writer"),
        ("https://example.org?mail=a@example.com", "https://example.org?mail=a@example.com"),
        ("https://example.org#a@b", "https://example.org#a@b"),
        ("write to https://example.org or a@example.com", "write to https://example.org or a@example.com"),
    ],
)
def test_user_names_in_addresses(text: str, clean: str) -> None:
    assert without_userinfo(text) == clean


# -- files ---------------------------------------------------------------------------------------------------------


def test_a_new_file_is_begun_when_one_is_full(tmp_path: Path) -> None:
    warc = Warc(tmp_path, rotate_at=4000)
    places = []
    for n in range(20):
        places.append(warc.append(exchange(f"{n}".encode() * 50, url=f"{URL}/{n}", at=NOW + timedelta(seconds=n))))
        warc.sync()
    files = warc.files()
    assert len(files) > 2
    assert sorted({place.file for place in places}) == [path.name for path in files]
    assert all(path.stat().st_size >= 4000 for path in files[:-1])
    assert [warc.read(place).payload for place in places] == [f"{n}".encode() * 50 for n in range(20)]
    first = [record for record, _ in records(tmp_path) if record.rec_type == "warcinfo"]
    assert [record.rec_headers.get_header("WARC-Filename") for record in first] == [path.name for path in files]
    check(tmp_path)


def test_the_last_file_is_continued(tmp_path: Path) -> None:
    places = []
    for n in range(3):
        warc = Warc(tmp_path)
        places.append(warc.append(exchange(url=f"{URL}/{n}")))
        warc.close()
    assert len({place.file for place in places}) == 1
    assert [record.rec_type for record, _ in records(tmp_path)].count("warcinfo") == 1
    check(tmp_path)


def test_records_from_a_place_on(warc: Warc) -> None:
    places = [warc.append(exchange(url=f"{URL}/{n}")) for n in range(3)]
    warc.close()
    path = warc.files()[0]
    after = places[0].offset + places[0].length
    found: list[Stored] = [stored for stored in warc.records(path, after) if stored.kind == "response"]
    assert [stored.place for stored in found] == places[1:]
    assert [stored.payload for stored in found] == [BODY, BODY]


# -- damage --------------------------------------------------------------------------------------------------------


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def damage(warc: Warc, place: Place, payload: bytes) -> ArchiveDamaged | None:
    """The error that reading a record raises; None if its payload is what it was."""
    try:
        assert warc.read(place).payload == payload
    except ArchiveDamaged as error:
        return error
    return None


def test_a_flipped_byte_is_noticed_wherever_it_is(warc: Warc) -> None:
    answer = exchange(b"".join(hashlib.sha256(bytes([n])).digest() for n in range(4)))
    warc.append(exchange(url=f"{URL}/before"))
    place = warc.append(answer)
    after = warc.append(exchange(url=f"{URL}/after"))
    warc.close()
    path = warc.folder / place.file
    noticed = 0
    for at in range(place.offset, place.offset + place.length):
        flip(path, at)
        error = damage(warc, place, answer.payload)
        if error is not None:
            noticed += 1
            assert place.file in str(error)
            assert f"offset {place.offset}" in str(error)
            assert error.exit_code == 4
        assert warc.read(after).payload == BODY
        flip(path, at)
    # All but a few bytes of the gzip header, which carry nothing.
    assert noticed >= place.length - 10


def test_a_flipped_byte_is_noticed_when_a_page_is_read(tmp_path: Path) -> None:
    with Archive.create(tmp_path / "archive") as archive:
        kept = keep(archive, exchange())
        file, offset, length = archive.db.execute("SELECT file, offset, length FROM capture").fetchone()
    flip(tmp_path / "archive" / "warc" / file, offset + length // 2)
    with Archive.open(tmp_path / "archive") as archive, pytest.raises(ArchiveDamaged) as caught:
        archive.page(kept.capture)
    assert file in str(caught.value)
    assert str(offset) in str(caught.value)


def test_another_record_at_the_place_is_noticed(tmp_path: Path) -> None:
    with Archive.create(tmp_path / "archive") as archive:
        first = keep(archive, exchange())
        second = keep(archive, exchange(b"something else", url=f"{URL}/b"))
        archive.db.execute(
            "UPDATE capture SET offset = (SELECT offset FROM capture WHERE id = ?2), length = "
            "(SELECT length FROM capture WHERE id = ?2) WHERE id = ?1",
            (first.capture, second.capture),
        )
        with pytest.raises(ArchiveDamaged, match="is not what was captured"):
            archive.page(first.capture)


def test_a_missing_file_and_a_place_beyond_the_end_are_named(warc: Warc) -> None:
    place = warc.append(exchange())
    warc.close()
    with pytest.raises(ArchiveDamaged, match="offset 999999"):
        warc.read(Place(place.file, 999_999, 100))
    warc.files()[0].unlink()
    with pytest.raises(ArchiveDamaged, match="is missing"):
        warc.read(place)


def test_a_payload_that_unpacks_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zipped = {
        name: exchange(gzip.compress(bytes(size)), url=f"{URL}/{name}", headers=CODINGS["gzip"][1])
        for name, size in (("small", 9_000), ("large", 20_000))
    }
    with Archive.create(tmp_path / "archive") as archive:
        small, large = (keep(archive, answer, body=b"") for answer in zipped.values())
        monkeypatch.setattr(keeping, "MAX_DECODED", 10_000)
        with pytest.raises(ArchiveDamaged, match="10000 bytes"):
            archive.page(large.capture)
        with pytest.raises(ArchiveDamaged, match="is not what was captured"):
            archive.page(small.capture)


def test_a_gzip_that_breaks_off_gives_what_there_was_and_says_so(tmp_path: Path) -> None:
    payload, headers = gzip.compress(BODY)[:-20], CODINGS["gzip"][1]
    body = decode(payload, headers, most=10**6).body
    assert body
    with Archive.create(tmp_path / "archive") as archive:
        kept = keep(archive, exchange(payload, headers=headers), body=body)
        again = archive.page(kept.capture)
    assert (again.body, again.truncated) == (body, True)


def test_heads_as_received_become_headers_of_a_record(warc: Warc) -> None:
    """Line ends without CR, folded values, a CR that is no line end: readers of the record meet none of them."""
    raw = (
        b"HTTP/1.1 200\nContent-Type: text/html\nX-Long: one\n\ttwo\r\n three\r\n"
        b"Set-Cookie: a=topsecret;\n b=topsecret\nX-A: b\rX-C: d\nno colon\n\n"
    )
    place = warc.append(replace(exchange(), response_head=raw))
    warc.close()
    stored = warc.read(place)
    assert (stored.status, stored.payload) == (200, BODY)
    found = dict(stored.headers)
    assert (found["X-Long"], found["Set-Cookie"], found["X-A"]) == ("one two three", "[removed]", "b X-C: d")
    assert b"topsecret" not in b"".join(gzip.decompress(path.read_bytes()) for path in warc.files())
    check(warc.folder)
