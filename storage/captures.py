"""WARC: append, fsync, read back, rotate, recover. The log of the archive; SQLite is its index.

WARC 1.1 (ISO 28500:2017), one gzip member a record, so that a record can be read by offset and length alone.
"""

import os
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from parsers.errors import ArchiveDamaged, ArchiveError
from parsers.version import __version__
from storage.timing import stamp

ROTATE_AT = 1_000_000_000
"""Bytes after which a new WARC file is begun."""
REMOVED = "[removed]"
SECRET = frozenset(("cookie", "set-cookie", "authorization", "proxy-authorization"))
_USERINFO = re.compile(r"(https?://)[^/?#\s]+@", re.IGNORECASE)
PROFILE_SAME = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
PROFILE_304 = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its response, as they went over the wire.

    `at`: aware UTC instant of the response's head. `request_head`, `response_head`: first line and headers with CRLF, as
    sent and received. `payload`: the body with its content coding on and its transfer coding off. `truncated`: why the
    body is incomplete (`length`, `time`, `disconnect`), None if it is whole.
    """

    url: str
    at: datetime
    request_head: bytes
    response_head: bytes
    payload: bytes
    ip: str | None = None
    truncated: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lies: file name in warc/, offset and length of its gzip member in bytes."""

    file: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Stored:
    """A response read back: its place, its address and time, status, headers and payload."""

    place: Place
    kind: str
    url: str
    at: datetime
    status: int
    headers: tuple[tuple[str, str], ...]
    payload: bytes


class Warc:
    """The WARC files of one archive; one writer at a time."""

    def __init__(self, folder: Path, *, rotate_at: int = ROTATE_AT) -> None:
        self.folder = folder
        self.rotate_at = rotate_at
        self._file: IO[bytes] | None = None
        self._writer: WARCWriter | None = None

    # -- writing -------------------------------------------------------------------------------------------------

    def append(
        self, exchange: Exchange, *, same_as: tuple[str, str, str] | None = None, note: str | None = None
    ) -> Place:
        """Append request and response; the place is that of the response's record. Call `sync` before relying on it.

        `same_as`: (address, WARC-Date, payload digest) of the earlier record with the identical payload: a `revisit`
        record without payload is written. `note`: the payload is withheld for this reason: the headers are kept in a
        `metadata` record instead.
        """
        writer, file = self._open(exchange.at)
        headers = _http(exchange.response_head)
        extra = {"WARC-Date": stamp(exchange.at)}
        if exchange.ip:
            extra["WARC-IP-Address"] = exchange.ip
        if exchange.truncated:
            extra["WARC-Truncated"] = exchange.truncated
        url = without_userinfo(exchange.url)
        begin = file.tell()
        if note is not None:
            fields = _fields(headers, note)
            record = writer.create_warc_record(
                url,
                "metadata",
                payload=BytesIO(fields),
                length=len(fields),
                warc_content_type="application/warc-fields",
                warc_headers_dict=extra,
            )
        elif same_as is not None:
            earlier_url, earlier_date, digest = same_as
            profile = PROFILE_304 if headers.get_statuscode() == "304" else PROFILE_SAME
            record = writer.create_revisit_record(
                url,
                digest,
                earlier_url,
                earlier_date,
                http_headers=headers,
                warc_headers_dict={**extra, "WARC-Profile": profile},
            )
        else:
            headers.replace_header("Content-Length", str(len(exchange.payload)))
            record = writer.create_warc_record(
                url,
                "response",
                payload=BytesIO(exchange.payload),
                length=len(exchange.payload),
                http_headers=headers,
                warc_headers_dict=extra,
            )
        writer.write_record(record)
        end = file.tell()
        request = writer.create_warc_record(
            url,
            "request",
            payload=BytesIO(b""),
            length=0,
            http_headers=_http_request(exchange.request_head),
            warc_headers_dict={
                "WARC-Date": stamp(exchange.at),
                "WARC-Concurrent-To": record.rec_headers.get_header("WARC-Record-ID"),
            },
        )
        writer.write_record(request)
        return Place(Path(file.name).name, begin, end - begin)

    def sync(self) -> None:
        """Make everything appended durable. Raises ArchiveError if the disk refuses."""
        if self._file is None:
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise ArchiveError(
                f"cannot write to {self._file.name}",
                cause=str(error),
                next="free some space, then run the same command",
            ) from error

    def close(self) -> None:
        """Sync and close the file at hand."""
        if self._file is not None:
            self.sync()
            self._file.close()
            self._file = self._writer = None

    def _open(self, at: datetime) -> tuple[WARCWriter, IO[bytes]]:
        if self._file is not None and self._file.tell() >= self.rotate_at:
            self.close()
        if self._file is None or self._writer is None:
            last = self.files()[-1:] if self.files() else []
            fresh = not last or last[0].stat().st_size >= self.rotate_at
            path = (
                self.folder / f"{at.astimezone(UTC):%Y%m%dT%H%M%S}-{len(self.files()) + 1:05d}.warc.gz"
                if fresh
                else last[0]
            )
            self._file = path.open("ab")
            self._writer = WARCWriter(self._file, gzip=True, warc_version="1.1")
            if fresh:
                self._writer.write_record(
                    self._writer.create_warcinfo_record(
                        path.name, {"software": f"newsmorgue/{__version__}", "format": "WARC File Format 1.1"}
                    )
                )
                _sync_folder(self.folder)
        return self._writer, self._file

    # -- reading -------------------------------------------------------------------------------------------------

    def files(self) -> list[Path]:
        """The WARC files in the order they were begun."""
        return sorted(self.folder.glob("*.warc.gz"), key=lambda path: path.name.split("-")[-1])

    def read(self, place: Place) -> Stored:
        """Read a record back, digests checked. Raises ArchiveDamaged naming file and offset."""
        path = self.folder / place.file
        try:
            with path.open("rb") as file:
                file.seek(place.offset)
                member = file.read(place.length)
            for record in ArchiveIterator(BytesIO(member), check_digests="raise"):
                return _stored(record, place)
        except FileNotFoundError as error:
            raise ArchiveDamaged(f"{path} is missing", next="restore it from a backup") from error
        except Exception as error:
            raise ArchiveDamaged(
                f"{path}: the record at offset {place.offset} cannot be read",
                cause=str(error),
                next="restore it from a backup",
            ) from error
        raise ArchiveDamaged(f"{path}: no record at offset {place.offset}", next="restore it from a backup")

    def cut_tail(self, path: Path, known: int = 0) -> int:
        """Cut a file after its last whole gzip member; the number of bytes cut off (a write that never ended).

        Nothing before `known`, the end of the last record that SQLite knows, is looked at or cut: a byte that went bad
        there must not cost what follows it.
        """
        size = path.stat().st_size
        good = known
        for _, end in members(path, known):
            good = end
        if good < size:
            with path.open("r+b") as file:
                file.truncate(good)
                os.fsync(file.fileno())
        return size - good

    def records(self, path: Path, start: int) -> Iterator[Stored]:
        """Response, revisit and metadata records of a file from an offset on."""
        for begin, end in members(path, start):
            with path.open("rb") as file:
                file.seek(begin)
                member = file.read(end - begin)
            for record in ArchiveIterator(BytesIO(member)):
                if record.rec_type in ("response", "revisit"):
                    yield _stored(record, Place(path.name, begin, end - begin))


