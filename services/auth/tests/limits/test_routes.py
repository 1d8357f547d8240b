"""No route that takes credentials, or sends mail to whom somebody names, is without a limit."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from auth.limits.dependencies import get_rate_limiter
from auth.main import create_app

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
BEHIND_TOKENS = ("/internal/", "/admin/")
WITHOUT = {
    "/auth/logout": "ends what the caller has",
    "/auth/sessions/{session_id}": "needs a token",
    "/auth/sessions": "needs a token",
    "/auth/consents/{client_id}": "needs a token",
    "/profiles/me": "once, after a fresh login",
    "/profiles/me/avatar": "to do without one needs a token; an upload is limited",
    "/auth/passkeys/{passkey_id}": "needs a token",
    "/auth/mfa/factors/{factor_id}": "needs a fresh login with all factors",
    "/auth/mfa/recovery-codes": "needs a fresh login with all factors",
    "/auth/mfa/totp": "to begin needs a fresh login with all factors; a first code is limited",
    "/creators/{profile_id}": "needs a token",
}
"""Routes that change something and take nothing that could be guessed, with why."""


def list_calls(dependant: Dependant) -> Iterator[Any]:
    for dependency in dependant.dependencies:
        yield dependency.call
        yield from list_calls(dependency)


def list_routes(app: FastAPI) -> list[APIRoute]:
    routes = [context.route for context in iter_route_contexts(app.routes)]
    return [route for route in routes if isinstance(route, APIRoute)]


@pytest.fixture
def routes() -> list[APIRoute]:
    return list_routes(create_app())


class TestLimits:
    def test_every_changing_route_has_one_or_a_reason(self, routes: list[APIRoute]) -> None:
        assert len(routes) > 10
        missing = [
            route.path
            for route in routes
            if CHANGING & set(route.methods or ()) and get_rate_limiter not in set(list_calls(route.dependant))
        ]
        open_paths = {path for path in missing if not path.startswith(BEHIND_TOKENS)}
        assert sorted(open_paths - WITHOUT.keys()) == []

    def test_every_refusal_is_declared(self, routes: list[APIRoute]) -> None:
        silent = [
            route.path
            for route in routes
            if get_rate_limiter in set(list_calls(route.dependant)) and 429 not in route.responses
        ]
        assert silent == []

    def test_limits_by_address_come_first(self, routes: list[APIRoute]) -> None:
        """Before a password is hashed, and before anything is read."""
        for route in routes:
            calls = [getattr(item.call, "__qualname__", "") for item in route.dependant.dependencies]
            places = [index for index, name in enumerate(calls) if name.startswith("limit_by_address")]
            assert places in ([], [0]), route.path
