"""Who is asked next: a heap of hosts by the time at which they may be asked, and the slots of requests in flight.

A host waits here and not in a slot, so that a slow one holds up nobody else.
"""

import math
import time
from asyncio import Future, get_running_loop
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Any, NamedTuple

from storage.frontier import Entry, Frontier, Kind, Shard

LEASE = timedelta(minutes=10)
SOON = 0.05
"""Seconds. A host that may be asked again so soon is not looked up first."""


class Waiting(NamedTuple):
    """What waits of a site: addresses that are due, and seconds until one of its hosts may be asked (None: being asked)."""

    due: int
    seconds: float | None


class Agenda:
    """The hosts of some sites by the time at which they may be asked, over the frontier. Times are those of `seconds`.

    What is taken is leased in the frontier by `write`, which costs a transaction; until then it is known here.

    `now`: the clock of the frontier. `left`: seconds for which a host, given by name, is to be left in peace. `kinds`: what
    may be asked for at present.
    """

    def __init__(
        self,
        frontier: Frontier,
        sites: Collection[int],
        *,
        run: int,
        now: Callable[[], datetime],
        left: Callable[[str], float],
        kinds: Callable[[], Collection[Kind]],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._frontier = frontier
        self._sites = sites
        self._run = run
        self._now = now
        self._left = left
        self._kinds = kinds
        self._seconds = seconds
        self._shards: dict[int, set[Shard]] = {}
        self._busy: set[int] = set()
        self._asked: set[int] = set()
        self._taken: dict[int, Entry] = {}
        self._new: list[Entry] = []  # taken since the last `write`
        self._due: dict[int, float] = {}  # when a host's first address is due, its pace not counted
        self._at: dict[int, float] = {}  # when it may be asked
        self._heap: list[tuple[float, int]] = []
        self._know(frontier.shards(sites))
        self._plan(self._shards)

    def take(self) -> Entry | None:
        """The first address of the first host that may be asked; None if none may. The host is busy until `free`, and the address
        not asked again until `kept`."""
        while self.next() <= self._seconds():
            _, host = heappop(self._heap)
            self._drop(host)
            entry = self._first(host)
            if entry is not None:
                self._busy.add(host)
                self._taken[entry.id] = entry
                self._new.append(entry)
                return entry
            self._plan([host])
        return None

    def free(self, host: int) -> None:
        """A host's request is over."""
        self._busy.discard(host)
        self._asked.add(host)

    def kept(self, entry: Entry) -> None:
        """What came of an address is kept, and when it is due next: sooner, maybe, than its host was planned for meanwhile."""
        self._taken.pop(entry.id, None)
        if entry.host not in self._busy and self._due.get(entry.host, math.inf) > self._seconds():
            self._asked.add(entry.host)

    def write(self) -> None:
        """Count what was asked since the last time, and lease what of it is still under way. In the caller's transaction."""
        now, new = self._now(), self._new
        self._new = []
        self._frontier.asked(new, now=now)
        self._frontier.lease((one for one in new if one.id in self._taken), run=self._run, until=now + LEASE)

    def renew(self) -> None:
        """Plan those hosts anew that were asked, and those of which new addresses are known."""
        stirred, self._frontier.stirred = self._frontier.stirred, set()
        asked, self._asked = self._asked - self._busy, set()
        seconds = self._seconds()
        for host in list(asked):
            left = self._left(self._name(host))
            if left < SOON:  # probably it has more to give; if not, it is planned when that shows
                self._put(host, seconds, seconds + left)
                asked.discard(host)
        self._plan((asked | self._know(stirred)) - self._busy)

    def next(self) -> float:
        """When the next host may be asked; infinite if there is none."""
        while self._heap and self._at.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)  # planned anew meanwhile
        return self._heap[0][0] if self._heap else math.inf

    def due_within(self, wait: float) -> bool:
        """Whether something is due in so many seconds. That a host's pace puts it off does not count."""
        last = self._seconds() + wait
        return any(due <= last for due in self._due.values())

    def waiting(self, due: Mapping[int, int]) -> dict[int, Waiting]:
        """What waits of each site. `due`: how many addresses."""
        busy = {shard.site for host in self._busy for shard in self._shards[host]}
        now, first = self._seconds(), dict[int, float]()
        for host, at in self._at.items():
            for shard in self._shards[host]:
                first[shard.site] = min(first.get(shard.site, math.inf), max(at - now, 0.0))
        return {site: Waiting(due.get(site, 0), None if site in busy else first.get(site)) for site in self._sites}

    def _know(self, shards: Iterable[Shard]) -> set[int]:
        """Hosts of those shards that are ours."""
        ours = [shard for shard in shards if shard.site in self._sites]
        for shard in ours:
            self._shards.setdefault(shard.host, set()).add(shard)
        return {shard.host for shard in ours}

    def _plan(self, hosts: Iterable[int]) -> None:
        """Ask hosts when something of theirs is due, and not before their pace allows it. Replaces the last plan."""
        seconds, now, kinds = self._seconds(), self._now(), self._kinds()
        for host in hosts:
            self._drop(host)
            shards = self._shards[host]
            dues = [
                due
                for shard in shards
                if (due := self._frontier.next_due(shard, kinds, beside=self._taken)) is not None
            ]
            if dues:
                at = seconds + (min(dues) - now).total_seconds()
                self._put(host, at, max(at, seconds + self._left(self._name(host))))

    def _put(self, host: int, due: float, at: float) -> None:
        self._due[host], self._at[host] = due, at
        heappush(self._heap, (at, host))

    def _name(self, host: int) -> str:
        return next(iter(self._shards[host])).name

    def _drop(self, host: int) -> None:
        self._due.pop(host, None)
        self._at.pop(host, None)

    def _first(self, host: int) -> Entry | None:
        """The first address of a host that is due."""
        now, kinds = self._now(), self._kinds()
        taken = (self._frontier.take(shard, now, kinds=kinds, beside=self._taken) for shard in self._shards[host])
        return next((entry for entry in taken if entry is not None), None)


class Slots:
    """So many requests may be in flight. `freed` is called whenever a slot is free for a new one."""

    def __init__(self, number: int, freed: Callable[[], None]) -> None:
        self._free = number
        self._freed = freed
        self._back: deque[Future[None]] = deque()

    @property
    def free(self) -> bool:
        """Whether a new request may begin."""
        return self._free > 0

    def take(self) -> None:
        """Take a free slot."""
        assert self._free > 0
        self._free -= 1

    def give(self) -> None:
        """Give a slot back: to who waits for one to go on, else to new requests."""
        while self._back:
            waiting = self._back.popleft()
            if not waiting.done():
                waiting.set_result(None)
                return
        self._free += 1
        self._freed()

    async def rest(self, waiting: Awaitable[Any]) -> Any:
        """Wait for something on behalf of an address without holding its slot."""
        self.give()
        try:
            return await waiting
        finally:
            await self.again()

    async def again(self) -> None:
        """Take a slot, as soon as there is one."""
        if self._free:
            return self.take()
        waiting: Future[None] = get_running_loop().create_future()
        self._back.append(waiting)
        try:
            await waiting
        except BaseException:
            if waiting.done() and not waiting.cancelled():
                self.give()
            raise
        return None
