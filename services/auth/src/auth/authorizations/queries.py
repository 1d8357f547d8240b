from sqlalchemy import LargeBinary, bindparam, func, literal, or_, select

from auth.accounts.models import Account
from auth.profiles.models import Profile
from auth.sessions.constants import REFRESH_GRACE
from auth.sessions.models import LoginSession, RefreshToken, ended_at
from chassis.database.queries import HotQuery
from chassis.security.constants import FIRST_PARTY_CLIENT

BROWSER_LOGIN = HotQuery(
    select(
        LoginSession.id,
        LoginSession.profile_id,
        LoginSession.amr,
        LoginSession.acr,
        LoginSession.authenticated_at,
        Profile.username,
        Account.second_factors,
    )
    .join(RefreshToken, RefreshToken.session_id == LoginSession.id)
    .join(Profile, Profile.id == LoginSession.profile_id)
    .join(Account, Account.profile_id == LoginSession.profile_id)
    .where(
        RefreshToken.digest == bindparam("digest", type_=LargeBinary()),
        LoginSession.client_id == FIRST_PARTY_CLIENT,
        ended_at > func.now(),
        Account.banned_at.is_(None),
        # The newest of its line, or one whose successor may be on its way to another tab: as a refresh would take it.
        or_(
            RefreshToken.generation == LoginSession.generation,
            RefreshToken.used_at > func.now() - literal(REFRESH_GRACE),
        ),
    )
)
