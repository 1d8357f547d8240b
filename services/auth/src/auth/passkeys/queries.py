from sqlalchemy import bindparam, select

from auth.mfa.models import Factor
from auth.passkeys.models import Passkey
from chassis.database.queries import json_object, rfc3339
from chassis.pagination import PageQuery

LIST_PASSKEYS = PageQuery(
    "passkeys",
    select(Factor)
    .join(Passkey, Passkey.factor_id == Factor.id)
    .where(Factor.profile_id == bindparam("profile_id", type_=Factor.profile_id.type)),
    item=json_object(
        id=Factor.id,
        name=Factor.name,
        is_synced=Passkey.is_synced,
        created_at=rfc3339(Factor.created_at),
        used_at=rfc3339(Factor.used_at),
    ),
    moment=Factor.created_at,
    item_id=Factor.id,
)
