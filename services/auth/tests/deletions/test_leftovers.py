"""After a deletion nothing is left that says who somebody was, in whatever table it may have stood.

Every table takes part: one that is new fails here until it is filled below, or says why it need not be.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from auth.apps.models import App
from auth.avatars.models import Avatar
from auth.clients.models import Client
from auth.codes.models import AppCode
from auth.confirmations.models import Confirmation
from auth.consents.models import Consent
from auth.devices.models import KnownDevice
from auth.exports.models import Export, ExportChunk
from auth.exports.queries import PARTS
from auth.locks.models import LoginLock
from auth.mfa.models import Factor, MfaChallenge, RecoveryCode
from auth.passkeys.models import Passkey, PasskeyChallenge
from auth.profiles.models import FormerUsername, Profile
from auth.totp.models import TotpEnrolment, TotpSecret
from chassis.idempotency import IdempotencyKey
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.leftovers import dump_tables

Login = Callable[..., Awaitable[dict[str, str]]]
CANARY = "canary"
KEPT_BY_A_PROFILE = """
    select conrelid::regclass::text from pg_constraint
    where contype = 'f' and confrelid = 'profile'::regclass and confdeltype <> 'c'
"""
NAMES_ALL = {"first_name": "Canaryfirst", "last_name": "Canarylast", "pen_name": "Canarypen"}

# What knows nobody, or forgets by itself.
NOT_OF_PEOPLE = {
    "client": "our services",
    "key_pair": "our keys",
    "app": "apps of others, registered by staff",
    "recovery_request": "handled within seconds, by an address alone",
}
# What stays, and may hold the id of somebody who is gone, which nothing can be found by any more; and nothing else.
IDS_STAY = {
    "audit_entry": "only grows; names people by their ids",
    "audit_link": "hashes",
    "profile_retired_username": "digests",
    "session_revocation": "ids of sessions, for an hour",
}
# The feed: subscribers that are behind need it. Its partitions are dropped after seven days (ADR 0018).
FORGETS_IN_A_WEEK = {"outbox_event"}

# Tables of somebody, and the part of an export that shows them, or why none does.
EXPORTED = {
    "profile": "profile",
    "account": "profile",
    "profile_former_username": "profile",
    "avatar": "avatar",
    "session": "sessions",
    "device_known": "devices",
    "audit_entry": "security-log",
    "mfa_factor": "second-factors",
    "app_consent": "apps",
}
NOT_EXPORTED = {
    "session_refresh": "digests of secrets",
    "confirmation": "digests of secrets, for two days",
    "totp_secret": "secrets",
    "totp_enrolment": "secrets, for a quarter of an hour",
    "passkey": "public keys and counters; its name stands with the second factors",
    "passkey_challenge": "digests, for minutes",
    "mfa_recovery_code": "digests of secrets",
    "mfa_challenge": "digests of secrets, for minutes",
    "app_code": "digests of secrets, for a day",
    "login_lock": "moments, which the security log has, for a day",
    "export": "the export itself",
    "export_chunk": "the export itself",
    "idempotency_key": "answers that they got, for a day",
}


async def fill(session: AsyncSession, profile_id: UUID) -> None:
    """Each table that the journey of the fixture does not reach."""
    now = datetime.now(UTC)
    image = {"source": b"canary", "small": b"canary", "large": b"canary"}
    avatar, export = Avatar(profile_id=profile_id, last_error="canary", **image), Export(profile_id=profile_id)
    factor = Factor(profile_id=profile_id, method="passkey", name="Canary key")
    app = App(name="Reader", redirect_uris=["https://app.example/back"], scopes=["posts:read"])
    session.add_all([avatar, export, factor, app])
    await session.flush()
    fill_second_factors(session, profile_id, factor.id)
    fill_apps(session, profile_id, app.id)
    session.add_all(
        [
            ExportChunk(export_id=export.id, number=0, content=b"canary"),
            FormerUsername(name="canary_before", profile_id=profile_id),
            LoginLock(profile_id=profile_id),
            KnownDevice(profile_id=profile_id, device_id=uuid4(), name="Canary phone", address="203.0.113.0/24"),
            Confirmation(
                profile_id=profile_id,
                purpose="email_change_new",
                address="canary_new@people.example",
                token_digest=b"1",
                created_at=now,
                expires_at=now,
            ),
            IdempotencyKey(
                user_id=profile_id, route="POST /auth/exports", key="k", body_digest=b"1", body=b'{"name": "canary"}'
            ),
            IdempotencyKey(
                user_id=UUID(int=0),
                route="POST /profiles",
                key="k",
                body_digest=b"1",
                body=f'{{"id": "{profile_id}", "name": "canary"}}'.encode(),
            ),
        ]
    )


def fill_apps(session: AsyncSession, profile_id: UUID, app_id: UUID) -> None:
    session.add_all(
        [
            Consent(profile_id=profile_id, app_id=app_id, scopes=["posts:read"]),
            AppCode(
                digest=b"1",
                app_id=app_id,
                profile_id=profile_id,
                scope="posts:read",
                code_challenge="canary",
                amr=["pwd"],
                acr="aal1",
                authenticated_at=datetime.now(UTC),
                login_id=uuid4(),
                expires_at=datetime.now(UTC),
            ),
        ]
    )


def fill_second_factors(session: AsyncSession, profile_id: UUID, factor_id: UUID) -> None:
    now = datetime.now(UTC)
    key = {"credential_id": b"canary", "public_key": b"canary", "sign_count": 0, "is_synced": False}
    challenge = {"device_id": uuid4(), "password_digest": b"1", "is_on_known_device": False}
    session.add_all(
        [
            Passkey(factor_id=factor_id, **key),
            TotpSecret(factor_id=factor_id, encrypted_secret=b"canary", last_step=0),
            TotpEnrolment(profile_id=profile_id, encrypted_secret=b"canary"),
            RecoveryCode(profile_id=profile_id, digest=b"1"),
            PasskeyChallenge(digest=b"1", profile_id=profile_id, expires_at=now),
            MfaChallenge(digest=b"1", profile_id=profile_id, expires_at=now, **challenge),
        ]
    )


class TestLeftovers:
    @pytest.fixture
    async def gone(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        create_profile: Callable[..., Awaitable[Profile]],
        login: Login,
    ) -> tuple[Profile, dict[str, list[str]]]:
        """Somebody who is deleted, and what all tables held before."""
        profile = await create_profile(database, username="Canary_1", bio="A canary.", **NAMES_ALL)
        headers = await login(app, profile)
        await client.patch("/profiles/me", json={"website": "https://canary.example"}, headers=headers)
        async with database.transaction() as session:
            await fill(session, profile.id)
        before = await dump_tables(database)
        assert (await client.delete("/profiles/me", headers=headers)).status_code == 204
        return profile, before

    async def test_every_table_is_filled_or_explained(self, gone: tuple[Profile, dict[str, list[str]]]) -> None:
        _, before = gone
        empty = {name for name, rows in before.items() if not rows}
        assert empty - NOT_OF_PEOPLE.keys() - IDS_STAY.keys() - FORGETS_IN_A_WEEK == set()
        assert not (NOT_OF_PEOPLE.keys() | IDS_STAY.keys()) - before.keys(), "an explanation of a table that is none"

    async def test_nothing_personal_is_left(
        self, database: RolledBackDatabase, gone: tuple[Profile, dict[str, list[str]]]
    ) -> None:
        profile, before = gone
        held = {name for name, rows in before.items() if any(CANARY in row or str(profile.id) in row for row in rows)}
        assert {"profile", "account", "session", "avatar", "export_chunk", "idempotency_key"} <= held
        after = await dump_tables(database)
        for name in after.keys() - FORGETS_IN_A_WEEK:
            for row in after[name]:
                assert CANARY not in row, f"{name} remembers: {row}"
                assert str(profile.id) not in row or name in IDS_STAY, f"{name} remembers the id"

    async def test_others_stay(self, database: RolledBackDatabase, gone: tuple[Profile, dict[str, list[str]]]) -> None:
        _, before = gone
        assert before["client"]
        async with database.transaction() as session:
            assert await session.scalar(select(func.count()).select_from(Client)) == len(before["client"])


class TestExports:
    async def test_every_table_of_people_is_exported_or_explained(self, database: RolledBackDatabase) -> None:
        explained = EXPORTED.keys() | NOT_EXPORTED.keys() | NOT_OF_PEOPLE.keys() | IDS_STAY.keys() | FORGETS_IN_A_WEEK
        assert (await dump_tables(database)).keys() - explained == set()
        assert set(EXPORTED.values()) == {part.name for part in PARTS}

    async def test_every_table_that_refers_to_a_profile_goes_with_it(self, database: RolledBackDatabase) -> None:
        async with database.transaction() as session:
            kept = (await session.scalars(text(KEPT_BY_A_PROFILE))).all()
        assert kept == []
