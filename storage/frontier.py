"""The queue: every address known, when it is due, who is fetching it. State in SQLite, so that a killed crawl goes on.

It is sharded by host and site. Within a shard, the higher priority goes first (fronts, feeds and news sitemaps before
stories); of equal ones that which became due last, so that fresh stories go before old ones. Each question costs a few
steps in one index, however many addresses wait.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from parsers.url import host
from storage import patterns, timing
from storage.timing import instant, stamp
from storage.tombstones import Tombstones

Kind = Literal["front", "feed", "sitemap", "wp", "story"]
KINDS: tuple[Kind, ...] = ("front", "feed", "sitemap", "wp", "story")
SOURCE = 2
"""Priority of what every crawl asks: the sources of the settings, and those that a site itself offers."""
MAX_UNLISTED = 0.1
"""Share of a sitemap's stories that may be withdrawn at once, beside LEAST_UNLISTED of them."""
LEAST_UNLISTED = 5

_COLUMNS = "f.id, f.url, f.host_id, f.site_id, f.kind, f.etag, f.last_modified, f.failures, f.checks, f.first_seen, f.priority, h.refusals"
_SHARD = "host_id = ?1 AND site_id = ?2 AND state = 'due'"
_BESIDE = "id NOT IN (SELECT value FROM json_each(?3))"
_LEVELS = (
    f"WITH RECURSIVE level (n) AS (SELECT max(priority) FROM frontier WHERE {_SHARD} UNION ALL SELECT "
    f"(SELECT max(priority) FROM frontier WHERE {_SHARD} AND priority < n) FROM level WHERE n IS NOT NULL) "
)
"""The priorities of a shard's addresses; with each of them given, the index tells the first and the last that is due."""


