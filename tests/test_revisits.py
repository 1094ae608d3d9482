"""When a crawl comes back: fronts as often as they bring news, stories at their ages; what is unchanged costs a visit."""

from asyncio import StreamWriter
from datetime import datetime, timedelta
from pathlib import Path

from test_crawl import NOW, STORY, front, html, visit

from scraper.crawl import Limits
from scraper.rebuild import rebuild
from scraper.settings import load
from storage.archive import Archive
from storage.timing import instant
from tests.servers import Request, Server, answer

HOUR = timedelta(hours=1)
GROWING = ("capture", "article", "alias", "revision", "reading", "quote", "card", "placement", "front")


def due(folder: Path, kind: str) -> dict[str, datetime]:
    with Archive.open(folder) as archive:
        rows = archive.db.execute("SELECT url, due FROM frontier WHERE kind = ? AND due IS NOT NULL", (kind,))
        return {url.split("/", 3)[3]: instant(at) for url, at in rows}


def minutes(folder: Path, now: datetime) -> int:
    """How long after a crawl the front is due."""
    return int((due(folder, "front")[""] - now).total_seconds() / 60)


def test_a_front_is_asked_sooner_after_news_and_later_without(tmp_path: Path) -> None:
    said = []
    with Server() as server:
        for n, new in enumerate([True, True, False, False]):
            stories = [STORY.format(k) for k in range(n + 1 if new else 2)]
            server.at.update({story: answer(html(f"Boat {story[-2]}")) for story in stories})
            server.at["/"] = answer(front(*stories) + b"<!-- visitor %d -->" % n)
            visit(server, tmp_path, now=NOW + n * HOUR)
            said.append(minutes(tmp_path, NOW + n * HOUR))
    assert said == [30, 15, 22, 33]
    queue = "SELECT url, pause, last_fetched FROM frontier ORDER BY url"
    with Archive.open(tmp_path) as archive:
        before = archive.db.execute(queue).fetchall()
    rebuild(tmp_path, load(tmp_path, environ={}))
    with Archive.open(tmp_path) as archive:
        assert archive.db.execute(queue).fetchall() == before


def test_what_the_settings_say_is_said(tmp_path: Path) -> None:
    with Server() as server:
        server.at["/"] = answer(front(STORY.format(1)))
        for n in range(3):
            visit(server, tmp_path, site='every = "45m"', now=NOW + n * HOUR)
            assert minutes(tmp_path, NOW + n * HOUR) == 45


def test_stories_are_asked_again_at_their_ages(tmp_path: Path) -> None:
    story = STORY.format(1)
    with Server() as server:
        server.at.update({"/": answer(front(story)), story: answer(html("Two boats lost"))})
        for hours, asked, again in ((0, 1, 2), (1, 1, 2), (3, 2, 30), (40, 3, None), (400, 3, None)):
            now = NOW + hours * HOUR
            visit(server, tmp_path, site='recheck = ["2h", "30h"]', now=now)
            assert server.targets.count(story) == asked
            at = due(tmp_path, "story").get(story[1:])
            assert (round((at - NOW) / HOUR) if at else None) == again


def test_what_is_unchanged_costs_a_visit_and_still_stands_there(tmp_path: Path) -> None:
    """By 304 and by identical bytes."""
    stories = [STORY.format(1), STORY.format(2)]
    with Server() as server:
        server.at["/"] = answer(front(*stories), headers={"ETag": '"front"'})
        server.at[stories[0]] = answer(html("One boat lost"), headers={"ETag": '"1"'})
        server.at[stories[1]] = answer(html("Two boats lost"))
        visit(server, tmp_path)
        before = sizes(tmp_path)
        server.at["/"] = server.at[stories[0]] = answer(status=304)
        visit(server, tmp_path, now=NOW + HOUR + timedelta(minutes=1))
        after = sizes(tmp_path)
    assert after.pop("visit") - before.pop("visit") == 4  # robots.txt, the front, two stories
    assert after == before
    with Archive.open(tmp_path) as archive:
        rows = list(archive.db.query("SELECT url, seen_from, seen_until FROM front_page_history"))
    assert len(rows) == 2
    assert all(row["seen_from"] < "2026-03-10T09:01" and row["seen_until"] > "2026-03-10T10:00" for row in rows)


def sizes(folder: Path) -> dict[str, int]:
    with Archive.open(folder) as archive:
        return {table: archive.db[table].count for table in (*GROWING, "visit")}


def test_an_address_that_is_spelled_otherwise_now_is_asked_without_conditions(tmp_path: Path) -> None:
    """As in archives of 0.1.0: the queue has one spelling of an address, its captures another."""
    old, new = f"{STORY.format(1)}?b=1&a=2", f"{STORY.format(1)}?a=2&b=1"

    async def story(request: Request, writer: StreamWriter) -> None:
        known = "if-none-match" in request.headers
        writer.write(answer(status=304) if known else answer(html("Two boats lost"), headers={"ETag": '"1"'}))

    with Server() as server:
        server.at.update({"/": answer(front()), old: story, new: story})
        visit(server, tmp_path)
        with Archive.open(tmp_path, write=True) as archive, archive.transaction():
            archive.frontier.add(server.url(old), site=1, kind="story", now=NOW)
        for hours in (1, 3):
            outcome = visit(server, tmp_path, Limits(wait=0.0, recheck=True), now=NOW + hours * HOUR)
            assert outcome.state == "done"
        assert server.targets.count(old) + server.targets.count(new) == 2
