from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request

from auth.avatars import service
from auth.avatars.constants import AvatarSize
from auth.avatars.exceptions import AvatarNotFoundError, ImageTypeUnsupportedError
from auth.avatars.utils import is_image
from auth.limits.constants import LimitRule
from auth.limits.dependencies import RateLimiterDep
from auth.limits.utils import account_key
from chassis.database.dependencies import ReaderDep
from chassis.security.dependencies import JWTDataDep


async def valid_upload(request: Request, jwt_data: JWTDataDep, limiter: RateLimiterDep) -> bytes:
    """Read as a whole before any transaction begins: a slow client holds nothing."""
    await limiter.check(LimitRule.AVATAR, account_key(str(jwt_data.user_id)))
    content = await request.body()
    if not is_image(content):
        raise ImageTypeUnsupportedError
    return content


async def valid_own_avatar_document(jwt_data: JWTDataDep, reader: ReaderDep) -> bytes:
    document = await service.get_newest_document(reader, jwt_data.user_id)
    if document is None:
        raise AvatarNotFoundError
    return document


async def parse_avatar_size(
    size: Annotated[AvatarSize, Query(description="Width and height in pixels.")] = AvatarSize.LARGE,
) -> AvatarSize:
    return size


AvatarSizeDep = Annotated[AvatarSize, Depends(parse_avatar_size)]


async def valid_image(profile_id: UUID, avatar_id: UUID, size: AvatarSizeDep, reader: ReaderDep) -> bytes:
    image = await service.get_image(reader, profile_id, avatar_id, size)
    if image is None:
        raise AvatarNotFoundError
    return image


ValidUploadDep = Annotated[bytes, Depends(valid_upload)]
OwnAvatarDocumentDep = Annotated[bytes, Depends(valid_own_avatar_document)]
ValidImageDep = Annotated[bytes, Depends(valid_image)]
