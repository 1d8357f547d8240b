"""People who log in, each on a device of their own that their account knows, as most logins are."""

import json
import secrets
from dataclasses import dataclass, field
from typing import Any, Final

import argon2
from sqlalchemy import func

from auth.accounts.models import Account
from auth.passwords.config import HashingConfig
from auth.profiles.models import Profile
from benchmarks.auth.http import Connection, connect
from chassis.config import load_config
from chassis.database.config import DatabaseConfig
from chassis.database.engine import Database

PASSWORD: Final = "Correct-Horse-7-Battery"  # noqa: S105 - of people who exist for a few minutes


@dataclass
class Person:
    id: str
    email: str
    device_token: str = ""
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)

    async def log_in(self, connection: Connection) -> None:
        form = {"grant_type": "password", "username": self.email, "password": PASSWORD, "delivery": "body"}
        device = {"device_token": self.device_token} if self.device_token else {}
        issued = self._take(await connection.post("/auth/token", form | device))
        self.device_token = issued["device_token"]

    async def refresh(self, connection: Connection) -> None:
        form = {"grant_type": "refresh_token", "refresh_token": self.refresh_token}
        self._take(await connection.post("/auth/token", form))

    def _take(self, answer: Any) -> dict[str, Any]:
        issued: dict[str, Any] = json.loads(answer.expect().body)
        self.access_token, self.refresh_token = issued["access_token"], issued["refresh_token"]
        return issued


def create_hasher() -> argon2.PasswordHasher:
    config = load_config(HashingConfig)
    return argon2.PasswordHasher(config.time_cost, config.memory_kib, config.parallelism)


async def create_people(count: int, port: int) -> list[Person]:
    """With confirmed addresses; one hash for all, since making it is not what is measured. Logged in once."""
    password_hash = create_hasher().hash(PASSWORD)
    people = []
    async with Database(load_config(DatabaseConfig)) as database, database.transaction() as session:
        profiles = [Profile(username=f"u_{secrets.token_hex(8)}", first_name="A", last_name="L") for _ in range(count)]
        session.add_all(profiles)
        await session.flush()
        for profile in profiles:
            email = f"{profile.username}@people.example"
            account = {"profile_id": profile.id, "email": email, "password_hash": password_hash}
            session.add(Account(**account, confirmed_at=func.now()))
            people.append(Person(str(profile.id), email))
    async with connect(port) as (connection,):
        for person in people:
            await person.log_in(connection)
    return people
