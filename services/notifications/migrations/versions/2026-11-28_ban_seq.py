"""Which event a ban, or its end, is from."""

import sqlalchemy as sa
from alembic import op

revision = "ban_seq"
down_revision = "accounts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reader", sa.Column("ban_seq", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("reader", "ban_seq")
