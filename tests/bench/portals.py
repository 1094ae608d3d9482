"""The judge's portal for benches: started on a core of its own, with a log if wanted; and an archive of its hosts."""

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from common import shared

from scraper.settings import FILE
from storage.archive import Archive

SOURCES = ('front = "/"', 'feed = "/rss.xml"')
CORES = sorted(os.sched_getaffinity(0))


def tools() -> Path:
    """The folder of the crawl judge's tools. Where it is not there, the bench says so in one line and ends."""
    folder = shared()
    if folder and (found := folder / "tools" / "crawl" / "portal.py").is_file():
        return found.parent
    print("left out: the shared tools are not here (NEWSMORGUE_SHARED or ../shared)")
    sys.exit(0)


def on_core(number: int, command: list[str]) -> "subprocess.Popen[str]":
    """Start a process on one core, where that can be chosen."""
    pinned = ["taskset", "-c", str(CORES[number % len(CORES)])] if shutil.which("taskset") else []
    return subprocess.Popen([*pinned, *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def two_ports() -> int:
    """A free port whose follower is free, too."""
    while True:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
            try:
                two.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


@contextmanager
def portal(folder: Path, *options: str, python: str = sys.executable) -> Iterator[int]:
    """The portal with options of its own; gives its control port."""
    port = two_ports()
    process = on_core(0, [python, "-u", str(folder / "portal.py"), *options, "--port", str(port)])
    try:
        assert process.stdout is not None
        while "ready" not in (line := process.stdout.readline()):
            if not line:
                raise SystemExit(f"the portal did not start: {python} {folder / 'portal.py'}")
        yield port + 1
    finally:
        process.terminate()
        process.wait()


def ask(control: int, path: str) -> str:
    """What the control port says."""
    with urllib.request.urlopen(f"http://127.0.0.1:{control}{path}") as answer:
        return str(answer.read().decode())


def furnish(folder: Path, control: int, *, sources: Sequence[str] | None = SOURCES, **settings: str) -> None:
    """An archive of every host of the portal, if there is none. `sources`: of each host, as TOML writes them; None: none named.
    `settings`: of `[crawl]`, likewise."""
    if (folder / "archive.db").exists():
        return
    Archive.create(folder).close()
    crawl = {"contact": '"bench@example.org"', "delay": '"0s"', "allow_addresses": '["127.0.0.0/8"]', **settings}
    lines = ["[crawl]", *(f"{key} = {value}" for key, value in crawl.items())]
    for number, host in enumerate(json.loads(ask(control, "/hosts"))):
        lines += [f"[site.p{number}]", f'home = "http://{host}/"']
        if sources is not None:
            lines.append("sources = [" + ", ".join(f"{{ {one} }}" for one in sources) + "]")
    (folder / FILE).write_text("\n".join([*lines, ""]), "utf-8")
