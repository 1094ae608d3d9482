"""Settings: frozen records, read once and handed down.

Order of force: flags, `NEWSMORGUE_*` in the environment, `newsmorgue.toml` in the archive's folder, the user's own file
(`$XDG_CONFIG_HOME/newsmorgue/newsmorgue.toml`, table `[crawl]` only), defaults.
"""

import dataclasses
import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urljoin, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from parsers import wordpress
from parsers.errors import SettingsError, UsageError
from parsers.url import canonical, domain, host, is_removed
from scraper import headers
from scraper.headers import Header
from storage.timing import parse_duration

FILE = "newsmorgue.toml"
SourceKind = Literal["front", "feed", "sitemap", "wp"]
OPT_OUTS = ("noarchive", "tdm-reservation")
_SIZES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}


@dataclass(frozen=True, slots=True)
class CrawlSettings:
    """How a crawl behaves. Times in seconds, sizes in bytes.

    `contact`: goes into the User-Agent; required before the first request. `delay`: least pause between two requests
    to a host. `concurrency`: hosts asked at once. `deadline`: connect to last byte. `max_bytes`: decoded.
    `retries`: further tries after a failed one. `allow_addresses`: private networks that may be fetched.
    `respect`: opt-outs that are obeyed (`noarchive`, `tdm-reservation`). `proxy`: `http://[user:password@]host:port`,
    `env` for what the environment says, "" for none.
    """

    contact: str = ""
    delay: float = 2.0
    concurrency: int = 16
    deadline: float = 60.0
    max_bytes: int = 20_000_000
    retries: int = 3
    allow_addresses: tuple[IPv4Network | IPv6Network, ...] = ()
    respect: tuple[str, ...] = OPT_OUTS
    proxy: str = field(default="", repr=False)  # may hold a password


@dataclass(frozen=True, slots=True)
class Source:
    """Where a site announces its stories. `url` is absolute and canonical; of `wp` that of the first page of posts."""

    kind: SourceKind
    url: str


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """One `[site.NAME]` block. `recheck`: ages in seconds at which a known story is asked again.

    `discovers`: no sources are named: beside the front, the site's own feeds and sitemaps are taken.

    `scope`: further hosts that are the site's own, beside that of `home` and those below it.

    `every` and `cron` belong to the schedule. `archive = "full"` keeps pages in spite of an opt-out, and `reason` says
    why; both are stored with each capture. `headers`: sent to the site's own hosts with every request.
    """

    name: str
    home: str
    parser: str | None = None
    timezone: str | None = None
    every: str | None = None
    cron: str | None = None
    sources: tuple[Source, ...] = ()
    recheck: tuple[float, ...] = (3600.0, 21600.0, 86400.0, 604800.0)
    paused: bool = False
    archive: Literal["respect", "full"] = "respect"
    reason: str = ""
    scope: tuple[str, ...] = ()
    discovers: bool = False
    headers: tuple[Header, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """All that `newsmorgue.toml`, the environment and the flags say."""

    crawl: CrawlSettings = CrawlSettings()
    sites: tuple[SiteSettings, ...] = ()

    def site(self, name: str) -> SiteSettings:
        """The block of that name; UsageError with a suggestion if there is none."""
        for site in self.sites:
            if site.name == name:
                return site
        raise UsageError(
            f"no site named {name!r} in {FILE}",
            cause=_suggest(name, [site.name for site in self.sites]),
            next=f"add a [site.{name}] block to {FILE}",
        )

    def as_json(self) -> dict[str, object]:
        """Plain values for the run's row; holds no secrets."""
        plain = dataclasses.asdict(self)
        plain["sites"] = [{**dataclasses.asdict(site), "headers": headers.as_json(site.headers)} for site in self.sites]
        plain["crawl"]["allow_addresses"] = [str(network) for network in self.crawl.allow_addresses]
        plain["crawl"]["proxy"] = self.crawl.proxy.rpartition("@")[2]
        return plain


def load(folder: Path | None, *, environ: Mapping[str, str], flags: Mapping[str, str] | None = None) -> Settings:
    """Settings for an archive folder (None: no archive). `flags`: crawl settings given on the command line, as text.

    Raises SettingsError naming the file, the key and what it may be.
    """
    crawl: dict[str, object] = {}
    sites: tuple[SiteSettings, ...] = ()
    own = _own_file(environ)
    if own.is_file():
        crawl |= _crawl_table(_read(own).get("crawl", {}), str(own))
    if folder is not None and (folder / FILE).is_file():
        table = _read(folder / FILE)
        _known(table, ("crawl", "site"), str(folder / FILE), "table")
        crawl |= _crawl_table(table.get("crawl", {}), f"{folder / FILE} [crawl]")
        sites = tuple(_site(name, block, environ) for name, block in _table(table.get("site", {}), "[site]").items())
    names = [field.name for field in dataclasses.fields(CrawlSettings)]
    crawl |= _crawl_table(
        {name: environ[key] for name in names if (key := f"NEWSMORGUE_{name.upper()}") in environ}, "the environment"
    )
    crawl |= _crawl_table(dict(flags or {}), "--set")
    return Settings(crawl=dataclasses.replace(CrawlSettings(), **crawl), sites=sites)  # type: ignore[arg-type]


def require_contact(settings: CrawlSettings) -> None:
    """No request without someone who answers for it. Raises SettingsError."""
    if not settings.contact:
        raise SettingsError(
            "no contact is set, so nothing was fetched",
            cause="sites must be able to see in the User-Agent who asks, and to write to them",
            next=f'set  contact = "you@example.org"  in [crawl] of {FILE}, or NEWSMORGUE_CONTACT',
        )


def _own_file(environ: Mapping[str, str]) -> Path:
    base = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME", "/")) / ".config")
    return Path(base) / "newsmorgue" / FILE


def _read(path: Path) -> dict[str, object]:
    try:
        table = tomllib.loads(path.read_text("utf-8"))
        _guarded(path, table)
        return table
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML", cause=str(error), next="mend that line") from error


def _guarded(path: Path, table: Mapping[str, object]) -> None:
    """A file that holds a secret must be for its owner alone. Raises SettingsError."""
    crawl, sites = table.get("crawl"), table.get("site")
    held, instead = "", ""
    if isinstance(crawl, dict) and "@" in str(crawl.get("proxy", "")):
        held, instead = "proxy holds a password", "set NEWSMORGUE_PROXY"
    blocks = sites.values() if isinstance(sites, dict) else ()
    if any(isinstance(block, dict) and headers.in_file(block.get("headers")) for block in blocks):
        held, instead = "headers hold a secret", 'write "env:NAME" and set that variable'
    if held and path.stat().st_mode & 0o077:
        raise SettingsError(
            f"{path}: {held} that others on this machine can read", next=f"chmod 600 {path}, or {instead}"
        )


def _table(value: object, where: str) -> dict[str, dict[str, object]]:
    if not isinstance(value, dict) or not all(isinstance(block, dict) for block in value.values()):
        raise SettingsError(f"{where} must be a table", next=f'for example  [site.example]  home = "..."  in {FILE}')
    return value


def _suggest(word: str, words: Iterable[str]) -> str:
    known = sorted(words)
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known) or 'none'}"


