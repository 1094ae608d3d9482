"""Which proxy a request goes through, if any: a setting's, or the environment's where a setting says so."""

import base64
import urllib.request
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

ENVIRONMENT = "env"


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
        """From `http://host:port` or `http://user:password@host:port`; `host:port` will do. Raises ValueError."""
        parts = urlsplit(address if "://" in address else f"http://{address}")
        if parts.scheme != "http":
            raise ValueError(f"proxies of the kind {parts.scheme}:// are not spoken to, only http://")
        if not parts.hostname or parts.path not in ("", "/") or parts.query:
            raise ValueError("a proxy is http://host:port")
        authorization = None
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            authorization = b"Basic " + base64.b64encode(login.encode())
        return cls(parts.hostname, parts.port or 80, authorization)


class Proxies:
    """`setting`: "" for none, `env` for HTTP_PROXY, HTTPS_PROXY and NO_PROXY, else the proxy's address. Raises ValueError."""

    def __init__(self, setting: str) -> None:
        self._bypass: dict[str, str] | None = None
        given = {"http": setting, "https": setting} if setting else {}
        if setting == ENVIRONMENT:
            given = self._bypass = urllib.request.getproxies_environment()
        self._of = {scheme: Proxy.of(address) for scheme, address in given.items() if scheme in ("http", "https")}

    def find(self, scheme: str, host: str, port: int) -> Proxy | None:
        """The proxy for an address; None if it is asked directly."""
        proxy = self._of.get(scheme)
        if proxy is None or self._bypass is None:
            return proxy
        return None if urllib.request.proxy_bypass_environment(f"{host}:{port}", self._bypass) else proxy  # type: ignore[attr-defined]
