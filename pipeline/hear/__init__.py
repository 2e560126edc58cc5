"""What comes back: undelivered mail, complaints and readers who leave by mail, from raw bytes to news."""

from pipeline.hear.parse import parse
from pipeline.model import Evidence, Heard, News, Nothing

__all__ = ["Evidence", "Heard", "News", "Nothing", "parse"]
