"""A date as a site writes it to an instant, with its zone's source and its precision; and whether it can be right."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_tz
from functools import lru_cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from parsers.article import When

Precision = Literal["second", "minute", "day"]
Flag = Literal["future", "before_1990"]

_ISO = re.compile(
    r"(?<!\d)(?=\d{4}-|(?:19|20)\d{6})(\d{4})-?(\d{2})-?(\d{2})"
    r"(?:(?:[T _]|(?<=\d{8})(?=\d{4}(?:\d\d)?(?!\d)))(\d{1,2}):?(\d{2})(?::?(\d{2})(?:[.,]\d+)?)?"
    r"\s*\(?((?:UTC|GMT)\s*[+-]\d{1,2}(?::?\d{2})?|[+-]\d{2}:?\d{2}|[+-]\d{2}|(?:Z+|UTC|GMT)\b)?)?(?!\d)",
    re.IGNORECASE,
)
"""ISO 8601, extended or compact (`20260310`, `20260310090507`)."""
_URL_DAY = re.compile(r"/((?:19|20)\d\d)[/-](\d{1,2})[/-](\d{1,2})(?=[/_-])")
_HALF = re.compile(r"(?:\d|\A)\s*[ap]\.?m\b", re.IGNORECASE)
"""A clock of twelve hours: neither ISO 8601 nor mail dates have one."""
_EPOCH = re.compile(r"(\d{10})(?:\d{3})?(?:\.\d*)?\Z")
_TIME = re.compile(
    r"(?P<before>오전|오후|午前|午後|上午|下午|\b[ap]\.?m\.?(?=\s*\d))?\s*(?<!\d)(?P<h>\d{1,2})"
    r"(?:\s*[:.h]\s*(?P<m>\d{2})(?!\d)|\s*[시時时点點](?:\s*(?P<m2>\d{1,2})(?!\d))?|(?=\s*[ap]\.?m\b))"
    r"(?:\s*[:분分]\s*(?P<s>\d{2})(?!\d))?\s*[분分]?\s*(?P<after>[ap]\.?m\b\.?)?",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"\d:\d\d|\d\s*[ap]\.?m\b|\b[ap]\.?m\.?\s*\d", re.IGNORECASE)
"""A time without doubt, to be believed in front of a date."""
_OFFSET = re.compile(r"(?:(?:UTC|GMT)\s*)?([+-])(\d{1,2}):?(\d{2})?\b|\b(UTC|GMT|Z)\b")
_SIGNED = re.compile(r"([+-])(\d{1,2}?):?(\d{2})?\Z")
_NUMBERS = (
    re.compile(r"(?P<y>(?:19|20)\d\d)\s*[년年]\s*(?P<m>\d{1,2})\s*[월月]\s*(?P<d>\d{1,2})\s*[일日]?"),
    re.compile(r"\b(?P<y>(?:19|20)\d\d)\s*[./-]\s*(?P<m>\d{1,2})\s*[./-]\s*(?P<d>\d{1,2})\b"),
    re.compile(r"\b(?P<d>\d{1,2})\s*[./-]\s*(?P<m>\d{1,2})\s*[./-]\s*(?P<y>(?:19|20)\d\d)\b"),
)
_WORDS = (
    re.compile(
        r"(?P<d>\d{1,2})(?:st|nd|rd|th|er|º|ª|\.)?[\s/-]*(?:de\s+|of\s+)?(?P<n>[^\W\d_]{3,12})\.?,?[\s/-]*(?:de\s+|del\s+)?(?P<y>(?:19|20)\d\d)\b"
    ),
    re.compile(r"(?P<n>[^\W\d_]{3,12})\.?\s+(?P<d>\d{1,2})(?:st|nd|rd|th)?\s*,?\s+(?P<y>(?:19|20)\d\d)\b"),
    # asctime and Java's Date.toString: the year stands last
    re.compile(
        r"(?P<n>[^\W\d_]{3,12})\s+(?P<d>\d{1,2})\s+(?P<t>\d\d:\d\d(?::\d\d)?(?:\s+\w{1,5})?)\s+(?P<y>(?:19|20)\d\d)\b"
    ),
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
# Zone words that name one offset in news pages; CST, IST and BST are left out: they name several. Capitals only: "est"
# and "cet" are French words.
_ZONES = {
    "kst": 9, "jst": 9, "utc": 0, "gmt": 0, "est": -5, "edt": -4, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8,
    "pdt": -7, "cet": 1, "cest": 2, "mez": 1, "mesz": 2, "eet": 2, "eest": 3, "msk": 3, "sgt": 8, "hkt": 8, "aest": 10,
    "aedt": 11, "sast": 2, "wib": 7,
}  # fmt: skip
_ZONE_WORD = re.compile(r"\b(" + "|".join(_ZONES).upper() + r")\b")
# What American pages print right behind a time, in summer and in winter.
_AMERICAN = {"ET": "America/New_York", "CT": "America/Chicago", "MT": "America/Denver", "PT": "America/Los_Angeles"}
_AMERICAN_WORD = re.compile(r"[\s(]*(" + "|".join(_AMERICAN) + r")\b")
_MONTH_FIRST_ZONE = re.compile(
    r"US/|Pacific/(?:Honolulu|Guam)|Asia/Manila|America/(?:New_York|Chicago|Denver|Los_Angeles|Phoenix|Anchorage|Detroit|Boise|Juneau|"
    r"Sitka|Nome|Adak|Menominee|Metlakatla|Yakutat|Indiana/|Kentucky/|North_Dakota/)"
)
_MONTH_FIRST_WORD = re.compile(r"\b[ECMP][SD]?T\b")
_WIDE = str.maketrans("０１２３４５６７８９：／．，－−", "0123456789:/.,--")
_AFTERNOON = ("오후", "午後", "下午", "pm")
_FORENOON = ("오전", "午前", "上午", "am")
MAX_LENGTH = 200
FIRST_YEAR = datetime(1989, 12, 31, 10, tzinfo=UTC)
"""When 1990 began in the first zone of all (+14:00). Fewer news pages are older than that than dates are wrong."""


class _Found(NamedTuple):
    naive: datetime
    precision: Precision
    offset: tzinfo | None


def read(raw: str, zone: str | None = None) -> When:
    """The instant that `raw` names; never raises.

    `zone`: the site's IANA zone for dates without an offset; without it such dates are taken for UTC and say so
    (`assumed`). A day without a time is midnight in its zone; 24:00 is midnight of the day after. `utc` is None where the
    text names no date, years of two digits included: 10.03.26 is three days. 03/04/2026 is the 4th of March for
    American sites (by their zone or the one in the text), the 3rd of April for others.
    """
    text = " ".join(raw.split())
    found = _find(text[:MAX_LENGTH].translate(_WIDE), zone)
    if found is None:
        return When(raw=text, utc=None, zone_source="assumed", precision="day")
    if found.offset is not None:
        return _when(text, found, found.offset, "offset")
    site = _zone(zone) if zone else None
    if site is not None:
        return _when(text, found, site, "site")
    return _when(text, found, UTC, "assumed")


def of_address(url: str) -> datetime | None:
    """The day that a story's address names (`/2026/03/10/...`), as an instant in UTC."""
    match = _URL_DAY.search(url)
    return read("-".join(match.groups())).utc if match else None