def _known(table: Mapping[str, object], names: Iterable[str], where: str, what: str = "setting") -> None:
    wanted = list(names)
    for key in table:
        if key not in wanted:
            raise SettingsError(f"{where}: unknown {what} {key!r}", cause=_suggest(key, wanted))


def _crawl_table(table: object, where: str) -> dict[str, object]:
    if not isinstance(table, dict):
        raise SettingsError(f"{where} must be a table")
    _known(table, [field.name for field in dataclasses.fields(CrawlSettings)], where)
    return {key: _crawl_value(key, value, where) for key, value in table.items()}


def _crawl_value(key: str, value: object, where: str) -> object:
    try:
        match key:
            case "contact":
                return _contact(str(value))
            case "delay" | "deadline":
                return _seconds(value)
            case "max_bytes":
                return _bytes(value)
            case "concurrency" | "retries":
                number = int(str(value))
                if number < (1 if key == "concurrency" else 0):
                    raise ValueError(f"{number} is too small")
                return number
            case "proxy":
                word = str(value).strip()
                return word if word in ("", "env") else proxy_address(word)
            case "allow_addresses":
                return tuple(ip_network(item) for item in _words(value))
            case _:
                words = tuple(_words(value))
                for word in words:
                    if word not in OPT_OUTS:
                        raise ValueError(_suggest(word, OPT_OUTS))
                return words
    except (ValueError, SettingsError) as error:
        examples = {
            "contact": '"archive@example.org" or "https://example.org/about-our-crawler"',
            "max_bytes": '"20MB"',
            "concurrency": "16",
            "retries": "3",
            "allow_addresses": '["10.0.0.0/8"]',
            "respect": '["noarchive", "tdm-reservation"]',
            "proxy": '"http://proxy.example.org:3128", or "env"',
        }
        shown = str(value).rpartition("@")[2] if key == "proxy" else value
        raise SettingsError(
            f"{where}: {key} = {shown!r} cannot be used",
            cause=str(error).splitlines()[0],
            next=f"for example  {key} = {examples.get(key, chr(34) + '2s' + chr(34))}",
        ) from error


def _contact(value: str) -> str:
    if (
        not (("@" in value and " " not in value) or value.startswith(("http://", "https://")))
        or not value.isprintable()
    ):
        raise ValueError("a contact is a mail address or a web page")
    return value


def proxy_address(value: str) -> str:
    """An HTTP proxy's address, with its scheme. Raises ValueError."""
    address = value if "://" in value else f"http://{value}"
    parts = urlsplit(address)
    if parts.scheme != "http":
        raise ValueError(f"proxies of the kind {parts.scheme}:// are not supported, only http://")
    if not parts.hostname or parts.path not in ("", "/") or parts.query or parts.port == 0:
        raise ValueError("a proxy is http://host:port, or http://user:password@host:port")
    return address


