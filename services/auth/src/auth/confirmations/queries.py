from sqlalchemy import bindparam, func, select

from auth.confirmations.models import Confirmation
from chassis.database.queries import HotQuery

OPEN_CONFIRMATION = HotQuery(
    select(Confirmation.expires_at).where(
        Confirmation.id == bindparam("confirmation_id", type_=Confirmation.id.type),
        Confirmation.confirmed_at.is_(None),
        Confirmation.expires_at > func.now(),
    )
)
