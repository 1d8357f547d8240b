from sqlalchemy import bindparam, select

from auth.apps.models import App
from chassis.database.queries import HotQuery, json_object, rfc3339
from chassis.pagination import PageQuery

_ITEM = json_object(
    client_id=App.id,
    name=App.name,
    website=App.website,
    redirect_uris=App.redirect_uris,
    scopes=App.scopes,
    is_confidential=App.secret_digest.is_not(None),
    created_at=rfc3339(App.created_at),
    updated_at=rfc3339(App.updated_at),
)
_IS_IT = App.id == bindparam("app_id", type_=App.id.type)

LIST_APPS = PageQuery("clients", select(App), item=_ITEM, moment=App.created_at, item_id=App.id)
APP_DOCUMENT = HotQuery(select(_ITEM.label("body"), App.version).where(_IS_IT))
APP = HotQuery(select(App.id, App.name, App.website, App.redirect_uris, App.scopes, App.secret_digest).where(_IS_IT))
