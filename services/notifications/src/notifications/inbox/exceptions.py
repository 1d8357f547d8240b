"""Errors of the inbox.

NotFoundError
└── NotificationNotFoundError
"""

from chassis.problems import NotFoundError


class NotificationNotFoundError(NotFoundError):
    """Also for the notification of another reader: that it exists is none of the caller's business."""

    code = "notification_not_found"
    title = "There is no such notification"
