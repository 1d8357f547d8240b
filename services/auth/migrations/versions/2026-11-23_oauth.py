"""To be written."""

revision = "oauth"
down_revision = "mfa"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
