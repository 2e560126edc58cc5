"""Takes from a post's Markdown what lists and cards need: an excerpt, a word count, what it refers to.

Runs for every post of an archive, so it reads the body once with plain
searches and never parses it; every search takes linear time on any input.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from itertools import islice

LIMIT = 300
#: Enough text to find one sentence in, and small enough for any pattern.
_WINDOW = 1_500
#: Blocks that are looked into before giving up.
_BLOCKS = 20

_MORE = re.compile(r"<!--\s{0,20}more\s{0,20}-->", re.IGNORECASE)
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})(.*)")
# Each with the characters without which it need not be tried.
_TARGETS = (
    ("](", re.compile(r"\]\(\s*(?:<([^<>\n]*)>|([^\s()<>]+(?:\([^\s()]*\)[^\s()]*)*))")),
    ("]:", re.compile(r"^ {0,3}\[(?!\^)[^\]\n]+\]:[ \t]*<?([^\s<>]+)", re.MULTILINE)),
    (
        "<",
        re.compile(
            r"(?<=[\s\"'])(?:src|href)\s*=\s*(?:\"([^\"\n]*)\"|'([^'\n]*)'|([^\s\"'<>]+))", re.IGNORECASE
        ),
    ),
)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//|#|\{", re.IGNORECASE)
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af]")

_BLOCK_END = re.compile(r"\n[ \t]*\n")
_ATX = re.compile(r" {0,3}#{1,6}(?:[ \t]|$)")
_RULE = re.compile(r"\s*(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|=+)\s*$")
_LIST = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])\s+")
_QUOTE = re.compile(r"^\s*>+\s?", re.MULTILINE)
_TABLE = re.compile(r"^\s*\|?\s*:?-{3,}:?\s*(?:\||$)", re.MULTILINE)
_DEFINITION = re.compile(r"\s*\[[^\]\n]+\]:\s")
_HTML_BLOCK = re.compile(
    r"\s*</?(?!(?:a|abbr|b|cite|code|em|i|kbd|mark|q|s|small|span|strong|sub|sup|u|p)\b)[a-z!?]",
    re.IGNORECASE,
)
_SHORTCODE = re.compile(r"\{\{[^{}]*\}\}|\{%[^{}]*%\}")

_CODE = re.compile(r"(?<!`)(`++)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_MARKUP = (
    (re.compile(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])?"), ""),
    (re.compile(r"\[\^[^\]\s]+\]"), ""),
    (re.compile(r"\[([^\[\]]*)\](?:\((?:[^()]|\([^()]*\))*\)|\[[^\]]*\])"), r"\1"),
    (re.compile(r"<((?:https?://|mailto:)[^<>\s]+)>"), r"\1"),
    (re.compile(r"</?[a-zA-Z][^<>]*>"), ""),
    (re.compile(r"(\*{1,3})(?=\S)(.+?)(?<=\S)\1", re.DOTALL), r"\2"),
    (re.compile(r"(?<!\w)(_{1,3})(?=\S)(.+?)(?<=\S)\1(?!\w)", re.DOTALL), r"\2"),
    (re.compile(r"~~(?=\S)(.+?)(?<=\S)~~", re.DOTALL), r"\1"),
)
_MARKED = re.compile(r"[\[<*_~`\\&]")
# Code and escaped characters wait in a private plane while markup is taken away around them.
_HIDE = {ord(c): 0xF0000 + ord(c) for c in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"}
_SHOW = {hidden: shown for shown, hidden in _HIDE.items()}

_STOP = re.compile("[.!?…]+[\"'”’»)\\]]*(?=\\s|$)|[。！？]+[」』”）]*")
_SHORT = frozenset(
    re.findall(
        r"\S+",
        """
        adj al approx apr art aug bros ca capt cf ch co col corp dec dept dr ed eds eg e.g eq est etc ex feb fig figs
        fri gen gov hon ie i.e inc jan jr jul jun lt ltd maj mar max messrs min mon mr mrs ms mt no nos nov oct op p
        pp ph.d phd prof pt ref rep rev sat sec sen sep sept sgt sr st str sun thu tue univ v viz vol vols vs wed
        bzw bspw d.h evtl ggf inkl nr usw vgl z.b
        """,
    )
)
#: Words that begin a sentence also after "U.S." and the like.
_BEGINNERS = frozenset(
    re.findall(
        r"\S+",
        "A An And But He However I If In It She So That The There These They This We What When You",
    )
)


def prose(body: str) -> str:
    """Return the body without comments and fenced code."""
    return _without_code(_without_comments(body))


def words(text: str) -> int:
    """Count the words of prose; where words are not spaced (Chinese, Japanese), two characters count as one."""
    spaced = len(text.split())
    return spaced if text.isascii() else spaced + len(_CJK.findall(text)) // 2


def references(text: str) -> tuple[str, ...]:
    """Return link and image targets without a scheme, as written, each once, in order."""
    found: list[tuple[int, str]] = []
    for sign, pattern in _TARGETS:
        if sign in text:
            found += [
                (match.start(), match[match.lastindex or 0].strip()) for match in pattern.finditer(text)
            ]
    return tuple(
        dict.fromkeys(target for _, target in sorted(found) if target and not _ELSEWHERE.match(target))
    )


def before_more(body: str) -> str:
    """Return the text before `<!--more-->` as plain text, cut near 300 characters; "" if there is no such mark."""
    mark = _MORE.search(body)
    if not mark:
        return ""
    parts = [
        plain(text) for text, kind in _blocks(prose(body[: mark.start()])[: 4 * _WINDOW]) if kind == "text"
    ]
    return cut(" ".join(filter(None, parts)))


def first_sentence(text: str) -> str:
    """Return the first sentence of prose as plain text: of a paragraph, else of a quotation or list; may be ""."""
    second = ""
    for block, kind in islice(_blocks(text), _BLOCKS):
        if kind == "text" or not second:
            found = sentence(plain(block))
            if kind == "text" and found:
                return found
            second = second or found
    return second


def plain(markdown: str) -> str:
    """Return inline Markdown as one line of plain text, without images, links' targets and marks."""
    if not _MARKED.search(markdown[:_WINDOW]):
        return " ".join(markdown[:_WINDOW].split())
    text = _ESCAPE.sub(_hidden, _CODE.sub(_hidden_code, markdown[:_WINDOW]))
    for pattern, instead in _MARKUP:
        text = pattern.sub(instead, text)
    return " ".join(html.unescape(text).translate(_SHOW).split())


