"""The private reads: oneself, and who logs in."""

from sqlalchemy import Text, bindparam, select

from auth.accounts.models import Account
from auth.profiles.models import Profile
from auth.profiles.queries import PROFILE_ID, PUBLIC_MEMBERS
from chassis.database.queries import HotQuery, json_object, rfc3339

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

LOGIN = select(
    Account.profile_id,
    Profile.username,
    Account.email,
    Account.password_hash,
    Account.confirmed_at,
    Account.banned_at,
    Account.roles,
).join(Profile, Profile.id == Account.profile_id)
LOGIN_BY_EMAIL = HotQuery(
    LOGIN.where(Account.email == bindparam("email", type_=Text()))
    # Of the accounts with an address at most one is confirmed.
    .order_by(Account.confirmed_at.is_(None), Account.profile_id.desc())
    .limit(1)
)
LOGIN_BY_ID = HotQuery(LOGIN.where(Account.profile_id == PROFILE_ID))
