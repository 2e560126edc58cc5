"""Writes an issue's readers down: one queued delivery each, in the variant that their choice gets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    String,
    Table,
    Text,
    func,
    insert,
    literal,
    or_,
    select,
)
from sqlalchemy.sql import Insert

from pipeline.model import DeliveryState
from pipeline.store.audience import may_be_mailed
from pipeline.store.moments import NOW
from pipeline.store.tables import deliveries, preferences, subscribers

#: What each choice gets, while readers are enrolled. There may be thousands of choices, so this is no CASE.
cuts = Table(
    "cuts",
    MetaData(),
    Column("choice", Text, primary_key=True),
    #: Null: nothing.
    Column("variant", String),
    prefixes=["TEMPORARY"],
)
#: By a name of its own, since the rule for whom an issue may go to asks that table too.
wants = preferences.alias("wants")


def enroll(connection: Connection, number: int, date: datetime, cut: Mapping[str, str | None]) -> int:
    """Enroll everybody to whom an issue of that date may go, in order of address; return how many they are.

    `cut` says which variant a choice gets (None: nothing, and no delivery);
    whoever made none of these choices gets the whole issue.
    """
    other = [{"choice": choice, "variant": variant} for choice, variant in cut.items() if variant != ""]
    if not other:
        return connection.execute(_enroll(number, date)).rowcount
    cuts.create(connection)
    connection.execute(insert(cuts), other)
    enrolled = connection.execute(_enroll(number, date, chosen=True)).rowcount
    cuts.drop(connection)
    return enrolled


def _enroll(number: int, date: datetime, *, chosen: bool = False) -> Insert:
    """Return the statement; readers do not pass through our memory. `chosen`: what is in `cuts` holds."""
    columns = ["uid", "email", "domain", "name"]
    variant = func.coalesce(cuts.c.variant, "") if chosen else literal("")
    readers = (
        select(
            literal(number),
            *(subscribers.c[name] for name in columns),
            subscribers.c.since,
            literal(DeliveryState.QUEUED.value),
            literal(0),
            literal(0),
            literal(0),
            literal(""),
            NOW,
            variant,
        )
        .where(may_be_mailed(date))
        .order_by(subscribers.c.email_key)
    )
    if chosen:
        readers = (
            readers.select_from(subscribers)
            .outerjoin(wants, wants.c.email_key == subscribers.c.email_key)
            .outerjoin(cuts, cuts.c.choice == wants.c.choice)
            .where(or_(cuts.c.choice.is_(None), cuts.c.variant.is_not(None)))
        )
    rest = ["confirmed", "state", "epoch", "attempts", "not_before", "reply", "updated", "variant"]
    return insert(deliveries).from_select(["issue", *columns, *rest], readers)
