from sqlalchemy import LargeBinary, bindparam, func, select

from auth.accounts.models import Account
from auth.mfa.models import Factor, MfaChallenge, RecoveryCode
from chassis.database.queries import HotQuery, json_array, json_object, rfc3339

_PROFILE_ID = bindparam("profile_id", type_=Account.profile_id.type)

CHALLENGE = HotQuery(
    select(
        MfaChallenge.profile_id,
        MfaChallenge.device_id,
        MfaChallenge.password_digest,
        MfaChallenge.is_on_known_device,
    ).where(
        MfaChallenge.digest == bindparam("digest", type_=LargeBinary()),
        MfaChallenge.expires_at > func.now(),
    )
)
SECOND_FACTORS = HotQuery(select(Account.second_factors).where(Account.profile_id == _PROFILE_ID))

_FACTOR = json_object(
    id=Factor.id,
    method=Factor.method,
    name=Factor.name,
    created_at=rfc3339(Factor.created_at),
    used_at=rfc3339(Factor.used_at),
)
_factors = (
    select(json_array(_FACTOR, order_by=Factor.id)).where(Factor.profile_id == Account.profile_id).scalar_subquery()
)
_codes_left = (
    select(func.count())
    .select_from(RecoveryCode)
    .where(RecoveryCode.profile_id == Account.profile_id)
    .scalar_subquery()
)
MFA = HotQuery(
    select(
        json_object(
            is_on=func.cardinality(Account.second_factors) > 0,
            factors=_factors,
            recovery_codes_left=_codes_left,
        ).label("body")
    ).where(Account.profile_id == _PROFILE_ID)
)
