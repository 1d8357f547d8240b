from sqlalchemy import func, or_, select

from auth.keys.constants import RETIRED_KEPT
from auth.keys.models import KeyPair
from chassis.database.queries import HotQuery

KEY_PAIRS = HotQuery(
    select(KeyPair.id, KeyPair.state, KeyPair.public_key, KeyPair.encrypted_private_key)
    .where(or_(KeyPair.retired_at.is_(None), KeyPair.retired_at > func.now() - RETIRED_KEPT))
    .order_by(KeyPair.id)
)
