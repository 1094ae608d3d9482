"""Quality has a floor: scores on the annotated development corpora may not go down without a conversation.

The floors are a little under what this edition scores; the adapters are the ones that judging uses.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parent / "bench"
pytestmark = pytest.mark.corpora


def predict(adapter: str, gold: Path, out: Path, *flags: str) -> Path:
    with out.open("ab") as file:
        done = subprocess.run(
            [sys.executable, str(BENCH / adapter), str(gold), *flags], stdout=file, stderr=subprocess.PIPE
        )
    assert done.returncode == 0, done.stderr.decode()
    return out


def score(folder: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, str(folder / "score.py"), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_links(shared: Path, tmp_path: Path) -> None:
    folder = shared / "corpora" / "links"
    gold = folder / "links_dev.jsonl"
    found = json.loads(score(folder, str(gold), str(predict("links.py", gold, tmp_path / "p.jsonl"))))
    assert found["accuracy"] >= 0.955


@pytest.mark.slow
def test_quotes_of_politics(shared: Path, tmp_path: Path) -> None:
    folder = shared / "corpora" / "quotes"
    gold = folder / "polnear_dev.jsonl.gz"
    pred = predict("quotes.py", gold, tmp_path / "p.jsonl")
    found = json.loads(score(folder, "--gold", str(gold), "--pred", str(pred), "--json"))["attribution"]
    assert found["joint"]["F1"] >= 75
    assert found["content_token"]["F1"] >= 83


def test_experts(shared: Path, tmp_path: Path) -> None:
    folder = shared / "corpora" / "quotes"
    gold = folder / "expert_dev.jsonl"
    pred = predict("quotes.py", gold, tmp_path / "p.jsonl")
    found = json.loads(score(folder, "--gold", str(gold), "--pred", str(pred), "--json"))["expert"]
    assert found["people"]["F1"] >= 87
    assert found["people3"]["F1"] >= 61
    assert found["snippets"]["attributed"] >= 77
    assert found["role"]["P"] >= 95


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_extraction(shared: Path, tmp_path: Path) -> None:
    folder = shared / "corpora" / "extraction"
    pred = tmp_path / "p.jsonl"
    sources = sorted(path for path in folder.glob("*.jsonl"))
    assert len(sources) == 10
    for gold in sources:
        predict("extract.py", gold, pred, "--generic")
    out = tmp_path / "scores.json"
    score(folder, "--gold", str(folder), "--pred", str(pred), "--split", "dev", "--json", str(out))
    line = score(folder, "--gold", str(folder), "--pred", str(pred), "--split", "dev").strip().splitlines()[-1].split()
    head = "pages fail empty shF1 shP shR rougeF1 segF1 segAcc titleEx titleFz teasSim teas90 teasFP authF1 date tagF1".split()
    found = dict(zip(head, line[1:], strict=True))
    assert found["fail"] == "0"
    for name, floor in {"shF1": 0.935, "titleEx": 0.84, "authF1": 0.73, "date": 0.82, "tagF1": 0.72}.items():
        assert float(found[name]) >= floor, name
