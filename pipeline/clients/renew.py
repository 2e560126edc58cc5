"""Renews what is known of mail clients' support: `python -m pipeline.clients.renew SOURCE`.

SOURCE is a file, or the https address, of caniemail.com's data in the form
of its API (https://www.caniemail.com/api/data.json). Written is
caniemail.json beside this module: of Gmail and Outlook the latest result of
each test in which one of them falls short, and what to look for in a mail.
A person runs this and looks at the difference; nothing else ever fetches.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.request import urlopen

TARGET = Path(__file__).with_name("caniemail.json")

#: The clients asked about: family and platform in the data, and their names here.
CLIENTS = {
    "Gmail": ("gmail", "desktop-webmail"),
    "Gmail for iOS": ("gmail", "ios"),
    "Gmail for Android": ("gmail", "android"),
    "Outlook for Windows": ("outlook", "windows"),
    # The new Outlook for Windows is Outlook.com in a window of its own.
    "Outlook.com and new Outlook": ("outlook", "outlook-com"),
}
LICENCE = (
    "MIT License. Copyright (c) 2019 HTeuMeuLeu (github.com/hteumeuleu/caniemail). "
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated "
    'documentation files (the "Software"), to deal in the Software without restriction, including without limitation '
    "the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and "
    "to permit persons to whom the Software is furnished to do so, subject to the following conditions: The above "
    "copyright notice and this permission notice shall be included in all copies or substantial portions of the "
    'Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT '
    "LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT "
    "SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION "
    "OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER "
    "DEALINGS IN THE SOFTWARE."
)
#: At least so many features; fewer means another form of data than is known here.
FEWEST = 100

#: What to look for where a title does not say it.
_KNOWN: Mapping[str, Mapping[str, Sequence[str]]] = {
    "css-variables": {"functions": ["var"]},
    "css-unit-calc": {"functions": ["calc"]},
    "css-modern-color": {"functions": ["lch", "oklch", "lab", "oklab"]},
    "css-at-media-device-pixel-ratio": {
        "media": ["-webkit-min-device-pixel-ratio", "-webkit-max-device-pixel-ratio"]
    },
    "css-selector-child": {"selectors": [">"]},
    "css-selector-adjacent-sibling": {"selectors": ["+"]},
    "css-selector-general-sibling": {"selectors": ["~"]},
    "css-selector-universal": {"selectors": ["*"]},
    "css-selector-attribute": {"selectors": ["["]},
    "css-pseudo-class-lang": {"selectors": [":lang"]},
    "css-nesting": {"selectors": ["&"]},
    "css-inert-attribute": {"attributes": ["inert"]},
    "css-intrinsic-size": {"values": ["width:fit-content", "width:min-content", "width:max-content"]},
    "css-display-flex": {"values": ["display:flex", "display:inline-flex"]},
    "css-display-grid": {"values": ["display:grid", "display:inline-grid"]},
    "html-anchor-links": {"attributes": ["href=#"]},
    "html-svg": {"elements": ["svg"]},
    "html-link": {"elements": ["link[rel=stylesheet]"]},
    "html-image-maps": {"elements": ["map"]},
    "html-srcset": {"attributes": ["srcset"]},
    "html-background": {"attributes": ["background"]},
    "html-style": {"elements": ["style"]},
    "html-lists": {"attributes": ["reversed"]},
}
#: Titles that are no question to a mail's text, or are answered by others.
_LEFT_OUT = frozenset(
    {
        "css-sytem-ui",  # families of fonts have others after them
        "css-comments",
        "css-important",
        "css-unit-initial",
        "html-doctype",
        "html-body",
        "html-meta-color-scheme",
    }
)


def shrunk(data: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return what this program uses of the API's data, in its own shape. Raises ValueError for another form."""
    try:
        features = [feature for each in data["data"] if (feature := _feature(each))]
        date = str(data["last_update_date"])[:10]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is not the data of caniemail's API: {error!r}") from error
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
        raise ValueError(f"last_update_date is {date!r}, no date")
    return {
        "source": source,
        "date": date,
        "licence": LICENCE,
        "clients": list(CLIENTS),
        "features": {each.pop("slug"): each for each in sorted(features, key=lambda each: each["slug"])},
    }


