"""Rows that a takedown removes: chosen in temporary tables first, so that a dry run counts what an applied one deletes."""

import sqlite3
from collections.abc import Callable, Iterable

from parsers.url import try_canonical
from storage import people
from storage.spotting import alike

_CHOSEN = {
    "gone_url": "url TEXT",
    "gone_article": "id INTEGER",
    "gone_capture": "id INTEGER",
    "gone_reading": "id INTEGER",
    "gone_card": "id INTEGER",
    "gone_person": "id INTEGER",
    "gone_tag": "id INTEGER",
    "gone_author": "id INTEGER",
    "gone_affiliation": "id INTEGER",
    "front_url": "url TEXT",
    "again": "id INTEGER",
}
_QUOTES = "quote_id IN (SELECT id FROM quote WHERE reading_id IN gone_reading OR person_id IN gone_person)"
ROWS = (
    ("quote_span", _QUOTES),
    ("quote", "reading_id IN gone_reading OR person_id IN gone_person"),
    ("article_tag", "reading_id IN gone_reading"),
    ("article_author", "reading_id IN gone_reading"),
    ("reading", "id IN gone_reading"),
    ("story_member", "article_id IN gone_article"),
    ("revision", "article_id IN gone_article"),
    ("alias", "article_id IN gone_article OR url IN gone_url"),
    ("article", "id IN gone_article"),
    ("placement", "card_id IN gone_card"),
    ("card", "id IN gone_card"),
    ("visit", "capture_id IN gone_capture"),
    ("capture", "id IN gone_capture"),
    ("frontier", "url IN gone_url"),
    ("failure", "url IN gone_url"),
    ("person", "id IN gone_person"),
    ("tag", "id IN gone_tag"),
    ("author", "id IN gone_author"),
    ("affiliation", "id IN gone_affiliation"),
)
"""What goes, in an order that foreign keys allow."""


def begin(conn: sqlite3.Connection) -> None:
    """Empty temporary tables, and every address that is a front's and therefore no story's."""
    for name, column in _CHOSEN.items():
        conn.execute(f"DROP TABLE IF EXISTS temp.{name}")
        conn.execute(f"CREATE TEMP TABLE {name} ({column} PRIMARY KEY) WITHOUT ROWID")
    conn.execute(
        "INSERT OR IGNORE INTO front_url SELECT url FROM front UNION SELECT url FROM frontier WHERE kind <> 'story' "
        "UNION SELECT home FROM site UNION SELECT asked FROM capture WHERE kind <> 'story'"
    )
    conn.create_function("canonical", 1, lambda url: try_canonical(url) or url, deterministic=True)


def choose_stories(conn: sqlite3.Connection, urls: Iterable[str]) -> None:
    """Choose everything that belongs to the stories of some addresses, under whatever other addresses they were seen."""
    conn.executemany("INSERT OR IGNORE INTO gone_url VALUES (?)", [(url,) for url in urls])
    while True:
        before = _size(conn, "gone_url") + _size(conn, "gone_article")
        _choose_alike(conn)
        conn.execute("INSERT OR IGNORE INTO gone_article SELECT article_id FROM alias WHERE url IN gone_url")
        conn.execute(
            "INSERT OR IGNORE INTO gone_article SELECT v.article_id FROM capture c JOIN reading r ON r.capture_id = c.id "
            "JOIN revision v ON v.id = r.revision_id WHERE c.asked IN gone_url"
        )
        conn.execute(
            "INSERT OR IGNORE INTO gone_url SELECT url FROM alias WHERE article_id IN gone_article AND url NOT IN front_url"
        )
        if _size(conn, "gone_url") + _size(conn, "gone_article") == before:
            break
    conn.execute(
        "INSERT OR IGNORE INTO gone_reading SELECT id FROM reading WHERE revision_id IN "
        "(SELECT id FROM revision WHERE article_id IN gone_article)"
    )
    conn.execute(
        "INSERT OR IGNORE INTO gone_capture SELECT id FROM capture WHERE asked IN gone_url "
        "UNION SELECT capture_id FROM revision WHERE article_id IN gone_article "
        "UNION SELECT capture_id FROM reading WHERE id IN gone_reading"
    )
    # What led to the story without becoming an article (a page that was cut, an error) is another of its addresses.
    conn.execute(
        "INSERT OR IGNORE INTO gone_capture SELECT id FROM capture c WHERE kind = 'story' AND canonical(url) IN gone_url "
        "AND NOT EXISTS (SELECT 1 FROM revision v WHERE v.capture_id = c.id AND v.article_id NOT IN gone_article) "
        "AND NOT EXISTS (SELECT 1 FROM reading r WHERE r.capture_id = c.id AND r.id NOT IN gone_reading)"
    )
    conn.execute(
        "INSERT OR IGNORE INTO gone_url SELECT asked FROM capture WHERE id IN gone_capture AND asked NOT IN front_url"
    )
    conn.execute("INSERT OR IGNORE INTO gone_card SELECT id FROM card WHERE url IN gone_url")
    _choose_orphans(conn)


def _choose_alike(conn: sqlite3.Connection) -> None:
    """Choose the addresses that are spelled almost like a chosen one."""
    urls = [row[0] for row in conn.execute("SELECT url FROM gone_url").fetchall()]
    conn.executemany(
        "INSERT OR IGNORE INTO gone_url SELECT ?1 WHERE ?1 NOT IN front_url AND (EXISTS (SELECT 1 FROM alias WHERE url = ?1) "
        "OR EXISTS (SELECT 1 FROM card WHERE url = ?1) OR EXISTS (SELECT 1 FROM frontier WHERE url = ?1) "
        "OR EXISTS (SELECT 1 FROM capture WHERE asked = ?1))",
        [(one,) for url in urls for one in alike(url)],
    )


