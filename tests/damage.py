"""Damage of every kind, done to a copy of an archive; and what of it `verify` must name."""

import gzip
import random
import sqlite3
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from storage.captures import Warc
from storage.findings import KINDS, Finding
from storage.records import Exchange, Stored, members
from storage.verify import Verify


def findings(folder: Path, *, quick: bool = False) -> list[Finding]:
    found = list(Verify(folder, quick=quick).findings())
    assert {finding.kind for finding in found} <= set(KINDS)
    return found


def warc(folder: Path) -> Path:
    (path,) = Warc(folder / "warc").files()
    return path


class Member(NamedTuple):
    """One member of the WARC file of a copy."""

    begin: int
    end: int
    record: Stored


def all_members(folder: Path) -> list[Member]:
    path = warc(folder)
    log = Warc(folder / "warc")
    return [
        Member(begin, end, record) for begin, end in members(path) for record in log.at(path, begin, end)
    ]  # the warcinfo is left out


def some(folder: Path, kind: str, n: int = 20) -> Member:
    return [member for member in all_members(folder) if member.record.kind == kind][n]


def execute(folder: Path, *statements: str) -> None:
    db = sqlite3.connect(folder / "archive.db")
    with db:
        for statement in statements:
            db.execute(statement)
    db.close()


def value(folder: Path, sql: str) -> tuple[int, ...]:
    db = sqlite3.connect(folder / "archive.db")
    try:
        return tuple(db.execute(sql).fetchone())
    finally:
        db.close()


def overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def flip(path: Path, offset: int, bit: int = 4) -> None:
    byte = path.read_bytes()[offset]
    overwrite(path, offset, bytes([byte ^ 1 << bit]))


def replace(path: Path, begin: int, end: int, data: bytes) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:begin] + data + whole[end:])


def repacked(path: Path, begin: int, end: int, change: Callable[[bytes], bytes]) -> None:
    """A member packed anew with other content, in the same room; what is left of it is a comment in its gzip header."""
    content = change(gzip.decompress(path.read_bytes()[begin:end]))
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packer.compress(content) + packer.flush()
    trailer = zlib.crc32(content).to_bytes(4, "little") + len(content).to_bytes(4, "little")
    room = end - begin - 10 - len(body) - len(trailer) - 1
    assert room >= 0
    overwrite(path, begin, b"\x1f\x8b\x08\x10\0\0\0\0\2\3" + b"." * room + b"\0" + body + trailer)


# -- WARC damage ---------------------------------------------------------------------------------------------------

Expected = tuple[str, int, str | None]
"""Kind, offset and address of a finding."""


def cut(folder: Path, size: int) -> Expected:
    """The finding names where the record begins that is not whole any more, else where the file ends."""
    whole = [(begin, end) for begin, end in members(warc(folder)) if end > size]
    with warc(folder).open("r+b") as file:
        file.truncate(size)
    return "file_cut", min(whole[0][0], size), None


def cut_one_byte(folder: Path) -> Expected:
    return cut(folder, warc(folder).stat().st_size - 1)


def cut_a_hundred_bytes(folder: Path) -> Expected:
    return cut(folder, warc(folder).stat().st_size - 100)


def cut_between_two_records(folder: Path) -> Expected:
    return cut(folder, some(folder, "request").end)


def flipped_time_of_a_gzip_header(folder: Path) -> Expected:
    member = some(folder, "request")
    flip(warc(folder), member.begin + 5)
    return "altered_header", member.begin, None


def zeros_over_several_records(folder: Path) -> Expected:
    member = some(folder, "response")
    overwrite(warc(folder), member.begin + 100, bytes(member.end - member.begin + 500))
    return "zero_filled", member.begin, member.record.url


def zeros_over_a_record_and_no_other(folder: Path) -> Expected:
    member = some(folder, "response")
    overwrite(warc(folder), member.begin, bytes(member.end - member.begin))
    return "zero_filled", member.begin, member.record.url


def zeros_behind_the_last_record(folder: Path) -> Expected:
    size = warc(folder).stat().st_size
    overwrite(warc(folder), size, bytes(500))
    return "zero_filled", size, None


def garbage_behind_the_last_record(folder: Path) -> Expected:
    size = warc(folder).stat().st_size
    overwrite(warc(folder), size, random.Random(1).randbytes(500))
    return "garbage", size, None


def garbage_in_place_of_a_request(folder: Path) -> Expected:
    member = some(folder, "request")
    overwrite(warc(folder), member.begin, random.Random(2).randbytes(member.end - member.begin))
    return "garbage", member.begin, None


