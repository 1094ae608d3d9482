"""Is a link a story? From its address and its text alone.

A logistic scorer over a few readable features. The weights below were fitted on hand-labelled links of news homepages by
`tests/bench/train_links.py`, which also prints the accuracy cross-validated by homepage.
"""

import math
import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from parsers.url import is_removed

_DATE = re.compile(r"/(?:19|20)\d\d[/-]?(?:0?[1-9]|1[0-2]|[a-z]{3})(?:[/-]?\d{1,2})?(?=[/-])", re.IGNORECASE)
_ID = re.compile(r"\d{5,}")
_HEX = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}|[0-9a-f]{12,}", re.IGNORECASE)
_STORY_ID = re.compile(
    r"(?:\A|[-_./])(?:article|artikel|articolo|story|nota|noticia|news|post|entry|content)s?[-_]?"
    r"(?:\d{4,}|[0-9a-f]{8}-[0-9a-f]{4}|\w*_n_[0-9a-f]{12,})",
    re.IGNORECASE,
)
_PAID = re.compile(
    r"sponsor|advertorial|partner-?content|brand-?(?:studio|content|voice)|paid-?(?:post|content)|promoted",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")
_LATIN = re.compile(r"[a-z]", re.IGNORECASE)
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
_STORY_WORDS = frozenset("article articles story stories news noticia noticias nota artikel nyheter".split())
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


def features(url: str, text: str) -> Iterator[str]:
    """Names of the features that a link has."""
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
    path = unquote(parts.path)
    segments = [
        segment for segment in path.split("/") if segment and segment.lower() not in ("index.html", "index.php")
    ]
    yield from _path(path, segments, parts.query)
    if _PAID.search(path) or _PAID.match(text.strip()):
        yield "paid"
    if parts.fragment:
        yield "fragment"
    yield from _text(" ".join(text.split()))


def _path(path: str, segments: list[str], query: str) -> Iterator[str]:
    yield f"depth={min(len(segments), 5)}"
    lowered = [segment.lower() for segment in segments]
    last = lowered[-1] if lowered else ""
    slug = _END.sub("", last)
    words = [word for word in _WORD.findall(slug) if not word.isdigit() and not _HEX.fullmatch(word)]
    before = [word for word in _WORD.findall(lowered[-2]) if not word.isdigit()] if len(lowered) > 1 else []
    most = max(len(words), len(before))
    foreign = sum(1 for char in slug if not char.isascii())
    yield f"slug={min(most, 8)}"
    if most >= 4:
        yield "slug-long"
    if foreign > 8:
        yield "slug-foreign"
    if _DATE.search(path + "/"):
        yield "date"
        if most >= 3:
            yield "date-and-slug"
    if _ID.search(slug):
        yield "id-in-slug"
    elif _ID.search(path):
        yield "id-in-path"
    if _STORY_ID.search(path):
        yield "story-id"
    if _HEX.search(path):
        yield "hex"
    if _END.search(last):
        yield "file-end"
    if _FILE.search(last):
        yield "download"
    if any(segment in _LISTING for segment in lowered[:-1]):
        yield "listing"
    elif last in _LISTING:
        yield "listing-end"
    if any(_END.sub("", segment) in _SERVICE for segment in lowered):
        yield "service"
    elif words and words[0] in _SERVICE and most < 4:
        yield "service-word"
    if any(segment in _STORY_WORDS for segment in lowered[:-1]):
        yield "story-word"
    if path.endswith("/") and len(segments) == 1:
        yield "one-folder"
    if query:
        numbered = re.search(r"(?:^|&)(?:p|id|idxno|article|articleid|no|aid|newsid|oid)=\w*\d", query, re.I)
        yield "query-id" if numbered else "query"
        if numbered and _VIEW_PAGE.match(slug):
            yield "view-page"
    if _LIST_PAGE.match(slug):
        yield "list-page"
    if re.search(r"\d", slug) and words:
        yield "digits"


def _text(text: str) -> Iterator[str]:
    words = _WORD.findall(text)
    latin = bool(_LATIN.search(text))
    count = len(words) if latin else len(text) // 3
    yield f"words={min(count, 4) if count < 5 else 5 if count < 8 else 8 if count < 16 else 16}"
    if not text:
        yield "no-text"
    if _NAV_TEXT.match(text) and count < 6:
        yield "nav-text"
    if _READ_MORE.match(text):
        yield "read-more"
    if re.search(r"[.!?…’”\"'»]\Z|\.\.\.|[?:;,]\s", text):
        yield "punctuated"
    if text.endswith(("...", "…")):
        yield "cut-off"
    if re.search(r"\d", text) and count > 4:
        yield "text-digits"
    if text.isupper() and count < 4:
        yield "shouted"
    if count > 2 and latin and sum(word[0].islower() for word in words) * 3 >= len(words):
        yield "sentence-case"


BY_HAND = {"view-page": 3.0, "list-page": -3.0}
"""Weights of features that no homepage of the training has."""
WEIGHTS: dict[str, float] = {
    "bias": -1.84,
    "cut-off": 0.80,
    "date": 1.31,
    "date-and-slug": 0.58,
    "depth=0": -0.62,
    "depth=1": -0.62,
    "depth=2": -0.06,
    "depth=3": 0.58,
    "depth=4": 0.36,
    "depth=5": 0.36,
    "digits": 0.45,
    "download": -0.06,
    "file-end": 0.10,
    "fragment": 0.08,
    "hex": 0.08,
    "id-in-path": 0.48,
    "id-in-slug": 0.78,
    "listing": -0.88,
    "listing-end": -0.13,
    "nav-text": -0.38,
    "no-web": -0.08,
    "one-folder": 0.21,
    "paid": -0.53,
    "punctuated": 0.88,
    "query": -0.14,
    "query-id": -0.07,
    "read-more": 0.50,
    "sentence-case": 0.37,
    "service": -0.80,
    "service-host": -0.36,
    "service-word": -0.22,
    "shouted": -0.08,
    "slug-long": 1.80,
    "slug=0": -0.39,
    "slug=1": -1.06,
    "slug=2": -0.48,
    "slug=3": 0.13,
    "slug=4": -0.21,
    "slug=5": 0.11,
    "slug=6": 0.53,
    "slug=7": 0.54,
    "slug=8": 0.82,
    "social-host": -0.26,
    "story-id": 0.40,
    "story-word": 0.60,
    "text-digits": 0.04,
    "words=0": -0.05,
    "words=1": -0.92,
    "words=16": 0.60,
    "words=2": -0.46,
    "words=3": -0.44,
    "words=4": -0.32,
    "words=5": 0.34,
    "words=8": 1.25,
}


LIKELY = 0.4
"""What a story's link scores at least. A page that proves to be none costs a request, a story that is not asked for is lost."""
HEADED = 0.2
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
