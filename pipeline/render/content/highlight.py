"""Colours fenced code: Pygments reads it, eight roles carry a colour for light and one for dark paper.

Each span has its light colour inline, because some mail clients take no
stylesheet, and a class that the theme's dark rules override.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pygments.lexer import Lexer

#: Paper and ink of a block of code: light, dark.
CODE_BACKGROUND = ("#F3F5F4", "#111618")
CODE_INK = ("#1B2327", "#E8EDEE")


class Role(NamedTuple):
    """What some of the code is, as a reader sees it."""

    light: str
    dark: str
    #: Pygments' names of the token types that play it, most general first.
    types: tuple[str, ...]


#: Every colour has a contrast of at least 4.5 on its paper (WCAG 2.2, 1.4.3); a test measures it.
ROLES = {
    "keyword": Role("#7A2E8E", "#DDA8EC", ("Keyword", "Operator.Word")),
    "string": Role("#1B6B3A", "#7FD69B", ("Literal.String", "Generic.Inserted")),
    "number": Role("#8A4B00", "#F2B566", ("Literal.Number", "Keyword.Constant", "Literal.Date")),
    "comment": Role("#56626A", "#A9B5B9", ("Comment", "Generic.Output")),
    "function": Role("#0B5E63", "#7FD1CF", ("Name.Function", "Name.Attribute", "Generic.Heading")),
    "type": Role(
        "#1F4FA3", "#9CC4FF", ("Name.Class", "Keyword.Type", "Name.Tag", "Name.Builtin", "Name.Namespace")
    ),
    "meta": Role(
        "#8C2F5B", "#F2A8C6", ("Comment.Preproc", "Name.Decorator", "Generic.Prompt", "Name.Entity")
    ),
    "error": Role("#A61B1B", "#FF9B93", ("Generic.Deleted", "Generic.Error")),
}
#: Longer code, or code with longer lines, stays plain: some lexers take quadratic time.
LONGEST = 20_000
LONGEST_LINE = 1_000


def dark_rules() -> str:
    """Return the rules that turn the inline light colours dark, to stand in a media query of the theme."""
    return "\n".join(f".tok-{name} {{ color: {role.dark} !important; }}" for name, role in ROLES.items())


def style(role: str) -> str:
    """Return the inline style of a role's spans."""
    return f"color:{ROLES[role].light}"


def highlight(code: str, info: str, _attributes: str = "") -> str:
    """Return a block of code as HTML; `info` is a fence's language, `rust,ignore` and `{.python}` included.

    Begins with `<pre`, or markdown-it would wrap it in a second one.
    """
    lexer = _lexer(_language(info))
    if lexer is None or len(code) > LONGEST or any(len(line) > LONGEST_LINE for line in code.split("\n")):
        return f"<pre><code>{escape(code, quote=False)}</code></pre>\n"
    return f"<pre><code>{_spans(code, lexer)}</code></pre>\n"


def _language(info: str) -> str:
    match = re.match(r"[\s{.]*([\w+#-]+)", info)
    return match[1].lower() if match else ""


@lru_cache(maxsize=128)
def _lexer(name: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    if not name or name in ("text", "txt", "plain", "plaintext"):
        return None
    try:
        return get_lexer_by_name(name, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def _spans(code: str, lexer: Lexer) -> str:
    """Join neighbours that play the same role into one span; white space joins whatever it follows."""
    runs: list[tuple[str, list[str]]] = []
    for kind, text in lexer.get_tokens(code):
        role = _role(str(kind))
        if runs and (runs[-1][0] == role or not text.strip()):
            runs[-1][1].append(text)
        else:
            runs.append((role, [text]))
    return "".join(_span(role, "".join(texts)) for role, texts in runs)


def _span(role: str, text: str) -> str:
    body = text.rstrip()
    space = text[len(body) :]
    plain = escape(body, quote=False)
    if not role or not body:
        return plain + space
    return f'<span class="tok-{role}" style="{style(role)}">{plain}</span>{space}'


@lru_cache(maxsize=1024)
def _role(kind: str) -> str:
    """Find the role whose type is the longest prefix of a Pygments type like Token.Literal.String.Double."""
    name = kind.removeprefix("Token.")
    best = ("", "")
    for role, (_, _, types) in ROLES.items():
        for prefix in types:
            if (name == prefix or name.startswith(prefix + ".")) and len(prefix) > len(best[1]):
                best = (role, prefix)
    return best[0]
