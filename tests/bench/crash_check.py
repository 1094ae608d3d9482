"""What must hold after a crash: the archive is consistent, and everything that was acknowledged is there."""

import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from crash_stock import Stock

from scraper.ingest import Ingest, catch_up
from scraper.rebuild import rebuild
from scraper.settings import Settings
from storage.archive import Archive
from storage.timing import instant
from storage.verify import Verify

ERRORS = ("robots_denied", "address_refused", "host_held", "connection_failed", "deadline_exceeded", "bad_response")
"""Outcomes of addresses that did not come."""


@dataclass(slots=True)
class Acknowledged:
    """What processes said they had kept.

    `pages`: (address, kind, outcome, at) of each answer in order of time, `at` as in `visit.at`; `titles`: of an address
    and a time, the title that its article then has. `known`: addresses kept and read. `ledger`: (site, day, stage) to the
    least count. `failures`: addresses. `fetched`: addresses that a crawl over HTTP said, with their outcome. `runs`: key
    to state. `doomed`: addresses whose takedown was begun; `gone`: was done. `backup`: what had been said when the last
    backup was made. `restored`: from it. `init`: the archive was made.
    """

    pages: list[tuple[str, str, str, str]] = field(default_factory=list)
    titles: dict[tuple[str, str], str] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    ledger: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    failures: set[str] = field(default_factory=set)
    fetched: dict[str, str] = field(default_factory=dict)
    runs: dict[int, str] = field(default_factory=dict)
    doomed: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    backup: "Acknowledged | None" = None
    restored: bool = False
    init: bool = False

    def copy(self) -> "Acknowledged":
        """The same, to be added to."""
        return deepcopy(self)

    def note(self, message: dict[str, Any], stock: Stock) -> int:
        """Add what a process said; gives the number of addresses in it."""
        for url, site, outcome, at, version in message.get("pages", ()):
            kind = stock.kinds[url]
            self.pages.append((url, kind, outcome, at))
            if outcome != "unread":
                self.known.add(url)
            article = stock.answers[url][version or 0].reading.article
            if article is not None and version is not None and outcome in ("new", "changed", "unchanged"):
                self.titles[url, at] = article.title
            self.ledger.update([(site, at[:10], "tried"), (site, at[:10], "got")])
        for url, site, day in message.get("failures", ()):
            self.failures.add(url)
            self.ledger.update([(site, day, "tried"), (site, day, "failed")])
        if "fetched" in message:
            url, outcome = message["fetched"]
            self.fetched[url] = outcome
        if "run" in message:
            key, state = message["run"]
            self.runs[key] = state
        if "doomed" in message:
            self.doomed.add(message["doomed"])
        if "gone" in message:
            self.gone.add(message["gone"])
        if "backup" in message:
            self.backup = deepcopy(self)
        self.restored |= message.get("restored", False)
        self.init |= message.get("init", False)
        return len(message.get("pages", ())) + len(message.get("failures", ())) + ("fetched" in message)


def everything(folder: Path) -> Acknowledged:
    """What an archive of the first edition holds, as if it had been said."""
    said = Acknowledged(init=True)
    with closing(sqlite3.connect(folder / "archive.db")) as db:
        for url, kind, at in db.execute(
            "SELECT c.asked, c.kind, v.at FROM visit v JOIN capture c ON c.id = v.capture_id"
        ):
            said.pages.append((url, kind, "kept", at))
        said.runs = dict(db.execute("SELECT id, state FROM run"))
    return said


def recover(folder: Path, settings: Settings) -> list[str]:
    """Open for writing as the next crawl would, and read what was not read; gives what recovery said."""
    with Archive.open(folder, write=True) as archive:
        sites = {
            archive.site_id(s.name, home=s.home, parser=s.parser, timezone=s.timezone, now=_now(archive)): s
            for s in settings.sites
            if archive.db.execute("SELECT 1 FROM site WHERE name = ?", (s.name,)).fetchone()
        }
        catch_up(Ingest(archive, sites))
        return list(archive.recovered)


def _now(archive: Archive) -> datetime:
    """An instant for rows that are made only now."""
    row = archive.db.execute("SELECT max(at) FROM visit").fetchone()
    return instant(row[0] or "2026-03-01T06:00:00.000Z")


# -- consistent ----------------------------------------------------------------------------------------------------

_SQL = {
    "a capture without a visit": "SELECT id FROM capture WHERE id NOT IN (SELECT capture_id FROM visit)",
    "an article without a reading": "SELECT id FROM article WHERE id NOT IN "
    "(SELECT v.article_id FROM revision v JOIN reading r ON r.revision_id = v.id)",
    "an article that its own address does not name": "SELECT id FROM article a WHERE NOT EXISTS "
    "(SELECT 1 FROM alias l WHERE l.url = a.url AND l.article_id = a.id)",
    "a story read and not kept": "SELECT id FROM capture WHERE kind = 'story' AND verdict = 'article' "
    "AND withheld IS NULL AND asked NOT IN (SELECT url FROM alias)",
    "a front read and not kept": "SELECT id FROM capture WHERE kind IN ('front', 'feed') AND verdict = 'front' "
    "AND withheld IS NULL AND asked NOT IN (SELECT url FROM front)",
    "a placement that ends before it begins": 'SELECT card_id FROM placement WHERE "until" < since',
    "two runs that run": "SELECT max(id) FROM run WHERE state = 'running' HAVING count(*) > 1",
}


