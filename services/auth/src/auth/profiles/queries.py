"""Reads of one profile: each a single statement, its JSON built by PostgreSQL."""

from typing import Any

from sqlalchemy import bindparam, select

from auth.profiles.models import Profile
from chassis.database.queries import HotQuery, json_object, rfc3339

PROFILE_ID = bindparam("profile_id", type_=Profile.id.type)

PUBLIC_MEMBERS: dict[str, Any] = {
    "id": Profile.id,
    "username": Profile.username,
    "first_name": Profile.first_name,
    "last_name": Profile.last_name,
    "is_creator": Profile.is_creator,
    "created_at": rfc3339(Profile.created_at),
}

PROFILE = HotQuery(
    select(json_object(**PUBLIC_MEMBERS).label("body"), Profile.version).where(
        Profile.id == PROFILE_ID, Profile.hidden_at.is_(None)
    )
)
