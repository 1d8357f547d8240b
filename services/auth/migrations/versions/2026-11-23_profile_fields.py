"""To be written."""

revision = "profile_fields"
down_revision = "devices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
