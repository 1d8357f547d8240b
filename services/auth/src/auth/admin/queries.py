"""What staff look up: each search has an index that holds at a million users."""

from typing import Any

from sqlalchemy import Text, and_, bindparam, func, select, text

from auth.accounts.models import Account
from auth.admin.schemas import UserState
from auth.profiles.models import Profile
from chassis.database.queries import HotQuery, json_object, rfc3339
from chassis.pagination import PageQuery

_USERS = select(Profile).join(Account, Account.profile_id == Profile.id)
_ITEM = json_object(
    id=Profile.id,
    username=Profile.username,
    first_name=Profile.first_name,
    last_name=Profile.last_name,
    email=Account.email,
    is_active=and_(Account.confirmed_at.is_not(None), Account.banned_at.is_(None)),
    is_creator=Profile.is_creator,
    roles=Account.roles,
    confirmed_at=rfc3339(Account.confirmed_at),
    banned_at=rfc3339(Account.banned_at),
    ban_reason=Account.ban_reason,
    created_at=rfc3339(Profile.created_at),
)
_FILTERS: dict[str, Any] = {
    "all": (),
    "email": (Account.email == bindparam("email", type_=Text()),),
    # Names are ASCII without a backslash, so that the end of a range of them is this.
    "username": (
        func.lower(Profile.username).op("~>=~")(bindparam("username", type_=Text())),
        func.lower(Profile.username).op("~<~")(bindparam("username_end", type_=Text())),
    ),
    # The second says nothing new, but that the index of staff alone is enough.
    "role": (Account.roles.contains(func.string_to_array(bindparam("role", type_=Text()), ",")), text("roles <> '{}'")),
    UserState.UNCONFIRMED: (Account.confirmed_at.is_(None),),
    UserState.ACTIVE: (Account.confirmed_at.is_not(None), Account.banned_at.is_(None)),
    UserState.BANNED: (Account.banned_at.is_not(None),),
}

USERS = {
    name: PageQuery("users", _USERS.where(*filters), item=_ITEM, moment=Profile.created_at, item_id=Profile.id)
    for name, filters in _FILTERS.items()
}
USER = HotQuery(
    select(_ITEM.label("body"), Profile.version)
    .select_from(Profile)
    .join(Account, Account.profile_id == Profile.id)
    .where(Profile.id == bindparam("user_id", type_=Profile.id.type))
)
