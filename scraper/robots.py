"""May we fetch this address? robots.txt by RFC 9309, tolerant where the large crawlers are.

Beyond the RFC's letter, as Google publishes of its own parser: missing colons and common misspellings are understood,
an agent's line counts up to its first odd character, `/index.html` in an Allow also allows its folder, lines are cut at
16 663 bytes and the file at 500 KiB.

**Rules that forbid are read generously, rules that allow literally**: a Disallow matches an address as it is written
and as RFC 9309 section 2.2.2 normalises it, an Allow only as it is written (docs/decisions/robots.md).
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, Self

MAX_BYTES = 500 * 1024
"""RFC 9309 section 2.5: at least 500 KiB are read; what follows is not."""

_MAX_LINE = 2083 * 8 - 1
_BOM = b"\xef\xbb\xbf"
_OTHER_BOMS = (b"\xff\xfe", b"\xfe\xff")
_BLANK = b" \t\x0b\x0c"
_KEYS = {
    b"user-agent": "agent",
    b"useragent": "agent",
    b"user agent": "agent",
    b"allow": "allow",
    b"disallow": "disallow",
    b"dissallow": "disallow",
    b"dissalow": "disallow",
    b"disalow": "disallow",
    b"diasllow": "disallow",
    b"disallaw": "disallow",
    b"sitemap": "sitemap",
    b"site-map": "sitemap",
    b"crawl-delay": "delay",
    b"crawldelay": "delay",
}
_TOKEN = re.compile(rb"[A-Za-z_-]*")
_NUMBER = re.compile(rb"(\d{1,12}(?:\.\d{1,12})?|\.\d{1,12})\s*s?", re.IGNORECASE)
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class _Pattern(NamedTuple):
    """A path with `*` for any characters, split at them; `anchored`: it ended with `$`, the end of the path."""

    pieces: tuple[str, ...]
    anchored: bool

    @classmethod
    def of(cls, text: str) -> Self:
        anchored = text.endswith("$")
        return cls(tuple((text[:-1] if anchored else text).split("*")), anchored)

    def matches(self, path: str) -> bool:
        """Does it match from the start? Leftmost places for the pieces are enough, so no piece is tried twice."""
        first, *others = self.pieces
        if not path.startswith(first):
            return False
        at = len(first)
        if not others:
            return not self.anchored or at == len(path)
        last = others.pop()
        for piece in others:
            found = path.find(piece, at)
            if found < 0:
                return False
            at = found + len(piece)
        if self.anchored:
            return path.endswith(last) and len(path) - len(last) >= at
        return path.find(last, at) >= 0


class _Rule(NamedTuple):
    """`literal`: bytes beyond ASCII escaped; `normal`: normalised too, None where that is the same or for an Allow."""

    allow: bool
    length: int
    literal: _Pattern
    normal: _Pattern | None

    def matches(self, path: str, normal: str) -> bool:
        if self.literal.matches(path):
            return True
        other = self.normal or (self.literal if normal != path else None)
        return not self.allow and other is not None and other.matches(normal)


class _Delay(NamedTuple):
    """Seconds between requests, for the agents `[first, end)` of its group."""

    first: int
    end: int
    seconds: float


@dataclass(slots=True)
class _Group:
    """Agents (product tokens in lower case, `*` for everyone), then what is asked of them."""

    agents: list[str] = field(default_factory=list)
    rules: list[_Rule] = field(default_factory=list)
    delays: list[_Delay] = field(default_factory=list)


class Robots:
    """A robots.txt, read once. Made by `parse`. `sitemaps`: absolute addresses, in order."""

    def __init__(self, groups: Sequence[_Group], sitemaps: Sequence[str]) -> None:
        self.sitemaps = tuple(sitemaps)
        self._groups = tuple(groups)
        self._rules: dict[str, tuple[_Rule, ...]] = {}

    def allowed(self, agent: str, url: str) -> bool:
        """May `agent` (a product token or a whole User-Agent) fetch `url`?

        The longest matching rule decides, Allow wins ties, no rule allows; `/robots.txt` itself is always allowed.
        """
        path = _path(url)
        if path == "/robots.txt":
            return True
        normal = _normal(path)
        name = self._name(agent)
        if name not in self._rules:
            rules = (rule for group in self._groups_of(name) for rule in group.rules)
            self._rules[name] = tuple(sorted(rules, key=lambda rule: (-rule.length, not rule.allow)))
        return next((rule.allow for rule in self._rules[name] if rule.matches(path, normal)), True)

    def crawl_delay(self, agent: str) -> float | None:
        """Seconds that `agent` is asked to leave between two requests; the largest if there are several."""
        name = self._name(agent)
        found = (
            delay.seconds
            for group in self._groups_of(name)
            for delay in group.delays
            if name in group.agents[delay.first : delay.end]
        )
        return max(found, default=None)

    def _name(self, agent: str) -> str:
        """The agent's product token if some group names it, else `*`."""
        token = _token(agent)
        return token if any(self._groups_of(token)) else "*"

    def _groups_of(self, name: str) -> Iterator[_Group]:
        """All groups that name the agent: they count as one (section 2.2.1)."""
        return (group for group in self._groups if name in group.agents)


