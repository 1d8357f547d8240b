"""Passkeys, and the challenges that they are asked to sign."""

import sqlalchemy as sa
from alembic import op

revision = "passkeys"
down_revision = "second_factors"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "passkey",
        sa.Column("factor_id", sa.UUID(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("is_synced", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["factor_id"], ["mfa_factor.id"], name="passkey_factor_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("factor_id", name="passkey_pkey"),
        sa.UniqueConstraint("credential_id", name="passkey_credential_id_key"),
    )
    op.create_table(
        "passkey_challenge",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("profile_id", sa.UUID()),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profile.id"], name="passkey_challenge_profile_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name="passkey_challenge_pkey"),
    )
    op.create_index("passkey_challenge_profile_id_idx", "passkey_challenge", ["profile_id"])
    op.create_index("passkey_challenge_expires_at_idx", "passkey_challenge", ["expires_at"])


def downgrade() -> None:
    op.drop_table("passkey_challenge")
    op.drop_table("passkey")
