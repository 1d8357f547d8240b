from typing import Annotated
from uuid import UUID

from fastapi import Depends

from chassis.database.dependencies import SessionDep
from chassis.security.dependencies import JWTDataDep
from notifications.inbox.models import Notification
from notifications.inbox.service import get_notification_or_raise


async def valid_own_notification(notification_id: UUID, session: SessionDep, jwt_data: JWTDataDep) -> Notification:
    """The caller's notification of this id. 404 for one of another reader."""
    return await get_notification_or_raise(session, notification_id, jwt_data.user_id)


OwnNotificationDep = Annotated[Notification, Depends(valid_own_notification)]
