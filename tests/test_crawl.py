"""What a crawl does with pages that are not plain news, over a real server: opt-outs, redirects, errors, traps."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from conftest import Silent
from test_workers import ENDLESS

from scraper import workers
from scraper.agenda import Agenda
from scraper.clock import Clock
from scraper.crawl import Limits
from scraper.fetch import pace
from scraper.ingest import Ingest
from scraper.runs import Outcome, crawl
from scraper.settings import FILE, load
from storage.archive import Archive
from storage.frontier import Entry
from tests.servers import Server, answer, moved

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
PROSE = "".join(
    f"<p>Paragraph {n} says that the tide rose higher than in any March that the harbor master remembers, by a hand.</p>"
    for n in range(6)
)
STORY = "/2026/03/10/two-boats-lost-in-the-high-tide-{}/"


@contextmanager
def serving(pages: dict[str, bytes]) -> Iterator[Server]:
    with Server() as server:
        server.at.update(pages)
        yield server


def html(title: str, body: str = PROSE, head: str = "") -> bytes:
    return f"<html><head><title>{title}</title>{head}</head><body><h1>{title}</h1><article>{body}</article></body></html>".encode()


def front(*urls: str) -> bytes:
    items = "".join(
        f'<h2><a href="{url}">Two boats lost in the high tide of March, part {n}</a></h2>' for n, url in enumerate(urls)
    )
    return f"<html><head><title>Sea Post</title></head><body>{items}</body></html>".encode()


def visit(
    server: Server, folder: Path, limits: Limits | None = None, *, site: str = "", now: datetime = NOW
) -> Outcome:
    folder.mkdir(exist_ok=True)
    if not (folder / "archive.db").exists():
        Archive.create(folder).close()
    (folder / FILE).write_text(
        f"""[crawl]
