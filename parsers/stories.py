"""Is a link a story? From its address and its text alone.

A logistic scorer over a few readable features. The weights below were fitted on hand-labelled links of news homepages by
`tests/bench/train_links.py`, which also prints the accuracy cross-validated by homepage.
"""

import math
import re
from bisect import bisect
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from parsers.url import is_removed

_DATE = re.compile(r"/(?:19|20)\d\d[/-]?(?:0?[1-9]|1[0-2]|[a-z]{3})(?:[/-]?\d{1,2})?(?=[/-])", re.IGNORECASE)
_ID = re.compile(r"\d{5,}")
_HEX = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}|[0-9a-f]{12,}", re.IGNORECASE)
_PAID = re.compile(
    r"sponsor|advertorial|partner-?content|brand-?(?:studio|content|voice)|paid-?(?:post|content)|promoted",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"[a-z]{0,4}\d+\Z")
_DIGIT = re.compile(r"\d")
_PUNCTUATED = re.compile(r"[.!?…’”\"'»]\Z|\.\.\.|[?:;,]\s")
_QUERY_ID = re.compile(r"(?:^|&)(?:p|id|idxno|article|articleid|no|aid|newsid|oid)=\w*\d", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]+")
_END = re.compile(r"\.(?:s?html?|php|aspx?|ece|cms|jsp|stm|story)\Z", re.IGNORECASE)
# The pages of rented publishing systems (`articleView.html?idxno=11931`, `newsList.php?section=1`).
_VIEW_PAGE = re.compile(r"(?:article|news|story)[_-]?(?:view|read|detail)\Z")
_LIST_PAGE = re.compile(r"(?:article|news|story|section)[_-]?list\Z")
_FILE = re.compile(
    r"\.(?:pdf|jpe?g|png|gif|svg|webp|mp[34]|m4a|zip|xml|rss|json|css|js|ics|docx?|xlsx?)\Z", re.IGNORECASE
)
_LISTING = frozenset(
    """
    tag tags category categories topic topics section sections author authors auteur autor autores people person
    profile profiles staff team search page archive archives archivo archiv feed feeds rss series collections
    collection channel channels theme themes thema subject subjects keyword reporter reporters columnist
    columnists journalist writer writers users user community latest trending live hashtag label rubrik rubrique
    seccion sezione kategorie
    """.split()
)
_SERVICE = frozenset(
    """
    about about-us contact contact-us kontakt contacto privacy privacy-policy terms terms-of-service terms-of-use
    subscribe subscription subscriptions subscriber newsletter newsletters login signin sign-in register signup
    sign-up account accounts my-account donate donation support membership member members advertise advertising
    ads mediakit careers jobs job employment shop store cart checkout help faq faqs legal cookie cookies
    cookie-policy accessibility imprint impressum datenschutz weather horoscope horoscopes crossword puzzles
    puzzle games obituaries classifieds events event calendar podcast podcasts apps app mobile sitemap site-map
    corrections ethics masthead policies policy e-edition epaper eedition coupons vouchercodes deals promo sponsor
    sponsored partners partner licensing reprints syndication syndicate wp-login wp-admin wp-content auth sso
    share print email mailto submit survey form forms customer service services tv radio listen watch schedule
    shows staff-directory directory feedback press-release press-releases tip tips code-of-ethics company
    corporate mission awards funding funders internship internships disclaimer copyright dmca webcam webcams
    lottery traffic contests contest ccpa do-not-sell gift abo abonnement abonnieren suscripcion suscribete
    login.php
    """.split()
)
_STORY_WORDS = frozenset(
    "article articles artikel artikelen articulo artículo articolo artigo story stories nota notas post posts entry".split()
)
_NEWS_WORDS = frozenset("news noticia noticias nyheter nachrichten actualite actualites notizie nieuws".split())
_TO_READERS = frozenset("our us we your you my join get give submit request".split())
"""What a house says to its readers about itself; headlines say it seldom."""
_NAV_TEXT = re.compile(
    r"^(?:about|contact|privacy|terms|subscribe|sign (?:in|up)|log ?in|home|menu|search|more|see (?:all|more)|view (?:all|more)|"
    r"all |advertise|donate|newsletters?|careers|jobs|rss|sitemap|cookie|facebook|twitter|instagram|youtube|linkedin|"
    r"skip to|back to|read all|next|previous|older|newer|load more|show more|\d+$)",
    re.IGNORECASE,
)
_READ_MORE = re.compile(
    r"^(?:continue reading|read (?:more|full|the|on)|full story|weiterlesen|leer m[aá]s|lire)", re.I
)
_SOCIAL = re.compile(
    r"(?:^|\.)(?:facebook|twitter|x|instagram|youtube|youtu|linkedin|tiktok|pinterest|whatsapp|telegram|t|google|apple|spotify|"
    r"amazon|taboola|outbrain|reddit|flipboard|threads|bsky|vimeo|goo|bit|issuu|patreon|mailchi|list-manage|eventbrite|"
    r"indeed|legacy|paypal|surveymonkey|zendesk|wordpress|medium|github|microsoft)\.(?:com|be|me|ly|gl|co|org|app|net|at)\Z"
)
_SERVICE_HOST = re.compile(
    r"^(?:help|support|login|accounts?|my|subscribe|subscriptions?|shop|store|jobs|careers|ads?|advertising|classifieds|"
    r"static|cdn|img|media|games|coupons?|events|weather|status|secure|checkout|profile|membership|donate|newsletters?|"
    r"podcasts?|obituaries|learn|info|corporate|marketing|homes|cars|autos|realestate|rewards|epaper|e)\."
)


