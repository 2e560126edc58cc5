"""Checks of pictures: what they say to those who do not see them, and whether mail programs can show them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import basename, splitext
from urllib.parse import unquote, urlsplit

from pipeline.check.findings import error, warning
from pipeline.check.material import TEMPLATES, Material
from pipeline.check.texts import short
from pipeline.model import Finding, Image

#: Twice the mail's 600 px, for screens with two dots a pixel.
WIDEST = 1200
#: What a picture may weigh on a phone's connection: a second at 1.6 Mbit/s, Lighthouse's slow 4G.
HEAVIEST = 200_000
#: Formats that Gmail (SVG) and Outlook on Windows (all of them) do not show (caniemail.com: image-svg, image-webp,
#: image-avif).
UNSHOWN = {"svg": "SVG", "webp": "WebP", "avif": "AVIF", "heic": "HEIC", "heif": "HEIF"}

_FILE = re.compile(r"\S+\.(jpe?g|png|gif|webp|svg|avif|bmp|heic|tiff?|ico)", re.IGNORECASE)
_CAMERA = re.compile(
    r"(img|image|dsc|dscn|dscf|pxl|pict|photo|picture|screenshot|untitled|bild|foto|scan)[-_ ]?[\d_ .:()-]*",
    re.IGNORECASE,
)


def image_alt(m: Material) -> Iterator[Finding]:
    """Every picture has a description for those who do not see it (WCAG 2.2, 1.1.1)."""
    for image in m.images():
        if image.alt is None:
            yield error(
                "image-alt",
                f"{short(image.url)} has no description",
                path=image.path or TEMPLATES,
                line=image.line,
                fix='write one: ![a chart of ...](file.png); alt="" in HTML for mere decoration',
            )


def image_missing(m: Material) -> Iterator[Finding]:
    """Every picture beside the posts is there; else its description stands in for it."""
    for image in m.images():
        if not image.resolved:
            yield warning(
                "image-missing",
                f"{short(image.url)} is not there; its description stands in its place",
                path=image.path or TEMPLATES,
                line=image.line,
                fix="put the file beside the post or into static/, or correct the name",
            )


def image_alt_name(m: Material) -> Iterator[Finding]:
    """A picture's description says what is to be seen; it is no file's name."""
    for image in m.images():
        alt = (image.alt or "").strip()
        stem = splitext(basename(unquote(urlsplit(image.url).path)))[0]
        if alt and (_FILE.fullmatch(alt) or _CAMERA.fullmatch(alt) or (alt == stem and not alt.isalpha())):
            yield warning(
                "image-alt-name",
                f"“{short(alt)}” is a file's name, no description",
                path=image.path or TEMPLATES,
                line=image.line,
                fix="say what is to be seen, as you would on the telephone",
            )


def image_large(m: Material) -> Iterator[Finding]:
    """A picture is at most 1200 px wide and weighs at most 200 kB, which phones have to fetch."""
    for image in _once(m):
        facts = m.pictures.get(image.file)
        if facts is None:
            continue
        wide, heavy = (facts.width or 0) > WIDEST, facts.bytes > HEAVIEST
        if wide or heavy:
            size = " and ".join(
                [f"{facts.width:,} px wide"] * wide + [f"{round(facts.bytes / 1000):,} kB heavy"] * heavy
            )
            yield warning(
                "image-large",
                f"{image.file} is {size}",
                path=image.path,
                line=image.line,
                fix=f"make it at most {WIDEST:,} px wide and {HEAVIEST // 1000} kB: mail shows it at 536 px at most",
            )


def image_size(m: Material) -> Iterator[Finding]:
    """The mail says how large each picture is: Outlook shows it in its full size else, and text jumps elsewhere."""
    for image in m.images():
        if image.resolved and image.width is None and not _unshown(m, image):
            ours = image.file in m.pictures
            yield warning(
                "image-size",
                f"{image.file} is no picture that can be read"
                if ours
                else f"nobody knows how large {short(image.url)} is",
                path=image.path or TEMPLATES,
                line=image.line,
                fix="save it once more as PNG or JPEG"
                if ours
                else 'write it as HTML: <img src="..." alt="..." width="536" height="...">, or keep the file here',
            )


def image_format(m: Material) -> Iterator[Finding]:
    """A picture is PNG, JPEG or GIF, which every mail program shows."""
    for image in m.images():
        name = _unshown(m, image)
        if name and image.resolved:
            yield warning(
                "image-format",
                f"{short(image.file or image.url)} is {name}, which Outlook on Windows or Gmail do not show",
                path=image.path or TEMPLATES,
                line=image.line,
                fix="save it as PNG or JPEG",
            )


def _unshown(m: Material, image: Image) -> str:
    """Return the name of a picture's format if mail programs do not show it, else ""."""
    facts = m.pictures.get(image.file)
    ending = splitext(urlsplit(image.url).path)[1].lower().removeprefix(".")
    return UNSHOWN.get(facts.format if facts and facts.format else ending, "")


def _once(m: Material) -> Iterator[Image]:
    """Yield each picture file once, where it is first shown."""
    seen: set[str] = set()
    for image in m.images():
        if image.file and image.file not in seen:
            seen.add(image.file)
            yield image
