from typing import Annotated
from uuid import UUID

from fastapi import Depends

from auth.accounts.dependencies import LockedOwnProfileDep
from auth.exports import service
from auth.exports.exceptions import ExportNotFoundError, ExportPendingError
from auth.exports.service import Archive
from auth.limits.constants import LimitRule
from auth.limits.dependencies import RateLimiterDep
from auth.limits.utils import account_key
from auth.profiles.models import Profile
from chassis.database.dependencies import ReaderDep
from chassis.security.dependencies import JWTDataDep


async def limited_export(jwt_data: JWTDataDep, reader: ReaderDep, limiter: RateLimiterDep) -> None:
    """What would be refused shall not count; that two at once are one is seen to when it is written."""
    if await service.has_open_export(reader, jwt_data.user_id):
        raise ExportPendingError
    await limiter.check(LimitRule.EXPORT, account_key(str(jwt_data.user_id)))


async def valid_exporter(_: Annotated[None, Depends(limited_export)], profile: LockedOwnProfileDep) -> Profile:
    """The caller's profile, held until the end of the request."""
    return profile


async def valid_archive(export_id: UUID, jwt_data: JWTDataDep, reader: ReaderDep) -> Archive:
    """One's own, as long as it is kept."""
    archive = await service.find_archive(reader, jwt_data.user_id, export_id)
    if archive is None:
        raise ExportNotFoundError
    return archive


ExporterDep = Annotated[Profile, Depends(valid_exporter)]
ArchiveDep = Annotated[Archive, Depends(valid_archive)]
