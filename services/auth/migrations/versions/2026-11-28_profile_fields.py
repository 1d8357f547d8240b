"""Website, language and time zone of a profile, and the usernames that were given up."""

import sqlalchemy as sa
from alembic import op

revision = "profile_fields"
down_revision = "devices"
branch_labels = None
depends_on = None

FIELDS = ("website", "language", "time_zone")


def upgrade() -> None:
    for field in FIELDS:
        op.add_column("profile", sa.Column(field, sa.Text()))
    op.create_table(
        "profile_former_username",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("profile_id", sa.UUID(), nullable=False),
        sa.Column("given_up_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="profile_former_username_pkey"),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profile.id"], name="profile_former_username_profile_id_fkey", ondelete="CASCADE"
        ),
    )
    op.create_index("profile_former_username_profile_id_idx", "profile_former_username", ["profile_id"])


def downgrade() -> None:
    op.drop_table("profile_former_username")
    for field in FIELDS:
        op.drop_column("profile", field)
