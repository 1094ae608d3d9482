"""The queue: every address known, when it is due, who is fetching it. State in SQLite, so that a killed crawl goes on."""

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from parsers.url import host
from storage.timing import instant, pause, stamp
from storage.tombstones import Tombstones

Kind = Literal["front", "feed", "sitemap", "wp", "story"]
KINDS: tuple[Kind, ...] = ("front", "feed", "sitemap", "wp", "story")
SOURCE = 2
"""Priority of what every crawl asks: the sources of the settings, and those that a site itself offers."""

_COLUMNS = (
    "f.id, f.url, h.name, f.site_id, f.kind, f.etag, f.last_modified, f.failures, f.checks, f.first_seen, f.priority"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An address taken from the queue. `failures`: in a row; `checks`: times it was answered."""

    id: int
    url: str
    host: str
    site: int
    kind: Kind
    etag: str | None
    last_modified: str | None
    failures: int
    checks: int
    first_seen: datetime
    priority: int = 0


class Frontier:
    """The queue of one archive, over the archive's connection; changes belong to the caller's transaction.

    `tombstones`: addresses that are not queued.
    """

    def __init__(self, conn: sqlite3.Connection) -> None:
        self.conn = conn
        self.tombstones = Tombstones()

    def add(
        self,
        url: str,
        *,
        site: int,
        kind: Kind | str,
        now: datetime,
        priority: int = 0,
        found_on: str | None = None,
        dated: datetime | None = None,
    ) -> bool:
        """Queue an address, due now; False if it is known already, or was taken down. `dated`: see `redated`."""
        if self.tombstones and self.tombstones.url(url):
            return False
        cursor = self.conn.execute(
            "INSERT INTO frontier (url, host_id, site_id, kind, priority, due, found_on, first_seen, dated) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            (url, self._host(host(url), now), site, kind, priority, stamp(now), found_on, stamp(now), _stamp(dated)),
        )
        return cursor.rowcount == 1

    def _host(self, name: str, now: datetime) -> int:
        row = self.conn.execute("SELECT id FROM host WHERE name = ?", (name,)).fetchone()
        if row:
            return int(row[0])
        return int(
            self.conn.execute("INSERT INTO host (name, first_seen) VALUES (?, ?)", (name, stamp(now))).lastrowid or 0
        )

    def due_now(self, *, site: int, now: datetime, stories: bool = False) -> None:
        """Make every source, front and feed of a site due; with `stories`, every known story, too."""
        self.conn.execute(
            "UPDATE frontier SET state = 'due', due = ? WHERE site_id = ? AND state <> 'leased' "
            "AND (kind IN ('front', 'feed') OR priority = ? OR (? AND kind = 'story'))",
            (stamp(now), site, SOURCE, stories),
        )

    def ask_again(self, url: str, *, now: datetime) -> None:
        """Make a known address due."""
        self.conn.execute(
            "UPDATE frontier SET state = 'due', due = ? WHERE url = ? AND state <> 'leased'", (stamp(now), url)
        )

    def redated(self, url: str, dated: datetime, *, now: datetime) -> None:
        """Note when a known address changed, as a sitemap says. If it says a later date than before, the address is due."""
        changed = "dated IS NOT NULL AND last_fetched IS NOT NULL AND state <> 'leased'"
        self.conn.execute(
            f"UPDATE frontier SET dated = ?1, due = iif({changed}, ?2, due), state = iif({changed}, 'due', state) "
            "WHERE url = ?3 AND coalesce(dated, '') < ?1 AND priority <> ?4",
            (stamp(dated), stamp(now), url, SOURCE),
        )

    def newest(self, entry: Entry, dated: datetime) -> None:
        """Note the newest date in a sitemap."""
        self.conn.execute("UPDATE frontier SET dated = ? WHERE id = ?", (stamp(dated), entry.id))

    def newest_beside(self, entry: Entry) -> datetime | None:
        """The newest date in the index that names a sitemap; None if it says none."""
        row = self.conn.execute(
            "SELECT i.dated FROM frontier f JOIN frontier i ON i.url = f.found_on WHERE f.id = ?", (entry.id,)
        ).fetchone()
        return instant(row[0]) if row and row[0] else None

    def ask_parts(self, index: str, *, now: datetime) -> None:
        """Make those parts of a sitemap index due of which it does not say when they changed."""
        self.conn.execute(
            "UPDATE frontier SET state = 'due', due = ?1 WHERE found_on = ?2 AND kind = 'sitemap' AND state <> 'leased' "
            "AND (dated IS NULL OR dated > ?1)",
            (stamp(now), index),
        )

    def release_leases(self) -> int:
        """Give back what a dead run was fetching. Only for the holder of the archive's lock: no other run is alive."""
        cursor = self.conn.execute(
            "UPDATE frontier SET state = 'due', leased_by = NULL, leased_until = NULL WHERE state = 'leased'"
        )
        return cursor.rowcount

    def take(
        self,
        now: datetime,
        *,
        run: int,
        sites: Iterable[int],
        busy: Collection[str] = (),
        kinds: Collection[Kind] = KINDS,
        lease: timedelta = timedelta(minutes=10),
    ) -> Entry | None:
        """Lease the first due address of a host that is neither busy nor held; None if there is none."""
        row = self.conn.execute(
            f"SELECT {_COLUMNS}, h.id FROM frontier f JOIN host h ON h.id = f.host_id "
            f"WHERE f.state = 'due' AND f.due <= ? AND f.site_id IN ({_marks(sites)}) AND f.kind IN ({_marks(kinds)}) "
            f"AND h.name NOT IN ({_marks(busy)}) AND (h.held_until IS NULL OR h.held_until <= ?) "
            "ORDER BY f.priority DESC, f.due, f.id LIMIT 1",
            (stamp(now), *sites, *kinds, *busy, stamp(now)),
        ).fetchone()
        if row is None:
            return None
        self.conn.execute(
            "UPDATE frontier SET state = 'leased', leased_by = ?, leased_until = ? WHERE id = ?",
            (run, stamp(now + lease), row[0]),
        )
        self.conn.execute(
            "UPDATE host SET last_request = ?, requests = requests + 1 WHERE id = ?", (stamp(now), row[11])
        )
        return _entry(row)

    def done(
        self,
        entry: Entry,
        *,
        now: datetime,
        status: int,
        outcome: str,
        etag: str | None,
        last_modified: str | None,
        again: datetime | None,
    ) -> None:
        """An address was answered. `again`: when to ask next; None: never by itself."""
        self.conn.execute(
            "UPDATE frontier SET state = ?, due = ?, leased_by = NULL, leased_until = NULL, failures = 0, checks = checks + 1, status = ?, "
            "outcome = ?, etag = ?, last_modified = ?, last_fetched = ? WHERE id = ?",
            (
                "due" if again else "done", stamp(again) if again else None, status, outcome, etag, last_modified, stamp(now),
                entry.id,
            ),
        )  # fmt: skip

    def failed(self, entry: Entry, *, outcome: str, status: int | None, retry: datetime | None) -> None:
        """An address could not be fetched. `retry`: when to try again; None: never by itself."""
        self.conn.execute(
            "UPDATE frontier SET state = ?, due = ?, leased_by = NULL, leased_until = NULL, failures = failures + 1, outcome = ?, "
            "status = coalesce(?, status) WHERE id = ?",
            ("due" if retry else "done", stamp(retry) if retry else None, outcome, status, entry.id),
        )

    def hold(self, url: str, *, until: datetime, reason: str, now: datetime) -> None:
        """Leave the host of an address alone until then."""
        self.conn.execute(
            "UPDATE host SET held_until = ?, held_for = ? WHERE id = ?",
            (stamp(until), reason, self._host(host(url), now)),
        )

    def refused(self, entry: Entry, why: str, *, now: datetime) -> None:
        """The host of an address wants nothing of us, as it seems. After REFUSALS in a row it is left alone, each time longer."""
        row = self.conn.execute(
            "UPDATE host SET refusals = refusals + 1 WHERE name = ? RETURNING refusals", (entry.host,)
        ).fetchone()
        if (seconds := pause(row[0])) is not None:
            reason = f"{row[0]} refusals in a row, the last {why}"
            self.hold(entry.url, until=now + timedelta(seconds=seconds), reason=reason, now=now)

    def welcomed(self, entry: Entry) -> None:
        """The host of an address gave a good answer: what it refused before is forgotten."""
        self.conn.execute(
            "UPDATE host SET refusals = 0, held_until = NULL, held_for = NULL WHERE name = ? AND refusals > 0",
            (entry.host,),
        )

    def put_off(self, origin: str, *, until: datetime) -> None:
        """Ask nothing that begins with an origin (`https://example.org`) before an instant."""
        self.conn.execute(
            "UPDATE frontier SET due = ?1 WHERE state = 'due' AND due < ?1 AND url >= ?2 AND url < ?3",
            (stamp(until), f"{origin}/", f"{origin}0"),
        )

    def find(self, url: str, *, site: int, kind: str, now: datetime) -> Entry:
        """The entry of an address, made if there is none."""
        self.add(url, site=site, kind=kind, now=now)
        return _entry(
            self.conn.execute(
                f"SELECT {_COLUMNS} FROM frontier f JOIN host h ON h.id = f.host_id WHERE f.url = ?", (url,)
            ).fetchone()
        )

    def next_due(self, sites: Iterable[int], kinds: Collection[Kind] = KINDS) -> datetime | None:
        """When something of the sites is due next, holds of hosts included; None if nothing is planned."""
        row = self.conn.execute(
            "SELECT min(max(f.due, coalesce(h.held_until, ''))) FROM frontier f JOIN host h ON h.id = f.host_id "
            f"WHERE f.state = 'due' AND f.site_id IN ({_marks(sites)}) AND f.kind IN ({_marks(kinds)})",
            (*sites, *kinds),
        ).fetchone()
        return instant(row[0]) if row[0] else None

    def due_count(self, now: datetime) -> int:
        """How many addresses wait."""
        row = self.conn.execute(
            "SELECT count(*) FROM frontier WHERE state = 'due' AND due <= ?", (stamp(now),)
        ).fetchone()
        return int(row[0])

    def known(self, site: int, kind: Kind) -> int:
        """How many addresses of a kind are known of a site, further pages and parts included."""
        row = self.conn.execute("SELECT count(*) FROM frontier WHERE site_id = ? AND kind = ?", (site, kind)).fetchone()
        return int(row[0])

    def waiting(self, now: datetime, *, stories: bool = False) -> list[dict[str, Any]]:
        """What a crawl beginning now would ask for: every source and what is due; with `stories`, every known story."""
        rows = self.conn.execute(
            "SELECT s.name, f.kind, f.url FROM frontier f JOIN site s ON s.id = f.site_id WHERE f.kind IN ('front', 'feed') "
            "OR f.priority = ? OR (? AND f.kind = 'story') OR (f.state <> 'done' AND f.due <= ?) ORDER BY f.priority DESC, f.due, f.id",
            (SOURCE, stories, stamp(now)),
        )
        return [{"site": name, "kind": kind, "url": url} for name, kind, url in rows]


def _entry(row: tuple[Any, ...]) -> Entry:
    key, url, name, site, kind, etag, modified, failures, checks, first_seen, priority, *_ = row
    return Entry(key, url, name, site, kind, etag, modified, failures, checks, instant(first_seen), priority)


def _stamp(at: datetime | None) -> str | None:
    return None if at is None else stamp(at)


def _marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)
