"""Of the keys that sign tokens, one is always the next, and it is known since when each has signed."""

import sqlalchemy as sa
from alembic import op

revision = "key_rotation"
down_revision = "apps"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("key_pair", sa.Column("activated_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE key_pair SET activated_at = created_at WHERE state <> 'next'")
    op.alter_column("key_pair", "created_at", server_default=sa.func.clock_timestamp())
    _create_index("state <> 'retired'")


def downgrade() -> None:
    _create_index("state = 'current'")
    op.alter_column("key_pair", "created_at", server_default=sa.func.now())
    op.drop_column("key_pair", "activated_at")


def _create_index(where: str) -> None:
    op.drop_index("key_pair_state_idx", "key_pair")
    op.create_index("key_pair_state_idx", "key_pair", ["state"], unique=True, postgresql_where=sa.text(where))
