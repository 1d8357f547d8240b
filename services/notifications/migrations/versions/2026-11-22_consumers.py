"""How far this service has read the feeds of others, and what it has applied of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "consumers"
down_revision = "deliveries"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feed_cursor",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("xid", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("id", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("feed", name="feed_cursor_pkey"),
    )
    op.create_table(
        "inbox_event",
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("consumer", "event_id", name="inbox_event_pkey"),
    )
    op.create_index("inbox_event_received_at_idx", "inbox_event", ["received_at"], postgresql_using="brin")
    op.create_table(
        "inbox_dead_event",
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("envelope", postgresql.JSONB(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("consumer", "event_id", name="inbox_dead_event_pkey"),
    )


def downgrade() -> None:
    op.drop_table("inbox_dead_event")
    op.drop_table("inbox_event")
    op.drop_table("feed_cursor")
