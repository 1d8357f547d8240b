"""Users: the public profile, the private account, and the proofs of their address."""

import sqlalchemy as sa
from alembic import op

revision = "profiles"
down_revision = "platform"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "profile",
        sa.Column("id", sa.UUID(), server_default=sa.func.uuidv7(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("is_creator", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("pen_name", sa.Text()),
        sa.Column("bio", sa.Text()),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="profile_pkey"),
    )
    op.create_index("profile_username_lower_idx", "profile", [sa.text("lower(username)")], unique=True)
    op.create_table(
        "profile_account",
        sa.Column("profile_id", sa.UUID(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("confirmed_at", MOMENT),
        sa.Column("created_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("profile_id", name="profile_account_pkey"),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profile.id"], name="profile_account_profile_id_fkey", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("email", name="profile_account_email_key"),
    )
    op.create_table(
        "confirmation",
        sa.Column("id", sa.UUID(), server_default=sa.func.uuidv7(), nullable=False),
        sa.Column("profile_id", sa.UUID(), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="confirmation_pkey"),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profile.id"], name="confirmation_profile_id_fkey", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("token_digest", name="confirmation_token_digest_key"),
    )
    op.create_index("confirmation_profile_id_idx", "confirmation", ["profile_id"])
    op.create_index("confirmation_expires_at_idx", "confirmation", ["expires_at"])


def downgrade() -> None:
    op.drop_table("confirmation")
    op.drop_table("profile_account")
    op.drop_table("profile")
