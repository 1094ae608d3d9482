"""One spelling per address.

Joining and parsing follow the WHATWG URL Standard, as browsers do (ada-url); on top stand the rules of an archive: no
fragment, no userinfo, no tracking parameters, no session ids, sorted parameters, one case for escapes.
"""

import re
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from ada_url import join_url, normalize_url

from parsers.errors import UsageError

MAX_LENGTH = 4096
"""Longer addresses are traps or data, not stories."""
_CACHED_LENGTH = 512
"""Longer ones are worked out each time, so that the cache stays small."""

_PORTS = {"http": 80, "https": 443}
_HREF = re.compile(r"(https?://)(?:[^/?#@]*@)?([^/?#]+)(/[^?#]*)(?:\?([^#]*))?")
_LAST_DOT = re.compile(r"\.+(?=:\d+\Z|\Z)")
# A link whose query can be read apart from the rest, so that both are found in the cache although their pair is new.
_SIMPLE = re.compile(r"((?:/|https?://)[^?#\x00-\x20]*)\?([\w.~%=&+-]*)(?:#.*)?", re.ASCII)
# Parameters that say how a reader came, never what the page is. Names as documented by the services that add them
# (analytics campaign parameters, ad click ids, mail campaign ids, share buttons, answers to comments). A session's id may
# have a name that also says what a page is (`sid`): then its value decides.
_NOISE = re.compile(
    r"(?:utm_\w+|ga_(?:source|medium|campaign|content|term)|_ga|_gl|_gac|gclid|gclsrc|dclid|gbraid|wbraid|gad_\w+|srsltid|"
    r"_x_tr_\w+|fbclid|fb_(?:action_ids|action_types|source|ref)|__cft__\[\d\]|__tn__|__xts__\[\d\]|mibextid|msclkid|yclid|"
    r"ysclid|twclid|ttclid|rdt_cid|igshid|igsh|li_fat_id|epik|dicbo|tblci|mc_(?:[ce]id|tc)|mkt_tok|"
    r"_hs(?:enc|mi)|hsctatracking|hsa_\w+|__hs(?:tc|sc|fp)|vero_(?:id|conv)|oly_(?:anon|enc)_id|wickedid|"
    r"at_(?:medium|campaign|custom\d|format|link_\w+|ptr_name|bbc_team|creation|send_date)|"
    r"ns_(?:mchannel|source|campaign|linkname|fee)|cmpid|cmp|intcmp|ocid|ito|smid|smtyp|sref|mbid|"
    r"soc_(?:src|trk)|tsrc|s_cid|s_kwcid|ncid|cvid|xtor|wt_?mc(?:_o)?|wtrid|trk|trkcampaign|guccounter|guce_referr\w*|"
    r"__twitter_impression|amp_js_v|amp_gsa|usqp|itm_(?:source|medium|campaign|content|term)|"
    r"pk_(?:campaign|kwd|source|medium|content)|piwik_\w+|matomo_\w+|mtm_\w+|spm|scm|share_?(?:from|source|token)|ref_(?:src|url)|"
    r"referrer|partner_?ref|rss_?source|__s|_openstat|sc_(?:campaign|channel|content|medium|outcome|geo|country)|"
    r"elqtrack\w*|elq(?:aid|at|cst)?|rb_clickid|_branch_(?:match_id|referrer)|_k[ex]|_bta_(?:tid|c)|sfmc_\w+|ml_subscriber(?:_hash)?|"
    r"replytocom|(?:php|asp|j)?_?sess(?:ion)?_?id|aspsessionid\w*|cfid|cftoken|zenid|oscsid)(?:=.*)?|"
    r"share=(?:facebook|twitter|x|linkedin|reddit|pinterest|tumblr|telegram|email|print|whatsapp|jetpack-whatsapp|pocket|threads)|"
    r"s?sid=(?:(?=[0-9]*[a-f])[0-9a-f]{12,}|[0-9]{20,})",
    re.IGNORECASE | re.DOTALL,
)
_PATH_SESSION = re.compile(
    r";(?:jsessionid|phpsessid|sessionid|s?sid)=[^/?#;]*|/\((?:[AFSX]\([A-Za-z0-9_-]{20,}\))+\)(?=/)", re.IGNORECASE
)
# A "%" that begins no escape stays as it is, so none of what follows may become one.
_ESCAPE = re.compile(r"(?<!%)(?<!%[0-9A-Fa-f])%([0-9A-Fa-f]{2})")
_REMOVED = re.compile(r"https?://[^/?#]+/removed/[0-9a-f]{32}(?=[/?#]|\Z)")
_FRONT = re.compile(r"https?://[^/?#]+/(?:[a-z]{2}(?:-[a-z]{2})?/?|(?:index|default|home)(?:\.\w+|/)?)?", re.IGNORECASE)
_REGISTRIES = frozenset("ac co com edu go gob gov ne net or org".split())
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def canonical(url: str, base: str | None = None) -> str:
    """One spelling of an http(s) address, joined to `base` if it is relative. Idempotent.

    Raises UsageError if it is not an http(s) address with a host, or longer than MAX_LENGTH.
    """
    found = try_canonical(url, base)
    if found is not None:
        return found
    if len(url) > MAX_LENGTH:
        raise UsageError(f"{url[:60]}... is longer than {MAX_LENGTH} characters", cause="no news address is")
    raise UsageError(f"{url!r} is not an http or https address", next="https://example.org/story")


