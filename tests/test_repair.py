"""`repair`: what it says it mended is mended, what it cannot mend is said, and nothing is thrown away."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Crawled
from damage import DAMAGE, Expected, cut, execute, findings, flip, overwrite, replace, some, unrecorded, value, warc
from test_rebuild import tables

from scraper.rebuild import rebuild
from scraper.repair import Repaired
from scraper.repair import repair as mend
from scraper.settings import load
from storage.archive import Archive
from storage.verify import Verify


def repair(crawled: Crawled, folder: Path, *, apply: bool = True, backup: Path | None = None) -> Repaired:
    settings = load(folder, environ={})
    return mend(folder, settings, apply=apply, now=crawled.portal.now, backup=backup)


def everything(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "-shm" not in path.name}


def kinds(done: Repaired) -> tuple[set[str], set[str]]:
    return {one.kind for one in done.mended}, {one.kind for one in done.left}


def test_a_whole_archive_needs_no_repair(crawled: Crawled, copy: Path) -> None:
    before = tables(copy)
    assert kinds(repair(crawled, copy, apply=False)) == (set(), set())
    assert kinds(repair(crawled, copy)) == (set(), set())
    assert tables(copy) == before


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_damage_is_marked_as_lost_and_comes_back_from_a_backup(
    crawled: Crawled, copy: Path, damage: Callable[[Path], Expected]
) -> None:
    original = tables(copy)
    kind, offset, _ = damage(copy)
    name, damaged = warc(copy).name, warc(copy).read_bytes()
    found = {(one.kind, one.offset) for one in findings(copy)}
    # Dry: everything that is found is told, nothing is changed.
    before = everything(copy)
    done = repair(crawled, copy, apply=False)
    assert {(one.kind, one.offset) for one in [*done.mended, *done.left]} == found
    assert everything(copy) == before
    # Without a backup: every text stays, the good members and the damaged bytes are as they were (but for a tail that was
    # never recorded), and what cannot be mended is marked.
    done = repair(crawled, copy)
    after = tables(copy)
    for table in ("article", "revision", "reading", "quote", "person", "capture"):
        assert len(after[table]) == len(original[table]), table
    left = {(one.kind, one.offset) for one in done.left}
    assert {(one.kind, one.offset) for one in Verify(copy, with_lost=True).findings()} == left
    assert not left & {(one.kind, one.offset) for one in done.mended}
    assert findings(copy) == []
    assert damaged.startswith(warc(copy).read_bytes()) or kind == "altered_header"
    if (kind, offset) in left:
        assert (name, offset) in {row[:2] for row in after["lost"]}
        lost = value(copy, "SELECT count(*) FROM captures WHERE lost IS NOT NULL")[0]
        assert lost <= sum(one.kind in ("row_without_bytes", kind) for one in done.left)
    # With a backup every byte comes back, and nothing is lost any more.
    again = repair(crawled, copy, backup=crawled.folder)
    if damage.__name__ == "a_response_in_place_of_another":  # of another length: everything behind it has moved
        assert {"row_mismatch"} <= kinds(again)[1] <= {"row_mismatch", "file_cut"}
        return
    assert (findings(copy), again.left) == ([], [])
    assert kind in kinds(done)[0] | kinds(again)[0]
    assert warc(copy).read_bytes() == warc(crawled.folder).read_bytes()
    assert tables(copy) == {**original, "lost": []}


def test_a_missing_file_comes_back(crawled: Crawled, copy: Path) -> None:
    path = warc(copy)
    path.unlink()
    assert kinds(repair(crawled, copy, apply=False, backup=crawled.folder))[0] == {"file_missing"}
    repair(crawled, copy, backup=crawled.folder)
    assert path.read_bytes() == warc(crawled.folder).read_bytes()
    assert findings(copy) == []


def test_bytes_of_a_backup_that_is_damaged_itself_or_another_archive_are_not_taken(
    crawled: Crawled, copy: Path, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    shutil.copytree(crawled.folder, backup)
    member = some(copy, "response")
    for folder, place in ((copy, member.begin + 50), (backup, member.begin + 60)):
        flip(warc(folder), place)
    assert kinds(repair(crawled, copy, backup=backup))[1] == {"damaged_record"}
    other = some(backup, "response", 3)
    replace(warc(backup), other.begin, other.begin, b"moved")
    flip(warc(backup), member.begin + 60 + 5)
    assert kinds(repair(crawled, copy, backup=backup))[1] == {"damaged_record"}


def test_a_backup_that_ends_earlier_gives_what_it_has(crawled: Crawled, copy: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    shutil.copytree(crawled.folder, backup)
    end = some(backup, "request", 60).end
    with warc(backup).open("r+b") as file:
        file.truncate(end + 10)
    cut(copy, some(copy, "response", 10).begin + 20)
    done = repair(crawled, copy, backup=backup)
    assert warc(copy).read_bytes() == warc(crawled.folder).read_bytes()[:end]
    assert ("file_cut", end) in {(one.kind, one.offset) for one in done.left}


def test_a_lost_capture_says_so_and_is_not_read_again(crawled: Crawled, copy: Path) -> None:
    capture, offset = value(copy, "SELECT id, offset FROM captures WHERE verdict = 'article' LIMIT 1 OFFSET 9")
    flip(warc(copy), offset + 99)
    repair(crawled, copy)
    with Archive.open(copy, write=True) as archive:
        assert capture not in [key for key, _ in archive.pages()]
        reason = archive.db.execute("SELECT lost FROM captures WHERE id = ?", (capture,)).fetchone()[0]
        assert "cannot be unpacked" in reason
        archive.set_verdict(capture, "article")
        archive.db.execute("UPDATE capture SET verdict = NULL WHERE id = ?", (capture,))
        assert archive.unread() == []


def test_what_came_back_is_lost_no_more(crawled: Crawled, copy: Path) -> None:
    flip(warc(copy), some(copy, "response").begin + 99)
    assert repair(crawled, copy).lost == 1
    assert repair(crawled, copy, backup=crawled.folder).lost == 0
    assert value(copy, "SELECT count(*) FROM lost") == (0,)


# -- rows -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statements",
    [
        ["DELETE FROM visit WHERE id = {visit}"],
        ["DELETE FROM visit WHERE id BETWEEN {visit} AND {visit} + 3"],
        ["UPDATE visit SET offset = offset + 1000000000 WHERE id = {visit}"],
        ["UPDATE visit SET length = length - 1 WHERE id = {visit}"],
        ["UPDATE capture SET offset = 7 WHERE id = {capture}"],
        ["UPDATE capture SET file = 'other.warc.gz' WHERE id = {capture}"],
        ["UPDATE capture SET offset = 7 WHERE id = {capture}", "UPDATE visit SET offset = 7 WHERE id = {visit}"],
        ["UPDATE reading SET latest = 0 WHERE id = 9"],
        ["UPDATE reading SET latest = 1"],
        ["DELETE FROM text_fts_docsize WHERE id = 5"],
        ["UPDATE text_fts_data SET block = zeroblob(length(block)) WHERE id > 10"],
        ["UPDATE warc SET indexed = 5000"],
        ["UPDATE reading SET latest = 0 WHERE id = 9", "INSERT INTO text_fts (text_fts) VALUES ('delete-all')"],
    ],
    ids=lambda statements: statements[0][:40],
)
@pytest.mark.parametrize("kind", ["story", "front"])
def test_rows_come_back_as_they_were(crawled: Crawled, copy: Path, kind: str, statements: list[str]) -> None:
    before = tables(copy)
    visit, capture = value(
        copy,
        f"SELECT v.id, c.id FROM visit v JOIN capture c ON c.id = v.capture_id AND c.offset = v.offset WHERE c.kind = '{kind}' "
        "LIMIT 1 OFFSET 8",
    )
    execute(copy, *(statement.format(visit=visit, capture=capture) for statement in statements))
    found = {(one.kind, one.offset) for one in findings(copy)}
    assert found
    done = repair(crawled, copy)
    assert {(one.kind, one.offset) for one in done.mended} == found
    assert (findings(copy), done.left, done.lost) == ([], [], 0)
    assert tables(copy) == before


@pytest.mark.parametrize(
    ("kind", "n"), [("story", 0), ("story", 20), ("front", 0), ("front", 12), ("robots", 0), ("feed", 0)]
)
def test_a_capture_whose_rows_are_gone_comes_back_under_its_number(
    crawled: Crawled, copy: Path, kind: str, n: int
) -> None:
    before = tables(copy)
    capture = value(copy, f"SELECT id FROM capture WHERE kind = '{kind}' LIMIT 1 OFFSET {n}")[0]
    execute(copy, f"DELETE FROM visit WHERE capture_id = {capture}", f"DELETE FROM capture WHERE id = {capture}")
    assert "bytes_without_row" in {one.kind for one in findings(copy)}
    done = repair(crawled, copy)
    assert (findings(copy), done.left) == ([], [])
    assert tables(copy) == before


def test_a_story_of_which_nothing_is_left_in_the_tables_is_read_again(crawled: Crawled, copy: Path) -> None:
    """Rows that hang on each other are deleted as a careful hand would: nothing points to what is not there."""
    (url, article) = value(copy, "SELECT url, id FROM article WHERE id = 17")
    of = f"(SELECT r.id FROM reading r JOIN revision v ON v.id = r.revision_id WHERE v.article_id = {article})"
    words = "INSERT INTO text_fts (text_fts, rowid, title, teaser, body) SELECT 'delete', id, title, teaser, body FROM reading"
    captures = f"(SELECT id FROM capture WHERE asked = '{url}')"
    execute(
        copy,
        f"DELETE FROM quote_span WHERE quote_id IN (SELECT id FROM quote WHERE reading_id IN {of})",
        *(f"DELETE FROM {table} WHERE reading_id IN {of}" for table in ("quote", "article_tag", "article_author")),
        f"DELETE FROM reading WHERE id IN {of}",
        f"DELETE FROM revision WHERE article_id = {article}",
        f"DELETE FROM alias WHERE article_id = {article}",
        f"DELETE FROM article WHERE id = {article}",
        f"DELETE FROM visit WHERE capture_id IN {captures}",
        f"DELETE FROM capture WHERE id IN {captures}",
    )
    del words
    assert {one.kind for one in findings(copy)} == {"bytes_without_row"}
    done = repair(crawled, copy)
    assert (findings(copy), done.left) == ([], [])
    with Archive.open(copy) as archive, Archive.open(crawled.folder) as original:
        sql = "SELECT title, teaser, body, tags, quotes, experts, published_utc, verdict FROM articles WHERE url = ?"
        assert archive.db.execute(sql, (url,)).fetchone() == original.db.execute(sql, (url,)).fetchone()


def test_what_moved_is_found_where_it_is_now(crawled: Crawled, copy: Path) -> None:
    before = tables(copy)
    member = some(copy, "request")
    replace(warc(copy), member.begin, member.begin, b"not a record")
    done = repair(crawled, copy)
    assert kinds(done) == ({"row_without_bytes", "bytes_without_row"}, {"garbage"})
    assert findings(copy) == []
    after = tables(copy)
    moved = value(copy, f"SELECT count(*) FROM visit WHERE offset >= {member.begin}")[0]
    assert moved > 50
    for table in before:
        if table not in ("visit", "capture", "warc", "lost"):
            assert after[table] == before[table], table
    with Archive.open(copy) as archive:
        assert sum(1 for _ in archive.pages()) > 40


def test_what_a_killed_run_left_is_recovered_and_read(crawled: Crawled, copy: Path) -> None:
    url = f"{crawled.portal.base}late"
    offset = unrecorded(copy, url)
    overwrite(warc(copy), warc(copy).stat().st_size, b"\x1f\x8b\x08\0\0\0")
    assert kinds(repair(crawled, copy, apply=False)) == ({"bytes_without_row", "torn_tail"}, set())
    done = repair(crawled, copy)
    assert len(done.said) == 2
    assert (findings(copy), done.left) == ([], [])
    assert value(copy, f"SELECT c.offset, c.verdict FROM capture c WHERE c.url = '{url}'") == (offset, "empty")


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE quote SET person_id = 123456 WHERE id = 9", "foreign_key"),
        ("UPDATE quote SET text = text || '.' WHERE id = 9", "quote_span"),
        ("UPDATE revision SET n = 7 WHERE id = 9", "revision_number"),
    ],
)
def test_what_only_a_rebuild_mends_is_said_and_a_rebuild_mends_it(
    crawled: Crawled, copy: Path, statement: str, kind: str
) -> None:
    before = tables(copy)
    execute(copy, statement)
    assert kinds(repair(crawled, copy)) == (set(), {kind})
    assert [one.kind for one in findings(copy)] == [kind]
    rebuild(copy, load(copy, environ={}))
    assert findings(copy) == []
    assert tables(copy) == before


@pytest.mark.parametrize("content", [None, b"no database" * 1000])
def test_a_database_that_is_gone_is_left_to_rebuild(crawled: Crawled, copy: Path, content: bytes | None) -> None:
    for path in copy.glob("archive.db*"):
        path.unlink()
    if content is not None:
        (copy / "archive.db").write_bytes(content)
    before = everything(copy)
    done = repair(crawled, copy)
    assert done.mended == []
    assert done.left[0].kind == ("database_missing" if content is None else "database_damaged")
    assert {**everything(copy), "lock": b""} == {**before, "lock": b""}, "but who held the lock last"
