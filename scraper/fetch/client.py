"""`Fetcher`: an address to a page, politely and within bounds."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlsplit

from tenacity import RetryCallState

from parsers.errors import AddressRefused, BadResponse, ConnectionFailed, FetchError
from parsers.page import Page
from parsers.url import host
from parsers.version import __version__
from scraper.fetch import redirects
from scraper.fetch.cookies import Cookies
from scraper.fetch.exchange import Answer, Cap, ask
from scraper.fetch.guard import Guard, Resolver, resolve
from scraper.fetch.optouts import of_page
from scraper.fetch.pace import Clock, Pace, Rest, Sleep, at_once
from scraper.fetch.policy import BACKOFF, HOLD, HOLDING, MAX_WAIT, Backoff, asked_to_wait, persist
from scraper.fetch.proxies import Proxies
from scraper.fetch.rules import Rules
from scraper.fetch.transport import Transport
from scraper.fetch.words import shown, without_secrets
from scraper.headers import Header, hidden, merged
from scraper.robots import MAX_BYTES as ROBOTS_BYTES
from scraper.settings import CrawlSettings
from storage.records import Exchange

_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
_BUDGET = 2.0
"""Times the deadline: after so long an address gets no further try."""


def user_agent(contact: str) -> str:
    """Who asks, and whom to write to: `newsmorgue/0.2.0 (+mailto:archive@example.org)`."""
    word = contact if contact.startswith(("http://", "https://")) else f"mailto:{contact}"
    return f"newsmorgue/{__version__} (+{quote(word, safe=':/@?&=+%#,;~.-_')})"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of one address.

    `exchanges`: one for each hop, the last is the answer. `not_modified`: the answer was 304 to a conditional request,
    and `page` has no body. `seconds`: from asking for a slot to the last byte, waits included. `tries`: requests sent
    for it, those for robots.txt not counted.
    """

    page: Page
    exchanges: tuple[Exchange, ...]
    not_modified: bool
    seconds: float
    tries: int


@dataclass(slots=True)
class _Errand:
    """One address on its way: what was asked for, and what happened so far. `astray`: the last redirect led nowhere."""

    asked: str
    robots: bool = False
    etag: str | None = None
    last_modified: str | None = None
    tries: int = 0
    status: int | None = None
    astray: bool = False
    exchanges: list[Exchange] = field(default_factory=list)


