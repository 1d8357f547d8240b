"""To be written."""

revision = "mfa"
down_revision = "confirmation_purposes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
