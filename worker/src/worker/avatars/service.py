"""One avatar: claimed, made, reported."""

from base64 import b64encode
from uuid import UUID

from celery.exceptions import SoftTimeLimitExceeded

from chassis.http.sync import SyncServiceClient
from worker.avatars.constants import SOFT_TIME_LIMIT
from worker.avatars.exceptions import ImageTooSlowError
from worker.avatars.schemas import Avatar, AvatarClaim
from worker.avatars.utils import make_avatar
from worker.jobs import claim_job


def resize_avatar(owner: SyncServiceClient, avatar_id: UUID) -> None:
    """Raises a JobError when the image cannot be used, UpstreamError when its owner is away or has it no more."""
    with claim_job(owner, "avatars", avatar_id, AvatarClaim) as job:
        avatar = make(job.claim)
        job.report_result(small=b64encode(avatar.small).decode(), large=b64encode(avatar.large).decode())


def make(claim: AvatarClaim) -> Avatar:
    """Raises ImageUnreadableError, ImageTooLargeError, ImageTooSlowError."""
    try:
        return make_avatar(claim.image)
    except SoftTimeLimitExceeded as error:
        raise ImageTooSlowError(f"The image takes more than {SOFT_TIME_LIMIT} s to decode.") from error
