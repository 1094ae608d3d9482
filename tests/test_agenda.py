"""Who is asked next: hosts by the time at which they may be asked, and the slots of requests in flight."""

import asyncio
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scraper.agenda import Agenda, Slots
from scraper.fetch.client import Fetcher
from scraper.fetch.policy import Backoff
from storage.archive import Archive
from storage.frontier import KINDS, Entry, Kind
from tests.servers import Answer, Server, answer, moved, settings

NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


class Time:
    """A clock that moves when it is told to; both that of the frontier and that of the agenda."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.passed)

    def seconds(self) -> float:
        return 1000.0 + self.passed


class World:
    """An archive with two sites, an agenda over it, and the pace of hosts."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.time = Time()
        self.pace: dict[str, float] = {}
        self.kinds: tuple[Kind, ...] = KINDS

    def agenda(self, sites: tuple[int, ...] = (1, 2)) -> Agenda:
        return Agenda(
            self.archive.frontier,
            sites,
            run=1,
            now=self.time.now,
            left=lambda name: self.pace.get(name, 0.0),
            kinds=lambda: self.kinds,
            seconds=self.time.seconds,
        )

    def add(self, *urls: str, site: int = 1, kind: Kind = "story", due: float = 0.0) -> None:
        for url in urls:
            at = self.time.now() + timedelta(seconds=due)
            assert self.archive.frontier.add(url, site=site, kind=kind, now=at)

    def done(self, entry: Entry) -> None:
        self.archive.frontier.done(
            entry, now=self.time.now(), status=200, outcome="new", etag=None, last_modified=None, again=None
        )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Archive.create(tmp_path / "archive") as archive:
        archive.start_run(now=NOW, version="1", command="crawl", settings="{}")
        for name in ("example", "other"):
            archive.site_id(name, home=f"https://{name}.example/", parser=None, timezone=None, now=NOW)
        yield World(archive)


def url(entry: Entry | None) -> str | None:
    return entry.url if entry else None


def test_one_request_at_a_time_to_a_host(world: World) -> None:
    world.add("https://a.example/1", "https://a.example/2", "https://b.example/1")
    agenda = world.agenda()
    first = agenda.take()
    assert first is not None
    assert (first.url, url(agenda.take()), agenda.take()) == ("https://a.example/1", "https://b.example/1", None)
    agenda.renew()
    assert agenda.take() is None
    agenda.free(first.host)
    agenda.renew()
    assert url(agenda.take()) == "https://a.example/2"


def test_what_is_kept_after_its_host_was_planned_is_asked_again_when_due(world: World) -> None:
    world.add("https://a.example/", kind="front")
    world.add("https://a.example/1", due=60.0)
    agenda = world.agenda()
    entry = agenda.take()
    assert entry is not None
    agenda.free(entry.host)
    agenda.renew()
    assert agenda.take() is None  # the answer waits to be kept
    assert agenda.next() == 1060.0
    again = NOW + timedelta(seconds=20)
    world.archive.frontier.done(entry, now=NOW, status=200, outcome="front", etag=None, last_modified=None, again=again)
    agenda.kept(entry)
    agenda.renew()
    assert agenda.take() is None
    assert agenda.next() == 1020.0


def test_a_host_of_two_sites_is_one_host(world: World) -> None:
    world.add("https://a.example/1")
    world.add("https://a.example/2", site=2)
    agenda = world.agenda()
    first = agenda.take()
    assert first is not None
    assert agenda.take() is None
    agenda.free(first.host)
    agenda.renew()
    assert {first.url, url(agenda.take())} == {"https://a.example/1", "https://a.example/2"}


def test_a_host_waits_for_its_pace_and_holds_up_nobody(world: World) -> None:
    world.add("https://a.example/1", "https://a.example/2", "https://b.example/1", "https://b.example/2")
    agenda = world.agenda()
    order = []
    world.pace = {"a.example": 2.0, "b.example": 1.0}
    for passed in (0.0, 0.5, 1.0, 1.5, 2.0, 2.5):
        world.time.passed = passed
        while entry := agenda.take():
            order.append((passed, entry.url.removeprefix("https://")))
            agenda.free(entry.host)
        agenda.renew()
    assert order == [
        (0.0, "a.example/1"),
        (0.0, "b.example/1"),
        (1.0, "b.example/2"),
        (2.0, "a.example/2"),
    ]