def problems(folder: Path) -> list[str]:
    """Everything wrong with an archive that nobody is writing to; [] if it is sound."""
    found = [f"verify: {finding.as_row()}" for finding in Verify(folder).findings()]
    if not found:
        with Archive.open(folder) as archive:
            found += [f"{words}: {key}" for words, sql in _SQL.items() for (key,) in archive.db.execute(sql)]
            known = dict(archive.db.execute("SELECT file, indexed FROM warc"))
            sizes = {path.name: path.stat().st_size for path in archive.warc.files()}
            if known != sizes:
                found.append(f"indexed {known}, there are {sizes}")
    return found


# -- acknowledged --------------------------------------------------------------------------------------------------


def missing(folder: Path, said: Acknowledged) -> list[str]:
    """What was acknowledged and is not there; [] if all of it is."""
    with closing(sqlite3.connect(f"file:{folder / 'archive.db'}?mode=ro", uri=True)) as db:
        return [*_pages(db, said), *_counts(db, said)]


def _pages(db: sqlite3.Connection, said: Acknowledged) -> Iterator[str]:
    visits = set(db.execute("SELECT c.asked, v.at FROM visit v JOIN capture c ON c.id = v.capture_id"))
    last = dict(db.execute("SELECT c.asked, max(v.at) FROM visit v JOIN capture c ON c.id = v.capture_id GROUP BY 1"))
    seen = dict(db.execute("SELECT l.url, a.last_seen FROM alias l JOIN article a ON a.id = l.article_id"))
    fronts = dict(db.execute("SELECT url, last_seen FROM front"))
    placed = dict(
        db.execute(
            "SELECT f.url, max(v.at) FROM placement p JOIN front f ON f.id = p.front_id JOIN visit v ON v.id = p.until GROUP BY 1"
        )
    )
    titles = dict(
        db.execute(
            "SELECT l.url, r.title FROM alias l JOIN revision v ON v.article_id = l.article_id JOIN reading r ON r.revision_id = v.id "
            "WHERE r.latest = 1"
        )
    )
    for url, kind, outcome, at in said.pages:
        if url in said.doomed:
            continue
        if (url, at) not in visits:
            yield f"the visit to {url} at {at} is lost"
        elif outcome in ("new", "changed", "unchanged", "front"):
            known = seen if kind == "story" else fronts
            if known.get(url, "") < at:
                yield f"{url} was {outcome} at {at}, its {kind} was last seen at {known.get(url)}"
            if kind != "story" and placed.get(url, "") < at:
                yield f"{url} was {outcome} at {at}, what stood there stands until {placed.get(url)}"
            if last[url] == at and (title := said.titles.get((url, at))) and titles.get(url) != title:
                yield f"{url} has the title {titles.get(url)!r} and not {title!r} of {at}"
    for url, outcome in said.fetched.items():
        if not any(url == asked for asked, _ in visits) and outcome not in ERRORS:
            yield f"{url} was fetched ({outcome}) and is lost"
    for url in said.gone:
        if any(url == asked for asked, _ in visits) or url in seen:
            yield f"{url} was taken down and is back"


def _counts(db: sqlite3.Connection, said: Acknowledged) -> Iterator[str]:
    ledger: Counter[tuple[str, str, str]] = Counter()
    for site, day, stage, n in db.execute("SELECT s.name, day, stage, n FROM ledger l JOIN site s ON s.id = l.site_id"):
        ledger[site, day, stage] += n
    for key, n in said.ledger.items():
        if ledger[key] < n:
            yield f"ledger {key}: {ledger[key]}, acknowledged {n}"
    failed = {url for (url,) in db.execute("SELECT url FROM frontier WHERE outcome IS NOT NULL OR failures > 0")}
    for url in said.failures - failed - said.doomed:
        yield f"the failure of {url} is lost"
    runs = dict(db.execute("SELECT id, state FROM run"))
    for key, state in said.runs.items():
        if key not in runs or (state != "running" and runs[key] != state):
            yield f"run {key} was {state} and is {runs.get(key)}"


def unlike_rebuilt(folder: Path, settings: Settings) -> list[str]:
    """Tables that are not, row for row, what the WARC files alone give."""
    with TemporaryDirectory() as there:
        copy = Path(there, "archive")
        shutil.copytree(folder, copy)
        rebuild(copy, settings)
        return _unequal(folder / "archive.db", copy / "archive.db")


def _unequal(one: Path, other: Path) -> list[str]:
    """Tables of content whose rows are not the same in two databases."""
    skipped = ("frontier", "host", "text_fts", "sqlite_", "_")
    with closing(sqlite3.connect(one)) as a, closing(sqlite3.connect(other)) as b:
        names = [name for (name,) in a.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = []
        for name in names:
            if not name.startswith(skipped):
                rows = [db.execute(f"SELECT * FROM {name}").fetchall() for db in (a, b)]
                if rows[0] != rows[1]:
                    odd = [row for row in rows[0] if row not in rows[1]][:2] + [
                        row for row in rows[1] if row not in rows[0]
                    ][:2]
                    found.append(f"{name}: {len(rows[0])} rows, from the WARC files {len(rows[1])}: {str(odd)[:600]}")
        return found
