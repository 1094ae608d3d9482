"""HTML files by a list: one JSON object a line, `{html_path or path, url, encoding?, captured?}`."""

import json
import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from parsers import links
from parsers.errors import UsageError
from parsers.page import Page
from parsers.url import canonical
from storage.foreign import Broken, Found, opened
from storage.records import Resource

_CHARSET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,39}")


def pages(path: Path, max_bytes: int, now: datetime) -> Iterator[Found | Broken]:
    """The pages that a list names, in order. `max_bytes`: of one file, unpacked. `now`: the time of those without one.

    Paths are relative to the list's folder; the list and the files may be `.gz`. `captured` is ISO 8601; without a zone it
    is UTC.
    """
    number = 0
    try:
        with opened(path) as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    where = f"{path.name}:{number}"
                    try:
                        yield _found(where, line, path.parent, max_bytes, now)
                    except (ValueError, UsageError, OSError, EOFError, zlib.error) as error:
                        yield Broken(where, _words(error))
    except (OSError, EOFError, zlib.error) as error:
        yield Broken(f"{path.name}:{number + 1}", f"the list cannot be read any further: {error}")


def _found(where: str, line: bytes, folder: Path, max_bytes: int, now: datetime) -> Found:
    values = json.loads(line)
    if not isinstance(values, dict):
        raise ValueError("is no JSON object")
    name = values.get("html_path") or values.get("path")
    if not isinstance(name, str) or not name:
        raise ValueError("names no file: html_path or path")
    if not isinstance(values.get("url"), str):
        raise ValueError("has no url")
    url = canonical(values["url"])
    with opened(folder / name) as file:
        body = file.read(max_bytes + 1)
    if len(body) > max_bytes:
        raise ValueError(f"{name} is larger than {max_bytes} bytes (max_bytes in [crawl])")
    captured = _captured(values)
    answer = Resource(url, captured or now, body, _content_type(values, url, body))
    return Found(where, answer, dated=captured is not None)


def _captured(values: dict[str, object]) -> datetime | None:
    text = values.get("captured")
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise ValueError(f"captured {text!r} is no time in ISO 8601") from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def _content_type(values: dict[str, object], url: str, body: bytes) -> str:
    media = "text/html"
    if links.looks_like_feed(Page(url, body)):
        media = "application/json" if body.lstrip()[:1] == b"{" else "application/xml"
    encoding = values.get("encoding")
    if encoding is None:
        return media
    if not isinstance(encoding, str) or not _CHARSET.fullmatch(encoding):
        raise ValueError(f"encoding {encoding!r} is no charset")
    return f"{media}; charset={encoding}"


def _words(error: Exception) -> str:
    match error:
        case json.JSONDecodeError() | UnicodeDecodeError():
            return f"is no JSON: {error}"
        case UsageError():
            return error.what
        case OSError() if error.filename:
            return f"{error.filename}: {error.strerror}"
        case _:
            return str(error)
