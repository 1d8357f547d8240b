"""The hot read of a mail: what is needed to write it, without a transaction that would wait for auth."""

from sqlalchemy import bindparam, select

from chassis.database.queries import HotQuery, json_object
from notifications.deliveries.models import DeliveryEmail

GET_EMAIL_DRAFT = HotQuery(
    select(
        DeliveryEmail.state,
        DeliveryEmail.fence,
        json_object(kind=DeliveryEmail.kind, params=DeliveryEmail.params).label("draft"),
    ).where(DeliveryEmail.id == bindparam("email_id"))
)
