"""The demo's publications, served over real HTTP on ports of 127.0.0.1: server, clock and log.

By hand: `python -c "from scraper.portal.server import Portal; Portal(port=8000).serve_forever()"`.
"""

import gzip
import socket
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from scraper.portal.lantern import Lantern
from scraper.portal.paper import Answer, Paper
from scraper.portal.papers import PAPERS
from scraper.portal.stories import Story, Truth, library, truth

START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
"""Monday 23 November 2026, 15:00 in Seoul: the stories in the data end a few hours before."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Request:
    """One request the portal answered.

    `start`, `end`: monotonic seconds; `end` is taken when the answer is about to leave, so that a client never
    sees an answer that the log does not show yet. `target`: as in the request line. `headers`: names in lower case.
    `validator`: whether the answer carried an ETag or a Last-Modified.
    """

    start: float
    end: float
    method: str
    target: str
    status: int
    headers: dict[str, str]
    validator: bool


class Portal:
    """One publication as a context manager; listens from the beginning to the end of the `with`.

    `paper`: which one. `port`: 0 takes a free one. `start`: what the portal's clock shows before the first tick. `latency`: seconds that
    each answer takes at least, long enough that two requests at once overlap in the log.
    """

    def __init__(
        self, paper: type[Paper] = Lantern, *, port: int = 0, start: datetime = START, latency: float = 0.002
    ) -> None:
        self.paper = paper
        self.name = paper.name
        self.log: list[Request] = []
        self.latency = latency
        self._start = start
        self._ticks = 0
        self._server = _Server(("127.0.0.1", port), _Handler, self)
        self.base = f"http://127.0.0.1:{self._server.server_port}/"
        self._pages = self._at_tick()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Answer requests, in threads of our own."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="portal", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the port and every open connection, and wait for the threads."""
        if self._thread:
            self._server.shutdown()
            self._thread.join()
        self._server.close()

    def serve_forever(self) -> None:
        """Answer requests in this thread until it is interrupted."""
        try:
            self._server.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            self._server.close()

    @property
    def now(self) -> datetime:
        """The portal's clock: an aware UTC instant that moves only with `tick`."""
        return self._start + self._ticks * DAY

    @property
    def stories(self) -> list[Truth]:
        """What each story that stands there now says, newest first; addresses are absolute."""
        return [self._truth(story) for story in self._pages.stories]

    @property
    def withdrawn(self) -> list[Truth]:
        """What each story said that the publication has taken back by now."""
        return [self._truth(story) for story in self._pages.gone]

    def _truth(self, story: Story) -> Truth:
        return truth(story, self._pages.url(story), self.base + self._pages.short_path(story))

    @property
    def robots_txt(self) -> str:
        """The rules the portal asks crawlers to keep."""
        return self._pages.robots_txt

    def tick(self) -> None:
        """Move the clock on by a day. The first tick brings new, corrected and withdrawn stories."""
        self._ticks += 1
        self._pages = self._at_tick()

    def answer(self, target: str, cookie: str = "") -> Answer:
        """What the portal says to a GET of `target` now. `cookie`: the visitor's Cookie header."""
        return self._pages.answer(target, cookie)

    def _at_tick(self) -> Paper:
        data, tick = library()[self.paper.folder], self._ticks
        known = [story.at(tick) for story in data.stories if story.tick <= tick]
        gone = [story for story in known if 0 < story.withdrawn <= tick]
        return self.paper(data, [story for story in known if story not in gone], gone, base=self.base)


class Newsstand:
    """Every publication of the demo as a context manager, each on a port of its own, their clocks moved on together."""

    def __init__(self) -> None:
        self.portals = tuple(Portal(paper) for paper in PAPERS)

    def __enter__(self) -> Self:
        for portal in self.portals:
            portal.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for portal in self.portals:
            portal.stop()

    @property
    def now(self) -> datetime:
        """The clock of all: an aware UTC instant."""
        return self.portals[0].now

    def tick(self) -> None:
        """Move all clocks on by a day."""
        for portal in self.portals:
            portal.tick()


class _Server(ThreadingHTTPServer):
    """Knows its open connections, so that stopping does not wait for clients to hang up."""

    daemon_threads = False
    block_on_close = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], portal: Portal) -> None:
        self.portal = portal
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that vanished (a killed crawl) is no news; nothing else is caught here silently."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def close(self) -> None:
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the client has hung up already
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    """One connection: HTTP/1.1 with keep-alive, gzip, validators."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together
    disable_nagle_algorithm = True
    timeout = 60

    server: _Server

    def do_GET(self) -> None:
        """Answer a GET."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer a HEAD: a GET's head without its body."""
        self._answer()

    def version_string(self) -> str:
        """The Server header."""
        return "newsstand"

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date header, by the portal's clock."""
        return _http_date(self.server.portal.now)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing on stderr; `Portal.log` is the log."""

    def _answer(self) -> None:
        started = time.monotonic()
        portal = self.server.portal
        answer = portal.answer(self.path, self.headers.get("Cookie", ""))
        head, body = _with_validators(answer, self.headers.get("If-None-Match"), self.headers.get("If-Modified-Since"))
        packed = answer.content_type.endswith("gzip")
        if body and not packed and "gzip" in self.headers.get("Accept-Encoding", "").lower():
            body = gzip.compress(body, 6, mtime=0)
            head["Content-Encoding"] = "gzip"
        status = HTTPStatus.NOT_MODIFIED if body is None else answer.status
        time.sleep(max(0.0, portal.latency - (time.monotonic() - started)))
        headers = {key.lower(): value for key, value in self.headers.items()}
        validator = "ETag" in head or "Last-Modified" in head
        portal.log.append(Request(started, time.monotonic(), self.command, self.path, int(status), headers, validator))
        self.send_response(status)
        for key, value in head.items():
            self.send_header(key, value)
        if body is not None:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if body and self.command != "HEAD":
            self.wfile.write(body)


def _with_validators(answer: Answer, none_match: str | None, since: str | None) -> tuple[dict[str, str], bytes | None]:
    """The answer's head and body; the body is None where the client has it already (RFC 9110, section 13.2.2)."""
    head = {"Content-Type": answer.content_type, "Vary": "Accept-Encoding", **answer.headers}
    if answer.location:
        head["Location"] = answer.location
    if answer.modified is None:
        return head, answer.body
    tag = f'W/"{sha256(answer.body).hexdigest()[:20]}"'  # weak: one tag for both codings
    head |= {"ETag": tag, "Last-Modified": _http_date(answer.modified), "Cache-Control": "max-age=0, must-revalidate"}
    if none_match is not None:
        known = {word.strip().removeprefix("W/") for word in none_match.split(",")}
        return head, None if known & {"*", tag.removeprefix("W/")} else answer.body
    if since is not None:
        try:
            fresh = answer.modified <= parsedate_to_datetime(since)
        except (ValueError, TypeError):
            fresh = False
        return head, None if fresh else answer.body
    return head, answer.body


def _http_date(when: datetime) -> str:
    return format_datetime(when.astimezone(UTC), usegmt=True)
