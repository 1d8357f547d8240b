"""To be written."""

revision = "confirmation_purposes"
down_revision = "sessions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
