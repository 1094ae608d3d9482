"""Takedowns where it is not simple: copies, short titles, shared words, several files, damage, odd codings."""

import sqlite3
import tarfile
from pathlib import Path

import pytest
from conftest import ROOT
from search import found
from takedowns import (
    AT,
    CRANES,
    HERONS,
    OTHER,
    OWLS,
    TEASER,
    TEXT,
    TITLE,
    Paper,
    assert_same_after_rebuild,
    assert_sound,
    bodies,
    close,
    down,
    front,
    says,
    story,
)

from parsers.errors import ArchiveDamaged
from scraper.rebuild import rebuild
from scraper.settings import load
from storage import takedown
from storage.archive import Archive
from storage.captures import Warc, revised, revision_of


def test_a_near_copy_is_listed_and_stays(paper: Paper) -> None:
    copied = "https://example.org/wire/owls/8812734/"
    assert paper.put(OWLS, story(TITLE, *TEXT, teaser=TEASER)) == "new"
    assert paper.put(copied, story("Owls Wait for the Night Train in the Southern Wetlands", *TEXT)) == "new"
    assert paper.put(HERONS, story("Herons Return to the Dye Works Pond", *OTHER, TEXT[1])) == "new"
    shown = front((OWLS, TITLE, TEXT[0]), (copied, "Owls Wait for the Night Train in the Southern Wetlands", TEXT[0]))
    paper.put("https://example.org/", shown, kind="front")
    folder = close(paper)
    plan = down(folder, OWLS)
    assert [(copy["url"], copy["shows"]) for copy in plan.copies] == [
        (copied, "the same text"),
        (HERONS, "some of its words"),
    ]
    assert set(TEXT) <= set(plan.shared)
    assert bodies(folder) == {copied: "\n".join(TEXT), HERONS: "\n".join((*OTHER, TEXT[1]))}
    assert found(folder, [TITLE, TEASER, OWLS]) == []
    with Archive.open(folder) as archive:
        assert [row["teaser"] for row in archive.db.query("SELECT teaser FROM card")] == [TEXT[0]]
        assert archive.db["story"].count == archive.db["story_member"].count == 0
    assert_sound(folder)
    assert_same_after_rebuild(folder)
    plan = down(folder, copied, HERONS)
    assert (plan.copies, plan.shared) == ([], [])
    assert found(folder, [*TEXT, *OTHER, OWLS, copied, HERONS]) == []
    assert_same_after_rebuild(folder)


def test_of_three_copies_the_next_is_the_first(paper: Paper) -> None:
    addresses = [f"https://example.org/wire/owls/881273{n}/" for n in range(3)]
    for n, url in enumerate(addresses):
        paper.put(url, story(f"Owls Wait for the Night Train, Edition {n} of the Evening", *TEXT))
    folder = close(paper)
    down(folder, addresses[0])
    with Archive.open(folder) as archive:
        rows = archive.db.execute(
            "SELECT a.url, m.kind FROM story_member m JOIN article a ON a.id = m.article_id ORDER BY a.url"
        ).fetchall()
    assert rows == [(addresses[1], "first"), (addresses[2], "copy")]
    assert_same_after_rebuild(folder)


def test_a_short_title_is_struck_inside_its_own_link_alone(paper: Paper) -> None:
    other = "https://example.org/2026/11/weather-for-farmers-and-gardeners/"
    paper.put(OWLS, story("Weather", *TEXT))
    paper.put(other, story("Weather for Farmers and Gardeners This Week", "Weather is what we talk about.", *OTHER))
    paper.put("https://example.org/", front((OWLS, "Weather", ""), (other, "Weather for Farmers", "")), kind="front")
    folder = close(paper)
    plan = down(folder, OWLS)
    assert plan.short == ["Weather"]
    assert bodies(folder)[other].startswith("Weather is what we talk about.")
    with Archive.open(folder) as archive:
        ((key,),) = archive.db.execute("SELECT id FROM capture WHERE kind = 'front'").fetchall()
        text = archive.page(key).text
    assert ">[removed]</a>" in text
    assert ">Weather for Farmers</a>" in text
    assert_same_after_rebuild(folder)


