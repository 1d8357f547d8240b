"""To be written."""

revision = "audit"
down_revision = "oauth"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
