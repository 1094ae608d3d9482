"""The whole line over real HTTP: fetch, read, keep, ask; a second visit; kill -9 and go on."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import Crawled, crawl_portal, settings_for

from scraper import robots
from scraper.portal.hanmaru import Hanmaru
from scraper.portal.ledger import Ledger
from scraper.portal.server import Portal
from scraper.portal.stories import Truth
from scraper.settings import CrawlSettings
from storage.archive import Archive

COMMAND = str(Path(sys.executable).parent / "newsmorgue")


def articles(portal: Portal) -> dict[str, Truth]:
    """What a publication's articles should say by their addresses: those that stand there, and those it took back."""
    return {story["url"]: story for story in portal.stories + portal.withdrawn if story["verdict"] == "article"}


def quoted(portals: Iterable[Portal]) -> set[str]:
    """The experts of the stories in English: statements in Korean are not yet read."""
    english = [portal for portal in portals if portal.paper is not Hanmaru]
    return {one["name"] for portal in english for story in articles(portal).values() for one in story["experts"]}


def test_every_story_is_an_article_with_its_fields(crawled: Crawled) -> None:
    truth = {url: story for portal in crawled.portals for url, story in articles(portal).items()}
    rows = {row["url"]: row for row in crawled.rows("select * from articles")}
    assert set(rows) == set(truth)
    assert len(rows) >= 150
    for url, story in truth.items():
        row = rows[url]
        assert row["title"] == story["title"], url
        assert row["teaser"] == story["teaser"], url
        assert row["section"] == story["section"], url
        assert row["body"].split("\n") == story["body"], url
        assert row["published_utc"] == story["published"], url
        assert (row["authors"] or "") == "; ".join(story["authors"]), url
        assert sorted((row["tags"] or "").split("; ")) == sorted(story["tags"] or [""]), url


def test_experts_are_found_with_role_and_affiliation(crawled: Crawled) -> None:
    rows = {row["person"]: row for row in crawled.rows("select * from experts")}
    assert len(rows) >= 80
    for portals, found_share, right_share in ((crawled.portals[:1], 0.9, 0.8), (crawled.portals, 0.85, 0.7)):
        truth = quoted(portals)
        found = truth & set(rows)
        assert len(found) >= found_share * len(truth), sorted(truth - found)
        right = [name for name in found if rows[name]["affiliation"] and rows[name]["role"]]
        assert len(right) >= right_share * len(truth)
    assert len(set(rows) - quoted(crawled.portals)) <= 2, sorted(set(rows) - quoted(crawled.portals))


def test_the_second_visit_asks_conditionally_wherever_it_can(crawled: Crawled) -> None:
    for portal, first, second in crawled.visits():
        validated = {line.target for line in first if line.validator and line.target != "/robots.txt"}
        # Other forms of a known story need not be asked for again.
        validated = {target for target in validated if not target.endswith(("/amp/", "?ref=home"))}
        assert len(validated) > len(portal.stories) / 2
        asked = {line.target: line for line in second}
        forms = {
            target for target in validated if target.endswith("/amp/") or "?ref=" in target
        }  # a story is asked for at its own address
        assert validated - forms <= set(asked), sorted(validated - set(asked))
        for target in validated & set(asked):
            headers = asked[target].headers
            assert "if-none-match" in headers or "if-modified-since" in headers, target
        assert any(asked[target].status == 304 for target in validated & set(asked))


def test_the_second_visit_brings_what_changed_and_nothing_else(crawled: Crawled) -> None:
    """Corrected stories have two revisions, new ones are there, withdrawn ones are known to be gone."""
    revised = {row["url"]: row["revisions"] for row in crawled.rows("select url, revisions from articles")}
    corrected = {s["url"] for p in crawled.portals for s in p.stories if s["modified"] != s["published"]}
    assert {url for url, revisions in revised.items() if revisions > 1} == corrected
    assert len(corrected) == 4
    gone = {story["url"] for portal in crawled.portals for story in portal.withdrawn}
    assert {row["url"] for row in crawled.rows("select url from articles where withdrawn is not null")} == gone
    assert len(gone) == 2
    counts = crawled.outcomes[1].tally.counts
    assert (counts["new"], counts["changed"], counts["gone"] + counts["soft_404"]) == (5, 4, 2)


