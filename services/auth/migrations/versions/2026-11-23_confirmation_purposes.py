"""Confirmations of more than a sign-up, and requests for mails that are answered where nobody can watch."""

import sqlalchemy as sa
from alembic import op

revision = "confirmation_purposes"
down_revision = "sessions"
branch_labels = None
depends_on = None

PURPOSES = "('sign_up', 'password_reset', 'email_change_old', 'email_change_new', 'account_deletion')"


def upgrade() -> None:
    op.add_column("confirmation", sa.Column("purpose", sa.Text(), server_default="sign_up", nullable=False))
    op.alter_column("confirmation", "purpose", server_default=None)
    op.add_column("confirmation", sa.Column("address", sa.Text()))
    op.create_check_constraint("purpose", "confirmation", f"purpose IN {PURPOSES}")
    op.create_table(
        "recovery_request",
        sa.Column("id", sa.UUID(), server_default=sa.func.uuidv7(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="recovery_request_pkey"),
    )


def downgrade() -> None:
    op.drop_table("recovery_request")
    op.drop_constraint("confirmation_purpose_check", "confirmation")
    op.drop_column("confirmation", "address")
    op.drop_column("confirmation", "purpose")
