"""Stories taken down: gone from every byte, everything else as it was, and they do not come back."""

import gzip
import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Crawled, crawl_portal
from search import content, found, letters
from takedowns import AT, ask_everything_again, assert_same_after_rebuild, assert_sound, down, records, says

from parsers.errors import ArchiveError, UsageError
from parsers.page import Page
from scraper.crawl import Limits
from scraper.rebuild import rebuild
from scraper.settings import load
from scraper.takedown import obey, take_down
from storage import keeping, takedown
from storage.archive import Archive
from storage.captures import Warc
from storage.facts import RemovedFacts, parse
from storage.records import members
from storage.tombstones import SIDECAR, of_url


@pytest.fixture
def shown(crawled: Crawled) -> str:
    """A story of the Lantern that stands on the front, in the feed, and in related boxes of other articles."""
    rows = crawled.rows(
        "SELECT a.url FROM article a JOIN card c ON c.url = a.url JOIN placement p ON p.card_id = c.id JOIN front f "
        "ON f.id = p.front_id WHERE a.url LIKE ? || '%' GROUP BY a.url "
        "HAVING sum(f.kind = 'feed') > 0 AND count(DISTINCT f.url) > 2 ORDER BY a.url",
        crawled.portal.base,
    )
    with Archive.open(crawled.folder) as archive:
        pages = [page for _, page in archive.pages(verdict="article")]
    for row in rows:
        url = str(row["url"])
        if sum(url.encode() in page.body for page in pages if page.url != url) > 2:
            return url
    raise AssertionError("the portal shows no story everywhere")


@pytest.fixture
def corrected(crawled: Crawled) -> str:
    return str(crawled.rows("SELECT url FROM articles WHERE revisions > 1 AND site = ?", crawled.portal.name)[0]["url"])


def test_gone_from_every_byte(copy: Path, shown: str) -> None:
    said = says(copy, shown)
    assert len(said) > 15
    before = found(copy, said)
    assert {text for _, text in before} == said
    assert len({where.split("@")[-1] for where, _ in before}) > 10
    plan = down(copy, shown)
    assert plan.addresses == [shown]
    assert found(copy, said) == []
    assert_sound(copy)


def test_gone_with_both_revisions(copy: Path, corrected: str) -> None:
    said = says(copy, corrected)
    assert len({text for text in said if "Cafés Close" in text}) == 2
    plan = down(copy, corrected)
    assert plan.rows["revision"] == plan.rows["capture"] == 2
    assert found(copy, said) == []
    assert_sound(copy)


def test_gone_under_every_address(copy: Path, crawled: Crawled) -> None:
    """A story that fronts show under a short address, which leads to its own."""
    (row,) = crawled.rows(
        "SELECT a.url, l.url AS short FROM alias l JOIN article a ON a.id = l.article_id WHERE l.url LIKE '%?p=%'"
    )
    said = says(copy, row["url"]) | {row["short"]}
    assert found(copy, said)
    plan = down(copy, row["short"])
    assert set(plan.addresses) == {row["url"], row["short"]}
    assert found(copy, said) == []
    with Archive.open(copy) as archive:
        assert archive.tombstoned(row["url"])
        assert archive.tombstoned(row["short"])
    ask_everything_again(copy)
    crawl_portal(crawled.portal, copy)
    assert found(copy, said) == []
    assert_sound(copy)


def test_full_text_search_knows_none_of_its_words(copy: Path, shown: str) -> None:
    db = sqlite3.connect(copy / "archive.db")
    db.execute("CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, text_fts, row)")
    (key,) = db.execute("SELECT reading_id FROM articles WHERE url = ?", (shown,)).fetchone()
    db.execute("CREATE VIRTUAL TABLE temp.places USING fts5vocab(main, text_fts, instance)")
    own = {
        row[0]
        for row in db.execute("SELECT term FROM places GROUP BY term HAVING min(doc) = ?1 AND max(doc) = ?1", (key,))
    }
    db.close()
    assert len(own) > 20
    down(copy, shown)
    db = sqlite3.connect(copy / "archive.db")
    db.execute("CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, text_fts, row)")
    assert own.isdisjoint(row[0] for row in db.execute("SELECT term FROM words"))
    db.close()
    long = [word.encode() for word in own if len(word) > 8]
    raw = (copy / "archive.db").read_bytes().lower()
    assert long
    assert [word for word in long if word in raw] == []


