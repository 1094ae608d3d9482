"""A front that links to everything that may be wrong with an answer: one crawl, and what the archive says of each address.

Faults of one exchange stand in tests/test_fetch_faults.py, those of bytes alone in tests/test_wire.py and tests/test_coding.py.
"""

import gzip
import zlib
from collections.abc import Mapping
from itertools import zip_longest

import brotlicffi
import pytest
from test_crawl import PROSE, html, visit

from storage.archive import Archive
from tests.servers import Server, answer, head, moved

STORY = html("Two boats lost")
CHUNKED = {"Transfer-Encoding": "chunked"}
KOREAN, JAPANESE, CHINESE = "한국어 뉴스 기사", "日本語のニュース記事", "两艘船在海上失踪"
RUSSIAN, FRENCH, CZECH = "Две лодки пропали", "L’été à Besançon — €5", "Příliš žluťoučký kůň úpěl"


def raw(*lines: str, body: bytes = STORY) -> bytes:
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def sized(*lines: str) -> bytes:
    return raw("HTTP/1.1 200 OK", "Content-Type: text/html", *lines)


def chunks(*parts: bytes, end: bytes = b"0\r\n\r\n", **more: str) -> bytes:
    return head(headers=CHUNKED | more) + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + end


def coded(body: bytes, coding: str) -> bytes:
    return answer(body, headers={"Content-Encoding": coding})


def typed(body: bytes, kind: str = "text/html") -> bytes:
    return answer(body, headers={"Content-Type": kind})


def written(title: str, codec: str, label: str = "", *, meta: str = "", bom: bytes = b"", far: int = 0) -> bytes:
    """A story in some encoding. `label`: of the header; `far`: bytes before the meta element."""
    head = f"<!--{'x' * far}--><meta charset={meta}>" if meta else ""
    text = html(title, f"<p>{f'{title}, ' * 9}.</p>" * 20, head).decode()
    return typed(bom + text.encode(codec), f"text/html; charset={label}" if label else "text/html")


def damaged(title: str, label: str) -> bytes:
    """UTF-8 with two bytes that are none."""
    text = html(title, f"<p>{f'{title}, ' * 9}.</p>" * 20).replace(b"</article>", b"\xff\x96</article>")
    return typed(text, label)


def notice(title: str, words: str = "", more: str = "", *, status: int | str = 200, **headers: str) -> bytes:
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1><p>{words}</p>{more}</body></html>"
    return answer(page.encode(), status=status, headers={name.replace("_", "-"): v for name, v in headers.items()})


def to(location: str, status: str = "302 Found") -> bytes:
    """A redirect, its Location in UTF-8."""
    line = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    return line.encode()


RAW_DEFLATE = zlib.compress(STORY)[2:-4]
MAIL = b'From: <Saved>\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="b"\r\n\r\n--b\r\n\r\n'
LOST = """Oops! That page can’t be found.|We couldn't find that page|The page cannot be found|Nothing found|Diese Seite existiert nicht|
Cette page n'existe pas|No se encontró la página|Pagina niet gevonden|Nie znaleziono strony|Strona nie istnieje|Stránka nenalezena|
Sayfa bulunamadı|Sidan kunde inte hittas|Siden findes ikke|Fant ikke siden|Sivua ei löytynyt|Η σελίδα δεν βρέθηκε|
Такой страницы не существует|Сторінку не знайдено|Pagina nu a fost găsită|Az oldal nem található|الصفحة غير موجودة|הדף לא נמצא|
صفحه یافت نشد|Không tìm thấy trang|Halaman tidak ditemukan|ไม่พบหน้าที่คุณต้องการ|पृष्ठ नहीं मिला|お探しのページは見つかりません|삭제된 기사입니다|
页面未找到|頁面不存在""".replace("\n", "").split("|")

