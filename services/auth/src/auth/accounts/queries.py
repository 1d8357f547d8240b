"""The private reads: oneself, and who logs in."""

from typing import Any

from sqlalchemy import ColumnElement, Select, Text, bindparam, cast, select

from auth.accounts.models import Account
from auth.profiles.models import Profile
from auth.profiles.queries import PROFILE_ID, PUBLIC_MEMBERS
from chassis.database.queries import HotQuery, json_object, rfc3339

_OWN_BODY = json_object(
    **PUBLIC_MEMBERS,
    email=Account.email,
    is_confirmed=Account.confirmed_at.is_not(None),
    roles=Account.roles,
    language=Profile.language,
    time_zone=Profile.time_zone,
    updated_at=rfc3339(Profile.updated_at),
)


def _select_own(body: ColumnElement[Any]) -> Select[Any]:
    query = select(body.label("body"), Profile.version).join(Account, Account.profile_id == Profile.id)
    return query.where(Profile.id == PROFILE_ID)


OWN_PROFILE = HotQuery(_select_own(_OWN_BODY))
WRITTEN_PROFILE = _select_own(cast(_OWN_BODY, Text))
"""Within the transaction that wrote it: the same text, so that its tag is the one of the next read."""

LOGIN = select(
    Account.profile_id,
    Profile.username,
    Account.email,
    Account.password_hash,
    Account.confirmed_at,
    Account.banned_at,
    Account.roles,
    Account.second_factors,
).join(Profile, Profile.id == Account.profile_id)
LOGIN_BY_EMAIL = HotQuery(
    LOGIN.where(Account.email == bindparam("email", type_=Text()))
    # Of the accounts with an address at most one is confirmed.
    .order_by(Account.confirmed_at.is_(None), Account.profile_id.desc())
    .limit(1)
)
LOGIN_BY_ID = HotQuery(LOGIN.where(Account.profile_id == PROFILE_ID))