def flag(when: When | None, captured: datetime | None) -> Flag | None:
    """Why a date cannot be right: `future` or `before_1990`; None if it may be, or if there is none.

    `captured`: aware instant of the capture; None leaves out `future`. What may lie ahead of it: an hour (clocks that go
    wrong, summer time not heeded); 14 hours where the zone is assumed, for the place may be that far east; a day for dates
    without a time, because papers print tomorrow's.
    """
    if when is None or when.utc is None:
        return None
    if when.utc < FIRST_YEAR:
        return "before_1990"
    ahead = 24 if when.precision == "day" else 14 if when.zone_source == "assumed" else 1
    return "future" if captured is not None and when.utc - captured > timedelta(hours=ahead) else None


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


def _find(text: str, zone: str | None) -> _Found | None:
    if epoch := _EPOCH.match(text):
        return _Found(datetime.fromtimestamp(int(epoch[1]), UTC).replace(tzinfo=None), "second", UTC)
    for iso in _ISO.finditer(text):
        if found := _iso(iso, text):
            return found
    if found := _mail(text):
        return found
    month_first = bool(_MONTH_FIRST_ZONE.match(zone or "") or _MONTH_FIRST_WORD.search(text))
    for pattern in (*_NUMBERS, *_WORDS):
        for match in pattern.finditer(text):
            if found := _parts(match, text, month_first):
                return found
    return None


