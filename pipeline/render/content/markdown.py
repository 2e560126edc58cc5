"""Reads Markdown: CommonMark with tables, footnotes, strikethrough, task lists and smart quotes.

What comes out is HTML that carries the file's line on every link and image
(`data-line`) and the target as written (`data-to`). It is not safe yet.
"""

# ruff: noqa: ARG001 - markdown-it calls every rendering rule with the same five arguments

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from linkify_it import LinkifyIt
from markdown_it import MarkdownIt, helpers
from markdown_it.helpers.parse_link_destination import _Result
from markdown_it.rules_core import StateCore
from markdown_it.rules_core.replacements import replace_rare
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

from pipeline.errors import PostError
from pipeline.render.content import rawhtml
from pipeline.render.content.highlight import highlight
from pipeline.render.content.quotes import quotes
from pipeline.render.content.references import TEMPLATE_TARGET

#: Bounds on one body, set by what two seconds allow and far above the longest real posts (125,000 characters,
#: 3,900 marks, 3,700 blocks, 1,100 brackets in one that was published).
LONGEST_BODY = 400_000
MOST_LINES = 10_000
LONGEST_PARAGRAPH = 60_000
MOST_MARKS = 20_000
MOST_BLOCKS = 40_000
MOST_BRACKETS = 5_000
#: Quotes and lists inside one another; markdown-it would silently drop what is deeper than its own limit.
DEEPEST = 40

_MARK = re.compile(r"[][*_~`'\"<>&!\\\n:]")
_LINKS = re.compile(r"\]\(|://")
_CUSTOM_ID = re.compile(r"\s*\{:?\s*#([\w.:-]+)\s*\}\s*$")
_TASK = re.compile(r"\[([ xX])\](?=\s)")
_ENDING = frozenset({"softbreak", "hardbreak", "code_inline"})
_STAMPED = _ENDING | {"link_open", "image", "html_inline", "footnote_ref"}


def to_html(markdown: str, *, path: str, line: int, language: str) -> str:
    """Turn a body into HTML. `line` is the file's line on which it begins.

    Raises PostError where it is too large or too deep to be read in good time, TooDeep for HTML within it.
    """
    if len(markdown) > LONGEST_BODY:
        raise PostError(
            f"the post has {len(markdown):,} characters; split it, at most {LONGEST_BODY:,} can be read",
            path=path,
        )
    if markdown.count("\n") > MOST_LINES:
        raise PostError(f"the post has more than {MOST_LINES:,} lines; split it", path=path)
    parser = _parser(language)
    env: dict[str, Any] = {"path": path, "line": line}
    tokens = parser.parse(markdown, env)
    raw: list[tuple[Token, int]] = []
    _place(tokens, line, raw)
    rawhtml.prepare(raw)
    html = parser.renderer.render(tokens, parser.options, env)
    return str(html)


class _Linkify(LinkifyIt):  # type: ignore[misc]  # the package has no types
    """Searches only text with a colon or an at sign, without which there is no address to be found."""

    def pretest(self, text: str) -> bool:
        """Return whether a paragraph may hold an address."""
        return ":" in text or "@" in text

    def test(self, text: str) -> bool:
        """Return whether a text holds an address."""
        return self.pretest(text) and bool(super().test(text))


@lru_cache(maxsize=32)
def _parser(language: str) -> MarkdownIt:
    parser = MarkdownIt(
        "commonmark",
        {
            "html": True,
            "linkify": True,
            "typographer": True,
            "quotes": quotes(language),
            "highlight": highlight,
            "maxNesting": 2 * DEEPEST + 20,
        },
    )
    parser.enable(["table", "strikethrough", "linkify", "smartquotes"])
    parser.use(footnote_plugin)
    # Forbidden schemes must be found, to be named with their line; the sanitiser keeps them from readers.
    parser.validateLink = lambda url: True  # type: ignore[method-assign]  # noqa: ARG005
    parser.normalizeLink = lambda url: url  # type: ignore[method-assign]
    parser.helpers = SimpleNamespace(  # type: ignore[assignment]
        parseLinkDestination=_link_destination,
        parseLinkLabel=helpers.parseLinkLabel,
        parseLinkTitle=helpers.parseLinkTitle,
    )
    parser.linkify = _Linkify()
    # Bare words like main.rs and README.md are no addresses, though .rs and .md are domains.
    parser.linkify.set({"fuzzy_link": False})
    parser.linkify.add("//", None).add("ftp:", None)
    parser.core.ruler.after("block", "bounds", _bounds)
    parser.core.ruler.before("smartquotes", "dashes", _dashes)
    for name in (
        "link",
        "image",
        "autolink",
        "html_inline",
        "newline",
        "backticks",
        "footnote_ref",
        "footnote_inline",
    ):
        _stamp(parser, name)
    for name, rule in _RULES.items():
        parser.add_render_rule(name, rule)
    return parser


def _link_destination(text: str, pos: int, maximum: int) -> _Result:
    """Read a link's target; also one written as a template tag, which may hold spaces and quotes."""
    match = TEMPLATE_TARGET.match(text, pos, maximum)
    if match is None:
        return helpers.parseLinkDestination(text, pos, maximum)
    result = _Result()
    result.ok, result.pos, result.str = True, match.end(), match[0]
    return result