def try_canonical(url: str, base: str | None = None) -> str | None:
    """`canonical`, or None where it would raise.

    Found once for a whole host: what a link says mostly does not depend on the page it stands on.
    """
    if base is not None:
        if url[:1] == "/":
            base = base[: base.find("/", 8) + 1] or base
        elif url.startswith(("https://", "http://")):
            base = None
    if len(url) > _CACHED_LENGTH:
        return _spelled(url, base)
    if "?" not in url or (parts := _SIMPLE.fullmatch(url)) is None:
        return _known(url, base)
    found, query = _known(parts[1], base), _known_query(parts[2])
    return f"{found}?{query}" if found and query else found


def _spelled(url: str, base: str | None) -> str | None:
    if len(url) > MAX_LENGTH:
        return None
    try:
        href = normalize_url(url) if base is None else join_url(base, url)
    except ValueError:  # half of a surrogate pair, as broken JSON may hold, is one, too
        return None
    parts = _HREF.match(href)
    if parts is None:
        return None
    scheme, authority, path, query = parts.groups("")
    if authority[-1] == "." or ".:" in authority:
        authority = _LAST_DOT.sub("", authority)
    path, sessions = _PATH_SESSION.subn("", _escape(path)) if any(map(path.__contains__, ";(%")) else (path, 0)
    query = _query(query) if query else ""
    found = f"{scheme}{authority}{path}{'?' if query else ''}{query}"
    if not authority or len(found) > MAX_LENGTH:
        return None
    return _spelled(found, None) if sessions else found


_known = lru_cache(maxsize=32768)(_spelled)


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


@lru_cache(maxsize=8192)
def domain(url: str) -> str:
    """The host's name without port and without a leading `www.`."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".").removeprefix("www.")
    except ValueError:
        return ""


def publication(url: str) -> str:
    """The domain that a publisher registered, by rule of thumb: `daily.example` of `amp.daily.example`, `daily.co.kr`."""
    labels = domain(url).split(".")
    return ".".join(
        labels[-3:] if len(labels[-1]) == 2 and labels[-2:-1] and labels[-2] in _REGISTRIES else labels[-2:]
    )


def is_front(url: str) -> bool:
    """Whether an address is that of a whole site, or of one language of it."""
    return _FRONT.fullmatch(url) is not None


def _escape(text: str) -> str:
    """Escapes in upper case, unreserved characters unescaped."""
    return _ESCAPE.sub(_one, text) if "%" in text else text


def _one(match: re.Match[str]) -> str:
    char = chr(int(match[1], 16))
    return char if char in _UNRESERVED else f"%{match[1].upper()}"


def _query(query: str) -> str:
    """Without noise, in order, spaces as %20."""
    pairs = (_escape(pair.replace("+", "%20")) for pair in query.split("&") if pair)
    return "&".join(sorted(pair for pair in pairs if not _NOISE.fullmatch(unquote(pair))))


_known_query = lru_cache(maxsize=8192)(_query)
