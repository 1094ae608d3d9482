"""What was taken down does not come back by other ways: files imported, a sidecar copied, an archive restored."""

import gzip
import json
import shutil
from pathlib import Path

import pytest
from damage import findings
from search import found
from takedowns import (
    HERONS,
    NOW,
    OTHER,
    OWLS,
    TEXT,
    TITLE,
    Paper,
    assert_same_after_rebuild,
    assert_sound,
    bodies,
    close,
    down,
    front,
    story,
)

from scraper.cli.main import run
from scraper.clock import Clock
from scraper.imports import Inputs, survey
from scraper.imports import run as run_import
from scraper.settings import load
from storage.archive import Archive
from storage.tombstones import SIDECAR

NAME = "Kang Min-ho"
SAYS = f"“Wait,” said {NAME}, a biologist at Hana Lab."
SAID = (TITLE, *TEXT, OWLS, NAME)


@pytest.fixture
def folder(paper: Paper) -> Path:
    paper.put(OWLS, story(TITLE, *TEXT))
    paper.put(HERONS, story("Herons Return to the Dye Works Pond", *OTHER, SAYS))
    paper.put("https://example.org/", front((OWLS, TITLE, TEXT[0])), kind="front")
    return close(paper)


def taken(folder: Path) -> None:
    down(folder, OWLS)
    down(folder, people=(NAME,))


def listed(tmp_path: Path) -> Path:
    """A list of pages: the story, a copy of it that calls it its own, one that names the person, one that shows it."""
    pages = {
        OWLS: story(TITLE, *TEXT),
        "https://example.org/print/4711/": story(TITLE, *TEXT, canonical=OWLS),
        "https://example.org/2026/12/herons-leave-the-dye-works-pond/": story("Herons Leave the Pond", *OTHER, SAYS),
        "https://example.org/": front((OWLS, TITLE, TEXT[0])),
    }
    rows = []
    for n, (url, text) in enumerate(pages.items()):
        (tmp_path / f"{n}.html").write_text(text)
        rows.append(json.dumps({"path": f"{n}.html", "url": url}))
    (tmp_path / "list.jsonl").write_text("\n".join(rows))
    return tmp_path / "list.jsonl"


def test_an_import_does_not_bring_it_back(folder: Path, tmp_path: Path) -> None:
    taken(folder)
    settings = load(folder, environ={})
    inputs = Inputs(listed=listed(tmp_path))
    dry = survey(folder, settings, inputs, clock=Clock(NOW))
    assert dry.tally.counts["taken_down"] == 2
    done = run_import(folder, settings, inputs, clock=Clock(NOW))
    assert done.tally.counts["taken_down"] == 2
    assert done.tally.counts["new"] == 1
    assert found(folder, SAID) == []
    assert "[removed]" in bodies(folder)["https://example.org/2026/12/herons-leave-the-dye-works-pond/"]
    assert findings(folder) == []
    assert_same_after_rebuild(folder)


def test_a_warc_file_of_before_does_not_bring_it_back(folder: Path, tmp_path: Path) -> None:
    before = tmp_path / "before.warc.gz"
    (path,) = (folder / "warc").iterdir()
    shutil.copy(path, before)
    taken(folder)
    done = run_import(folder, load(folder, environ={}), Inputs(warcs=(before,)), clock=Clock(NOW))
    assert done.tally.counts["taken_down"] == 1
    assert found(folder, SAID) == []
    assert findings(folder) == []
    assert gzip.decompress(before.read_bytes())


def test_a_sidecar_copied_to_an_older_state_is_obeyed(folder: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(folder, old)
    taken(folder)
    shutil.copy(folder / SIDECAR, old)
    with Archive.open(old, write=True) as archive:
        assert archive.recovered == ["took down what takedowns.jsonl names and the archive still held"]
        assert archive.to_read
        assert [row.capture for row in archive.unread()] == archive.to_read
    assert found(old, SAID) == []
    with Archive.open(old, write=True) as archive:
        assert archive.recovered == []


def test_a_restore_obeys_what_was_decided_since(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["backup", str(tmp_path / "backup"), "--archive", str(folder)]) == 0
    taken(folder)
    again = tmp_path / "again"
    again.mkdir()
    shutil.copy(folder / SIDECAR, again)
    assert run(["restore", str(tmp_path / "backup"), str(again)]) == 0
    capsys.readouterr()
    assert found(again, SAID) == []
    assert bodies(again) == bodies(folder)
    assert findings(again) == []
    assert_sound(again)


def test_verify_finds_nothing_after_a_takedown(folder: Path) -> None:
    taken(folder)
    assert findings(folder) == []