class Shard(NamedTuple):
    """The addresses of one site on one host. `name`: the host's."""

    host: int
    site: int
    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An address taken from the queue. `host`: its key; `failures`: in a row; `checks`: times it was answered; `refusals`: of
    the host, in a row."""

    id: int
    url: str
    host: int
    site: int
    kind: Kind
    etag: str | None
    last_modified: str | None
    failures: int
    checks: int
    first_seen: datetime
    priority: int = 0
    refusals: int = 0


class Frontier:
    """The queue of one archive, over the archive's connection; changes belong to the caller's transaction.

    `tombstones`: addresses that are not queued. `stirred`: shards to which something was added; whoever reads it empties it.
    """

    def __init__(self, conn: sqlite3.Connection) -> None:
        self.conn = conn
        self.tombstones = Tombstones()
        self.stirred: set[Shard] = set()

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
        since: datetime | None = None,
        listed_in: int | None = None,
    ) -> bool:
        """Queue an address; False if it is known already, or was taken down.

        It is due now, or already since its story came out, if that is known (`since`): the latest goes first. `dated`,
        `listed_in`: see `redated`.
        """
        if self.tombstones and self.tombstones.url(url):
            return False
        name = host(url)
        key = self._host(name, now)
        cursor = self.conn.execute(
            "INSERT INTO frontier (url, host_id, site_id, kind, priority, due, found_on, first_seen, dated, listed_in) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            (
                url,
                key,
                site,
                kind,
                priority,
                stamp(min(now, since) if since else now),
                found_on,
                stamp(now),
                _stamp(dated),
                listed_in,
            ),
        )
        if cursor.rowcount == 1:
            self.stirred.add(Shard(key, site, name))
        return cursor.rowcount == 1

    def claim(self, url: str, *, site: int, but: Collection[int], now: datetime, kind: Kind | None = None) -> None:
        """Make a known address a source of a site, due now, unless it is one of the sites `but`. `kind`: what it is from now on."""
        self._sooner(
            "UPDATE frontier SET site_id = ?1, kind = coalesce(?2, kind), priority = ?3, state = 'due', due = ?4, "
            "outcome = nullif(outcome, ?5) WHERE url = ?6 AND (site_id NOT IN (SELECT value FROM json_each(?7)) "
            "OR (site_id = ?1 AND ?2 IS NOT NULL AND (kind, priority) <> (?2, ?3)))",
            (site, kind, SOURCE, stamp(now), patterns.DROPPED, url, json.dumps([*but])),
        )

    def knows(self, url: str) -> bool:
        """Whether an address was ever queued."""
        return self.conn.execute("SELECT 1 FROM frontier WHERE url = ?", (url,)).fetchone() is not None

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
            "AND (kind IN ('front', 'feed') OR priority = ? OR (? AND kind = 'story')) AND outcome IS NOT ?",
            (stamp(now), site, SOURCE, stories, patterns.DROPPED),
        )

    def ask_again(self, url: str, *, now: datetime) -> None:
        """Make a known address due."""
        self._sooner(
            "UPDATE frontier SET state = 'due', due = ? WHERE url = ? AND state <> 'leased'", (stamp(now), url)
        )

    def redated(self, url: str, dated: datetime, *, now: datetime, listed_in: int | None = None) -> None:
        """Note when a known address changed, as a sitemap says. If that was after it was asked for, or is later than the sitemap
        said before, the address is due. `listed_in`: key of the sitemap, if it lists stories."""
        changed = "last_fetched IS NOT NULL AND state <> 'leased' AND (dated IS NOT NULL OR last_fetched < ?1)"
        self._sooner(
            f"UPDATE frontier SET dated = ?1, due = iif({changed}, ?2, due), state = iif({changed}, 'due', state) "
            "WHERE url = ?3 AND coalesce(dated, '') < ?1 AND priority <> ?4",
            (stamp(dated), stamp(now), url, SOURCE),
        )
        if listed_in is not None:
            self.conn.execute(
                "UPDATE frontier SET listed_in = ?1 WHERE url = ?2 AND kind = 'story' AND listed_in IS NOT ?1",
                (listed_in, url),
            )

    def unlisted(self, entry: Entry, urls: Collection[str], *, after: datetime, now: datetime) -> None:
        """Make stories due that a sitemap named before and names no more, although it still names older ones.

        `urls`: those it names; `after`: the oldest date in it. What fell off its end says nothing; nor does a sitemap that
        lost more than MAX_UNLISTED of its stories: it was cut anew.
        """
        rows = self.conn.execute(
            "SELECT url FROM frontier WHERE listed_in = ? AND dated > ? AND last_fetched IS NOT NULL",
            (entry.id, stamp(after)),
        )
        gone = [url for (url,) in rows if url not in urls]
        self.conn.executemany("UPDATE frontier SET listed_in = NULL WHERE url = ?", ((url,) for url in gone))
        if len(gone) <= max(LEAST_UNLISTED, len(urls) * MAX_UNLISTED):
            for url in gone:
                self.ask_again(url, now=now)

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
        self._sooner(
            "UPDATE frontier SET state = 'due', due = ?1 WHERE found_on = ?2 AND kind = 'sitemap' AND state <> 'leased' "
            "AND (dated IS NULL OR dated > ?1)",
            (stamp(now), index),
        )

    def _sooner(self, update: str, values: tuple[Any, ...]) -> None:
        """Make known addresses due by an UPDATE of the queue."""
        moved = set(self.conn.execute(f"{update} RETURNING host_id, site_id", values).fetchall())
        for key, site in moved:
            (name,) = self.conn.execute("SELECT name FROM host WHERE id = ?", (key,)).fetchone()
            self.stirred.add(Shard(key, site, name))

    def release_leases(self) -> int:
        """Give back what a dead run was fetching. Only for the holder of the archive's lock: no other run is alive."""
        cursor = self.conn.execute(
            "UPDATE frontier SET state = 'due', leased_by = NULL, leased_until = NULL WHERE state = 'leased'"
        )
        return cursor.rowcount

    def shards(self, sites: Iterable[int]) -> list[Shard]:
        """The shards of some sites."""
        rows = self.conn.execute(
            "SELECT DISTINCT f.host_id, f.site_id, h.name FROM frontier f JOIN host h ON h.id = f.host_id "
            f"WHERE f.site_id IN ({_marks(sites)})",
            tuple(sites),
        )
        return [Shard(*row) for row in rows]

    def take(
        self,
        shard: Shard,
        now: datetime,
        *,
        kinds: Collection[Kind] = KINDS,
        beside: Collection[int] = (),
    ) -> Entry | None:
        """The first address of a shard that is due; None if there is none, or its host is held. `beside`: keys that do not count."""
        row = self.conn.execute(
            f"{_LEVELS} SELECT {_COLUMNS} FROM (SELECT n, (SELECT id FROM frontier WHERE {_SHARD} AND priority = n AND {_BESIDE} "
            f"AND due <= ?4 AND kind IN ({_marks(kinds)}) ORDER BY due DESC, id LIMIT 1) AS first FROM level WHERE n IS NOT NULL) "
            "JOIN frontier f ON f.id = first JOIN host h ON h.id = f.host_id "
            "WHERE h.held_until IS NULL OR h.held_until <= ?4 ORDER BY n DESC LIMIT 1",
            (shard.host, shard.site, json.dumps([*beside]), stamp(now), *kinds),
        ).fetchone()
        return _entry(row) if row else None

    def asked(self, entries: Iterable[Entry], *, now: datetime) -> None:
        """Count requests of hosts."""
        self.conn.executemany(
            "UPDATE host SET last_request = ?, requests = requests + 1 WHERE id = ?",
            ((stamp(now), entry.host) for entry in entries),
        )

    def lease(self, entries: Iterable[Entry], *, run: int, until: datetime) -> None:
        """Say which run is fetching some addresses."""
        self.conn.executemany(
            "UPDATE frontier SET state = 'leased', leased_by = ?, leased_until = ? WHERE id = ?",
            ((run, stamp(until), entry.id) for entry in entries),
        )

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
            "UPDATE host SET refusals = refusals + 1 WHERE id = ? RETURNING refusals", (entry.host,)
        ).fetchone()
        if (seconds := timing.pause(row[0])) is not None:
            reason = f"{row[0]} refusals in a row, the last {why}"
            self.hold(entry.url, until=now + timedelta(seconds=seconds), reason=reason, now=now)

    def welcomed(self, entry: Entry) -> None:
        """The host of an address gave a good answer: what it refused before is forgotten."""
        self.conn.execute(
            "UPDATE host SET refusals = 0, held_until = NULL, held_for = NULL WHERE id = ? AND refusals > 0",
            (entry.host,),
        )

    def pause(self, entry: Entry, *, changed: bool | None, now: datetime) -> float:
        """Seconds until a front or feed that answered is asked again; see `timing.next_pause`. Before `done`."""
        pause, last = self.conn.execute("SELECT pause, last_fetched FROM frontier WHERE id = ?", (entry.id,)).fetchone()
        since = (now - instant(last)).total_seconds() if last else None
        pause = timing.next_pause(pause, since, changed)
        self.conn.execute("UPDATE frontier SET pause = ? WHERE id = ?", (pause, entry.id))
        return float(pause)

    def put_off(self, origin: str, *, until: datetime) -> None:
        """Ask nothing that begins with an origin (`https://example.org`) before an instant."""
        self.conn.execute(
            "UPDATE frontier SET due = ?1 WHERE state = 'due' AND due < ?1 AND url >= ?2 AND url < ?3",
            (stamp(until), f"{origin}/", f"{origin}0"),
        )

    def find(self, url: str, *, site: int, kind: str, now: datetime) -> Entry:
        """The entry of an address, made if there is none."""
        self.add(url, site=site, kind=kind, now=now)
        query = f"SELECT {_COLUMNS} FROM frontier f JOIN host h ON h.id = f.host_id WHERE f.url = ?"
        return _entry(self.conn.execute(query, (url,)).fetchone())

    def next_due(
        self, shard: Shard, kinds: Collection[Kind] = KINDS, *, beside: Collection[int] = ()
    ) -> datetime | None:
        """When something of a shard is due next, a hold of its host included; None if nothing is planned. `beside`: see `take`."""
        row = self.conn.execute(
            f"{_LEVELS} SELECT max(min(first), coalesce((SELECT held_until FROM host WHERE id = ?1), '')) FROM (SELECT "
            f"(SELECT due FROM frontier WHERE {_SHARD} AND priority = n AND {_BESIDE} AND kind IN ({_marks(kinds)}) "
            "ORDER BY due LIMIT 1) AS first FROM level WHERE n IS NOT NULL)",
            (shard.host, shard.site, json.dumps([*beside]), *kinds),
        ).fetchone()
        return instant(row[0]) if row[0] else None

    def due_counts(self, sites: Iterable[int], now: datetime) -> dict[int, int]:
        """How many addresses of each site wait. Goes through all of them: to be asked now and then."""
        rows = self.conn.execute(
            f"SELECT site_id, count(*) FROM frontier WHERE site_id IN ({_marks(sites)}) AND state = 'due' AND due <= ? GROUP BY 1",
            (*sites, stamp(now)),
        )
        return dict(rows.fetchall())

    def known(self, site: int, kind: Kind) -> int:
        """How many addresses of a kind are known of a site, further pages and parts included."""
        row = self.conn.execute("SELECT count(*) FROM frontier WHERE site_id = ? AND kind = ?", (site, kind)).fetchone()
        return int(row[0])

    def followed(self, site: int, *, since: datetime) -> int:
        """How many addresses of a site were queued since then although nothing said that they were stories."""
        row = self.conn.execute(
            "SELECT count(*) FROM frontier WHERE site_id = ? AND priority < 0 AND first_seen >= ?", (site, stamp(since))
        ).fetchone()
        return int(row[0])

    def waiting(self, now: datetime, *, stories: bool = False) -> list[dict[str, Any]]:
        """What a crawl beginning now would ask for: every source and what is due; with `stories`, every known story."""
        rows = self.conn.execute(
            "SELECT s.name, f.kind, f.url FROM frontier f JOIN site s ON s.id = f.site_id WHERE f.kind IN ('front', 'feed') "
            "OR f.priority = ? OR (? AND f.kind = 'story') OR (f.state <> 'done' AND f.due <= ?) "
            "ORDER BY f.priority DESC, f.due DESC, f.id",
            (SOURCE, stories, stamp(now)),
        )
        return [{"site": name, "kind": kind, "url": url} for name, kind, url in rows]


def _entry(row: tuple[Any, ...]) -> Entry:
    key, url, host, site, kind, etag, modified, failures, checks, first_seen, *rest = row
    return Entry(key, url, host, site, kind, etag, modified, failures, checks, instant(first_seen), *rest)


def _stamp(at: datetime | None) -> str | None:
    return None if at is None else stamp(at)


def _marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)
