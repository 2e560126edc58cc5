"""What can be wrong with a variant of an issue although it is not wrong with the whole.

A variant has a subject made for what is in it, and may have another lead post,
or no cards, where a theme counts on some. All else follows from the posts,
which the checks of the whole issue look at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from pipeline.check import law, message, structure, weight, words
from pipeline.check.catalogue import Check
from pipeline.check.material import Material
from pipeline.check.texts import said
from pipeline.model import Finding

#: Those that look at the mail as it was rendered, and whose findings are errors.
CHECKS: tuple[Check, ...] = (
    message.subject,
    law.postal_address,
    law.unsubscribe,
    words.template_left,
    structure.text_part,
    weight.clipping,
)


def variant_findings(variants: Iterable[tuple[str, Material]], known: Iterable[Finding]) -> Iterator[Finding]:
    """Yield what is wrong with variants: each as whom it is for, and what is known of it.

    What is wrong with several of them alike, or at the same place with the
    whole issue (`known`), is said once.
    """
    told = {(finding.id, finding.path, finding.line) for finding in known}
    found: dict[Finding, list[str]] = {}
    for whom, material in variants:
        for check in CHECKS:
            for finding in check(material):
                if (finding.id, finding.path, finding.line) not in told:
                    found.setdefault(finding, []).append(whom)
    for finding, (first, *others) in found.items():
        more = f" (and {said(len(others), 'other variant')})" if others else ""
        yield replace(finding, message=f"for readers of {first}{more}: {finding.message}")
