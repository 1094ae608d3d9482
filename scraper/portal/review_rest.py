"""The Review's REST interface, as WordPress documents it for `wp/v2/posts`: pages, dates, order, totals in the head."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zlib import crc32

from scraper.portal.paper import Answer
from scraper.portal.stories import Story, slug

if TYPE_CHECKING:
    from scraper.portal.review import Review

MOST = 100  # posts a page, WordPress's own limit


def answer(paper: "Review", path: Sequence[str], query: Mapping[str, str]) -> Answer:
    """What stands below `/wp-json/`."""
    match [part for part in path if part]:
        case []:
            routes = {
                f"/wp/v2/{name}": {"namespace": "wp/v2", "methods": ["GET"]}
                for name in ("posts", "categories", "tags", "users")
            }
            about = {"name": "Namsan Review", "url": paper.base.rstrip("/"), "timezone_string": "Asia/Seoul"}
            return _json(about | {"namespaces": ["wp/v2"], "routes": routes})
        case ["wp", "v2", "posts"]:
            return _posts(paper, query)
        case ["wp", "v2", "posts", number] if number.isdecimal():
            found = [story for story in paper.stories if story.id == int(number)]
            return _json(_post(paper, found[0])) if found else _error(404, "rest_post_invalid_id", "Invalid post ID.")
        case ["wp", "v2", ("categories" | "tags" | "users") as kind]:
            return _json(_terms(paper, kind))
    return _error(404, "rest_no_route", "No route was found matching the URL and request method.")


def _posts(paper: "Review", query: Mapping[str, str]) -> Answer:
    try:
        size, number = int(query.get("per_page", "10")), int(query.get("page", "1"))
        after, before, changed = (_instant(query.get(key)) for key in ("after", "before", "modified_after"))
    except ValueError:
        return _error(400, "rest_invalid_param", "Invalid parameter(s)")
    if not 1 <= size <= MOST or number < 1:
        return _error(400, "rest_invalid_param", "Invalid parameter(s): per_page")
    found = [
        story
        for story in paper.stories
        if (after is None or story.published > after)
        and (before is None or story.published < before)
        and (changed is None or story.modified > changed)
    ]
    by_change = query.get("orderby") == "modified"
    found.sort(key=lambda story: story.modified if by_change else story.published, reverse=query.get("order") != "asc")
    pages = -(-len(found) // size)
    if number > max(1, pages):
        return _error(
            400,
            "rest_post_invalid_page_number",
            "The page number requested is larger than the number of pages available.",
        )
    posts = [_post(paper, story) for story in found[(number - 1) * size : number * size]]
    if fields := query.get("_fields"):
        posts = [{key: value for key, value in post.items() if key in fields.split(",")} for post in posts]
    return _json(posts, {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages)})


def _instant(text: str | None) -> datetime | None:
    """ISO 8601; without a zone it is the site's local time."""
    if text is None:
        return None
    when = datetime.fromisoformat(text.replace(" ", "+"))
    return when if when.tzinfo else datetime.fromisoformat(f"{text}+09:00")


def _post(paper: "Review", story: Story) -> dict[str, object]:
    return {
        "id": story.id,
        "date": story.published.replace(tzinfo=None).isoformat(),
        "date_gmt": _gmt(story.published),
        "guid": {"rendered": f"{paper.base}?p={story.id}"},
        "modified": story.modified.replace(tzinfo=None).isoformat(),
        "modified_gmt": _gmt(story.modified),
        "slug": story.slug,
        "status": "publish",
        "type": "post",
        "link": paper.url(story),
        "title": {"rendered": story.title.replace("&", "&amp;")},
        "content": {"rendered": paper.content(story), "protected": False},
        "excerpt": {"rendered": f"<p>{paper.excerpt(story)}</p>\n", "protected": False},
        "author": _number(story.authors[0]) if story.authors else 1,
        "featured_media": 0,
        "comment_status": "open",
        "sticky": False,
        "format": "standard",
        "meta": {"footnotes": ""},
        "categories": [_number(story.section)],
        "tags": [_number(tag) for tag in story.tags],
        "_links": {"self": [{"href": f"{paper.base}wp-json/wp/v2/posts/{story.id}"}]},
    }


def _terms(paper: "Review", kind: str) -> list[dict[str, object]]:
    words = {
        word
        for story in paper.stories
        for word in {"categories": (story.section,), "tags": story.tags, "users": story.authors}[kind]
    }
    place = {"categories": "category", "tags": "tag", "users": "author"}[kind]
    return [
        {"id": _number(word), "name": word, "slug": slug(word), "link": paper.about(place, word)}
        for word in sorted(words)
    ]


def _number(word: str) -> int:
    return crc32(word.encode()) % 10_000


def _gmt(when: datetime) -> str:
    return when.astimezone(UTC).replace(tzinfo=None).isoformat()


def _error(status: int, code: str, message: str) -> Answer:
    return _json({"code": code, "message": message, "data": {"status": status}}, status=status)


def _json(value: object, headers: Mapping[str, str] | None = None, status: int = 200) -> Answer:
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":")).replace("/", "\\/")
    return Answer(status, text.encode(), "application/json; charset=UTF-8", headers=dict(headers or {}))
