"""Says how a delivery may move: one table, the only way from state to state."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pipeline.errors import StoreError
from pipeline.model import DeliveryState as State
from pipeline.model import Outcome


class Event(StrEnum):
    """What can happen to a delivery."""

    #: A run takes it, and gives it back: a stop, a definite failure, or the run died.
    LEASE = "lease"
    RELEASE = "release"
    #: The reader left, or was suppressed, after the freeze.
    WITHDRAW = "withdraw"
    CANCEL = "cancel"
    #: Deferred for longer than anyone wants to wait.
    EXPIRE = "expire"
    #: Its final dot may be on the wire.
    ARM = "arm"
    ACCEPT = "accept"
    REFUSE = "refuse"
    DEFER = "defer"
    #: Anything else after the dot, or the run died armed (RFC 1047).
    LOSE = "lose"
    #: By evidence or by a person, never by time.
    SETTLE_ACCEPTED = "settle accepted"
    SETTLE_AGAIN = "settle again"


TABLE: Mapping[tuple[State, Event], State] = {
    (State.QUEUED, Event.LEASE): State.LEASED,
    (State.QUEUED, Event.WITHDRAW): State.WITHDRAWN,
    (State.QUEUED, Event.EXPIRE): State.EXPIRED,
    (State.QUEUED, Event.CANCEL): State.CANCELLED,
    (State.LEASED, Event.RELEASE): State.QUEUED,
    (State.LEASED, Event.WITHDRAW): State.WITHDRAWN,
    (State.LEASED, Event.CANCEL): State.CANCELLED,
    (State.LEASED, Event.ARM): State.ARMED,
    # A definite answer before the dot, as to RCPT: nothing was handed over.
    (State.LEASED, Event.DEFER): State.QUEUED,
    (State.LEASED, Event.REFUSE): State.REFUSED,
    # No way back from here by time: that is the fence, since no relay checks who still owns a lease.
    (State.ARMED, Event.ACCEPT): State.ACCEPTED,
    (State.ARMED, Event.REFUSE): State.REFUSED,
    (State.ARMED, Event.DEFER): State.QUEUED,
    (State.ARMED, Event.LOSE): State.IN_DOUBT,
    (State.IN_DOUBT, Event.SETTLE_ACCEPTED): State.ACCEPTED,
    (State.IN_DOUBT, Event.SETTLE_AGAIN): State.QUEUED,
}

#: No event moves these.
FINAL = frozenset(State) - {state for state, _ in TABLE}

#: What a mailer's answer does to a delivery.
EVENTS: Mapping[Outcome, Event] = {
    Outcome.ACCEPTED: Event.ACCEPT,
    Outcome.DEFERRED: Event.DEFER,
    Outcome.REFUSED: Event.REFUSE,
    Outcome.IN_DOUBT: Event.LOSE,
}

#: What evidence of an earlier hand-over does to a doubt.
EVIDENCE: Mapping[Outcome | None, Event] = {
    Outcome.ACCEPTED: Event.SETTLE_ACCEPTED,
    Outcome.DEFERRED: Event.SETTLE_AGAIN,
}


def move(state: State, event: Event) -> State:
    """Return the state that follows. Raises StoreError where the table has no way."""
    try:
        return TABLE[state, event]
    except KeyError:
        raise StoreError(
            f"a delivery that is {state.replace('_', ' ')} cannot {event}: the ledger or the mailer is at fault. "
            "Nothing more is handed over; keep the store as it is and report this."
        ) from None


def draw() -> str:
    """Return the table as a picture: every state with the ways that lead out of it, the final ones marked."""
    blocks = []
    for state in State:
        ways = [(event, after) for (before, event), after in TABLE.items() if before is state]
        corners = ["┬" if len(ways) > 1 else "─", *"├" * (len(ways) - 2), "└"]
        lead = f"{_words(state)} ─"
        for (event, after), corner in zip(ways, corners, strict=False):
            blocks.append(f"{lead}{corner}─ {f'{event} ':─<17}▶ {_words(after)}{' ■' * (after in FINAL)}")
            lead = " " * len(lead)
        blocks.extend([""] * bool(ways))
    return "\n".join([*blocks, "■ final", ""])


def _words(state: State) -> str:
    return state.replace("_", " ")