def test_a_story_behind_a_paywall_is_no_article(crawled: Crawled) -> None:
    walled = {s["url"] for p in crawled.portals for s in p.stories if s["verdict"] == "teaser_only"}
    rows = crawled.rows("select url from captures where verdict = 'teaser_only'")
    assert {row["url"].partition("?")[0] for row in rows} == walled
    assert len(walled) == 3


def test_the_cookie_wall_is_passed_once_a_visit_and_the_cookie_kept_nowhere(crawled: Crawled) -> None:
    for portal, *visits in crawled.visits():
        for visit in visits:
            asked = [line for line in visit if line.target.startswith("/consent?")]
            assert len(asked) == (portal.paper is Ledger)
    for file in (crawled.folder / "warc").glob("*.warc.gz"):
        assert b"ledger_consent" not in gzip.decompress(file.read_bytes())


def test_variants_of_a_story_are_the_story(crawled: Crawled) -> None:
    """Addresses with tracking parameters, AMP pages and short addresses lead to one article."""
    asked = {line.target for _, first, _ in crawled.visits() for line in first}
    assert [target for target in asked if target.endswith("/amp/")]
    assert [target for target in asked if "?ref=home" in target]
    assert not [target for target in asked if "utm_" in target]
    assert not crawled.rows("select 1 from articles where url like '%/amp/%' or url like '%ref=home%'")


def test_no_robots_rule_is_broken(crawled: Crawled) -> None:
    for portal, *visits in crawled.visits():
        rules = portal.robots_txt.encode()
        assert b"Disallow" in rules
        log = [line for visit in visits for line in visit]
        asked = {line.target for line in log}
        assert "/robots.txt" in asked
        assert "demo@newsmorgue.example" in log[0].headers["user-agent"]
        assert not [target for target in asked if not robots.allowed(rules, "newsmorgue", portal.base + target[1:])]


def test_no_two_requests_to_a_host_at_once(crawled: Crawled) -> None:
    for _, *visits in crawled.visits():
        for visit in visits:
            for before, after in pairwise(sorted(visit, key=lambda line: line.start)):
                assert after.start >= before.end


def test_no_address_is_asked_twice_in_a_visit(crawled: Crawled) -> None:
    for _, *visits in crawled.visits():
        for visit in visits:
            times: dict[str, int] = defaultdict(int)
            for line in visit:
                times[line.target] += line.status != 307  # whoever has no cookie yet is sent to fetch one
            assert {target: n for target, n in times.items() if n > 1} == {}


