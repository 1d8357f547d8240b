"""Sessions with their device, and what all services are told of those that ended."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "sessions"
down_revision = "accounts"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
RENAMED = (
    ("session", "token_session_pkey", "session_pkey"),
    ("session", "token_session_profile_id_fkey", "session_profile_id_fkey"),
    ("session_refresh", "token_refresh_pkey", "session_refresh_pkey"),
    ("session_refresh", "token_refresh_session_id_fkey", "session_refresh_session_id_fkey"),
    ("session_refresh", "token_refresh_digest_key", "session_refresh_digest_key"),
)


def list_new_columns() -> list[sa.Column[Any]]:
    """With what sessions from before are taken for."""
    return [
        sa.Column("client_id", sa.Text(), server_default="broadsheet", nullable=False),
        sa.Column("scope", sa.Text(), server_default="", nullable=False),
        sa.Column("amr", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{pwd}'"), nullable=False),
        sa.Column("acr", sa.Text(), server_default="aal1", nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("user_agent", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.Column("used_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.Column("idle_ends_at", MOMENT, server_default=sa.text("now() + interval '14 days'"), nullable=False),
    ]


def upgrade() -> None:
    op.rename_table("token_session", "session")
    op.rename_table("token_refresh", "session_refresh")
    for table, old, new in RENAMED:
        op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {old} TO {new}")
    op.execute("ALTER INDEX token_session_profile_id_idx RENAME TO session_profile_id_idx")
    for column in list_new_columns():
        op.add_column("session", column)
    for name in ("client_id", "scope", "amr", "acr", "idle_ends_at"):
        op.alter_column("session", name, server_default=None)
    op.drop_index("token_session_ended_at_idx", "session")
    op.create_index("session_ended_at_idx", "session", [sa.text("least(revoked_at, expires_at, idle_ends_at)")])
    op.create_table(
        "session_revocation",
        sa.Column("session_id", sa.UUID(), nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("session_id", name="session_revocation_pkey"),
    )
    op.create_index("session_revocation_revoked_at_idx", "session_revocation", ["revoked_at"])


def downgrade() -> None:
    op.drop_table("session_revocation")
    op.drop_index("session_ended_at_idx", "session")
    for column in list_new_columns():
        op.drop_column("session", column.name)
    op.create_index("token_session_ended_at_idx", "session", [sa.text("least(revoked_at, expires_at)")])
    op.execute("ALTER INDEX session_profile_id_idx RENAME TO token_session_profile_id_idx")
    for table, old, new in reversed(RENAMED):
        op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {new} TO {old}")
    op.rename_table("session_refresh", "token_refresh")
    op.rename_table("session", "token_session")
