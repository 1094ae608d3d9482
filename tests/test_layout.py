"""Layouts, sites and the registry: the date orders, the page decides; a known site that broke looks broken."""

import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from parsers import registry
from parsers.errors import NoLayoutFits, UsageError
from parsers.layout import Layout
from parsers.page import Page
from parsers.site import Site
from parsers.themes.generic import Generic
from parsers.themes.tagdiv import TagDiv

TEXT = "<p>" + "The council met on Monday to talk about the bridge, the budget and the price of bread. " * 4 + "</p>"
NEW = f'<html><head><title>A new bridge</title></head><body><h1>A new bridge</h1><div class="story-2024">{TEXT}</div></body></html>'
OLD = f'<html><head><title>An old bridge</title></head><body><h1>An old bridge</h1><div class="entry">{TEXT}</div></body></html>'


class Since2024(Layout):
    name = "since2024"
    since = date(2024, 3, 1)
    body_at = "div.story-2024"


class Before2024(Layout):
    name = "before2024"
    body_at = "div.entry"


SITE = Site(name="post", domains=("post.example",), timezone="Asia/Seoul", layouts=(Since2024, Before2024))


def page(html: str, day: datetime | None = None) -> Page:
    return Page(url="https://post.example/a", body=html.encode(), captured=day)


@pytest.mark.parametrize("day", [None, datetime(2017, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)])
def test_the_page_decides_whatever_the_day(day: datetime | None) -> None:
    assert SITE.layout_for(page(NEW, day)) is Since2024
    assert SITE.layout_for(page(OLD, day)) is Before2024


def test_where_both_fit_the_day_of_capture_decides() -> None:
    both = f'<html><body><div class="story-2024">{TEXT}</div><div class="entry">{TEXT}</div></body></html>'
    assert SITE.layout_for(page(both, datetime(2025, 1, 1, tzinfo=UTC))) is Since2024
    assert SITE.layout_for(page(both, datetime(2020, 1, 1, tzinfo=UTC))) is Before2024


def test_a_known_site_that_no_longer_fits_looks_broken() -> None:
    with pytest.raises(NoLayoutFits) as caught:
        SITE.layout_for(page("<html><body><main>redesigned</main></body></html>"))
    assert "post" in str(caught.value)
    assert "--generic" in str(caught.value)


def test_a_layout_reads_what_its_selectors_say_and_the_head_for_the_rest() -> None:
    html = NEW.replace(
        "<title>A new bridge</title>", '<title>A new bridge - Post</title><meta name="author" content="By Mo Ray">'
    )
    article = Since2024(page(html), SITE).read()
    assert article.title == "A new bridge"
    assert article.authors == ("Mo Ray",)
    assert len(article.blocks) == 1
    assert article.provenance["body"].rule == "div.story-2024"
    assert article.site == "post"


def test_a_method_says_what_a_selector_cannot() -> None:
    class Shouting(Since2024):
        def title(self) -> str:
            return super().title().upper()

    assert Shouting(page(NEW), SITE).read().title == "A NEW BRIDGE"


def test_dates_without_zone_are_in_the_sites_zone() -> None:
    html = NEW.replace(
        "<title>A new bridge</title>", '<meta property="article:published_time" content="2026-03-10T09:00:00">'
    )
    when = Since2024(page(html), SITE).read().published
    assert when is not None
    assert (when.utc, when.zone_source) == (datetime(2026, 3, 10, 0, 0, tzinfo=UTC), "site")


def test_sites_are_found_by_host_and_by_domain_above_it() -> None:
    for url in ("https://news1global.com/?p=1", "https://www.news1global.com/", "https://m.news1global.com/x"):
        site = registry.site_for(url)
        assert site is not None
        assert site.name == "news1global"
    assert registry.site_for("https://notnews1global.com/") is None
    assert registry.site_for("nonsense") is None


def test_parsers_have_names_and_typos_a_suggestion() -> None:
    assert registry.named("generic") is Generic
    assert registry.named("tagdiv") is TagDiv
    assert isinstance(registry.named("news1global"), Site)
    with pytest.raises(UsageError, match="did you mean 'tagdiv'"):
        registry.named("tagdif")


def test_a_site_without_layouts_is_read_by_theme_else_generic() -> None:
    url = "https://news1global.com/a"
    themed = (
        f'<html><body><h1 class="entry-title">A bridge</h1><div class="td-post-content">{TEXT * 2}</div></body></html>'
    )
    assert registry.read(Page(url=url, body=themed.encode())).layout == "tagdiv"
    assert registry.read(Page(url=url, body=OLD.encode())).layout == "generic"
    assert registry.read(Page(url=url, body=OLD.encode())).site == "news1global"
    assert registry.read(Page(url=url, body=OLD.encode()), generic=True).site is None


def test_two_owners_of_a_domain_are_named() -> None:
    other = Site(name="other", domains=("post.example",))
    with pytest.raises(UsageError, match="belongs to two sites: a and b"):
        registry._unique([("a", SITE), ("b", other)])


def test_plugins_are_loaded_and_broken_ones_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "press_plugins.py"
    package.write_text("from parsers.site import Site\nsite = Site(name='plugged', domains=('plugged.example',))\n")
    info = tmp_path / "press_plugins-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: press-plugins\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[newsmorgue.sites]\ngood = press_plugins:site\nbad = press_plugins:nothing\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.all_sites.cache_clear()
    try:
        with pytest.warns(UserWarning, match="'bad' is broken and was skipped"):
            names = set(registry.all_sites())
        assert {"plugged", "news1global"} <= names
    finally:
        registry.all_sites.cache_clear()
        registry._by_domain.cache_clear()
        sys.modules.pop("press_plugins", None)
