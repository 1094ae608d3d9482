"""Which rows an export holds: sites, a span, nothing taken down and, for the public, no texts.

Every table is covered by a temporary view of its name that shows the chosen rows alone, and the views for analysts are made
anew on top of those. So every format is written from one choice, and an export equals the archive's own views.
"""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from parsers.errors import UsageError
from parsers.url import try_canonical
from storage import schema
from storage.keeping import digest
from storage.questions import known_sites
from storage.timing import stamp

PUBLIC_QUOTE = 200
"""Characters of a statement in a public export; the last of a longer one is an ellipsis."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What to export. `sites`: names, none for all. `since` (inclusive), `until` (exclusive): aware instants, None for
    an open end. `public`: leave out what belongs to publishers or to the archivist alone."""

    sites: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    public: bool = False

    def within(self, first: str, last: str | None = None) -> str:
        """SQL: the time `first` lies in the span; with `last`, the time from `first` to `last` touches it."""
        parts = [f"{last or first} >= '{stamp(self.since)}'"] if self.since else []
        parts += [f"{first} < '{stamp(self.until)}'"] if self.until else []
        return " AND ".join(parts) or "1"

    def days(self, column: str) -> str:
        """SQL: some part of a UTC date lies in the span."""
        parts = [f"{column} >= '{stamp(self.since)[:10]}'"] if self.since else []
        parts += [f"{column} || 'T00:00:00.000Z' < '{stamp(self.until)}'"] if self.until else []
        return " AND ".join(parts) or "1"


_ARTICLES = "article_id IN chosen_article"
_READINGS = "reading_id IN chosen_reading"
_QUOTES = f"{_READINGS} AND +person_id IN chosen_person"
TABLES = {
    "site": "+id IN chosen_site",
    "run": "+id IN chosen_run",
    "tag": "+id IN chosen_tag",
    "author": "+id IN chosen_author",
    "affiliation": "+id IN chosen_affiliation",
    "person": "+id IN chosen_person",
    "capture": "+id IN chosen_capture",
    "visit": "+capture_id IN chosen_capture",
    "article": "+id IN chosen_article",
    "alias": f"+{_ARTICLES}",
    "revision": f"+{_ARTICLES}",
    "reading": "+id IN chosen_reading",
    "article_tag": f"+{_READINGS}",
    "article_author": f"+{_READINGS} AND +author_id IN chosen_author",
    "quote": f"+{_QUOTES}",
    "quote_span": f"+quote_id IN (SELECT id FROM main.quote WHERE {_QUOTES})",
    "front": "+id IN chosen_front",
    "card": "+id IN (SELECT kept FROM chosen_card)",
    "placement": "+front_id IN chosen_front AND +card_id IN (SELECT id FROM chosen_card) AND {touching}",
    "story": "+id IN chosen_story",
    "story_member": f"+{_ARTICLES}",
    "failure": "+run_id IN chosen_run AND +site_id IN wanted_site AND NOT taken_down(url)",
    "ledger": "+site_id IN wanted_site AND {days}",
    "takedown": "1",
}
"""Tables that an export may hold, those that others refer to first, with the rows chosen. Any other table stays empty."""

_SAME = {
    ("card", "last_seen"): "(SELECT k.last_seen FROM chosen_card k WHERE k.id = card.id)",
    ("placement", "card_id"): "(SELECT k.kept FROM chosen_card k WHERE k.id = card_id)",
}
"""Cards that differ only in what the public does not see are one card."""


def _cut(column: str) -> str:
    # substr ends at a NUL, as length does: nothing behind one slips through.
    return (
        f"CASE WHEN length({column}) > {PUBLIC_QUOTE} THEN substr({column}, 1, {PUBLIC_QUOTE - 1}) || '…' "
        f"ELSE substr({column}, 1, {PUBLIC_QUOTE}) END"
    )


