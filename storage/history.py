"""A story's revisions: what kind each is, withdrawals, and the words between two of them."""

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from parsers.article import Article
from parsers.errors import UsageError
from parsers.url import host, try_canonical
from storage.differences import Op, counts, differences
from storage.revisions import KINDS, Shown, kinds
from storage.timing import instant

NOTHING = hashlib.sha256(b"").digest()[:16]
"""Digest of a withdrawal. No text has it, so that a story that comes back is a revision."""


class Change(NamedTuple):
    """Columns of `revision`."""

    title_changed: bool
    body_changed: bool
    changes: str
    words_added: int
    words_removed: int


FIRST = Change(False, False, "[]", 0, 0)


def change(conn: sqlite3.Connection, key: int, article: Article, digest: bytes, at: str) -> Change:
    """What the text of a capture made at `at` changes in a story that has revisions already.

    It is compared with the last text that was seen, also across a withdrawal, which it ends.
    """
    last = conn.execute(
        "SELECT v.id FROM revision v JOIN reading r ON r.revision_id = v.id WHERE v.article_id = ? ORDER BY v.n DESC LIMIT 1",
        (key,),
    ).fetchone()
    conn.execute("UPDATE article SET withdrawn = NULL WHERE id = ? AND withdrawn IS NOT NULL", (key,))
    older = _shown(conn, last[0]) if last else None
    if older is None:
        return FIRST
    when = article.modified
    newer = Shown(
        article.title,
        article.teaser,
        article.body,
        tuple(quote.text for quote in article.quotes),
        when.utc if when else None,
        when is not None and when.precision == "day",
        instant(at),
    )
    seen = conn.execute("SELECT 1 FROM revision WHERE article_id = ? AND digest = ?", (key, digest)).fetchone()
    return _compared(older, newer, reverted=seen is not None)


def _shown(conn: sqlite3.Connection, revision: int) -> Shown | None:
    """The text of a revision, as its latest reading has it; None of a withdrawal."""
    row = conn.execute(
        "SELECT r.id, r.title, r.teaser, r.body, r.modified_utc, r.modified_precision, "
        "coalesce((SELECT max(x.at) FROM visit x WHERE x.capture_id = c.id), c.at) "
        "FROM reading r JOIN capture c ON c.id = r.capture_id WHERE r.revision_id = ? ORDER BY r.id DESC LIMIT 1",
        (revision,),
    ).fetchone()
    if row is None:
        return None
    reading, title, teaser, body, modified, precision, seen = row
    quotes = conn.execute("SELECT text FROM quote WHERE reading_id = ? ORDER BY n", (reading,)).fetchall()
    return Shown(
        title,
        teaser,
        body,
        tuple(text for (text,) in quotes),
        instant(modified) if modified else None,
        precision == "day",
        instant(seen),
    )


def _compared(older: Shown, newer: Shown, *, reverted: bool) -> Change:
    found = kinds(older, newer)
    if reverted:
        found.append("reverted")
    added, removed = counts(differences(older.body, newer.body)) if "text" in found else (0, 0)
    return Change("headline" in found, "text" in found, json.dumps(found), added, removed)


def in_order(conn: sqlite3.Connection, key: int, at: str) -> None:
    """Put a story's revisions in the order of their times again, after one from `at` came that may be older than others.

    The newest text is the latest, whatever came last. A text that its neighbour shows, too, is one revision with it.
    """
    conn.execute("UPDATE article SET first_seen = min(first_seen, ?) WHERE id = ?", (at, key))
    rows = conn.execute(
        "SELECT id, n, digest, at FROM revision WHERE article_id = ? ORDER BY at, id", (key,)
    ).fetchall()
    if [row[1] for row in rows] == list(range(1, len(rows) + 1)):
        return
    conn.execute("UPDATE revision SET n = -n WHERE article_id = ?", (key,))
    kept: list[tuple[int, bytes]] = []
    older: Shown | None = None
    for revision, _, digest, _ in rows:
        if kept and kept[-1][1] == digest:
            conn.execute("UPDATE reading SET revision_id = ? WHERE revision_id = ?", (kept[-1][0], revision))
            conn.execute("DELETE FROM revision WHERE id = ?", (revision,))
            continue
        newer = _shown(conn, revision)
        if newer is not None:
            known = digest in {one for _, one in kept}
            new = _compared(older, newer, reverted=known) if older else FIRST
            conn.execute(
                "UPDATE revision SET title_changed = ?, body_changed = ?, changes = ?, words_added = ?, words_removed = ? WHERE id = ?",
                (*new, revision),
            )
            older = newer
        kept.append((revision, digest))
        conn.execute("UPDATE revision SET n = ? WHERE id = ?", (len(kept), revision))
    gone = rows[-1][3] if rows[-1][2] == NOTHING else None
    conn.execute("UPDATE article SET withdrawn = ? WHERE id = ?", (gone, key))
    conn.execute(
        "UPDATE reading SET latest = 0 WHERE latest = 1 AND revision_id IN (SELECT id FROM revision WHERE article_id = ?)",
        (key,),
    )
    conn.execute(
        "UPDATE reading SET latest = 1 WHERE id = (SELECT r.id FROM reading r JOIN revision v ON v.id = r.revision_id "
        "WHERE v.article_id = ? ORDER BY v.n DESC, r.id DESC LIMIT 1)",
        (key,),
    )


