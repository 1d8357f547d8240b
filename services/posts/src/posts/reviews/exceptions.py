"""What is refused about reviews.

ForbiddenError
└── OwnPostError
ConflictError
└── ReviewExistsError
"""

from chassis.database.errors import register_conflict
from chassis.problems import ConflictError, ForbiddenError


class OwnPostError(ForbiddenError):
    code = "own_post"
    title = "Nobody reviews their own post"


class ReviewExistsError(ConflictError):
    code = "review_exists"
    title = "A reader reviews a post once"


register_conflict("post_review_post_id_reviewer_id_key", ReviewExistsError)