def test_the_time_of_the_next_request(world: World) -> None:
    assert world.agenda().next() == math.inf
    world.add("https://a.example/1", due=20.0)
    world.add("https://b.example/1", due=10.0)
    agenda = world.agenda()
    assert agenda.next() == 1010.0
    assert (agenda.due_within(9.0), agenda.due_within(10.0)) == (False, True)
    world.pace["b.example"] = 15.0
    agenda = world.agenda()
    assert agenda.next() == 1015.0
    assert agenda.due_within(10.0)


def test_new_addresses_are_asked_for_sooner_than_planned(world: World) -> None:
    world.add("https://a.example/1", due=20.0)
    agenda = world.agenda()
    world.add("https://a.example/2", due=5.0)
    world.add("https://c.example/1")
    agenda.renew()
    assert url(agenda.take()) == "https://c.example/1"
    assert agenda.next() == 1005.0


def test_sites_that_are_not_ours_stay_where_they_are(world: World) -> None:
    world.add("https://a.example/1", site=2)
    agenda = world.agenda((1,))
    world.add("https://a.example/2", "https://b.example/1", site=2)
    agenda.renew()
    assert agenda.take() is None
    assert agenda.next() == math.inf


def test_a_held_host_waits_for_the_end_of_its_hold(world: World) -> None:
    world.add("https://a.example/1", "https://a.example/2")
    agenda = world.agenda()
    entry = agenda.take()
    assert entry is not None
    world.archive.frontier.hold(entry.url, until=NOW + timedelta(seconds=90), reason="429", now=NOW)
    agenda.free(entry.host)
    agenda.renew()
    assert agenda.take() is None
    assert agenda.next() == 1090.0
    assert not agenda.due_within(30.0)


def test_what_is_not_wanted_any_more_is_left(world: World) -> None:
    world.add("https://a.example/1")
    world.add("https://a.example/", kind="front", due=10.0)
    agenda = world.agenda()
    world.kinds = ("front", "feed")
    assert agenda.take() is None
    assert agenda.next() == 1010.0


# -- slots -------------------------------------------------------------------------------------------------------------


def test_slots_go_first_to_who_waits_to_go_on() -> None:
    freed = []

    async def run() -> None:
        slots = Slots(1, lambda: freed.append(slots.free))
        slots.take()
        assert not slots.free
        waiting = asyncio.create_task(slots.again())
        await asyncio.sleep(0)
        slots.give()
        assert not slots.free
        await waiting
        assert freed == []
        slots.give()
        assert slots.free
        await slots.again()
        assert not slots.free

    asyncio.run(run())
    assert freed == [True]


def test_who_stops_waiting_for_a_slot_takes_none() -> None:
    async def run() -> None:
        slots = Slots(1, lambda: None)
        slots.take()
        early, late = asyncio.create_task(slots.again()), asyncio.create_task(slots.again())
        await asyncio.sleep(0)
        early.cancel()
        await asyncio.sleep(0)
        slots.give()
        late.cancel()  # it was given the slot, but never learned of it
        await asyncio.gather(early, late, return_exceptions=True)
        assert slots.free

    asyncio.run(run())


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "/robots.txt",
            [answer(status=500), answer(b"User-agent: *\nAllow: /")],
        ),  # who asks for the rules backs off meanwhile
        ("/a", moved("/c")),  # who goes on asks the host once more as soon as the other one was woken
    ],
)
def test_one_slot_is_enough_for_two_addresses_that_lead_to_one_host(first: str, second: Answer | list[Answer]) -> None:
    """The agenda begins with one address of a host; redirects of other hosts lead there, too."""

    async def run(server: Server) -> None:
        slots = Slots(1, lambda: None)
        async with Fetcher(
            settings(delay=0.05), agent="t/1 (+mailto:a@b.example)", backoff=Backoff(0.1, 0.1, 0.0), rest=slots.rest
        ) as fetcher:

            async def fetch(path: str) -> None:
                await slots.again()
                await fetcher.get(server.url(path))
                slots.give()

            async with asyncio.timeout(20):
                await asyncio.gather(fetch("/a"), fetch("/b"))

    with Server() as server:
        server.at.update({"/a": answer(b"<p>a"), "/b": answer(b"<p>b"), "/c": answer(b"<p>c"), first: second})
        asyncio.run(run(server))
        assert {"/a", "/b"} <= set(server.targets)
