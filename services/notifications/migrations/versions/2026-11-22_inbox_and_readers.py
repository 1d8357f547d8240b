"""What the service knows of people, and what it tells them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "inbox_and_readers"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_readers()
    create_notifications()


def create_readers() -> None:
    op.create_table(
        "reader",
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("email", sa.Text()),
        sa.Column("username", sa.Text()),
        sa.Column("first_name", sa.Text()),
        sa.Column("last_name", sa.Text()),
        sa.Column("is_confirmed", sa.Boolean(), nullable=False, server_default="false"),
        sa.Column("seq", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("user_id", name="reader_pkey"),
        sa.CheckConstraint("email !~ '[[:cntrl:]]'", name=op.f("reader_email_check")),
    )
    op.create_table(
        "reader_follow",
        sa.Column("creator_id", sa.UUID(), nullable=False),
        sa.Column("follower_id", sa.UUID(), nullable=False),
        sa.Column("is_following", sa.Boolean(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("creator_id", "follower_id", name="reader_follow_pkey"),
    )


def create_notifications() -> None:
    op.create_table(
        "notification",
        sa.Column("id", sa.UUID(), nullable=False, server_default=sa.func.uuidv7()),
        sa.Column("recipient_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.UUID(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("read_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="notification_pkey"),
        sa.UniqueConstraint("recipient_id", "kind", "subject_id", name="notification_recipient_id_kind_subject_id_key"),
        sa.CheckConstraint(
            "kind in ('welcome', 'post_published', 'review_created')", name=op.f("notification_kind_check")
        ),
    )
    op.create_index("notification_inbox_idx", "notification", ["recipient_id", "created_at", "id"])
    op.create_index(
        "notification_unread_idx",
        "notification",
        ["recipient_id", "created_at", "id"],
        postgresql_where=sa.text("read_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("notification")
    op.drop_table("reader_follow")
    op.drop_table("reader")
