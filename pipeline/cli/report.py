"""`newsletter report N`: the receipt of an issue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import NUMBER, Context, Verb, json_option, pass_context
from pipeline.cli.run import following
from pipeline.cli.words import at_work, counted, duration, moment, rate, sentence, short_hash, size
from pipeline.model import DeliveryState, skipped

if TYPE_CHECKING:
    from pipeline.deliver.receipt import Receipt

#: So many domains, and so many of a relay's sayings, are shown; the rest is counted, unless -v.
SHOWN = 12
#: Nothing, then an eighth to eight eighths of the highest.
BARS = " ▁▂▃▄▅▆▇█"


@click.command(cls=Verb)
@click.argument("number", type=NUMBER, required=False)
@json_option
@pass_context
def command(context: Context, number: int | None, as_json: bool) -> int:
    """Print the receipt of issue NUMBER, the last one by default.

    Counts by answer and by domain, the rate over time, what the relay said, and who is in doubt.
    """
    from pipeline import papers
    from pipeline.deliver.receipt import exit_code, summary

    receipt = papers.receipt(context.project, number)
    if as_json:
        # Addresses are for whoever asked at this terminal; the receipt's files have none.
        context.json(summary(receipt) | {"doubts": list(receipt.doubts)})
    else:
        show(context, receipt)
    return exit_code(receipt.record)


def show(context: Context, receipt: Receipt) -> None:
    """Print the receipt for a person."""
    record, zone = receipt.record, context.project.settings.newsletter.zone
    context.say(f"Issue {record.number}  {record.subject}")
    context.say(sentence(record))
    if any(record.skipped.values()):
        context.say(f"Confirmed, and not among its readers: {skipped(record.skipped)}.")
    for run in context.project.store.runs(record.number):
        context.say(f"{at_work(run)}.")
    context.say(
        # Not the build, which is more than the mail: page, feeds, settings and all that `send` and `approve` seal.
        f"Mail      {short_hash(record.hash)}, frozen {moment(record.date, zone)}, {size(receipt.bytes)}"
    )
    if receipt.rate:
        context.say(f"Rate      {rate(receipt.rate)} from the first to the last")
    if len(receipt.over_time) > 1:
        context.say(f"          {chart(receipt.over_time)}")
    _variants(context, receipt)
    _domains(context, receipt)
    _refusals(context, receipt)
    _heard(context, receipt)
    _doubts(context, receipt)
    context.say(f"\nNext: {following(record) if record.counts.open else 'newsletter status'}")


def chart(over_time: Sequence[tuple[datetime, int]]) -> str:
    """Draw the rate over time in one line, between the moments at which it begins and ends."""
    first, last = over_time[0][0], over_time[-1][0]
    stretch = over_time[1][0] - first
    most = max(count for _, count in over_time)
    bars = "".join(BARS[-(-count * (len(BARS) - 1) // most)] for _, count in over_time)
    return (
        f"{first:%H:%M:%S} {bars} {last + stretch:%H:%M:%S}  "
        f"(a bar is {duration(stretch.total_seconds())}, the highest {rate(most / stretch.total_seconds())})"
    )


def _variants(context: Context, receipt: Receipt) -> None:
    if not any(receipt.variants):
        return
    names = sorted(receipt.variants, key=lambda name: (-receipt.variants[name], name))
    shown = names if context.verbose else names[:SHOWN]
    context.say("\nBy what they chose")
    for name in shown:
        context.say(f"  {name.replace(' ', ' + ') or 'everything':<28} {receipt.variants[name]:,}")
    if len(names) > len(shown):
        context.say(f"  … and {counted(len(names) - len(shown), 'more variant')} (-v shows all)")


def _domains(context: Context, receipt: Receipt) -> None:
    domains = list(receipt.by_domain.items())
    shown = domains if context.verbose else domains[:SHOWN]
    if shown:
        context.say("\nBy domain")
    for domain, states in shown:
        counts = ", ".join(f"{count:,} {state.replace('_', ' ')}" for state, count in states.items())
        context.say(f"  {domain or '(forgotten)':<28} {counts}")
    if len(domains) > len(shown):
        context.say(f"  … and {counted(len(domains) - len(shown), 'more domain')} (-v shows all)")


def _refusals(context: Context, receipt: Receipt) -> None:
    shown = receipt.refusals if context.verbose else receipt.refusals[:SHOWN]
    if shown:
        context.say("\nWhat the relay said")
    for refusal in shown:
        word = "deferred" if refusal.state is DeliveryState.QUEUED else refusal.state.replace("_", " ")
        context.say(f"  {refusal.count:>6,} {word:<9} {refusal.reply or '(no answer)'}")
        if refusal.domains:
            context.say(f"{'':19}{', '.join(refusal.domains)}")
    if len(receipt.refusals) > len(shown):
        context.say(f"  … and {len(receipt.refusals) - len(shown):,} more (-v shows all)")


def _heard(context: Context, receipt: Receipt) -> None:
    from pipeline.deliver.receipt import HEARD

    said = [
        counted(receipt.heard[kind], name.removesuffix("s").replace("_", " "))
        for kind, name in HEARD.items()
        if receipt.heard.get(kind)
    ]
    if said:
        context.say(f"\nHeard since: {', '.join(said)}. Each is in newsletter subscribers show ADDRESS")


def _doubts(context: Context, receipt: Receipt) -> None:
    record = receipt.record
    if not record.counts.in_doubt:
        return
    context.say("\nIn doubt: handed over, and the answer was lost")
    for email in receipt.doubts:
        context.say(f"  {email}")
    forgotten = record.counts.in_doubt - len(receipt.doubts)
    if forgotten > 0:
        context.say(f"  {counted(forgotten, 'copy')} of people who were forgotten since")
    again = ", or --again (one more copy)" if receipt.doubts else ""
    context.say(f"  newsletter settle {record.number} --accepted (they have it){again}")
