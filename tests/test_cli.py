"""Words in, words out: verbs, exit codes, errors for humans, JSON for programs."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Crawled
from tagdiv_pages import classic, copied

from scraper.cli.main import VERBS

COMMAND = str(Path(sys.executable).parent / "newsmorgue")
PAGE = """<!doctype html><html lang="en"><head><title>Harbour Bridge Reopens | The Example Post</title>
<meta property="og:site_name" content="The Example Post"><link rel="canonical" href="https://post.example/harbour-bridge">
</head><body><nav><a href="/">Home</a></nav><article><h1>Harbour Bridge Reopens</h1>
<p>The bridge over the old harbour reopened on Monday after eleven months of repairs, the port authority said in a note.</p>
<p>Dr. Ines Calder, a structural engineer at Northshore University, explains that the new cables carry twice the load of the
old ones and that inspections will now take place every spring.</p>
<p>Drivers waited in long queues to be among the first to cross, and a brass band played on the northern side at noon.</p>
</article></body></html>"""


def run(
    *arguments: str, stdin: bytes = b"", cwd: Path | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("NEWSMORGUE_")}
    done = subprocess.run([COMMAND, *arguments], input=stdin, capture_output=True, env={**clean, **environ}, cwd=cwd)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    path.write_text(PAGE, "utf-8")
    return path


def test_help_lists_every_verb_and_loads_nothing_heavy() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert all(f"  {verb} " in done.stdout for verb in VERBS)
    heavy = "httpx sqlite_utils selectolax bs4 rich warcio asyncio".split()
    code = f"import sys; from scraper.cli.main import run; run(['--help']); print([m for m in {heavy!r} if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.splitlines()[-1] == "[]"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    done = run(verb, "--help")
    assert done.returncode == 0
    assert f"newsmorgue {verb}" in done.stdout.split("Example", 1)[1]


def test_a_typo_gets_a_suggestion() -> None:
    done = run("craw")
    assert done.returncode == 2
    assert "did you mean 'crawl'?" in done.stderr


def test_init_makes_an_archive_and_never_overwrites(tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    dry = run("init", str(folder), "--contact", "me@example.org", "--dry-run")
    assert dry.returncode == 0
    assert not folder.exists()
    assert run("init", str(folder), "--contact", "me@example.org").returncode == 0
    names = {path.name for path in folder.iterdir()}
    assert {"newsmorgue.toml", "archive.db", "warc", "corrections.jsonl", "takedowns.jsonl"} <= names
    again = run("init", str(folder), "--contact", "me@example.org")
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert run("init", str(tmp_path / "x"), "--contact", "nobody").returncode == 2


def test_without_an_archive_the_next_step_is_named(tmp_path: Path) -> None:
    done = run("status", cwd=tmp_path)
    assert done.returncode == 2
    assert "newsmorgue init" in done.stderr
    assert run("people", "--archive", str(tmp_path)).returncode == 2


def test_an_archive_is_found_by_flag_environment_or_folder(crawled: Crawled, tmp_path: Path) -> None:
    by_flag = run("people", "--json", "--archive", str(crawled.folder))
    by_environment = run("people", "--json", cwd=tmp_path, NEWSMORGUE_ARCHIVE=str(crawled.folder))
    by_folder = run("people", "--json", cwd=crawled.folder)
    assert by_flag.returncode == by_environment.returncode == by_folder.returncode == 0
    assert by_flag.stdout == by_environment.stdout == by_folder.stdout


def test_crawl_needs_a_contact_and_a_site(tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    assert run("init", str(folder), "--contact", "me@example.org").returncode == 0
    empty = run("crawl", "--archive", str(folder))
    assert empty.returncode == 2
    assert "names no site" in empty.stderr
    (folder / "newsmorgue.toml").write_text('[site.a]\nhome = "https://a.example/"\n', "utf-8")
    silent = run("crawl", "--archive", str(folder), XDG_CONFIG_HOME=str(tmp_path))
    assert silent.returncode == 2
    assert "no contact is set" in silent.stderr


def test_crawl_of_a_dead_site_fails_with_one(tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    assert run("init", str(folder), "--contact", "me@example.org").returncode == 0
    settings = '[crawl]\ncontact = "me@example.org"\nretries = 0\nallow_addresses = ["127.0.0.1/32"]\n'
    (folder / "newsmorgue.toml").write_text(settings + '[site.dead]\nhome = "http://127.0.0.1:9/"\n', "utf-8")
    done = run("crawl", "--archive", str(folder), "--wait", "0s", "--json")
    assert done.returncode == 1
    assert "nothing came from dead" in done.stderr
    assert json.loads(done.stdout)["state"] == "failed"
    assert run("status", "--archive", str(folder)).returncode == 4


def test_parse_gives_the_contract_object(page: Path) -> None:
    done = run("parse", str(page), "--json", "--url", "https://post.example/harbour-bridge?utm_source=x")
    assert done.returncode == 0, done.stderr
    value = json.loads(done.stdout)
    assert list(value)[:5] == ["schema", "url", "canonical_url", "site", "layout"]
    keys = """schema url canonical_url site layout verdict title teaser card_teaser description body blocks captions authors
        published modified section sections tags language paywall image quotes people cards provenance parser_version"""
    assert list(value) == keys.split()
    assert value["schema"] == 1
    assert value["title"] == "Harbour Bridge Reopens"
    assert value["verdict"] == "article"
    assert value["published"] is None
    assert value["tags"] == []
    assert value["body"] == "\n".join(block["text"] for block in value["blocks"])
    expert = next(person for person in value["people"] if person["type"] == "person")
    assert (expert["name"], expert["honorific"]) == ("Ines Calder", "Dr.")
    assert expert["affiliation"] == "Northshore University"
    quote = next(quote for quote in value["quotes"] if quote["speaker"] == "Ines Calder")
    assert quote["kind"] == "indirect"
    assert " ".join(value["body"][a:b] for a, b in quote["spans"]) == quote["text"]


def test_parse_takes_files_gzip_and_standard_input(page: Path) -> None:
    packed = page.with_suffix(".html.gz")
    packed.write_bytes(gzip.compress(PAGE.encode()))
    url = "https://post.example/harbour-bridge"
    plain = run("parse", str(page), "--json", "--url", url)
    assert run("parse", str(packed), "--json", "--url", url).stdout == plain.stdout
    assert run("parse", "-", "--json", "--url", url, stdin=PAGE.encode()).stdout == plain.stdout
    stated = run("parse", str(page), "--json")
    assert json.loads(stated.stdout)["url"] == url
    assert "address as the page states it" in stated.stderr


def test_parse_says_why(page: Path) -> None:
    done = run("parse", str(page), "--why", "title")
    assert done.returncode == 0
    assert "Harbour Bridge Reopens" in done.stdout
    assert "  from " in done.stdout
    assert run("parse", str(page), "--why", "colour").returncode == 2


def test_parse_shows_the_page_as_it_came(page: Path) -> None:
    done = run("parse", str(page), "--raw")
    assert done.returncode == 0
    assert PAGE.splitlines()[0] in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["parse", "no-such-file.html"], 2),
        (["parse", "page.html", "--site", "tagdivv"], 2),
        (["parse", "page.html", "--site", "tagdiv", "--generic"], 2),
        (["parse"], 2),
        (["parse", "page.html", "--colour"], 2),
    ],
)
def test_bad_usage_of_parse_exits_with_two(page: Path, arguments: list[str], code: int) -> None:
    done = run(*arguments, cwd=page.parent)
    assert done.returncode == code
    assert "rror" in done.stderr


def test_parse_of_what_is_no_article_exits_with_four(tmp_path: Path) -> None:
    path = tmp_path / "empty.html"
    path.write_text("<html><head><title>x</title></head><body></body></html>", "utf-8")
    assert run("parse", str(path), "--json").returncode == 4


def test_parse_of_an_address_needs_a_contact_and_refuses_private_networks(tmp_path: Path) -> None:
    silent = run("parse", "http://127.0.0.1:9/", XDG_CONFIG_HOME=str(tmp_path))
    assert silent.returncode == 2
    refused = run("parse", "http://127.0.0.1:9/", NEWSMORGUE_CONTACT="me@example.org")
    assert refused.returncode == 1
    assert "allow_addresses" in refused.stderr


def test_parse_fetches_with_the_settings_of_the_archive(crawled: Crawled) -> None:
    url = crawled.portal.base
    done = run("parse", url, "--archive", str(crawled.folder), "--raw")
    assert (done.returncode, done.stdout.splitlines()[:2]) == (0, [url, "status 200"])
    assert run("parse", url, "--archive", str(crawled.folder / "warc")).returncode == 2


def test_search_finds_what_an_article_says(crawled: Crawled) -> None:
    story = crawled.portal.stories[0]
    done = run("search", story["title"], "--json", "--archive", str(crawled.folder))
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert found["schema"] == 1
    assert found["articles"][0]["url"] == story["url"]
    lines = run("search", story["title"], "--jsonl", "--archive", str(crawled.folder)).stdout.splitlines()
    assert json.loads(lines[0])["url"] == story["url"]
    assert run("search", '"unbalanced AND (', "--archive", str(crawled.folder)).returncode == 0


def test_quotes_and_people_answer(crawled: Crawled) -> None:
    done = run("people", "--experts", "--json", "--limit", "5", "--archive", str(crawled.folder))
    people = json.loads(done.stdout)["people"]
    assert len(people) == 5
    assert people[0]["quotes"] >= people[-1]["quotes"]
    said = run("quotes", "--speaker", people[0]["person"], "--json", "--archive", str(crawled.folder))
    rows = json.loads(said.stdout)["quotes"]
    assert rows
    assert all(people[0]["person"] in row["speaker"] for row in rows)


def test_status_is_ok_after_a_crawl(crawled: Crawled) -> None:
    done = run("status", "--json", "--archive", str(crawled.folder), NEWSMORGUE_NOW=crawled.portal.now.isoformat())
    sites = json.loads(done.stdout)["sites"]
    assert done.returncode == 0
    assert [row["site"] for row in sites] == sorted(portal.paper.name for portal in crawled.portals)
    for row in sites:
        assert {
            "site",
            "state",
            "last_success",
            "due",
            "queue",
            "fill",
            "next_due",
            "pace",
            "verdicts",
            "failures",
        } <= set(row)
        assert row["state"] == "ok"
        assert row["fill"]["title"] == 1.0
        assert row["verdicts"]["article"] > 0
        assert row["next_due"] > crawled.portal.now.isoformat()


def test_status_for_people_fits_and_shows_one_site_in_full(crawled: Crawled) -> None:
    archive, now = ("--archive", str(crawled.folder)), crawled.portal.now.isoformat()
    shown = run("status", *archive, NEWSMORGUE_NOW=now)
    assert max(map(len, shown.stdout.splitlines())) <= 100
    assert all(portal.paper.name in shown.stdout for portal in crawled.portals)
    name = crawled.portal.paper.name
    one = run("status", name, *archive, NEWSMORGUE_NOW=now)
    assert one.returncode == 0
    assert "title 100%" in one.stdout
    assert f"did you mean {name!r}?" in run("status", name[:-1], *archive).stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "harbour", "--site", "nosuch"],
        ["quotes", "--site", "nosuch"],
        ["status", "nosuch"],
        ["crawl", "nosuch"],
        ["export", "csv", "out", "--site", "nosuch"],
    ],
)
def test_a_site_that_is_not_known_is_bad_usage(crawled: Crawled, tmp_path: Path, arguments: list[str]) -> None:
    done = run(*arguments, "--archive", str(crawled.folder), cwd=tmp_path)
    assert done.returncode == 2
    assert "'nosuch'" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "arguments", [["search", "harbour"], ["quotes"], ["people"], ["status"], ["verify"], ["diff", "https://a.example/"]]
)
def test_one_document_and_lines_exclude_each_other(crawled: Crawled, arguments: list[str]) -> None:
    done = run(*arguments, "--json", "--jsonl", "--archive", str(crawled.folder))
    assert done.returncode == 2
    assert done.stdout == ""
    assert "exclude each other" in done.stderr


def test_doctor_finds_what_is_wrong(tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    run("init", str(folder), "--contact", "me@example.org")
    well = run("doctor", "--archive", str(folder), "--json")
    assert well.returncode == 0, well.stdout
    (folder / "newsmorgue.toml").write_text("[crawl]\ndelai = 3\n", "utf-8")
    ill = run("doctor", "--archive", str(folder))
    assert ill.returncode == 4
    assert "did you mean 'delay'" in ill.stdout


def test_hostile_text_cannot_drive_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(PAGE.replace("Harbour Bridge Reopens<", "Harbour\x1b[2J Bridge\x07 Reopens<"), "utf-8")
    done = run("parse", str(path))
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = [COMMAND, "parse", "-", "--raw", "--url", "https://post.example/"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        process.stdin.write(b"<p>long</p>" * 200_000)
        process.stdin.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.parametrize("field", ["title", "section", "blocks", "quotes", "people", "cards"])
def test_why_names_a_rule_for_every_field_that_has_a_value(field: str) -> None:
    story = Path(__file__).resolve().parent.parent / "fixtures" / "twin" / "story.txt"
    page = classic(copied(story)).encode()
    done = run("parse", "-", "--url", "https://daily.example/ringing/", "--why", field, stdin=page)
    assert done.returncode == 0, done.stderr
    assert "no rule gave a value" not in done.stdout
