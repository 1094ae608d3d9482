"""The numbers of a text."""

import re
import unicodedata
from decimal import Decimal

Figure = tuple[Decimal | str, bool]
"""A value and whether it is a percentage. What is no plain number (a date, a version) is a value as it is written."""

MAX_DIGITS = 30
"""A longer run of digits is kept as it is written."""
_PERCENT = "%|percent|per cent|pct|prozent|procent|pour cent|por ciento|por cento|per cento|퍼센트|パーセント"
_POWERS = {
    3: "thousand|tausend|tsd|mille|mil|천|千",
    4: "만|万|萬",
    6: "million|millions|millionen|mn|mio|millón|millones|milhão|milhões|milione|milioni|miljoen|miljoner",
    8: "억|億|亿",
    9: "billion|billions|bn|milliard|milliards|milliarde|milliarden|mrd|miliardo|miliardi|miljard|miljarder",
    12: "trillion|trillions|tn|조|兆",
}
_POWER = {word: power for power, words in _POWERS.items() for word in words.split("|")}


def _unit(words: str) -> str:
    return "|".join(word + r"\b" if word[-1].isascii() and word[-1].isalpha() else word for word in words.split("|"))


_NUMBER = re.compile(
    r"(\d(?:\d{0,2}(?: \d{3})+(?!\d)(?:[.,]\d+)?|\d*(?:[.,']\d+)*))"
    rf"(?:[ -]?(?:(?P<percent>{_unit(_PERCENT)})|(?P<power>{_unit('|'.join(_POWERS.values()))})))?"
)
_NAME = re.compile(r"(?:[a-z]-|(?<!\w)[a-z])\Z")
"""What stands before the number of a name: Covid-19, F-16, G7."""
_MINUS = re.compile(r"(?<![^\s(])-\Z")
_COMMAS = re.compile(r"[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}(?:\.\d+)?\Z")  # 1,200.5 and, in India, 1,00,000
_POINTS = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?\Z")  # 1.200,5


def figures(text: str) -> set[Figure]:
    """The numbers that stand in a text in digits.

    "1,200", "1 200", "1.200" and "1200" are one value, as are "1.2 million" and "1,200,000", "3%" and "3 percent". How
    often a number occurs does not count.
    """
    folded = unicodedata.normalize("NFKC", text).replace("−", "-").replace("’", "'").casefold()
    found = set()
    for match in _NUMBER.finditer(folded):
        before = folded[max(match.start() - 3, 0) : match.start()]
        if not _NAME.search(before):
            found.add(_figure(match, negative=_MINUS.search(before) is not None))
    return found


def _figure(match: re.Match[str], *, negative: bool) -> Figure:
    written = match[1]
    plain = re.sub("[ ']", "", written)
    if _COMMAS.match(plain):
        plain = plain.replace(",", "")
    elif _POINTS.match(plain):
        plain = plain.replace(".", "").replace(",", ".")
    else:
        plain = plain.replace(",", ".")
    percent = match["percent"] is not None
    if plain.count(".") > 1 or len(plain) > MAX_DIGITS:
        return written, percent
    value = Decimal(plain).scaleb(_POWER[match["power"]] if match["power"] else 0)
    return -value if negative else value, percent