FAULTS: dict[str, Mapping[str, bytes]] = {
    "article": {
        # framing
        "chunk-extension": head(headers=CHUNKED) + b'%x;a="b;c"\r\n%b\r\n0\r\n\r\n' % (len(STORY), STORY),
        "trailers": chunks(STORY, end=b"0\r\nContent-Length: 5\r\nLocation: /x\r\n\r\n"),
        "bare-lf-chunks": head(headers=CHUNKED) + b"%x\n%b\n0\n\n" % (len(STORY), STORY),
        "coding-in-capitals": head(headers={"Transfer-Encoding": "Chunked"}) + chunks(STORY).partition(b"\r\n\r\n")[2],
        "length-beside-chunks": head(5, headers=CHUNKED) + chunks(STORY).partition(b"\r\n\r\n")[2],
        "length-twice": sized(f"Content-Length: {len(STORY)}", f"content-length: {len(STORY)}"),
        "length-listed": sized(f"Content-Length: {len(STORY)}, {len(STORY)}"),
        "http-1.0-keep-alive": raw("HTTP/1.0 200 OK", "Connection: keep-alive", f"Content-Length: {len(STORY)}"),
        "continue-twenty-times": b"HTTP/1.1 100 Continue\r\n\r\n" * 20 + answer(STORY),
        "folded-length": sized("Content-Length:", f"  {len(STORY)}"),
        "fold-before-fields": raw("HTTP/1.1 200 OK", " X: y", f"Content-Length: {len(STORY)}"),
        "203": answer(STORY, status="203 Non-Authoritative"),
        # codings
        "gzip-in-chunks-and-garbage": chunks(gzip.compress(STORY) + b"garbage", **{"Content-Encoding": "gzip"}),
        "two-members": coded(gzip.compress(STORY[:300]) + gzip.compress(STORY[300:]), "GZip"),
        "gzip-and-garbage": coded(gzip.compress(STORY) + b"\0\0\0x", "x-gzip, identity"),
        "raw-deflate": coded(RAW_DEFLATE, "deflate"),
        "deflate-and-garbage": coded(zlib.compress(STORY) + b"xx", "deflate"),
        # types
        "as-text": typed(STORY, "text/plain"),
        "as-zip": typed(STORY, "application/zip"),
        "two-types": raw("HTTP/1.1 200 OK", "Content-Type: application/pdf", "Content-Type: text/html"),
        "attachment": answer(STORY, headers={"Content-Disposition": "attachment; filename=x.html"}),
        "one-nul": answer(STORY.replace(b"</h1>", b"\0</h1>")),
        # what looks like a notice and is none
        "maintenance-workers": answer(
            html("Maintenance workers on strike", "<p>They left the harbor at noon.</p>" + PROSE)
        ),
        "house-for-sale": answer(
            html("Lighthouse for sale", "<p>The domain of the old baron is for sale.</p>" + PROSE)
        ),
    },
    "truncated": {
        "chunk-size-zz": head(headers=CHUNKED) + b"zz\r\n" + STORY,
        "chunk-size-negative": head(headers=CHUNKED) + b"-5\r\n" + STORY,
        "chunk-size-0x": head(headers=CHUNKED) + b"0x%x\r\n%b\r\n0\r\n\r\n" % (len(STORY), STORY),
        "chunk-size-huge": head(headers=CHUNKED) + b"f" * 17 + b"\r\n" + STORY,
        "second-chunk-bad": chunks(STORY[:500], end=b"zz\r\n"),
        "chunk-too-long": head(headers=CHUNKED) + b"5\r\n" + STORY + b"\r\n0\r\n\r\n",
        "endless-trailers": chunks(STORY, end=b"0\r\n" + b"X: y\r\n" * 20_000),
        "length-zero": sized("Content-Length: 0"),
        "206": answer(
            STORY[:700], status="206 Partial Content", headers={"Content-Range": f"bytes 0-699/{len(STORY)}"}
        ),
        "206-of-the-middle": answer(STORY, status="206 Partial", headers={"Content-Range": "bytes 700-1700/9999"}),
    },
    "bad_response": {
        "gzip-as-transfer-coding": head(headers={"Transfer-Encoding": "gzip, chunked"}) + gzip.compress(STORY),
        "unknown-transfer-coding": head(headers={"Transfer-Encoding": "frob"}) + STORY,
        "lengths-differ": sized(f"Content-Length: {len(STORY)}", "Content-Length: 5"),
        "length-with-plus": sized(f"Content-Length: +{len(STORY)}"),
        "length-negative": sized("Content-Length: -1"),
        "length-of-21-digits": sized(f"Content-Length: {'9' * 21}"),
        "http-0.9": STORY,
        "http-2": raw("HTTP/2 200 OK"),
        "icy": raw("ICY 200 OK"),
        "endless-interim": b"HTTP/1.1 102 Processing\r\n\r\n" * 20_000,
        "101": raw("HTTP/1.1 101 Switching Protocols", "Upgrade: h2c"),
        "304-with-body": answer(STORY, status="304 Not Modified"),
        "nul-in-head": raw("HTTP/1.1 200 OK", "X: a\0b"),
        "wrong-checksum": coded(gzip.compress(STORY)[:-8] + b"12345678", "gzip"),
        "gzip-called-br": coded(gzip.compress(STORY), "br"),
        "to-nowhere": raw("HTTP/1.1 302 Found", "Content-Length: 0", body=b""),
        "to-itself": to(""),
        "to-no-host": to("http://"),
        "to-no-port": to("http://127.0.0.1:99999/x"),
        "to-9000-characters": to("/" + "x" * 9000),
    },
    "too_large": {"length-99999999999": sized("Content-Length: 99999999999")},
    "error": {
        "300": answer(STORY, status="300 Multiple Choices", headers={"Location": "/target/"}),
        "305": answer(STORY, status="305 Use Proxy", headers={"Location": "http://127.0.66.6:1/"}),
        "306": answer(STORY, status="306 Unused"),
        "402": answer(STORY, status="402 Payment Required"),
        "451": notice("Unavailable", status="451 Unavailable For Legal Reasons"),
        "511": notice("Network", status="511 Network Authentication Required"),
        "999": notice("Denied", status="999 Denied"),
        "geo": notice(
            "451: Unavailable due to legal reasons", "Visitors from your country are not served, and it is a pity. " * 5
        ),
        "region": notice("Not available in your region"),
        "maintenance": notice(
            "Maintenance", "Briefly unavailable for scheduled maintenance. Check back in a minute. " * 3
        ),
        "back-soon": notice("We’ll be right back"),
        "under-maintenance": notice("Site under maintenance | Sea Post"),
        "parked": notice("sea.example", "This domain is parked free. Related searches: boats, sea, tides. " * 3),
        "for-sale": notice("sea.example is for sale", "Buy this domain. The owner of sea.example offers it. " * 3),
        "suspended": notice(
            "Account Suspended", "This account has been suspended. Contact your hosting provider. " * 3
        ),
        "default": notice(
            "Welcome to nginx!", "If you see this page, the server is successfully installed and working. " * 2
        ),
        "500-said-with-200": notice("500 Internal Server Error"),
        "database": notice("Error establishing a database connection"),
        "index-of": notice("Index of /news/"),
    },
    "challenge": {
        "cloudflare": notice("Just a moment...", "Enable JavaScript", "<script>window._cf_chl_opt={}</script>"),
        "cloudflare-ko": notice("잠시만 기다리십시오…", status=403, cf_mitigated="challenge"),
        "datadome": notice(
            "sea.example", "Please enable JS", "<script>var dd={'host':'geo.captcha-delivery.com'}</script>"
        ),
        "perimeterx": notice("Access to this page has been denied", "Press", "<div id=px-captcha></div>", status=403),
        "perimeterx-200": notice(
            "Access to this page has been denied", "Press &amp; Hold to confirm that you are human"
        ),
        "incapsula": answer(
            b"<html><body><iframe src='/_Incapsula_Resource?x=1'>Request unsuccessful.</iframe></body></html>"
        ),
        "aws": notice(
            "", "", "<div id=challenge-container></div>", status="202 Accepted", x_amzn_waf_action="challenge"
        ),
        "robot": notice("Are you a robot?", "Please confirm that you are none"),
        "verify": notice("Human Verification", status=405),
        "interruption": notice("Pardon Our Interruption..."),
    },
    "soft_404": {f"lost-{n}": notice(words) for n, words in enumerate(LOST)},
    "not_html": {
        "json": typed(b'{"title": "Two boats", "body": "<p>lost, and lost</p>"}', "application/json"),
        "json-as-html": answer(b'{"title": "Two boats", "body": "<p>' + b"lost, and lost. " * 90 + b'</p>"}'),
        "json-list-as-html": answer(b'[{"title": "<p>Two boats</p>"}]'),
        "image": answer(b"\x89PNG\r\n\x1a\n" + bytes(3000)),
        "webp": answer(b"RIFF\0\0\0\0WEBPVP8 " + bytes(3000)),
        "avif": answer(b"\0\0\0\x1cftypavif" + bytes(3000)),
        "drawing": answer(b"<svg xmlns='http://www.w3.org/2000/svg'><title>Two boats</title><text>lost</text></svg>"),
        "xml": typed(b"<?xml version='1.0'?><root><item>" + b"lost, and lost. " * 90 + b"</item></root>", "text/xml"),
        "text": typed(b"Two boats lost\n\n" + b"It was a dark night, and a long one. " * 60, "text/plain"),
        "text-with-brackets": typed(b"if a < b and c > d then\n" * 90, "text/plain"),
        "word-file": answer(b"PK\x03\x04" + bytes(500)),
        "mail": typed(MAIL + STORY, "multipart/related"),
        "mail-as-html": answer(MAIL + STORY),
        "two-letters": answer(b"OK"),
        "zeros": answer(bytes(5000)),
    },
    "empty": {
        "spaces": answer(b" \n\t " * 100),
        "script": answer(b"<script>location.href='/x'</script>"),
        "shell": answer(
            b"<html><head><title>Sea Post</title></head><body><div id=root></div><script src=/a.js></script></body></html>"
        ),
        "frames": answer(b"<html><head><title>Sea Post</title></head><frameset><frame src=/x></frameset></html>"),
        "no-elements": answer(b"<html></html>"),
        "nothing-zipped": coded(gzip.compress(b""), "gzip"),
        "nothing-called-zipped": coded(b"", "gzip"),
        "204-called-zipped": answer(b"", status="204 No Content", headers={"Content-Encoding": "gzip"}),
        "br-called-gzip": coded(brotlicffi.compress(STORY), "gzip"),
        "sign-in": moved("/sign-in?next=/x"),
    },
    "address_refused": {
        "to-ftp": to("ftp://127.0.0.1/x"),
        "to-data": to("data:text/html,<p>x"),
        "to-blank": to("about:blank"),
        "to-mail": to("mailto:kim@sea.example"),
        "to-source": to("view-source:http://127.0.0.1/target/"),
        "to-port-0": to("http://127.0.0.1:0/x"),
        "to-another-site": to("http://한빛.invalid/x"),
        "to-control-characters": to("/\x1b[31mred/"),
    },
}

