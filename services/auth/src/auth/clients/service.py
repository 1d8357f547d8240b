"""The services as principals of their own."""

import hashlib
import hmac
from collections.abc import Mapping

from sqlalchemy import func, or_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from auth.clients.constants import SERVICE_SCOPES
from auth.clients.models import Client
from auth.clients.queries import CLIENT
from chassis.database.queries import Reader


def compute_secret_digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


async def check_client(reader: Reader, client_id: str, secret: str) -> frozenset[str] | None:
    """What the client was granted; None when there is no such client or this is not its secret."""
    row = await reader.fetch_row(CLIENT, client_id=client_id)
    digest = b"" if row is None else row["secret_digest"]
    is_valid = hmac.compare_digest(compute_secret_digest(secret), digest)
    return frozenset(row["scopes"]) if row is not None and is_valid else None


async def seed_clients(session: AsyncSession, secrets: Mapping[str, str]) -> None:
    """Make the services known, or bring their secrets and scopes up to date. Others are left alone."""
    values = [
        {"id": client_id, "secret_digest": compute_secret_digest(secret), "scopes": list(SERVICE_SCOPES[client_id])}
        for client_id, secret in sorted(secrets.items())
    ]
    statement = insert(Client).values(values)
    new = statement.excluded
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[Client.id],
            set_={"secret_digest": new.secret_digest, "scopes": new.scopes, "updated_at": func.now()},
            where=or_(Client.secret_digest != new.secret_digest, Client.scopes != new.scopes),
        )
    )