PUBLIC = {
    ("reading", "teaser"): "''",
    ("reading", "description"): "''",
    ("reading", "body"): "''",
    ("reading", "blocks"): "'[]'",
    ("reading", "captions"): "'[]'",
    ("reading", "image"): "CASE WHEN image IS NOT NULL THEN json_object('url', image ->> 'url') END",
    ("reading", "provenance"): "'{}'",
    ("quote", "text"): _cut("text"),
    ("quote", "speaker"): _cut("speaker"),
    ("quote", "role"): _cut("role"),
    ("quote", "cue"): _cut("cue"),
    ("person", "name"): _cut("name"),
    ("card", "teaser"): "''",
    ("capture", "problem"): "NULL",
    ("capture", "kept_because"): "NULL",
    ("run", "settings"): "'{}'",
}
"""What stands in a public export in place of a column; `takedown` and `failure` have no rows there."""

LEFT_OUT = {
    "articles": {"teaser", "card_teaser", "description", "summary", "body"},
    "captures": {"problem"},
    "front_page_history": {"teaser"},
    "runs": {"problems", "settings"},
}
"""Columns of views that would be empty in a public export and are left out of its files."""


def choose(conn: sqlite3.Connection, choice: Choice) -> None:
    """Make the temporary views. Call inside a transaction: its end removes them.

    Raises UsageError if a site is not known or the span is empty.
    """
    if choice.since and choice.until and choice.since >= choice.until:
        raise UsageError("the span is empty", cause="--since is not before --until", next="--since 2026-11-01")
    conn.execute("CREATE TEMP TABLE wanted_site (id INTEGER PRIMARY KEY)")
    conn.executemany(
        "INSERT OR IGNORE INTO wanted_site VALUES (?)", [(key,) for key in known_sites(conn, choice.sites).values()]
    )
    _tombstones(conn)
    for name, select in _chosen(choice).items():
        conn.execute(f"CREATE TEMP TABLE {name} (id INTEGER PRIMARY KEY)")
        conn.execute(f"INSERT OR IGNORE INTO {name} {select}")
        if name == "chosen_front":
            _cards(conn, choice)
    for table in TABLES:
        _cover(conn, table, choice)
    for statement in schema.views():
        if not statement.startswith("CREATE VIEW coverage "):
            conn.execute(statement.replace("CREATE VIEW", "CREATE TEMP VIEW", 1))
    # The denominators of a day are those of all its articles, whatever their dates say.
    conn.execute(
        f"CREATE TEMP VIEW coverage AS SELECT * FROM main.coverage WHERE {choice.days('day')} "
        "AND site IN (SELECT s.name FROM main.site s WHERE s.id IN wanted_site)"
    )


def _tombstones(conn: sqlite3.Connection) -> None:
    """SQL functions that know what was taken down, and every other address of such a story."""
    gone = {row[0] for row in conn.execute("SELECT digest FROM main.takedown")}

    def taken_down(url: str) -> bool:
        return bool(gone) and digest((try_canonical(url) or url).encode()) in gone

    def name_taken_down(name: str) -> bool:
        return bool(gone) and digest(name.encode()) in gone

    conn.create_function("taken_down", 1, taken_down)
    conn.create_function("name_taken_down", 1, name_taken_down)
    names = conn.execute(
        "SELECT url FROM main.alias WHERE article_id IN (SELECT article_id FROM main.alias WHERE taken_down(url) "
        "UNION SELECT id FROM main.article WHERE taken_down(url))"
    )
    gone |= {digest(url.encode()) for (url,) in names.fetchall()}


