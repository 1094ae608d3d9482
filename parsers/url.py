"""One spelling per address.

Joining and parsing follow the WHATWG URL Standard where news pages need it (spaces and control characters stripped,
backslashes as slashes, dot segments, default ports, IDNA hosts); on top stand the rules of an archive: no fragment, no
userinfo, no tracking parameters, no session ids, sorted parameters, one case for escapes.
"""

import re
from functools import lru_cache
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from parsers.errors import UsageError

MAX_LENGTH = 4096
"""Longer addresses are traps or data, not stories."""

_PORTS = {"http": 80, "https": 443}
_STRIP = "".join(map(chr, range(33)))
_INNER = re.compile(r"[\t\n\r]")
_CLEAN = re.compile(r"https?://[a-z0-9.-]*[a-z0-9](?::\d{2,5})?(?:/(?:[A-Za-z0-9_~!$'()*+,:@-]|\.(?![./]|$))*)+\Z")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
# Parameters that say how a reader came, never what the page is. Names as documented by the services that add them
# (analytics campaign parameters, ad click ids, mail campaign ids, share buttons).
_TRACKING = re.compile(
    r"utm_\w+|ga_(?:source|medium|campaign|content|term)|_ga|_gl|gclid|gclsrc|dclid|gbraid|wbraid|fbclid|fb_(?:action_ids|"
    r"action_types|source|ref)|msclkid|yclid|ysclid|twclid|ttclid|igshid|igsh|li_fat_id|mc_[ce]id|mkt_tok|_hs(?:enc|mi)|"
    r"hsctatracking|vero_(?:id|conv)|oly_(?:anon|enc)_id|wickedid|at_(?:medium|campaign|custom\d|format|link_\w+|ptr_name|"
    r"bbc_team|creation|send_date)|ns_(?:mchannel|source|campaign|linkname|fee)|cmpid|cmp|ocid|ito|smid|smtyp|sref|"
    r"s_cid|ncid|cvid|xtor|wt_?mc(?:_o)?|wtrid|trk|trkcampaign|guccounter|guce_referr\w*|__twitter_impression|"
    r"amp_js_v|amp_gsa|usqp|pk_(?:campaign|kwd|source|medium|content)|piwik_\w+|matomo_\w+|mtm_\w+|"
    r"spm|scm|share_?(?:from|source|token)|ref_(?:src|url)|referrer|partner_?ref|rss_?source|__s|_openstat|"
    r"sc_(?:campaign|channel|content|medium|outcome|geo|country)|elqtrack\w*|elq(?:aid|at|cst)?|rb_clickid|epik|srsltid",
    re.IGNORECASE,
)
_SESSION = re.compile(
    r"(?:php|asp|j)?_?sess(?:ion)?_?id|phpsessid|jsessionid|aspsessionid\w*|cfid|cftoken|zenid|oscsid", re.I
)
_SHORT_SESSION = re.compile(r"s?sid", re.I)
_SESSION_VALUE = re.compile(r"[0-9a-f]{16,}", re.I)
_PATH_SESSION = re.compile(r";jsessionid=[^/?#;]*", re.I)
# A "%" that begins no escape stays as it is, so none of what follows may become one.
_ESCAPE = re.compile(r"(?<!%)(?<!%[0-9A-Fa-f])%([0-9A-Fa-f]{2})")
_REMOVED = re.compile(r"https?://[^/?#]+/removed/[0-9a-f]{32}(?=[/?#]|\Z)")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PATH_SAFE = "%/:@!$&'()*+,;=~-._|"
_QUERY_SAFE = "%/:@!$'()*,;~-._?|[]"


@lru_cache(maxsize=65536)
def canonical(url: str, base: str | None = None) -> str:
    """One spelling of an http(s) address, joined to `base` if it is relative. Idempotent.

    Raises UsageError if it is not an http(s) address with a host, or longer than MAX_LENGTH.
    """
    if base is None and _CLEAN.fullmatch(url) and len(url) <= MAX_LENGTH:
        return url if not url.endswith((":80", ":443")) and url.count("/") > 2 and not _port(url) else _slow(url, base)
    return _slow(url, base)


def _port(url: str) -> bool:
    return ":" in url[8:].split("/", 1)[0]


