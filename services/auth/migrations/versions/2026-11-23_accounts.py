"""Accounts of their own: roles, bans, and an address that is single only once it is confirmed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "accounts"
down_revision = "tokens"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.rename_table("profile_account", "account")
    op.execute("ALTER TABLE account RENAME CONSTRAINT profile_account_pkey TO account_pkey")
    op.execute("ALTER TABLE account RENAME CONSTRAINT profile_account_profile_id_fkey TO account_profile_id_fkey")
    op.drop_constraint("profile_account_email_key", "account")
    op.create_index("account_email_idx", "account", ["email"])
    op.create_index(
        "account_confirmed_email_idx",
        "account",
        ["email"],
        unique=True,
        postgresql_where=sa.text("confirmed_at IS NOT NULL"),
    )
    op.add_column(
        "account", sa.Column("roles", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False)
    )
    op.add_column("account", sa.Column("banned_at", MOMENT))
    op.add_column("account", sa.Column("ban_reason", sa.Text()))
    op.create_index("account_waiting_idx", "account", ["profile_id"], postgresql_where=sa.text("confirmed_at IS NULL"))
    op.create_index("account_banned_idx", "account", ["profile_id"], postgresql_where=sa.text("banned_at IS NOT NULL"))
    op.create_index(
        "account_roles_idx", "account", ["roles"], postgresql_using="gin", postgresql_where=sa.text("roles <> '{}'")
    )
    op.create_index("profile_username_order_idx", "profile", [sa.text("lower(username) text_pattern_ops")])
    op.create_index("profile_created_at_id_idx", "profile", ["created_at", "id"])
    op.add_column("profile", sa.Column("hidden_at", MOMENT))
    op.execute(
        "UPDATE profile SET hidden_at = now() FROM account"
        " WHERE account.profile_id = profile.id AND account.confirmed_at IS NULL"
    )


def downgrade() -> None:
    op.drop_column("profile", "hidden_at")
    op.drop_index("profile_created_at_id_idx", "profile")
    op.drop_index("profile_username_order_idx", "profile")
    for name in ("account_roles_idx", "account_banned_idx", "account_waiting_idx"):
        op.drop_index(name, "account")
    op.drop_column("account", "ban_reason")
    op.drop_column("account", "banned_at")
    op.drop_column("account", "roles")
    op.drop_index("account_confirmed_email_idx", "account")
    op.drop_index("account_email_idx", "account")
    op.create_unique_constraint("profile_account_email_key", "account", ["email"])
    op.execute("ALTER TABLE account RENAME CONSTRAINT account_profile_id_fkey TO profile_account_profile_id_fkey")
    op.execute("ALTER TABLE account RENAME CONSTRAINT account_pkey TO profile_account_pkey")
    op.rename_table("account", "profile_account")
