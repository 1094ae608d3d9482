"""A saved page and what it should say; for our tests and for those of plugin authors.

In a plugin's tests::

    import pytest
    from parsers.testing import cases, check

    @pytest.mark.parametrize(("case", "field"), cases("fixtures"), ids=str)
    def test_site(case, field):
        check(case, field)

A case is two files with one stem: `2026-05-02-fees.html`, the bytes as served, and `2026-05-02-fees.json` with `url`,
`captured`, `status`, `content_type`, `parser` (optional), `reviewed` and `article`: the fields that are expected, in the
form of `parse --json`. A case that nobody has reviewed fails.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from parsers import registry
from parsers.page import Page


@dataclass(frozen=True, slots=True)
class Case:
    """One saved page. `path`: the JSON file beside it."""

    path: Path

    def __str__(self) -> str:
        return f"{self.path.parent.name}/{self.path.stem}"

    @property
    def expected(self) -> dict[str, Any]:
        """The JSON file's content."""
        value: dict[str, Any] = json.loads(self.path.read_text("utf-8"))
        return value

    def page(self) -> Page:
        """The saved page as it was captured."""
        stated = self.expected
        captured = stated.get("captured")
        return Page(
            url=stated["url"],
            body=self.path.with_suffix(".html").read_bytes(),
            captured=datetime.fromisoformat(captured) if captured else None,
            status=stated.get("status", 200),
            headers=(("Content-Type", stated.get("content_type", "text/html")),),
        )


def cases(folder: str | Path) -> list[tuple[Case, str]]:
    """Every case below a folder with every field it expects, and `reviewed`."""
    found = [Case(path) for path in sorted(Path(folder).rglob("*.json")) if path.with_suffix(".html").exists()]
    return [(case, field) for case in found for field in ("reviewed", *case.expected["article"])]


@cache
def _read(path: Path) -> dict[str, Any]:
    case = Case(path)
    return registry.read(case.page(), parser=case.expected.get("parser")).as_dict()


def check(case: Case, field: str) -> None:
    """Compare one field of a case. Raises AssertionError naming case and field."""
    if field == "reviewed":
        assert case.expected.get("reviewed") is True, f"{case}: look at {case.path.name}, then set reviewed to true"
        return
    got, wanted = _read(case.path)[field], case.expected["article"][field]
    assert got == wanted, f"{case}/{field}:\n  got      {got!r}\n  expected {wanted!r}"
