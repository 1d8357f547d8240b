"""What the tests of events and jobs use: outbox, inbox, a table of effects, a table of jobs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chassis.events.ddl import create_outbox, drop_outbox
from chassis.jobs.ddl import create_job_trigger, drop_job_trigger

revision = "events_and_jobs"
down_revision = "core"
branch_labels = None
depends_on = None

NOW = sa.func.now()


def upgrade() -> None:
    create_outbox(op.execute)
    create_inbox()
    op.create_table("effect", sa.Column("event_id", sa.UUID(), nullable=False), sa.Column("text", sa.Text()))
    create_chore()


def create_inbox() -> None:
    op.create_table(
        "feed_cursor",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("xid", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("feed", name="feed_cursor_pkey"),
    )
    op.create_table(
        "inbox_event",
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
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
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("consumer", "event_id", name="inbox_dead_event_pkey"),
    )


def create_chore() -> None:
    op.create_table(
        "chore",
        sa.Column("id", sa.UUID(), server_default=sa.func.uuidv7(), nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("lease_ends_at", sa.DateTime(timezone=True)),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("hinted_at", sa.DateTime(timezone=True)),
        sa.Column("last_error", sa.Text()),
        sa.Column("traceparent", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("dot_at", sa.DateTime(timezone=True)),
        sa.Column("answer", sa.Text()),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'dead')", name="chore_state_check"),
        sa.PrimaryKeyConstraint("id", name="chore_pkey"),
    )
    op.create_index(
        "chore_next_at_idx", "chore", ["next_at"], postgresql_where=sa.text("state IN ('queued', 'running')")
    )
    create_job_trigger(op.execute, "chore")


def downgrade() -> None:
    drop_job_trigger(op.execute, "chore")
    op.drop_table("chore")
    op.drop_table("effect")
    op.drop_table("inbox_dead_event")
    op.drop_table("inbox_event")
    op.drop_table("feed_cursor")
    drop_outbox(op.execute)