def test_everything_else_is_as_it_was(copy: Path, crawled: Crawled, shown: str) -> None:
    before = content(copy)
    keys = dict(crawled.rows("SELECT url, id FROM article"))  # type: ignore[arg-type]
    down(copy, shown)
    after = content(copy)
    for table in (
        "article",
        "alias",
        "revision",
        "reading",
        "quote",
        "article_tag",
        "article_author",
        "run",
        "site",
        "front",
    ):
        assert after[table] == [row for row in before[table] if shown not in row], table
    assert after["placement"] == [row for row in before["placement"] if shown not in row]
    assert after["card"] == [row for row in before["card"] if shown not in row]
    with Archive.open(copy) as archive:
        rows = dict(archive.db.execute("SELECT url, id FROM article").fetchall())
        assert rows == {url: key for url, key in keys.items() if url != shown}
        assert archive.search("zzzz") == []
    members_before = {gzip.decompress(data) for data in _members(crawled.folder)}
    unchanged = [data for data in _members(copy) if gzip.decompress(data) in members_before]
    assert set(unchanged) <= set(_members(crawled.folder))  # copied, not written anew
    assert len(unchanged) > len(_members(copy)) / 2


def _members(folder: Path) -> list[bytes]:
    return [
        path.read_bytes()[begin:end] for path in sorted((folder / "warc").iterdir()) for begin, end in members(path)
    ]


def test_a_placeholder_says_that_a_record_stood_there(copy: Path, shown: str) -> None:
    down(copy, shown)
    warc = Warc(copy / "warc")
    removed = [
        facts
        for path in warc.files()
        for record in warc.records(path)
        if record.facts is not None and isinstance(facts := parse(record.facts), RemovedFacts)
    ]
    assert [(one.takedown, one.decided, one.stage) for one in removed] == [(of_url(shown).hex(), AT, "got")] * len(
        removed
    )
    assert removed


def test_a_struck_response_says_so_and_its_digests_are_right(copy: Path, shown: str) -> None:
    down(copy, shown)
    mark = f"takedown {of_url(shown).hex()} {AT}"
    with Archive.open(copy) as archive:
        rows = archive.db.execute("SELECT id, kind, size, payload_digest, charset FROM capture").fetchall()
        struck = [(row, page) for row in rows if (page := archive.page(row[0])).header("x-archive-struck") is not None]
        assert {row[1] for row, _ in struck} == {"front", "feed", "story"}
        for (_, _, size, wire, charset), page in struck:
            assert page.header("x-archive-struck") == mark
            assert page.header("content-encoding") is None
            assert page.header("content-length") == str(len(page.body)) == str(size)
            assert keeping.payload_digest(page.body) == wire
            assert page.charset.name == charset
            assert b"[removed]" in page.body or b"/removed/" in page.body


def test_revisits_refer_to_what_their_original_holds_now(copy: Path, shown: str) -> None:
    down(copy, shown)
    digests: dict[tuple[str, str], str] = {}
    revisits = 0
    for data in _members(copy):
        head = gzip.decompress(data).partition(b"\r\n\r\n")[0].decode()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
        if fields["WARC-Type"] == "response":
            digests[fields["WARC-Target-URI"], fields["WARC-Date"]] = fields["WARC-Payload-Digest"]
        elif fields["WARC-Type"] == "revisit":
            revisits += 1
            original = (fields["WARC-Refers-To-Target-URI"], fields["WARC-Refers-To-Date"])
            assert digests[original] == fields["WARC-Payload-Digest"]
    assert revisits > 30


@pytest.mark.parametrize("lost", [False, True])
def test_rebuild_gives_the_same_archive(copy: Path, shown: str, corrected: str, lost: bool) -> None:
    down(copy, shown, corrected)
    before = content(copy)
    if lost:
        for name in ("archive.db", "archive.db-wal", "archive.db-shm"):
            (copy / name).unlink(missing_ok=True)
    assert rebuild(copy, load(copy, environ={})).said == []
    after = content(copy)
    for table, rows in before.items():
        assert after[table] == rows, table
    assert_sound(copy)


