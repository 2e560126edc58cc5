"""The Jinja environment that templates run in: data in, text out, nothing else, and an end to every loop.

An override is the newsletter's own, but it may come from anywhere: it sees
plain data, calls nothing of ours, and cannot spin or fill the memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, time
from typing import Any

from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

#: Turns that all `range` loops of one rendering may take together.
TURNS = 100_000
#: Longest text or list that a template may multiply something up to.
LENGTH = 100_000
#: Types whose methods a template may call.
PLAIN = (str, int, float, list, tuple, dict, date, time)

_left: ContextVar[int] = ContextVar("_left", default=TURNS)


@contextmanager
def allowance() -> Iterator[None]:
    """Give one rendering its turns."""
    token = _left.set(TURNS)
    try:
        yield
    finally:
        _left.reset(token)


def bounded_range(*arguments: int) -> range:
    """Stand in for `range`; all ranges of one rendering share one allowance."""
    turns = range(*arguments)
    # len() itself fails over sys.maxsize, so compare by slicing.
    if turns[TURNS:] or len(turns) > _left.get():
        raise SecurityError(
            f"loops over range() take more than {TURNS:,} turns; that is no page a person reads"
        )
    _left.set(_left.get() - len(turns))
    return turns


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja with plain data only, without chance, and with bounds."""

    intercepted_binops = frozenset(("*", "**"))

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.globals["range"] = bounded_range
        # Chance would make two builds of the same issue differ.
        del self.globals["lipsum"], self.filters["random"]

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Let fields through; methods only of plain values and of Jinja's own helpers."""
        if not super().is_safe_attribute(obj, attr, value):
            return False
        return not callable(value) or isinstance(obj, PLAIN) or type(obj).__module__.startswith("jinja2.")

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Read `a.b`; for a mapping its key comes before a method of the same name."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Bound what grows faster than its source."""
        if operator == "**":
            raise SecurityError("** is not for templates")
        for one, other in ((left, right), (right, left)):
            if isinstance(one, (str, list, tuple)) and isinstance(other, int) and len(one) * other > LENGTH:
                raise SecurityError(f"a text or list is multiplied to more than {LENGTH:,}")
        return super().call_binop(context, operator, left, right)
