from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from chassis.contracts.accounts import UserRegistered
from chassis.database.engine import Database
from chassis.testing.databases import RolledBackDatabase
from notifications.deliveries.models import DeliveryEmail
from notifications.deliveries.service import create_confirmation_email

Register = Callable[..., UserRegistered]
AddEmail = Callable[..., Awaitable[DeliveryEmail]]
ChangeEmail = Callable[..., Awaitable[None]]


@pytest.fixture
def add_email(database: RolledBackDatabase, register: Register) -> AddEmail:
    """A queued confirmation mail, its columns changed as said."""

    async def add(*, to: Database = database, **columns: Any) -> DeliveryEmail:
        person = register()
        async with to.transaction() as session:
            await create_confirmation_email(
                session,
                confirmation_id=person.confirmation_id,
                user_id=person.user_id,
                email=person.email,
                first_name=person.first_name,
            )
            is_new = DeliveryEmail.recipient_id == person.user_id
            if columns:
                await session.execute(update(DeliveryEmail).where(is_new).values(**columns))
            return (await session.scalars(select(DeliveryEmail).where(is_new))).one()

    return add


@pytest.fixture
def change_email(database: RolledBackDatabase) -> ChangeEmail:
    """What time and other workers do to a mail."""

    async def change(email_id: UUID, *, to: Database = database, **columns: Any) -> None:
        async with to.transaction() as session:
            await session.execute(update(DeliveryEmail).where(DeliveryEmail.id == email_id).values(**columns))

    return change
