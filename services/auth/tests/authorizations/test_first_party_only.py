"""An app of somebody else opens what its scopes say, and nothing else: whoever adds a route has closed it to them."""

import re
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from auth.accounts.constants import ROLE_SCOPES, Role
from auth.clients.constants import DELEGABLE_SCOPES
from auth.main import create_app
from auth.profiles.models import Profile

OPEN = {
    ("get", "/profiles/me"): "profile:read",
    ("get", "/profiles/me/avatar"): "profile:read",
    ("patch", "/profiles/me"): "profile:write",
    ("put", "/profiles/me/avatar"): "profile:write",
    ("delete", "/profiles/me/avatar"): "profile:write",
}
OTHER_ID = "01890000-0000-7000-8000-000000000000"
LOGOUT = ("post", "/auth/logout")
Headers = dict[str, str]


@pytest.fixture
def user_operations() -> list[tuple[str, str]]:
    return sorted(
        (method, path)
        for path, operations in create_app().openapi()["paths"].items()
        for method, operation in operations.items()
        if {"userToken": []} in operation.get("security", [])
    )


@pytest.fixture
def act(
    app: FastAPI, client: httpx.AsyncClient, profile: Profile, login: Callable[..., Awaitable[Headers]]
) -> Callable[..., Awaitable[httpx.Response]]:
    async def call(method: str, path: str, scopes: Any) -> httpx.Response:
        headers = await login(app, profile, client_id=OTHER_ID, scope=" ".join(sorted(scopes)))
        return await client.request(method, re.sub(r"\{\w+\}", str(uuid4()), path), headers=headers)

    return call


class TestAppOfSomebodyElse:
    async def test_closed_whatever_its_scopes(
        self, act: Any, user_operations: list[tuple[str, str]], subtests: pytest.Subtests
    ) -> None:
        """Also of somebody of our staff, and with a scope that nobody can let it have."""
        scopes = DELEGABLE_SCOPES | ROLE_SCOPES[Role.ADMIN]
        closed = [place for place in user_operations if place not in OPEN and not place[1].startswith("/admin")]
        assert len(closed) > 10
        for method, path in [*closed, LOGOUT]:
            with subtests.test(path, method=method):
                answer = await act(method, path, scopes)
                assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")

    async def test_staff_routes_are_closed(
        self, act: Any, user_operations: list[tuple[str, str]], subtests: pytest.Subtests
    ) -> None:
        admin = [place for place in user_operations if place[1].startswith("/admin")]
        assert len(admin) > 10
        for method, path in admin:
            with subtests.test(path, method=method):
                assert (await act(method, path, DELEGABLE_SCOPES)).status_code == 403

    @pytest.mark.parametrize(("place", "scope"), OPEN.items())
    async def test_opened_by_one_scope_alone(self, act: Any, place: tuple[str, str], scope: str) -> None:
        assert (await act(*place, {scope})).status_code not in {401, 403}
        assert (await act(*place, DELEGABLE_SCOPES - {scope})).status_code == 403

    def test_scopes_of_staff_cannot_be_delegated(self) -> None:
        assert DELEGABLE_SCOPES.isdisjoint(frozenset().union(*ROLE_SCOPES.values()))