TITLES: dict[str, tuple[str, bytes]] = {
    "cp1251": (RUSSIAN, written(RUSSIAN, "cp1251", "windows-1251")),
    "cp1251-unlabelled": (RUSSIAN, written(RUSSIAN, "cp1251")),
    "koi8-r": (RUSSIAN, written(RUSSIAN, "koi8-r", "KOI8-R")),
    "gb18030": (CHINESE, written(CHINESE, "gb18030", meta="gb2312")),
    "big5": ("兩艘船在海上失蹤", written("兩艘船在海上失蹤", "big5", "Big5")),
    "euc-jp": (JAPANESE, written(JAPANESE, "euc_jp", meta="x-euc-jp")),
    "iso-2022-jp": (JAPANESE, written(JAPANESE, "iso2022_jp", "iso-2022-jp")),
    "iso-2022-jp-meta": (JAPANESE, written(JAPANESE, "iso2022_jp", meta="ISO-2022-JP")),
    "windows-31j": (JAPANESE, written(JAPANESE, "cp932", "Windows-31J")),
    "windows-949": (KOREAN, written(KOREAN, "cp949", "'windows-949'")),
    "far-meta": (KOREAN, written(KOREAN, "cp949", meta="euc-kr", far=3000)),
    "too-far-meta": (KOREAN, written(KOREAN, "cp949", meta="euc-kr", far=9000)),
    "windows-874": ("เรือสองลำ", written("เรือสองลำ", "cp874", "windows-874")),
    "utf-16le": (FRENCH, written(FRENCH, "utf-16-le", "utf-16le")),
    "utf-16be": (KOREAN, written(KOREAN, "utf-16-be", "UTF-16BE")),
    "utf-16-unlabelled": (KOREAN, written(KOREAN, "utf-16-le")),
    "utf-16-bom": (KOREAN, written(KOREAN, "utf-16-be", "utf-8", bom=b"\xfe\xff")),
    "utf-32-bom": (KOREAN, written(KOREAN, "utf-32-le", "utf-8", bom=b"\xff\xfe\0\0")),
    "bom-beats-header": (KOREAN, written(KOREAN, "utf-8", "euc-kr", bom=b"\xef\xbb\xbf")),
    "two-bad-bytes": (KOREAN, damaged(KOREAN, "text/html; charset=utf-8")),
    "two-bad-bytes-unlabelled": (FRENCH, damaged(FRENCH, "text/html")),
    "cp1252-called-utf-8": (FRENCH, written(FRENCH, "cp1252", "utf-8")),
    "cp1250-unlabelled": (CZECH, written(CZECH, "cp1250")),
    "to-space": ("With a space", to("/with space/")),
    "to-unicode": ("Unicode", to("/t\u00f6re/")),
    "to-backslashes": ("Target", to("\\target\\")),
    "to-fragment": ("Target", to("/target/#top")),
    "to-white-space": ("Target", to(" \t /target/ ")),
    "to-no-slashes": ("Target", to("http:/target/")),
    "to-above-the-root": ("Target", to("../../../../target/")),
    "to-two-places": (
        "Target",
        raw("HTTP/1.1 302 F", "Location: /target/", "Location: /x/", "Content-Length: 0", body=b""),
    ),
    "to-301": ("Target", to("/target/", "301 Moved")),
    "to-303": ("Target", to("/target/", "303 See Other")),
    "to-307": ("Target", to("/target/", "307 Temporary")),
    "to-308": ("Target", to("/target/", "308 Permanent")),
}
NAMES = {name: verdict for verdict, those in FAULTS.items() for name in those}


