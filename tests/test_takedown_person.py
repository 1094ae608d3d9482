"""People taken down: what they say and their name are gone, the articles stay."""

import shutil
from pathlib import Path

import pytest
from conftest import Crawled, crawl_portal
from search import content, found
from takedowns import (
    AT,
    CRANES,
    HERONS,
    OTHER,
    OWLS,
    TEXT,
    TITLE,
    Paper,
    ask_everything_again,
    assert_same_after_rebuild,
    assert_sound,
    bodies,
    close,
    down,
    front,
    story,
)

from parsers.errors import UsageError
from parsers.text import normalised
from scraper.crawl import Limits
from scraper.rebuild import rebuild
from scraper.settings import load
from scraper.takedown import obey
from storage import takedown
from storage.archive import Archive
from storage.tombstones import SIDECAR, of_person


@pytest.fixture
def quoted(crawled: Crawled) -> str:
    """The expert whom most articles quote."""
    return str(crawled.rows("SELECT person FROM experts ORDER BY articles DESC, quotes DESC LIMIT 1")[0]["person"])


def test_gone_from_every_byte_and_the_articles_stay(copy: Path, crawled: Crawled, quoted: str) -> None:
    before = content(copy)
    assert len(found(copy, [quoted])) > 3
    plan = down(copy, people=(quoted,))
    assert found(copy, [quoted]) == []
    assert_sound(copy)
    after = content(copy)
    assert len(after["article"]) == len(before["article"])
    assert [row for row in before["article"] if row[0] not in plan.again] == [
        row for row in after["article"] if row[0] not in plan.again
    ]
    for table in ("revision", "reading", "quote"):
        assert [row for row in after[table] if row[0] not in plan.again] == [
            row for row in before[table] if row[0] not in plan.again
        ], table
    quotes = [row for row in before["quote"] if row[2] == quoted]
    assert plan.rows["quote"] == len(quotes) > 5
    with Archive.open(copy) as archive:
        rows = archive.db.execute(
            'SELECT q.text, q.speaker, r.body, s.start, s."end", q.speaker_start, q.speaker_end FROM quote_span s '
            "JOIN quote q ON q.id = s.quote_id JOIN reading r ON r.id = q.reading_id"
        ).fetchall()
        assert all(body[start:end] in text for text, _, body, start, end, *_ in rows)
        assert not [speaker for _, speaker, *_ in rows if "[removed]" in speaker]
        again = archive.db.execute(
            f"SELECT body FROM articles WHERE url IN ({', '.join('?' * len(plan.again))})", plan.again
        ).fetchall()
        assert len(again) == len(plan.again) > 2
        assert all("[removed]" in body for (body,) in again)
        assert archive.tombstones.person(quoted.upper())
    assert of_person(quoted).hex() in (copy / SIDECAR).read_text()


def test_rebuild_gives_the_same_archive(copy: Path, quoted: str) -> None:
    down(copy, people=(quoted,))
    assert_same_after_rebuild(copy)
    assert found(copy, [quoted]) == []
    assert_sound(copy)


def test_rebuild_of_files_that_were_never_rewritten_obeys_the_sidecar(
    copy: Path, crawled: Crawled, quoted: str
) -> None:
    down(copy, people=(quoted,))
    again = copy.parent / "again"
    shutil.copytree(crawled.folder, again)
    shutil.copy(copy / SIDECAR, again)
    rebuild(again, load(again, environ={}))
    assert found(again, [quoted]) == []
    theirs, ours = content(again), content(copy)
    for table in set(ours) - {"capture", "visit", "warc"}:
        assert theirs[table] == ours[table], table


def test_what_was_restored_obeys_the_tombstones(copy: Path, crawled: Crawled, quoted: str) -> None:
    down(copy, people=(quoted,))
    old = copy.parent / "old"
    shutil.copytree(crawled.folder, old)
    shutil.copy(copy / SIDECAR, old)
    with Archive.open(old, write=True) as archive:
        assert obey(archive)
        assert takedown.obey(archive) is None
    assert found(old, [quoted]) == []
    assert_sound(old)


def test_a_crawl_does_not_bring_the_name_back(copy: Path, crawled: Crawled, quoted: str) -> None:
    down(copy, people=(quoted,))
    ask_everything_again(copy)
    crawl_portal(crawled.portal, copy, Limits(wait=0.0, recheck=True))
    assert found(copy, [quoted]) == []
    assert_sound(copy)
    assert_same_after_rebuild(copy)


