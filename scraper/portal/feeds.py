"""Feeds and sitemaps as publishing systems write them. All text is escaped here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape

from scraper.portal.paper import utc

_MAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_NEWS = "http://www.google.com/schemas/sitemap-news/0.9"


@dataclass(frozen=True, slots=True)
class Item:
    """A story in a feed or sitemap. `url`: with all that is put behind it there. `content`: its whole text, as markup."""

    url: str
    guid: str
    title: str
    published: datetime
    modified: datetime
    authors: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    excerpt: str = ""
    content: str = ""


def rss(
    items: Iterable[Item], *, title: str, home: str, own: str, language: str = "en-US", encoding: str = "UTF-8"
) -> str:
    """RSS 2.0."""
    lines = [
        f'<?xml version="1.0" encoding="{encoding}"?>',
        '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"',
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom">',
        f"<channel><title>{_text(title)}</title>",
        f'<atom:link href="{own}" rel="self" type="application/rss+xml" /><link>{home}</link>',
        f"<description></description><language>{language}</language>",
    ]
    for item in items:
        lines += [
            f"<item><title>{_text(item.title)}</title><link>{escape(item.url)}</link>",
            *(f"<dc:creator><![CDATA[{author}]]></dc:creator>" for author in item.authors),
            f"<pubDate>{format_datetime(item.published.astimezone(UTC))}</pubDate>",
            *(f"<category><![CDATA[{word}]]></category>" for word in item.words),
            f'<guid isPermaLink="false">{escape(item.guid)}</guid>',
            f"<description><![CDATA[{_text(item.excerpt)}]]></description>",
            *([f"<content:encoded><![CDATA[{item.content}]]></content:encoded>"] if item.content else []),
            "</item>",
        ]
    return "\n".join([*lines, "</channel></rss>"])


def atom(items: Iterable[Item], *, title: str, home: str, own: str, updated: datetime) -> str:
    """Atom 1.0 (RFC 4287)."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en-US">',
        f'<title type="text">{_text(title)}</title><updated>{_zulu(updated)}</updated>',
        f'<link rel="alternate" type="text/html" href="{home}" /><link rel="self" type="application/atom+xml" href="{own}" />',
        f"<id>{own}</id>",
    ]
    for item in items:
        lines += [
            "<entry>",
            *(f"<author><name>{_text(author)}</name></author>" for author in item.authors),
            f'<title type="html"><![CDATA[{_text(item.title)}]]></title>',
            f'<link rel="alternate" type="text/html" href="{escape(item.url)}" /><id>{escape(item.guid)}</id>',
            f"<updated>{_zulu(item.modified)}</updated><published>{_zulu(item.published)}</published>",
            *(f'<category term="{escape(word)}" />' for word in item.words),
            f'<summary type="html"><![CDATA[{_text(item.excerpt)}]]></summary>',
            *([f'<content type="html"><![CDATA[{item.content}]]></content>'] if item.content else []),
            "</entry>",
        ]
    return "\n".join([*lines, "</feed>"])


def sitemap_index(maps: Iterable[tuple[str, datetime]]) -> str:
    """A sitemap of sitemaps: addresses and when each last changed."""
    entries = (f"<sitemap><loc>{escape(url)}</loc><lastmod>{utc(at)}</lastmod></sitemap>" for url, at in maps)
    return _document("sitemapindex", f'xmlns="{_MAP}"', entries)


def sitemap(items: Iterable[tuple[str, datetime | None]]) -> str:
    """A sitemap: addresses and when each last changed."""
    entries = (
        f"<url><loc>{escape(url)}</loc>{f'<lastmod>{utc(at)}</lastmod>' if at else ''}</url>" for url, at in items
    )
    return _document("urlset", f'xmlns="{_MAP}"', entries)


def news_sitemap(items: Iterable[Item], *, name: str, language: str) -> str:
    """A sitemap as news aggregators want it: what the last two days brought, with names, times and titles."""
    entries = (
        f"<url><loc>{escape(item.url)}</loc><news:news><news:publication><news:name>{_text(name)}</news:name>"
        f"<news:language>{language}</news:language></news:publication><news:publication_date>{item.published.isoformat()}"
        f"</news:publication_date><news:title>{_text(item.title)}</news:title></news:news></url>"
        for item in items
    )
    return _document("urlset", f'xmlns="{_MAP}" xmlns:news="{_NEWS}"', entries)


def _document(root: str, names: str, entries: Iterable[str]) -> str:
    return "\n".join([f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} {names}>', *entries, f"</{root}>"])


def _text(words: str) -> str:
    return escape(words, quote=False)


def _zulu(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
