from sqlalchemy import bindparam, select

from auth.passkeys.models import Passkey
from chassis.database.queries import json_object, rfc3339
from chassis.pagination import PageQuery

LIST_PASSKEYS = PageQuery(
    "passkeys",
    select(Passkey).where(Passkey.profile_id == bindparam("profile_id", type_=Passkey.profile_id.type)),
    item=json_object(
        id=Passkey.id,
        name=Passkey.name,
        is_synced=Passkey.is_synced,
        created_at=rfc3339(Passkey.created_at),
        used_at=rfc3339(Passkey.used_at),
    ),
    moment=Passkey.created_at,
    item_id=Passkey.id,
)
