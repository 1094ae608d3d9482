"""The head of a page: JSON-LD, Open Graph, meta, in one order of trust, each value with its provenance."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from parsers import jsonld
from parsers.article import Image, Provenance
from parsers.page import Page
from parsers.text import clean, normalised
from parsers.url import is_front, publication, try_canonical

T = TypeVar("T")

_BY = re.compile(r"^(?:written\s+by|story\s+by|text\s+by|by|von|por|par|di|door|av|af|от)\s*:?\s+", re.IGNORECASE)
_AND = re.compile(
    r"\s+(?:and|und|et|y|e|og|och|en)\s+|\s*[;|&]\s*|\s*,\s+(?!(?:jr|sr|md|phd|ph\.d|m\.d|esq)\b)", re.IGNORECASE
)
_NO_PERSON = re.compile(
    r"https?:|www\.|@|\d|[/:©]|\b(?:admin|administrator|editor|editors|editorial|redaktion|redaktionen|redacci[oó]n|redazione|"
    r"redaction|r[ée]daction|staff|newsroom|news desk|desk|webdesk|team|agency|agencies|correspondents?|"
    r"contributors?|web|online|guest|author|unknown|anonymous|press release|newswire|image|getty|follow us|read|comments?|"
    r"posts?|updated|published|photos?|share|subscribe|email|more)\b",
    re.IGNORECASE,
)
_SIGN = re.compile(r"\s*\([a-zäöü.]{1,6}\)$|\s+[가-힣]{0,4}(?:기자|특파원|논설위원)$")
_ROLE_TAIL = re.compile(
    r"\s*(?:,|\||-|–|—|\()\s*(?:[\w\s-]{0,30}\b(?:reporter|correspondent|editor|writer|journalist|columnist|producer|"
    r"contributor|author|chief|bureau|news|redakteur(?:in)?|reuters|associated press|ap|afp)\b.*)$",
    re.IGNORECASE,
)
_SPLIT_TAGS = re.compile(r"\s*[,;|]\s*")
_LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*\Z")

MAX_ALTERNATES = 100
"""Links to other forms of a page that are looked at."""


class Value(NamedTuple, Generic[T]):
    """A value and where it came from."""

    value: T
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Head:
    """What the head of a page says. None where it says nothing; dates are raw text; addresses are canonical.

    `titles`: every candidate, most trusted first; `title` is the first. `sections`: outermost first. `kind`: JSON-LD
    type of the page's article-like node, else og:type. `robots`: words of the robots meta tags, in lower case.
    `alternates`: other addresses of the same text (hreflang of the page's own language).
    """

    titles: tuple[Value[str], ...] = ()
    description: Value[str] | None = None
    authors: Value[tuple[str, ...]] | None = None
    published: Value[str] | None = None
    modified: Value[str] | None = None
    sections: Value[tuple[str, ...]] | None = None
    tags: Value[tuple[str, ...]] | None = None
    language: Value[str] | None = None
    paywall: Value[bool] | None = None
    canonical: Value[str] | None = None
    alternates: tuple[str, ...] = ()
    image: Value[Image] | None = None
    site_name: Value[str] | None = None
    body: Value[str] | None = None
    kind: str | None = None
    robots: frozenset[str] = frozenset()
    tdm_reservation: bool = False

    @property
    def title(self) -> Value[str] | None:
        """The most trusted title of the head; a site's name may still hang on it."""
        return self.titles[0] if self.titles else None


def head(page: Page) -> Head:
    """Read the head of a page; the answer is kept with the page."""
    cached = page.__dict__.get("_head")
    if isinstance(cached, Head):
        return cached
    made = _Reader(page).head()
    page.__dict__["_head"] = made
    return made


class _Reader:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.meta: dict[str, list[str]] = {}
        self.itemprop: dict[str, list[str]] = {}
        for node in page.tree.css("meta"):
            attributes = node.attributes
            content = attributes.get("content")
            if not content or not (content := content.strip()):
                continue
            for key in ("property", "name"):
                if name := attributes.get(key):
                    self.meta.setdefault(name.strip().lower(), []).append(content)
                    break
            else:
                if name := attributes.get("itemprop"):
                    self.itemprop.setdefault(name.strip().lower(), []).append(content)
        self.nodes = jsonld.nodes(page)
        self.article = jsonld.main(self.nodes, page.url)

    def head(self) -> Head:
        site_name = self._site_name()
        name = site_name.value if site_name else ""
        sections = self._sections(name)
        language = self._language()
        return Head(
            titles=tuple(self._titles()),
            description=self._first(
                self._ld("description"),
                self._meta("og:description", "description", "twitter:description", "dc.description"),
            ),
            authors=self._authors(name),
            published=self._first(
                self._ld("datePublished", "dateCreated"),
                self._meta(
                    "article:published_time", "og:article:published_time", "og:published_time", "article:published",
                    "parsely-pub-date", "sailthru.date", "dc.date.issued", "dcterms.created", "dcterms.date", "dc.date",
                    "publish-date", "publishdate", "publish_date", "pubdate", "publication_date", "article.published",
                    "date", "dc.date.created", "cxenseparse:recs:publishtime", "citation_publication_date", "datepublished",
                ),
                self._prop("datepublished"),
            ),
            modified=self._first(
                self._ld("dateModified"),
                self._meta(
                    "article:modified_time", "og:updated_time", "article:updated_time", "last-modified", "dcterms.modified"
                ),
                self._prop("datemodified"),
            ),
            sections=sections,
            tags=self._tags(sections.value if sections else (), name),
            language=language,
            paywall=self._paywall(),
            canonical=self._canonical(),
            alternates=tuple(self._alternates(language.value if language else "")),
            image=self._image(),
            site_name=site_name,
            body=self._first(self._ld("articleBody")),
            kind=jsonld.kind(self.article) if self.article else next(iter(self.meta.get("og:type", ())), None),
            robots=frozenset(
                word.strip().lower()
                for name in ("robots", "newsmorgue")
                for content in self.meta.get(name, [])
                for word in content.split(",")
            ),
            tdm_reservation=self.meta.get("tdm-reservation", [""])[0] == "1",
        )  # fmt: skip

    def _first(self, *candidates: Iterable[Value[str]]) -> Value[str] | None:
        return next((value for group in candidates for value in group if value.value), None)

    def _ld(self, *keys: str) -> Iterator[Value[str]]:
        if self.article is None:
            return
        for key in keys:
            for text in jsonld.texts(self.article.get(key)):
                body = key == "articleBody"
                yield Value(text.strip() if body else clean(text), Provenance("json-ld", key))
                break

    def _meta(self, *names: str) -> Iterator[Value[str]]:
        for name in names:
            for content in self.meta.get(name, [])[:1]:
                yield Value(clean(content), Provenance("meta", name))

    def _prop(self, name: str) -> Iterator[Value[str]]:
        for content in self.itemprop.get(name, ())[:1]:
            yield Value(clean(content), Provenance("meta", f"itemprop={name}"))
        node = self.page.tree.css_first(f'[itemprop="{name}"]') or self.page.tree.css_first(
            f'[itemprop="{name.replace("date", "date").replace("published", "Published").replace("modified", "Modified")}"]'
        )
        if node is not None:
            attributes = node.attributes
            text = attributes.get("datetime") or attributes.get("content") or node.text(deep=True)
            yield Value(clean(text or ""), Provenance("dom", f"[itemprop={name}]"))

    def _titles(self) -> Iterator[Value[str]]:
        yield from (value for value in self._ld("headline", "name") if value.value)
        yield from self._meta("og:title", "twitter:title", "dc.title", "parsely-title", "sailthru.title")
        node = self.page.tree.css_first("head > title") or self.page.tree.css_first("title")
        if node is not None and (text := clean(node.text(deep=True))):
            yield Value(text, Provenance("dom", "title"))

    def _site_name(self) -> Value[str] | None:
        publisher = self.article.get("publisher") if self.article else None
        names = [name for item in jsonld.many(publisher) for name in jsonld.names(item)]
        return self._first(
            self._meta("og:site_name", "application-name", "apple-mobile-web-app-title"),
            [Value(clean(name), Provenance("json-ld", "publisher")) for name in names],
        )

    def _authors(self, site_name: str) -> Value[tuple[str, ...]] | None:
        candidates: list[tuple[list[str], Provenance]] = []
        if self.article is not None:
            for key in ("author", "creator"):
                found = [
                    name
                    for item in jsonld.many(self.article.get(key))
                    if "Organization" not in jsonld.types(item)
                    for name in jsonld.names(jsonld.resolve(item, self.nodes))
                ]
                candidates.append((found, Provenance("json-ld", key)))
        candidates.extend(
            (self.meta.get(name, []), Provenance("meta", name))
            for name in (
                "author",
                "parsely-author",
                "sailthru.author",
                "dc.creator",
                "article:author",
                "og:article:author",
                "dable:author",
                "byl",
                "citation_author",
            )
        )
        for found, provenance in candidates:
            if people := people_among(found, site_name):
                return Value(people, provenance)
        return None

    def _sections(self, site_name: str) -> Value[tuple[str, ...]] | None:
        found: list[str] = []
        source = Provenance("json-ld", "articleSection")
        if self.article is not None:
            found = [clean(text) for text in jsonld.texts(self.article.get("articleSection"))]
        if not found:
            for name in ("article:section", "og:article:section", "parsely-section", "section", "cxenseparse:section"):
                if name in self.meta:
                    found, source = [clean(text) for text in self.meta[name]], Provenance("meta", name)
                    break
        if not found:
            found, source = jsonld.breadcrumbs(self.nodes, self.page.url), Provenance("json-ld", "BreadcrumbList")
        plain = [text for text in found if text and normalised(text) != normalised(site_name)]
        return Value(tuple(dict.fromkeys(plain)), source) if plain else None

    def _tags(self, sections: Sequence[str], site_name: str) -> Value[tuple[str, ...]] | None:
        candidates: list[tuple[list[str], Provenance]] = []
        if self.article is not None:
            words = list(jsonld.texts(self.article.get("keywords")))
            candidates.append((words, Provenance("json-ld", "keywords")))
        candidates.extend(
            (self.meta.get(name, []), Provenance("meta", name))
            for name in ("article:tag", "og:article:tag", "news_keywords", "keywords", "parsely-tags", "sailthru.tags")
        )
        known = {normalised(text) for text in (*sections, site_name)}
        for found, provenance in candidates:
            words = found if len(found) > 1 else [part for text in found for part in _SPLIT_TAGS.split(text)]
            tags = [clean(text) for text in words if clean(text) and len(text) <= 100]
            tags = [tag for tag in tags if normalised(tag) not in known and ":" not in tag[:20]]
            if tags:
                unique = {normalised(tag): tag for tag in reversed(tags)}
                return Value(tuple(reversed(unique.values())), provenance)
        return None

    def _language(self) -> Value[str] | None:
        root = self.page.tree.css_first("html")
        stated = (root.attributes.get("lang") or root.attributes.get("xml:lang") or "") if root is not None else ""
        for value in (
            Value(stated.strip(), Provenance("dom", "html[lang]")),
            *self._ld("inLanguage"),
            *self._meta("og:locale", "content-language", "language", "dc.language"),
        ):
            if _LANGUAGE.match(value.value):
                first, _, rest = value.value.replace("_", "-").partition("-")
                tag = first.lower() + (f"-{rest.upper()}" if len(rest) == 2 else f"-{rest}" if rest else "")
                return Value(tag, value.provenance)
        return None

    def _paywall(self) -> Value[bool] | None:
        for node in (self.article, *self.nodes):
            free = node.get("isAccessibleForFree") if node else None
            if free is not None and not isinstance(free, dict | list):
                return Value(str(free).lower() in ("false", "0", "no"), Provenance("json-ld", "isAccessibleForFree"))
        for name in ("article:content_tier", "og:article:content_tier"):
            if name in self.meta:
                return Value(self.meta[name][0].lower() in ("locked", "metered"), Provenance("meta", name))
        return None

    def _canonical(self) -> Value[str] | None:
        """rel=canonical, else og:url, if it may be believed."""
        stated: list[tuple[str, Provenance]] = [
            (node.attributes.get("href") or "", Provenance("dom", "link[rel=canonical]"))
            for node in self.page.tree.css('link[rel="canonical"]')[:1]
        ]
        stated += [(text, Provenance("meta", "og:url")) for text in self.meta.get("og:url", ())[:1]]
        for text, provenance in stated:
            url = try_canonical(text.strip(), self.page.url) if text.strip() else None
            if url is not None and self._believed(url):
                return Value(url, provenance)
        return None

    def _believed(self, url: str) -> bool:
        """Whether a page may call an address its own: not the front of the site, nor anything of another publisher."""
        base = self.page.url
        own = publication(base)
        # A name under .invalid stands for an address that nobody gave (RFC 6761).
        return (publication(url) == own or own.endswith(".invalid")) and (is_front(base) or not is_front(url))

    def _alternates(self, language: str) -> Iterator[str]:
        """What hreflang names in the page's own language; a translation is another text."""
        for node in self.page.tree.css("link[rel~=alternate][hreflang][href]")[:MAX_ALTERNATES]:
            attributes = node.attributes
            if language and _primary(attributes.get("hreflang")) == _primary(language):
                url = try_canonical(attributes.get("href") or "", self.page.url)
                if url is not None and self._believed(url):
                    yield url

    def _image(self) -> Value[Image] | None:
        found = self._meta("og:image", "og:image:url", "twitter:image", "twitter:image:src")
        images = jsonld.many(self.article.get("image")) if self.article else []
        stated = [
            Value(url, Provenance("json-ld", "image"))
            for item in images
            if (url := item if isinstance(item, str) else item.get("url") if isinstance(item, dict) else None)
            and isinstance(url, str)
        ]
        for value in (*found, *stated):
            url = try_canonical(value.value, self.page.url)
            if url:
                return Value(Image(url), value.provenance)
        return None


def _primary(language: str | None) -> str:
    return (language or "").replace("_", "-").partition("-")[0].lower()


def people_among(names: Iterable[str], site_name: str = "") -> tuple[str, ...]:
    """Names of people among bylines: no "By", no roles, no desks, no addresses, not the site itself; once each."""
    people: dict[str, str] = {}
    for text in names:
        for part in _AND.split(_ROLE_TAIL.sub("", _BY.sub("", clean(text)))):
            name = _SIGN.sub("", _ROLE_TAIL.sub("", _BY.sub("", part.strip(" ,.-–—|/"))).strip())
            plain = normalised(name)
            if not name or len(name) > 60 or len(name.split()) > 6 or _NO_PERSON.search(name):
                continue
            if site_name and (plain == normalised(site_name) or normalised(site_name) in plain):
                continue
            if name.isupper() and len(name) > 4:
                name = name.title()
            people.setdefault(plain, name)
    return tuple(people.values())