def test_warc_files_pass_warcio_check(crawled: Crawled) -> None:
    files = sorted((crawled.folder / "warc").glob("*.warc.gz"))
    assert files
    checked = subprocess.run(
        [str(Path(sys.executable).parent / "warcio"), "check", "-v", *map(str, files)], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "digest pass" in checked.stdout


def test_nothing_is_empty_unless_the_dictionary_says_until_when(crawled: Crawled) -> None:
    meanings = {
        (row["object"], row["column"]): row["meaning"]
        for row in crawled.rows('select object, "column", meaning from _dictionary')
    }
    problems = []
    for row in crawled.rows("select name from sqlite_master where type in ('table', 'view')"):
        table = row["name"]
        if table.startswith("sqlite_") or "_fts" in table or table == "_sqlite_migrations":
            continue
        for column in crawled.rows("select name from pragma_table_info(?)", table):
            name = column["name"]
            filled = crawled.rows(f'select 1 from "{table}" where "{name}" is not null and "{name}" <> \'\' limit 1')
            until = "Empty until" in meanings.get((table, name), "") or "Empty until" in meanings.get((table, ""), "")
            if bool(filled) == until:
                problems.append(f"{table}.{name}: {'filled' if filled else 'empty'}")
    assert not problems


def test_kill_9_in_mid_crawl_loses_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    with Portal() as portal:
        Archive.create(folder).close()
        settings_for(portal, folder)
        command = [COMMAND, "crawl", "--archive", str(folder), "--wait", "0s"]

        def environ(minutes: int) -> dict[str, str]:
            # Each run begins later than the one before: a clock that goes back would leave addresses not yet due.
            return {**os.environ, "NEWSMORGUE_NOW": (portal.now + timedelta(minutes=minutes)).isoformat()}

        kills = 0
        for minutes, asked in enumerate((15, 30, 50)):
            process = subprocess.Popen(command, env=environ(minutes), stderr=subprocess.DEVNULL, start_new_session=True)
            begun = len(portal.log)
            while len(portal.log) < begun + asked and process.poll() is None:
                time.sleep(0.002)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                kills += 1
            process.wait()
        done = subprocess.run(command, env=environ(3), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert kills >= 2
        truth = {story["url"] for story in portal.stories}
        fetched = [line.target for line in portal.log if line.status == 200]
    with Archive.open(folder) as archive:
        urls = [str(row["url"]) for row in archive.db.query("select url from articles")]
        states = {row["state"] for row in archive.db.query("select state from runs")}
    assert sorted(urls) == sorted(truth), done.stderr
    assert "killed" in states
    stories = {urlsplit(url).path for url in truth}
    again = sum(fetched.count(path) - 1 for path in stories)
    assert again <= 2 * CrawlSettings().concurrency * kills, "at most what was in flight, and what had just come"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_crawl_stopped_by_ctrl_c_says_how_to_go_on(tmp_path: Path, jobs: str) -> None:
    folder = tmp_path / "archive"
    with Portal() as portal:
        Archive.create(folder).close()
        settings_for(portal, folder)
        process = subprocess.Popen(
            [COMMAND, "crawl", "--archive", str(folder), "--set", "delay=100ms", "--jobs", jobs],
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - a shell's job may ignore it
        )
        while len(portal.log) < 20:  # stories are read by now
            time.sleep(0.01)
        time.sleep(1.5 * (jobs == "2"))  # the readers have started
        os.killpg(process.pid, signal.SIGINT)
        _, words = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in words
    assert "goes on where this one stopped" in words


def test_a_second_crawl_at_the_same_time_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    with Portal() as portal:
        Archive.create(folder).close()
        settings_for(portal, folder)
        with Archive.open(folder, write=True):
            done = subprocess.run([COMMAND, "crawl", "--archive", str(folder)], capture_output=True, text=True)
    assert done.returncode == 75
    assert str(os.getpid()) in done.stderr


def test_dry_run_leaves_the_folder_byte_for_byte(crawled: Crawled) -> None:
    def content() -> dict[str, bytes]:
        return {str(p): p.read_bytes() for p in sorted(crawled.folder.rglob("*")) if p.is_file()}

    before = content()
    asked = len(crawled.portal.log)
    done = subprocess.run(
        [COMMAND, "crawl", "--archive", str(crawled.folder), "--dry-run", "--recheck", "--json"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["would_fetch"]) >= 40
    assert content() == before
    assert len(crawled.portal.log) == asked


def test_limit_ends_after_so_many_stories(tmp_path: Path) -> None:
    from scraper.crawl import Limits

    folder = tmp_path / "archive"
    with Portal() as portal:
        Archive.create(folder).close()
        crawl_portal(portal, folder, Limits(wait=0.0, stories=3))
        with Archive.open(folder) as archive:
            assert archive.db.execute("select count(*) from articles").fetchone()[0] == 3


@pytest.mark.parametrize("jobs", [2])
def test_reading_in_other_processes_gives_the_same(crawled: Crawled, tmp_path: Path, jobs: int) -> None:
    folder = tmp_path / "archive"
    with Portal() as portal:
        Archive.create(folder).close()
        settings_for(portal, folder)
        done = subprocess.run(
            [COMMAND, "crawl", "--archive", str(folder), "--wait", "0s", "--jobs", str(jobs), "--json"],
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["new"] == crawled.outcomes[0].tally.by_site[portal.name]["new"]
