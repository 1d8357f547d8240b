from sqlalchemy import Integer, Text, bindparam, case, cast, func, select

from auth.avatars.constants import AvatarError, AvatarSize, AvatarState
from auth.avatars.models import Avatar
from auth.profiles.models import Profile
from auth.profiles.queries import PROFILE_ID
from chassis.database.queries import HotQuery, json_object
from chassis.jobs.models import JobState

IMAGE = HotQuery(
    select(
        case((bindparam("size", type_=Integer()) == AvatarSize.SMALL.value, Avatar.small), else_=Avatar.large).label(
            "image"
        )
    )
    .join(Profile, Profile.avatar_id == Avatar.id)
    .where(
        Avatar.id == bindparam("avatar_id", type_=Avatar.id.type),
        Profile.id == PROFILE_ID,
        Profile.hidden_at.is_(None),
    )
)

_is_dead = Avatar.state == JobState.DEAD.value
NEWEST = HotQuery(
    select(
        json_object(
            avatar_id=Avatar.id,
            state=case(
                (Avatar.state == JobState.DONE.value, cast(AvatarState.READY.value, Text)),
                (_is_dead, cast(AvatarState.FAILED.value, Text)),
                else_=cast(AvatarState.PROCESSING.value, Text),
            ),
            # Without a code, its workers never came back.
            error=case((_is_dead, func.coalesce(Avatar.error_code, cast(AvatarError.PROCESSING_FAILED.value, Text)))),
        ).label("body")
    )
    .where(Avatar.profile_id == PROFILE_ID)
    .order_by(Avatar.created_at.desc(), Avatar.id.desc())
    .limit(1)
)