def test_an_article_that_names_the_title_is_read_again(paper: Paper) -> None:
    paper.put(OWLS, story(TITLE, *TEXT))
    quoting = f"As we wrote in “{TITLE}” last week, the birds are patient. The warden Lee Su-jin says that nobody can hurry them."
    paper.put(HERONS, story("Herons Return to the Dye Works Pond", *OTHER, quoting))
    paper.put(CRANES, story("Cranes That Skip the South in Winter", *OTHER[::-1]))
    with paper.archive.transaction():
        keys = dict(paper.archive.db.execute("SELECT url, id FROM article").fetchall())
    folder = close(paper)
    plan = down(folder, OWLS)
    assert plan.again == [HERONS]
    assert "As we wrote in “[removed]” last week" in bodies(folder)[HERONS]
    with Archive.open(folder) as archive:
        for text, body in archive.db.execute(
            "SELECT q.text, a.body FROM quotes q JOIN articles a ON a.id = q.article_id"
        ):
            assert text in body
        assert dict(archive.db.execute("SELECT url, id FROM article").fetchall()) == {
            url: key for url, key in keys.items() if url != OWLS
        }
    assert found(folder, [TITLE]) == []
    assert_sound(folder)
    assert_same_after_rebuild(folder)


def test_captures_that_differed_in_what_was_struck_alone_become_one(paper: Paper) -> None:
    new = "The Owls of Gochang Are Tired of Waiting"
    cards = [(HERONS, "Herons Return to the Dye Works Pond", OTHER[0])]
    paper.put("https://example.org/", front((OWLS, TITLE, ""), *cards), kind="front")
    paper.put(OWLS, story(TITLE, *TEXT))
    paper.put(HERONS, story("Herons Return to the Dye Works Pond", *OTHER, related=f'<a href="{OWLS}">{TITLE}</a>'))
    paper.put(OWLS, story(new, *TEXT))
    paper.put("https://example.org/", front((OWLS, new, ""), *cards), kind="front")
    paper.put(HERONS, story("Herons Return to the Dye Works Pond", *OTHER, related=f'<a href="{OWLS}">{new}</a>'))
    folder = close(paper)
    with Archive.open(folder) as archive:
        assert archive.db["capture"].count == 6
    down(folder, OWLS)
    with Archive.open(folder) as archive:
        rows = archive.db.execute(
            "SELECT kind, (SELECT count(*) FROM visit v WHERE v.capture_id = c.id) FROM capture c"
        ).fetchall()
    assert sorted(rows) == [("front", 2), ("story", 2)]
    assert_sound(folder)
    assert_same_after_rebuild(folder)


def test_files_that_hold_nothing_of_it_stay(paper: Paper) -> None:
    paper.archive.warc.rotate_at = 1
    paper.put(HERONS, story("Herons Return to the Dye Works Pond", *OTHER))
    paper.put(OWLS, story(TITLE, *TEXT))
    paper.put(CRANES, story("Cranes That Skip the South in Winter", *OTHER[::-1]))
    paper.put("https://example.org/", front((OWLS, TITLE, "")), kind="front")
    folder = close(paper)
    before = {path.name: path.read_bytes() for path in (folder / "warc").iterdir()}
    assert len(before) > 4
    plan = down(folder, OWLS)
    after = {path.name: path.read_bytes() for path in (folder / "warc").iterdir()}
    assert len(set(before) & set(after)) == len(before) - 2 == len(before) - len(plan.changes)
    assert all(after[name] == before[name] for name in set(before) & set(after))
    assert found(folder, [TITLE, *TEXT, OWLS]) == []
    assert_sound(folder)
    assert_same_after_rebuild(folder)
    with Archive.open(folder, write=True) as archive:
        again = Paper(archive)
        assert (
            again.put(CRANES.replace("cranes", "more-cranes"), story("More Cranes That Skip the South", *OTHER))
            == "new"
        )
    assert_sound(folder)


def test_redirects_to_it_go_with_it(paper: Paper) -> None:
    paper.put(OWLS, story(TITLE, *TEXT, canonical=OWLS), hop="https://example.org/?p=4711")
    folder = close(paper)
    plan = down(folder, OWLS)
    assert plan.addresses == [OWLS, "https://example.org/?p=4711"]
    assert found(folder, ["example.org/?p=4711", TITLE, OWLS]) == []
    assert [path.stat().st_size < 2500 for path in (folder / "warc").iterdir()] == [True]
    assert_same_after_rebuild(folder)


