from sqlalchemy import bindparam, select

from auth.apps.models import App
from auth.consents.models import Consent
from chassis.database.queries import json_object, rfc3339
from chassis.pagination import PageQuery

LIST_CONSENTS = PageQuery(
    "consents",
    select(Consent)
    .join(App, App.id == Consent.app_id)
    .where(Consent.profile_id == bindparam("profile_id", type_=Consent.profile_id.type)),
    item=json_object(
        client_id=App.id,
        name=App.name,
        website=App.website,
        scopes=Consent.scopes,
        created_at=rfc3339(Consent.created_at),
        updated_at=rfc3339(Consent.updated_at),
    ),
    moment=Consent.created_at,
    item_id=Consent.app_id,
)
