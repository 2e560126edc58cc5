"""What comes back: undelivered mail, complaints and readers who leave by mail, from raw bytes to news."""

from pipeline.hear.heard import Evidence, Heard, News, Nothing
from pipeline.hear.parse import parse

__all__ = ["Evidence", "Heard", "News", "Nothing", "parse"]
