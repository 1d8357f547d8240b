"""Posts, the jobs that render them, and their reviews."""

import sqlalchemy as sa
from alembic import op

from chassis.jobs.ddl import create_job_trigger, drop_job_trigger

revision = "posts"
down_revision = "creators"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
IS_PUBLISHED = sa.text("status = 'published'")


def upgrade() -> None:
    create_post()
    create_post_indexes()
    create_post_rendering()
    create_post_review()


def create_post() -> None:
    op.create_table(
        "post",
        sa.Column("id", sa.UUID(), server_default=sa.func.uuidv7(), nullable=False),
        sa.Column("creator_id", sa.UUID(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("html", sa.Text()),
        sa.Column("excerpt", sa.Text()),
        sa.Column("rendered_version", sa.Integer()),
        sa.Column("publication_error", sa.Text()),
        sa.Column("published_at", MOMENT),
        sa.Column("rating_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rating_sum", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "rating_average",
            sa.Numeric(3, 2),
            sa.Computed("round((rating_sum)::numeric / (NULLIF(rating_count, 0))::numeric, 2)", persisted=True),
        ),
        sa.Column("created_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="post_pkey"),
        sa.ForeignKeyConstraint(["creator_id"], ["creator.id"], name="post_creator_id_fkey"),
        sa.CheckConstraint("status in ('draft', 'publishing', 'published')", name=op.f("post_status_check")),
        sa.CheckConstraint(
            "status <> 'published' or (html is not null and excerpt is not null and published_at is not null)",
            name=op.f("post_published_is_rendered_check"),
        ),
    )


def create_post_indexes() -> None:
    op.create_index("post_published_at_id_idx", "post", ["published_at", "id"], postgresql_where=IS_PUBLISHED)
    op.create_index(
        "post_creator_id_published_at_id_idx",
        "post",
        ["creator_id", "published_at", "id"],
        postgresql_where=IS_PUBLISHED,
    )


def create_post_rendering() -> None:
    op.create_table(
        "post_rendering",
        sa.Column("id", sa.UUID(), server_default=sa.func.uuidv7(), nullable=False),
        sa.Column("post_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.Column("lease_ends_at", MOMENT),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("hinted_at", MOMENT),
        sa.Column("last_error", sa.Text()),
        sa.Column("traceparent", sa.Text()),
        sa.Column("created_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.Column("finished_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="post_rendering_pkey"),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name="post_rendering_post_id_fkey", ondelete="CASCADE"),
        sa.UniqueConstraint("post_id", "version", name="post_rendering_post_id_version_key"),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'dead')", name=op.f("post_rendering_state_check")),
    )
    op.create_index(
        "post_rendering_next_at_idx",
        "post_rendering",
        ["next_at"],
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_index(
        "post_rendering_dead_idx", "post_rendering", ["post_id"], postgresql_where=sa.text("state = 'dead'")
    )
    op.create_index(
        "post_rendering_finished_at_idx",
        "post_rendering",
        ["finished_at"],
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )
    create_job_trigger(op.execute, "post_rendering")


def create_post_review() -> None:
    op.create_table(
        "post_review",
        sa.Column("id", sa.UUID(), server_default=sa.func.uuidv7(), nullable=False),
        sa.Column("post_id", sa.UUID(), nullable=False),
        sa.Column("reviewer_id", sa.UUID(), nullable=False),
        sa.Column("rating", sa.SmallInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="post_review_pkey"),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name="post_review_post_id_fkey", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["reviewer_id"], ["creator.id"], name="post_review_reviewer_id_fkey"),
        sa.UniqueConstraint("post_id", "reviewer_id", name="post_review_post_id_reviewer_id_key"),
        sa.CheckConstraint("rating between 1 and 5", name=op.f("post_review_rating_check")),
    )
    op.create_index("post_review_post_id_created_at_id_idx", "post_review", ["post_id", "created_at", "id"])


def downgrade() -> None:
    op.drop_table("post_review")
    drop_job_trigger(op.execute, "post_rendering")
    op.drop_table("post_rendering")
    op.drop_table("post")
