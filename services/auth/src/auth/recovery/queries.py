"""Whose password a link may set: looked up before the password is hashed, and before any transaction."""

from sqlalchemy import LargeBinary, bindparam, func

from auth.accounts.models import Account
from auth.accounts.queries import LOGIN
from auth.confirmations.constants import Purpose
from auth.confirmations.models import Confirmation
from chassis.database.queries import HotQuery

LOGIN_BY_RESET_LINK = HotQuery(
    LOGIN.join(Confirmation, Confirmation.profile_id == Account.profile_id).where(
        Confirmation.token_digest == bindparam("digest", type_=LargeBinary()),
        Confirmation.purpose == Purpose.PASSWORD_RESET.value,
        Confirmation.confirmed_at.is_(None),
        Confirmation.expires_at > func.now(),
    )
)
