"""Reads of one profile: each a single statement, its JSON built by PostgreSQL."""

from typing import Any

from sqlalchemy import Text, bindparam, select

from auth.profiles.models import Account, Profile
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

PROFILE = HotQuery(select(json_object(**PUBLIC_MEMBERS).label("body"), Profile.version).where(Profile.id == PROFILE_ID))

OWN_PROFILE = HotQuery(
    select(
        json_object(
            **PUBLIC_MEMBERS,
            email=Account.email,
            is_confirmed=Account.confirmed_at.is_not(None),
            updated_at=rfc3339(Profile.updated_at),
        ).label("body"),
        Profile.version,
    )
    .join(Account, Account.profile_id == Profile.id)
    .where(Profile.id == PROFILE_ID)
)

CREATOR = HotQuery(
    select(
        json_object(**PUBLIC_MEMBERS, pen_name=Profile.pen_name, bio=Profile.bio).label("body"), Profile.version
    ).where(Profile.id == PROFILE_ID, Profile.is_creator)
)

ACCOUNT_BY_EMAIL = HotQuery(
    select(Account.profile_id, Account.password_hash, Account.confirmed_at).where(
        Account.email == bindparam("email", type_=Text())
    )
)
