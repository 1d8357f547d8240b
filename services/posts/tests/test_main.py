"""The app as a whole: it starts without its neighbours, and its reference is complete."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from chassis.config import ConfigError, load_config
from chassis.events.waker import FeedWaker
from posts.main import create_app

PUBLIC_OPERATIONS = {
    ("get", "/posts"),
    ("post", "/posts"),
    ("get", "/posts/{post_id}"),
    ("put", "/posts/{post_id}"),
    ("delete", "/posts/{post_id}"),
    ("put", "/posts/{post_id}/publication"),
    ("delete", "/posts/{post_id}/publication"),
    ("get", "/posts/{post_id}/reviews"),
    ("post", "/posts/{post_id}/reviews"),
    ("get", "/creators/{profile_id}/posts"),
    ("put", "/creators/{profile_id}/followers/me"),
    ("delete", "/creators/{profile_id}/followers/me"),
    ("get", "/users/{user_id}/posts/{post_id}"),
}
INTERNAL_OPERATIONS = {
    ("get", "/internal/events"),
    ("get", "/internal/jobs/due"),
    ("get", "/internal/export-parts"),
    ("get", "/internal/users/{user_id}/data"),
    ("post", "/internal/renderings/{rendering_id}/claim"),
    ("post", "/internal/renderings/{rendering_id}/result"),
    ("post", "/internal/renderings/{rendering_id}/failure"),
}


@pytest.fixture
def document() -> dict[str, Any]:
    return create_app().openapi()


def list_operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


class TestCreateApp:
    async def test_without_database_and_auth(self, create_client: Any) -> None:
        """It starts, says that it is not ready, and refuses what it cannot do."""
        app: FastAPI = create_app()
        async with app.router.lifespan_context(app):
            client: httpx.AsyncClient = create_client(app)
            live, ready, posts = [await client.get(path) for path in ("/livez", "/readyz", "/posts")]

            assert isinstance(app.state.feed_waker, FeedWaker)
        assert live.status_code == 200
        assert (ready.status_code, ready.json()["failing"]) == (503, ["database"])
        assert (posts.status_code, posts.json()["code"]) == (503, "service_unavailable")

    def test_missing_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AUTH_URL")
        load_config.cache_clear()

        with pytest.raises(ConfigError, match=r"^AUTH_URL is not set"):
            create_app()


class TestOpenapi:
    def test_operations(self, document: dict[str, Any]) -> None:
        operations = {(method, path) for method, path, _ in list_operations(document)}

        assert operations == PUBLIC_OPERATIONS | INTERNAL_OPERATIONS

    def test_all_are_described(self, document: dict[str, Any]) -> None:
        for method, path, operation in list_operations(document):
            assert operation["summary"], (method, path)
            assert operation["description"], (method, path)
            assert operation["tags"], (method, path)
            success = [status for status in operation["responses"] if status.startswith("2")]
            assert success, (method, path)

    def test_who_may_call(self, document: dict[str, Any]) -> None:
        """What may be called without a token is this, and nothing else."""
        open_to_all = {
            (method, path)
            for method, path, operation in list_operations(document)
            if {} in operation.get("security", [{}])
        }

        assert open_to_all == {
            ("get", "/posts"),
            ("get", "/posts/{post_id}"),
            ("get", "/posts/{post_id}/reviews"),
            ("get", "/creators/{profile_id}/posts"),
        }

    async def test_not_in_production(self, monkeypatch: pytest.MonkeyPatch, create_client: Any) -> None:
        monkeypatch.setenv("ENVIRONMENT", "production")
        monkeypatch.setenv("DATABASE_PASSWORD", "d7" * 20)
        load_config.cache_clear()
        client: httpx.AsyncClient = create_client(create_app())

        assert (await client.get("/docs")).status_code == 404