def _words(value: object) -> list[str]:
    if isinstance(value, str):
        return [word for word in value.replace(",", " ").split() if word]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    raise ValueError("must be a list of words")


def _seconds(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return parse_duration(str(value))


def _bytes(value: object) -> int:
    text = str(value).strip().lower().replace(" ", "")
    number = text.rstrip("kmgib")
    unit = text[len(number) :]
    if unit not in _SIZES:
        raise ValueError(f"unknown unit {unit!r}")
    size = int(float(number) * _SIZES[unit])
    if size < 1:
        raise ValueError("must be more than nothing")
    return size


def _site(name: str, block: dict[str, object], environ: Mapping[str, str]) -> SiteSettings:
    where = f"{FILE} [site.{name}]"
    _known(
        block,
        [field.name for field in dataclasses.fields(SiteSettings) if field.name not in ("name", "discovers")],
        where,
    )
    if not isinstance(block.get("home"), str):
        raise SettingsError(f"{where}: home is missing", next=f'home = "https://{name}.example/"')
    home = canonical(str(block["home"]))
    values: dict[str, object] = {"name": name, "home": home}
    for key in ("parser", "timezone", "every", "cron", "archive", "reason"):
        if key in block:
            values[key] = str(block[key])
    if block.get("paused") not in (None, True, False):
        raise SettingsError(f"{where}: paused = {block['paused']!r} cannot be used", next="paused = true")
    values["paused"] = bool(block.get("paused", False))
    if values.get("archive", "respect") not in ("respect", "full"):
        raise SettingsError(f"{where}: archive = {block['archive']!r} cannot be used", next='archive = "full"')
    if values.get("archive") == "full" and not values.get("reason"):
        raise SettingsError(f'{where}: archive = "full" needs a reason', next='reason = "the publisher agreed on ..."')
    if "timezone" in values:
        try:
            ZoneInfo(str(values["timezone"]))
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise SettingsError(f"{where}: unknown timezone {values['timezone']!r}", next='"Asia/Seoul"') from error
    if "recheck" in block:
        values["recheck"] = tuple(_seconds(item) for item in _words(block["recheck"]))
    if "scope" in block:
        values["scope"] = tuple(word.lower().rstrip(".") for word in _words(block["scope"]))
    values["discovers"] = "sources" not in block
    values["headers"] = headers.read(block.get("headers", {}), environ, where)
    values["sources"] = tuple(_sources(block.get("sources", [{"front": "/"}]), home, where))
    return SiteSettings(**values)  # type: ignore[arg-type]


def _sources(value: object, home: str, where: str) -> Iterable[Source]:
    kinds: tuple[SourceKind, ...] = ("front", "feed", "sitemap", "wp")
    if not isinstance(value, list):
        raise SettingsError(f"{where}: sources must be a list", next='sources = [{ front = "/" }, { feed = "/feed/" }]')
    for item in value:
        if not isinstance(item, dict) or len(item) != 1:
            raise SettingsError(f"{where}: a source is one of {', '.join(kinds)}", next='{ front = "/" }')
        _known(item, kinds, where, "source")
        ((kind, path),) = item.items()
        url = canonical(urljoin(home, str(path)))
        yield Source(kind=kind, url=wordpress.address(url) if kind == "wp" else url)


def from_row(values: Mapping[str, object]) -> SiteSettings:
    """A site's block as the row of a run holds it (`Settings.as_json`), without the headers that it was asked with; keys of
    later editions are passed over."""
    known = {field.name for field in dataclasses.fields(SiteSettings)} - {"headers"}
    plain = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items() if key in known}
    sources = tuple(Source(**source) for source in values.get("sources", ()))  # type: ignore[attr-defined]
    return SiteSettings(**{**plain, "sources": sources})  # type: ignore[arg-type]


def in_scope(url: str, site: SiteSettings) -> bool:
    """On the site's own host, one below it, or one that its settings name; not what stands where an address was taken down."""
    if is_removed(url):
        return False
    name, own = host(url), host(site.home).removeprefix("www.")
    return name == own or name.endswith(f".{own}") or domain(url) in site.scope


class Owners:
    """Whose own an address is, among some sites by key: `in_scope` for all of them at once."""

    def __init__(self, sites: Mapping[int, SiteSettings]) -> None:
        self._rank = {key: place for place, key in enumerate(sites)}
        self._homes: dict[str, int] = {}
        self._further: dict[str, int] = {}
        for key, site in sites.items():
            self._homes.setdefault(host(site.home).removeprefix("www."), key)
            for name in site.scope:
                self._further.setdefault(name, key)

    def of(self, url: str) -> int | None:
        """The key of the first site in whose scope an address is; None if it is in none."""
        if is_removed(url):
            return None
        found = [self._further[domain(url)]] if domain(url) in self._further else []
        name = host(url)
        while name:
            if name in self._homes:
                found.append(self._homes[name])
            name = name.partition(".")[2]
        return min(found, key=self._rank.__getitem__, default=None)
