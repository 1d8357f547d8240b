"""One's own exports, and what auth itself contributes to one."""

from typing import Any

from sqlalchemy import Integer, Text, bindparam, case, cast, func, literal, null, select

from auth.accounts.models import Account
from auth.apps.models import App
from auth.audit.models import AuditEntry
from auth.avatars.models import Avatar
from auth.consents.models import Consent
from auth.devices.models import KnownDevice
from auth.exports.constants import ExportState
from auth.exports.models import Export, ExportChunk
from auth.mfa.models import Factor
from auth.profiles.models import FormerUsername, Profile
from auth.profiles.queries import PROFILE_ID
from auth.sessions.models import LoginSession
from chassis.database.queries import HotQuery, json_array, json_object, rfc3339
from chassis.exports import USER_ID, ExportPart
from chassis.jobs.models import JobState, is_open
from chassis.pagination import PageQuery

_EXPORT_ID = bindparam("export_id", type_=Export.id.type)
# One that has expired is as good as gone, whether it was swept or not.
_CAN_BE_SEEN = Export.expires_at.is_(None) | (Export.expires_at > func.now())

LIST_EXPORTS = PageQuery(
    "exports",
    select(Export).where(Export.profile_id == PROFILE_ID, _CAN_BE_SEEN),
    item=json_object(
        id=Export.id,
        state=case(
            (Export.state == JobState.DONE.value, cast(ExportState.READY.value, Text)),
            (Export.state == JobState.DEAD.value, cast(ExportState.FAILED.value, Text)),
            else_=cast(ExportState.PROCESSING.value, Text),
        ),
        size=Export.size,
        created_at=rfc3339(Export.created_at),
        expires_at=rfc3339(Export.expires_at),
    ),
    moment=Export.created_at,
    item_id=Export.id,
)
HAS_OPEN_EXPORT = HotQuery(select(Export.id).where(Export.profile_id == PROFILE_ID, is_open()))
_CHUNKS = select(func.count()).where(ExportChunk.export_id == Export.id).scalar_subquery()
ARCHIVE = HotQuery(
    select(Export.size, _CHUNKS.label("chunks")).where(
        Export.id == _EXPORT_ID,
        Export.profile_id == PROFILE_ID,
        Export.state == JobState.DONE.value,
        Export.expires_at > func.now(),
    )
)
CHUNK = HotQuery(
    select(ExportChunk.content).where(
        ExportChunk.export_id == _EXPORT_ID, ExportChunk.number == bindparam("number", type_=Integer())
    )
)

_FORMER_NAMES = (
    select(json_array(FormerUsername.name + "", order_by=FormerUsername.given_up_at))
    .where(FormerUsername.profile_id == Profile.id)
    .scalar_subquery()
)
_PROFILE = PageQuery(
    "export-profile",
    select(Profile).join(Account, Account.profile_id == Profile.id).where(Profile.id == USER_ID),
    item=json_object(
        id=Profile.id,
        email=Account.email,
        confirmed_at=rfc3339(Account.confirmed_at),
        banned_at=rfc3339(Account.banned_at),
        roles=Account.roles,
        username=Profile.username,
        former_usernames=_FORMER_NAMES,
        first_name=Profile.first_name,
        last_name=Profile.last_name,
        pen_name=Profile.pen_name,
        bio=Profile.bio,
        website=Profile.website,
        language=Profile.language,
        time_zone=Profile.time_zone,
        is_creator=Profile.is_creator,
        created_at=rfc3339(Profile.created_at),
        updated_at=rfc3339(Profile.updated_at),
    ),
    moment=Profile.created_at,
    item_id=Profile.id,
)
_AVATAR = PageQuery(
    "export-avatar",
    select(Avatar).join(Profile, Profile.avatar_id == Avatar.id).where(Profile.id == USER_ID),
    item=json_object(
        file_name=cast(literal("avatar.webp", Text()), Text),
        content=func.encode(Avatar.large, "base64"),
        created_at=rfc3339(Avatar.created_at),
    ),
    moment=Avatar.created_at,
    item_id=Avatar.id,
)
_SESSIONS = PageQuery(
    "export-sessions",
    select(LoginSession).where(LoginSession.profile_id == USER_ID),
    item=json_object(
        name=LoginSession.name,
        client_id=LoginSession.client_id,
        user_agent=LoginSession.user_agent,
        address=LoginSession.address,
        amr=LoginSession.amr,
        created_at=rfc3339(LoginSession.created_at),
        used_at=rfc3339(LoginSession.used_at),
        expires_at=rfc3339(LoginSession.expires_at),
        revoked_at=rfc3339(LoginSession.revoked_at),
    ),
    moment=LoginSession.created_at,
    item_id=LoginSession.id,
)
_DEVICES = PageQuery(
    "export-devices",
    select(KnownDevice).where(KnownDevice.profile_id == USER_ID),
    item=json_object(
        name=KnownDevice.name,
        address=KnownDevice.address,
        created_at=rfc3339(KnownDevice.created_at),
        seen_at=rfc3339(KnownDevice.seen_at),
    ),
    moment=KnownDevice.created_at,
    item_id=KnownDevice.device_id,
)
_IS_OWN: Any = AuditEntry.actor_id == AuditEntry.subject_id
_AUDIT = PageQuery(
    "export-security-log",
    select(AuditEntry).where(AuditEntry.subject_id == USER_ID),
    item=json_object(
        action=AuditEntry.action,
        # Where a member of staff sits is nobody's business.
        address=case((_IS_OWN, AuditEntry.address), else_=null()),
        device=AuditEntry.details["device"].astext,
        created_at=rfc3339(AuditEntry.created_at),
    ),
    moment=AuditEntry.created_at,
    item_id=AuditEntry.id,
)
_FACTORS = PageQuery(
    "export-second-factors",
    select(Factor).where(Factor.profile_id == USER_ID),
    item=json_object(
        method=Factor.method, name=Factor.name, created_at=rfc3339(Factor.created_at), used_at=rfc3339(Factor.used_at)
    ),
    moment=Factor.created_at,
    item_id=Factor.id,
)
_APPS = PageQuery(
    "export-apps",
    select(Consent).join(App, App.id == Consent.app_id).where(Consent.profile_id == USER_ID),
    item=json_object(
        client_id=App.id,
        name=App.name,
        website=App.website,
        scopes=Consent.scopes,
        created_at=rfc3339(Consent.created_at),
        updated_at=rfc3339(Consent.updated_at),
    ),
    moment=Consent.created_at,
    item_id=Consent.app_id,
)

PARTS = (
    ExportPart("profile", "Who you are: profile, address, preferences", _PROFILE),
    ExportPart("avatar", "Your picture", _AVATAR),
    ExportPart("sessions", "Where you are, or were lately, logged in", _SESSIONS),
    ExportPart("second-factors", "What a login of yours asks for beside the password", _FACTORS),
    ExportPart("apps", "Apps of others that you have let in", _APPS),
    ExportPart("devices", "Devices that your account knows", _DEVICES),
    ExportPart("security-log", "What happened to your account", _AUDIT),
)
