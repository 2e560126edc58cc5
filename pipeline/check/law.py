"""Checks of what the law wants in every mail: a way out, and where the sender can be found."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.check.findings import error
from pipeline.check.material import Material, template_line
from pipeline.check.texts import levelled
from pipeline.model import Finding


def unsubscribe(m: Material) -> Iterator[Finding]:
    """HTML and text both hold the reader's own unsubscribe address."""
    for part, body, template in (
        ("HTML", m.rendered.html, "foot.html"),
        ("text", m.rendered.text, "mail.txt"),
    ):
        if m.rendered.marks.unsubscribe not in body:
            path, line = template_line(m, template, "words.unsubscribe")
            yield error(
                "unsubscribe",
                f"the {part} part has no unsubscribe link",
                path=path,
                line=line,
                fix="put {{ recipient.unsubscribe }} back into the template's footer",
            )


def postal_address(m: Material) -> Iterator[Finding]:
    """The mail names a postal address (in the US demanded by 15 U.S.C. 7704(a)(5))."""
    address = m.settings.newsletter.postal_address.strip()
    if not address:
        path, line = m.setting("newsletter.postal_address")
        yield error(
            "postal-address",
            "there is no postal address",
            path=path,
            line=line,
            fix="set postal_address under [newsletter]",
        )
        return
    for part, body, template in (
        ("HTML", m.html_text, "foot.html"),
        ("text", m.rendered.text, "mail.txt"),
    ):
        if levelled(address) not in levelled(body):
            path, line = template_line(m, template, "newsletter.name")
            yield error(
                "postal-address",
                f"the {part} part does not show the postal address",
                path=path,
                line=line,
                fix="put {{ newsletter.postal_address }} back into the footer",
            )
