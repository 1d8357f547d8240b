"""Profiles as the others nest them, and the hot look at one."""

from typing import Any

from sqlalchemy import ColumnElement, bindparam, not_, select

from chassis.database.queries import HotQuery, json_object
from posts.creators.models import IS_GONE, Creator


def build_creator_json() -> ColumnElement[Any]:
    """`CreatorRead` of the joined `creator`."""
    return json_object(
        id=Creator.id,
        username=Creator.username,
        first_name=Creator.first_name,
        last_name=Creator.last_name,
        avatar_url=Creator.avatar_url,
        is_creator=Creator.is_creator,
    )


def build_profile_json() -> ColumnElement[Any]:
    """`ProfileSummary` of the joined `creator`."""
    return json_object(
        id=Creator.id,
        username=Creator.username,
        first_name=Creator.first_name,
        last_name=Creator.last_name,
        avatar_url=Creator.avatar_url,
    )


PROFILE = HotQuery(
    select(
        Creator.id,
        Creator.username,
        Creator.first_name,
        Creator.last_name,
        Creator.avatar_url,
        Creator.is_creator,
    ).where(Creator.id == bindparam("profile_id", type_=Creator.id.type), not_(IS_GONE))
)
"""Of who is gone there is none: a token of a moment ago writes nothing more."""
