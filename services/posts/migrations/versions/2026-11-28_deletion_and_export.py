"""Indexes by person: to erase what they wrote, and to page through it for a copy."""

import sqlalchemy as sa
from alembic import op

revision = "deletion_and_export"
down_revision = "hidden_seq"
branch_labels = None
depends_on = None

IS_GONE = sa.text("profile_seq = 9223372036854775807")
INDEXES = {
    "post_creator_id_created_at_id_idx": ("post", "creator_id"),
    "post_review_reviewer_id_created_at_id_idx": ("post_review", "reviewer_id"),
    "creator_follower_follower_id_created_at_id_idx": ("creator_follower", "follower_id"),
}


def upgrade() -> None:
    for name, (table, person) in INDEXES.items():
        op.create_index(name, table, [person, "created_at", "id"])
    op.create_index("creator_gone_idx", "creator", ["hidden_at"], postgresql_where=IS_GONE)


def downgrade() -> None:
    op.drop_index("creator_gone_idx", table_name="creator")
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table_name=table)