def test_rebuild_of_files_that_were_never_rewritten_obeys_the_sidecar(copy: Path, crawled: Crawled, shown: str) -> None:
    said = says(copy, shown)
    down(copy, shown)
    again = copy.parent / "again"
    shutil.copytree(crawled.folder, again)
    shutil.copy(copy / SIDECAR, again)
    rebuild(again, load(again, environ={}))
    assert found(again, said) == []
    assert_sound(again)
    theirs, ours = content(again), content(copy)
    for table in set(ours) - {"capture", "visit", "warc"}:  # lengths of records differ by the compression of their ids
        assert theirs[table] == ours[table], table


def test_of_two_states_of_a_file_rebuild_takes_the_later(copy: Path, crawled: Crawled, shown: str) -> None:
    down(copy, shown)
    (name,) = [path.name for path in (crawled.folder / "warc").iterdir()]
    shutil.copy(crawled.folder / "warc" / name, copy / "warc")
    (copy / "archive.db").unlink()
    assert [path.name for path in Warc(copy / "warc").files()] == [name.replace(".warc.gz", "-r1.warc.gz")]
    rebuild(copy, load(copy, environ={}))
    assert_sound(copy)


def test_what_was_restored_obeys_the_tombstones(copy: Path, crawled: Crawled, shown: str) -> None:
    said = says(copy, shown)
    down(copy, shown)
    old = copy.parent / "old"
    shutil.copytree(crawled.folder, old)
    shutil.copy(copy / SIDECAR, old)
    with Archive.open(old, write=True) as archive:
        assert archive.tombstoned(shown)
        assert obey(archive)
        assert takedown.obey(archive) is None
    assert found(old, said) == []
    assert_sound(old)


def test_a_second_takedown_rewrites_the_file_again(copy: Path, shown: str, corrected: str) -> None:
    said = says(copy, shown) | says(copy, corrected)
    down(copy, shown)
    down(copy, corrected)
    assert [path.name[-len("-r2.warc.gz") :] for path in (copy / "warc").iterdir()] == ["-r2.warc.gz"]
    assert found(copy, said) == []
    assert_sound(copy)


def test_several_stories_rewrite_each_file_once(copy: Path, shown: str, corrected: str) -> None:
    said = says(copy, shown) | says(copy, corrected)
    plan = down(copy, shown, corrected)
    assert [path.name[-len("-r1.warc.gz") :] for path in (copy / "warc").iterdir()] == ["-r1.warc.gz"]
    assert sorted(plan.addresses) == sorted([shown, corrected])
    assert found(copy, said) == []
    with Archive.open(copy) as archive:
        assert len(archive.tombstones.urls) == 2


def test_an_address_that_nobody_knows_gets_a_tombstone_and_changes_nothing_else(copy: Path, crawled: Crawled) -> None:
    url = "https://elsewhere.example/2026/a-story-that-never-was/"
    before = content(copy)
    plan = down(copy, url)
    assert (plan.rows, plan.changes) == ({}, [])
    after = content(copy)
    assert [row[:2] for row in after.pop("takedown")] == [("url", of_url(url))]
    before.pop("takedown")
    assert after == before
    assert _members(copy) == _members(crawled.folder)
    assert letters(url) not in letters((copy / SIDECAR).read_text())
    assert_sound(copy)


def test_a_front_is_no_story(copy: Path, crawled: Crawled) -> None:
    with Archive.open(copy) as archive:
        for url in (crawled.portal.base, f"{crawled.portal.base}feed/", f"{crawled.portal.base}robots.txt"):
            with pytest.raises(UsageError, match="no story"):
                takedown.plan(archive, [url])
        with pytest.raises(UsageError):
            takedown.plan(archive, ["not an address"])


def test_a_crawl_does_not_bring_it_back(copy: Path, crawled: Crawled, shown: str) -> None:
    said = says(copy, shown)
    down(copy, shown)
    ask_everything_again(copy)
    asked = len(crawled.portal.log)
    outcome = crawl_portal(crawled.portal, copy, Limits(wait=0.0, recheck=True))
    targets = [line.target for line in crawled.portal.log[asked:] if line.status == 200]
    assert outcome.state == "done"
    assert len(targets) > 60
    assert not [target for target in targets if shown.endswith(target) and target != "/"]
    assert found(copy, said) == []
    with Archive.open(copy) as archive:
        assert archive.db.execute("SELECT count(*) FROM articles WHERE url = ?", (shown,)).fetchone()[0] == 0
        assert archive.tombstoned(shown)
        assert archive.tombstoned(shown + "?utm_source=feed#top")
    assert_sound(copy)
    assert_same_after_rebuild(copy)


