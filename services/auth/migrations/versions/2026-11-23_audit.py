"""The audit log, which nothing but time can add to, and its chain."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chassis.events.outbox import Xid8

revision = "audit"
down_revision = "confirmation_purposes"
branch_labels = None
depends_on = None

TABLES = ("audit_entry", "audit_link")
REFUSE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% only grows', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$
"""


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.UUID(), server_default=sa.func.uuidv7(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.UUID()),
        sa.Column("actor_id", sa.UUID()),
        sa.Column("address", sa.Text()),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.func.pg_current_xact_id(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="audit_entry_pkey"),
    )
    for first in ("subject_id", "actor_id", "action"):
        op.create_index(f"audit_entry_{first}_created_at_id_idx", "audit_entry", [first, "created_at", "id"])
    op.create_index("audit_entry_created_at_id_idx", "audit_entry", ["created_at", "id"])
    op.create_index("audit_entry_xid_id_idx", "audit_entry", ["xid", "id"])
    op.create_table(
        "audit_link",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.UUID(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="audit_link_pkey"),
        sa.UniqueConstraint("entry_id", name="audit_link_entry_id_key"),
        sa.ForeignKeyConstraint(["entry_id"], ["audit_entry.id"], name="audit_link_entry_id_fkey"),
    )
    op.execute(REFUSE)
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    op.drop_table("audit_link")
    op.drop_table("audit_entry")
    op.execute("DROP FUNCTION refuse_change()")
