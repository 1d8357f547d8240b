"""Sessions with their refresh tokens, the keys that sign access tokens, and the services as clients."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "tokens"
down_revision = "profiles"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "token_session",
        sa.Column("id", sa.UUID(), server_default=sa.func.uuidv7(), nullable=False),
        sa.Column("profile_id", sa.UUID(), nullable=False),
        sa.Column("generation", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("authenticated_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT),
        sa.Column("created_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="token_session_pkey"),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profile.id"], name="token_session_profile_id_fkey", ondelete="CASCADE"
        ),
    )
    op.create_index("token_session_profile_id_idx", "token_session", ["profile_id"])
    op.create_index("token_session_ended_at_idx", "token_session", [sa.text("least(revoked_at, expires_at)")])
    op.create_table(
        "token_refresh",
        sa.Column("session_id", sa.UUID(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", MOMENT),
        sa.Column("created_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "generation", name="token_refresh_pkey"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["token_session.id"], name="token_refresh_session_id_fkey", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("digest", name="token_refresh_digest_key"),
    )
    op.create_table(
        "key_pair",
        sa.Column("id", sa.UUID(), server_default=sa.func.uuidv7(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("encrypted_private_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.Column("retired_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="key_pair_pkey"),
        sa.CheckConstraint("state IN ('next', 'current', 'retired')", name=op.f("key_pair_state_check")),
    )
    op.create_index(
        "key_pair_state_idx", "key_pair", ["state"], unique=True, postgresql_where=sa.text("state = 'current'")
    )
    op.create_table(
        "client",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("secret_digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="client_pkey"),
    )


def downgrade() -> None:
    op.drop_table("client")
    op.drop_table("key_pair")
    op.drop_table("token_refresh")
    op.drop_table("token_session")