def test_headlines_fronts_authors_and_topics(paper: Paper) -> None:
    name = "Kang Min-ho"
    page = story(
        f"{name} on the Owls of Gochang and Their Patience",
        *TEXT,
        f"“They wait,” said {name}, a biologist at Hana Lab.",
    )
    page = page.replace("<h1>", f'<meta name="author" content="{name}"><h1>')
    paper.put(OWLS, page)
    paper.put(
        HERONS,
        story("Herons Return to the Dye Works Pond", *OTHER, "Professor Kang Min-Ho was not asked. “Fine,” Kang said."),
    )
    paper.put(
        CRANES,
        story("Cranes That Skip the South in Winter", *OTHER, "Kang Min-su agreed, said Kang So-ra, a teacher."),
    )
    cards = (
        (OWLS, f"{name} on the Owls of Gochang", f"What {name} knows of owls and their patience."),
        (HERONS, "Herons Return", "Kang’s pond"),
    )
    paper.put("https://example.org/", front(*cards), kind="front")
    folder = close(paper)
    plan = down(folder, people=(name,))
    assert plan.again == [HERONS, OWLS]
    assert found(folder, [name]) == []
    with Archive.open(folder) as archive:
        titles = dict(archive.db.execute("SELECT url, title FROM articles").fetchall())
        assert titles[OWLS] == "[removed] on the Owls of Gochang and Their Patience"
        assert archive.db.execute("SELECT title, teaser FROM card WHERE url = ?", (OWLS,)).fetchall() == [
            ("[removed] on the Owls of Gochang", "What [removed] knows of owls and their patience.")
        ]
        assert archive.db.execute("SELECT name FROM author").fetchall() == []
        assert "“Fine,” [removed] said" in bodies(folder)[HERONS]
        assert "Kang Min-su agreed, said Kang So-ra" in bodies(folder)[CRANES]
        assert archive.search("patience")[0]["title"] == titles[OWLS]
        assert {row["speaker"] for row in archive.quotes(limit=50)} & {name, "Kang", "[removed]"} == set()
    assert_sound(folder)
    assert_same_after_rebuild(folder)


def test_every_spelling_of_the_person_goes(paper: Paper) -> None:
    paper.put(OWLS, story(TITLE, *TEXT, "“Wait,” said Kang Min-ho, a biologist at Hana Lab."))
    paper.put(
        HERONS, story("Herons Return to the Dye Works Pond", *OTHER, "“Go,” said Kang Min Ho, a biologist at Hana Lab.")
    )
    folder = close(paper)
    plan = down(folder, people=("kang min‐ho",))
    assert sorted(map(normalised, plan.people)) == ["kang min ho", "kang min-ho"]
    assert plan.rows["person"] == 2
    assert found(folder, ["Kang Min-ho"]) == []
    with Archive.open(folder) as archive:
        assert archive.tombstones.person("Kang Min Ho")
        assert archive.tombstones.person("KANG MIN-HO")
        assert [row["person"] for row in archive.people(limit=9)] == ["warden of the reserve"]


def test_addresses_that_spell_the_name_are_listed(paper: Paper) -> None:
    url = "https://example.org/2026/11/kang-min-ho-on-the-owls/"
    paper.put(url, story("On the Owls of Gochang and Their Patience", *TEXT, "“Wait,” said Kang Min-ho, a biologist."))
    folder = close(paper)
    plan = down(folder, people=("Kang Min-ho",))
    assert plan.spelled == [url]
    assert list(bodies(folder)) == [url]


def test_a_name_of_one_word_is_refused(paper: Paper) -> None:
    for name in ("Kang", " ", "Kang "):
        with pytest.raises(UsageError, match="one word"):
            takedown.plan(paper.archive, people=[name])
    assert takedown.plan(paper.archive, people=["김민호"]).people == ["김민호"]


def test_the_reason_does_not_keep_the_name(paper: Paper) -> None:
    paper.put(OWLS, story(TITLE, *TEXT, "“Wait,” said Kang Min-ho, a biologist at Hana Lab."))
    folder = close(paper)
    with Archive.open(folder, write=True) as archive:
        plan = takedown.plan(archive, people=["Kang Min-ho"])
        takedown.apply(archive, plan, at=AT, reason="asked for by Kang Min-ho himself", decided_by="the board")
        assert takedown.finish(archive)
        assert [stone.reason for stone in archive.tombstones] == ["asked for by [removed] himself"]
    assert found(folder, ["Kang Min-ho"]) == []
    with Archive.open(folder, write=True) as archive:  # killed before it was read again: the next crawl reads it
        assert [row.asked for row in archive.unread()] == [OWLS]
