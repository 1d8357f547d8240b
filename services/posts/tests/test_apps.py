"""Apps of others: each opens what its scopes say, and nothing else."""

import re
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chassis.testing.tokens import TokenSigner
from posts.main import create_app

OPEN = {
    ("get", "/posts/{post_id}"): "posts:read",
    ("get", "/users/{user_id}/posts/{post_id}"): "posts:read",
    ("post", "/posts"): "posts:write",
    ("put", "/posts/{post_id}"): "posts:write",
    ("delete", "/posts/{post_id}"): "posts:write",
    ("put", "/posts/{post_id}/publication"): "posts:write",
    ("delete", "/posts/{post_id}/publication"): "posts:write",
    ("post", "/posts/{post_id}/reviews"): "reviews:write",
    ("put", "/creators/{profile_id}/followers/me"): "follows:write",
    ("delete", "/creators/{profile_id}/followers/me"): "follows:write",
}
"""The scope that opens each route which asks who calls. A new one is here, or closed to them."""
SCOPES = set(OPEN.values())
Act = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def act(client: httpx.AsyncClient, signer: TokenSigner) -> Act:
    async def call(place: tuple[str, str], scopes: set[str]) -> httpx.Response:
        token = signer.issue_user_token(uuid4(), scopes=scopes, claims={"client_id": str(uuid4())})
        method, path = place
        url = re.sub(r"\{\w+\}", str(uuid4()), path)
        return await client.request(method, url, json={}, headers={"Authorization": f"Bearer {token}"})

    return call


class TestAppOfSomebodyElse:
    def test_every_route_is_here(self) -> None:
        paths: dict[str, Any] = create_app().openapi()["paths"]
        places = {
            (method, path)
            for path, operations in paths.items()
            for method, operation in operations.items()
            if {"userToken": []} in operation.get("security", [])
        }
        assert places == OPEN.keys()

    @pytest.mark.parametrize("place", OPEN)
    async def test_forbidden(self, act: Act, place: tuple[str, str]) -> None:
        answer = await act(place, SCOPES - {OPEN[place]})
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")

    @pytest.mark.parametrize("place", OPEN)
    async def test_valid(self, act: Act, place: tuple[str, str]) -> None:
        """What stands in its way then is something else."""
        answer = await act(place, {OPEN[place]})
        assert answer.status_code != 401
        assert "insufficient_scope" not in answer.text
