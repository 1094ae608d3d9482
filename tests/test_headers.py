"""Extra headers of a site: what may be set, who gets it, and that no secret is kept anywhere."""

import gzip
import sqlite3
from pathlib import Path

import pytest
from conftest import Silent
from test_crawl import NOW, STORY, front, html

from parsers.errors import SettingsError
from scraper.cli.main import run as newsmorgue
from scraper.clock import Clock
from scraper.crawl import Limits
from scraper.runs import Outcome, crawl
from scraper.settings import FILE, load
from storage.archive import Archive
from tests.servers import Server, answer, moved

SECRETS = ("bearer-of-news", "first=cookie", "k3y", "quiet-word")
HEADERS = (
    'headers = { "Accept-Language" = "ko, en", authorization = "Bearer bearer-of-news", Cookie = "first=cookie", '
    '"X-Api-Key" = "env:PAPER_KEY", "X-Whisper" = "env:PAPER_WORD" }'
)
ENVIRON = {"PAPER_KEY": "k3y", "PAPER_WORD": "quiet-word"}


def write(folder: Path, home: str, block: str, mode: int = 0o600) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / FILE
    file.write_text(
        '[crawl]\ncontact = "a@example.org"\ndelay = "0s"\nretries = 0\nallow_addresses = ["127.0.0.0/8"]\n'
        f'[site.sea]\nhome = "{home}"\n{block}\n'
    )
    file.chmod(mode)
    return folder


def run(folder: Path, environ: dict[str, str]) -> Outcome:
    if not (folder / "archive.db").exists():
        Archive.create(folder).close()
    settings = load(folder, environ=environ)
    return crawl(folder, settings, settings.sites, clock=Clock(NOW), limits=Limits(wait=0.0), progress=Silent())


