"""What every service that tells events has: idempotency keys and the outbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chassis.events.ddl import create_outbox, drop_outbox

revision = "platform"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "idempotency_key",
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_digest", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("headers", postgresql.JSONB()),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("created_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "route", "key", name="idempotency_key_pkey"),
    )
    op.create_index("idempotency_key_created_at_idx", "idempotency_key", ["created_at"])
    create_outbox(op.execute)


def downgrade() -> None:
    drop_outbox(op.execute)
    op.drop_table("idempotency_key")
