"""The page it all began with, and its invented twin: read right in both generations of the tagDiv theme."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from tagdiv_pages import FORMS, Copied, classic, copied, glued, slug

from parsers import registry
from parsers.article import Article
from parsers.page import Page

TWIN = Path(__file__).resolve().parent.parent / "fixtures" / "twin" / "story.txt"


class Expected(NamedTuple):
    title: str
    section: str
    experts: list[tuple[str, str, str, str]]
    described: str


SEED = Expected(
    "That Eye Twitch Might Be More Than Stress—Here’s What to Know",
    "Health",
    [
        ("Kang Jun Yoon", "Dr.", "neurosurgeon", "Gangnam St. Peter’s General Hospital"),
        ("Jin Woo Jang", "Dr.", "professor of Neurosurgery", "Korea University Anam Hospital"),
    ],
    "medical experts",
)
TWIN_SAYS = Expected(
    "That Ringing in Your Ears Could Be a Warning—What Doctors Look For",
    "Science",
    [
        ("Dao Minh Chau", "Professor", "head of Otology", "Red River University Hospital"),
        ("Oh Se Hwan", "Dr.", "audiologist", "Mapo St. Mary’s Hearing Clinic"),
    ],
    "Hearing specialists",
)


def read(html: str, title: str) -> Article:
    return registry.read(Page(url=slug(title), body=html.encode()), generic=True)


def check(page: Copied, html: str, expected: Expected) -> None:
    article = read(html, page.title)
    assert article.verdict == "article"
    assert article.layout == "tagdiv"
    assert article.title == expected.title
    assert expected.title not in article.body
    assert article.section == expected.section
    assert (article.published, article.tags, article.authors, article.teaser) == (None, (), (), "")
    assert [block.text for block in article.blocks] == page.body
    assert [block.text for block in article.blocks if block.kind == "heading"] == [page.subheading]

    foreign = [*page.footer, *(text for card in page.cards for text in card), page.date]
    plain = {key: value for key, value in article.as_dict().items() if key not in ("cards", "provenance")}
    assert not [text for text in foreign if text in repr(plain)]
    assert [(card.title, card.teaser) for card in article.cards] == page.cards
    assert [card.url for card in article.cards] == [slug(title) for title, _ in page.cards]

    named = [person for person in article.people if person.type == "person"]
    assert sorted((p.name, p.honorific, p.role, p.affiliation) for p in named) == sorted(expected.experts)
    for person in named:
        said = [quote for quote in article.quotes if quote.speaker == person.name]
        assert [quote.kind for quote in said] == ["indirect", "indirect"]
        assert person.quotes == 2
        for quote in said:
            assert quote.text == " ".join(article.body[a:b] for a, b in quote.spans)
    assert (expected.described, "described") in [(person.name, person.type) for person in article.people]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_twin(form: Callable[[Copied], str]) -> None:
    page = copied(TWIN)
    check(page, form(page), TWIN_SAYS)


@pytest.mark.corpora
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_seed(form: Callable[[Copied], str], shared: Path) -> None:
    (path,) = (shared / "seed").glob("*.txt")
    page = copied(path)
    check(page, form(page), SEED)


def test_a_label_glued_into_the_headline_is_cut_off() -> None:
    page = copied(TWIN)
    article = read(glued(page), page.title)
    assert (article.title, article.section) == (TWIN_SAYS.title, TWIN_SAYS.section)
    assert [block.text for block in article.blocks] == page.body


def test_a_card_of_the_same_story_behind_a_short_link_is_no_other_story() -> None:
    page = copied(TWIN)
    html = classic(page).replace(f'<a href="{slug(page.title)}" rel="bookmark">', '<a href="/?p=77" rel="bookmark">')
    assert page.title not in [card.title for card in read(html, page.title).cards]