def _slow(url: str, base: str | None) -> str:
    if len(url) > MAX_LENGTH:
        raise UsageError(f"{url[:60]}... is longer than {MAX_LENGTH} characters", cause="no news address is")
    text = _INNER.sub("", url).strip(_STRIP)
    if base is not None:
        text = _joined(text, base)
    head = _SCHEME.match(text)
    if head and head[0].lower() in ("http:", "https:"):
        # WHATWG: backslashes are slashes, and any number of slashes may follow the scheme.
        body, mark, query = text[len(head[0]) :].partition("?")
        body = body.replace("\\", "/") if "#" not in body else body
        text = head[0].lower() + "//" + body.lstrip("/") + mark + query
    try:
        parts = urlsplit(text)
        port = parts.port
        name = parts.hostname or ""
    except ValueError as error:
        raise UsageError(f"{url!r} is not an address", cause=str(error), next="https://example.org/story") from error
    if parts.scheme not in _PORTS or not name:
        raise UsageError(f"{url!r} is not an http or https address", next="https://example.org/story")
    authority = _host(name, url)
    if port is not None and port != _PORTS[parts.scheme]:
        authority += f":{port}"
    try:
        path = _dots(_PATH_SESSION.sub("", _escape(parts.path, _PATH_SAFE))) or "/"
        return urlunsplit((parts.scheme, authority, path, _query(parts.query), ""))
    except UnicodeEncodeError as error:  # half of a surrogate pair, as broken JSON may hold
        raise UsageError(f"{url!r} is not an address", cause=str(error), next="https://example.org/story") from error


def try_canonical(url: str, base: str | None = None) -> str | None:
    """`canonical`, or None where it would raise."""
    try:
        return canonical(url, base)
    except UsageError:
        return None


def removed(url: str, key: str) -> str:
    """What stands where the address of a story that was taken down stood. `key`: 32 hex digits, one key an address.

    It is an address too, so that a list of stories keeps its order and its length.
    """
    return "/".join(url.split("/", 3)[:3]) + f"/removed/{key}"


def is_removed(url: str) -> bool:
    """Whether an address stands where one was struck out."""
    return "/removed/" in url and bool(_REMOVED.match(url))


def host(url: str) -> str:
    """`name` or `name:port` of an address, in lower case, without a default port; "" if it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    name = (parts.hostname or "").rstrip(".")
    if ":" in name:
        name = f"[{name}]"
    return name if port is None or port == _PORTS.get(parts.scheme) else f"{name}:{port}"


def domain(url: str) -> str:
    """The host's name without port and without a leading `www.`."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".").removeprefix("www.")
    except ValueError:
        return ""


def _joined(text: str, base: str) -> str:
    scheme = _SCHEME.match(text)
    if scheme and scheme[0].lower() not in ("http:", "https:"):
        return text
    if not scheme:
        head, mark, tail = text.partition("?")
        text = head.replace("\\", "/") + mark + tail
    try:
        return urljoin(base, text)
    except ValueError as error:
        raise UsageError(f"{text!r} is not an address", cause=str(error)) from error


def _host(name: str, url: str) -> str:
    name = unquote(name).rstrip(".").lower()
    if not name.isascii():
        try:
            name = ".".join(part.encode("idna").decode("ascii") for part in re.split(r"[.\u3002\uff0e\uff61]", name))
        except UnicodeError as error:
            raise UsageError(f"{url!r} has no usable host", cause=str(error)) from error
    if ":" in name:
        return f"[{name}]"
    if not name or re.search(r"[\s\x00-\x20\"#%/<>?@\[\\\]^`{|}]", name):
        raise UsageError(f"{url!r} has no usable host", next="https://example.org/story")
    return name


def _escape(text: str, safe: str) -> str:
    """Escapes in upper case, unreserved characters unescaped, what must be escaped escaped once."""

    def one(match: re.Match[str]) -> str:
        char = chr(int(match[1], 16))
        return char if char in _UNRESERVED else f"%{match[1].upper()}"

    text = _ESCAPE.sub(one, text)
    return quote(text, safe=safe)


def _dots(path: str) -> str:
    """RFC 3986 section 5.2.4: `.` and `..` segments removed; empty segments stay."""
    if "/." not in path:
        return path
    out: list[str] = []
    parts = path.split("/")
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "..":
            if len(out) > 1:
                out.pop()
            if last:
                out.append("")
        elif part == ".":
            if last:
                out.append("")
        else:
            out.append(part)
    return "/".join(out)


def _query(query: str) -> str:
    if not query:
        return ""
    kept = []
    for pair in query.split("&"):
        if not pair:
            continue
        name, equals, value = pair.partition("=")
        plain = unquote(name)
        if _TRACKING.fullmatch(plain) or _SESSION.fullmatch(plain):
            continue
        if _SHORT_SESSION.fullmatch(plain) and _SESSION_VALUE.fullmatch(unquote(value)):
            continue
        kept.append(
            _escape(name.replace("+", "%20"), _QUERY_SAFE)
            + equals
            + _escape(value.replace("+", "%20"), _QUERY_SAFE + "=")
        )
    return "&".join(sorted(kept))
