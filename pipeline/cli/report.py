"""`newsletter report N`: the receipt of an issue."""

from __future__ import annotations

from typing import Any

import click

from pipeline.cli.context import NUMBER, Context, Verb, json_option, pass_context
from pipeline.cli.words import moment, sentence, size


@click.command(cls=Verb)
@click.argument("number", type=NUMBER, required=False)
@json_option
@pass_context
def command(context: Context, number: int | None, as_json: bool) -> int:
    """Print the receipt of issue NUMBER, the last one by default: counts by answer and by domain, rate, doubts."""
    from pipeline import papers
    from pipeline.deliver.receipt import exit_code, summary

    receipt = papers.receipt(context.project, number)
    if as_json:
        context.json(summary(receipt))
    else:
        show(context, receipt)
    return exit_code(receipt.record)


def show(context: Context, receipt: Any) -> None:
    """Print the receipt for a person."""
    record, zone = receipt.record, context.project.settings.newsletter.zone
    context.say(f"Issue {record.number}  {record.subject}")
    context.say(sentence(record))
    context.say(
        f"Build     {record.hash[:4]}…{record.hash[-2:]}, frozen {moment(record.date, zone)}, {size(receipt.bytes)}"
    )
    if receipt.rate:
        context.say(f"Rate      {receipt.rate:,.0f} messages/s")
    for domain, states in receipt.by_domain.items():
        counts = ", ".join(f"{count:,} {state.replace('_', ' ')}" for state, count in states.items())
        context.say(f"  {domain:<28} {counts}")
    for email in receipt.doubts:
        context.say(f"  in doubt: {email}")
    if record.counts.open:
        context.say(f"Next: newsletter resume {record.number}")
    else:
        context.say("Next: newsletter status")
