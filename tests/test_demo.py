"""The whole line over real HTTP: fetch, read, keep, ask; a second visit; kill -9 and go on."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import Crawled, crawl_portal, settings_for

from scraper import robots
from scraper.portal.server import Portal
from scraper.portal.stories import Truth
from storage.archive import Archive

COMMAND = str(Path(sys.executable).parent / "newsmorgue")


def articles(portal: Portal) -> dict[str, Truth]:
    """What a publication's articles should say by their addresses: those that stand there, and those it took back."""
    return {story["url"]: story for story in portal.stories + portal.withdrawn if story["verdict"] == "article"}


def test_every_story_is_an_article_with_its_fields(crawled: Crawled) -> None:
    truth = {url: story for portal in crawled.portals for url, story in articles(portal).items()}
    rows = {row["url"]: row for row in crawled.rows("select * from articles")}
    assert set(rows) == set(truth)
    assert len(rows) >= 40
    for url, story in truth.items():
        row = rows[url]
        assert row["title"] == story["title"], url
        assert row["teaser"] == story["teaser"], url
        assert row["section"] == story["section"], url
        assert row["body"].split("\n") == story["body"], url
        assert row["published_utc"] == story["published"], url


def test_experts_are_found_with_role_and_affiliation(crawled: Crawled) -> None:
    rows = {row["person"]: row for row in crawled.rows("select * from experts")}
    stories = [story for portal in crawled.portals for story in articles(portal).values()]
    truth = {expert["name"]: expert for story in stories for expert in story["experts"]}
    assert len(rows) >= 30
    found = [name for name in truth if name in rows]
    assert len(found) >= 0.9 * len(truth), sorted(set(truth) - set(found))
    right = [name for name in found if rows[name]["affiliation"] and rows[name]["role"]]
    assert len(right) >= 0.8 * len(truth)
    assert len(set(rows) - set(truth)) <= 2, sorted(set(rows) - set(truth))


def test_the_second_visit_asks_conditionally_wherever_it_can(crawled: Crawled) -> None:
    for portal, first, second in crawled.visits():
        validated = {line.target for line in first if line.validator and line.target != "/robots.txt"}
        assert len(validated) > len(portal.stories) / 2
        asked = {line.target: line for line in second}
        assert validated <= set(asked), sorted(validated - set(asked))
        for target in validated:
            headers = asked[target].headers
            assert "if-none-match" in headers or "if-modified-since" in headers, target
        assert any(asked[target].status == 304 for target in validated)


def test_the_corrected_story_has_two_revisions_and_the_new_one_is_there(crawled: Crawled) -> None:
    revised = crawled.rows("select url, revisions from articles where revisions > 1")
    assert [row["revisions"] for row in revised] == [2]
    assert crawled.outcomes[1].tally.counts["new"] == 1
    assert crawled.outcomes[1].tally.counts["changed"] == 1


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
                times[line.target] += 1
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
    assert again <= kills, "at most what was in flight is fetched again"


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
