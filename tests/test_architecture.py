"""Who may import whom: `scraper` moves, `storage` keeps, `parsers` understands; every import points down."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("parsers", "storage", "scraper")
FILES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))
NETWORK = {"httpx", "httpcore", "socket", "ssl", "http", "urllib.request", "aiohttp"}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}: imports are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules(path: Path) -> set[str]:
    return set(imports(path))


def test_there_is_something_to_look_at() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in FILES} == set(FLOORS)
    assert len(FILES) > 30


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_point_down(path: Path) -> None:
    floor = FLOORS.index(path.relative_to(ROOT).parts[0])
    above = FLOORS[floor + 1 :]
    bad = [module for module in modules(path) if module.split(".")[0] in (*above, "tests", "fixtures")]
    assert not bad


@pytest.mark.parametrize("path", [p for p in FILES if name(p).startswith("parsers/")], ids=name)
def test_parsers_know_no_world(path: Path) -> None:
    bad = {"sqlite3", "sqlite_utils", "warcio", "asyncio", "time", "random", "os", "tempfile", *NETWORK}
    assert not [module for module in modules(path) if module in bad or module.split(".")[0] in bad]
    if name(path) == "parsers/testing.py":
        return
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    words = {ast.unparse(call.func) for call in calls}
    clocks = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "datetime.datetime.now", "time.time"}
    assert not words & {"open", *clocks}
    assert not [word for word in words if word.endswith((".read_bytes", ".write_text", ".write_bytes"))]


@pytest.mark.parametrize("path", [p for p in FILES if not name(p).startswith("storage/")], ids=name)
def test_only_storage_knows_sql(path: Path) -> None:
    allowed = {"scraper/cli/doctor.py"}  # asks SQLite which version it is
    assert name(path) in allowed or not modules(path) & {"sqlite3", "sqlite_utils", "warcio"}


@pytest.mark.parametrize("path", [p for p in FILES if name(p).startswith("storage/")], ids=name)
def test_storage_knows_no_sites(path: Path) -> None:
    bad = ("parsers.registry", "parsers.sites", "parsers.themes", "parsers.layout", "httpx")
    assert not [module for module in modules(path) if module.startswith(bad)]


@pytest.mark.parametrize("path", [p for p in FILES if name(p).startswith("scraper/")], ids=name)
def test_only_fetch_touches_the_network(path: Path) -> None:
    if name(path).startswith("scraper/fetch/") or name(path) == "scraper/portal/server.py":  # it listens
        return
    assert not modules(path) & NETWORK


@pytest.mark.parametrize("path", [p for p in FILES if name(p).startswith("parsers/sites/")], ids=name)
def test_sites_do_not_lean_on_each_other(path: Path) -> None:
    assert not [module for module in modules(path) if module.startswith("parsers.sites")]


@pytest.mark.parametrize("path", [p for p in FILES if not name(p).startswith("scraper/cli/")], ids=name)
def test_only_the_command_line_prints_and_exits(path: Path) -> None:
    assert not [module for module in modules(path) if module.startswith("scraper.cli")]
    tree = ast.parse(path.read_text("utf-8"))
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not calls & {"print", "sys.exit", "exit", "click.echo"}


@pytest.mark.parametrize("path", FILES, ids=name)
def test_rooms_are_small_and_say_what_they_are(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 400, "a room past 400 lines has two jobs"
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    if path.name == "__init__.py" and name(path) != "scraper/__init__.py":
        assert len(tree.body) == 1, "an __init__.py holds its docstring and nothing else"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_nothing_outside_tests_knows_the_corpora(path: Path) -> None:
    text = path.read_text("utf-8")
    assert "NEWSMORGUE_SHARED" not in text
    assert "../shared" not in text


def test_fixtures_and_tests_are_no_packages() -> None:
    assert not list((ROOT / "fixtures").rglob("__init__.py"))
    assert not list((ROOT / "tests").rglob("__init__.py"))