def leads_to_front(conn: sqlite3.Connection, capture: int) -> bool:
    """Whether a capture was redirected to its site's home page, or to another front or feed that we know."""
    asked, url = conn.execute("SELECT asked, url FROM capture WHERE id = ?", (capture,)).fetchone()
    if url == asked or (given := try_canonical(url) or url) == asked:
        return False
    if conn.execute("SELECT 1 FROM front WHERE url = ?", (given,)).fetchone():
        return True
    parts = urlsplit(given)
    home = parts.path in ("", "/") and not parts.query
    return home and urlsplit(asked).path not in ("", "/") and _site(given) == _site(asked)


def _site(url: str) -> str:
    return host(url).removeprefix("www.")


def withdrawn(conn: sqlite3.Connection, capture: int) -> bool:
    """Note that a story is gone, as a capture of its address shows; False if none is known there, or it was gone already.

    A revision without a reading: views go on showing the last text. Of several addresses of a story the one counts under
    which its text was last found: another one may die while the story lives. With a query more it is the same one, if the
    story ever stood there without.
    """
    asked, at, key, since, source = conn.execute(
        "SELECT c.asked, c.at, a.id, a.withdrawn, l.source FROM capture c LEFT JOIN alias l ON l.url = c.asked "
        "LEFT JOIN article a ON a.id = l.article_id WHERE c.id = ?",
        (capture,),
    ).fetchone()
    if key is None or since is not None:
        return False
    found = conn.execute(
        "SELECT c.asked, v.at FROM alias l JOIN capture c ON c.asked = l.url JOIN visit v ON v.capture_id = c.id "
        "WHERE l.article_id = ? AND c.verdict = 'article' ORDER BY v.at DESC, v.id DESC LIMIT 1",
        (key,),
    ).fetchone()
    forms = (found[0], found[0].partition("?")[0]) if found is not None and source in ("asked", "redirect") else ()
    if found is not None and (asked not in forms or found[1] > at):
        return False
    conn.execute(
        "INSERT INTO revision (article_id, n, capture_id, at, digest, text_digest, title_changed, body_changed, changes) "
        "SELECT ?1, 1 + max(n), ?2, ?3, ?4, ?4, 0, 0, ?5 FROM revision WHERE article_id = ?1",
        (key, capture, at, NOTHING, json.dumps(["withdrawn"])),
    )
    conn.execute("UPDATE article SET withdrawn = ? WHERE id = ?", (at, key))
    return True


def diff(
    conn: sqlite3.Connection, url: str, *, start: int | None = None, end: int | None = None, every: bool = False
) -> list[dict[str, Any]]:
    """The words that changed between two revisions of the story at an address, any of its names.

    `start`, `end`: numbers of revisions; by default the last two. `every`: each step from `start` (1) to `end` (the last).
    Gives one row a step, none for a story with a single revision: url, from, to, from_at, to_at (when each was first
    seen), changes (kinds, of all steps between), words_added, words_removed (of the body), title, teaser, body (each a
    list of `{op, text}`; `equal` and `insert` joined are the newer text). A withdrawal has the text before it.
    Raises UsageError for an address or a number that is not there.
    """
    row = conn.execute(
        "SELECT a.id, a.url FROM alias l JOIN article a ON a.id = l.article_id WHERE l.url IN (?, ?)",
        (try_canonical(url) or url, url),
    ).fetchone()
    if row is None:
        raise UsageError(
            f"no story is kept from {url}",
            cause="neither as an address that was asked for, nor as one that a page gave as its own",
            next="newsmorgue search WORDS   lists the addresses of stories",
        )
    key, address = row
    last = conn.execute("SELECT max(n) FROM revision WHERE article_id = ?", (key,)).fetchone()[0]
    if last == 1 and start is None and end is None:
        return []
    end = last if end is None else end
    start = start if start is not None else 1 if every else end - 1
    if not 1 <= start < end <= last:
        raise UsageError(
            f"no step leads from revision {start} to {end} of {address}",
            cause=f"it has {last} revision{'s' if last > 1 else ''}, and a step leads to a later one",
            next=f"newsmorgue diff {address} --all",
        )
    steps = pairwise(range(start, end + 1)) if every else [(start, end)]
    return [_step(conn, key, address, one, two) for one, two in steps]


def _step(conn: sqlite3.Connection, key: int, url: str, start: int, end: int) -> dict[str, Any]:
    older, newer = _text(conn, key, start), _text(conn, key, end)
    stored = conn.execute(
        "SELECT n, at, changes FROM revision WHERE article_id = ? AND n BETWEEN ? AND ? ORDER BY n", (key, start, end)
    ).fetchall()
    changed = {kind for n, _, changes in stored if n > start for kind in json.loads(changes)}
    title, teaser, body = (differences(one, two) for one, two in zip(older, newer, strict=True))
    added, removed = counts(body)
    return {
        "url": url,
        "from": start,
        "to": end,
        "from_at": stored[0][1],
        "to_at": stored[-1][1],
        "changes": [kind for kind in KINDS if kind in changed],
        "words_added": added,
        "words_removed": removed,
        "title": _plain(title),
        "teaser": _plain(teaser),
        "body": _plain(body),
    }


def _text(conn: sqlite3.Connection, key: int, n: int) -> tuple[str, str, str]:
    """Title, teaser and body of a revision, as its latest reading has them."""
    title, teaser, body = conn.execute(
        "SELECT r.title, r.teaser, r.body FROM revision v JOIN reading r ON r.revision_id = v.id "
        "WHERE v.article_id = ? AND v.n <= ? ORDER BY v.n DESC, r.id DESC LIMIT 1",
        (key, n),
    ).fetchone()
    return title, teaser, body


def _plain(ops: Sequence[Op]) -> list[dict[str, str]]:
    return [op._asdict() for op in ops]