def _iso(match: re.Match[str], text: str) -> _Found | None:
    year, month, day, hour, minute, second, offset = match.groups()
    try:
        naive = datetime(int(year), int(month), int(day))  # noqa: DTZ001 - the zone is attached by the caller
    except ValueError:
        return None
    if hour is None:
        return _timed(naive, text[match.end() :])
    if _HALF.match(text[match.end() :]):
        return _timed(naive, text[match.start(4) :])
    at = _clock(naive, int(hour), int(minute), int(second or 0))
    if at is None:
        return None
    zone = _offset(offset) if offset else _zone_word(text[match.end() :])
    return _Found(at, "second" if second else "minute", zone)


def _clock(day: datetime, hour: int, minute: int, second: int) -> datetime | None:
    """A time of a day; None if there is none. 24:00 is the end of the day (ISO 8601), 23:59:60 a leap second."""
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and minute + second > 0):
        return None
    try:
        return day + timedelta(hours=hour, minutes=minute, seconds=min(second, 59))
    except OverflowError:
        return None


def _offset(text: str) -> tzinfo | None:
    signed = _SIGNED.search(text)
    return _fixed(signed[1], int(signed[2]), int(signed[3] or 0)) if signed else UTC


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
        at = _clock(datetime(*parsed[:3]), *parsed[3:6])  # noqa: DTZ001
    except (ValueError, TypeError, IndexError):
        return None
    if at is None:
        return None
    named = re.search(r"(?<=\d\s)(?:(?:UTC|GMT)?[+-]\d{2}:?\d{2}\b|(?:UTC?|GMT|Z)\s*$)", text)
    zone = _offset(named[0]) if named else _zone_word(text)
    return _Found(at, "second" if text.count(":") > 1 else "minute", zone)


def _zone_word(text: str) -> tzinfo | None:
    """The zone that a word names."""
    if match := _AMERICAN_WORD.match(text):
        return _zone(_AMERICAN[match[1]])
    match = _ZONE_WORD.search(text)
    return timezone(timedelta(hours=_ZONES[match[1].lower()])) if match else None


def _parts(match: re.Match[str], text: str, month_first: bool) -> _Found | None:
    groups = match.groupdict()
    month = MONTHS.get(groups["n"].lower()) if groups.get("n") else int(groups["m"])
    if month is None:
        return None
    year, day = int(groups["y"]), int(groups["d"])
    numbers = not groups.get("n") and match.start("d") < match.start("m")
    if numbers and day <= 12 and (month > 12 or (month_first and "." not in match[0])):
        month, day = day, month
    try:
        naive = datetime(year, month, day)  # noqa: DTZ001
    except ValueError:
        return None
    if groups.get("t"):
        return _timed(naive, groups["t"])
    behind = _timed(naive, text[match.end() :])
    before = text[max(match.start() - 24, 0) : match.start()]
    if behind.precision == "day" and _CLOCK.search(before):
        return _timed(naive, before)
    return behind


def _timed(naive: datetime, rest: str) -> _Found:
    """The time of day in the text beside a date, if there is one."""
    match = _TIME.search(rest[:60])
    if match is None:
        return _Found(naive, "day", _zone_word(rest[:20]))
    hour, minute, second = int(match["h"]), int(match["m"] or match["m2"] or 0), match["s"]
    half = (match["before"] or match["after"] or "").lower().replace(".", "")
    if half in _AFTERNOON and hour < 12:
        hour += 12
    elif half in _FORENOON and hour == 12:
        hour = 0
    at = _clock(naive, hour, minute, int(second or 0))
    if at is None:
        return _Found(naive, "day", None)
    tail = rest[match.end() : match.end() + 24]
    offset = _OFFSET.search(tail)
    zone = _zone_word(tail)
    if offset and offset[4]:
        zone = UTC
    elif offset and offset.start() <= 2:
        zone = _fixed(offset[1], int(offset[2]), int(offset[3] or 0))
    return _Found(at, "second" if second else "minute", zone)
