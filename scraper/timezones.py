"""The zone of a site from what it shows: an IANA name, and where that comes from; no name where more than one would fit."""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from parsers.url import domain

_OFFSET = re.compile(r":\d\d(?:\.\d+)?\s?([+-][01]\d):?([0-5]\d)\s*\Z")
_SOLD_ABROAD = frozenset("ai cc co fm gg io ly me to tv ws".split())
"""Domains of countries that anyone buys for their sound."""
_SPOKEN_IN = dict(
    pair.split("=")
    for pair in """
    cs=CZ da=DK el=GR et=EE fi=FI he=IL hu=HU hy=AM is=IS ja=JP ka=GE ko=KR lt=LT lv=LV pl=PL th=TH tr=TR vi=VN
    """.split()
)
"""Languages whose papers are printed in one country."""


class Zone(NamedTuple):
    """`name`: an IANA name, None if it is not known. `why`: where it comes from, or why there is none."""

    name: str | None
    why: str


def guess(stated: str, home: str, language: str | None, written: Sequence[str], now: datetime) -> Zone:
    """The zone of a site.

    `stated`: what its own interface says, "" if nothing. `written`: dates of stories as printed; their offsets count, but not
    those of UTC, which say how a server writes. Without a country (domain, language) an offset names no zone.
    """
    if stated and _is_zone(stated):
        return Zone(stated, "WordPress states it")
    country, told = _country(home, language)
    offsets = sorted({found[1] + found[2] for text in written if (found := _OFFSET.search(text))} - {"+0000", "-0000"})
    shown = ", ".join(f"{offset[:3]}:{offset[3:]}" for offset in offsets)
    if not country:
        return Zone(None, f"stories are dated {shown}, which fits several zones" if shown else "nothing tells it")
    zones = _zones().get(country, ())
    if offsets:
        zones = tuple(name for name in zones if _in_use(name, now) & set(offsets))
        told += f", stories dated {shown}"
    if len(zones) == 1:
        return Zone(zones[0], f"a guess: {told}")
    return Zone(None, f"{told}: {', '.join(zones[:3]) + ' and others' if zones else 'no zone'} would fit")


def _country(home: str, language: str | None) -> tuple[str, str]:
    """The country's code of two letters and what tells it; "" if nothing does."""
    ending = domain(home).rpartition(".")[2]
    code = "GB" if ending == "uk" else ending.upper()
    if ending not in _SOLD_ABROAD and code in _zones():
        return code, f"domain .{ending}"
    spoken = (language or "").partition("-")[0].lower()
    return _SPOKEN_IN.get(spoken, ""), f"language {spoken}"


@cache
def _zones() -> dict[str, tuple[str, ...]]:
    """IANA names by country, from the table that belongs to the zones themselves."""
    found: dict[str, tuple[str, ...]] = {}
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _, name = line.split("\t")[:3]
            found[country] = (*found.get(country, ()), name)
    return found


def _in_use(name: str, now: datetime) -> set[str]:
    """Offsets of a zone in winter and in summer."""
    zone = ZoneInfo(name)
    return {datetime(now.year, month, 1, tzinfo=zone).strftime("%z") for month in (1, 7)}


def _is_zone(name: str) -> bool:
    try:
        return "/" in name and bool(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
