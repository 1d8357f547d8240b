"""Which event a ban, or its end, is from."""

import sqlalchemy as sa
from alembic import op

revision = "hidden_seq"
down_revision = "creator_avatars"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("creator", sa.Column("hidden_seq", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("creator", "hidden_seq")
