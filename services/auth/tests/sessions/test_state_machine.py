"""Sessions under any order of logins, refreshes, repeats, thefts, logouts and bans, beside a model of them."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select, update

from auth.accounts.exceptions import AccountChangedError
from auth.accounts.models import Account
from auth.profiles.models import Profile
from auth.sessions.constants import EndReason
from auth.sessions.models import LoginSession, RefreshToken, SessionRevocation
from auth.sessions.service import OpenSession, end_sessions
from chassis.database.engine import Database

ResultT = TypeVar("ResultT")
CreateProfile = Callable[..., Awaitable[Profile]]


@dataclass
class Family:
    """What the model knows of one session: its refresh tokens, the newest last."""

    session_id: UUID
    tokens: list[str] = field(default_factory=list)
    is_over: bool = False
    grace_is_over: int = 0
    """So many of its tokens were used longer ago than the grace."""


@dataclass
class World:
    """The app under test, reached from the machine's thread."""

    loop: asyncio.AbstractEventLoop
    client: httpx.AsyncClient
    database: Database
    app: FastAPI
    create_profile: CreateProfile
    open_session: Callable[..., Awaitable[OpenSession]]

    def run(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    async def refresh(self, token: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        return await self.client.post("/auth/token", data=form)

    async def logout(self, token: str) -> httpx.Response:
        headers = {"Cookie": f"__Host-refresh_token={token}", "Sec-Fetch-Site": "same-origin"}
        return await self.client.post("/auth/logout", headers=headers)

    async def set_ban(self, profile: Profile, *, is_banned: bool) -> None:
        async with self.database.transaction() as session:
            banned_at = func.now() if is_banned else None
            await session.execute(update(Account).filter_by(profile_id=profile.id).values(banned_at=banned_at))
            if is_banned:
                await end_sessions(session, EndReason.BANNED, profile_id=profile.id)

    async def let_grace_pass(self, profile: Profile) -> None:
        ids = select(LoginSession.id).filter_by(profile_id=profile.id)
        async with self.database.transaction() as session:
            past = RefreshToken.used_at - timedelta(seconds=11)
            await session.execute(update(RefreshToken).where(RefreshToken.session_id.in_(ids)).values(used_at=past))

    async def read_sessions(self, profile: Profile) -> tuple[set[UUID], set[UUID]]:
        """Which are open, and which all services are told to refuse."""
        async with self.database.transaction() as session:
            mine = select(LoginSession.id).filter_by(profile_id=profile.id)
            is_open = set(await session.scalars(mine.where(LoginSession.revoked_at.is_(None))))
            told = select(SessionRevocation.session_id).where(SessionRevocation.session_id.in_(mine))
            return is_open, set(await session.scalars(told))


class SessionMachine(RuleBasedStateMachine):
    world: ClassVar[World]
    families = Bundle("families")

    def __init__(self) -> None:
        super().__init__()
        self.profile = self.world.run(_create_profile(self.world))
        self.is_banned = False
        self.all: list[Family] = []

    @rule(target=families)
    def log_in(self) -> Family:
        if self.is_banned:
            with pytest.raises(AccountChangedError):
                self.world.run(_open_session(self.world, self.profile))
            return Family(self.profile.id, ["A" * 43], is_over=True)
        opened = self.world.run(_open_session(self.world, self.profile))
        family = Family(opened.id, [opened.refresh_token])
        self.all.append(family)
        return family

    @rule(family=families)
    def refresh(self, family: Family) -> None:
        answer = self.world.run(self.world.refresh(family.tokens[-1]))
        if family.is_over:
            assert answer.status_code != 200
        else:
            assert answer.status_code == 200, answer.text
            assert answer.json()["refresh_token"] not in family.tokens
            family.tokens.append(answer.json()["refresh_token"])

    @rule(family=families, number=st.integers(0, 10))
    def repeat(self, family: Family, number: int) -> None:
        """A token that was used: by who lost the answer, or, later, by a thief."""
        used = family.tokens[:-1]
        if not used:
            return
        place = number % len(used)
        answer = self.world.run(self.world.refresh(used[place]))
        if family.is_over:
            assert answer.status_code != 200
        elif place < family.grace_is_over:
            assert answer.status_code != 200
            family.is_over = True
        else:
            assert answer.json()["refresh_token"] == family.tokens[-1]

    @rule()
    def let_grace_pass(self) -> None:
        self.world.run(self.world.let_grace_pass(self.profile))
        for family in self.all:
            family.grace_is_over = len(family.tokens) - 1

    @rule(family=families)
    def log_out(self, family: Family) -> None:
        assert self.world.run(self.world.logout(family.tokens[0])).status_code == 204
        family.is_over = True

    @rule(is_banned=st.booleans())
    def ban(self, is_banned: bool) -> None:
        self.world.run(self.world.set_ban(self.profile, is_banned=is_banned))
        self.is_banned = is_banned
        for family in self.all:
            family.is_over |= is_banned

    @invariant()
    def holds(self) -> None:
        is_open, told = self.world.run(self.world.read_sessions(self.profile))
        assert is_open == {family.session_id for family in self.all if not family.is_over}
        assert told == {family.session_id for family in self.all if family.is_over}


async def _create_profile(world: World) -> Profile:
    return await world.create_profile(world.database)


async def _open_session(world: World, profile: Profile) -> OpenSession:
    return await world.open_session(world.app, profile)


@pytest.mark.timeout(120)
async def test_any_order(
    committed_app: FastAPI,
    committed_client: httpx.AsyncClient,
    committed_database: Database,
    create_profile: CreateProfile,
    open_session: Callable[..., Awaitable[OpenSession]],
) -> None:
    loop = asyncio.get_running_loop()
    world = World(loop, committed_client, committed_database, committed_app, create_profile, open_session)
    few = settings(max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
    await asyncio.to_thread(
        run_state_machine_as_test, type("Machine", (SessionMachine,), {"world": world}), settings=few
    )
