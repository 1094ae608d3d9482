"""Processes that read beside the crawl: what they give, and what becomes of a page that ends one of them."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest

from parsers.page import Page
from scraper import workers
from scraper.reading import Reading, read
from scraper.workers import Readers

URL = "https://example.org/2026/03/01/two-boats-lost-in-the-high-tide/"
STORY = Page(
    URL, b"<title>Rain</title><article><h1>Rain</h1><p>" + b"It rained for a week, they say. " * 30 + b"</article>"
)
ENDLESS = Page(
    URL, b"<article>" + b"<div><p>It rained for <b>a week</b>, and nobody minded at all.</p></div>" * 400_000
)


async def attempt(readers: Readers, page: Page) -> Reading:
    return await readers.read(page, "story", None, None)


def test_a_page_is_read_as_here() -> None:
    async def run() -> list[Reading]:
        readers = Readers(2)
        try:
            return await asyncio.gather(*(attempt(readers, STORY) for _ in range(5)))
        finally:
            readers.close()

    here = read(STORY, "story", None, None)
    assert here.verdict == "article"
    assert asyncio.run(run()) == [here] * 5


def test_a_process_that_is_killed_costs_one_page() -> None:
    async def run() -> tuple[Reading, Reading, Reading]:
        readers = Readers(1)
        try:
            first = await attempt(readers, STORY)
            task = asyncio.create_task(attempt(readers, ENDLESS))
            await asyncio.sleep(0.2)
            os.kill(readers._all[0].pid or 0, signal.SIGKILL)
            return first, await task, await attempt(readers, STORY)
        finally:
            readers.close()

    first, lost, after = asyncio.run(run())
    assert first.verdict == after.verdict == "article"
    assert (lost.verdict, lost.article) == ("error", None)
    assert f"the process that read {URL} died" in lost.problem


def test_a_page_that_takes_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "LIMIT", 0.3)

    async def run() -> Reading:
        readers = Readers(1)
        try:
            return await attempt(readers, ENDLESS)
        finally:
            readers.close()

    assert asyncio.run(run()).verdict == "error"


def test_closing_does_not_wait_for_a_page() -> None:
    async def run() -> float:
        readers = Readers(1)
        await attempt(readers, STORY)
        task = asyncio.create_task(attempt(readers, ENDLESS))
        await asyncio.sleep(0.2)
        began = time.monotonic()
        readers.close()
        await asyncio.gather(task, return_exceptions=True)
        return time.monotonic() - began

    assert asyncio.run(run()) < 5


ORPHAN = """
import asyncio, os, signal, sys
from tests.test_workers import STORY, attempt
from scraper.workers import Readers

async def run():
    readers = Readers(1)
    await attempt(readers, STORY)
    print(readers._all[0].pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    asyncio.run(run())
"""


def test_readers_end_with_a_crawl_that_is_killed() -> None:
    done = subprocess.run([sys.executable, "-c", ORPHAN], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    for _ in range(100):
        try:
            os.kill(int(done.stdout), 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("the reader is still there")
