"""The crawl judge's adapter: `zoo.py START OUT` crawls from START and writes what the archive holds afterwards to OUT.

Rows are JSON lines: `{url, status, title, text, n}` for a page that is kept (`flag`: its verdict if it is no article,
`nontext`: not HTML, `noindex`: an opt-out it states), `{url, err}` for an address that did not come, `{end: 1}`.
"""

import json
import sqlite3
import sys
import tempfile
from pathlib import Path

from scraper.cli.main import run
from storage.archive import Archive

SETTINGS = """[crawl]
contact = "judge@example.org"
delay = "50ms"
deadline = "30s"
allow_addresses = [{allow}]

[site.zoo]
home = "{start}"
scope = [{hosts}]
sources = [{{ front = "{start}" }}]
"""
HOSTS = [f"127.0.9.{n}" for n in range(1, 41)]


def main() -> int:
    """Crawl in a folder of its own; the exit code."""
    start, out = sys.argv[1], Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "archive"
        Archive.create(path).close()
        text = SETTINGS.format(
            start=start,
            allow=", ".join(f'"{host}/32"' for host in HOSTS),
            hosts=", ".join(f'"{host}"' for host in HOSTS),
        )
        (path / "newsmorgue.toml").write_text(text, "utf-8")
        code = run(["crawl", "--archive", str(path)])
        rows = [*kept(path / "archive.db"), {"end": 1}]
    out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return 0 if code in (0, 1, 3) else code


def kept(database: Path) -> list[dict[str, object]]:
    """Pages and errors, as the archive has them."""
    db = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    db.row_factory = sqlite3.Row
    pages = db.execute(
        "SELECT c.url, c.status, c.verdict, c.size, c.optouts, coalesce(a.title, c.title, '') AS title, a.body FROM captures c "
        "LEFT JOIN articles a ON a.capture_id = c.id WHERE c.kind <> 'robots' ORDER BY c.id"
    )
    rows = [_page(one) for one in pages]
    failed = db.execute("SELECT url, outcome, status FROM frontier WHERE outcome IS NOT NULL AND last_fetched IS NULL")
    rows += [{"url": one["url"], "err": one["outcome"], "status_err": one["status"]} for one in failed]
    dropped = db.execute(
        "SELECT s.home FROM runs r JOIN site s WHERE json_extract(r.counts, '$.dropped_out_of_scope') > 0"
    )
    rows += [{"url": one["home"], "err": "dropped a link: out_of_scope"} for one in dropped]
    db.close()
    return rows


def _page(one: sqlite3.Row) -> dict[str, object]:
    """What is kept of an address, or why what came is not what was asked for."""
    if one["verdict"] in ("error", "gone", "challenge", "consent", "soft_404", "truncated"):
        return {"url": one["url"], "err": one["verdict"], "status_err": one["status"]}
    row: dict[str, object] = {"url": one["url"], "status": one["status"], "n": one["size"], "title": one["title"]}
    row["text"] = (one["body"] or "")[:300]
    if one["verdict"] != "article":
        row["flag"] = one["verdict"]
    if one["verdict"] == "not_html":
        row["nontext"] = True
    if stated := json.loads(one["optouts"]):
        row["noindex"] = stated
    return row


if __name__ == "__main__":
    sys.exit(main())