# A quantity becomes the largest of its levels that it reaches.
_DEPTHS = (0, 1, 2, 3, 4, 5)
_SLUG_WORDS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 10)
_SLUG_WIDTHS = (0, 8, 16, 24, 32, 40, 56, 72)
_TEXT_WIDTHS = (0, 1, 8, 16, 24, 32, 48, 64, 96, 160)


def features(url: str, text: str) -> Iterator[str]:
    """Names of the features that a link has; `NAME=LEVEL` for a quantity."""
    yield "bias"
    try:
        parts = urlsplit(url.strip())
        name = (parts.hostname or "").lower()
    except ValueError:
        yield "broken"
        return
    if parts.scheme not in ("", "http", "https"):
        yield "no-web"
    if _SOCIAL.search(name):
        yield "social-host"
    if _SERVICE_HOST.search(name):
        yield "service-host"
    path = unquote(parts.path).lower()
    segments = [segment for segment in path.split("/") if segment and segment not in ("index.html", "index.php")]
    stem = _END.sub("", segments[-1]) if segments else ""
    last = _words(stem)
    before = _words(segments[-2]) if len(segments) > 1 else []
    slug = last if len(last) >= len(before) else before
    text = " ".join(text.split())
    yield from _path(path, segments, stem, slug)
    if last and last[0] in _SERVICE and len(slug) < 4:
        yield "service-word"
    numbered = bool(_QUERY_ID.search(parts.query))
    if parts.query:
        yield "query-id" if numbered else "query"
    if numbered and _VIEW_PAGE.match(stem):
        yield "view-page"
    if (numbered or _NUMBER.match(stem)) and len(slug) < 2 and _width(text) >= 32:
        yield "numbered-headline"
    if _PAID.search(path) or _PAID.match(text):
        yield "paid"
    if parts.fragment:
        yield "fragment"
    words = _WORD.findall(text.lower())
    if not _TO_READERS.isdisjoint(words) or not _TO_READERS.isdisjoint(slug):
        yield "to-readers"
    yield from _text(text, len(words))


def _words(segment: str) -> list[str]:
    """Words of a part of the path, without numbers and codes."""
    return [word for word in _WORD.findall(segment) if not word.isdigit() and not _HEX.fullmatch(word)]


def _width(text: str) -> int:
    """Columns on the screen: a sign of Chinese, Japanese or Korean writing takes two."""
    return len(text) if text.isascii() else len(text) + sum(char > "\u2e7f" for char in text)


def _level(levels: tuple[int, ...], value: int) -> int:
    return levels[bisect(levels, value) - 1]


def _path(path: str, segments: list[str], stem: str, slug: list[str]) -> Iterator[str]:
    last = segments[-1] if segments else ""
    short = [part for part in map(_LETTERS.findall, segments) if len(part) < 4]
    yield f"depth={_level(_DEPTHS, len(segments))}"
    yield f"slug={_level(_SLUG_WORDS, len(slug))}"
    yield f"slug-width={_level(_SLUG_WIDTHS, max(map(_width, segments), default=0))}"
    if _DATE.search(path + "/"):
        yield "date"
    if _ID.search(stem):
        yield "id-in-slug"
    elif _ID.search(path):
        yield "id-in-path"
    if stem != last:
        yield "file-end"
    if _FILE.search(last):
        yield "download"
    if not _LISTING.isdisjoint(segments[:-1]):
        yield "listing"
    elif last in _LISTING:
        yield "listing-end"
    if any(_END.sub("", segment) in _SERVICE for segment in segments):
        yield "service"
    if not all(map(_STORY_WORDS.isdisjoint, short)):
        yield "story-word"
    if not all(map(_NEWS_WORDS.isdisjoint, short)):
        yield "news-word"
    if path.endswith("/") and len(segments) == 1:
        yield "one-folder"
    if _LIST_PAGE.match(stem):
        yield "list-page"


