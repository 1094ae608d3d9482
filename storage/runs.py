"""Runs, sites and what failed: rows made when they happen, and made again from the log."""

import json
import sqlite3
from datetime import datetime
from typing import TYPE_CHECKING

from storage.facts import EndFacts, FailureFacts, RunFacts
from storage.timing import instant, stamp

if TYPE_CHECKING:
    from storage.archive import Archive


def begin(conn: sqlite3.Connection, facts: RunFacts, *, now: datetime) -> None:
    """The row of a run that began and those of its sites; runs that never ended are called killed."""
    conn.execute("UPDATE run SET state = 'killed', ended = ? WHERE state = 'running'", (stamp(now),))
    conn.execute(
        "INSERT INTO run (id, command, version, settings, started, state) VALUES (?, ?, ?, ?, ?, 'running') ON CONFLICT DO NOTHING",
        (facts.run, facts.command, facts.version, facts.settings, stamp(now)),
    )
    settings = json.loads(facts.settings)
    chosen = settings.get("chosen", ())
    for one in settings.get("sites", ()):
        if one["name"] in chosen:
            home, parser, timezone = one["home"], one.get("parser"), one.get("timezone")
            site(conn, one["name"], home=home, parser=parser, timezone=timezone, now=now)


def end(conn: sqlite3.Connection, facts: EndFacts, *, now: datetime) -> None:
    """The row of a run that ended."""
    conn.execute(
        "UPDATE run SET ended = ?, state = ?, counts = ?, errors = ? WHERE id = ?",
        (stamp(now), facts.state, json.dumps(dict(facts.counts), sort_keys=True), facts.errors, facts.run),
    )


def failure(archive: "Archive", facts: FailureFacts, *, site: int, now: datetime) -> None:
    """The rows of an address that did not come: itself, ledger, queue and, if its host is to be left alone, the host."""
    retry = instant(facts.retry) if facts.retry else None
    archive.note(site, now.date(), "tried")
    archive.note(site, now.date(), "dropped" if facts.dropped else "failed", facts.outcome)
    archive.db.execute(
        "INSERT OR REPLACE INTO failure (run_id, url, site_id, at, outcome, status) VALUES (?, ?, ?, ?, ?, ?)",
        (facts.run, facts.url, site, stamp(now), facts.outcome, facts.status),
    )
    if facts.held_for and retry is not None:
        archive.frontier.hold(facts.url, until=retry, reason=facts.held_for, now=now)
    entry = archive.frontier.find(facts.url, site=site, kind=facts.kind, now=now)
    archive.frontier.failed(entry, outcome=facts.outcome, status=facts.status, retry=retry)


def site(
    conn: sqlite3.Connection, name: str, *, home: str, parser: str | None, timezone: str | None, now: datetime
) -> int:
    """The key of a site, whose row is made or brought up to date."""
    row = conn.execute(
        "INSERT INTO site (name, home, parser, timezone, first_seen) VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE "
        "SET home = excluded.home, parser = excluded.parser, timezone = excluded.timezone RETURNING id",
        (name, home, parser, timezone, stamp(now)),
    ).fetchone()
    return int(row[0])
