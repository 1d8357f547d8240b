from sqlalchemy import bindparam, func, literal, select

from auth.devices.constants import DEVICE_LIFETIME
from auth.devices.models import KnownDevice
from chassis.database.queries import HotQuery

KNOWN_DEVICE = HotQuery(
    select(KnownDevice.device_id).where(
        KnownDevice.profile_id == bindparam("profile_id", type_=KnownDevice.profile_id.type),
        KnownDevice.device_id == bindparam("device_id", type_=KnownDevice.device_id.type),
        KnownDevice.seen_at > func.now() - literal(DEVICE_LIFETIME),
    )
)