def _feature(entry: Mapping[str, Any]) -> dict[str, Any] | None:
    if entry["category"] not in ("css", "html") or entry["slug"] in _LEFT_OUT:
        return None
    support = {name: _latest(entry["stats"], *where) for name, where in CLIENTS.items()}
    finds = _KNOWN.get(entry["slug"]) or _finds(entry)
    if not finds or not any(value[:1] in ("n", "a") for value in support.values()):
        return None
    numbers = sorted(
        {number for value in support.values() for number in re.findall(r"#(\d+)", value)}, key=int
    )
    notes = entry["notes_by_num"] or {}
    return {
        "slug": entry["slug"],
        "title": entry["title"].strip(),
        "tested": entry["last_test_date"],
        "finds": {kind: sorted(names) for kind, names in finds.items()},
        "support": {name: value for name, value in support.items() if value[:1] in ("n", "a")},
        "notes": {number: _plain(notes[number]) for number in numbers if number in notes},
    }


def _latest(stats: Mapping[str, Any], family: str, platform: str) -> str:
    """Return the answer of the last version tested, like `n #2`: y, n, a (partly) or u, and its notes."""
    answers = stats.get(family, {}).get(platform) or {"": "u"}
    return str(list(answers.values())[-1])


def _finds(entry: Mapping[str, Any]) -> dict[str, list[str]]:
    """Read out of a title what to look for."""
    title = entry["title"].strip()
    if entry["category"] == "html":
        return _finds_html(title, entry["keywords"] or "")
    for kind, names in (
        ("media", re.findall(r"@media \(([-\w]+)\)", title)),
        ("at", [title] if re.fullmatch(r"@[-\w]+", title) else []),
        ("selectors", re.findall(r"^::?[-\w]+", title)),
        ("functions", re.findall(r"([-\w]+)\(\)", title) if "function" not in title else []),
        ("units", re.findall(r"^(\w+) unit$", title)),
        ("values", [title.replace(" ", "")] if re.fullmatch(r"[-\w]+: ?[-\w]+", title) else []),
        ("properties", list(_properties(title, entry["keywords"] or ""))),
    ):
        if names:
            return {kind: names}
    return {}


def _properties(title: str, keywords: str) -> Iterator[str]:
    if title.endswith(" properties") or title.startswith("border-inline & "):
        yield from (word.strip() for word in keywords.split(",") if re.fullmatch(r"[a-z-]+", word.strip()))
    else:
        names = re.split(r", | & ", re.sub(r" (CSS )?(property|shorthand)$", "", title))
        if all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in names):
            yield from names


def _finds_html(title: str, keywords: str) -> dict[str, list[str]]:
    if title == "HTML5 semantics":
        return {"elements": [word.strip() for word in keywords.split(",")]}
    if typed := re.match(r'<(\w+) type="(\w+)">', title):
        return {"elements": [f"{typed[1]}[type={typed[2]}]"]}
    if elements := re.findall(r"<([a-z]\w*)>", title):
        return {"elements": elements}
    if attribute := re.fullmatch(r"([-\w]+) attribute", title):
        return {"attributes": [attribute[1]]}
    return {}


def _plain(note: str) -> str:
    """Return a note without Markdown's links and code marks."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", note).replace("`", "").replace("\\u003C", "<").strip()


def written(shape: Mapping[str, Any]) -> str:
    """Return the file's text: sorted, a line for each thing that may change, so that a difference can be read."""
    features = []
    for slug, each in shape["features"].items():
        lines = [f"{_json(name)}: {_json(value)}" for name, value in each.items()]
        features.append(f"{_json(slug)}: {{\n   " + ",\n   ".join(lines) + "}")
    head = [f"{_json(name)}: {_json(value)}" for name, value in shape.items() if name != "features"]
    body = ",\n  ".join(features)
    return "{\n " + ",\n ".join(head) + f',\n "features": {{\n  {body}\n }}\n}}\n'


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def main(words: Sequence[str], target: Path = TARGET) -> int:
    """Renew the data from a file or an address; return the exit code."""
    if len(words) != 1:
        sys.stderr.write("Say where the data is: python -m pipeline.clients.renew FILE-OR-HTTPS-ADDRESS\n")
        return 2
    [source] = words
    try:
        if source.startswith("https://"):
            with urlopen(source, timeout=60) as answer:  # noqa: S310 -- https only, and a person asked for it
                data = json.loads(answer.read(20_000_000))
        else:
            data = json.loads(Path(source).read_text("utf-8"))
        shape = shrunk(data, "https://www.caniemail.com/api/data.json")
        if len(shape["features"]) < FEWEST:
            raise ValueError(f"only {len(shape['features'])} features were understood")
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{source}: {error}\nNothing was written.\n")
        return 1
    target.write_text(written(shape), "utf-8")
    sys.stdout.write(
        f"{target.name}: {len(shape['features'])} features of {shape['date']}. Next: git diff, pytest\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
