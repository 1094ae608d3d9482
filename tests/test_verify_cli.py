"""`verify`, `repair`, `backup`, `restore` on the command line: rows, documents, words, exit codes."""

import json
from pathlib import Path

from conftest import ROOT, Crawled
from damage import findings, flip, some, warc
from test_cli import run

from storage.findings import KINDS


def test_every_kind_of_finding_is_explained() -> None:
    text = (ROOT / "docs" / "errors.md").read_text("utf-8")
    rows = [line.split("|")[1].strip(" `") for line in text.splitlines() if line.startswith("| `")]
    assert [kind for kind in rows if kind in KINDS] == list(KINDS)


def test_verify_prints_rows_and_says_what_it_looked_at(copy: Path) -> None:
    whole = run("verify", "--archive", str(copy), "--json")
    assert whole.returncode == 0
    value = json.loads(whole.stdout)
    assert (value["schema"], value["findings"]) == (1, [])
    assert value["checked"]["records"] > 250
    assert "nothing found" in whole.stderr
    member = some(copy, "response")
    flip(warc(copy), member.begin + 99)
    expected = {
        "kind": "damaged_record",
        "file": warc(copy).name,
        "offset": member.begin,
        "length": member.end - member.begin,
        "url": member.record.url,
    }
    done = run("verify", "--archive", str(copy), "--json")
    assert done.returncode == 4
    (row,) = json.loads(done.stdout)["findings"]
    assert {key: row[key] for key in expected} == expected
    assert set(row) == {*expected, "detail"}
    lines = run("verify", "--archive", str(copy), "--jsonl")
    assert lines.returncode == 4
    assert [json.loads(line) for line in lines.stdout.splitlines()] == [row]
    people = run("verify", "--archive", str(copy))
    assert f"damaged_record  {warc(copy).name} {member.begin}  {member.record.url}" in people.stdout
    assert "next: newsmorgue repair" in people.stderr


def test_repair_is_dry_and_then_mends_and_says_what_is_left(crawled: Crawled, copy: Path) -> None:
    member = some(copy, "response")
    flip(warc(copy), member.begin + 99)
    before = warc(copy).read_bytes()
    dry = run("repair", "--archive", str(copy), "--from", str(crawled.folder))
    assert dry.returncode == 0
    assert f"would mend  damaged_record  {warc(copy).name} {member.begin}" in dry.stdout
    assert "--apply" in dry.stderr
    assert warc(copy).read_bytes() == before
    alone = run("repair", "--archive", str(copy), "--apply", "--json")
    assert alone.returncode == 4
    value = json.loads(alone.stdout)
    assert (value["dry_run"], value["mended"], value["lost"]) == (False, [], 1)
    assert [row["offset"] for row in value["left"]] == [member.begin]
    assert "--from BACKUP" in alone.stderr
    passed_over = run("verify", "--archive", str(copy))
    assert passed_over.returncode == 0
    assert "1 stretches are marked as lost" in passed_over.stderr
    done = run("repair", "--archive", str(copy), "--from", str(crawled.folder), "--apply")
    assert done.returncode == 0
    assert f"mended  damaged_record  {warc(copy).name} {member.begin}" in done.stdout
    assert run("verify", "--archive", str(copy)).stderr.endswith("nothing found\n")


def test_repair_sends_to_rebuild_what_only_that_can_mend(copy: Path) -> None:
    for path in copy.glob("archive.db*"):
        path.unlink()
    done = run("repair", "--archive", str(copy), "--apply")
    assert done.returncode == 4
    assert "next: newsmorgue rebuild" in done.stderr
    assert run("rebuild", "--archive", str(copy)).returncode == 0
    assert findings(copy) == []


def test_backup_and_restore(copy: Path, tmp_path: Path) -> None:
    to, again = tmp_path / "backup", tmp_path / "again"
    dry = json.loads(run("backup", str(to), "--archive", str(copy), "--dry-run", "--json").stdout)
    assert dry["dry_run"]
    assert not to.exists()
    done = run("backup", str(to), "--archive", str(copy), "--json")
    assert done.returncode == 0
    value = json.loads(done.stdout)
    assert (value["schema"], value["copied"], value["said"]) == (1, dry["copied"], [])
    assert {row["name"] for row in value["files"]} >= {"archive.db", "newsmorgue.toml", f"warc/{warc(copy).name}"}
    assert run("restore", str(to), str(again)).returncode == 0
    assert run("verify", "--archive", str(again)).returncode == 0
    refused = run("restore", str(to), str(again))
    assert refused.returncode == 2
    assert "is an archive already" in refused.stderr
    flip(warc(to), 5000)
    bad = run("restore", str(to), str(tmp_path / "third"))
    assert bad.returncode == 4
    assert warc(to).name in bad.stderr
    assert run("backup", str(to), "--archive", str(copy), "--check").returncode == 0
    assert run("restore", str(to), str(tmp_path / "third"), "--json").returncode == 0
    assert run("crawl", "--archive", str(to)).returncode == 2
