"""The hot write of every session, its rotation: one statement, which is its own transaction."""

from sqlalchemy import (
    Integer,
    Interval,
    LargeBinary,
    Text,
    and_,
    bindparam,
    cast,
    func,
    insert,
    literal,
    select,
    update,
)

from auth.sessions.constants import IDLE_LIFETIME, REFRESH_GRACE
from auth.sessions.models import LoginSession, RefreshToken, SessionRevocation
from chassis.database.queries import HotQuery, json_object, rfc3339
from chassis.pagination import PageQuery

# Both rows locked, so that whoever waited sees them as the one before left them, and the parts below act on that.
_presented = (
    select(
        LoginSession.id,
        LoginSession.profile_id,
        LoginSession.client_id,
        LoginSession.scope,
        LoginSession.amr,
        LoginSession.acr,
        LoginSession.authenticated_at,
        LoginSession.generation,
        RefreshToken.generation.label("presented"),
        and_(
            LoginSession.revoked_at.is_(None),
            LoginSession.expires_at > func.now(),
            LoginSession.idle_ends_at > func.now(),
        ).label("is_alive"),
        (RefreshToken.used_at > func.now() - literal(REFRESH_GRACE)).label("is_in_grace"),
        cast(func.extract("epoch", LoginSession.expires_at - func.now()), Integer).label("seconds_left"),
    )
    .join(RefreshToken, RefreshToken.session_id == LoginSession.id)
    .where(
        RefreshToken.digest == bindparam("digest", type_=LargeBinary()),
        LoginSession.client_id == bindparam("client_id", type_=Text()),
    )
    .with_for_update()
    .cte("presented")
)
_is_newest = and_(_presented.c.is_alive, _presented.c.presented == _presented.c.generation)
_spend = (
    update(RefreshToken)
    .where(RefreshToken.session_id == _presented.c.id, RefreshToken.generation == _presented.c.presented, _is_newest)
    .values(used_at=func.now())
    .returning(RefreshToken.generation)
    .cte("spend")
)
_advance = (
    update(LoginSession)
    .where(LoginSession.id == _presented.c.id, _is_newest)
    .values(
        generation=LoginSession.generation + 1,
        used_at=func.now(),
        idle_ends_at=func.now() + literal(IDLE_LIFETIME),
        user_agent=bindparam("user_agent", type_=Text()),
        address=bindparam("address", type_=Text()),
    )
    .returning(LoginSession.id)
    .cte("advance")
)
_add = (
    insert(RefreshToken)
    .from_select(
        ["session_id", "generation", "digest"],
        select(_presented.c.id, _presented.c.generation + 1, bindparam("child_digest", type_=LargeBinary())).where(
            _is_newest
        ),
    )
    .returning(RefreshToken.generation)
    .cte("add")
)
ROTATE_SESSION = HotQuery(
    select(
        *_presented.c,
        _is_newest.label("is_rotated"),
    ).add_cte(_spend, _advance, _add)
)

LIST_SESSIONS = PageQuery(
    "sessions",
    select(LoginSession).where(
        LoginSession.profile_id == bindparam("profile_id", type_=LoginSession.profile_id.type),
        LoginSession.revoked_at.is_(None),
        LoginSession.expires_at > func.now(),
        LoginSession.idle_ends_at > func.now(),
    ),
    item=json_object(
        id=LoginSession.id,
        name=LoginSession.name,
        client_id=LoginSession.client_id,
        user_agent=LoginSession.user_agent,
        address=LoginSession.address,
        amr=LoginSession.amr,
        acr=LoginSession.acr,
        is_current=LoginSession.id == bindparam("session_id", type_=LoginSession.id.type),
        created_at=rfc3339(LoginSession.created_at),
        used_at=rfc3339(LoginSession.used_at),
        expires_at=rfc3339(func.least(LoginSession.expires_at, LoginSession.idle_ends_at)),
    ),
    moment=LoginSession.created_at,
    item_id=LoginSession.id,
)

RECENT_REVOCATIONS = HotQuery(
    select(SessionRevocation.session_id, SessionRevocation.revoked_at)
    .where(SessionRevocation.revoked_at > func.now() - bindparam("age", type_=Interval()))
    .order_by(SessionRevocation.revoked_at)
)
