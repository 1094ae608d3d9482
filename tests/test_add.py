"""`add`: what a look at each publication finds, the block it writes, and when it writes nothing."""

import json
import os
import pty
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import Silent
from servers import Server, answer, moved
from test_cli import COMMAND, PAGE

from scraper.cli.main import run
from scraper.clock import Clock
from scraper.crawl import Limits
from scraper.portal.papers import PAPERS
from scraper.portal.server import START, Newsstand, Portal
from scraper.runs import crawl
from scraper.settings import FILE, load
from scraper.timezones import guess
from storage.archive import Archive

SETTINGS = """# kept by hand\r
[crawl]
contact = "archive@example.org"   # who answers
delay = "0s"
retries = 0
allow_addresses = ["127.0.0.0/8"]

[site.daily]   # our first
home = "https://daily.example/"
# the last line has no end"""


@pytest.fixture(scope="module")
def stand() -> Iterator[Newsstand]:
    with Newsstand() as running:
        yield running


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as one:
        yield one


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEWSMORGUE_NOW", START.isoformat())
    place = tmp_path / "archive"
    Archive.create(place).close()
    (place / FILE).write_bytes(SETTINGS.encode())
    return place


def portal_of(stand: Newsstand, name: str) -> Portal:
    return next(portal for portal in stand.portals if portal.name == name)


