"""What is refused about creators and those who follow them.

NotFoundError
└── CreatorNotFoundError
ForbiddenError
├── NotACreatorError
└── ProfileUnknownError
ConflictError
└── SelfFollowError
"""

from chassis.problems import ConflictError, ForbiddenError, NotFoundError


class CreatorNotFoundError(NotFoundError):
    code = "creator_not_found"
    title = "There is no such creator"


class NotACreatorError(ForbiddenError):
    code = "not_a_creator"
    title = "Only creators may do this"

    def __init__(self) -> None:
        super().__init__("Become a creator first: PUT /creators/{profile_id} with your own id.")


class ProfileUnknownError(ForbiddenError):
    code = "profile_unknown"
    title = "The caller's profile does not exist"


class SelfFollowError(ConflictError):
    code = "self_follow"
    title = "Nobody can follow themselves"
