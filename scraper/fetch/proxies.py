"""Which proxy a request goes through, if any: a setting's, or the environment's where a setting says so."""

import base64
import urllib.request
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from parsers.errors import SettingsError
from scraper.fetch.words import plain
from scraper.settings import proxy_address


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy. `authorization`: value of Proxy-Authorization, a secret; None if it wants none."""

    host: str
    port: int
    authorization: bytes | None = None

    def __repr__(self) -> str:
        return f"Proxy({self.host}:{self.port})"

    @classmethod
    def of(cls, address: str) -> "Proxy":
        """From `http://host:port` or `http://user:password@host:port`. Raises ValueError."""
        parts = urlsplit(proxy_address(address))
        authorization = None
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            authorization = b"Basic " + base64.b64encode(login.encode())
        return cls(parts.hostname or "", parts.port or 80, authorization)


class Proxies:
    """`setting`: "" for none, `env` for what HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY say, else a proxy's address.

    Raises SettingsError if one of them cannot be used.
    """

    def __init__(self, setting: str = "") -> None:
        self._environment: dict[str, str] | None = None
        given = {"http": setting, "https": setting} if setting else {}
        if setting == "env":
            given = self._environment = urllib.request.getproxies_environment()
        try:
            named = {scheme: given.get(scheme) or given.get("all") for scheme in ("http", "https")}
            self._of = {scheme: Proxy.of(address) for scheme, address in named.items() if address}
        except ValueError as error:
            raise SettingsError(
                "the proxy that is set cannot be used",
                cause=plain(str(error)),
                next='proxy in [crawl]; with "env": HTTP_PROXY, HTTPS_PROXY, ALL_PROXY',
            ) from error

    def find(self, scheme: str, host: str, port: int) -> Proxy | None:
        """The proxy for an address; None if it is asked directly."""
        proxy = self._of.get(scheme)
        if proxy is None or self._environment is None:
            return proxy
        return None if urllib.request.proxy_bypass_environment(f"{host}:{port}", self._environment) else proxy  # type: ignore[attr-defined]
