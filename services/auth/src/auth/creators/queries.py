from sqlalchemy import select

from auth.profiles.models import Profile
from auth.profiles.queries import PROFILE_ID, PUBLIC_MEMBERS
from chassis.database.queries import HotQuery, json_object

CREATOR = HotQuery(
    select(json_object(**PUBLIC_MEMBERS, pen_name=Profile.pen_name).label("body"), Profile.version).where(
        Profile.id == PROFILE_ID, Profile.is_creator, Profile.hidden_at.is_(None)
    )
)
