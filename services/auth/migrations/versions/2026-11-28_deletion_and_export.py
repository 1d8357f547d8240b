"""Usernames that stay taken when their owner is gone, and the exports of people's own data."""

import sqlalchemy as sa
from alembic import op

from chassis.jobs.ddl import create_job_trigger, drop_job_trigger

revision = "deletion_and_export"
down_revision = "key_rotation"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
PURPOSES = "('sign_up', 'password_reset', 'email_change_old', 'email_change_new')"
OLD_PURPOSES = "('sign_up', 'password_reset', 'email_change_old', 'email_change_new', 'account_deletion')"
OPEN = sa.text("state IN ('queued', 'running')")


def replace_purposes(purposes: str) -> None:
    op.drop_constraint("confirmation_purpose_check", "confirmation")
    op.create_check_constraint("purpose", "confirmation", f"purpose IN {purposes}")


def upgrade() -> None:
    # A link that nobody was ever sent: who deletes an account has proved who they are just before.
    replace_purposes(PURPOSES)
    op.create_table(
        "profile_retired_username",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="profile_retired_username_pkey"),
    )
    _create_export()
    op.create_table(
        "export_chunk",
        sa.Column("export_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["export_id"], ["export.id"], name="export_chunk_export_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("export_id", "number", name="export_chunk_pkey"),
    )
    # It is compressed already.
    op.execute("ALTER TABLE export_chunk ALTER COLUMN content SET STORAGE EXTERNAL")


def _create_export() -> None:
    op.create_table(
        "export",
        sa.Column("id", sa.UUID(), server_default=sa.func.uuidv7(), nullable=False),
        sa.Column("profile_id", sa.UUID(), nullable=False),
        sa.Column("size", sa.Integer()),
        sa.Column("expires_at", MOMENT),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.Column("lease_ends_at", MOMENT),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("hinted_at", MOMENT),
        sa.Column("last_error", sa.Text()),
        sa.Column("traceparent", sa.Text()),
        sa.Column("created_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.Column("finished_at", MOMENT),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'dead')", name="export_state_check"),
        sa.ForeignKeyConstraint(["profile_id"], ["profile.id"], name="export_profile_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="export_pkey"),
    )
    op.create_index("export_profile_id_idx", "export", ["profile_id"])
    op.create_index("export_next_at_idx", "export", ["next_at"], postgresql_where=OPEN)
    op.create_index("export_open_idx", "export", ["profile_id"], unique=True, postgresql_where=OPEN)
    create_job_trigger(op.execute, "export")


def downgrade() -> None:
    op.drop_table("export_chunk")
    drop_job_trigger(op.execute, "export")
    op.drop_table("export")
    op.drop_table("profile_retired_username")
    replace_purposes(OLD_PURPOSES)
