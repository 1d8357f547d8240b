from sqlalchemy import bindparam, select

from auth.accounts.models import Account
from chassis.database.queries import HotQuery

ACCOUNT = HotQuery(
    select(
        Account.profile_id, Account.email, Account.password_hash, Account.confirmed_at, Account.banned_at, Account.roles
    ).where(Account.profile_id == bindparam("profile_id", type_=Account.profile_id.type))
)
