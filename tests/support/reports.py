"""What mail servers, providers and readers write back, as tests/hear/corpus holds it: 84 messages of real shapes."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).resolve().parents[1] / "hear/corpus"
#: Readers of a newsletter; all messages name the first.
READERS = ANA, BEN, CLEO, DORA = (
    "ana@reader.example",
    "ben@reader.example",
    "cleo@elsewhere.example",
    "dora@else.example",
)
READER = ANA
#: The left side of a Message-ID, and a token, that look like ours.
CODE, TOKEN = "0c9f" * 8, "Ab-_" * 9


def names() -> list[str]:
    """Return every message's name."""
    return sorted(path.stem for path in CORPUS.glob("*.eml"))


def report(name: str, code: str = CODE, token: str = TOKEN) -> bytes:
    """Return a message as it comes from the network, about the copy with this code and token."""
    message = (CORPUS / f"{name}.eml").read_bytes()
    # In quoted-printable headers "_" is a space (RFC 2047, 4.2).
    values = {b"{code}": code, b"{token}": token, b"{token-q}": token.replace("_", "=5F")}
    for mark, value in values.items():
        message = message.replace(mark, value.encode())
    return message.replace(b"\n", b"\r\n")


def expected() -> dict[str, dict[str, Any]]:
    """Return what must be heard in each."""
    return tomllib.loads((CORPUS / "expected.toml").read_text("utf-8"))


def own_reader(name: str) -> str:
    """Return the address of the reader that one message of the corpus is about in tests of them all."""
    return f"reader-of-{names().index(name)}@reader.example"
