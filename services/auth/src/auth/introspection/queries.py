from sqlalchemy import LargeBinary, bindparam, func, literal, or_, select

from auth.sessions.constants import REFRESH_GRACE
from auth.sessions.models import LoginSession, RefreshToken, ended_at
from chassis.database.queries import HotQuery

OPEN_SESSION_ID = HotQuery(
    select(LoginSession.id).where(
        LoginSession.id == bindparam("session_id", type_=LoginSession.id.type), ended_at > func.now()
    )
)
REFRESH_TOKEN = HotQuery(
    select(
        LoginSession.id,
        LoginSession.profile_id,
        LoginSession.client_id,
        LoginSession.scope,
        func.least(LoginSession.expires_at, LoginSession.idle_ends_at).label("ends_at"),
    )
    .join(RefreshToken, RefreshToken.session_id == LoginSession.id)
    .where(
        RefreshToken.digest == bindparam("digest", type_=LargeBinary()),
        ended_at > func.now(),
        or_(
            RefreshToken.generation == LoginSession.generation,
            RefreshToken.used_at > func.now() - literal(REFRESH_GRACE),
        ),
    )
)
