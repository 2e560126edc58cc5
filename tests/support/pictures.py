"""Pictures as small as their format allows."""

from __future__ import annotations

import struct
import zlib


def png(width: int, height: int, padding: int = 0) -> bytes:
    """A white picture; `padding` bytes of a comment make it heavier."""
    rows = zlib.compress((b"\0" + b"\xff" * (-(-width // 8))) * height)
    text = [(b"tEXt", b"Comment\0" + b"x" * padding)] if padding else []
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)),
        *text,
        (b"IDAT", rows),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