def sentence(text: str) -> str:
    """Return a plain text's first sentence, cut near 300 characters; "Dr.", "e.g." and "1.96.0" do not end one."""
    for stop in _STOP.finditer(text):
        if _ends(text, stop):
            return cut(text[: stop.end()])
    return cut(text)


def cut(text: str) -> str:
    """Return text of at most about 300 characters, ended at a word with an ellipsis."""
    if len(text) <= LIMIT:
        return text
    return (text[:LIMIT].rpartition(" ")[0] or text[:LIMIT]).rstrip(" ,;:–—-") + "…"


def _ends(text: str, stop: re.Match[str]) -> bool:
    following = text[stop.end() :].lstrip(" \"'“‘«([")[:1]
    if not following or stop[0][0] in "。！？":
        return True
    if following.islower():
        return False
    if not stop[0].startswith(".") or stop[0].startswith(".."):
        return True
    word = text[: stop.start()].rpartition(" ")[2].lstrip("\"'“‘«([")
    if word.lower() in _SHORT:
        return False
    letters = word.split(".")
    if len(word) == 1 and word.isupper() and word != "I":
        return False  # an initial: "A. Amorim"
    if len(letters) > 1 and all(len(letter) <= 2 and letter.isalpha() for letter in letters):
        return text[stop.end() :].split(maxsplit=1)[0].strip("\"'“‘") in _BEGINNERS
    return True


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield each block that holds running words, and whether it is "text" or only "other" (quotation, list)."""
    start = 0
    while start < len(text):
        end = _BLOCK_END.search(text, start)
        stop = end.start() if end else len(text)
        block = _SHORTCODE.sub("", text[start : min(stop, start + 4 * _WINDOW)]).strip("\n")
        start = end.end() if end else len(text)
        while block and (
            _ATX.match(block) or _DEFINITION.match(block) or _RULE.match(block.partition("\n")[0])
        ):
            block = block.partition("\n")[2]
        _, _, below = block.partition("\n")
        if below and _RULE.match(below.partition("\n")[0]) and below.lstrip()[:1] in "-=":
            block = below.partition("\n")[2]  # an underlined heading
        if (
            not block.strip()
            or block.startswith(("    ", "\t"))
            or block.lstrip()[0] == "|"
            or _TABLE.search(block)
        ):
            continue
        if _QUOTE.match(block):
            yield _QUOTE.sub("", block), "other"
        elif _LIST.match(block):
            yield _LIST.sub("", block.partition("\n")[0], count=1), "other"
        elif not _HTML_BLOCK.match(block):
            yield block, "text"


def _without_comments(body: str) -> str:
    """Take HTML comments away; one that is never closed reaches to the end, as CommonMark says (4.6)."""
    if "<!--" not in body:
        return body
    kept, position = [], 0
    while (start := body.find("<!--", position)) >= 0:
        kept.append(body[position:start])
        end = body.find("-->", start)
        position = end + 3 if end >= 0 else len(body)
    return "".join(kept) + body[position:]


def _without_code(body: str) -> str:
    if "```" not in body and "~~~" not in body:
        return body
    kept: list[str] = []
    fence = ""
    for line in body.split("\n"):
        found = _FENCE.match(line) if "```" in line or "~~~" in line else None
        if fence:
            if found and found[1].startswith(fence) and not found[2].strip():
                fence = ""
        elif found and not (found[1][0] == "`" and "`" in found[2]):
            fence = found[1]
            kept.append("")
        else:
            kept.append(line)
    return "\n".join(kept)


def _hidden(found: re.Match[str]) -> str:
    return found[1].translate(_HIDE)


def _hidden_code(found: re.Match[str]) -> str:
    return found[2].translate(_HIDE)
