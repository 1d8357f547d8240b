from typing import Annotated
from uuid import UUID

from pydantic import Field

from chassis.schemas import CustomModel, InputModel, UtcDatetime
from posts.creators.schemas import ProfileSummary
from posts.reviews.constants import MAX_RATING, MIN_RATING, TEXT_MAX_LENGTH

Rating = Annotated[int, Field(ge=MIN_RATING, le=MAX_RATING, examples=[5])]


class ReviewCreate(InputModel):
    rating: Rating
    text: str = Field(min_length=1, max_length=TEXT_MAX_LENGTH, examples=["Read it twice."])


class ReviewRead(CustomModel):
    id: UUID
    post_id: UUID
    rating: Rating
    text: str = Field(max_length=TEXT_MAX_LENGTH)
    reviewer: ProfileSummary
    created_at: UtcDatetime
