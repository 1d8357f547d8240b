"""To be written."""

revision = "exports"
down_revision = "profile_fields"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
