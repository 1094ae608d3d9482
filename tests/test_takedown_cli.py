"""`newsmorgue takedown`: what it prints, what it asks for, and its exit codes."""

import json
from pathlib import Path

import pytest
from search import found
from takedowns import HERONS, OTHER, OWLS, TEXT, TITLE, Paper, assert_sound, close, front, story

from scraper.cli.main import run
from storage import takedown
from storage.archive import Archive
from storage.tombstones import SIDECAR, of_url

WHY = ("--reason", "court order 12/345", "--by", "A. Reader")


@pytest.fixture
def folder(paper: Paper) -> Path:
    paper.put(OWLS, story(TITLE, *TEXT))
    paper.put(
        HERONS, story("Herons Return to the Dye Works Pond", *OTHER, "“Go,” said Kang Min-ho, a biologist at Hana Lab.")
    )
    paper.put("https://example.org/", front((OWLS, TITLE, "")), kind="front")
    return close(paper)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_dry_unless_applied(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(folder)
    assert run(["takedown", OWLS, "--archive", str(folder)]) == 0
    out, err = capsys.readouterr()
    assert files(folder) == before
    assert f"addresses:\n  {OWLS}\n" in out
    assert "      1  article\n" in out
    assert "1 events removed, 1 records struck" in out
    assert "fronts that showed it:\n  https://example.org/\n" in out
    assert "nothing was written; --apply does it" in err


def test_applied(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["takedown", OWLS, "--archive", str(folder), "--apply", "--json", *WHY]) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert (document["schema"], document["applied"], document["addresses"]) == (1, True, [OWLS])
    assert document["rows"]["article"] == 1
    assert [(one["removed"], one["struck"]) for one in document["files"]] == [(1, 1)]
    assert "takedowns.jsonl" in err
    assert found(folder, [TITLE, *TEXT, OWLS]) == []
    assert_sound(folder)
    (line,) = (folder / SIDECAR).read_text().splitlines()
    stone = json.loads(line)
    assert (stone["kind"], stone["digest"]) == ("url", of_url(OWLS).hex())
    assert (stone["reason"], stone["decided_by"]) == ("court order 12/345", "A. Reader")
    assert run(["takedown", "--list", "--archive", str(folder)]) == 0
    out, _ = capsys.readouterr()
    assert out == f"{stone['at']}  url     {stone['digest']}  court order 12/345 (A. Reader)\n"
    assert run(["takedown", "--list", "--json", "--archive", str(folder)]) == 0
    assert json.loads(capsys.readouterr().out) == {"schema": 1, "tombstones": [stone]}


def test_a_person(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["takedown", "--person", "Kang Min-ho", "--archive", str(folder), "--json", "--apply", *WHY]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["people"], document["again"]) == (["Kang Min-ho"], [HERONS])
    assert found(folder, ["Kang Min-ho"]) == []
    assert_sound(folder)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "name the stories or a person"),
        ((OWLS, "--person", "Kang Min-ho"), "name the stories or a person"),
        ((OWLS, "--apply"), "--apply needs a reason and who decided"),
        ((OWLS, "--apply", "--reason", "x"), "--apply needs a reason and who decided"),
        ((OWLS, "--apply", "--by", "x"), "--apply needs a reason and who decided"),
        (("https://example.org/", *WHY), "no story"),
        (("owls", *WHY), "is not an http or https address"),
        (("--person", "Kang", *WHY), "one word"),
    ],
)
def test_wrong_usage_is_exit_code_2(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    before = files(folder)
    assert run(["takedown", "--archive", str(folder), *arguments]) == 2
    assert words in capsys.readouterr().err
    assert files(folder) == before


def test_while_a_crawl_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Archive.open(folder, write=True):
        assert run(["takedown", OWLS, "--archive", str(folder)]) == 0
        assert run(["takedown", OWLS, "--archive", str(folder), "--apply", *WHY]) == 75
    assert "another run" in capsys.readouterr().err
    with Archive.open(folder) as archive:
        assert takedown.stones(archive) == []


def test_a_damaged_sidecar_stops_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / SIDECAR).write_text('{"kind": "url"}\n')
    assert run(["takedown", OWLS, "--archive", str(folder), "--apply", *WHY]) == 4
    assert "takedowns.jsonl: line 1 is no tombstone" in capsys.readouterr().err
