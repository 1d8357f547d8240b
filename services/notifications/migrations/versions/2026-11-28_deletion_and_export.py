"""Indexes by person: to forget them in what others were told, and to page through the mails to them."""

import sqlalchemy as sa
from alembic import op

revision = "deletion_and_export"
down_revision = "ban_seq"
branch_labels = None
depends_on = None

AUTHOR = sa.text("COALESCE(data ->> 'creator_id', data ->> 'reviewer_id')")
OLD_EMAIL_KINDS = (
    "'confirmation', 'password_reset', 'email_change_old', 'email_change_new', 'account_deletion', "
    "'security_notice', 'export_completed', 'post_published', 'review_created'"
)
EMAIL_KINDS = OLD_EMAIL_KINDS.replace("'account_deletion', ", "")
IS_DELETED = sa.text("deleted_at IS NOT NULL")
IS_ABOUT_SOMEBODY = sa.text("kind IN ('post_published', 'review_created')")


def replace_email_kinds(kinds: str) -> None:
    op.drop_constraint("delivery_email_kind_check", "delivery_email")
    op.create_check_constraint("kind", "delivery_email", f"kind IN ({kinds})")


def upgrade() -> None:
    # A mail that nobody was ever sent.
    replace_email_kinds(EMAIL_KINDS)
    op.create_index("notification_author_idx", "notification", [AUTHOR], postgresql_where=IS_ABOUT_SOMEBODY)
    op.create_index(
        "delivery_email_recipient_id_created_at_id_idx", "delivery_email", ["recipient_id", "created_at", "id"]
    )
    op.drop_index("delivery_email_recipient_id_idx", table_name="delivery_email")
    op.create_index("reader_deleted_at_idx", "reader", ["deleted_at"], postgresql_where=IS_DELETED)


def downgrade() -> None:
    op.drop_index("reader_deleted_at_idx", table_name="reader")
    op.create_index("delivery_email_recipient_id_idx", "delivery_email", ["recipient_id"])
    op.drop_index("delivery_email_recipient_id_created_at_id_idx", table_name="delivery_email")
    op.drop_index("notification_author_idx", table_name="notification")
    replace_email_kinds(OLD_EMAIL_KINDS)
