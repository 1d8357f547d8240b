"""Reads of one profile: each a single statement, its JSON built by PostgreSQL."""

from typing import Any

from sqlalchemy import Text, bindparam, cast, func, select

from auth.profiles.constants import AVATAR_PATH
from auth.profiles.models import FormerUsername, Profile
from chassis.database.queries import HotQuery, json_object, rfc3339

PROFILE_ID = bindparam("profile_id", type_=Profile.id.type)

# Null where there is none: what is joined to null is null.
_AVATAR_URL = cast(f"{AVATAR_PATH}/", Text) + cast(Profile.id, Text) + "/avatars/" + cast(Profile.avatar_id, Text)
PUBLIC_MEMBERS: dict[str, Any] = {
    "id": Profile.id,
    "username": Profile.username,
    "first_name": Profile.first_name,
    "last_name": Profile.last_name,
    "bio": Profile.bio,
    "website": Profile.website,
    "avatar_url": _AVATAR_URL,
    "is_creator": Profile.is_creator,
    "created_at": rfc3339(Profile.created_at),
}

PROFILE = HotQuery(
    select(json_object(**PUBLIC_MEMBERS).label("body"), Profile.version).where(
        Profile.id == PROFILE_ID, Profile.hidden_at.is_(None)
    )
)

NAME = bindparam("name", type_=Text())
PROFILE_BY_USERNAME = HotQuery(
    select(json_object(**PUBLIC_MEMBERS).label("body"), Profile.version, Profile.username).where(
        Profile.id
        == func.coalesce(
            select(Profile.id).where(func.lower(Profile.username) == NAME).correlate(None).scalar_subquery(),
            select(FormerUsername.profile_id).where(FormerUsername.name == NAME).scalar_subquery(),
        ),
        Profile.hidden_at.is_(None),
    )
)
