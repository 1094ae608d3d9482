"""Several addresses of one story in a crawl: AMP and print forms, redirects, addresses that all pages call their own."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from test_crawl import NOW, PROSE, STORY, front, html, visit

from scraper.crawl import Limits
from scraper.rebuild import rebuild
from scraper.settings import load
from storage.archive import Archive
from tests.servers import Server, answer, moved

HOME = STORY.format(1)
AMP = "/amp" + HOME
CANONICAL = f'<link rel="canonical" href="{HOME}">'


def serve(server: Server, *links: str) -> None:
    """A front with some links, the story at its own address and in two other forms."""
    server.at.update(
        {
            "/": answer(front(*links)),
            HOME: answer(html("Two boats lost", head=CANONICAL), headers={"ETag": '"1"'}),
            AMP: answer(
                html("Two boats lost", PROSE + "<p>Read on in our app, which is small and fast.</p>", CANONICAL)
            ),
            HOME + "?print=1": answer(html("Two boats lost", head=CANONICAL)),
            "/?p=77": moved(HOME),
        }
    )


def rows(folder: Path, sql: str) -> list[dict[str, Any]]:
    with Archive.open(folder) as archive:
        return list(archive.db.query(sql))


def test_all_forms_of_a_story_are_one_article_with_one_text(tmp_path: Path) -> None:
    with Server() as server:
        serve(server, AMP, HOME, HOME + "?print=1", "/?p=77")
        outcome = visit(server, tmp_path)
        (article,) = rows(tmp_path, "SELECT url, revisions FROM articles")
        assert article["url"] == server.url(HOME)
        assert outcome.tally.counts["new"] == 1
        assert 1 <= outcome.tally.counts["variant"] <= 2  # another form may be under way before the first is known
        aliases = rows(tmp_path, "SELECT url FROM alias ORDER BY url")
        assert [row["url"] for row in aliases] == sorted(map(server.url, (AMP, HOME, HOME + "?print=1", "/?p=77")))

        visit(server, tmp_path, now=NOW + timedelta(hours=2))  # the first form came before the story's own address
        before = len(server.targets)
        visit(server, tmp_path, now=NOW + timedelta(hours=20))
        assert [target for target in server.targets[before:] if target not in ("/", "/robots.txt")] == [HOME]


def test_a_story_known_by_another_form_is_asked_for_at_its_own_address(tmp_path: Path) -> None:
    with Server() as server:
        serve(server, AMP)
        visit(server, tmp_path)
        assert [target for target in server.targets if "boats" in target] == [AMP, HOME]
        (queued,) = rows(tmp_path, "SELECT found_on FROM frontier WHERE url LIKE '%/2026/%' AND url NOT LIKE '%amp%'")
        assert queued["found_on"] == server.url(AMP)


def test_asking_all_again_adds_no_reading(tmp_path: Path) -> None:
    with Server() as server:
        serve(server, AMP, HOME)
        visit(server, tmp_path)
        before = rows(tmp_path, "SELECT * FROM revision JOIN reading ON revision.id = revision_id")
        visit(server, tmp_path, Limits(wait=0.0, recheck=True), now=NOW + timedelta(hours=2))
        assert rows(tmp_path, "SELECT * FROM revision JOIN reading ON revision.id = revision_id") == before


def test_a_rebuild_finds_the_same_aliases(tmp_path: Path) -> None:
    with Server() as server:
        serve(server, "/?p=77", AMP, HOME + "?print=1")
        visit(server, tmp_path)
    tables = ("alias", "article", "revision", "frontier")
    before = [rows(tmp_path, f"SELECT * FROM {table} ORDER BY 1") for table in tables]
    rebuild(tmp_path, load(tmp_path, environ={}))
    assert [rows(tmp_path, f"SELECT * FROM {table} ORDER BY 1") for table in tables] == before


def test_queries_that_never_said_anything_are_left_out(tmp_path: Path) -> None:
    """After three stories found under a query that changed nothing, others are asked for without it, and known ones not at all."""
    paths = [f"/2026/03/10/two-boats-lost-in-the-high-tide-{n}/" for n in range(5)]
    with Server() as server:
        for n, path in enumerate(paths):
            page = html(
                f"Boat {n} lost", f"<p>It was boat {n}.</p>{PROSE}", f'<link rel="canonical" href="{server.url(path)}">'
            )
            server.at.update({path: answer(page), f"{path}?from=list": answer(page)})
        server.at["/"] = [answer(front(*(f"{path}?from=list" for path in shown))) for shown in (paths[:3], paths)]
        visit(server, tmp_path)
        before = len(server.targets)
        visit(server, tmp_path, now=NOW + timedelta(minutes=30))
        assert [target for target in server.targets[before:] if target != "/"] == paths[3:]
        assert len(rows(tmp_path, "SELECT url FROM articles")) == 5


def test_a_query_that_names_the_story_stays(tmp_path: Path) -> None:
    paths = [f"/story?id={n}" for n in range(5)]
    with Server() as server:
        for n, path in enumerate(paths):
            server.at[path] = answer(
                html(f"Boat {n} lost in the high tide of March", f"<p>It was boat {n}.</p>{PROSE}")
            )
        server.at["/"] = [answer(front(*shown)) for shown in (paths[:4], paths)]
        visit(server, tmp_path)
        visit(server, tmp_path, now=NOW + timedelta(minutes=30))
        assert len(rows(tmp_path, "SELECT url FROM articles")) == 5


WORDS = ("boat", "court", "bridge", "school", "budget")


def test_a_query_that_names_the_story_stays_though_all_pages_call_one_address_their_own(tmp_path: Path) -> None:
    paths = [f"/story?id={n}" for n in range(5)]
    with Server() as server:
        for word, path in zip(WORDS, paths, strict=True):
            text = re.sub(r"(?<=[a-z]{2}) ", f"{word[-2:]} ", PROSE)  # no three words in a row are those of another one
            server.at[path] = answer(html(f"The {word} of March", text, '<link rel="canonical" href="/story">'))
        server.at["/"] = [answer(front(*shown)) for shown in (paths[:3], paths)]
        visit(server, tmp_path)
        visit(server, tmp_path, now=NOW + timedelta(minutes=30))
        found = rows(tmp_path, "SELECT title, withdrawn FROM articles ORDER BY id")
        assert {row["title"] for row in found} == {f"The {word} of March" for word in WORDS}
        assert [row["withdrawn"] for row in found] == [None] * 5, "/story alone never was one"
        for hours in (2, 30):
            before = len(server.targets)
            visit(server, tmp_path, now=NOW + timedelta(hours=hours))
            assert set(paths[:3]) <= set(server.targets[before:]), "all of them are asked again"
