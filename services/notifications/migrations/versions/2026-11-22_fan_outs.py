"""What followers have still to be told: of a post with many of them, more than one transaction's work."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "fan_outs"
down_revision = "consumers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notification_fan_out",
        sa.Column("id", sa.UUID(), nullable=False, server_default=sa.func.uuidv7()),
        sa.Column("creator_id", sa.UUID(), nullable=False),
        sa.Column("after_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.UUID(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column("traceparent", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("id", name="notification_fan_out_pkey"),
    )


def downgrade() -> None:
    op.drop_table("notification_fan_out")
