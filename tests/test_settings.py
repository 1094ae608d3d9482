"""newsmorgue.toml, the environment and flags."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from parsers.errors import SettingsError, UsageError
from scraper.settings import FILE, CrawlSettings, Owners, Source, in_scope, load, require_contact

FULL = """
[crawl]
contact = "archive@example.org"
delay = "500ms"
concurrency = 4
deadline = "1m"
max_bytes = "5MB"
retries = 0
allow_addresses = ["127.0.0.1/32", "10.0.0.0/8"]
respect = ["noarchive"]

[site.example]
home = "https://Example.org"
parser = "tagdiv"
timezone = "Asia/Seoul"
every = "30m"
sources = [{ front = "/" }, { feed = "/feed/" }, { sitemap = "/news-sitemap.xml" }, { wp = "/wp-json/wp/v2/posts" }]
recheck = ["1h", "7d"]
paused = true
"""


def write(folder: Path, text: str) -> Path:
    (folder / FILE).write_text(text, "utf-8")
    return folder


def test_defaults_are_those_of_the_contract() -> None:
    settings = load(None, environ={}).crawl
    assert settings == CrawlSettings("", 2.0, 16, 60.0, 20_000_000, 3, (), ("noarchive", "tdm-reservation"))


def test_every_setting_is_read(tmp_path: Path) -> None:
    settings = load(write(tmp_path, FULL), environ={})
    assert settings.crawl == CrawlSettings(
        "archive@example.org",
        0.5,
        4,
        60.0,
        5_000_000,
        0,
        (ip_network("127.0.0.1/32"), ip_network("10.0.0.0/8")),
        ("noarchive",),
    )
    site = settings.site("example")
    assert site.home == "https://example.org/"
    assert site.sources[1] == Source("feed", "https://example.org/feed/")
    assert [source.kind for source in site.sources] == ["front", "feed", "sitemap", "wp"]
    assert site.recheck == (3600.0, 604800.0)
    assert (site.parser, site.timezone, site.every, site.paused) == ("tagdiv", "Asia/Seoul", "30m", True)


def test_a_site_without_sources_has_its_front(tmp_path: Path) -> None:
    settings = load(write(tmp_path, '[site.a]\nhome = "https://a.example/"'), environ={})
    assert settings.site("a").sources == (Source("front", "https://a.example/"),)


def test_flags_beat_environment_beats_folder_beats_own_file(tmp_path: Path) -> None:
    own = tmp_path / "config" / "newsmorgue"
    own.mkdir(parents=True)
    (own / FILE).write_text('[crawl]\ncontact = "own@example.org"\ndelay = "1s"\nretries = 9\nconcurrency = 2', "utf-8")
    write(tmp_path, '[crawl]\ndelay = "2s"\nretries = 8\nconcurrency = 3')
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "NEWSMORGUE_RETRIES": "7", "NEWSMORGUE_DELAY": "3s"}
    crawl = load(tmp_path, environ=environ, flags={"delay": "4s"}).crawl
    assert (crawl.contact, crawl.concurrency, crawl.retries, crawl.delay) == ("own@example.org", 3, 7, 4.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[crawl]\ndelai = '2s'", "did you mean 'delay'"),
        ("[crawl]\ndelay = 'soon'", "delay"),
        ("[crawl]\nmax_bytes = '20 parsecs'", "max_bytes"),
        ("[crawl]\nallow_addresses = ['localhost']", "allow_addresses"),
        ("[crawl]\nrespect = ['noarchiv']", "did you mean 'noarchive'"),
        ("[crawl]\nconcurrency = 0", "too small"),
        ("[crawl]\ncontact = 'me'", "mail address"),
        ("[crawler]\n", "did you mean 'crawl'"),
        ("[site.a]\n", "home is missing"),
        ("[site.a]\nhome = 'https://a.example/'\ntimezone = 'Seoul'", "timezone"),
        ("[site.a]\nhome = 'https://a.example/'\nsources = [{ fronts = '/' }]", "did you mean 'front'"),
        ("[site.a]\nhome = 'https://a.example/'\narchive = 'full'", "needs a reason"),
        ("[crawl\n", "not valid TOML"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(write(tmp_path, text), environ={})
    assert words in str(caught.value)
    assert caught.value.exit_code == 2


def test_no_contact_no_request() -> None:
    with pytest.raises(SettingsError, match="no contact is set"):
        require_contact(CrawlSettings())


def test_an_unknown_site_gets_a_suggestion(tmp_path: Path) -> None:
    settings = load(write(tmp_path, FULL), environ={})
    with pytest.raises(UsageError, match="did you mean 'example'"):
        settings.site("exampel")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", ""),
        ("env", "env"),
        ("http://proxy.example:3128", "http://proxy.example:3128"),
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("http://kim:topsecret@proxy.example:3128/", "http://kim:topsecret@proxy.example:3128/"),
    ],
)
def test_proxies(given: str, kept: str) -> None:
    settings = load(None, environ={"NEWSMORGUE_PROXY": given})
    assert settings.crawl.proxy == kept
    assert "topsecret" not in str(settings.as_json()), "settings become a row of the run"


@pytest.mark.parametrize(
    "given",
    [
        "socks5://kim:topsecret@proxy.example:1080",
        "https://kim:topsecret@proxy.example",
        "http://kim:topsecret@:80",
        "http://kim:topsecret@a.example/x",
        "http://kim:topsecret@a.example:99999",
    ],
)
def test_proxies_that_cannot_be_used(given: str) -> None:
    with pytest.raises(SettingsError, match="proxy") as raised:
        load(None, environ={"NEWSMORGUE_PROXY": given})
    assert "topsecret" not in str(raised.value) + repr(raised.value)


def test_a_password_in_a_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    write(tmp_path, '[crawl]\nproxy = "http://kim:topsecret@proxy.example:3128"')
    (tmp_path / FILE).chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600") as raised:
        load(tmp_path, environ={})
    assert "topsecret" not in str(raised.value)
    (tmp_path / FILE).chmod(0o600)
    assert load(tmp_path, environ={}).crawl.proxy == "http://kim:topsecret@proxy.example:3128"
    write(tmp_path, '[crawl]\nproxy = "http://proxy.example:3128"')
    (tmp_path / FILE).chmod(0o644)
    assert load(tmp_path, environ={}).crawl.proxy == "http://proxy.example:3128"


def test_whose_own_an_address_is(tmp_path: Path) -> None:
    """The same as asking each site in turn."""
    folder = write(
        tmp_path,
        '[crawl]\ncontact = "a@b.example"\n'
        '[site.sea]\nhome = "https://www.sea.example/"\nscope = ["photos.example"]\n'
        '[site.sport]\nhome = "https://sport.sea.example/"\n'
        '[site.port]\nhome = "http://127.0.0.1:8080/"\n',
    )
    sites = dict(enumerate(load(folder, environ={}).sites))
    owners = Owners(sites)
    urls = (
        "https://sea.example/1", "https://m.sea.example/", "https://sport.sea.example/", "https://notsea.example/",
        "https://photos.example/1", "https://a.photos.example/", "http://127.0.0.1:8080/", "http://127.0.0.1/",
        "https://sea.example/removed/0123456789abcdef0123456789abcdef", "mailto:a@sea.example",
    )  # fmt: skip
    expected = [next((key for key, site in sites.items() if in_scope(url, site)), None) for url in urls]
    assert [owners.of(url) for url in urls] == expected
    assert set(expected) == {0, 2, None}
