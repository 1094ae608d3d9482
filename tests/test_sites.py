"""Every saved page, field by field; every layout of every site has a page."""

from pathlib import Path

import pytest

from parsers import registry
from parsers.errors import NoLayoutFits
from parsers.testing import Case, cases, check

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
CASES = cases(FIXTURES)


@pytest.mark.parametrize(("case", "field"), CASES, ids=str)
def test_field(case: Case, field: str) -> None:
    check(case, field)


def test_there_are_cases_for_every_theme() -> None:
    layouts = {case.expected["article"]["layout"] for case, _ in CASES}
    assert layouts == {"generic", *registry.all_themes()}


@pytest.mark.parametrize("name", registry.all_sites())
def test_every_site_has_a_page_of_its_own(name: str) -> None:
    assert [case for case, _ in CASES if case.path.parent.name == name], f"fixtures/{name}/ holds no case"


@pytest.mark.parametrize("name", registry.all_sites())
def test_every_layout_of_a_site_is_chosen_by_a_page(name: str) -> None:
    site = registry.all_sites()[name]
    pages = [case.page() for case, field in CASES if field == "reviewed" and case.path.parent.name == name]
    chosen = set()
    for page in pages:
        try:
            chosen.add(site.layout_for(page))
        except NoLayoutFits:
            assert not site.layouts
    assert chosen == set(site.layouts)


@pytest.mark.parametrize("name", registry.all_sites())
def test_a_site_file_is_short(name: str) -> None:
    path = Path(registry.__file__).parent / "sites" / f"{name}.py"
    code = [line for line in path.read_text("utf-8").splitlines() if line.strip() and not line.startswith(('"', "#"))]
    assert len(code) < 15
