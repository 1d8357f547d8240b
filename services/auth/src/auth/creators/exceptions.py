"""No such creator.

NotFoundError (404)
└── CreatorNotFoundError
"""

from chassis.problems import NotFoundError


class CreatorNotFoundError(NotFoundError):
    """Also for a profile that is no creator's."""

    code = "creator_not_found"
    title = "There is no such creator"
