"""Cutting what hangs on a body: headings of other stories' blocks, appeals, share lines, repeats."""

import re
from collections.abc import Iterable

from parsers.article import Block
from parsers.text import normalised

_OTHERS = re.compile(
    r"^(?:check out (?:our|other|more|these|the)\b.{0,30}|most (?:popular|read|viewed|shared|commented)\b.{0,25}|"
    r"(?:related|recommended|similar|popular|trending|latest|recent|featured|other|more)(?: (?:news|articles?|posts?|stor(?:y|ies)|"
    r"content|topics?|reading|coverage|headlines|videos?|links?))+:?|more (?:from|on|in|about) .{1,40}|related:?|read (?:more|also|next):?|"
    r"also (?:read|on .{1,30}):?|you (?:may|might) (?:also )?(?:like|be interested in|enjoy).{0,20}|what to read next|up next|"
    r"don.t miss(?: it)?:?|trending(?: now)?|recommended(?: for you)?|editor.?s.? picks?|from around the web|around the web|"
    r"sponsored(?: content)?|promoted|advertisement|anzeige|werbung|share (?:this|on|via)\b.{0,30}|print this (?:post|page|article|story)|"
    r"share:?|tags?:?|topics?:?|filed under:?|"
    r"leave a (?:reply|comment).{0,20}|comments?(?: \(?\d+\)?)?|join the (?:conversation|discussion)|about the authors?|"
    r"follow us\b.{0,40}|mehr zum thema.{0,20}|lesen sie auch.{0,60}|das könnte sie auch interessieren.{0,20}|weitere artikel.{0,20}|"
    r"à lire (?:aussi|également).{0,60}|lire aussi.{0,60}|(?:lea|lee|leer) también.{0,60}|te puede interesar.{0,20}|leggi anche.{0,60}|"
    r"leia (?:também|mais).{0,60}|관련 ?기사|많이 본 (?:기사|뉴스)|인기 ?기사|関連記事|おすすめ記事|相关(?:阅读|新闻|文章)|推荐阅读)$",
    re.IGNORECASE,
)
_APPEAL = re.compile(
    r"^(?:sign up (?:for|to|here)|subscribe (?:to|now|here|today)|"
    r"get (?:the latest|our|more|all|breaking)\b.{0,60}(?:newsletter|inbox|email|"
    r"alerts|app)|follow (?:us|\w+) on|download (?:our|the) app|click here to|support (?:our|independent|quality)|donate|"
    r"become a (?:member|subscriber|supporter)|already a (?:member|subscriber)|©|\(c\)\s|copyright\b|all rights reserved|"
    r"this article (?:was )?(?:originally |first )?(?:appeared|published)|like us on|join our|read more:|also read:|see also:|"
    r"watch:|photo:|image:|by using this site|we use cookies|this site uses|the views expressed|photo by|image credit)",
    re.IGNORECASE,
)
_REPEATED = 40


def is_others_heading(text: str) -> bool:
    """Whether a heading or a short line announces other stories, shares or tags, not a part of this one."""
    return len(text) <= 90 and bool(_OTHERS.match(text.strip(" :»›>|-–—")))


def is_appeal(text: str) -> bool:
    """Whether a paragraph asks the reader to subscribe, follow, share or pay."""
    return len(text) <= 400 and bool(_APPEAL.match(text))


def cut(blocks: Iterable[Block], *, title: str = "", teaser: str = "") -> tuple[Block, ...]:
    """The body without title, teaser, repeats, appeals and what follows the headings of other stories' blocks."""
    title, teaser = normalised(title), normalised(teaser)
    kept: list[Block] = []
    seen: set[str] = set()
    total = 0
    for block in blocks:
        plain = normalised(block.text)
        if not plain or (title and plain == title and total < 600):
            continue
        if teaser and plain == teaser and total < 600:
            continue
        if len(plain) > _REPEATED and plain in seen:
            continue
        if is_others_heading(block.text):
            if block.kind == "heading" and total > 400:
                break
            continue
        if is_appeal(block.text):
            continue
        seen.add(plain)
        kept.append(block)
        total += len(plain)
    return _without_loose_headings(kept)


def _without_loose_headings(blocks: list[Block]) -> tuple[Block, ...]:
    """A heading with nothing under it at the end is no subheading."""
    while blocks and blocks[-1].kind == "heading":
        blocks.pop()
    return tuple(blocks)