def test_an_address_that_leads_to_it_is_turned_away(copy: Path, crawled: Crawled, shown: str) -> None:
    said = says(copy, shown)
    down(copy, shown)
    short = next(
        f"{crawled.portal.base}?p={number}"
        for number in range(20_000, 21_000)
        if crawled.portal.answer(f"/?p={number}").location == shown
    )
    with Archive.open(copy, write=True) as archive, archive.transaction():
        assert archive.frontier.add(short, site=1, kind="story", now=crawled.portal.now)
        assert not archive.frontier.add(shown, site=1, kind="story", now=crawled.portal.now)
    outcome = crawl_portal(crawled.portal, copy)
    assert outcome.tally.counts["taken_down"] == 1
    assert found(copy, said) == []
    with Archive.open(copy, write=True) as archive:
        assert archive.tombstoned(short)
        assert archive.db.execute("SELECT count(*) FROM frontier WHERE url = ?", (short,)).fetchone()[0] == 0
        ledger = archive.db.execute("SELECT n FROM ledger WHERE stage = 'dropped' AND reason = 'taken_down'").fetchall()
        assert ledger == [(1,)]
    assert short not in "".join(text for _, text, _ in records(copy))
    assert_same_after_rebuild(copy)


def test_the_archive_refuses_what_was_taken_down(copy: Path, shown: str) -> None:
    down(copy, shown)
    with Archive.open(copy, write=True) as archive:
        page = Page(shown, b"<p>again</p>")
        with pytest.raises(ArchiveError, match="taken down"):
            archive.keep(page, [], run=1, site=1, kind="story")
        assert archive.knows(shown)


def test_a_dry_run_says_the_same_and_writes_nothing(copy: Path, shown: str) -> None:
    files = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    with Archive.open(copy, frozen=True) as archive:
        dry = takedown.plan(archive, [shown])
        takedown.look(archive, dry, at=AT)
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == files
    before = content(copy)
    done = down(copy, shown)
    assert (dry.rows, dry.fronts, dry.again, dry.columns) == (done.rows, done.fronts, done.again, done.columns)
    assert takedown.counted(dry.changes) == takedown.counted(done.changes)
    after = content(copy)
    names = {"reading", "quote", "placement", "card", "visit", "capture", "tag", "author", "affiliation"}
    for table in names:
        assert len(before[table]) - len(after[table]) == dry.rows.get(table, 0), table


def test_corrections_and_reports_are_struck_too(copy: Path, shown: str) -> None:
    said = says(copy, shown)
    title = max((text for text in said if text.istitle() or text[0].isupper()), key=len)
    (copy / "corrections.jsonl").write_text(json.dumps({"url": shown, "note": title}) + "\n" + '{"url": "x"}\n')
    (copy / "reports" / "report.html").write_text(f"<h1>{title}</h1><p>other</p>")
    down(copy, shown)
    assert found(copy, said) == []
    assert '{"url": "x"}' in (copy / "corrections.jsonl").read_text()
    assert (copy / "reports" / "report.html").read_text().endswith("<p>other</p>")
    assert not list(copy.rglob("*.struck"))


@pytest.fixture
def reader(copy: Path) -> Iterator[sqlite3.Connection]:
    """Another program in the middle of reading the archive."""
    db = sqlite3.connect(f"file:{copy / 'archive.db'}?mode=ro", uri=True)
    db.execute("BEGIN")
    db.execute("SELECT count(*) FROM article").fetchone()
    yield db
    db.close()


def test_another_program_still_reads(copy: Path, shown: str, reader: sqlite3.Connection) -> None:
    said = says(copy, shown)
    with Archive.open(copy, write=True) as archive:
        archive.db.execute("PRAGMA busy_timeout = 100")
        plan = takedown.plan(archive, [shown])
        assert not take_down(archive, plan, at=AT, reason="r", decided_by="b")
        assert archive.db.execute("SELECT count(*) FROM article WHERE url = ?", (shown,)).fetchone()[0] == 0
    assert reader.execute("SELECT count(*) FROM article WHERE url = ?", (shown,)).fetchone()[0] == 1
    reader.close()
    with Archive.open(copy, write=True) as archive:
        assert archive.recovered == ["finished a takedown that was interrupted"]
    assert found(copy, said) == []
    assert_sound(copy)