def _chosen(choice: Choice) -> dict[str, str]:
    """Temporary tables of keys, in the order in which they lean on each other."""
    site = "site_id IN wanted_site" if choice.sites else "1"
    dated = (
        "coalesce((SELECT r.published_utc FROM main.revision v JOIN main.reading r ON r.revision_id = v.id AND r.latest = 1 "
        "WHERE v.article_id = a.id), a.first_seen)"
    )
    return {
        "chosen_article": f"SELECT a.id FROM main.article a WHERE {site} AND {choice.within(dated)} "
        "AND NOT taken_down(a.url)",
        "chosen_reading": "SELECT r.id FROM main.revision v JOIN main.reading r ON r.revision_id = v.id "
        "WHERE v.article_id IN chosen_article",
        "chosen_person": f"SELECT p.id FROM main.person p WHERE id IN (SELECT person_id FROM main.quote WHERE {_READINGS}) "
        "AND NOT name_taken_down(p.normalised)",
        "chosen_tag": f"SELECT tag_id FROM main.article_tag WHERE {_READINGS}",
        "chosen_author": f"SELECT a.id FROM main.author a WHERE id IN (SELECT author_id FROM main.article_author "
        f"WHERE {_READINGS}) AND NOT name_taken_down(a.normalised)",
        "chosen_affiliation": f"SELECT affiliation_id FROM main.quote WHERE {_QUOTES} AND affiliation_id IS NOT NULL UNION "
        "SELECT affiliation_id FROM main.person WHERE id IN chosen_person AND affiliation_id IS NOT NULL",
        "chosen_story": f"SELECT story_id FROM main.story_member WHERE {_ARTICLES}",
        "chosen_front": "SELECT f.id FROM main.front f WHERE f.site_id IN wanted_site AND NOT taken_down(f.url)",
        "chosen_capture": f"SELECT c.id FROM main.capture c WHERE {site} AND ({choice.within('c.at')} OR EXISTS "
        f"(SELECT 1 FROM main.visit v WHERE v.capture_id = c.id AND {choice.within('v.at')})) "
        "AND NOT taken_down(c.asked) AND NOT taken_down(c.url) "
        "UNION SELECT capture_id FROM main.reading WHERE id IN chosen_reading "
        "UNION SELECT capture_id FROM main.revision WHERE article_id IN chosen_article "
        "UNION SELECT v.capture_id FROM main.placement p JOIN main.visit v ON v.id IN (p.since, p.until) "
        f"WHERE p.front_id IN chosen_front AND p.card_id IN (SELECT k.id FROM chosen_card k) AND {_touching(choice)}",
        "chosen_run": f"SELECT id FROM main.run WHERE {choice.within('started')} "
        "UNION SELECT run_id FROM main.capture WHERE id IN chosen_capture AND run_id IS NOT NULL "
        "UNION SELECT run_id FROM main.visit WHERE capture_id IN chosen_capture AND run_id IS NOT NULL",
        "chosen_site": "SELECT id FROM wanted_site "
        "UNION SELECT site_id FROM main.capture WHERE id IN chosen_capture AND site_id IS NOT NULL",
    }


def _touching(choice: Choice) -> str:
    """SQL: a placement stood there at some time of the span."""
    first, last = (f"(SELECT t.at FROM main.visit t WHERE t.id = {column})" for column in ("since", "until"))
    return choice.within(first, last)


def _cards(conn: sqlite3.Connection, choice: Choice) -> None:
    """Cards that stood somewhere in the span or announced a chosen story, and which of equal ones is `kept`."""
    teaser = "''" if choice.public else "teaser"
    conn.execute(
        "CREATE TEMP TABLE chosen_card (id INTEGER PRIMARY KEY, kept INTEGER NOT NULL, last_seen TEXT NOT NULL)"
    )
    conn.execute(
        "INSERT INTO chosen_card SELECT id, min(id) OVER same, max(last_seen) OVER same FROM main.card "
        "WHERE site_id IN wanted_site AND NOT taken_down(url) AND id IN ("
        f"SELECT card_id FROM main.placement WHERE front_id IN chosen_front AND {_touching(choice)} UNION "
        "SELECT x.id FROM main.alias l JOIN main.card x ON x.url = l.url WHERE l.article_id IN chosen_article) "
        f"WINDOW same AS (PARTITION BY url, title, {teaser}, section)"
    )


def _cover(conn: sqlite3.Connection, table: str, choice: Choice) -> None:
    replaced = _SAME | (PUBLIC if choice.public else {})
    columns = [row[1] for row in conn.execute(f"PRAGMA main.table_info({table})")]
    shown = ", ".join(f'{replaced.get((table, name), chr(34) + name + chr(34))} AS "{name}"' for name in columns)
    rows = TABLES[table].format(touching=_touching(choice), days=choice.days("day"))
    if choice.public and table in ("takedown", "failure"):
        rows = "0"
    # `likely`, and a plus sign before each key, leave the planner with the plan that it has without our condition: it knows
    # nothing of our lists and would walk through them.
    conn.execute(f"CREATE TEMP VIEW {table} AS SELECT {shown} FROM main.{table} WHERE likely({rows})")