def a_page_that_is_a_warc_is_not_taken_for_records(folder: Path) -> Expected:
    member = some(folder, "response")
    inside = warc(folder).read_bytes()[: some(folder, "request", 2).end]
    room = member.end - member.begin - 20
    overwrite(warc(folder), member.begin + 20, (inside * 9)[:room])
    return "damaged_record", member.begin, member.record.url


def a_response_in_place_of_another(folder: Path) -> Expected:
    one, two = some(folder, "response", 5), some(folder, "response", 20)
    data = warc(folder).read_bytes()[two.begin : two.end]
    replace(warc(folder), one.begin, one.end, data)
    # Everything behind it has moved; what lay there is named first.
    return "row_mismatch", one.begin, one.record.url


def an_earlier_content_of_the_same_address(folder: Path) -> Expected:
    member = some(folder, "response")
    repacked(warc(folder), member.begin, member.end, other_words)
    return "row_mismatch", member.begin, member.record.url


def other_words(content: bytes) -> bytes:
    """A response with a shorter payload, its digests left out."""
    head, http, payload = content.split(b"\r\n\r\n", 2)
    lines = [line for line in head.split(b"\r\n") if b"Digest" not in line and b"Content-Length" not in line]
    payload = payload[:200]
    http = b"\r\n".join(line for line in http.split(b"\r\n") if b"Content-Length" not in line)
    block = http + b"\r\n\r\n" + payload
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(block)]) + b"\r\n\r\n" + block + b"\r\n\r\n"


def a_request_in_place_of_another(folder: Path) -> Expected:
    requests = [member for member in all_members(folder) if member.record.kind == "request"]
    one, two = _alike(requests)
    overwrite(warc(folder), two.begin, warc(folder).read_bytes()[one.begin : one.end])
    return "record_out_of_place", two.begin, one.record.url


def facts_in_place_of_others(folder: Path) -> Expected:
    facts = [member for member in all_members(folder) if member.record.facts and member.record.facts["event"] == "page"]
    one, two = _alike(facts)
    overwrite(warc(folder), two.begin, warc(folder).read_bytes()[one.begin : one.end])
    return "record_out_of_place", two.begin, one.record.url


def _alike(found: list[Member]) -> tuple[Member, Member]:
    """Two members of one length."""
    lengths: dict[int, Member] = {}
    for member in found:
        length = member.end - member.begin
        if length in lengths and lengths[length].record.url != member.record.url:
            return lengths[length], member
        lengths.setdefault(length, member)
    raise AssertionError("no two are of one length")


def a_payload_that_is_not_what_its_digest_says(folder: Path) -> Expected:
    member = some(folder, "response")
    word = b"a" * 200
    repacked(warc(folder), member.begin, member.end, lambda content: content[:-204] + word + content[-4:])
    return "digest_mismatch", member.begin, member.record.url


def a_member_without_a_record(folder: Path) -> Expected:
    member = some(folder, "response")
    repacked(warc(folder), member.begin, member.end, lambda content: b"no record at all")
    return "unreadable_record", member.begin, member.record.url


def two_records_in_a_member(folder: Path) -> Expected:
    member = some(folder, "response")
    request = gzip.decompress(warc(folder).read_bytes()[slice(*some(folder, "request", 1)[:2])])
    repacked(warc(folder), member.begin, member.end, lambda content: request * 2)
    return "unreadable_record", member.begin, member.record.url


DAMAGE: list[Callable[[Path], Expected]] = [
    cut_one_byte,
    cut_a_hundred_bytes,
    cut_between_two_records,
    flipped_time_of_a_gzip_header,
    zeros_over_several_records,
    zeros_over_a_record_and_no_other,
    zeros_behind_the_last_record,
    garbage_behind_the_last_record,
    garbage_in_place_of_a_request,
    a_page_that_is_a_warc_is_not_taken_for_records,
    a_response_in_place_of_another,
    an_earlier_content_of_the_same_address,
    a_request_in_place_of_another,
    facts_in_place_of_others,
    a_payload_that_is_not_what_its_digest_says,
    a_member_without_a_record,
    two_records_in_a_member,
]


OTHER_PAGE = "https://other.example/page"


def unrecorded(folder: Path, url: str = OTHER_PAGE) -> int:
    """A response that no row knows, at the end; gives its offset."""
    log = Warc(folder / "warc")
    at = datetime(2026, 11, 26, tzinfo=UTC)
    place = log.append(
        Exchange(url, at, b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", b"<p>new")
    )
    log.close()
    return place.offset
