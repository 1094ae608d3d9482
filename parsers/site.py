"""`Site`: a publication. Data, not code."""

from dataclasses import dataclass

from parsers.errors import NoLayoutFits
from parsers.layout import Layout
from parsers.page import Page


@dataclass(frozen=True, slots=True)
class Site:
    """A publication.

    `name`: short, as in `[site.NAME]`. `domains`: registrable domains or hosts, without `www.`. `fronts`: addresses that
    announce its stories. `timezone`: IANA zone of dates without one. `language`: BCP 47, used where pages say nothing.
    `layouts`: its own templates; empty: read by theme, else by the generic reader. `title_suffixes`: names that hang on
    its head titles beside those the page states.
    """

    name: str
    domains: tuple[str, ...]
    fronts: tuple[str, ...] = ()
    timezone: str | None = None
    language: str | None = None
    layouts: tuple[type[Layout], ...] = ()
    title_suffixes: tuple[str, ...] = ()

    def layout_for(self, page: Page) -> type[Layout]:
        """The layout of this site's own that fits the page.

        The day of capture orders the candidates (those in use by then, newest first, then later ones); the page
        decides. Raises NoLayoutFits: redesigned, or not an article of this site.
        """
        captured = page.captured.date() if page.captured else None
        in_use = [layout for layout in self.layouts if captured is None or layout.since <= captured]
        later = [layout for layout in self.layouts if layout not in in_use]
        for layout in (
            *sorted(in_use, key=lambda one: one.since, reverse=True),
            *sorted(later, key=lambda one: one.since),
        ):
            if layout.fits(page):
                return layout
        names = ", ".join(layout.__name__ for layout in self.layouts)
        raise NoLayoutFits(
            f"site {self.name!r}: no layout fits {page.url}",
            cause=f"none of {names} finds its mark: redesigned, or not an article",
            next=f"newsmorgue parse {page.url} --generic",
        )
