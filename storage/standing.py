"""How the sites of an archive are: what came last, what waits, what fails, what their pages turned out to be. Read-only.

Made for archives of millions of pages. What waits is counted in one pass through an index of the queue for all sites together. The
last success is sought among the latest visits; only for sites that are not among these there is one pass through all, again
together. What came lately is counted in indexes that begin with the site, and the fill of fields over a site's latest articles.
"""

import sqlite3
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, get_args

from parsers.article import Verdict
from storage.frontier import SOURCE
from storage.questions import known_sites, rows_of
from storage.timing import REFUSALS, stamp

FAILING = 3
"""Failed addresses in a row, sources alone, after which a site is said to be failing."""
PERIOD = timedelta(days=7)
"""What `verdicts` and `failures` look back on."""
LATEST_VISITS = 50_000
LATEST_ARTICLES = 200
"""Articles whose fields are counted: as many as tell a share to within a few percent, and a redesign soon."""
_GOOD = "v.status < 400 AND c.verdict IS NOT 'challenge'"


def standing(conn: sqlite3.Connection, *, now: datetime, names: Collection[str] = ()) -> list[dict[str, Any]]:
    """One row a site, of all or of those named. Raises UsageError for a name that is not known.

    `state`: ok, failing, held, refused or never; `cause`: why it is held or refuses us, else empty. `last_success`: when a page
    of it last came. `due`: addresses due now; `queue`: those planned at all; `next_due`: when the first of these is due.
    `verdicts`: verdict to captures, and `failures`: cause to addresses that did not come, both of the last PERIOD. `fill`: field
    to share of the latest articles that have it.
    """
    wanted = known_sites(conn, names)
    if not wanted:
        return []
    refusing = {row["site"]: row for row in refused(conn)}
    success = _last_success(conn, wanted.values())
    waiting = _waiting(conn, now)
    verdicts = _verdicts(conn, wanted.values(), now - PERIOD)
    rows = []
    for name, key in sorted(wanted.items()):
        waits = waiting.get(key, {"due": 0, "queue": 0, "next_due": None, "failures": 0, "held_for": None})
        refuses, held = refusing.get(name), waits["held_for"]
        state = (
            "refused" if refuses
            else "never" if key not in success
            else "held" if held is not None
            else "failing" if waits["failures"] >= FAILING
            else "ok"
        )  # fmt: skip
        rows.append(
            {
                "site": name,
                "state": state,
                "cause": refuses["held_for"] if refuses else held or "",
                "last_success": success.get(key),
                "due": waits["due"],
                "queue": waits["queue"],
                "next_due": waits["next_due"],
                "verdicts": verdicts.get(key, {}),
                "failures": _failures(conn, key, now - PERIOD),
                "fill": _fill(conn, key),
            }
        )
    return rows


def refused(conn: sqlite3.Connection) -> list[dict[str, Any]]:
    """Sites one of whose hosts refuses us (`Frontier.refused`): site, host, held_for, held_until, `last_success`, when the
    host last gave a good answer (None: never), and `url`, the address that it refused last."""
    cursor = conn.execute(
        "SELECT s.name AS site, h.name AS host, h.held_for, h.held_until, (SELECT max(v.at) FROM frontier f JOIN capture c ON "
        "c.asked = f.url JOIN visit v ON v.capture_id = c.id WHERE f.host_id = h.id AND v.status < 400 AND c.verdict IS NOT 'challenge') "
        "AS last_success, (SELECT f.url FROM frontier f WHERE f.host_id = h.id AND f.site_id = s.id ORDER BY f.last_fetched DESC "
        "LIMIT 1) AS url FROM host h JOIN site s ON EXISTS (SELECT 1 FROM frontier f WHERE f.host_id = h.id AND f.site_id = s.id) "
        "WHERE h.refusals >= ? ORDER BY s.name, h.name",
        (REFUSALS,),
    )
    return rows_of(cursor)


def _last_success(conn: sqlite3.Connection, sites: Collection[int]) -> dict[int, str]:
    lately = conn.execute(
        f"SELECT c.site_id, max(v.at) FROM (SELECT * FROM visit ORDER BY id DESC LIMIT {LATEST_VISITS}) v "
        f"JOIN capture c ON c.id = v.capture_id WHERE c.at_source = 'response' AND {_GOOD} GROUP BY c.site_id"
    )
    found = dict(lately.fetchall())
    if missing := [site for site in sites if site not in found]:
        marks = ", ".join("?" for _ in missing)
        found |= conn.execute(
            "SELECT c.site_id, max(v.at) FROM capture c JOIN visit v ON v.capture_id = c.id "
            f"WHERE c.site_id IN ({marks}) AND {_GOOD} GROUP BY c.site_id",
            missing,
        ).fetchall()
    return found


