"""The tables. A change here needs a migration; a test holds the two to be the same.

States are short text, as model/ spells them; moments are microseconds since
1970 in UTC (moments.py).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
)

from pipeline.store.moments import Moment

#: Every constraint has a name, so that a later migration can drop it.
metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)

#: What is true of this installation as a whole.
installation = Table(
    "installation",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)

subscribers = Table(
    "subscribers",
    metadata,
    #: model.address_key: all spellings of one address.
    Column("email_key", String(320), primary_key=True),
    Column("uid", String(32), nullable=False, unique=True),
    Column("email", String(320), nullable=False),
    Column("domain", String(255), nullable=False),
    Column("name", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("since", Moment, nullable=False),
    #: By the database's clock.
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    Index("ix_subscribers_state", "state"),
)

#: Only of those who want something else than every issue, whole: a million readers do not pay for it.
preferences = Table(
    "preferences",
    metadata,
    Column("email_key", String(320), primary_key=True),
    #: Preferences.choice: slugs of the chosen categories; "" for all.
    Column("choice", Text, nullable=False),
    Column("feed_only", Boolean, nullable=False),
    Column("paused_until", Moment),
)

#: Outlives the subscriber: an address that complained stays suppressed after it was removed.
suppressions = Table(
    "suppressions",
    metadata,
    Column("email_key", String(320), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("since", Moment, nullable=False),
)

#: Who was erased and must not be imported again: what the installation's secret makes of the address, nothing else.
forgotten = Table(
    "forgotten",
    metadata,
    Column("mark", String(32), primary_key=True),
    Column("since", Moment, nullable=False),
)

#: What happened with one person, one row each.
events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("email_key", String(320), nullable=False),
    Column("at", Moment, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("issue", Integer),
    Column("words", Text, nullable=False),
    #: Of leaving: since when they had stood confirmed.
    Column("stood_since", Moment),
    Index("ix_events_email_key", "email_key", "at"),
)

#: Addresses typed into the form, as they came; looked at later, so that the answer tells nothing of them.
requests = Table(
    "requests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("email_key", String(320), nullable=False),
    Column("email", String(320), nullable=False),
    Column("name", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_requests_email_key", "email_key"),
)

#: Single mails that wait for a relay: queued, or armed as a delivery is.
letters = Table(
    "letters",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("email_key", String(320), nullable=False),
    #: Dates the links in it.
    Column("at", Moment, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    Index("ix_letters_email_key", "email_key"),
    Index("ix_letters_queue", "state", "not_before", "id"),
)

issues = Table(
    "issues",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("subject", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("date", Moment, nullable=False),
    #: The zone that `date` is shown in, and in which confirmation days are counted.
    Column("zone", String(64), nullable=False),
    Column("sender", String(320), nullable=False),
    Column("language", String(35), nullable=False),
    #: SHA-256 of the template and of the page, hexadecimal.
    Column("hash", String(64), nullable=False),
    Column("page_hash", String(64), nullable=False),
    #: Derived from the installation secret; another secret would make other copies.
    Column("seal", String(32), nullable=False),
    Column("frozen_at", Moment, nullable=False),
    Column("published", Boolean, nullable=False, server_default=false()),
    Column("started", Moment),
    Column("finished", Moment),
    #: Why it is paused, for people.
    Column("why", Text, nullable=False, server_default=""),
    #: Which file the ledger was when the first of its deliveries was leased (witness.py); null before.
    Column("file", String(40)),
    #: JSON: why confirmed subscribers were not among its readers, and how many.
    Column("skipped", Text, nullable=False, server_default="{}"),
)

#: Runs at work: one row from claim to release, or until the next claim finds its run dead.
runs = Table(
    "runs",
    metadata,
    Column("owner", String(64), primary_key=True),
    Column("issue", Integer, ForeignKey("issues.number"), nullable=False),
    Column("process", Integer, nullable=False),
    Column("host", String(255), nullable=False),
    Column("since", Moment, nullable=False),
)

#: Beside `issues`, so that a change of state does not write half a megabyte again.
bodies = Table(
    "bodies",
    metadata,
    Column("issue", Integer, ForeignKey("issues.number"), primary_key=True, autoincrement=False),
    Column("template", LargeBinary, nullable=False),
    Column("html", LargeBinary, nullable=False),
    Column("text", LargeBinary, nullable=False),
    Column("page", LargeBinary, nullable=False),
)

#: What readers with chosen categories get instead of the issue's own bytes.
variants = Table(
    "variants",
    metadata,
    Column("issue", Integer, ForeignKey("issues.number"), primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("template", LargeBinary, nullable=False),
    Column("html", LargeBinary, nullable=False),
    Column("text", LargeBinary, nullable=False),
    #: Ids of its posts in order, as a JSON list.
    Column("posts", Text, nullable=False),
)

carried = Table(
    "carried",
    metadata,
    Column("post", Text, primary_key=True),
    #: Null: counts as published before the first issue.
    Column("issue", Integer, ForeignKey("issues.number")),
    #: Its place in the issue.
    Column("position", Integer, nullable=False),
    Column("path", Text, nullable=False),
    Column("exact", String(128)),
    #: JSON: [[digest, words], ...].
    Column("sketch", Text),
    Index("ix_carried_issue", "issue", "position"),
)

#: One row for every issue and recipient: the ledger.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("issue", Integer, ForeignKey("issues.number"), nullable=False),
    Column("uid", String(32), nullable=False),
    Column("email", String(320), nullable=False),
    Column("domain", String(255), nullable=False),
    Column("name", Text, nullable=False),
    Column("confirmed", Moment, nullable=False),
    Column("state", String(16), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    #: Rests until then; 0 unless a relay said "later". Never null, so that one index serves the queue.
    Column("not_before", BigInteger, nullable=False),
    Column("owner", String(64)),
    Column("leased_until", Moment),
    Column("reply", Text, nullable=False),
    Column("updated", Moment, nullable=False),
    #: First and last answer of a relay.
    Column("first_tried", Moment),
    Column("answered", Moment),
    #: variants.name; "" is the whole issue.
    Column("variant", Text, nullable=False, server_default=""),
    Index("ix_deliveries_reader", "issue", "uid", unique=True),
    Index("ix_deliveries_queue", "issue", "state", "not_before", "id"),
)
#: Only what was answered: enrolling a million readers does not pay for it.
Index(
    "ix_deliveries_answered",
    deliveries.c.answered,
    sqlite_where=deliveries.c.answered.is_not(None),
    postgresql_where=deliveries.c.answered.is_not(None),
)

#: What a post's text was when it was last seen, for a feed's `updated`.
entry_versions = Table(
    "entry_versions",
    metadata,
    Column("post", Text, primary_key=True),
    Column("exact", String(128), nullable=False),
    #: Null: not changed since it was first seen.
    Column("updated", Moment),
)
