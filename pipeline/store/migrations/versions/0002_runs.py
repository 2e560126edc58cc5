"""Several runs beside each other, why an issue is paused, when a relay was first and last asked."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; whoever owned an issue is dead by now, and the next claim clears up after them."""
    op.create_table(
        "runs",
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("issue", sa.Integer(), nullable=False),
        sa.Column("process", sa.Integer(), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["issue"], ["issues.number"]),
        sa.PrimaryKeyConstraint("owner"),
    )
    with op.batch_alter_table("issues") as issues:
        issues.drop_column("owner")
        issues.drop_column("owner_since")
        issues.add_column(sa.Column("why", sa.Text(), server_default="", nullable=False))
        issues.add_column(sa.Column("file", sa.String(length=40)))
    # Added in place: a ledger of a million rows is not copied for it.
    with op.batch_alter_table("deliveries", recreate="never") as deliveries:
        deliveries.add_column(sa.Column("first_tried", sa.BigInteger()))
        deliveries.add_column(sa.Column("answered", sa.BigInteger()))
    op.create_index(
        "ix_deliveries_answered",
        "deliveries",
        ["answered"],
        sqlite_where=sa.text("answered IS NOT NULL"),
        postgresql_where=sa.text("answered IS NOT NULL"),
    )
