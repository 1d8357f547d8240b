"""Second factors: authenticator apps, recovery codes, and logins that wait for either."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "second_factors"
down_revision = "profile_fields"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
NOW = sa.func.now()


def refer_to_profile(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["profile_id"], ["profile.id"], name=f"{table}_profile_id_fkey", ondelete="CASCADE")


def upgrade() -> None:
    op.add_column(
        "account",
        sa.Column("second_factors", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.create_table(
        "mfa_factor",
        sa.Column("id", sa.UUID(), server_default=sa.func.uuidv7(), nullable=False),
        sa.Column("profile_id", sa.UUID(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("used_at", MOMENT, server_default=NOW, nullable=False),
        sa.Column("created_at", MOMENT, server_default=NOW, nullable=False),
        sa.CheckConstraint("method IN ('totp', 'passkey')", name="mfa_factor_method_check"),
        refer_to_profile("mfa_factor"),
        sa.PrimaryKeyConstraint("id", name="mfa_factor_pkey"),
    )
    op.create_index("mfa_factor_profile_id_idx", "mfa_factor", ["profile_id"])
    op.create_table(
        "totp_secret",
        sa.Column("factor_id", sa.UUID(), nullable=False),
        sa.Column("encrypted_secret", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["factor_id"], ["mfa_factor.id"], name="totp_secret_factor_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("factor_id", name="totp_secret_pkey"),
    )
    op.create_table(
        "totp_enrolment",
        sa.Column("profile_id", sa.UUID(), nullable=False),
        sa.Column("encrypted_secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", MOMENT, server_default=NOW, nullable=False),
        refer_to_profile("totp_enrolment"),
        sa.PrimaryKeyConstraint("profile_id", name="totp_enrolment_pkey"),
    )
    op.create_index("totp_enrolment_created_at_idx", "totp_enrolment", ["created_at"])
    op.create_table(
        "mfa_recovery_code",
        sa.Column("profile_id", sa.UUID(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", MOMENT, server_default=NOW, nullable=False),
        refer_to_profile("mfa_recovery_code"),
        sa.PrimaryKeyConstraint("profile_id", "digest", name="mfa_recovery_code_pkey"),
    )
    op.create_table(
        "mfa_challenge",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("profile_id", sa.UUID(), nullable=False),
        sa.Column("device_id", sa.UUID(), nullable=False),
        sa.Column("password_digest", sa.LargeBinary(), nullable=False),
        sa.Column("is_on_known_device", sa.Boolean(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        refer_to_profile("mfa_challenge"),
        sa.PrimaryKeyConstraint("digest", name="mfa_challenge_pkey"),
    )
    op.create_index("mfa_challenge_profile_id_idx", "mfa_challenge", ["profile_id"])
    op.create_index("mfa_challenge_expires_at_idx", "mfa_challenge", ["expires_at"])


def downgrade() -> None:
    for table in ("mfa_challenge", "mfa_recovery_code", "totp_enrolment", "totp_secret", "mfa_factor"):
        op.drop_table(table)
    op.drop_column("account", "second_factors")