def choose_people(conn: sqlite3.Connection, wanted: Callable[[str], bool]) -> None:
    """Choose the people whose names are wanted."""
    rows = conn.execute("SELECT id, name FROM person").fetchall()
    conn.executemany("INSERT INTO gone_person VALUES (?)", [(key,) for key, name in rows if wanted(name)])


def _choose_orphans(conn: sqlite3.Connection) -> None:
    """Choose people, topics, authors and affiliations that nothing else uses."""
    for table, link, column in (
        ("tag", "article_tag", "tag_id"),
        ("author", "article_author", "author_id"),
        ("person", "quote", "person_id"),
    ):
        conn.execute(
            f"INSERT OR IGNORE INTO gone_{table} SELECT {column} FROM {link} WHERE reading_id IN gone_reading "
            f"EXCEPT SELECT {column} FROM {link} WHERE reading_id NOT IN gone_reading"
        )
    conn.execute(
        "INSERT OR IGNORE INTO gone_affiliation SELECT affiliation_id FROM quote WHERE reading_id IN gone_reading "
        "AND affiliation_id IS NOT NULL EXCEPT SELECT affiliation_id FROM quote WHERE reading_id NOT IN gone_reading "
        "EXCEPT SELECT affiliation_id FROM person WHERE id NOT IN (SELECT person_id FROM quote WHERE reading_id IN gone_reading)"
    )


def _size(conn: sqlite3.Connection, table: str) -> int:
    return int(conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def count(conn: sqlite3.Connection) -> dict[str, int]:
    """Rows that go, by table."""
    found = {
        table: int(conn.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0]) for table, where in ROWS
    }
    return {table: number for table, number in found.items() if number}


def delete(conn: sqlite3.Connection) -> None:
    """Delete what was chosen; what others share with it is brought to what they alone say."""
    names = conn.execute(
        "SELECT DISTINCT p.normalised, p.type FROM quote q JOIN person p ON p.id = q.person_id WHERE q.reading_id IN gone_reading"
    ).fetchall()
    _uncount(conn)
    for table, where in ROWS:
        conn.execute(f"DELETE FROM {table} WHERE {where}")
        if table == "person":
            for name, kind in names:
                people.rejoin(conn, name, kind)
    _regroup(conn)


def _uncount(conn: sqlite3.Connection) -> None:
    """The ledger counts an address as listed on the day when a front first announced it."""
    rows = conn.execute(
        "SELECT site_id, substr(min(first_seen), 1, 10) FROM card WHERE id IN gone_card GROUP BY url"
    ).fetchall()
    conn.executemany("UPDATE ledger SET n = n - 1 WHERE site_id = ? AND day = ? AND stage = 'listed'", rows)
    conn.execute("DELETE FROM ledger WHERE n <= 0")


def _regroup(conn: sqlite3.Connection) -> None:
    """Groups that lost a member: the oldest is the first now; one article alone is no group."""
    conn.execute(
        "DELETE FROM story_member WHERE story_id IN (SELECT story_id FROM story_member GROUP BY story_id HAVING count(*) < 2)"
    )
    conn.execute("DELETE FROM story WHERE id NOT IN (SELECT story_id FROM story_member)")
    conn.execute(
        "UPDATE story_member SET kind = 'first' WHERE story_id NOT IN (SELECT story_id FROM story_member WHERE kind = 'first') "
        "AND article_id = (SELECT m.article_id FROM story_member m JOIN revision v ON v.article_id = m.article_id "
        "WHERE m.story_id = story_member.story_id ORDER BY v.at, v.id LIMIT 1)"
    )
    conn.execute(
        "UPDATE story SET first_seen = (SELECT a.first_seen FROM story_member m JOIN article a ON a.id = m.article_id "
        "WHERE m.story_id = story.id AND m.kind = 'first')"
    )


def forget(conn: sqlite3.Connection) -> list[int]:
    """Delete what was read of the articles in `again` and leave their captures unread; gives those captures."""
    conn.execute(
        "INSERT OR IGNORE INTO gone_reading SELECT r.id FROM reading r JOIN revision v ON v.id = r.revision_id "
        "WHERE v.article_id IN again"
    )
    for table in ("quote_span", "quote", "article_tag", "article_author", "reading"):
        conn.execute(f"DELETE FROM {table} WHERE {dict(ROWS)[table]}")
    conn.execute("DELETE FROM story_member WHERE article_id IN again")
    conn.execute("DELETE FROM revision WHERE article_id IN again")
    _regroup(conn)
    rows = conn.execute(
        "UPDATE capture SET verdict = NULL, problem = NULL WHERE kind = 'story' AND withheld IS NULL AND asked IN "
        "(SELECT url FROM alias WHERE article_id IN again) RETURNING id"
    )
    return [row[0] for row in rows.fetchall()]


def orphans(conn: sqlite3.Connection) -> None:
    """Delete people, topics, authors and affiliations that nothing uses."""
    conn.execute("DELETE FROM person WHERE id NOT IN (SELECT person_id FROM quote)")
    conn.execute("DELETE FROM tag WHERE id NOT IN (SELECT tag_id FROM article_tag)")
    conn.execute("DELETE FROM author WHERE id NOT IN (SELECT author_id FROM article_author)")
    conn.execute(
        "DELETE FROM affiliation WHERE id NOT IN (SELECT affiliation_id FROM quote WHERE affiliation_id IS NOT NULL "
        "UNION SELECT affiliation_id FROM person WHERE affiliation_id IS NOT NULL)"
    )
