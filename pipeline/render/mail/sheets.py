"""Makes a stylesheet small for the wire."""

from __future__ import annotations

import re


def shrink(css: str) -> str:
    """Drop comments and white space that mean nothing; strings keep theirs."""
    pieces = re.split(r"(\"[^\"]*\"|'[^']*')", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))
    pieces[::2] = [_squeeze(piece) for piece in pieces[::2]]
    return "".join(pieces).strip()


def _squeeze(css: str) -> str:
    css = re.sub(r"\s+", " ", css)
    # Not before "(" or around ":": `and (min-width...)` and `a :link` mean something with them.
    return (
        re.sub(r" ?([{};,]) ?", r"\1", css)
        .replace(": ", ":")
        .replace(";}", "}")
        .replace("}", "}\n")
        .replace("\n ", "\n")
    )