def test_the_site_gets_them_and_nobody_else_and_nothing_keeps_a_secret(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    with Server() as server, Server("127.0.0.2") as other:
        server.at |= {
            "/": answer(front(STORY.format(1), STORY.format(2)), headers={"Set-Cookie": "second=cookie"}),
            STORY.format(1): answer(html("Two boats lost")),
            STORY.format(2): moved(other.url("/x")),
        }
        write(folder, server.url("/"), f'scope = ["elsewhere.example"]\n{HEADERS}')
        settings = load(folder, environ=ENVIRON)
        assert not any(secret in repr(settings) + str(settings.as_json()) for secret in SECRETS)
        outcome = run(folder, ENVIRON)
        assert other.log == [], "out of scope"
    assert len(server.log) == 4, "robots.txt, too"
    for request in server.log:
        assert request.headers["accept-language"] == "ko, en"
        assert request.headers["authorization"] == "Bearer bearer-of-news"
        assert (request.headers["x-api-key"], request.headers["x-whisper"]) == ("k3y", "quiet-word")
        assert request.headers["user-agent"].startswith("newsmorgue/")
    assert [request.headers["cookie"] for request in server.pages] == ["first=cookie"] + 2 * [
        "first=cookie; second=cookie"
    ]
    kept = b"".join(gzip.decompress(path.read_bytes()) for path in (folder / "warc").iterdir())
    assert b"\r\nAccept-Language: ko, en\r\n" in kept
    assert kept.count(b"\r\nX-Whisper: [removed]\r\n") == kept.count(b"\r\nauthorization: [removed]\r\n") == 3
    db = sqlite3.connect(folder / "archive.db")
    rows = "\n".join(db.iterdump())
    db.close()
    assert '"X-Api-Key": "[removed]"' in rows
    for secret in SECRETS:
        assert secret.encode() not in kept
        assert secret not in rows + str(outcome.tally.errors)


def test_a_redirect_to_another_host_takes_none_along(tmp_path: Path) -> None:
    """Nor does another site of the same crawl get them."""
    with Server() as server, Server("127.0.0.2") as other:
        server.at["/"] = moved(other.url("/there"))
        other.at |= {"/there": answer(front()), "/": answer(front())}
        folder = write(
            tmp_path / "archive", server.url("/"), f'{HEADERS}\n[site.lake]\nhome = "{other.url("/")}"\nheaders = {{}}'
        )
        run(folder, ENVIRON)
    assert {request.target for request in other.pages} == {"/there", "/"}
    for request in other.log:
        assert not {"authorization", "cookie", "x-api-key", "x-whisper"} & request.headers.keys()
        assert "accept-language" not in request.headers


def test_over_tls_or_not_at_all(tmp_path: Path) -> None:
    """The site's home is reached over TLS: who asks for it without is no longer sure to be heard by it alone."""
    with Server() as server:
        folder = write(
            tmp_path / "archive",
            server.url("/").replace("http", "https"),
            f'{HEADERS}\nsources = [{{ front = "{server.url("/plain")}" }}]',
        )
        server.at["/plain"] = answer(front())
        run(folder, ENVIRON)
    assert [request.target for request in server.pages] == ["/plain"]
    assert "authorization" not in server.pages[0].headers


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('{ "User-Agent" = "Mozilla/5.0" }', "User-Agent cannot be set"),
        ('{ "user-agent" = "env:AGENT" }', "user-agent cannot be set"),
        ('{ Host = "other.example" }', "Host cannot be set"),
        ('{ Connection = "close" }', "Connection cannot be set"),
        ('{ "Transfer-Encoding" = "chunked" }', "Transfer-Encoding cannot be set"),
        ('{ "Content-Length" = "5" }', "Content-Length cannot be set"),
        ('{ "Accept-Encoding" = "br" }', "Accept-Encoding cannot be set"),
        ('{ "Proxy-Authorization" = "Basic topsecret" }', "Proxy-Authorization cannot be set"),
        ('{ "If-None-Match" = "1" }', "If-None-Match cannot be set"),
        ('{ "Sec-CH-UA" = "Chromium" }', "Sec-CH-UA cannot be set"),
        ('{ "X Y" = "1" }', "no name of a header"),
        ('{ "X:Y" = "1" }', "no name of a header"),
        ('{ "" = "1" }', "no name of a header"),
        ('{ "X-Token" = "topsecret\\r\\nHost: x" }', "cannot be sent"),
        ('{ "X-Token" = "topsecret\\u00e9" }', "cannot be sent"),
        ('{ "X-Token" = " " }', "cannot be sent"),
        ('{ "X-Y" = 1 }', "table of words"),
        ('["X-Y"]', "table of words"),
    ],
)
def test_what_cannot_be_set_is_named(tmp_path: Path, table: str, words: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load(write(tmp_path, "https://sea.example/", f"headers = {table}"), environ={"AGENT": "x"})
    assert words in str(raised.value)
    assert "[site.sea]" in str(raised.value)
    assert "topsecret" not in str(raised.value)


def test_a_secret_in_a_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="chmod 600") as raised:
        load(write(tmp_path, "https://sea.example/", HEADERS, 0o644), environ=ENVIRON)
    assert not any(secret in str(raised.value) for secret in SECRETS)
    open_to_all = 'headers = { "X-Api-Key" = "env:PAPER_KEY", "Accept-Language" = "ko" }'
    (site,) = load(write(tmp_path, "https://sea.example/", open_to_all, 0o644), environ=ENVIRON).sites
    assert [(header.name, header.value) for header in site.headers] == [("X-Api-Key", "k3y"), ("Accept-Language", "ko")]


def test_a_variable_that_is_not_set_stops_the_crawl_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Server() as server:
        server.at["/"] = answer(front())
        folder = write(tmp_path / "archive", server.url("/"), HEADERS)
        with pytest.raises(SettingsError, match="PAPER_KEY is not set") as raised:
            run(folder, {})
        assert "export PAPER_KEY" in raised.value.next
        assert server.connections == 0
    assert newsmorgue(["verify", "--archive", str(folder)]) == 0
    assert newsmorgue(["rebuild", "--archive", str(folder)]) in (0, 4)
    capsys.readouterr()