def _text(text: str, words: int) -> Iterator[str]:
    width = _width(text)
    # Some writing has no spaces between its words.
    count = max(words, width // 8)
    yield f"width={_level(_TEXT_WIDTHS, width)}"
    if count < 6 and _NAV_TEXT.match(text):
        yield "nav-text"
    if _READ_MORE.match(text):
        yield "read-more"
    if _PUNCTUATED.search(text):
        yield "punctuated"
    if text.endswith(("...", "…")):
        yield "cut-off"
    if count > 4 and _DIGIT.search(text):
        yield "text-digits"


BY_HAND = {"view-page": 4.4, "list-page": -3.0, "numbered-headline": 2.7}
"""Weights of features that hardly a homepage of the training has."""
WEIGHTS: dict[str, float] = {
    "bias": -4.66,
    "cut-off": 1.26,
    "date": 2.38,
    "depth=0": -0.08,
    "depth=1": 0.37,
    "depth=2": 1.41,
    "depth=3": 1.90,
    "depth=4": 1.96,
    "depth=5": 2.29,
    "download": -0.20,
    "file-end": -0.53,
    "fragment": 0.21,
    "id-in-path": 1.15,
    "id-in-slug": 0.16,
    "listing": -1.71,
    "listing-end": -0.13,
    "nav-text": -0.43,
    "news-word": 0.81,
    "no-web": -0.14,
    "one-folder": 0.75,
    "paid": -2.49,
    "punctuated": 0.71,
    "query": -0.13,
    "query-id": -0.40,
    "read-more": 1.16,
    "service": -1.42,
    "service-host": -1.34,
    "service-word": -0.85,
    "slug=0": -0.71,
    "slug=1": -1.22,
    "slug=2": -0.63,
    "slug=3": -0.04,
    "slug=4": 0.87,
    "slug=5": 1.23,
    "slug=6": 1.77,
    "slug=7": 1.87,
    "slug=8": 1.61,
    "slug=10": 1.89,
    "slug-width=0": -0.16,
    "slug-width=8": 0.83,
    "slug-width=16": 1.20,
    "slug-width=24": 1.61,
    "slug-width=32": 2.48,
    "slug-width=40": 3.05,
    "slug-width=56": 3.28,
    "slug-width=72": 3.67,
    "social-host": -0.89,
    "story-word": 2.62,
    "text-digits": -0.18,
    "to-readers": -0.79,
    "width=1": -0.82,
    "width=8": -1.04,
    "width=16": -0.45,
    "width=24": 0.53,
    "width=32": 1.21,
    "width=48": 2.32,
    "width=64": 2.20,
    "width=96": 2.08,
    "width=160": 2.30,
}


LIKELY = 0.4
"""What a story's link scores at least. A page that proves to be none costs a request, a story that is not asked for is lost."""
HEADED = 0.1
"""The same for a link in a heading: fronts set the headlines of their stories so."""


def is_story(url: str, text: str) -> bool:
    """Whether a link leads to a story, from its address (may be relative) and its text alone."""
    return score(url, text) > LIKELY


def is_section(url: str, text: str) -> bool:
    """Whether a menu's link leads to the front of a section: short, no story, no service, no author, no tag."""
    parts = urlsplit(url)
    segments = [segment.lower() for segment in parts.path.split("/") if segment]
    words = text.split()
    if not 1 <= len(segments) <= 3 or not words or len(words) > 5:
        return False
    if _LIST_PAGE.match(_END.sub("", segments[-1])):
        return True
    if parts.query:
        return False
    if any(_END.sub("", segment) in _SERVICE or _FILE.search(segment) for segment in segments):
        return False
    listing = [segment for segment in segments if segment in _LISTING]
    if listing and not set(listing) <= {
        "category",
        "categories",
        "section",
        "sections",
        "channel",
        "rubrik",
        "kategorie",
    }:
        return False
    return not is_story(url, text) or bool(listing)


def score(url: str, text: str) -> float:
    """Probability (0..1) that a link leads to a story; 1 for what stands where the address of one was struck out."""
    return 1.0 if is_removed(url) else _score(url[:2000], text[:1000])


@lru_cache(maxsize=2048)  # the links of a menu stand on every page
def _score(url: str, text: str) -> float:
    total = sum(WEIGHTS.get(name, BY_HAND.get(name, 0.0)) for name in features(url, text))
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))
