"""Other people's views of a feed: its format's grammar, and a feed reader's parser."""

from __future__ import annotations

import json
from pathlib import Path

import feedparser
import jsonschema
from lxml import etree

SCHEMAS = Path(__file__).parents[1] / "schemas"


def valid(data: bytes) -> etree._Element:
    """Parse, and hold to the format's grammar."""
    root = etree.fromstring(data)
    grammar = etree.RelaxNG(file=str(SCHEMAS / ("rss.rng" if root.tag == "rss" else "atom.rng")))
    assert grammar.validate(root), grammar.error_log
    return root


def valid_json(data: bytes) -> dict:
    document = json.loads(data)
    jsonschema.Draft202012Validator(json.loads((SCHEMAS / "jsonfeed-1.1.schema.json").read_text())).validate(
        document
    )
    return document


def read(data: bytes) -> feedparser.FeedParserDict:
    found = feedparser.parse(data)
    assert not found.bozo, found.get("bozo_exception")
    return found
