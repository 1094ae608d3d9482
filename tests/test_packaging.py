"""What is shipped: a wheel that holds its data, and a guard against a second owner of the three names."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_the_wheel_holds_code_types_schema_and_the_demos_portal(tmp_path: Path) -> None:
    hatchling = Path(sys.executable).parent / "hatchling"
    subprocess.run(
        [str(hatchling), "build", "-t", "wheel", "-d", str(tmp_path)], cwd=ROOT, check=True, capture_output=True
    )
    (wheel,) = tmp_path.glob("newsmorgue-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for needed in (
        "scraper/py.typed",
        "parsers/py.typed",
        "storage/py.typed",
        "storage/sql/0001_first_edition.sql",
        "storage/sql/0002_truth.sql",
        "storage/sql/views.sql",
        "storage/sql/dictionary.txt",
        "scraper/_portal/README.md",
    ):
        assert needed in names
    assert len([name for name in names if name.startswith("scraper/_portal/") and "/stories/" in name]) >= 48
    assert not [name for name in names if name.startswith(("tests/", "fixtures/", "docs/"))]


def test_a_second_owner_of_a_name_is_named(tmp_path: Path) -> None:
    info = tmp_path / "cellar-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: cellar\nVersion: 2.0\n")
    (info / "top_level.txt").write_text("storage\n")
    done = subprocess.run(
        [sys.executable, "-c", "import scraper"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "'storage' is installed by more than one distribution: cellar, newsmorgue" in done.stderr


def test_constraints_name_versions_and_no_address() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if not line.startswith("#")]
    assert len(lines) > 30
    assert all("==" in line and "@" not in line and "/" not in line for line in lines)


def test_every_dependency_is_pinned() -> None:
    import re
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = [
        *project["project"]["dependencies"],
        *(name for extra in project["project"]["optional-dependencies"].values() for name in extra),
        *project["build-system"]["requires"],
    ]
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    }
    names = {re.split(r"[<>=\[;~ ]", line)[0].lower().replace("_", "-") for line in wanted}
    assert names <= pinned
