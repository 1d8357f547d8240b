"""What is refused about posts.

NotFoundError
└── PostNotFoundError
ForbiddenError
└── NotPostOwnerError
"""

from chassis.database.errors import register_conflict
from chassis.problems import ForbiddenError, NotFoundError


class PostNotFoundError(NotFoundError):
    """Also for a draft of somebody else: that it exists is not told."""

    code = "post_not_found"
    title = "There is no such post"


class NotPostOwnerError(ForbiddenError):
    code = "not_post_owner"
    title = "Only its creator may do this with a post"


# Whoever adds to a post that is deleted in the same moment.
register_conflict("post_review_post_id_fkey", PostNotFoundError)
register_conflict("post_rendering_post_id_fkey", PostNotFoundError)