@pytest.mark.parametrize(
    ("coding", "charset"),
    [("gzip", "utf-8"), ("deflate", "utf-8"), ("", "iso-8859-1"), ("gzip", "euc-kr"), ("", "utf-16")],
)
def test_codings_and_charsets(paper: Paper, coding: str, charset: str) -> None:
    paper.put(OWLS, story(TITLE, *TEXT), coding=coding, charset=charset)
    cards = ((OWLS, TITLE, TEXT[0]), (HERONS, "Herons Return to the Dye Works Pond", OTHER[0]))
    paper.put("https://example.org/", front(*cards), kind="front", coding=coding, charset=charset)
    folder = close(paper)
    down(folder, OWLS)
    if charset != "utf-16":  # which the search does not know; that of the page's own text is below
        assert found(folder, [TITLE, *TEXT, OWLS]) == []
    with Archive.open(folder) as archive:
        ((key,),) = archive.db.execute("SELECT id FROM capture").fetchall()
        page = archive.page(key)
        assert TITLE not in page.text
        assert TEXT[0] not in page.text
        assert OTHER[0] in page.text
    assert_same_after_rebuild(folder)


def test_what_cannot_be_looked_into_is_said(paper: Paper) -> None:
    paper.put(OWLS, story(TITLE, *TEXT))
    paper.put("https://example.org/", front((OWLS, TITLE, "")), kind="front", coding="x-own")
    folder = close(paper)
    plan = down(folder, OWLS)
    assert ["cannot be taken off: x-own" in words for change in plan.changes for words in change.said] == [True]


def test_a_record_that_went_bad_is_moved_as_it_is(paper: Paper) -> None:
    paper.put(HERONS, story("Herons Return to the Dye Works Pond", *OTHER))
    paper.put(OWLS, story(TITLE, *TEXT))
    paper.put(CRANES, story("Cranes That Skip the South in Winter", *OTHER[::-1]))
    paper.put("https://example.org/", front((OWLS, TITLE, "")), kind="front")
    folder = close(paper)
    (path,) = Warc(folder / "warc").files()
    with Archive.open(folder) as archive:
        places = dict(archive.db.execute("SELECT asked, offset FROM capture").fetchall())
    data = bytearray(path.read_bytes())
    data[places[CRANES] + 60] ^= 0x40
    path.write_bytes(data)
    plan = down(folder, OWLS)
    assert len([words for change in plan.changes for words in change.said]) == 1
    with Archive.open(folder, write=True) as archive:
        assert archive.recovered == []
        pages = dict(archive.db.execute("SELECT asked, id FROM capture").fetchall())
        assert archive.page(pages[HERONS]).body
        assert b"[removed]" in archive.page(pages["https://example.org/"]).body
        with pytest.raises(ArchiveDamaged, match="-r1"):
            archive.page(pages[CRANES])
    assert found(folder, [TITLE, *TEXT, OWLS]) == []


def test_the_storys_own_record_went_bad(paper: Paper) -> None:
    paper.put(OWLS, story(TITLE, *TEXT))
    paper.put(HERONS, story("Herons Return to the Dye Works Pond", *OTHER))
    folder = close(paper)
    (path,) = Warc(folder / "warc").files()
    with Archive.open(folder) as archive:
        ((offset,),) = archive.db.execute("SELECT offset FROM capture WHERE asked = ?", (OWLS,)).fetchall()
    data = bytearray(path.read_bytes())
    data[offset + 60] ^= 0x40
    path.write_bytes(data)
    down(folder, OWLS)
    assert found(folder, [TITLE, *TEXT, OWLS]) == []
    assert_sound(folder)


def test_a_story_that_nobody_read(paper: Paper) -> None:
    """A capture that waits to be read: its title stands in its head alone."""
    assert paper.put(OWLS, story(TITLE, *TEXT, teaser=TEASER), later=True) == "unread"
    paper.put(HERONS, story("Herons Return to the Dye Works Pond", *OTHER, related=f"<b>{TITLE}</b>: {TEASER}"))
    folder = close(paper)
    down(folder, OWLS)
    assert found(folder, [TITLE, TEASER, *TEXT, OWLS]) == []
    assert_sound(folder)