def path(name: str) -> str:
    return f"/2026/03/10/two-boats-lost-in-the-high-tide-{name}/"


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[str, str]]:
    """By name: the capture's verdict or the queue's outcome, and the title."""
    # Good ones first, and the others in turn: neither a trap nor a host that refuses us again and again.
    pages = {
        f"good-{n}": answer(html(f"Boat {n}", f"<p>Number {n} of them was seen by the harbor master.</p>" * 9))
        for n in range(15)
    }
    turns = zip_longest(
        *(those.items() for those in FAULTS.values()), [(name, wire) for name, (_, wire) in TITLES.items()]
    )
    pages |= dict(pair for turn in turns for pair in turn if pair is not None)
    folder = tmp_path_factory.mktemp("faults") / "a"
    with Server() as server:
        server.at |= {path(name): wire for name, wire in pages.items()}
        user = server.base.replace("//", "//kim:secret@")
        for name, location in {"protocol": server.base[5:], "user": user, "capitals": server.base.upper()}.items():
            server.at[path(f"to-{name}")] = pages[f"to-{name}"] = to(f"{location}/target/")
        server.at["/target/"] = answer(html("Target"))
        server.at["/with%20space/"] = answer(html("With a space"))
        server.at["/t%C3%B6re/"] = answer(html("Unicode"))
        server.at["/sign-in?next=/x"] = notice(
            "Sign in", "", "<form><input type=password><button>Sign in</button></form>"
        )
        links = "".join(
            f'<h2><a href="{path(name)}">Two boats lost in the high tide, part {name}</a></h2>' for name in pages
        )
        server.at["/"] = answer(f"<html><title>Sea Post</title><body>{links}</body></html>".encode())
        assert visit(server, folder).state == "done"
        asked = [target for target in server.targets if "two-boats" in target]
        assert sorted(asked) == sorted(map(path, pages)), "each once"
    with Archive.open(folder) as archive:
        rows = archive.db.query(
            "SELECT f.url, coalesce(c.verdict, f.outcome) AS verdict, coalesce(a.title, '') AS title FROM frontier f "
            "LEFT JOIN captures c ON c.asked = f.url LEFT JOIN articles a ON a.url = c.url WHERE f.kind = 'story'"
        )
        found = {str(row["url"]): (str(row["verdict"]), str(row["title"])) for row in rows}
    return {name: found[server.url(path(name))] for name in pages}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_wrong_is_said(crawled: Mapping[str, tuple[str, str]], name: str) -> None:
    assert crawled[name][0] == NAMES[name]


@pytest.mark.parametrize("name", [*TITLES, "to-protocol", "to-user", "to-capitals"])
def test_what_can_be_read_is_read(crawled: Mapping[str, tuple[str, str]], name: str) -> None:
    assert crawled[name] == ("article", TITLES[name][0] if name in TITLES else "Target")
