from enum import StrEnum


class NotificationKind(StrEnum):
    """What a notification is about; what `subject_id` names follows from it."""

    WELCOME = "welcome"  # the user
    POST_PUBLISHED = "post_published"  # the post
    REVIEW_CREATED = "review_created"  # the review
    SECURITY_NOTICE = "security_notice"  # the notice
    EXPORT_COMPLETED = "export_completed"  # the export


TITLE_MAX_LENGTH = 1000
TEXT_MAX_LENGTH = 4000
LINK_MAX_LENGTH = 500

# At the gateway: the inbox is read by whoever sits before it.
POSTS_LINK = "/api/v1/posts"

# Until the registration of the person has arrived.
UNKNOWN_CREATOR = "A creator you follow"
UNKNOWN_REVIEWER = "A reader"