class Fetcher:
    """Fetches addresses; to be used as an async context manager.

    `agent`: the User-Agent, see `user_agent`. `scope`: which addresses may be asked, redirects included (None: all
    public ones). `headers` gives an address's extra ones. `keep_robots` is given each robots.txt that was answered. `now` is
    the clock of captures; `clock` and `sleep` that of pauses; `rest`: how to wait for one's turn, see `pace`; `resolver` finds
    the addresses of a host.
    """

    def __init__(
        self,
        settings: CrawlSettings,
        *,
        agent: str,
        scope: Callable[[str], bool] | None = None,
        headers: Callable[[str], Sequence[Header]] = lambda url: (),
        keep_robots: Callable[[Fetched], None] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        backoff: Backoff = BACKOFF,
        resolver: Resolver = resolve,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        rest: Rest = at_once,
    ) -> None:
        self._settings = settings
        self._agent = agent
        self._scope = scope
        self._extra = headers
        self._keep_robots = keep_robots
        self._now = now
        self._backoff = backoff
        self._clock = clock
        self._sleep = sleep
        self._rest = rest
        self._paces: dict[str, Pace] = {}
        self._rules: dict[str, Rules] = {}
        self._cookies = Cookies()
        self._transport = Transport(Guard(settings.allow_addresses, resolver), proxies=Proxies(settings.proxy))
        self._headers = {
            "User-Agent": agent,
            "Accept": _ACCEPT,
            "Accept-Encoding": "gzip, deflate",
        }

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.aclose()

    async def get(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Fetched:
        """Fetch an address: robots.txt, pace, redirects and retries included.

        `etag`, `last_modified`: as last received; they make the request a conditional one.
        Statuses of 400 and more come back as they are, 429 and 503 excepted (HostHeld). A body that broke off comes
        back with `page.truncated`, after the last try. Raises FetchError.
        """
        return await self._run(_Errand(without_secrets(url), etag=etag, last_modified=last_modified))

    def left(self, name: str) -> float:
        """Seconds until a host (`example.org:8080`, as `parsers.url.host` gives it) may be asked next; 0: now."""
        return max(self._paces[name].left(), 0.0) if name in self._paces else 0.0

    async def _run(self, errand: _Errand) -> Fetched:
        started = self._clock()
        try:
            answer, url = await self._follow(errand)
        except FetchError as error:
            error.url = errand.asked
            error.tries = errand.tries
            error.status = error.status or errand.status
            raise
        page = Page(
            url=url,
            asked=errand.asked,
            body=answer.body,
            captured=answer.exchange.at,
            status=answer.status,
            headers=answer.headers,
            truncated=not answer.complete or answer.exchange.truncated is not None,
        )
        return Fetched(
            page=page,
            exchanges=tuple(errand.exchanges),
            not_modified=answer.status == 304,
            seconds=self._clock() - started,
            tries=errand.tries,
        )

    async def _follow(self, errand: _Errand) -> tuple[Answer, str]:
        """The answer at the end of the redirects, and its address. Each hop is checked and recorded."""
        url = redirects.address(errand.asked)
        hops = redirects.MAX_HOPS_ROBOTS if errand.robots else redirects.MAX_HOPS
        seen: set[tuple[str, frozenset[tuple[str, str | None]]]] = set()
        while True:
            seen.add((url, self._cookies.state(url)))
            await self._may(url, errand)
            answer = await self._try(url, errand)
            errand.exchanges.append(answer.exchange)
            following = self._onward(url, answer, errand)
            if following is None:
                return answer, url
            url = following
            if (url, self._cookies.state(url)) in seen:  # with new cookies it is another question
                raise BadResponse(f"{shown(errand.asked)} redirects in a circle", cause=f"back to {shown(url)}")
            if len(seen) > hops:
                raise BadResponse(
                    f"{shown(errand.asked)} redirects more than {hops} times", cause=f"the next is {shown(url)}"
                )

    def _onward(self, url: str, answer: Answer, errand: _Errand) -> str | None:
        """Where an answer sends us, by its status or its markup; None if it is what was asked for."""
        if answer.status in redirects.STATUSES:
            errand.astray = True
            return redirects.target(url, answer.header("location"))
        if errand.robots or not answer.complete or not 200 <= answer.status < 300:
            return None
        page = Page(url, answer.body, headers=answer.headers)
        following = redirects.refreshed(page)
        if following is not None and not set(self._settings.respect).isdisjoint(of_page(page)):
            errand.exchanges[-1] = answer.exchange.without_payload()
        return following

    async def _may(self, url: str, errand: _Errand) -> None:
        """Scope and robots.txt. robots.txt itself is asked for wherever it is."""
        if errand.robots:
            return
        if self._scope is not None and not self._scope(url):
            raise AddressRefused(
                f"{shown(url)} is outside the scope of this crawl",
                cause=f"reached from {shown(errand.asked)}" if errand.exchanges else "",
                next="if it belongs to the site, add it to newsmorgue.toml",
            )
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc.lower()}"
        rules = self._rules.get(origin)
        if rules is None:
            rules = Rules(origin, agent=self._agent, fetch=self._robots, clock=self._clock, rest=self._rest)
            self._rules[origin] = rules
        await rules.check(url)
        pace = self._pace(url)
        pace.delay = max(pace.delay, rules.delay)

    async def _robots(self, url: str, etag: str | None) -> Page | None:
        """The page of a robots.txt; None if its redirects lead nowhere, which RFC 9309 takes for "unavailable"."""
        errand = _Errand(url, robots=True, etag=etag)
        try:
            fetched = await self._run(errand)
        except (AddressRefused, BadResponse) as error:
            if errand.astray or (errand.exchanges and isinstance(error, AddressRefused)):
                return None
            raise
        if self._keep_robots is not None:
            self._keep_robots(fetched)
        page = fetched.page
        if page.status < 300 and page.truncated and fetched.exchanges[-1].truncated != "length":
            raise ConnectionFailed(f"{shown(url)} broke off", cause="half of the rules may be missing", url=url)
        return page

    async def _try(self, url: str, errand: _Errand) -> Answer:
        """One hop: its turn, its request, its retries."""
        pace = self._pace(url)
        settings = self._settings
        conditions = _conditions(errand)
        extra = self._extra(url)
        cap = Cap(settings.max_bytes)
        if errand.robots:
            cap = Cap(max(settings.max_bytes, ROBOTS_BYTES), wire=ROBOTS_BYTES, any_type=True)

        async def once() -> Answer:
            async with pace.slot(url):
                errand.tries += 1
                errand.astray = False
                cookies = self._cookies.header(url)
                ours = self._headers | conditions | ({"Cookie": cookies} if cookies else {})
                answer = await ask(
                    self._transport,
                    url,
                    merged(ours, extra) if extra else ours,
                    cap=cap,
                    deadline=settings.deadline,
                    now=self._now,
                )
                if extra:
                    head = hidden(answer.exchange.request_head, extra)
                    answer = replace(answer, exchange=replace(answer.exchange, request_head=head))
                errand.status = answer.status
                wait = asked_to_wait(answer)
                self._cookies.take(url, answer.headers)
                if answer.status not in HOLDING:
                    pace.answered()
                elif wait is not None and wait > MAX_WAIT:
                    pace.refused(url, wait, _refused(answer))
                return answer

        def hold(state: RetryCallState) -> None:
            # Meanwhile nobody else asks this host either.
            done = state.outcome
            if done and not done.failed and done.result().status in HOLDING and state.next_action is not None:
                pace.hold(state.next_action.sleep, _refused(done.result()))

        answer = await persist(
            once,
            retries=settings.retries,
            budget=_BUDGET * settings.deadline,
            backoff=self._backoff,
            sleep=lambda seconds: self._rest(self._sleep(seconds)),
            before_sleep=hold,
        )
        if answer.status in HOLDING:
            pace.refused(url, max(HOLD, asked_to_wait(answer) or 0.0), _refused(answer))
        if answer.status == 304 and not conditions:
            raise BadResponse(
                f"{shown(url)} answered 304 (not modified) to a request that set no condition",
                cause="there is nothing it could mean",
                url=url,
            )
        return answer

    def _pace(self, url: str) -> Pace:
        name = host(url)
        if name not in self._paces:
            self._paces[name] = Pace(name, self._settings.delay, clock=self._clock, sleep=self._sleep, rest=self._rest)
        return self._paces[name]


def _refused(answer: Answer) -> str:
    return f"it answered {answer.status}" + (" with Retry-After" if asked_to_wait(answer) else "")


def _conditions(errand: _Errand) -> dict[str, str | bytes]:
    """Headers of a conditional request.

    The validators are those of the last answer. Behind a redirect a date may be older than another page's, so that only
    an entity tag is sent there.
    """
    found: dict[str, str | bytes] = {}
    if errand.etag and errand.etag.isprintable():
        found["If-None-Match"] = errand.etag.encode()
    if errand.last_modified and errand.last_modified.isprintable() and not errand.exchanges:
        found["If-Modified-Since"] = errand.last_modified.encode()
    return found
