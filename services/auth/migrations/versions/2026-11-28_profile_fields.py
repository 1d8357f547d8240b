"""Website, language, time zone and avatar of a profile, and the usernames that were given up."""

import sqlalchemy as sa
from alembic import op

from chassis.jobs.ddl import create_job_trigger, drop_job_trigger

revision = "profile_fields"
down_revision = "devices"
branch_labels = None
depends_on = None

FIELDS = ("website", "language", "time_zone")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    for field in FIELDS:
        op.add_column("profile", sa.Column(field, sa.Text()))
    op.add_column("profile", sa.Column("avatar_id", sa.UUID()))
    op.create_table(
        "profile_former_username",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("profile_id", sa.UUID(), nullable=False),
        sa.Column("given_up_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="profile_former_username_pkey"),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profile.id"], name="profile_former_username_profile_id_fkey", ondelete="CASCADE"
        ),
    )
    op.create_index("profile_former_username_profile_id_idx", "profile_former_username", ["profile_id"])
    _create_avatar()


def _create_avatar() -> None:
    op.create_table(
        "avatar",
        sa.Column("id", sa.UUID(), server_default=sa.func.uuidv7(), nullable=False),
        sa.Column("profile_id", sa.UUID(), nullable=False),
        sa.Column("error_code", sa.Text()),
        sa.Column("source", sa.LargeBinary()),
        sa.Column("small", sa.LargeBinary()),
        sa.Column("large", sa.LargeBinary()),
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
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'dead')", name="avatar_state_check"),
        sa.ForeignKeyConstraint(["profile_id"], ["profile.id"], name="avatar_profile_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="avatar_pkey"),
    )
    op.create_index("avatar_profile_id_idx", "avatar", ["profile_id"])
    op.create_index(
        "avatar_next_at_idx", "avatar", ["next_at"], postgresql_where=sa.text("state IN ('queued', 'running')")
    )
    create_job_trigger(op.execute, "avatar")


def downgrade() -> None:
    drop_job_trigger(op.execute, "avatar")
    op.drop_table("avatar")
    op.drop_column("profile", "avatar_id")
    op.drop_table("profile_former_username")
    for field in FIELDS:
        op.drop_column("profile", field)