@lru_cache(maxsize=32)
def parse(robots: bytes) -> Robots:
    """Read a robots.txt. Never raises: what cannot be understood is no rule."""
    groups: list[_Group] = []
    found: dict[str, None] = {}
    group, segment, open_agents = _Group(), 0, False
    for key, value in _lines(robots):
        if key == "agent":
            if not open_agents:
                group, segment, open_agents = _Group(), 0, True
                groups.append(group)
            elif group.delays and group.delays[-1].end == len(group.agents):
                segment = len(group.agents)
            group.agents.append(_agent(value))
        elif key == "sitemap":
            address = value.decode("utf-8", "replace")
            if address.lower().startswith(("http://", "https://")):
                found.setdefault(address)
        elif key == "delay":
            # Not a rule in RFC 9309, so it does not end a list of agents; it is meant for those named so far.
            number = _NUMBER.fullmatch(value)
            if number and math.isfinite(seconds := float(number[1])):
                group.delays.append(_Delay(segment, len(group.agents), seconds))
        else:
            open_agents = False
            if value:  # an empty path is no rule
                group.rules += _rules(key == "allow", _literal(value))
    return Robots(groups, tuple(found))


def allowed(robots: bytes, agent: str, url: str) -> bool:
    """Does this robots.txt allow `agent` (a product token or a whole User-Agent) to fetch `url`? RFC 9309.

    >>> allowed(b"User-agent: *\\nDisallow: /private/", "newsmorgue", "https://example.org/private/a")
    False
    """
    return parse(robots).allowed(agent, url)


def crawl_delay(robots: bytes, agent: str) -> float | None:
    """Seconds that `agent` is asked to leave between two requests; None if nothing is asked of it."""
    return parse(robots).crawl_delay(agent)


def sitemaps(robots: bytes) -> tuple[str, ...]:
    """The absolute http(s) addresses of the sitemaps named, in order, each once. They belong to no group."""
    return parse(robots).sitemaps


def _lines(robots: bytes) -> Iterator[tuple[str, bytes]]:
    """Known keys with their values. Lines end with CR, LF or CRLF."""
    text = robots[:MAX_BYTES]
    if text.startswith(_OTHER_BOMS):
        return  # UTF-16: section 2.3 asks for UTF-8
    text = text.removeprefix(_BOM).replace(b"\0", b"")
    for line in re.split(rb"[\r\n]+", text):
        content = line[:_MAX_LINE].split(b"#", 1)[0].strip(_BLANK)
        key, colon, value = content.partition(b":")
        if not colon:
            words = content.split()
            if len(words) != 2:
                continue
            key, value = words
        known = _KEYS.get(key.strip(_BLANK).lower())
        if known:
            yield known, value.strip(_BLANK)


def _agent(value: bytes) -> str:
    """The product token of an agent's line: its first letters, `_` and `-`; `*` for everyone."""
    if value[:1] == b"*" and value[1:2] in (b"", b" ", b"\t"):
        return "*"
    found = _TOKEN.match(value)
    return found[0].decode("ascii").lower() if found else ""


def _token(agent: str) -> str:
    """The product token of a User-Agent; never empty, so that it meets no unreadable agent's line."""
    return agent.split("/", 1)[0].strip().lower() or "/"


def _path(url: str) -> str:
    """Path and query of an address, as written."""
    rest = url.split("#", 1)[0]
    rest = rest.split("://", 1)[-1] if "://" in rest else rest.removeprefix("//")
    start = min((at for at in map(rest.find, "/?") if at >= 0), default=len(rest))
    path = rest[start:]
    return path if path.startswith("/") else f"/{path}"


def _literal(value: bytes) -> str:
    """A pattern's bytes: those beyond ASCII escaped, escapes in upper case."""
    text = "".join(chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in value)
    return _ESCAPE.sub(lambda match: match[0].upper(), text)


def _normal(text: str) -> str:
    """Section 2.2.2: beyond ASCII escaped, unreserved characters not, other escapes in upper case."""
    if not text.isascii():
        text = "".join(
            char if char.isascii() else "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))
            for char in text
        )

    def one(match: re.Match[str]) -> str:
        char = chr(int(match[1], 16))
        return char if char in _UNRESERVED else match[0].upper()

    return _ESCAPE.sub(one, text)


def _rules(allow: bool, text: str) -> Iterator[_Rule]:
    """The rule a line makes. An Allow for `/x/index.html` also makes one for `/x/` itself."""
    normal = text if allow else _normal(text)
    yield _Rule(allow, len(text), _Pattern.of(text), None if normal == text else _Pattern.of(normal))
    folder, slash, name = text.rpartition("/")
    if allow and slash and name.startswith("index.htm"):
        yield _Rule(True, len(folder) + 2, _Pattern.of(f"{folder}/$"), None)
