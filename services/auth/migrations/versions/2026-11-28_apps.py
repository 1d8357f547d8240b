"""Apps of others, what people let them do, and the codes that they redeem."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "apps"
down_revision = "passkeys"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
NOW = sa.func.now()
TEXTS = postgresql.ARRAY(sa.Text())


def refer(table: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [f"{target}_id"], [f"{target}.id"], name=f"{table}_{target}_id_fkey", ondelete="CASCADE"
    )


def upgrade() -> None:
    op.create_table(
        "app",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("website", sa.Text()),
        sa.Column("redirect_uris", TEXTS, nullable=False),
        sa.Column("scopes", TEXTS, nullable=False),
        sa.Column("secret_digest", sa.LargeBinary()),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("id", sa.UUID(), server_default=sa.func.uuidv7(), nullable=False),
        sa.Column("created_at", MOMENT, server_default=NOW, nullable=False),
        sa.Column("updated_at", MOMENT, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("id", name="app_pkey"),
    )
    op.create_table(
        "app_consent",
        sa.Column("profile_id", sa.UUID(), nullable=False),
        sa.Column("app_id", sa.UUID(), nullable=False),
        sa.Column("scopes", TEXTS, nullable=False),
        sa.Column("created_at", MOMENT, server_default=NOW, nullable=False),
        sa.Column("updated_at", MOMENT, server_default=NOW, nullable=False),
        refer("app_consent", "profile"),
        refer("app_consent", "app"),
        sa.PrimaryKeyConstraint("profile_id", "app_id", name="app_consent_pkey"),
    )
    op.create_index("app_consent_app_id_idx", "app_consent", ["app_id"])
    op.create_table(
        "app_code",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("app_id", sa.UUID(), nullable=False),
        sa.Column("profile_id", sa.UUID(), nullable=False),
        sa.Column("redirect_uri", sa.Text()),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("code_challenge", sa.Text(), nullable=False),
        sa.Column("amr", TEXTS, nullable=False),
        sa.Column("acr", sa.Text(), nullable=False),
        sa.Column("authenticated_at", MOMENT, nullable=False),
        sa.Column("login_id", sa.UUID(), nullable=False),
        sa.Column("session_id", sa.UUID()),
        sa.Column("used_at", MOMENT),
        sa.Column("expires_at", MOMENT, nullable=False),
        refer("app_code", "app"),
        refer("app_code", "profile"),
        sa.PrimaryKeyConstraint("digest", name="app_code_pkey"),
    )
    op.create_index("app_code_app_id_idx", "app_code", ["app_id"])
    op.create_index("app_code_profile_id_idx", "app_code", ["profile_id"])
    op.create_index("app_code_expires_at_idx", "app_code", ["expires_at"])


def downgrade() -> None:
    for table in ("app_code", "app_consent", "app"):
        op.drop_table(table)
