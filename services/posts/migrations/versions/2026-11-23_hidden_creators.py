"""Creators whom nobody sees: banned, or gone."""

import sqlalchemy as sa
from alembic import op

revision = "hidden_creators"
down_revision = "posts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("creator", sa.Column("hidden_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("creator", "hidden_at")
