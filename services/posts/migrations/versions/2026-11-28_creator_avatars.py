"""Where the avatar of a creator is."""

import sqlalchemy as sa
from alembic import op

revision = "creator_avatars"
down_revision = "hidden_creators"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("creator", sa.Column("avatar_url", sa.Text()))


def downgrade() -> None:
    op.drop_column("creator", "avatar_url")
