"""All checks, in families, in the order in which an editor meets what they look at.

To add one, write a generator that takes the Material and yields findings, and
put it into its family here. Its id is its name with hyphens; its docstring's
first line is what it demands, for people. docs/adding-a-check.md shows one grow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from pipeline.check import (
    appearance,
    heads,
    history,
    ignore,
    law,
    links,
    message,
    online,
    pictures,
    structure,
    weekday,
    weight,
    words,
)
from pipeline.check.material import Material
from pipeline.check.mend import Fix
from pipeline.check.online import ONLINE, OnlineCheck
from pipeline.model import Finding

Check = Callable[[Material], Iterator[Finding]]

FAMILIES: Mapping[str, tuple[Check, ...]] = {
    "message": (
        message.subject,
        message.subject_length,
        message.subject_cut,
        message.preheader,
        message.from_alignment,
        message.site_address,
    ),
    "law": (law.postal_address, law.unsubscribe),
    "words": (
        words.template_left,
        words.placeholder,
        weekday.weekday,
        words.post_age,
        words.author,
        words.excerpt_length,
        words.words_missing,
    ),
    "links": (
        links.link_relative,
        links.link_active,
        links.link_http,
        links.link_text,
        links.link_ambiguous,
        links.links_unchecked,
    ),
    "pictures": (
        pictures.image_alt,
        pictures.image_missing,
        pictures.image_alt_name,
        pictures.image_large,
        pictures.image_size,
        pictures.image_format,
    ),
    "structure": (structure.text_part, structure.heading_order),
    "appearance": (appearance.contrast, appearance.contrast_unknown, appearance.client_css),
    "weight": (weight.clipping, weight.weight, weight.reading_time),
    "history": (history.subject_repeated, history.link_repeated),
}
CHECKS: tuple[Check, ...] = tuple(check for family in FAMILIES.values() for check in family)

#: Findings that no check above makes, and what each demands: of posts while they are read (collect/), of comments.
OTHERS: Mapping[str, str] = {
    "unreadable": "Every file of the posts folder can be used as a post, and none has the id or address of another.",
    "front-matter-key": "No key of a head looks like a slip of a known one.",
    "excerpt-derived": "Every post has an excerpt of its own.",
    "ignore-unknown": str(ignore.ignore_unknown.__doc__).partition("\n")[0],
}

#: Id -> how a machine mends it; what puts a line in stands last, since it moves all below.
FIXES: Mapping[str, Fix] = {
    "front-matter-key": heads.rename_key,
    "link-http": links.encrypt_own,
    "link-relative": links.publish_own,
    "link-moved": online.write_new,
    "ignore-unknown": ignore.rename_id,
    "excerpt-derived": heads.write_excerpt,
}


def id_of(check: Check | OnlineCheck) -> str:
    """Return the id under which people know a check."""
    return check.__name__.replace("_", "-")


def texts() -> dict[str, str]:
    """Return every id with what it demands: a docstring, whose first line stands for it."""
    # Without answers, what is not checked is another thing than with them; both have one name.
    every: tuple[Check | OnlineCheck, ...] = (*ONLINE, *CHECKS)
    return {id_of(check): str(check.__doc__).strip() for check in every} | dict(OTHERS)


def title(id: str) -> str:
    """Return what a check demands, in a sentence for people; the id itself where there is no such check."""
    return texts().get(id, id).partition("\n")[0]
