"""What kind of page this really is. Bytes before labels; an article must have a body."""

import re
from urllib.parse import urlsplit

from parsers import metadata
from parsers.article import Article, Verdict
from parsers.page import Page
from parsers.text import clean

_MAGIC = (
    b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"RIFF", b"\x00\x00\x00\x18ftyp", b"\x00\x00\x00\x1cftyp",
    b"\x00\x00\x00 ftyp", b"ID3", b"OggS", b"\x1aE\xdf\xa3", b"\x1f\x8b", b"wOFF", b"wOF2", b"7z\xbc\xaf", b"MZ", b"\x7fELF",
    b"II*\x00", b"MM\x00*", b"\x00\x00\x01\x00", b"FLV\x01", b"BZh", b"Rar!",
)  # fmt: skip
_STRAY_NULS = 4
_OTHER_TEXT = re.compile(rb"<\?xml|<svg|[\[{]\s*(?:\{\s*)?\"[^\"<]{1,80}\"\s*[:,]", re.IGNORECASE)
"""XML that is no XHTML, drawings, JSON: whatever their label says."""
_MAIL = re.compile(rb"(?:[A-Za-z-]+:[^\n]{0,1000}\n(?:[ \t][^\n]{0,1000}\n)*){0,20}MIME-Version:", re.IGNORECASE)
"""Pages saved as mail (MHTML)."""
_MARKUP = re.compile(rb"<(?:!doctype|html|head|body|title|meta|div|p|article|h1|table|script|!--|\?xml)", re.IGNORECASE)
_CHALLENGE = re.compile(
    r"just a moment|attention required|checking your browser|verify(?:ing)? (?:that )?you are (?:a )?human|are you a robot|"
    r"access denied|request blocked|please enable (?:js|javascript) and (?:disable any ad|cookies)|ddos protection by|"
    r"pardon our interruption|security check|unusual traffic|human verification|captcha|robot check|bot detection|"
    r"you have been blocked|error 1020|access to this page has been denied",
    re.IGNORECASE,
)
_CHALLENGE_MARKUP = re.compile(
    rb"cf-chl|cdn-cgi/challenge-platform|_cf_chl_opt|captcha-delivery\.com|px-captcha|perimeterx|_Incapsula_Resource|"
    rb"distil_r_captcha|geo\.captcha|awswaf|aws-waf-token|datadome|kpsdk|sucuri_cloudproxy",
    re.IGNORECASE,
)
_CHALLENGE_ALONE = re.compile(
    rb"_cf_chl_opt|captcha-delivery\.com|px-captcha|_Incapsula_Resource|distil_r_captcha|geo\.captcha|aws-waf-token|awswaf\.com|"
    rb"kpsdk|sucuri_cloudproxy",
    re.IGNORECASE,
)
"""What makes a page with status 200 a challenge if it is small and holds no prose: the scripts of guards stand on good pages, too."""
_SMALL = 20_000
_CONSENT_PATH = re.compile(r"/(?:consent|cookie-?wall|privacy-?gate|gdpr|cmp)(?:[/?.-]|\Z)", re.IGNORECASE)
_CONSENT_HOST = re.compile(r"^(?:consent|cmp|privacy-mgmt|guce|myprivacy)\.", re.IGNORECASE)
_CONSENT_TEXT = re.compile(
    r"(?:we|wir|nous|our partners|partners|site)\b.{0,200}\b(?:cookies?|consent|zustimmung|consentement|personal data)|"
    r"\b(?:accept|agree|akzeptieren|accepter|zustimmen)\b.{0,60}\b(?:cookies?|all|alle|tout|terms|continue)|"
    r"before you continue|cookie (?:consent|preferences|settings)|your privacy (?:choices|matters|is important)",
    re.IGNORECASE | re.DOTALL,
)
_LOST = re.compile(
    r"(?:page|article|story|content|document|file)\b.{0,30}\b(?:not (?:be )?found|not exist|no longer (?:available|exists?)|"
    r"(?:has been |was )?(?:removed|deleted)|unavailable|missing)|"
    r"(?:not found|^404\b|\b404 error|error 404|can(?:['’]?t|not) be found|"
    r"(?:can(?:['’]?t|not)|could(?: not|n['’]t)) find (?:that|the|this) page|^nothing (?:was )?found|"
    r"(?:page|article|story) (?:isn['’]t|is not) available|seite nicht gefunden|nicht gefunden|"
    r"seite existiert nicht|page (?:introuvable|non trouv[ée]e)|page n['’]existe (?:pas|plus)|p[aá]gina no (?:encontrada|existe)|"
    r"no se (?:ha )?encontr(?:ó|ado) la p[aá]gina|p[aá]gina n[aã]o encontrada|pagina non trovata|pagina niet gevonden|"
    r"nie znaleziono strony|strona nie istnieje|str[aá]nka (?:nenalezena|neexistuje)|sayfa bulunamad[ıi]|"
    r"sidan (?:hittades inte|kunde inte hittas|finns inte)|siden (?:blev ikke|findes ikke|finnes ikke)|fant ikke siden|"
    r"sivua ei löy|σελίδα δεν (?:βρέθηκε|υπάρχει)|"
    r"страниц[аы] не (?:найдена|существует)|сторінк[уаи] не (?:знайдено|існує)|pagina nu (?:a fost g[aă]sit[aă]|exist[aă])|"
    r"oldal nem található|الصفحة غير موجودة|لم يتم العثور على الصفحة|הדף לא נמצא|یافت نشد|không tìm thấy trang|trang không tồn tại|"
    r"halaman tidak ditemukan|ไม่พบหน้า|(?:पृष्ठ|पेज) नहीं मिला|페이지를 찾을 수 없|찾을 수 없습니다|존재하지 않는|삭제된 (?:기사|페이지|게시물)|"
    r"ページ[がは]見つかりません|见つかりません|找不到|[页頁]面(?:不存在|未找到))",
    re.IGNORECASE,
)
_DOWN = re.compile(
    r"^(?:(?:(?:the|our) )?(?:web)?site )?(?:is )?(?:currently )?(?:under|down for|undergoing)? ?(?:scheduled )?maintenance(?: mode)?"
    r"(?:\s*[|–—:-].*)?\Z|"
    r"^we(?:['’]ll be|['’]re| will be) (?:right |be )?back|"
    r"^(?:http )?(?:error )?5\d\d:? (?:internal|server|service|bad gateway|gateway|error)|"
    r"^(?:internal server error|service (?:temporarily )?unavailable|bad gateway|gateway time-?out)\b|^error establishing a database|"
    r"^welcome to (?:nginx|openresty|apache)|^apache2? .{0,30}default page|^index of /|^account (?:has been )?suspended|"
    r"unavailable (?:due to|for) legal reasons|not available in your (?:country|region|location|area)",
    re.IGNORECASE,
)
"""Headings of pages that a server, a host or a gate shows instead of what was asked for."""
_PARKED = re.compile(
    r"\b(?:buy|acquire|own) this domain|\bdomain (?:name )?(?:is|may be|has been)\b.{0,20}\b(?:for sale|parked|expired)|domain parking",
    re.IGNORECASE,
)
_PAYWALL_TAIL = re.compile(
    r"(?:subscribe|subscription|sign in|log in|register|become a member|members? only|premium content|to (?:continue|keep) "
    r"reading|to read (?:the full|this|more)|abonn|weiterlesen|suscr[ií]b|prenumerera|유료|구독)",
    re.IGNORECASE,
)
_CONTINUE = re.compile(
    r"(?:subscribe|sign in|log in|register|become a (?:member|subscriber)|start your (?:free )?trial).{0,40}\b(?:to|and) (?:continue|keep|"
    r"finish) reading|to (?:continue|keep) reading|read the (?:full|rest of (?:the|this)) (?:story|article).{0,40}(?:subscri|member|"
    r"register)|this (?:article|story|content) is (?:for|only available to) (?:subscribers|members|registered)|jetzt weiterlesen mit|"
    r"lesen sie weiter mit|réservé aux abonnés|solo para suscriptores",
    re.IGNORECASE,
)
SHORT_TEXT = 600
"""Characters of visible text under which a page may be nothing but a notice."""
SHORT_BODY = 700
"""Characters of body under which a page behind a paywall is only its teaser."""
MANY_CARDS = 12
SOME_CARDS = 3
LONG = 200
"""Bytes of a paragraph that is no teaser: letters of most scripts, a third of that in Chinese or Korean."""
_LISTS = frozenset("home blog archive category tag author search search-results".split())
_SINGLES = re.compile(r"(?:^|\s)(?:single|singular|article|postid|attachment)(?:$|[\s-])")
_LIST_PATH = re.compile(r"/(?:category|categories|section|tag|topic|author|page/\d+)(?:/|\Z)")
_STORIES = frozenset(
    "article newsarticle blogposting liveblogposting reportagenewsarticle opinionnewsarticle report".split()
)


