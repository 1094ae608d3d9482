"""Tables, views, full text and the dictionary, made by ordered migrations.

From the first edition on every change of the schema is a migration here, with a test that opens an older archive.
Views are made anew by each edition: they hold no data.
"""

from importlib.resources import files

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from parsers.errors import SchemaTooNew
from storage import dictionary

migrations = Migrations("newsmorgue")


def _statements(name: str) -> list[str]:
    """The statements of an SQL file; they are separated by blank lines."""
    text = files("storage").joinpath("sql", name).read_text("utf-8")
    return [
        part.strip().rstrip(";") if "TRIGGER" not in part else part.strip()
        for part in text.split("\n\n")
        if part.strip()
    ]


@migrations(name="0001_first_edition")
def first_edition(db: Database) -> None:
    """Every table of the first edition."""
    for statement in _statements("0001_first_edition.sql"):
        db.execute(statement)


@migrations(name="0002_truth")
def truth(db: Database) -> None:
    """Sources of times, opt-outs as stated, what a revision changed, flagged dates, tombstones of people."""
    for statement in _statements("0002_truth.sql"):
        db.execute(statement)


def views() -> list[str]:
    """The `CREATE VIEW` statements of the views for analysts."""
    return _statements("views.sql")


def upgrade(db: Database) -> None:
    """Bring a database to this edition: pending migrations, then views and dictionary if their text changed."""
    check(db)
    pending = bool(migrations.pending(db))
    if pending:
        with db.atomic():  # all of them or none, together with the table that counts them
            migrations.apply(db)
    present = {
        sql for (sql,) in db.execute("SELECT sql FROM sqlite_master WHERE type = 'view' AND name <> '_latest_text'")
    }
    described = [tuple(row) for row in db.execute("SELECT * FROM _dictionary ORDER BY rowid")]
    if not pending and present == set(views()) and described == [tuple(entry) for entry in dictionary.entries()]:
        return
    with db.atomic():
        for (name,) in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'view' AND name <> '_latest_text'"
        ).fetchall():
            db.execute(f'DROP VIEW "{name}"')
        for statement in views():
            db.execute(statement)
        db.execute("DELETE FROM _dictionary")
        for entry in dictionary.entries():
            db.execute("INSERT INTO _dictionary VALUES (?, ?, ?, ?, ?, ?)", tuple(entry))


def check(db: Database) -> None:
    """Raises SchemaTooNew if the database knows migrations that this edition does not."""
    known = {migration.name for migration in migrations._migrations}
    unknown = [migration.name for migration in migrations.applied(db) if migration.name not in known]
    if unknown:
        raise SchemaTooNew(
            "the archive was written by a later edition of newsmorgue",
            cause=f"unknown changes of the schema: {', '.join(unknown)}",
            next="upgrade newsmorgue",
        )
