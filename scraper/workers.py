"""Reading beside fetching: processes that read pages, one page at a time each. The crawl alone writes.

A process that dies or never ends, over a hostile page or for want of memory, costs that page, which is noted, and nothing else.
"""

import asyncio
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import replace
from multiprocessing import get_context, parent_process

from parsers.page import Page
from scraper.reading import Reading, read

LIMIT = 120.0
"""Seconds for one page; the slowest real ones take a few."""
STOPS = (signal.SIGINT, signal.SIGTERM)


class _Reader:
    """One process, started when it is first needed."""

    def __init__(self) -> None:
        self.pid: int | None = None
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_begin)

    async def read(self, page: Page, kind: str, parser: str | None, timezone: str | None) -> Reading:
        """What `scraper.reading.read` gives. Raises BrokenProcessPool if the process ended over it."""
        loop = asyncio.get_running_loop()
        if self.pid is None:
            self.pid = await self._start(loop)
        alarm = loop.call_later(LIMIT, self.kill)
        try:
            bare = replace(page)  # without a tree that somebody made of it here
            return await loop.run_in_executor(self._pool, read, bare, kind, parser, timezone)
        finally:
            alarm.cancel()

    def _start(self, loop: asyncio.AbstractEventLoop) -> "asyncio.Future[int]":
        """Start the process; its id. It is born deaf to signals that may come before `_begin`."""
        deaf = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        try:
            return loop.run_in_executor(self._pool, os.getpid)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, deaf)

    def kill(self) -> None:
        """End the process at once."""
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the process, whatever it is at."""
        self.kill()
        self._pool.shutdown(cancel_futures=True)


class Readers:
    """So many processes that read; no more of them are started than there is work for at a time."""

    def __init__(self, jobs: int) -> None:
        self._all = [_Reader() for _ in range(jobs)]
        self._idle: asyncio.LifoQueue[_Reader] = asyncio.LifoQueue()
        for reader in self._all:
            self._idle.put_nowait(reader)

    async def read(self, page: Page, kind: str, parser: str | None, timezone: str | None) -> Reading:
        """What `scraper.reading.read` gives; an error if the process that read the page did not survive it."""
        reader = await self._idle.get()
        try:
            return await reader.read(page, kind, parser, timezone)
        except BrokenProcessPool:
            reader.close()
            self._all.remove(reader)
            reader = _Reader()
            self._all.append(reader)
            return Reading("error", problem=f"the process that read {page.url} died, or took more than {LIMIT:g} s")
        finally:
            self._idle.put_nowait(reader)

    def close(self) -> None:
        """End all processes; what they are at is given up."""
        for reader in self._all:
            reader.close()


def _begin() -> None:
    """Ctrl-C and SIGTERM go to the whole group: the crawl answers, and its readers end with it, even if it is killed."""
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
