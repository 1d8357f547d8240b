"""The projection of profiles, and who follows whom."""

import sqlalchemy as sa
from alembic import op

revision = "creators"
down_revision = "platform"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "creator",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("is_creator", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("profile_seq", sa.BigInteger(), nullable=False),
        sa.Column("created_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="creator_pkey"),
    )
    op.create_table(
        "creator_follower",
        sa.Column("id", sa.UUID(), server_default=sa.func.uuidv7(), nullable=False),
        sa.Column("creator_id", sa.UUID(), nullable=False),
        sa.Column("follower_id", sa.UUID(), nullable=False),
        sa.Column("is_following", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="creator_follower_pkey"),
        sa.ForeignKeyConstraint(["creator_id"], ["creator.id"], name="creator_follower_creator_id_fkey"),
        sa.UniqueConstraint("creator_id", "follower_id", name="creator_follower_creator_id_follower_id_key"),
        sa.CheckConstraint("creator_id <> follower_id", name=op.f("creator_follower_not_self_check")),
    )


def downgrade() -> None:
    op.drop_table("creator_follower")
    op.drop_table("creator")
