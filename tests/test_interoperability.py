"""Other people's tools read what we write: warcio, FastWARC, wacz and pywb, on pages as awkward as the web's.

They live in an environment of their own, `.venv-interop` (`make interop`; docs/decisions/interoperability.md).
"""

import gzip
import http.client
import json
import socket
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from test_crawl import NOW, STORY, front, html, visit

from scraper.clock import Clock
from scraper.crawl import Limits
from scraper.imports import Inputs
from scraper.imports import run as run_import
from scraper.settings import load
from storage.captures import Warc
from tests.servers import Server, answer, head, moved, zipped

TOOLS = Path(__file__).resolve().parent.parent / ".venv-interop" / "bin"
pytestmark = pytest.mark.skipif(
    not (TOOLS / "wayback").exists(), reason="left out: the tools of others are not here (make interop)"
)
BODY = html("Two boats lost in the high tide", "<p>Häfen, 항구: the ferries stay in port today.</p>" * 40)
LATIN = html("Zwei Boote verloren").decode().replace("tide", "Flut für Häfen").encode("latin-1")


def chunked(body: bytes, headers: Mapping[str, str] = {}) -> bytes:
    parts = [body[at : at + 1000] for at in range(0, len(body), 1000)]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    return head(headers={"Transfer-Encoding": "chunked", **headers}) + framed


def raw_header(line: bytes) -> bytes:
    first, rest = answer(BODY).split(b"\r\n", 1)
    return first + b"\r\n" + line + b"\r\n" + rest


# Name to what the server sends, and the page that a reader gets.
PAGES: dict[str, tuple[bytes, bytes]] = {
    "plain": (answer(BODY), BODY),
    "gzip": (zipped(BODY), BODY),
    "deflate": (answer(zlib.compress(BODY), headers={"Content-Encoding": "deflate"}), BODY),
    "chunked": (chunked(BODY), BODY),
    "gzip-chunked": (chunked(gzip.compress(BODY, mtime=0), {"Content-Encoding": "gzip"}), BODY),
    "latin-1": (answer(LATIN, headers={"Content-Type": "text/html; charset=ISO-8859-1"}), LATIN),
    "latin-1-header": (raw_header("X-Author: Jürgen Häfner".encode("latin-1")), BODY),
    "utf-8-header": (raw_header("X-Author: 강은미".encode()), BODY),
    "huge-header": (raw_header(b"X-Trace: " + b"0123456789abcdef" * 2000), BODY),
    "cookie": (answer(BODY, headers={"Set-Cookie": "session=secret; Path=/"}), BODY),
    "connection-close": (head() + BODY, BODY),
    "http-1.0": (b"HTTP/1.0 200 OK\r\n\r\n" + BODY, BODY),
    "repeated": (zipped(BODY + b"<!-- again -->"), BODY + b"<!-- again -->"),
    "empty": (answer(b""), b""),
    "missing": (answer(html("Gone"), status=404), html("Gone")),
}
MOVED = STORY.format("moved")
IMPORTED = "http://archive.example/2019/03/01/two-boats-lost-in-the-tide/"
KOREAN = html("두 척의 배").decode().encode("cp949")


@dataclass(frozen=True)
class Kept:
    """An archive of all the pages, visited twice, and of two from a list. `visits`: address, status and instant of each."""

    folder: Path
    base: str
    visits: tuple[tuple[str, int, datetime], ...]

    @property
    def files(self) -> list[str]:
        return [str(path) for path in Warc(self.folder / "warc").files()]

    @property
    def pages(self) -> dict[str, bytes]:
        """Address to the page's bytes, its codings off."""
        crawled = {self.base + STORY.format(name): body for name, (_, body) in PAGES.items()}
        return {**crawled, IMPORTED: KOREAN}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("awkward") / "archive"
    with Server() as server:
        server.at["/"] = answer(front(MOVED, *(STORY.format(name) for name in PAGES)))
        server.at["/robots.txt"] = answer(b"User-agent: *\nAllow: /\n", headers={"Content-Type": "text/plain"})
        server.at[MOVED] = moved(STORY.format("plain"))
        for name, (sent, _) in PAGES.items():
            server.at[STORY.format(name)] = sent
        visit(server, folder)
        visit(server, folder, Limits(wait=0.0, recheck=True), now=NOW + timedelta(hours=2))
        base = server.base
    listed(folder, "2019-03-01T06:00:00Z", "2019-03-02T06:00:00Z")
    db = sqlite3.connect(folder / "archive.db")
    rows = db.execute(
        "SELECT c.url, v.status, v.at FROM visit v JOIN capture c ON c.id = v.capture_id WHERE c.kind = 'story' ORDER BY v.id"
    ).fetchall()
    db.close()
    return Kept(folder, base, tuple((url, status, datetime.fromisoformat(at)) for url, status, at in rows))


