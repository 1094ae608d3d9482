"""Documentation that cannot go stale: every verb, setting, table and error is in docs/, README's commands exist."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from parsers import errors
from scraper.cli.main import VERBS
from scraper.settings import CrawlSettings, SiteSettings
from storage.archive import Archive

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), ROOT / "fixtures" / "README.md"])


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def test_generated_pages_are_fresh() -> None:
    done = subprocess.run([sys.executable, str(DOCS / "generate.py"), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_documented(verb: str) -> None:
    assert f"## {verb}\n" in text("docs/commands.md")


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(CrawlSettings)])
def test_every_crawl_setting_is_documented(field: str) -> None:
    assert f"| `{field}` |" in text("docs/settings.md")


@pytest.mark.parametrize(
    "field", [f.name for f in dataclasses.fields(SiteSettings) if f.name not in ("name", "discovers")]
)
def test_every_site_setting_is_documented(field: str) -> None:
    assert f"| `{field}` |" in text("docs/settings.md")


def tree(root: type[errors.NewsmorgueError]) -> list[type[errors.NewsmorgueError]]:
    return [root, *(below for child in root.__subclasses__() for below in tree(child))]


@pytest.mark.parametrize("error", tree(errors.NewsmorgueError), ids=lambda error: error.__name__)
def test_every_error_is_documented(error: type[errors.NewsmorgueError]) -> None:
    assert re.search(rf"\| `{error.__name__}` \| {error.exit_code} \|", text("docs/errors.md"))


def test_every_table_and_view_is_documented(tmp_path: Path) -> None:

    with Archive.create(tmp_path / "archive") as archive:
        names = {row["object"] for row in archive.db.query("select distinct object from _dictionary")}
    page = text("docs/archive.md")
    assert len(names) > 30
    assert not [name for name in sorted(names) if f"`{name}`" not in page]


def test_readme_commands_exist() -> None:
    readme = text("README.md")
    blocks = "\n".join(re.findall(r"^```\n(.*?)^```", readme, re.MULTILINE | re.DOTALL))
    verbs = set(re.findall(r"^newsmorgue ([a-z]+)", blocks, re.MULTILINE))
    assert verbs
    assert verbs <= set(VERBS)
    targets = set(re.findall(r"\bmake ([a-z]+)\b(?= |`|$)", readme + text("CONTRIBUTING.md")))
    assert {"demo", "test"} <= targets
    makefile = text("Makefile")
    assert not [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), target


def test_every_decision_has_a_date_and_a_choice() -> None:
    pages = sorted((DOCS / "decisions").glob("*.md"))
    assert len(pages) >= 5
    for page in pages:
        words = page.read_text("utf-8")
        assert re.search(r"20\d\d-\d\d-\d\d", words), page.name
        assert "ecision" in words, page.name
        assert "considered" in words, page.name
