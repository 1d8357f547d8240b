"""Devices that an account knows, and logins that were locked for strangers."""

import sqlalchemy as sa
from alembic import op

revision = "devices"
down_revision = "audit"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "device_known",
        sa.Column("profile_id", sa.UUID(), nullable=False),
        sa.Column("device_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text()),
        sa.Column("seen_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.Column("created_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profile.id"], name="device_known_profile_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("profile_id", "device_id", name="device_known_pkey"),
    )
    op.create_index("device_known_seen_at_idx", "device_known", ["seen_at"])
    op.create_table(
        "login_lock",
        sa.Column("id", sa.UUID(), server_default=sa.func.uuidv7(), nullable=False),
        sa.Column("profile_id", sa.UUID()),
        sa.Column("told_at", MOMENT),
        sa.Column("created_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.ForeignKeyConstraint(["profile_id"], ["profile.id"], name="login_lock_profile_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="login_lock_pkey"),
    )
    op.create_index("login_lock_profile_id_idx", "login_lock", ["profile_id"])


def downgrade() -> None:
    op.drop_table("login_lock")
    op.drop_table("device_known")
