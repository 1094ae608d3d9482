"""The publications of the demo."""

from scraper.portal.hanmaru import Hanmaru
from scraper.portal.lantern import Lantern
from scraper.portal.ledger import Ledger
from scraper.portal.observer import Observer
from scraper.portal.paper import Paper
from scraper.portal.review import Review

PAPERS: tuple[type[Paper], ...] = (Lantern, Observer, Review, Ledger, Hanmaru)
