"""What a notification says, by the event that it comes from."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from chassis.contracts.accounts import UserRegistered
from chassis.contracts.posts import PostPublished, ReviewCreated
from notifications.inbox.constants import POSTS_LINK, UNKNOWN_CREATOR, UNKNOWN_REVIEWER, NotificationKind


@dataclass(frozen=True, slots=True)
class Message:
    """The part of a notification that is the same for all who get it."""

    kind: NotificationKind
    subject_id: UUID
    title: str
    text: str
    link: str
    data: dict[str, Any] = field(default_factory=dict)


def write_welcome(event: UserRegistered) -> Message:
    return Message(
        kind=NotificationKind.WELCOME,
        subject_id=event.user_id,
        title=f"Welcome to Broadsheet, {event.first_name}",
        text="Follow creators, and what they publish appears here.",
        link=POSTS_LINK,
    )


def write_post_published(event: PostPublished, creator_name: str | None) -> Message:
    name = creator_name or UNKNOWN_CREATOR
    return Message(
        kind=NotificationKind.POST_PUBLISHED,
        subject_id=event.post_id,
        title=f"{name} published “{event.title}”",
        text=event.excerpt,
        link=f"{POSTS_LINK}/{event.post_id}",
        data={
            "post_id": str(event.post_id),
            "creator_id": str(event.creator_id),
            "creator_name": name,
            "post_title": event.title,
        },
    )


def write_review_created(event: ReviewCreated, reviewer_name: str | None) -> Message:
    name = reviewer_name or UNKNOWN_REVIEWER
    return Message(
        kind=NotificationKind.REVIEW_CREATED,
        subject_id=event.review_id,
        title=f"{name} reviewed “{event.post_title}”",
        text=f"Rated {event.rating} of 5.",
        link=f"{POSTS_LINK}/{event.post_id}/reviews",
        data={
            "review_id": str(event.review_id),
            "post_id": str(event.post_id),
            "reviewer_id": str(event.reviewer_id),
            "reviewer_name": name,
            "post_title": event.post_title,
            "rating": event.rating,
        },
    )
