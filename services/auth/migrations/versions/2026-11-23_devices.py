"""To be written."""

revision = "devices"
down_revision = "audit"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