def _bounds(state: StateCore) -> None:
    """Refuse what would take the inline parser too long, before it begins."""
    path, line = state.env["path"], state.env["line"]
    first, brackets, marks = line, 0, 0
    if len(state.tokens) > MOST_BLOCKS:
        raise PostError(f"the post has more than {MOST_BLOCKS // 3:,} blocks; split it", path=path, line=line)
    for token in state.tokens:
        if token.map:
            line = first + token.map[0]
        if token.level > DEEPEST:
            raise PostError(f"quotes or lists are nested more than {DEEPEST // 2} deep", path=path, line=line)
        if token.type not in ("inline", "html_block"):
            continue
        if len(token.content) > LONGEST_PARAGRAPH:
            raise PostError(
                f"a paragraph has {len(token.content):,} characters; at most {LONGEST_PARAGRAPH:,} can be read."
                " Break it up, and keep pictures in files.",
                path=path,
                line=line,
            )
        brackets += token.content.count("[")
        # A link costs several times what an asterisk does.
        marks += len(_MARK.findall(token.content)) + 4 * len(_LINKS.findall(token.content))
        if brackets > MOST_BRACKETS or marks > MOST_MARKS:
            raise PostError(
                "far too many marks of Markdown or HTML to be a text; split it", path=path, line=line
            )


def _dashes(state: StateCore) -> None:
    """Make dashes and ellipses, but leave (c) and (r) alone: they number lists more often than rights."""
    for token in state.tokens:
        if token.type == "inline" and token.children:
            replace_rare(token.children)


def _stamp(parser: MarkdownIt, name: str) -> None:
    """Make an inline rule note where in its paragraph a token stands, since tokens carry no column."""
    inner = next(rule.fn for rule in parser.inline.ruler.__rules__ if rule.name == name)

    def stamped(state: StateInline, silent: bool) -> bool:
        start, count = state.pos, len(state.tokens)
        if not inner(state, silent):
            return False
        if not silent:
            for token in state.tokens[count:]:
                if token.type in _STAMPED:
                    # Of a line break, and of code that runs over one, the end counts: what follows stands there.
                    token.meta.setdefault("at", state.pos if token.type in _ENDING else start)
                    break
        return True

    parser.inline.ruler.at(
        name, stamped, {"alt": next(r.alt for r in parser.inline.ruler.__rules__ if r.name == name)}
    )


# --- after parsing: lines, task lists, ids ------------------------------------------


def _place(tokens: Sequence[Token], first: int, raw: list[tuple[Token, int]]) -> None:
    """Write the file's line on links and images, and gather raw HTML with its line."""
    line = first
    notes: dict[int, int] = {}
    for index, token in enumerate(tokens):
        if token.map:
            line = first + token.map[0]
        if token.type == "footnote_open":
            line = notes.get(token.meta["id"], line)
        elif token.type == "html_block":
            raw.append((token, line))
        elif token.type == "inline":
            before = [earlier.type for earlier in tokens[max(0, index - 2) : index]]
            _place_inline(token, line, raw, notes)
            if before == ["list_item_open", "paragraph_open"]:
                _task(token)
            elif before[-1:] == ["heading_open"]:
                tokens[index - 1].attrs["data-line"] = line
                _custom_id(tokens[index - 1], token)


def _place_inline(block: Token, first: int, raw: list[tuple[Token, int]], notes: dict[int, int]) -> None:
    line, seen = first, 0
    for token in block.children or ():
        at = token.meta.get("at", 0)
        if at > seen:
            line, seen = line + block.content.count("\n", seen, at), at
        if token.type == "footnote_ref":
            notes.setdefault(token.meta["id"], line)
        elif token.type == "html_inline":
            raw.append((token, line))
        elif token.type in ("link_open", "image"):
            token.attrs["data-line"] = line
            token.attrs["data-to"] = token.attrs.pop("href" if token.type == "link_open" else "src")


def _task(block: Token) -> None:
    """Show `[ ]` and `[x]` at the head of a list item as boxes; mail has no form controls."""
    head = block.children[0] if block.children else None
    if head is not None and head.type == "text":
        head.content = _TASK.sub(lambda match: "☐" if match[1] == " " else "☑", head.content, count=1)


def _custom_id(heading: Token, block: Token) -> None:
    """Take `{#part}` off a heading's end, as Hugo, Zola and Pelican read it."""
    tail = block.children[-1] if block.children else None
    match = _CUSTOM_ID.search(tail.content) if tail is not None and tail.type == "text" else None
    if tail is not None and match:
        heading.attrs["id"] = match[1]
        tail.content = tail.content[: match.start()]


# --- rendering rules of our own ------------------------------------------------------

_Rule = Callable[..., str]


def _image(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    # Markdown cannot say "decorative": `![](x.png)` is a picture whose text was forgotten, and has no alt here.
    token = tokens[index]
    alt = self.renderInlineAsText(token.children or [], options, env)
    token.attrs.pop("alt", None)
    if alt:
        token.attrs["alt"] = alt
    return str(self.renderToken(tokens, index, options, env))


def _footnote_ref(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    number, again = tokens[index].meta["id"] + 1, tokens[index].meta.get("subId", 0)
    anchor = f"fnref{number}" + (f"-{again + 1}" if again else "")
    return f'<sup class="c-footnote-ref"><a href="#fn{number}" id="{anchor}" role="doc-noteref">{number}</a></sup>'


def _footnote_open(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return f'<li id="fn{tokens[index].meta["id"] + 1}">'


def _footnote_anchor(self: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    number, again = tokens[index].meta["id"] + 1, tokens[index].meta.get("subId", 0)
    anchor = f"fnref{number}" + (f"-{again + 1}" if again else "")
    return f' <a href="#{anchor}" class="c-backref" role="doc-backlink">↩\ufe0e</a>'


_RULES: dict[str, _Rule] = {
    "image": _image,
    "footnote_ref": _footnote_ref,
    "footnote_block_open": lambda *_: '<div class="c-footnotes">\n<hr>\n<ol>\n',
    "footnote_block_close": lambda *_: "</ol>\n</div>\n",
    "footnote_open": _footnote_open,
    "footnote_anchor": _footnote_anchor,
}
