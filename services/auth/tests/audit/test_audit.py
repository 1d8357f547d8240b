"""The audit log: only growing, chained, and shown to whom it concerns."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from auth.audit.constants import GENESIS, AuditAction
from auth.audit.models import AuditEntry, AuditLink
from auth.audit.service import count_strays, record, verify_chain
from auth.audit.utils import CanonicalEntry, compute_link
from auth.background import chain_audit
from auth.profiles.models import Profile
from chassis.database.engine import Database
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements

Login = Callable[..., Awaitable[dict[str, str]]]
CreateProfile = Callable[..., Awaitable[Profile]]
STAFF = {"scope": "audit:read users:read"}


THIRD = "id = (SELECT entry_id FROM audit_link WHERE number = 3)"
SWAP = """
UPDATE audit_link SET number = CASE number WHEN 2 THEN -3 ELSE -2 END WHERE number IN (2, 3);
UPDATE audit_link SET number = -number WHERE number < 0;
"""
TAMPERINGS = {
    "edited": (f"UPDATE audit_entry SET details = '{{}}', address = '::/48' WHERE {THIRD}", 3),  # noqa: S608
    "moved in time": (f"UPDATE audit_entry SET created_at = created_at - interval '1 s' WHERE {THIRD}", 3),  # noqa: S608
    "removed": ("DELETE FROM audit_link WHERE number = 4", 4),
    "forged": ("UPDATE audit_link SET hash = '\\x00' WHERE number = 1", 1),
    "swapped": (SWAP, 2),
}
"""What somebody with all rights does to six links, and the first that does not hold any more."""


async def write(database: Database, *actions: AuditAction, **fields: Any) -> None:
    for action in actions:
        async with database.transaction() as session:
            await record(session, action, **({"subject_id": uuid4()} | fields))


async def count_links(database: Database) -> int:
    async with database.transaction() as session:
        return (await session.scalars(select(func.count()).select_from(AuditLink))).one()


class TestRecord:
    async def test_goes_with_a_transaction_that_fails(self, database: RolledBackDatabase) -> None:
        async with database.sessions() as session:
            await record(session, AuditAction.LOGIN_FAILED, subject_id=None)
            await session.rollback()
        async with database.transaction() as session:
            assert (await session.scalars(select(AuditEntry))).all() == []

    @pytest.mark.parametrize("table", ["audit_entry", "audit_link"])
    @pytest.mark.parametrize(
        "statement", ["UPDATE {} SET hash = '', action = ''", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
    )
    async def test_nothing_can_be_taken_back(self, committed_database: Database, table: str, statement: str) -> None:
        await write(committed_database, AuditAction.USER_BANNED)
        await chain_audit(committed_database)
        column = "action" if table == "audit_entry" else "hash"
        sql = statement.format(table).replace("hash = '', action = ''", f"{column} = {column}")
        with pytest.raises(DBAPIError, match="only grows"):
            async with committed_database.transaction() as session:
                await session.execute(text(sql))
        assert await count_links(committed_database) == 1


class TestChain:
    async def test_valid(self, committed_database: Database) -> None:
        await write(committed_database, *AuditAction)
        await chain_audit(committed_database)
        await chain_audit(committed_database)
        assert await verify_chain(committed_database) == (len(AuditAction), None)

    async def test_late_commit_is_not_skipped(self, committed_database: Database) -> None:
        """An entry of a transaction that began early and ends late comes into the chain all the same."""
        async with committed_database.transaction() as slow:
            await record(slow, AuditAction.PASSWORD_RESET, subject_id=None)
            await write(committed_database, AuditAction.LOGIN_SUCCEEDED, AuditAction.LOGIN_FAILED)
            await chain_audit(committed_database)
            assert await count_links(committed_database) == 0
        await chain_audit(committed_database)
        assert await verify_chain(committed_database) == (3, None)

    async def test_several_at_once_link_once(self, committed_database: Database) -> None:
        await write(committed_database, *[AuditAction.LOGIN_SUCCEEDED] * 20)
        await asyncio.gather(*(chain_audit(committed_database) for _ in range(5)))
        assert await verify_chain(committed_database) == (20, None)

    @pytest.mark.parametrize(("tampering", "first_broken"), TAMPERINGS.values(), ids=TAMPERINGS.keys())
    async def test_what_a_superuser_does_is_found(
        self, committed_database: Database, tampering: str, first_broken: int
    ) -> None:
        await write(committed_database, *[AuditAction.USER_BANNED] * 6)
        await chain_audit(committed_database)
        connection = await committed_database.connect()
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(tampering)
        await connection.close()
        assert await verify_chain(committed_database) == (first_broken - 1, first_broken)

    async def test_entry_that_is_put_in_later_is_found(self, committed_database: Database) -> None:
        await write(committed_database, *[AuditAction.USER_BANNED] * 3)
        await chain_audit(committed_database)
        await write(committed_database, AuditAction.USER_BANNED)
        assert await count_strays(committed_database) == 0  # it only waits for its link
        connection = await committed_database.connect()
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("UPDATE audit_entry SET xid = '3' WHERE id NOT IN (SELECT entry_id FROM audit_link)")
        await connection.close()
        await chain_audit(committed_database)
        assert await count_strays(committed_database) == 1


members = st.fixed_dictionaries(
    {
        "entry_id": st.uuids(),
        "action": st.sampled_from(list(AuditAction)),
        "subject_id": st.none() | st.uuids(),
        "actor_id": st.none() | st.uuids(),
        "address": st.none() | st.text(max_size=20),
        "details": st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
        "created_at": st.datetimes(timezones=st.just(UTC)),
    }
)


class TestComputeLink:
    @given(st.lists(members, min_size=1, max_size=6), st.data())
    def test_any_change_changes_the_head(self, entries: list[dict[str, Any]], data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(entries) - 1))
        name = data.draw(st.sampled_from(sorted(entries[place])))
        other = data.draw(members)[name]
        changed = [*entries[:place], entries[place] | {name: other}, *entries[place + 1 :]]
        assert (self.compute_head(entries) == self.compute_head(changed)) == (entries[place][name] == other)

    @staticmethod
    def compute_head(entries: list[dict[str, Any]]) -> bytes:
        head = GENESIS
        for entry in entries:
            head = compute_link(head, CanonicalEntry(**entry))
        return head


class TestOwnAudit:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/profiles/me/audit")).status_code == 401

    async def test_valid(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        create_profile: CreateProfile,
        login: Login,
    ) -> None:
        profile, staff = await create_profile(database), uuid4()
        headers = await login(app, profile)
        network = {"address": "203.0.113.0/24"}
        await write(
            database, AuditAction.PASSWORD_CHANGED, subject_id=profile.id, details={"device": "Firefox"}, **network
        )
        await write(database, AuditAction.SESSIONS_ENDED, subject_id=profile.id, actor_id=staff, **network)
        await write(database, AuditAction.PASSWORD_CHANGED)
        with record_statements(database) as statements:
            response = await client.get("/profiles/me/audit", headers=headers)
        assert len(statements) == 1
        seen = [
            (item["action"], item["by_staff"], item["address"], item["device"]) for item in response.json()["items"]
        ]
        assert ("password_changed", False, "203.0.113.0/24", "Firefox") in seen
        assert ("sessions_ended", True, None, None) in seen
        assert len(seen) == 2
        assert str(staff) not in response.text


class TestAudit:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/admin/audit")).status_code == 401

    async def test_forbidden(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        create_profile: CreateProfile,
        login: Login,
    ) -> None:
        response = await client.get("/admin/audit", headers=await login(app, await create_profile(database)))
        assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")

    async def test_valid(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        create_profile: CreateProfile,
        login: Login,
    ) -> None:
        headers = await login(app, await create_profile(database), **STAFF)
        subject, actor = uuid4(), uuid4()
        await write(database, AuditAction.USER_BANNED, subject_id=subject, actor_id=actor, details={"reason": "spam"})
        await write(database, AuditAction.USER_UNBANNED, subject_id=subject)
        await write(database, AuditAction.USER_BANNED)
        soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()

        async def find(**filters: object) -> list[str]:
            params = {name: str(value) for name, value in filters.items()}
            response = await client.get("/admin/audit", params=params, headers=headers)
            return sorted(item["action"] for item in response.json()["items"])

        assert await find(subject_id=subject) == ["user_banned", "user_unbanned"]
        assert await find(actor_id=actor) == ["user_banned"]
        assert await find(action="user_banned", subject_id=subject) == ["user_banned"]
        assert await find(action="user_banned") == ["user_banned"] * 2
        assert await find(since=soon) == []
        assert len(await find(until=soon)) == 3

    async def test_cursor_of_another_filter(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        create_profile: CreateProfile,
        login: Login,
    ) -> None:
        headers = await login(app, await create_profile(database), **STAFF)
        await write(database, *[AuditAction.USER_BANNED] * 3)
        first = await client.get("/admin/audit?limit=1", headers=headers)
        params = {"cursor": first.json()["next_cursor"], "action": "user_banned"}
        assert (await client.get("/admin/audit", params=params, headers=headers)).json()["code"] == "cursor_invalid"
