"""The hot write of a login on a known device: one statement, which is its own transaction."""

from sqlalchemy import LargeBinary, Text, bindparam, cast, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from auth.accounts.models import Account
from auth.audit.constants import AuditAction
from auth.audit.models import AuditEntry
from auth.devices.models import KnownDevice
from auth.sessions.constants import IDLE_LIFETIME, SESSION_LIFETIME
from auth.sessions.models import LoginSession, RefreshToken, ended_at
from chassis.database.queries import HotQuery

_PROFILE_ID = bindparam("profile_id", type_=Account.profile_id.type)
_ADDRESS = bindparam("address", type_=Text())
_AMR = bindparam("amr", type_=ARRAY(Text()))

# Held: who bans, deletes or changes password or roles waits until this session can be seen, and this waits for them.
_account = (
    select(Account.profile_id)
    .where(
        Account.profile_id == _PROFILE_ID,
        Account.banned_at.is_(None),
        Account.password_hash == bindparam("password_hash", type_=Text()),
        Account.roles == bindparam("roles", type_=ARRAY(Text())),
        # One that was turned on meanwhile is not passed by; who has shown one comes the longer way.
        func.cardinality(Account.second_factors) == 0,
    )
    .with_for_update(read=True)
    .cte("held")
)
_session = (
    insert(LoginSession)
    .from_select(
        ["profile_id", "client_id", "scope", "amr", "acr", "user_agent", "address", "idle_ends_at", "expires_at"],
        select(
            _account.c.profile_id,
            bindparam("client_id", type_=Text()),
            bindparam("scope", type_=Text()),
            _AMR,
            bindparam("acr", type_=Text()),
            bindparam("user_agent", type_=Text()),
            _ADDRESS,
            func.now() + literal(IDLE_LIFETIME),
            func.now() + literal(SESSION_LIFETIME),
        ),
    )
    .returning(LoginSession.id, LoginSession.profile_id, LoginSession.authenticated_at)
    .cte("opened")
)
_refresh = (
    insert(RefreshToken)
    .from_select(
        ["session_id", "generation", "digest"],
        select(_session.c.id, literal(0), bindparam("digest", type_=LargeBinary())),
    )
    .returning(RefreshToken.generation)
    .cte("refresh")
)
_seen = (
    update(KnownDevice)
    .where(
        KnownDevice.profile_id == _session.c.profile_id,
        KnownDevice.device_id == bindparam("device_id", type_=KnownDevice.device_id.type),
    )
    .values(seen_at=func.now(), name=bindparam("device", type_=Text()), address=_ADDRESS)
    .returning(KnownDevice.device_id)
    .cte("seen")
)
_entry = (
    insert(AuditEntry)
    .from_select(
        ["action", "subject_id", "actor_id", "address", "details"],
        select(
            literal(AuditAction.LOGIN_SUCCEEDED.value),
            _session.c.profile_id,
            _session.c.profile_id,
            _ADDRESS,
            func.jsonb_build_object(
                cast(literal("session_id"), Text()),
                _session.c.id,
                cast(literal("amr"), Text()),
                func.array_to_string(_AMR, literal(" ")),
                cast(literal("device"), Text()),
                bindparam("device", type_=Text()),
                type_=JSONB(),
            ),
        ),
    )
    .returning(AuditEntry.id)
    .cte("entry")
)
# As they were before this statement.
_others = (
    select(func.count())
    .select_from(LoginSession)
    .where(LoginSession.profile_id == _PROFILE_ID, ended_at > func.now())
    .scalar_subquery()
)
OPEN_SESSION = HotQuery(
    select(_session.c.id, _session.c.authenticated_at, _others.label("others")).add_cte(_refresh, _seen, _entry)
)
