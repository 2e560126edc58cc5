"""What readers want and what happened with them, single mails, and variants of an issue."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them; whoever subscribed before gets every issue, whole, as they did."""
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email_key", sa.String(length=320), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("issue", sa.Integer()),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("stood_since", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_events_email_key", "events", ["email_key", "at"])
    op.create_table(
        "forgotten",
        sa.Column("mark", sa.String(length=32), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("mark"),
    )
    op.create_table(
        "letters",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("email_key", sa.String(length=320), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_letters_email_key", "letters", ["email_key"])
    op.create_index("ix_letters_queue", "letters", ["state", "not_before", "id"])
    op.create_table(
        "preferences",
        sa.Column("email_key", sa.String(length=320), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("feed_only", sa.Boolean(), nullable=False),
        sa.Column("paused_until", sa.BigInteger()),
        sa.PrimaryKeyConstraint("email_key"),
    )
    op.create_table(
        "requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email_key", sa.String(length=320), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_requests_email_key", "requests", ["email_key"])
    op.create_table(
        "variants",
        sa.Column("issue", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("template", sa.LargeBinary(), nullable=False),
        sa.Column("html", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("posts", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["issue"], ["issues.number"]),
        sa.PrimaryKeyConstraint("issue", "name"),
    )
    # Added in place: a ledger of a million rows is not copied for it.
    with op.batch_alter_table("issues", recreate="never") as issues:
        issues.add_column(sa.Column("skipped", sa.Text(), server_default="{}", nullable=False))
    with op.batch_alter_table("deliveries", recreate="never") as deliveries:
        deliveries.add_column(sa.Column("variant", sa.Text(), server_default="", nullable=False))