def _waiting(conn: sqlite3.Connection, now: datetime) -> dict[int, dict[str, Any]]:
    """Of each site that has a queue: due, queue, next_due, failures of its sources in a row, and why a host of it is held."""
    cursor = conn.execute(
        "WITH shard AS MATERIALIZED (SELECT host_id, site_id, count(*) FILTER (WHERE state <> 'done') AS queue, "
        "count(*) FILTER (WHERE state <> 'done' AND due <= ?1) AS due, min(due) FILTER (WHERE state = 'due') AS next_due "
        "FROM frontier GROUP BY host_id, site_id) "
        "SELECT d.site_id AS site, sum(d.due) AS due, sum(d.queue) AS queue, min(d.next_due) AS next_due, "
        "max(coalesce((SELECT max(f.failures) FROM frontier f WHERE f.host_id = d.host_id AND f.site_id = d.site_id "
        "AND f.state IN ('due', 'leased', 'done') AND f.priority = ?2 AND f.kind <> 'story'), 0)) AS failures, "
        "min(iif(h.held_until > ?1, h.held_for, NULL)) AS held_for "
        "FROM shard d JOIN host h ON h.id = d.host_id GROUP BY d.site_id",
        (stamp(now), SOURCE),
    )
    return {row.pop("site"): row for row in rows_of(cursor)}


def _verdicts(conn: sqlite3.Connection, sites: Collection[int], since: datetime) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    marks = ", ".join("?" for _ in sites)
    words = get_args(Verdict)  # the index begins with the verdict
    for where, values in ((f"verdict IN ({', '.join('?' for _ in words)})", words), ("verdict IS NULL", ())):
        counted = conn.execute(
            f"SELECT site_id, coalesce(verdict, 'unread'), count(*) FROM capture WHERE {where} AND site_id IN ({marks}) "
            "AND at >= ? AND kind <> 'robots' GROUP BY 1, 2",
            (*values, *sites, stamp(since)),
        )
        for site, verdict, number in counted:
            found.setdefault(site, {})[verdict] = number
    return found


def _failures(conn: sqlite3.Connection, site: int, since: datetime) -> dict[str, int]:
    counted = conn.execute(
        "SELECT reason, sum(n) FROM ledger WHERE site_id = ? AND day >= ? AND stage = 'failed' GROUP BY reason ORDER BY 2 DESC, 1",
        (site, since.date().isoformat()),
    )
    return dict(counted.fetchall())


def _fill(conn: sqlite3.Connection, site: int) -> dict[str, float]:
    row = rows_of(
        conn.execute(
            "SELECT count(*) AS n, sum(r.title <> '') AS title, sum(r.teaser <> '') AS teaser, sum(r.body <> '') AS body, "
            "sum(r.published_utc IS NOT NULL) AS published, sum(r.section IS NOT NULL) AS section, "
            "sum(EXISTS (SELECT 1 FROM article_author x WHERE x.reading_id = r.id)) AS authors, "
            "sum(EXISTS (SELECT 1 FROM article_tag x WHERE x.reading_id = r.id)) AS tags, "
            "sum(EXISTS (SELECT 1 FROM quote q WHERE q.reading_id = r.id)) AS quotes "
            "FROM (SELECT id FROM article WHERE site_id = ? ORDER BY first_seen DESC, id DESC LIMIT ?) a "
            "CROSS JOIN revision v ON v.article_id = a.id JOIN reading r ON r.revision_id = v.id AND r.latest = 1",
            (site, LATEST_ARTICLES),
        )
    )[0]
    total = row.pop("n")
    return {name: round((value or 0) / total, 3) for name, value in row.items()} if total else {}


def robots(conn: sqlite3.Connection, url: str) -> int | None:
    """The capture of a robots.txt as it stood last; None if none was kept, or not with its payload."""
    row = conn.execute(
        "SELECT c.id FROM capture c WHERE c.asked = ? AND c.kind = 'robots' AND c.status < 300 AND c.withheld IS NULL "
        "ORDER BY (SELECT max(v.at) FROM visit v WHERE v.capture_id = c.id) DESC LIMIT 1",
        (url,),
    ).fetchone()
    return int(row[0]) if row else None