contact = "test@example.org"
delay = "0s"
retries = 0
deadline = "5s"
allow_addresses = ["127.0.0.1/32"]
[site.sea]
home = "{server.url("/")}"
{site}
""",
        "utf-8",
    )
    settings = load(folder, environ={})
    return crawl(
        folder, settings, settings.sites, clock=Clock(now), limits=limits or Limits(wait=0.0), progress=Silent()
    )


def verdicts(folder: Path) -> dict[str, str]:
    with Archive.open(folder) as archive:
        rows = archive.db.query("select asked, verdict from capture where kind <> 'robots'")
        return {re.sub(r"^http://[^/]+", "", str(row["asked"])): str(row["verdict"]) for row in rows}


def urls(folder: Path) -> list[str]:
    with Archive.open(folder) as archive:
        return [
            re.sub(r"^http://[^/]+", "", str(row["url"]))
            for row in archive.db.query("select url from articles order by url")
        ]


@pytest.mark.parametrize(
    ("head", "headers", "word"),
    [
        ('<meta name="robots" content="noarchive">', {}, "noarchive"),
        ("", {"X-Robots-Tag": "noarchive"}, "noarchive"),
        ("", {"tdm-reservation": "1"}, "tdm-reservation"),
    ],
)
def test_an_opt_out_keeps_address_and_times_but_no_text(
    tmp_path: Path, head: str, headers: dict[str, str], word: str
) -> None:
    story = STORY.format(1)
    secret = html("Two boats lost", PROSE + "<p>The unmistakable sentence of the harbor.</p>", head)
    with serving({"/": answer(front(story)), story: answer(secret, headers=headers)}) as server:
        visit(server, tmp_path / "a")
        visit(server, tmp_path / "b", site='archive = "full"\nreason = "the publisher agreed"')
    assert urls(tmp_path / "a") == []
    assert urls(tmp_path / "b") == [story]
    with Archive.open(tmp_path / "a") as archive:
        (row,) = archive.db.query("select * from captures where kind = 'story'")
        assert (row["withheld"], row["status"], row["verdict"]) == (word, 200, "article")
        content = b"".join(stored.payload for path in archive.warc.files() for stored in archive.warc.records(path, 0))
    assert b"unmistakable sentence" not in content


def test_pages_that_are_no_news_become_no_articles(tmp_path: Path) -> None:
    pages = {
        STORY.format(1): answer(html("Two boats lost")),
        STORY.format(2): answer(html("Gone", "<p>x</p>"), status=404),
        STORY.format(3): answer(html("Page not found", "<p>Try the front page.</p>")),
        STORY.format(4): answer(b"%PDF-1.7 not a page", headers={"Content-Type": "text/html"}),
        STORY.format(5): answer(b""),
        STORY.format(6): answer(html("Just a moment...", '<div id="cf-chl"></div>'), status=403),
    }
    with serving({"/": answer(front(*pages)), **pages}) as server:
        outcome = visit(server, tmp_path / "a")
    assert urls(tmp_path / "a") == [STORY.format(1)]
    wanted = ["article", "gone", "soft_404", "not_html", "empty", "challenge"]
    assert [verdicts(tmp_path / "a")[page] for page in pages] == wanted
    assert outcome.tally.counts["new"] == 1


def test_a_redirect_is_another_name_and_is_not_fetched_twice(tmp_path: Path) -> None:
    story = STORY.format(1)
    with serving(
        {"/": answer(front(story, "/?p=77")), "/?p=77": moved(story), story: answer(html("Two boats lost"))}
    ) as server:
        visit(server, tmp_path / "a")
        with Archive.open(tmp_path / "a") as archive:
            rows = {str(row["source"]) for row in archive.db.query("select source from alias")}
    assert urls(tmp_path / "a") == [story]
    assert rows <= {"asked", "redirect", "canonical"}


def test_an_address_that_is_refused_is_put_off_and_the_run_ends(tmp_path: Path) -> None:
    story = STORY.format(1)
    busy = answer(b"", status=429, headers={"Retry-After": "600"})
    with serving({"/": answer(front(story)), story: busy}) as server:
        outcome = visit(server, tmp_path / "a", Limits(wait=1.0))
        assert server.targets.count(story) == 1
    assert outcome.tally.counts["host_held"] == 1
    with Archive.open(tmp_path / "a") as archive:
        assert list(archive.db.query("select * from host where held_until is not null")) == []
        (row,) = archive.db.query("select due from frontier where kind = 'story'")
        assert row["due"] > "2026-03-10T09:09"


def test_a_host_that_refuses_twice_is_left_alone(tmp_path: Path) -> None:
    busy = answer(b"", status=429, headers={"Retry-After": "600"})
    stories = [STORY.format(n) for n in range(3)]
    with serving({"/": answer(front(*stories)), **dict.fromkeys(stories, busy)}) as server:
        visit(server, tmp_path / "a", Limits(wait=1.0))
        assert len([target for target in server.targets if target in stories]) == 2
    with Archive.open(tmp_path / "a") as archive:
        (row,) = archive.db.query("select held_until, held_for from host where held_until is not null")
        assert row["held_until"] > "2026-03-10T09:09"
        assert archive.status(now=NOW)[0]["state"] == "held"


def test_other_hosts_are_out_of_scope(tmp_path: Path) -> None:
    story = STORY.format(1)
    with serving({story: answer(html("Not ours"))}) as other:
        away = other.url(story).replace("127.0.0.1", "localhost")
        with serving({"/": answer(front(away, STORY.format(2))), STORY.format(2): moved(away)}) as server:
            outcome = visit(server, tmp_path / "a")
        assert other.pages == []
    assert outcome.tally.counts["address_refused"] == 1


def locations(kind: str, addresses: list[str]) -> str:
    return "".join(f"<{kind}><loc>{url}</loc></{kind}>" for url in addresses)


def test_no_page_leads_into_a_private_network(tmp_path: Path) -> None:
    """127.0.0.1 stands for the public internet. Everything names the trap, whose hosts are even the site's own."""
    with Server() as server, Server("127.0.66.6") as trap:
        names = ("127.0.66.6", "2130722310", "0x7f.0.66.6", "0177.0.66.6", "[::ffff:127.0.66.6]", "[::ffff:7f00:4206]")
        bad = [f"http://{name}:{trap.port}{STORY.format(n)}" for n, name in enumerate(names)]
        items = "".join(f"<item><title>The tide rose again</title><link>{url}</link></item>" for url in bad)
        head = f'<link rel="alternate" type="application/rss+xml" href="{bad[0]}"><base href="{trap.url("/")}">'
        stories = {STORY.format(n): moved(url, 307) for n, url in enumerate(bad, 20)}
        server.at |= {
            "/robots.txt": answer(
                f"Sitemap: {trap.url('/sitemap.xml')}\n".encode(), headers={"Content-Type": "text/plain"}
            ),
            "/": answer(
                front(*bad, *(server.url(path) for path in stories)).replace(b"</head>", f"{head}</head>".encode())
            ),
            "/feed/": answer(f'<rss version="2.0"><channel>{items}</channel></rss>'.encode()),
            "/gone/": moved(trap.url("/feed/")),
            "/index.xml": answer(
                f"<sitemapindex>{locations('sitemap', [trap.url('/s.xml'), server.url('/s.xml')])}</sitemapindex>".encode()
            ),
            "/s.xml": answer(
                f"<urlset>{locations('url', [url.replace('tide', 'storm') for url in bad])}</urlset>".encode()
            ),
            **stories,
        }
        scope = ", ".join(f'"{name.strip("[]")}"' for name in names)
        feeds = '{ feed = "/feed/" }, { feed = "/gone/" }, { sitemap = "/index.xml" }'
        sources = f'scope = [{scope}]\nsources = [{{ front = "/" }}, {feeds}]'
        outcome = visit(server, tmp_path / "a", site=sources)
        assert {"/", "/feed/", "/gone/", "/index.xml", "/s.xml", *stories} == set(server.targets)
        assert (trap.connections, trap.log) == (0, [])
    assert outcome.tally.dropped["address_refused"] >= len(stories) + 2


