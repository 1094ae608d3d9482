"""Notes in which a publisher says that it corrected a story, and what only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.corrections import is_note

NOTES = [
    "Correction: An earlier version gave the wrong share.",
    "CORRECTION (Nov. 24): The share is 34 percent.",
    "Correction, March 10, 2026: The share is 34 percent.",
    "Correction 10/3/2026 - The share is 34 percent.",
    "Corrections and Clarifications: The share is 34 percent.",
    "Clarification: The ministry speaks of applicants.",
    "Correction appended",
    "Correction",
    "Erratum",
    "(Corrects paragraph 3 to say that the bank is Danish)",
    "This article was amended on 5 March 2026 to remove a name.",
    "This story has been updated to correct the number of seats.",
    "The story has been corrected to say 34 percent.",
    "Because of an editing error, an earlier version of this article misspelled a name.",
    "*A previous version of this story gave the share as 47 percent.*",
    "Editor's note: This story was corrected on Monday.",
    "Editor’s Note: The headline has been clarified.",
    "[정정] 본지 3월 10일 자 기사에서",
    "[정정보도] 본지 3월 10일 자 기사에서",
    "정정보도문",
    "바로잡습니다",
    "<바로잡습니다> 3월 10일 자 A2면",
    "10일 자 A2면 기사의 ‘47%’는 ‘34%’이므로 바로잡습니다.",
    "Korrektur: In der ersten Fassung stand eine falsche Zahl.",
    "Berichtigung",
    "Korrekturhinweis (10. März 2026): Die Zahl stimmte nicht.",
    "In einer früheren Version dieses Artikels hieß es, der Anteil sei 47 Prozent.",
    "Anmerkung der Redaktion: Wir haben die Zahl korrigiert.",
    "Rectificatif : le taux est de 34 %.",
    "Une première version de cet article donnait un taux de 47 %.",
    "Corrección: la cifra es 34 %.",
    "Fe de erratas: la cifra es 34 %.",
    "Una versión anterior de esta nota decía 47 %.",
    "Correção: o número é 34 %.",
    "ERRAMOS: o texto foi alterado.",
    "Errata corrige: la quota è del 34 %.",
    "Rectificatie: het aandeel is 34 procent.",
    "Rättelse: Andelen är 34 procent.",
    "Sprostowanie: udział wynosi 34 procent.",
    "Исправление: доля составляет 34 процента.",
    "訂正：割合は34％でした。",
    "【訂正】割合は34％でした。",
    "お詫びと訂正",
    "記事中の数字に誤りがありました。訂正してお詫びします。",
    "更正：比例为34%。",
]
OTHERS = [
    "",
    "Correction officers said that the prison is full.",
    "Corrections Department: the budget of a year",
    "Correction of the prices is far from over, analysts say.",
    "The market correction: what to expect",
    "A correction: that is what the market needs",
    "An earlier version of the bill said that rents may rise.",
    "The earlier version of this bus had no doors.",
    "The company corrected its forecast: it now expects less.",
    "The article of the law was amended by parliament.",
    "This article was written by three people.",
    "Editor's note: This story contains descriptions of violence.",
    "Clarifications were asked for by both sides.",
    "회사는 실적 전망을 정정했다.",
    "그는 “발언을 정정합니다”라고 말했다.",
    "정정당당한 경기였다",
    "Korrektur der Kurse: Was Anleger wissen müssen",
    "Die Korrektur kam spät.",
    "Le correctif du logiciel est disponible.",
    "La corrección de los precios sigue: caen un 3 %",
    "会社は業績予想を訂正した。",
]


@pytest.mark.parametrize("paragraph", NOTES)
def test_a_note(paragraph: str) -> None:
    assert is_note(paragraph)


@pytest.mark.parametrize("paragraph", OTHERS)
def test_no_note(paragraph: str) -> None:
    assert not is_note(paragraph)


@given(st.text(max_size=200), st.sampled_from(NOTES))
def test_no_text_raises_and_a_note_stays_one_at_the_head_of_more(text: str, note: str) -> None:
    assert isinstance(is_note(text), bool)
    assert is_note("Correction: " + text)


def test_no_text_takes_long() -> None:
    for piece in ("correction ", "this article ", "editor's note ", "a. ", "1 "):
        assert not is_note(piece * 20_000 + "x")
