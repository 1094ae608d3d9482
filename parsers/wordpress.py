"""Posts of a WordPress site by its REST interface (`/wp-json/wp/v2/posts`): addresses, titles and dates, no texts."""

import json
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from parsers.errors import ParseError
from parsers.feeds import plain
from parsers.jsonld import whole
from parsers.page import Page
from parsers.sitemaps import Listed, Listing, instant, likely
from parsers.url import canonical, try_canonical

A_PAGE = 100
"""Posts a page: the most that WordPress gives."""
_FIELDS = "date_gmt,link,modified_gmt,title"


def address(url: str, *, page: int = 1, after: datetime | None = None) -> str:
    """The address of one page of posts, newest first, of the interface at `url`. `after`: only posts published later."""
    parts = urlsplit(url)
    ours = {"_fields": _FIELDS, "per_page": str(A_PAGE), "page": str(page)}
    if after is not None:
        ours["after"] = after.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    query = dict(parse_qsl(parts.query, keep_blank_values=True)) | ours
    return canonical(urlunsplit(parts._replace(query=urlencode(query, safe=",:"))))


def asked(url: str) -> tuple[int, datetime | None]:
    """The page's number and `after` of an address that `address` made."""
    query = dict(parse_qsl(urlsplit(url).query))
    number = query.get("page", "")
    return int(number) if number.isdigit() else 1, instant(query.get("after", ""))


def posts(page: Page) -> Listing:
    """Read one page of posts. Raises ParseError if it is none."""
    try:
        entries = whole(json.loads(page.text.lstrip()))
    except (ValueError, RecursionError) as error:
        raise _no_posts(page, str(error)) from error
    if not isinstance(entries, list):
        raise _no_posts(page, "it is no list of posts")
    items: dict[str, Listed] = {}
    for entry in entries[:A_PAGE]:
        link = entry.get("link") if isinstance(entry, dict) else None
        url = try_canonical(link, page.url) if link and isinstance(link, str) else None
        if url is None:
            continue
        title = entry.get("title")
        words = str(title.get("rendered") or "") if isinstance(title, dict) else ""
        published, modified = (likely(instant(str(entry.get(key) or "")), page) for key in ("date_gmt", "modified_gmt"))
        items.setdefault(url, Listed(url, plain(words), published, modified))
    total = page.header("x-wp-totalpages") or ""
    pages = int(total[:9]) if total.isdigit() else asked(page.url)[0] + (len(entries) >= A_PAGE)
    return Listing(tuple(items.values()), pages=pages)


def _no_posts(page: Page, cause: str) -> ParseError:
    return ParseError(
        f"{page.url} gives no posts of WordPress", cause=cause, next="use a front, a feed or a sitemap instead"
    )