def test_a_story_that_failed_to_come(paper: Paper) -> None:
    from storage.facts import FailureFacts

    paper.put("https://example.org/", front((OWLS, TITLE, TEASER)), kind="front")
    facts = FailureFacts(OWLS, "story", "example", paper.run, "deadline_exceeded", retry="2026-11-25T00:00:00.000Z")
    paper.archive.failed(facts, site=paper.site, now=paper.now)
    folder = close(paper)
    plan = down(folder, OWLS)
    assert plan.rows == {"placement": 1, "card": 1, "frontier": 1, "failure": 1}
    assert found(folder, [TITLE, TEASER, OWLS]) == []
    with Archive.open(folder) as archive:
        ledger = archive.db.execute("SELECT stage, n FROM ledger WHERE stage = 'failed'").fetchall()
    assert ledger == [("failed", 1)]
    assert_same_after_rebuild(folder)


def test_another_article_under_one_address_goes_too(paper: Paper) -> None:
    """An address that later called another one its own: its captures hold both stories."""
    paper.put(OWLS, story(TITLE, *TEXT))
    paper.put(HERONS, story("Herons Return to the Dye Works Pond", *OTHER, canonical=HERONS))
    paper.put(OWLS, story("Herons Return to the Dye Works Pond", *OTHER, "Updated.", canonical=HERONS))
    folder = close(paper)
    with Archive.open(folder, frozen=True) as archive:
        plan = takedown.plan(archive, [OWLS])
        takedown.look(archive, plan, at=AT)
    assert plan.addresses == [OWLS, HERONS]
    down(folder, OWLS)
    assert bodies(folder) == {}
    assert_sound(folder)


def test_names_of_rewritten_files() -> None:
    for name, after in {
        "20261123T060000-00001.warc.gz": "20261123T060000-00001-r1.warc.gz",
        "20261123T060000-00001-r9.warc.gz": "20261123T060000-00001-r10.warc.gz",
        "clips.warc.gz": "clips-00000-r1.warc.gz",
        "clips-00000-r1.warc.gz": "clips-00000-r2.warc.gz",
        "clips-r2.warc.gz": "clips-r2-00000-r1.warc.gz",
    }.items():
        path = Path(name)
        assert revised(path).name == after
        assert revision_of(revised(path)) == (revision_of(path)[0], revision_of(path)[1] + 1)


def test_foreign_files_and_pages_of_no_site(paper: Paper) -> None:
    """Files that came from elsewhere: one is rewritten under a name that tells the two apart; a page of no site is read again."""
    paper.put(OWLS, story(TITLE, *TEXT, "“Wait,” said Kang Min-ho, a biologist at Hana Lab."))
    paper.put(HERONS, story("Herons Return to the Dye Works Pond", *OTHER))
    folder = close(paper)
    (path,) = Warc(folder / "warc").files()
    path.rename(folder / "warc" / "clips-r2.warc.gz")
    db = sqlite3.connect(folder / "archive.db")
    with db:
        for table in ("capture", "visit", "warc"):
            db.execute(f"UPDATE {table} SET file = 'clips-r2.warc.gz'")
        db.execute("UPDATE capture SET site_id = NULL")
        db.execute("UPDATE article SET site_id = NULL")
    db.close()
    assert_sound(folder)
    down(folder, people=("Kang Min-ho",))
    assert "“Wait,” said [removed], a biologist" in bodies(folder)[OWLS]
    down(folder, OWLS)
    assert [path.name for path in (folder / "warc").iterdir()] == ["clips-r2-00000-r2.warc.gz"]
    assert list(bodies(folder)) == [HERONS]
    assert found(folder, [TITLE, *TEXT, OWLS, "Kang Min-ho"]) == []
    assert_sound(folder)


@pytest.mark.parametrize(
    "packed", sorted((ROOT / "fixtures" / "archives").glob("*.tar.xz")), ids=lambda path: path.name
)
def test_archives_of_earlier_editions(packed: Path, tmp_path: Path) -> None:
    with tarfile.open(packed) as files:
        files.extractall(tmp_path, filter="data")
    folder = tmp_path / "archive"
    Archive.open(folder, write=True).close()
    url, *_ = bodies(folder)
    said = says(folder, url)
    assert {text for _, text in found(folder, said)} == said
    down(folder, url)
    assert found(folder, said) == []
    assert_sound(folder)
    rest = bodies(folder)
    assert rest
    rebuild(folder, load(folder, environ={}))
    assert bodies(folder) == rest
    assert found(folder, said) == []
