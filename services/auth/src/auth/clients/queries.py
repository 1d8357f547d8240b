from sqlalchemy import Text, bindparam, select

from auth.clients.models import Client
from chassis.database.queries import HotQuery

CLIENT = HotQuery(
    select(Client.id, Client.secret_digest, Client.scopes).where(Client.id == bindparam("client_id", type_=Text()))
)