def of_response(page: Page) -> Verdict | None:
    """The verdict that status, bytes and markup give by themselves; None if the page has to be read."""
    if page.status in (404, 410):
        return "gone"
    if page.status == 206:  # nobody asked for a part
        return "truncated"
    body = page.body
    challenged = _challenge(page)
    if challenged and (page.status >= 400 or _prose(page) < SHORT_TEXT):
        return "challenge"
    if not 200 <= page.status < 300:
        return "error"
    if not body.strip():
        return "truncated" if page.truncated else "empty"
    if _binary(page):
        return "not_html"
    if page.truncated:
        return "truncated"
    return _notice(page)


def of_article(page: Page, article: Article) -> Verdict:
    """The verdict once a page has been read."""
    length = sum(len(block.text) for block in article.blocks)
    if not article.title and length < 200:
        return "front" if len(article.cards) >= MANY_CARDS else "empty"
    if length == 0:
        if len(article.cards) >= MANY_CARDS:
            return "front"
        return "teaser_only" if article.paywall or article.teaser else "empty"
    if length < SHORT_BODY:
        if article.paywall is not False and _CONTINUE.search(_visible(page)):
            return "teaser_only"
        tail = " ".join(block.text for block in article.blocks[-2:])
        if article.paywall or (
            _PAYWALL_TAIL.search(tail) and length < SHORT_BODY // 2 and article.paywall is not False
        ):
            return "teaser_only"
        if len(article.cards) >= MANY_CARDS and length < 200 and article.published is None:
            return "front"
    return "article"