def test_since_leaves_out_what_is_dated_before(tmp_path: Path) -> None:
    old, new = "/2025/01/02/an-old-story-about-the-tide-and-boats/", STORY.format(1)
    pages = {old: answer(html("An old story")), new: answer(html("Two boats lost"))}
    with serving({"/": answer(front(old, new)), **pages}) as server:
        visit(server, tmp_path / "a", Limits(wait=0.0, since=datetime(2026, 1, 1, tzinfo=UTC)))
        assert urls(tmp_path / "a") == [new]
        visit(server, tmp_path / "a", now=datetime(2026, 3, 10, 9, 30, tzinfo=UTC))
        assert urls(tmp_path / "a") == [old, new] or urls(tmp_path / "a") == [new]


def test_fetched_without_reading_leaves_captures_unread(tmp_path: Path) -> None:
    story = STORY.format(1)
    with serving({"/": answer(front(story)), story: answer(html("Two boats lost"))}) as server:
        outcome = visit(server, tmp_path / "a", Limits(wait=0.0, read=False))
        assert outcome.tally.counts["unread"] == 1
        assert urls(tmp_path / "a") == []
    with Archive.open(tmp_path / "a") as archive:
        assert [page.url for _, page in archive.pages()] == [server.url(story)]


def test_a_page_that_breaks_the_reader_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from parsers.themes.generic import Generic

    def explode(self: Generic) -> None:
        raise RuntimeError("no such luck")

    story = STORY.format(1)
    with serving({"/": answer(front(story)), story: answer(html("Two boats lost"))}) as server:
        monkeypatch.setattr(Generic, "teaser", explode)
        outcome = visit(server, tmp_path / "a")
    assert outcome.state == "done"
    with Archive.open(tmp_path / "a") as archive:
        (row,) = archive.db.query("select verdict, problem from captures where kind = 'story'")
    assert row["verdict"] == "error"
    assert "RuntimeError while reading" in row["problem"]
    assert "no such luck" in row["problem"]


SLOT = """[crawl]
contact = "test@example.org"
delay = "{delay}"
concurrency = 1
retries = 1
deadline = "5s"
allow_addresses = ["127.0.0.1/32"]
[site.sea]
home = "{sea}"
[site.land]
home = "{land}"
"""


def test_a_host_that_waits_for_its_turn_or_its_retry_holds_no_slot(tmp_path: Path) -> None:
    """With one slot for both, each site is asked while the other one pauses or backs off."""
    pages = {STORY.format(n): answer(html(f"Boat {n}")) for n in range(3)}
    with serving({"/": answer(front(*pages)), **pages}) as sea, serving({"/": answer(front(*pages)), **pages}) as land:
        land.at[STORY.format(1)] = [answer(b"", status=500), pages[STORY.format(1)]]
        Archive.create(tmp_path / "a").close()
        text = SLOT.format(delay="400ms", sea=sea.url("/"), land=land.url("/"))
        (tmp_path / "a" / FILE).write_text(text, "utf-8")
        settings = load(tmp_path / "a", environ={})
        limits = Limits(wait=0.0)
        crawl(tmp_path / "a", settings, settings.sites, clock=Clock(NOW), limits=limits, progress=Silent())
    assert (len(sea.pages), len(land.pages)) == (4, 5)
    assert min(sea.gaps() + land.gaps()) >= 0.35
    log = [(one.begin, site) for site, server in (("sea", sea), ("land", land)) for one in server.log]
    sites = [site for _, site in sorted(log)]
    assert sum(one == after for one, after in pairwise(sites)) < 5, "they take turns, robots.txt counted"


