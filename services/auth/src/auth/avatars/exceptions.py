"""What can be wrong with an avatar.

NotFoundError (404)
└── AvatarNotFoundError
UnprocessableError (422)
└── ImageTypeUnsupportedError
"""

from chassis.problems import NotFoundError, UnprocessableError


class AvatarNotFoundError(NotFoundError):
    """Also for one that is not shown any more."""

    code = "avatar_not_found"
    title = "There is no such avatar"


class ImageTypeUnsupportedError(UnprocessableError):
    code = "image_type_unsupported"
    title = "The image must be JPEG, PNG, WebP or GIF"
