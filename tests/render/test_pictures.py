"""Mail says how large a picture is; and a body knows its headings, each with its line."""

from __future__ import annotations

import re
import struct

import pytest
from support.pictures import png

from pipeline.render.content.pictures import look

SAMPLES = {
    "png": png(300, 200),
    "gif": b"GIF89a" + struct.pack("<HH", 300, 200) + b"\0\0\0;",
    "jpeg": b"\xff\xd8\xff\xe0\0\x04xx\xff\xc0\0\x0b\x08"
    + struct.pack(">HH", 200, 300)
    + b"\x01\x01\x11\0\xff\xd9",
    "webp": b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\x2b\x01\0" + b"\xc7\0\0",
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_picture_says_its_size_in_its_first_bytes(tmp_path, kind):
    file = tmp_path / "a.picture"
    file.write_bytes(SAMPLES[kind])
    found = look(file)
    assert (found.width, found.height, found.format, found.bytes) == (300, 200, kind, len(SAMPLES[kind]))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", ""),
        (b"no picture", ""),
        (b"https://example.org/a.png", ""),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>", "svg"),
        (SAMPLES["png"][:20], "png"),
        (b"\xff\xd8\xff" + b"\xff" * 5000, "jpeg"),
        (png(1, 1).replace(struct.pack(">I", 1) * 2, struct.pack(">I", 2**31 - 1) * 2), "png"),
        (b"\0\0\0\x18ftypavif" + b"\0" * 40, "avif"),
    ],
)
def test_what_does_not_say_its_size_has_none(tmp_path, data, kind):
    (tmp_path / "a.png").write_bytes(data)
    found = look(tmp_path / "a.png")
    assert (found.width, found.height, found.format) == (None, None, kind)
    assert look(tmp_path / "nothing.png") is None


def test_a_picture_that_was_exchanged_is_looked_at_again(tmp_path):
    (tmp_path / "a.png").write_bytes(png(10, 10))
    assert look(tmp_path / "a.png").width == 10
    (tmp_path / "a.png").write_bytes(png(2000, 10))
    assert look(tmp_path / "a.png").width == 2000


@pytest.mark.parametrize(
    ("written", "width", "height"),
    [
        ("![x](sky.png)", 536, 402),
        ('<img src="sky.png" alt="x" width="100">', 100, 75),
        ('<img src="sky.png" alt="x" height="75">', 100, 75),
        ('<img src="sky.png" alt="x" width="50%" height="10">', 268, 201),
        ('<img src="sky.png" alt="x" width="1072" height="100">', 536, 50),
        ("![x](img/rain.png)", 40, 30),
        ("![x](https://pictures.example/sky.png)", None, None),
        ('<img src="https://pictures.example/sky.png" alt="x" width="1072" height="100">', 536, 50),
    ],
)
def test_mail_says_how_large_a_picture_is(body, root, written, width, height):
    (root / "posts/sky.png").write_bytes(png(800, 600))
    (root / "posts/img/rain.png").write_bytes(png(40, 30))
    made = body(f"Some words to begin with.\n\n{written}\n")
    sides = [int(found) for found in re.findall(r' (?:width|height)="(\d+)"', made.mail)]
    assert sides == [side for side in (width, height) if side]
    assert (made.images[0].width, made.images[0].height) == (width, height)


def test_the_web_is_told_what_the_author_wrote_and_a_cut_hides_no_size(body, root):
    (root / "posts/sky.png").write_bytes(png(800, 600))
    made = body("A word. " * 40 + "\n\n![x](sky.png)\n\n![y](gone.png)\n\n![z](sky.png)", 10)
    assert "width" not in made.web + made.mail
    assert [image.width for image in made.images] == [536, None, 536]


def test_headings_come_with_level_text_and_line(body):
    made = body(
        "## One *two*\n\nText\n\nUnder\n-----\n\n> #### Quoted\n\n<h3>Raw\nmore</h3>\n\nx <h5>inline</h5>\n"
    )
    assert [(each.level, each.text, each.line) for each in made.headings] == [
        (2, "One two", 5),
        (2, "Under", 9),
        (4, "Quoted", 12),
        (3, "Raw more", 14),
        (5, "inline", 17),
    ]
    assert "data-line" not in made.web + made.mail
    assert [each.level for each in body("# One\n\n## Two").headings] == [2, 3]
