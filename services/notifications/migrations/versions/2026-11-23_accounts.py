"""Mails and notifications about an account itself; readers that are banned, or gone."""

import sqlalchemy as sa
from alembic import op

revision = "accounts"
down_revision = "fan_outs"
branch_labels = None
depends_on = None

EMAIL_KINDS = (
    "'confirmation', 'password_reset', 'email_change_old', 'email_change_new', 'account_deletion', "
    "'security_notice', 'export_completed', 'post_published', 'review_created'"
)
OLD_EMAIL_KINDS = "'confirmation', 'post_published', 'review_created'"
NOTIFICATION_KINDS = "'welcome', 'post_published', 'review_created', 'security_notice', 'export_completed'"
OLD_NOTIFICATION_KINDS = "'welcome', 'post_published', 'review_created'"


def replace_kinds(table: str, kinds: str) -> None:
    op.drop_constraint(f"{table}_kind_check", table)
    op.create_check_constraint("kind", table, f"kind IN ({kinds})")


def upgrade() -> None:
    replace_kinds("delivery_email", EMAIL_KINDS)
    replace_kinds("notification", NOTIFICATION_KINDS)
    op.create_index("delivery_email_recipient_id_idx", "delivery_email", ["recipient_id"])
    op.add_column("reader", sa.Column("is_banned", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("reader", sa.Column("deleted_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("reader", "deleted_at")
    op.drop_column("reader", "is_banned")
    op.drop_index("delivery_email_recipient_id_idx", "delivery_email")
    op.execute(f"DELETE FROM notification WHERE kind NOT IN ({OLD_NOTIFICATION_KINDS})")  # noqa: S608 - our own words
    op.execute(f"DELETE FROM delivery_email WHERE kind NOT IN ({OLD_EMAIL_KINDS})")  # noqa: S608 - our own words
    replace_kinds("notification", OLD_NOTIFICATION_KINDS)
    replace_kinds("delivery_email", OLD_EMAIL_KINDS)
