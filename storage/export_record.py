"""What an export says of itself: `release.json`, `README.md`, the dictionary of its columns."""

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from parsers.version import __version__
from storage import dictionary
from storage.dictionary import Entry
from storage.export_choice import LEFT_OUT, PUBLIC_QUOTE, Choice
from storage.export_tables import FORMULA
from storage.timing import stamp

POPULATIONS = {
    "articles": "stories whose date lies in the span, one row each: the latest reading of the latest revision",
    "quotes": "statements in those readings",
    "people": "everyone and everything quoted there; counted within these articles",
    "experts": "the named people among them who have a role or an affiliation; counted within these articles",
    "tags": "topics of these articles; counted within them",
    "article_tags": "one row a topic of each of these articles",
    "article_authors": "one row a name in the byline of each of these articles",
    "revisions": "every revision of these articles, whenever it was seen",
    "headline_changes": "those revisions that brought another headline",
    "stories": "groups that one of these articles belongs to; counted within these articles",
    "syndication": "copies among these articles whose original is among them, too",
    "captures": "responses that a visit in the span found, those that these articles were read from, and the fronts "
    "of front_page_history",
    "front_page_history": "what stood on the sites' fronts at some time of the span",
    "coverage": "the days of the span; all articles of the sites count here, whatever the span says of them",
    "runs": "runs that began in the span or fetched one of the captures; captures and visits are counted within these",
    "dictionary": "what each file and each of its columns means",
}
"""What the rows of a file are, in words."""

FORMATS = {
    "csv": f"""UTF-8 without a byte order mark, RFC 4180: cells that hold commas, quotes or line breaks are quoted, lines end with CRLF.
Null and empty text are both an empty cell. Columns of unit JSON hold JSON. Text may be long: Python's csv module wants
`csv.field_size_limit(10**9)`.

Text that a spreadsheet could take for a formula (it begins with = + - @ or their wide forms, with or without blanks before
it, or with a tab or a line break) has an apostrophe before it. Numbers have none. This takes it off again, and nothing else:

```python
import re

plain = re.sub(r\"\"\"\\A'(?={FORMULA})\"\"\", "", cell)
```

A NUL character is U+FFFD here.""",
    "jsonl": "One JSON object a line, UTF-8. Null is null, empty is \"\"; columns of unit JSON are lists and objects, not text.",
    "parquet": """Columns of unit UTC are timestamps with their zone (milliseconds), those of unit "UTC date" dates, those of unit "0 or 1"
booleans, those of unit "JSON list" lists of strings. What a column means stands in its metadata, too.""",
    "warc": """WARC 1.1, one gzip member a record; every record but the first of each file is a byte for byte copy of the archive's.
`captures.jsonl` says what kind of page each response is; its `file` and `offset` are places in the files here.
Visits that found the same content again are `revisit` records.""",
}  # fmt: skip
"""What to know of a format."""

DATES = """A story's date is when it appeared (`published_utc`), else when it was first captured (`first_seen`). Times are UTC. What
was taken down is in no file."""
PUBLIC = f"""This is a public export. It holds titles, addresses, times, tags, names, hashes, and statements up to {PUBLIC_QUOTE} characters
(a longer one ends with an ellipsis). Teasers, descriptions, bodies, captions, the teasers of cards and the archive's own
notes are left out, and their columns with them."""


def columns(view: str, choice: Choice) -> list[Entry]:
    """The columns of a file, as the dictionary describes them."""
    left_out = LEFT_OUT.get(view, set()) if choice.public else set()
    found = [entry for entry in dictionary.entries() if entry.object == view and entry.kind == "column"]
    return [entry for entry in found if entry.column not in left_out]


def described(views: Iterable[str], choice: Choice) -> list[Entry]:
    """The dictionary of these files: each view, then its columns."""
    views = set(views)
    left_out = LEFT_OUT if choice.public else {}
    return [e for e in dictionary.entries() if e.object in views and e.column not in left_out.get(e.object, ())]


@dataclass(frozen=True, slots=True)
class File:
    """A file of an export. `rows`: as in `Release.counts`, None for those that are words."""

    name: str
    rows: int | None
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Release:
    """What was taken from where: the record that makes an export citable.

    `archive_schema`: its last migration. `filters`: sites (none: all), since, until. `span`: first and last date of the
    articles, first and last time of the captures; null if there are none. `counts`: file, or table, to rows. `files`: once
    they are written.
    """

    format: str
    public: bool
    made: str
    edition: str
    archive_schema: str
    parser_versions: Sequence[str]
    filters: Mapping[str, Any]
    span: Mapping[str, Sequence[str | None]]
    counts: Mapping[str, int]
    files: Sequence[File] = ()

    def as_dict(self) -> dict[str, object]:
        """`release.json`."""
        return {"schema": 1, **asdict(self)}

    def of(self, *paths: Path) -> "Release":
        """The same with the files it consists of."""
        return replace(self, files=tuple(self._file(path) for path in paths))

    def _file(self, path: Path) -> File:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return File(path.name, self.counts.get(path.name), path.stat().st_size, digest)


def release(
    conn: sqlite3.Connection, form: str, choice: Choice, *, now: datetime, counts: Mapping[str, int]
) -> Release:
    """The record of the rows that `storage.export_choice` chose."""
    dates = (
        "SELECT min(at), max(at) FROM (SELECT coalesce(r.published_utc, a.first_seen) AS at FROM temp.reading r "
        "JOIN temp.revision v ON v.id = r.revision_id JOIN temp.article a ON a.id = v.article_id WHERE r.latest = 1)"
    )
    return Release(
        format=form,
        public=choice.public,
        made=stamp(now),
        edition=__version__,
        archive_schema=conn.execute("SELECT name FROM main._sqlite_migrations ORDER BY id DESC LIMIT 1").fetchone()[0],
        parser_versions=[row[0] for row in conn.execute("SELECT DISTINCT parser_version FROM temp.reading ORDER BY 1")],
        filters={
            "sites": list(choice.sites),
            "since": stamp(choice.since) if choice.since else None,
            "until": stamp(choice.until) if choice.until else None,
        },
        span={
            "articles": list(conn.execute(dates).fetchone()),
            "captures": list(conn.execute("SELECT min(at), max(at) FROM temp.capture").fetchone()),
        },
        counts=dict(counts),
    )


def readme(made: Release) -> str:
    """`README.md`: which population each file holds, and how to read it."""
    sites, since, until = made.filters.values()
    span = ([f"from {since}"] if since else []) + ([f"until {until}, excluded"] if until else [])
    head = (
        f"Sites: {', '.join(sites) or 'all'}. Dates: {' '.join(span) or 'all'}. Made at {made.made} by newsmorgue {made.edition}.\n"
        "`release.json` says so for programs, with the SHA-256 of every file."
    )
    rows = "\n".join(f"| `{name}` | {n} | {_population(name)} |" for name, n in made.counts.items())
    parts = [
        "# Export of a newsmorgue archive",
        head,
        *([PUBLIC] if made.public else []),
        DATES,
        f"| file | rows | what they are |\n|---|---:|---|\n{rows}",
        FORMATS[made.format],
    ]
    return "\n\n".join(parts) + "\n"


def _population(name: str) -> str:
    records = "answers, with their requests, redirects and the archive's own facts"
    return POPULATIONS.get(name.partition(".")[0], records)
