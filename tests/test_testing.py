"""The tool that plugin authors test with: it must fail when it should."""

import json
from pathlib import Path

import pytest

from parsers.testing import Case, cases, check

HTML = """<html><head><title>Tides</title></head><body><h1>Tides</h1><article><p>The tide rose higher than in any March that the
harbor master remembers, and it took two boats and a shed with it before it turned.</p></article></body></html>"""


@pytest.fixture
def case(tmp_path: Path) -> Case:
    (tmp_path / "2026-03-10-tides.html").write_text(HTML, "utf-8")
    wanted = {"title": "Tides", "tags": [], "layout": "generic"}
    stated = {"url": "https://sea.example/tides", "captured": None, "reviewed": False, "article": wanted}
    (tmp_path / "2026-03-10-tides.json").write_text(json.dumps(stated), "utf-8")
    return Case(tmp_path / "2026-03-10-tides.json")


def test_cases_are_found_with_their_fields(case: Case) -> None:
    assert [field for _, field in cases(case.path.parent)] == ["reviewed", "title", "tags", "layout"]


def test_a_right_field_passes_and_a_wrong_one_is_named(case: Case) -> None:
    check(case, "title")
    case.path.write_text(case.path.read_text().replace('"Tides"', '"Ebb"'))
    with pytest.raises(AssertionError, match=r"2026-03-10-tides/title"):
        check(case, "title")


def test_what_nobody_reviewed_fails(case: Case) -> None:
    with pytest.raises(AssertionError, match="reviewed"):
        check(case, "reviewed")
