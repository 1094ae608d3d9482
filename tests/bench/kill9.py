"""The crawl judge's adapter for kill -9: `kill9.py CONTROLPORT` crawls the portal into ./archive, or goes on with it.

When the crawl has ended by itself, every story that the archive holds stands in `kill9.db`, table a(url).
"""

import sqlite3
import sys
from pathlib import Path

from portals import furnish

from scraper.cli.main import run


def main() -> int:
    """Crawl to the end; the exit code."""
    folder = Path("archive")
    furnish(folder, int(sys.argv[1]))
    code = run(["crawl", "--archive", str(folder)])
    Path("kill9.db").unlink(missing_ok=True)
    db = sqlite3.connect("kill9.db")
    db.execute("ATTACH ? AS archive", (str(folder / "archive.db"),))
    db.execute("CREATE TABLE a (url)")
    db.execute("INSERT INTO a SELECT url FROM archive.articles")
    db.commit()
    db.close()
    return code


if __name__ == "__main__":
    sys.exit(main())