def found(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run(["add", *arguments, "--json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def untouched(folder: Path) -> bool:
    return (folder / FILE).read_bytes() == SETTINGS.encode() and not list((folder / "warc").iterdir())


EXPECTED: dict[str, tuple[str, str, str | None, dict[str, str]]] = {
    "hangang-lantern": ("tagdiv", "en-US", None, {"front": "", "feed": "feed/"}),
    "yeongil-observer": (
        "tagdiv",
        "en-US",
        None,
        {"front": "", "feed": "feed/", "sitemap": "sitemap_index.xml"},
    ),
    "namsan-review": (
        "generic",
        "en-US",
        "Asia/Seoul",
        {"front": "", "feed": "feed/", "sitemap": "wp-sitemap.xml", "wp": "wp-json/wp/v2/posts"},
    ),
    "peninsula-ledger": ("generic", "en", None, {"front": "", "sitemap": "sitemaps/news.xml"}),
    "hanmaru-sinmun": ("generic", "ko", "Asia/Seoul", {"front": "", "feed": "rss/allArticle.xml"}),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_what_a_publication_offers_is_found(
    stand: Newsstand, folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    portal = portal_of(stand, name)
    before = len(portal.log)
    document = found(capsys, portal.base, "--archive", str(folder), "--dry-run")
    theme, language, zone, sources = EXPECTED[name]
    assert (document["theme"], document["language"], document["timezone"]) == (theme, language, zone)
    assert document["timezone_source"]
    assert {source["kind"]: source["url"] for source in document["sources"]} == {
        kind: portal.base + path for kind, path in sources.items()
    }
    assert all(source["stories"] or source["sitemaps"] for source in document["sources"])
    truth = {story["url"]: story for story in portal.stories}
    assert len(document["samples"]) == 3
    for sample in document["samples"]:
        story = truth[sample["url"].partition("?ref=")[0]]
        assert sample["best"]["title"] == " ".join(story["title"].split())
        assert sample["generic"]["verdict"] == "article"
    asked = [request.target for request in portal.log[before:]]
    assert len(asked) <= 15
    assert {portal.base + target[1:] for target in asked if "consent" not in target} == set(document["asked"])
    assert document["written"] is False
    assert untouched(folder)


def test_every_publication_is_looked_at() -> None:
    assert set(EXPECTED) == {paper.name for paper in PAPERS}


def test_a_source_that_shows_nothing_new_is_left_out_with_its_reason(
    stand: Newsstand, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = found(capsys, portal_of(stand, "namsan-review").base, "--archive", str(folder), "--dry-run")
    reasons = {lack["what"].rpartition("/feed/")[2]: lack["why"] for lack in document["not_found"]}
    assert reasons["atom/"].startswith("lists nothing that")


def test_the_block_is_put_behind_what_stands_there_and_crawls(
    stand: Newsstand, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    portal = portal_of(stand, "hanmaru-sinmun")
    (folder / FILE).chmod(0o600)
    document = found(capsys, portal.base, "--name", "hanmaru", "--archive", str(folder), "--yes")
    assert document["written"] is True
    assert (folder / FILE).read_bytes() == (SETTINGS + "\n\n" + document["block"]).encode()
    assert (folder / FILE).stat().st_mode & 0o777 == 0o600
    settings = load(folder, environ={})
    site = settings.site("hanmaru")
    assert (site.home, site.timezone, site.discovers) == (portal.base, "Asia/Seoul", False)
    outcome = crawl(
        folder, settings, (site,), clock=Clock(START), limits=Limits(wait=0.0, stories=3), progress=Silent()
    )
    assert outcome.state == "done"
    assert outcome.tally.by_site["hanmaru"]["new"] == 3


def test_names_come_from_the_domain_and_are_unique(
    stand: Newsstand, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bases = [portal_of(stand, name).base for name in ("hangang-lantern", "yeongil-observer")]
    for base in bases:
        assert run(["add", base, "--archive", str(folder), "--yes"]) == 0
    assert [site.name for site in load(folder, environ={}).sites] == ["daily", "127-0-0-1", "127-0-0-1-2"]
    assert "next:  newsmorgue crawl" in capsys.readouterr().err


def test_a_person_sees_both_parsers_and_what_is_missing(
    stand: Newsstand, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    portal = portal_of(stand, "hangang-lantern")
    assert run(["add", portal.base, "--archive", str(folder)]) == 0
    shown = capsys.readouterr()
    assert "tagdiv" in shown.out
    assert "generic" in shown.out
    assert f"sitemap {portal.base}sitemap.xml: status 404" in shown.out
    assert "[site.127-0-0-1]" in shown.out
    assert run(["add", portal_of(stand, "hanmaru-sinmun").base, "--archive", str(folder)]) == 0
    heads = re.findall(r"generic.*", capsys.readouterr().out)
    assert len(heads) == 4, "read by the generic parser alone: named once a story, and in the summary"
    assert not [head for head in heads if head.count("generic") > 1]
    assert "nothing was written; --yes writes the block" in shown.err
    assert f"asks for {portal.base}robots.txt" in shown.err
    assert untouched(folder)


@pytest.mark.parametrize(("reply", "written"), [("y", True), ("n", False)])
def test_at_a_terminal_it_asks(stand: Newsstand, folder: Path, reply: str, written: bool) -> None:
    ours, theirs = pty.openpty()
    try:
        os.write(ours, f"{reply}\n".encode())
        base = portal_of(stand, "hangang-lantern").base
        done = subprocess.run([COMMAND, "add", base, "--archive", str(folder)], stdin=theirs, capture_output=True)
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 0
    assert b"write this block" in done.stderr
    assert untouched(folder) is not written


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["https://www.daily.example/news"], "covered by [site.daily] already"),
        (["https://other.example/", "--name", "daily"], "there is a [site.daily] already"),
        (["https://other.example/", "--name", "a b"], "cannot be used"),
        (["mailto://nobody"], "mailto"),
    ],
)
def test_what_cannot_be_added_is_refused_before_anything_is_asked(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run(["add", *arguments, "--yes", "--archive", str(folder)]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "asks for" not in error
    assert untouched(folder)


def test_without_a_contact_nothing_is_asked(server: Server, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / FILE).write_text("", "utf-8")
    assert run(["add", server.url("/"), "--archive", str(folder)]) == 2
    assert "no contact is set" in capsys.readouterr().err
    assert server.targets == []


def test_a_redirect_to_another_host_is_followed_and_said(
    server: Server, stand: Newsstand, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    portal = portal_of(stand, "hanmaru-sinmun")
    server.at["/"] = moved(portal.base)
    assert run(["add", server.url("/"), "--archive", str(folder), "--yes", "--json"]) == 0
    shown = capsys.readouterr()
    assert f"{server.url('/')} leads to {portal.base}" in shown.err
    assert json.loads(shown.out)["home"] == portal.base
    assert run(["add", server.url("/"), "--archive", str(folder), "--yes"]) == 2
    assert "covered by [site.127-0-0-1] already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("front", "code", "words"),
    [
        (answer(b"<html><body><h1>Our bakery</h1><p>Open daily.</p></body></html>"), 1, "no stories were found"),
        (answer(b"gone", status=404), 1, "does not show a front"),
        (answer(PAGE.encode()), 2, "is a story"),
        (answer(b'<?xml version="1.0"?><rss version="2.0"><channel></channel></rss>'), 2, "is a feed"),
    ],
    ids=["no-news", "status", "story", "feed"],
)
def test_what_is_no_front_of_news_is_not_added(
    server: Server, folder: Path, capsys: pytest.CaptureFixture[str], front: bytes, code: int, words: str
) -> None:
    server.at["/"] = front
    assert run(["add", server.url("/"), "--archive", str(folder), "--yes"]) == code
    error = capsys.readouterr().err
    assert words in error
    assert "next:" in error
    assert untouched(folder)


def test_robots_txt_is_obeyed(server: Server, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server.at["/robots.txt"] = answer(b"User-agent: *\nDisallow: /\n")
    assert run(["add", server.url("/"), "--archive", str(folder), "--yes"]) == 1
    assert "robots.txt forbids it" in capsys.readouterr().err
    assert server.targets == []  # which leaves robots.txt out
    assert untouched(folder)


def test_stories_are_found_where_the_front_shows_none(
    server: Server, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story = server.url("/2026/11/22/harbour-bridge-reopens-after-repairs")
    server.at["/"] = answer(b"<html><body><div id=app></div><script src=/app.js></script></body></html>")
    server.at["/sitemap.xml"] = answer(
        f"<sitemapindex><sitemap><loc>{server.url('/posts.xml')}</loc></sitemap></sitemapindex>".encode(),
        headers={"Content-Type": "application/xml"},
    )
    server.at["/posts.xml"] = answer(
        f"<urlset><url><loc>{story}</loc></url></urlset>".encode(), headers={"Content-Type": "application/xml"}
    )
    server.at["/2026/11/22/harbour-bridge-reopens-after-repairs"] = answer(
        PAGE.encode(), headers={"X-Robots-Tag": "noarchive"}
    )
    document = found(capsys, server.url("/"), "--archive", str(folder), "--dry-run")
    assert [source["kind"] for source in document["sources"]] == ["sitemap"]
    assert [sample["url"] for sample in document["samples"]] == [story]
    assert document["optouts"] == ["noarchive"]


def test_a_host_that_does_not_answer(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["add", "http://127.0.0.1:1/", "--archive", str(folder)]) == 1
    said = capsys.readouterr().err
    assert "robots.txt could not be read" in said
    assert "next: check the address" in said


def test_a_file_that_the_block_does_not_fit_behind_stays_as_it_is(
    stand: Newsstand, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    above, _, _ = SETTINGS.partition("[site.daily]")
    inline = f'site = {{ daily = {{ home = "https://daily.example/" }} }}\n{above}'
    (folder / FILE).write_bytes(inline.encode())
    assert run(["add", portal_of(stand, "hanmaru-sinmun").base, "--archive", str(folder), "--yes"]) == 2
    assert "put it in by hand" in capsys.readouterr().err
    assert (folder / FILE).read_bytes() == inline.encode()


@pytest.mark.parametrize(
    ("stated", "home", "language", "dates", "zone"),
    [
        ("Pacific/Fiji", "https://daily.example/", None, [], "Pacific/Fiji"),
        ("Not/AZone", "https://daily.kr/", None, [], "Asia/Seoul"),
        ("", "https://daily.co.kr/", "en", ["2026-11-22T08:10:00+09:00"], "Asia/Seoul"),
        ("", "https://daily.com/", "ko-KR", ["2026-11-22T08:10:00+0900"], "Asia/Seoul"),
        ("", "https://daily.com/", "ko", ["2026-11-22T08:10:00-05:00"], None),
        ("", "https://daily.com/", "en-US", ["2026-11-22T08:10:00+09:00"], None),
        ("", "https://daily.co.uk/", "en", ["Sun, 22 Nov 2026 08:10:00 +0000"], "Europe/London"),
        ("", "https://daily.com.au/", "en", ["2026-11-22T08:10:00+08:45"], "Australia/Eucla"),
        ("", "https://daily.us/", "en", ["2026-11-22T08:10:00-05:00"], None),
        ("", "https://daily.io/", "en", [], None),
        ("", "https://daily.pt/", "pt", ["22-11-2026"], None),
    ],
)
def test_a_zone_is_named_only_if_one_fits(
    stated: str, home: str, language: str | None, dates: list[str], zone: str | None
) -> None:
    told = guess(stated, home, language, dates, datetime(2026, 11, 23, tzinfo=UTC))
    assert told.name == zone
    assert told.why
