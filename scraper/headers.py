"""Extra headers of a site: what a publisher asks us to send (`headers` in `[site.NAME]`), and what of it is a secret."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from parsers.errors import SettingsError
from parsers.text import REMOVED

_ENV = "env:"
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SECRET = re.compile(
    r"auth|cookie|token|secret|passw|key|session|signature|credential|\bsid\b|\bpin\b|jwt", re.IGNORECASE
)
_OURS = frozenset(
    "user-agent host connection keep-alive te trailer transfer-encoding upgrade content-length content-type content-encoding "
    "expect accept-encoding range http2-settings".split()
)
"""Who asks is said honestly; how a message is framed, coded and cut is for the fetch room alone."""
_OUR_KINDS = ("proxy-", "if-", "sec-", "x-forwarded-")
"""What is said to a proxy, conditions of our own, and the faces of browsers and of others."""


@dataclass(frozen=True, slots=True)
class Header:
    """One header. `secret`: its value is in no record, row or message. `unset`: its value was to come from this variable of
    the environment, which is not there."""

    name: str
    value: str
    secret: bool = False
    unset: str = ""

    def __repr__(self) -> str:
        return f"Header({self.name}: {self.shown})"

    @property
    def shown(self) -> str:
        """The value as it may be seen."""
        return REMOVED if self.secret else self.value


def read(table: object, environ: Mapping[str, str], where: str) -> tuple[Header, ...]:
    """The headers of a site's table; a value `env:NAME` is that of a variable, and a secret. Raises SettingsError."""
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise SettingsError(f"{where}: headers must be a table of words", next='headers = { "Accept-Language" = "ko" }')
    return tuple(_header(name, value, environ, where) for name, value in table.items())


def _header(name: str, value: str, environ: Mapping[str, str], where: str) -> Header:
    lower = name.lower()
    if not _NAME.fullmatch(name):
        raise SettingsError(f"{where}: {name!r} is no name of a header", next='headers = { "Accept-Language" = "ko" }')
    if lower in _OURS or lower.startswith(_OUR_KINDS):
        raise SettingsError(
            f"{where}: the header {name} cannot be set",
            cause="who asks, how messages are framed and what is asked on condition is not for settings",
            next=f"remove {name} from headers",
        )
    variable = value.removeprefix(_ENV) if value.startswith(_ENV) else ""
    given = environ.get(variable, "") if variable else value
    unset = variable if variable and not given else ""
    if not unset and not (given.strip() and given.isascii() and given.isprintable()):
        raise SettingsError(
            f"{where}: the value of the header {name} cannot be sent",
            cause="it is empty, or not in printable ASCII",
            next=f'"{name}" = "{_ENV}NAME"  takes it from the environment',
        )
    return Header(name, given.strip(), bool(variable) or _SECRET.search(name) is not None, unset)


def in_file(table: object) -> bool:
    """Whether a site's table itself holds a secret."""
    if not isinstance(table, dict):
        return False
    return any(_SECRET.search(name) and not str(value).startswith(_ENV) for name, value in table.items())


def require(headers: Iterable[Header], where: str) -> None:
    """No request without the headers that a site wants. Raises SettingsError if a variable is not set."""
    for header in headers:
        if header.unset:
            raise SettingsError(
                f"{where}: {header.unset} is not set in the environment, so nothing was fetched",
                cause=f"it holds the value of the header {header.name}",
                next=f"export {header.unset}=...",
            )


def merged(ours: Mapping[str, str | bytes], extra: Iterable[Header]) -> dict[str, str | bytes]:
    """Headers of a request: ours, and a site's. Of one that both have the site's counts; cookies are sent beside each other."""
    found = dict(ours)
    for header in extra:
        same = next((name for name in found if name.lower() == header.name.lower()), header.name)
        before = found.get(same)
        together = isinstance(before, str) and same.lower() == "cookie"
        found[same] = f"{header.value}; {before}" if together else header.value  # type: ignore[str-bytes-safe]
    return found


def hidden(head: bytes, extra: Iterable[Header]) -> bytes:
    """A request's head as it may be kept."""
    names = {header.name.lower().encode() for header in extra if header.secret}
    lines = head.split(b"\r\n") if names else []
    for n, line in enumerate(lines):
        name = line.partition(b":")[0]
        if name.lower() in names:
            lines[n] = name + b": " + REMOVED.encode()
    return b"\r\n".join(lines) if names else head


def as_json(headers: Iterable[Header]) -> dict[str, str]:
    """Headers as the row of a run holds them."""
    return {header.name: header.shown for header in headers}