def listed(folder: Path, *captured: str) -> None:
    """Import a page as it was at several times: a `resource` record and a `revisit` of it."""
    (folder / "page.html.gz").write_bytes(gzip.compress(KOREAN))
    lines = [{"path": "page.html.gz", "url": IMPORTED, "encoding": "euc-kr", "captured": at} for at in captured]
    (folder / "list.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    inputs = Inputs(listed=folder / "list.jsonl")
    done = run_import(folder, load(folder, environ={}), inputs, clock=Clock(NOW + timedelta(hours=4)))
    assert (done.state, done.tally.counts["got"]) == ("done", len(captured))


def run(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [str(TOOLS / command[0]), *command[1:]], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_every_page_was_kept_twice(kept: Kept) -> None:
    assert {url for url, _, _ in kept.visits} == set(kept.pages)
    assert len(kept.visits) == 2 * (len(PAGES) + 1) + 2  # `plain` also by its redirect


def test_warcio_checks_every_digest(kept: Kept) -> None:
    said = run("warcio", "check", "-v", *kept.files)
    assert said.count("digest pass") > 3 * len(PAGES)
    assert "fail" not in said.replace("0 fail", "")


def test_warcio_indexes_every_record(kept: Kept) -> None:
    lines = run("warcio", "index", "-f", "warc-type,warc-target-uri", *kept.files).splitlines()
    kinds = {json.loads(line)["warc-type"] for line in lines}
    assert kinds == {"warcinfo", "metadata", "request", "response", "resource", "revisit"}


def test_fastwarc_checks_every_record(kept: Kept) -> None:
    for file in kept.files:
        run("fastwarc", "check", file)


def test_wacz_packs_and_validates(kept: Kept, tmp_path: Path) -> None:
    packed = tmp_path / "awkward.wacz"
    run("wacz", "create", "-o", str(packed), *kept.files)
    assert "invalid" not in run("wacz", "validate", "-f", str(packed)).lower()


@pytest.fixture(scope="module")
def wayback(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """pywb with the archive as its collection; the address under which it replays bytes."""
    folder = tmp_path_factory.mktemp("pywb")
    run("wb-manager", "init", "awkward", cwd=folder)
    run("wb-manager", "add", "awkward", *kept.files, cwd=folder)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [str(TOOLS / "wayback"), "-b", "127.0.0.1", "-p", str(port)], cwd=folder, stdout=log, stderr=log
        )
        try:
            for _ in range(200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/awkward"
        finally:
            server.terminate()
            server.wait(10)


def replayed(address: str) -> tuple[int, bytes]:
    """Status and page of an address, its content coding off."""
    try:
        with urllib.request.urlopen(address, timeout=30) as got:
            status, coding, body = got.status, got.headers.get("Content-Encoding"), got.read()
    except urllib.error.HTTPError as error:
        status, coding, body = error.code, error.headers.get("Content-Encoding"), error.read()
    if coding == "gzip":
        return status, gzip.decompress(body)
    return status, zlib.decompress(body) if coding == "deflate" else body


def test_pywb_replays_every_visit_byte_for_byte(kept: Kept, wayback: str) -> None:
    pages = kept.pages
    for url, status, at in kept.visits:
        got = replayed(f"{wayback}/{at:%Y%m%d%H%M%S}id_/{url}")
        assert got == (status, pages[url]), url


def test_pywb_replays_a_redirect(kept: Kept, wayback: str) -> None:
    place = urlsplit(wayback)
    asked = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    asked.request("GET", f"{place.path}/{NOW:%Y%m%d%H%M%S}id_/{kept.base}{MOVED}")
    got = asked.getresponse()
    assert (got.status, got.headers["Location"]) == (302, STORY.format("plain"))
    asked.close()


def test_pywb_lists_exchanges_and_none_of_our_facts(kept: Kept, wayback: str) -> None:
    with urllib.request.urlopen(f"{wayback}/cdx?url={kept.base}/*&output=json", timeout=30) as got:
        listed = [json.loads(line)["mime"] for line in got.read().decode().splitlines()]
    others = 2 * 3  # front, robots.txt and the redirect, each twice
    assert len(listed) == len(kept.visits) - 2 + others
    with urllib.request.urlopen(f"{wayback}/cdx?url=urn:newsmorgue:run:1&output=json", timeout=30) as got:
        assert got.read() == b""