def members(path: Path, start: int = 0) -> Iterator[tuple[int, int]]:
    """Begin and end of each whole gzip member from `start` on; stops before one that is cut or damaged."""
    with path.open("rb") as file:
        file.seek(start)
        begin = start
        pending = b""
        while True:
            inflater = zlib.decompressobj(wbits=31)
            used = 0
            try:
                while not inflater.eof:
                    chunk = pending or file.read(1 << 16)
                    if not chunk:
                        return
                    inflater.decompress(chunk)
                    pending = inflater.unused_data
                    used += len(chunk) - len(pending)
            except zlib.error:
                return
            yield begin, begin + used
            begin += used


def without_userinfo(text: str) -> str:
    """The text with user names and passwords of addresses removed."""
    return _USERINFO.sub(rf"\1{REMOVED}@", text)


def _stored(record: Any, place: Place) -> Stored:
    payload = record.content_stream().read() if record.rec_type != "response" else record.raw_stream.read()
    http = record.http_headers
    return Stored(
        place=place,
        kind=record.rec_type,
        url=record.rec_headers.get_header("WARC-Target-URI"),
        at=datetime.fromisoformat(record.rec_headers.get_header("WARC-Date")).astimezone(UTC),
        status=int(http.get_statuscode()) if http is not None else 0,
        headers=tuple((str(name), str(value)) for name, value in http.headers) if http is not None else (),
        payload=payload,
    )


def _lines(head: bytes) -> tuple[str, list[tuple[str, str]]]:
    lines = head.decode("latin-1").split("\r\n")
    pairs = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            secret = name.strip().lower() in SECRET
            pairs.append((name, REMOVED if secret else without_userinfo(value.strip())))
    return lines[0], pairs


class _Headers(StatusAndHeaders):  # type: ignore[misc]
    """Headers written as they came: warcio percent-encodes every value that holds a byte beyond ASCII."""

    def to_ascii_bytes(self, filter_func: Any = None) -> bytes:
        return bytes(self.to_str(filter_func).encode("latin-1") + b"\r\n")


def _http(head: bytes) -> StatusAndHeaders:
    """Response headers for a record: the payload's transfer coding is off, so its header would lie."""
    first, pairs = _lines(head)
    protocol, _, status = first.partition(" ")
    kept = [
        (name if name.lower() != "transfer-encoding" else "X-Archive-Transfer-Encoding", value) for name, value in pairs
    ]
    return _Headers(status or "200 OK", kept, protocol or "HTTP/1.1")


def _http_request(head: bytes) -> StatusAndHeaders:
    first, pairs = _lines(head)
    return _Headers(first, pairs, is_http_request=True)


def _fields(headers: StatusAndHeaders, note: str) -> bytes:
    lines: Sequence[str] = [f"withheld: {note}", f"http-status: {headers.statusline}"]
    lines = [*lines, *(f"http-header: {name}: {value}" for name, value in headers.headers)]
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1", "replace")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
