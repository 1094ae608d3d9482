"""A date as a site writes it to an instant, with its zone's source and its precision."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_tz
from functools import lru_cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from parsers.article import When

Precision = Literal["second", "minute", "day"]

_ISO = re.compile(
    r"(\d{4})-?(\d{2})-?(\d{2})(?:[T _](\d{1,2}):?(\d{2})(?::?(\d{2})(?:[.,]\d+)?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?(?![\d])",
    re.IGNORECASE,
)
_HALF = re.compile(r"(?:\d|\A)\s*[ap]\.?m\b", re.IGNORECASE)
"""A clock of twelve hours: neither ISO 8601 nor mail dates have one."""
_EPOCH = re.compile(r"\d{10}(?:\d{3})?\Z")
_TIME = re.compile(
    r"(?P<before>오전|오후|午前|午後|上午|下午)?\s*(?P<h>\d{1,2})(?:\s*[:.h시時点點]\s*(?P<m>\d{2})|(?=\s*[ap]\.?m))(?:\s*[:분分]\s*(?P<s>\d{2}))?"
    r"\s*[분分]?\s*(?P<after>[ap]\.?m\b\.?)?",
    re.IGNORECASE,
)
_OFFSET = re.compile(r"(?:(?:UTC|GMT)\s*)?([+-])(\d{1,2}):?(\d{2})?\b|\b(UTC|GMT|Z)\b")
_NUMBERS = (
    re.compile(r"(?P<y>(?:19|20)\d\d)\s*[년年]\s*(?P<m>\d{1,2})\s*[월月]\s*(?P<d>\d{1,2})\s*[일日]?"),
    re.compile(r"\b(?P<y>(?:19|20)\d\d)\s*[./-]\s*(?P<m>\d{1,2})\s*[./-]\s*(?P<d>\d{1,2})\b"),
    re.compile(r"\b(?P<d>\d{1,2})\s*[./-]\s*(?P<m>\d{1,2})\s*[./-]\s*(?P<y>(?:19|20)\d\d)\b"),
)
_WORDS = (
    re.compile(
        r"(?P<d>\d{1,2})(?:st|nd|rd|th|er|º|ª|\.)?\s*(?:de\s+|of\s+)?(?P<n>[^\W\d_]{3,12})\.?,?\s*(?:de\s+|del\s+)?(?P<y>(?:19|20)\d\d)\b"
    ),
    re.compile(r"(?P<n>[^\W\d_]{3,12})\.?\s+(?P<d>\d{1,2})(?:st|nd|rd|th)?\s*,?\s+(?P<y>(?:19|20)\d\d)\b"),
)
_MONTH_NAMES = """
january jan janvier januar jänner janeiro enero gennaio januari januar\u012b ocak stycznia января січня ianuarie
february feb février fevrier fév februar fevereiro febrero febbraio februari şubat lutego февраля лютого februarie
march mar mars märz marz mär março marco marzo maart mart marca марта березня martie
april apr avril avr abril aprile nisan kwietnia апреля квітня aprilie
may mai maio mayo maggio mei mayıs maja мая травня
june jun juin junho junio giugno juni haziran czerwca июня червня iunie
july jul juillet juil julho julio luglio juli temmuz lipca июля липня iulie
august aug août aout agosto ago augustus ağustos sierpnia августа серпня augusti
september sep sept septembre setembro septiembre set settembre eylül września сентября вересня septembrie
october oct octobre oktober okt outubro octubre out ottobre ott ekim października октября жовтня octombrie
november nov novembre novembro noviembre kasım listopada ноября листопада noiembrie
december dec décembre dezember dez dezembro diciembre dic dicembre déc aralık grudnia декабря грудня decembrie
"""
MONTHS = {word: number for number, line in enumerate(_MONTH_NAMES.split("\n")[1:13], 1) for word in line.split()}
# Zone words that name one offset in news pages; CST, IST and BST are left out: they name several.
_ZONES = {
    "kst": 9, "jst": 9, "utc": 0, "gmt": 0, "est": -5, "edt": -4, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8,
    "pdt": -7, "cet": 1, "cest": 2, "mez": 1, "mesz": 2, "eet": 2, "eest": 3, "msk": 3, "sgt": 8, "hkt": 8, "aest": 10,
    "aedt": 11, "sast": 2, "wib": 7,
}  # fmt: skip
_ZONE_WORD = re.compile(r"\b(" + "|".join(_ZONES) + r")\b", re.IGNORECASE)
_AFTERNOON = ("오후", "午後", "下午")
_FORENOON = ("오전", "午前", "上午")
MAX_LENGTH = 200


class _Found(NamedTuple):
    naive: datetime
    precision: Precision
    offset: tzinfo | None


def read(raw: str, zone: str | None = None) -> When:
    """The instant that `raw` names; never raises.

    `zone`: the site's IANA zone for dates without an offset; without it such dates are taken for UTC and say so
    (`assumed`). A day without a time is midnight in its zone. `utc` is None where the text names no date.
    """
    text = " ".join(raw.split())
    found = _find(text[:MAX_LENGTH])
    if found is None:
        return When(raw=text, utc=None, zone_source="assumed", precision="day")
    if found.offset is not None:
        return _when(text, found, found.offset, "offset")
    site = _zone(zone) if zone else None
    if site is not None:
        return _when(text, found, site, "site")
    return _when(text, found, UTC, "assumed")


def _when(text: str, found: _Found, zone: tzinfo, source: Literal["offset", "site", "assumed"]) -> When:
    try:
        utc = found.naive.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return When(raw=text, utc=None, zone_source=source, precision=found.precision)
    return When(raw=text, utc=utc, zone_source=source, precision=found.precision)


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _find(text: str) -> _Found | None:
    if _EPOCH.match(text):
        seconds = int(text[:10])
        return _Found(datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None), "second", UTC)
    iso = _ISO.search(text)
    if iso and (found := _iso(iso, text)):
        return found
    if found := _mail(text):
        return found
    for pattern in (*_NUMBERS, *_WORDS):
        for match in pattern.finditer(text):
            if found := _parts(match, text):
                return found
    return None


def _iso(match: re.Match[str], text: str) -> _Found | None:
    year, month, day, hour, minute, second, offset = match.groups()
    try:
        if hour is None:
            naive = datetime(int(year), int(month), int(day))  # noqa: DTZ001 - the zone is attached by the caller
            return _timed(naive, text[match.end() :])
        naive = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0))  # noqa: DTZ001
    except ValueError:
        return None
    if _HALF.match(text[match.end() :]):
        return _timed(datetime(int(year), int(month), int(day)), text[match.start(4) :])  # noqa: DTZ001
    zone = _offset(offset) if offset else _zone_word(text[match.end() :])
    return _Found(naive, "second" if second else "minute", zone)


def _offset(text: str) -> tzinfo | None:
    if text.upper() in ("Z", "UTC", "GMT"):
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    return _fixed(text[0], int(digits[:2]), int(digits[2:]))


def _fixed(sign: str, hours: int, minutes: int) -> tzinfo | None:
    if hours > 14 or minutes > 59:
        return None
    delta = timedelta(hours=hours, minutes=minutes)
    return timezone(-delta if sign == "-" else delta)


def _mail(text: str) -> _Found | None:
    """RFC 2822 section 3.3, as feeds write it."""
    if ("," not in text[:12] and not text[:2].strip().isdigit()) or _HALF.search(text):
        return None
    try:
        parsed = parsedate_tz(text)
        if parsed is None or not 1900 <= parsed[0] <= 2200 or ":" not in text:
            return None
        naive = datetime(*parsed[:6])  # noqa: DTZ001
    except (ValueError, TypeError, IndexError):
        return None
    seconds = parsed[9]
    named = re.search(r"[+-]\d{4}|\b(?:UTC?|GMT|Z)\s*$", text)
    if named and seconds is not None and abs(seconds) < 86_400:
        zone: tzinfo | None = timezone(timedelta(seconds=seconds))
    else:
        zone = _zone_word(text)
    return _Found(naive, "second" if text.count(":") > 1 else "minute", zone)


def _zone_word(text: str) -> tzinfo | None:
    match = _ZONE_WORD.search(text)
    return timezone(timedelta(hours=_ZONES[match[1].lower()])) if match else None


def _parts(match: re.Match[str], text: str) -> _Found | None:
    groups = match.groupdict()
    month = MONTHS.get(groups["n"].lower()) if groups.get("n") else int(groups["m"])
    if month is None:
        return None
    year, day = int(groups["y"]), int(groups["d"])
    if month > 12 and day <= 12 and not groups.get("n"):
        month, day = day, month
    try:
        naive = datetime(year, month, day)  # noqa: DTZ001
    except ValueError:
        return None
    return _timed(naive, text[match.end() :]) or _timed(naive, text[: match.start()])


def _timed(naive: datetime, rest: str) -> _Found:
    """The time of day in the text beside a date, if there is one."""
    match = _TIME.search(rest[:60])
    if match is None:
        return _Found(naive, "day", _zone_word(rest[:20]))
    hour, minute, second = int(match["h"]), int(match["m"] or 0), match["s"]
    after = (match["after"] or "").lower().replace(".", "")
    if (match["before"] in _AFTERNOON or after == "pm") and hour < 12:
        hour += 12
    elif (match["before"] in _FORENOON or after == "am") and hour == 12:
        hour = 0
    if hour > 23 or minute > 59:
        return _Found(naive, "day", None)
    tail = rest[match.end() : match.end() + 24]
    offset = _OFFSET.search(tail)
    zone: tzinfo | None = _zone_word(tail)
    if offset and offset[4]:
        zone = UTC
    elif offset and offset.start() <= 2:
        zone = _fixed(offset[1], int(offset[2]), int(offset[3] or 0))
    at = naive.replace(hour=hour, minute=minute, second=min(int(second or 0), 59))
    return _Found(at, "second" if second else "minute", zone)
