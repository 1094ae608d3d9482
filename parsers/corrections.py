"""Notes in which a publisher says that it corrected a story."""

import re

from parsers.text import normalised


def _any(lines: str) -> str:
    return "|".join(line.strip() for line in lines.strip().splitlines())


# Labels at the head of a paragraph, alone or before a colon, perhaps with a date between: these are common words, too.
_LABEL = _any(r"""
    corrections?(?: (?:and|&) clarifications?| appended| notice)?
    clarifications?|corrected version|erratum|errata|retraction
    korrektur(?:hinweis)?|berichtigung|richtigstellung
    rectificatif|correctif
    correcci[oó]n(?:es)?|rectificaci[oó]n|fe de (?:erratas|errores)
    corre[cç][aã]o|erramos
    rettifica|errata corrige|correzione
    correctie|rectificatie
    rättelse|rettelse|korrektion|oikaisu|leiðrétting
    sprostowanie|oprava|düzeltme
    исправление|поправка|уточнение
    정정(?:\s?보도(?:문)?)?|바로\s?잡습니다|바로\s?잡음
    (?:お詫びと)?訂正(?:とお詫び)?|更正(?:启事|說明|说明)?|勘误
""")
_DATE = r"(?:\W{1,3}(?:[^\W\d]+[.,]?\s){0,2}\d[\w.,:/\s-]{0,20}\)?)?"

# Openings of a paragraph that say it without a label.
_OPENING = _any(r"""
    corrects (?:paragraph|headline|spelling|name|date|day|figure|attribution|typo)
    this (?:article|story|headline|post|piece|obituary|review)\b.{0,60}\b(?:amended|corrected|clarified|to correct)\b
    the (?:article|story|report|headline) (?:has been|was) (?:corrected|updated to correct)\b
    this version corrects\b
    we have corrected (?:this|the)\b
    dieser (?:artikel|text|beitrag) wurde .{0,40}(?:korrigiert|berichtigt)
    cet article a [ée]t[ée] .{0,30}(?:corrig[ée]|rectifi[ée])
    este (?:art[ií]culo|texto|artigo) (?:ha sido|fue|foi) .{0,30}correg|esta (?:nota|noticia) (?:ha sido|fue) .{0,30}correg
    (?:editor'?s'? note|note from the editors?)\b.{0,300}(?:correct|clarif|amended|version of)
    (?:anmerkung|hinweis) der redaktion\b.{0,300}(?:korrigiert|berichtigt|version|fassung)
    note de la r[ée]daction\b.{0,300}(?:corrig|rectifi|version)
    nota (?:del editor|de la redacci[oó]n|da reda[cç][aã]o)\b.{0,300}(?:corre[gç]|corrig|versi[oó]n|vers[aã]o)
""")

# What only a note says, wherever it stands.
_PHRASE = _any(r"""
    \b(?:earlier|previous|original|prior) versions? of (?:this|the|our) (?:article|story|report|headline|caption|post|column)\b
    \b(?:earlier|previous|original|prior) versions? of (?:this|the|our) (?:piece|video|graphic|newsletter|obituary|review|live blog)\b
    \bin einer (?:früheren|vorherigen|ersten|älteren) (?:version|fassung) (?:dieses|des) (?:artikels|textes|beitrags|berichts)
    \b(?:version (?:pr[ée]c[ée]dente|ant[ée]rieure)|premi[èe]re version) de (?:cet article|ce texte|cette d[ée]p[êe]che)
    \bversi[oó]n (?:anterior|previa) de est[ae] (?:art[ií]culo|nota|noticia|informaci[oó]n|texto)
    \bvers[aã]o anterior d(?:este|esta|o|a) (?:texto|reportagem|mat[ée]ria|artigo|not[ií]cia)
    \b(?:versione precedente|precedente versione) di questo (?:articolo|testo)
    \been eerdere versie van dit (?:artikel|bericht|verhaal|stuk)
    \bi en tidigare version av (?:artikeln|texten|den här artikeln)
    \bi en tidligere versj?i?on a[vf] (?:artikkelen|artiklen|saken|denne)
    \bв (?:предыдущей|более ранней) версии (?:этой|этого|статьи|текста)
    (?:정정합니다|바로\s?잡습니다)\W*$
    訂正(?:します|いたします|しました)|訂正してお(?:詫|わ)び|お(?:詫|わ)びして訂正
""")
_NOTE = re.compile(rf"^\W{{0,3}}(?:(?:{_LABEL}){_DATE}\s*(?:[:\])|】」』>〉]|-\s|$)|{_OPENING})|{_PHRASE}")


def is_note(paragraph: str) -> bool:
    """Whether a paragraph says that the story was corrected: "Correction:", "An earlier version of this article", 바로잡습니다,
    Berichtigung, Rectificatif, fe de erratas, 訂正 and their kin."""
    return _NOTE.search(normalised(paragraph)) is not None
