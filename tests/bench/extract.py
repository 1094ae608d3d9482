"""Adapter: `extract.py GOLD.jsonl [--generic]` prints `{id, title, teaser, body, authors, published, tags}` for each page.

Verdicts, layouts and CPU time go to stderr.
"""

import argparse
import gzip
import sys
import time
from collections import Counter
from pathlib import Path

from common import run

from parsers import registry
from parsers.article import Article
from parsers.errors import NoLayoutFits
from parsers.page import Page


def main() -> int:
    """Read every page of the file."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("gold", type=Path)
    options.add_argument("--generic", action="store_true", help="as if no site were registered")
    chosen = options.parse_args()
    verdicts: Counter[str] = Counter()
    layouts: Counter[str] = Counter()
    slowest = (0.0, "")
    total = 0.0

    def answer(record: dict[str, object]) -> dict[str, object]:
        nonlocal slowest, total
        path = chosen.gold.parent / str(record["html_path"])
        body = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        page = Page(url=str(record["url"]), body=body)
        start = time.process_time()
        try:
            article = registry.read(page, generic=chosen.generic)
        except NoLayoutFits:
            article = Article(url=page.url, canonical_url=page.url, verdict="error")
        spent = time.process_time() - start
        total += spent
        slowest = max(slowest, (spent, str(record["id"])))
        verdicts[article.verdict] += 1
        layouts[article.layout or "none"] += 1
        return {
            "id": record["id"],
            "title": article.title,
            "teaser": article.teaser,
            "body": article.body,
            "authors": list(article.authors),
            "published": article.published.utc.isoformat() if article.published and article.published.utc else None,
            "tags": list(article.tags),
        }

    code = run(chosen.gold, answer)
    pages = sum(verdicts.values())
    print(f"{chosen.gold.name}: {pages} pages, verdicts {dict(verdicts)}, layouts {dict(layouts)}", file=sys.stderr)
    print(
        f"  {1000 * total / max(pages, 1):.1f} CPU ms/page, slowest {slowest[0]:.2f} s ({slowest[1]})", file=sys.stderr
    )
    return code


if __name__ == "__main__":
    sys.exit(main())
