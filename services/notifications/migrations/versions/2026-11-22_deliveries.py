"""The mails that go out, each a job for the worker."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chassis.jobs.ddl import create_job_trigger, drop_job_trigger

revision = "deliveries"
down_revision = "inbox_and_readers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "delivery_email",
        sa.Column("id", sa.UUID(), nullable=False, server_default=sa.func.uuidv7()),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("recipient_id", sa.UUID(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("params", postgresql.JSONB(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("dot_at", sa.DateTime(timezone=True)),
        sa.Column("doubts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("smtp_reply", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False, server_default="queued"),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("lease_ends_at", sa.DateTime(timezone=True)),
        sa.Column("fence", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("hinted_at", sa.DateTime(timezone=True)),
        sa.Column("last_error", sa.Text()),
        sa.Column("traceparent", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="delivery_email_pkey"),
        sa.UniqueConstraint("dedupe_key", name="delivery_email_dedupe_key_key"),
        sa.UniqueConstraint("message_id", name="delivery_email_message_id_key"),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'dead', 'unknown')", name=op.f("delivery_email_state_check")
        ),
        sa.CheckConstraint(
            "kind IN ('confirmation', 'post_published', 'review_created')", name=op.f("delivery_email_kind_check")
        ),
        sa.CheckConstraint("policy IN ('at_least_once', 'at_most_once')", name=op.f("delivery_email_policy_check")),
        sa.CheckConstraint("recipient !~ '[[:cntrl:]]'", name=op.f("delivery_email_recipient_check")),
    )
    op.create_index(
        "delivery_email_next_at_idx",
        "delivery_email",
        ["next_at"],
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_index(
        "delivery_email_finished_at_idx",
        "delivery_email",
        ["finished_at"],
        postgresql_where=sa.text("finished_at IS NOT NULL AND recipient <> ''"),
    )
    create_job_trigger(op.execute, "delivery_email")


def downgrade() -> None:
    drop_job_trigger(op.execute, "delivery_email")
    op.drop_table("delivery_email")
