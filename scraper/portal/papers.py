"""The publications of the demo."""

from scraper.portal.lantern import Lantern
from scraper.portal.paper import Paper

PAPERS: tuple[type[Paper], ...] = (Lantern,)