def test_a_crawl_waits_for_what_is_being_read_and_does_not_spin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "LIMIT", 6.0)
    rounds: list[float] = []
    renew = Agenda.renew
    monkeypatch.setattr(Agenda, "renew", lambda agenda: (rounds.append(time.monotonic()), renew(agenda)))
    Archive.create(tmp_path / "a").close()
    with Server() as server:
        server.at["/"] = answer(front(*map(STORY.format, range(2))))
        server.at.update({STORY.format(n): answer(ENDLESS.body[:5_000_000]) for n in range(2)})
        (tmp_path / "a" / FILE).write_text(
            f"""[crawl]
contact = "test@example.org"
delay = "0s"
concurrency = 1
allow_addresses = ["127.0.0.1/32"]
[site.sea]
home = "{server.url("/")}"
""",
            "utf-8",
        )
        chosen = load(tmp_path / "a", environ={})
        limits = Limits(wait=0.0)
        outcome = crawl(
            tmp_path / "a", chosen, chosen.sites, clock=Clock(NOW), limits=limits, progress=Silent(), jobs=2
        )
    assert outcome.tally.counts["tried"] == 3
    assert len(rounds) < 100


def test_a_host_that_others_lead_to_is_held_alone_and_the_run_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two addresses of one host are redirected to another, which refuses both for an hour; then one of its own is due."""
    monkeypatch.setattr(pace, "SLOWED", 0.05)
    stories = [STORY.format(n) for n in range(3)]
    busy = answer(b"", status=429, headers={"Retry-After": "3600"})
    with Server() as sea, serving({"/": answer(front()), **dict.fromkeys(stories, busy)}) as land:
        sea.at.update({one: moved(land.url(one)) for one in stories[:2]})
        sea.at.update({"/": answer(front(*stories)), stories[2]: answer(html("Two boats lost"))})
        with Archive.create(tmp_path / "a") as archive:
            archive.site_id("sea", home=sea.url("/"), parser=None, timezone=None, now=NOW)
            key = archive.site_id("land", home=land.url("/"), parser=None, timezone=None, now=NOW)
            archive.frontier.add(land.url(stories[2]), site=key, kind="story", now=NOW + timedelta(seconds=2))
        text = SLOT.format(delay="0s", sea=sea.url("/"), land=land.url("/"))
        (tmp_path / "a" / FILE).write_text(text, "utf-8")
        settings = load(tmp_path / "a", environ={})
        limits = Limits(wait=5.0)
        crawl(tmp_path / "a", settings, settings.sites, clock=Clock(NOW), limits=limits, progress=Silent())
        assert stories[2] in sea.targets
        assert sorted(target for target in land.targets if "boats" in target) == stories[:2]
        with Archive.open(tmp_path / "a") as archive:
            held = archive.db.execute("SELECT name FROM host WHERE held_until IS NOT NULL").fetchall()
            assert held == [(land.url("").removeprefix("http://"),)]


def test_a_page_over_which_keeping_fails_costs_itself_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours, put in here: the others of its group are kept, and the next run is none the worse."""
    paths = [STORY.format(n) for n in range(4)]
    keep = Ingest.page

    def faulty(self: Ingest, entry: Entry, *arguments: Any) -> str:
        if entry.url.endswith(paths[2]):
            raise ZeroDivisionError("put in")
        return keep(self, entry, *arguments)

    with Server() as server:
        server.at["/"] = answer(front(*paths))
        for number, path in enumerate(paths):
            server.at[path] = answer(html(f"Two boats lost, part {number}", f"{PROSE}<p>Boat {number}.</p>"))
        monkeypatch.setattr(Ingest, "page", faulty)
        outcome = visit(server, tmp_path)
        assert urls(tmp_path) == [path for path in paths if path != paths[2]]
        (words,) = [words for url, words in outcome.tally.errors.items() if url.endswith(paths[2])]
        assert "ZeroDivisionError over the answer of" in words
        monkeypatch.undo()
        visit(server, tmp_path, now=NOW + timedelta(hours=1))
        assert urls(tmp_path) == paths
