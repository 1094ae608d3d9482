"""Words for messages: what came from the wire, made harmless."""

from urllib.parse import urlsplit, urlunsplit


def plain(text: str, limit: int = 160) -> str:
    """Printable characters only (no terminal is ever told anything by a site), cut at `limit`."""
    # Twice the limit is enough to look at: a header may be 100 kB long.
    kept = "".join(char if char.isprintable() else "?" for char in text[: 2 * limit]).strip()
    return kept if len(kept) <= limit and len(text) <= 2 * limit else f"{kept[:limit]}..."


def without_secrets(url: str) -> str:
    """The address without user name and password."""
    try:
        parts = urlsplit(url)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if "@" in parts.netloc else url
    except ValueError:
        return url.rpartition("@")[2]


def shown(url: str) -> str:
    """An address as it may be shown: no user name or password, no control characters, no endless length."""
    return plain(without_secrets(url))
