"""The bench of the archive measures what it says: the raw loop writes the very same rows."""

import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent / "bench" / "archive.py"


def test_both_ways_of_the_bench_write_the_same_rows() -> None:
    small = ["--articles", "100", "--visits", "50", "--rows", "100", "--warc", "50"]
    done = subprocess.run([sys.executable, str(BENCH), *small], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "the same rows, row for row: True" in done.stdout
    assert "revisions, readings and full text are as they were: True" in done.stdout
    assert "by content, not there" in done.stdout
    assert "ingest of 50 articles with WARC" in done.stdout