def lists_stories(page: Page, article: Article) -> bool:
    """Whether a page that announces stories is nothing else: by its address, by WordPress's words for such pages, or
    because most of what reads like a body stands in its cards. What the head calls a story is never a front."""
    if len(article.cards) < SOME_CARDS or (metadata.head(page).kind or "").lower() in _STORIES:
        return False
    length = sum(len(block.text) for block in article.blocks)
    announced = {text for card in article.cards for text in (card.title, card.teaser)}
    of_cards = sum(len(block.text) for block in article.blocks if block.text in announced)
    if 2 * of_cards > length:
        return True
    classes = page.tree.body.attributes.get("class") or "" if page.tree.body is not None else ""
    parts = urlsplit(page.url)
    if _SINGLES.search(classes.lower()):
        return False
    if _LISTS & set(classes.lower().split()):
        return True
    root = parts.path in ("", "/") and not parts.query and len(article.cards) >= MANY_CARDS
    long = [block for block in article.blocks if len(block.text.encode()) >= LONG and block.text not in announced]
    return (root or _LIST_PATH.search(parts.path.lower()) is not None) and len(long) < 3


def _binary(page: Page) -> bool:
    """Not HTML by its bytes; a label counts only where the bytes say nothing."""
    start = page.body[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(_MAGIC):
        return True
    if page.charset.name.startswith(("utf-16", "utf-32")):
        return False
    if start[4:8] == b"ftyp" or start[:512].count(b"\x00") > _STRAY_NULS:
        return True
    if start.startswith((b"{", b"[")) and page.content_type.endswith("json"):
        return True
    if _OTHER_TEXT.match(start) and b"<html" not in start.lower():
        return True
    if _MAIL.match(start):
        return True
    if _MARKUP.search(page.body[:65536]):
        return False
    return page.content_type not in ("", "text/html", "application/xhtml+xml") or b"<" not in page.body


def _challenge(page: Page) -> bool:
    if page.header("cf-mitigated") == "challenge":
        return True
    if (page.header("x-amzn-waf-action") or "").lower() in ("challenge", "captcha"):
        return True
    if page.status in (401, 403, 405, 429, 503) and _CHALLENGE_MARKUP.search(page.body[:200_000]):
        return True
    if len(page.body) < _SMALL and _CHALLENGE_ALONE.search(page.body) and not _prose(page):
        return True
    if len(page.body) > 300_000 or b"<" not in page.body[:4096]:
        return False
    title = _title(page)
    return bool(title and _CHALLENGE.search(title) and len(title) < 80)


def _title(page: Page) -> str:
    node = page.tree.css_first("title")
    return clean(node.text(deep=True)) if node is not None else ""


def _prose(page: Page) -> int:
    """Characters of paragraphs that read like an article's."""
    texts = (clean(node.text(deep=True) or "") for node in page.tree.css("p")[:100])
    return sum(len(text) for text in texts if len(text) >= 80)


def _visible(page: Page) -> str:
    """Text of paragraphs and headings, without menus: what a notice would say."""
    nodes = page.tree.css("h1, h2, h3, p, li, td")
    return clean(" ".join(node.text(deep=True) or "" for node in nodes[:400]))


def _notice(page: Page) -> Verdict | None:
    """Pages that are nothing but a notice: a consent form, or "not found" said with status 200."""
    address = urlsplit(page.url)
    moved = page.asked != page.url
    asked_for_it = _CONSENT_PATH.search(urlsplit(page.asked).path) is not None
    consents = _CONSENT_HOST.match(address.hostname or "") or _CONSENT_PATH.search(address.path)
    if moved and consents and not asked_for_it:
        return "consent"
    heading = page.tree.css_first("h1")
    head = clean(heading.text(deep=True)) if heading is not None else ""
    title = _title(page)
    for text in (head, title):
        if text and len(text) < 100 and _LOST.search(text) and _prose(page) < SHORT_TEXT:
            return "soft_404"
        if text and len(text) < 100 and _DOWN.search(text) and _prose(page) < SHORT_TEXT:
            return "error"
    visible = _visible(page)
    if len(visible) < SHORT_TEXT and _PARKED.search(visible):
        return "error"
    whole = page.tree.body
    if len(visible) < 2 * SHORT_TEXT and whole is not None and page.tree.css_first("form, button") is not None:
        words = clean(whole.text(deep=True, separator=" ") or "")
        if len(words) < 3 * SHORT_TEXT and _CONSENT_TEXT.search(words) and page.tree.css_first("article, time") is None:
            return "consent"
    return None
