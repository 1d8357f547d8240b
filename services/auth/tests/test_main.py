"""The app as a whole: it starts without its database, refuses what would be unsafe, and its reference is complete."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from auth.main import create_app
from chassis.config import ConfigError, load_config
from chassis.contracts.accounts import UserRegistered
from chassis.events.schemas import FeedPage

USER_OPERATIONS = {
    ("put", "/auth/password"),
    ("post", "/auth/email-changes"),
    ("get", "/profiles/me/audit"),
    ("get", "/admin/audit"),
    ("get", "/admin/users"),
    ("get", "/admin/users/{user_id}"),
    ("post", "/admin/users/{user_id}/ban"),
    ("post", "/admin/users/{user_id}/unban"),
    ("post", "/admin/users/{user_id}/deletion"),
    ("put", "/admin/users/{user_id}/creator"),
    ("delete", "/admin/users/{user_id}/sessions"),
    ("put", "/admin/users/{user_id}/roles"),
    ("post", "/admin/users/{user_id}/mfa-reset"),
    ("get", "/auth/mfa"),
    ("delete", "/auth/mfa/factors/{factor_id}"),
    ("post", "/auth/mfa/recovery-codes"),
    ("post", "/auth/mfa/totp"),
    ("put", "/auth/mfa/totp"),
    ("get", "/auth/passkeys"),
    ("post", "/auth/passkeys"),
    ("patch", "/auth/passkeys/{passkey_id}"),
    ("delete", "/auth/passkeys/{passkey_id}"),
    ("post", "/auth/passkeys/registration/options"),
    ("get", "/auth/sessions"),
    ("patch", "/auth/sessions/{session_id}"),
    ("delete", "/auth/sessions/{session_id}"),
    ("delete", "/auth/sessions"),
    ("post", "/auth/step-up"),
    ("get", "/profiles/me"),
    ("patch", "/profiles/me"),
    ("delete", "/profiles/me"),
    ("get", "/auth/exports"),
    ("post", "/auth/exports"),
    ("get", "/auth/exports/{export_id}/archive"),
    ("get", "/profiles/me/avatar"),
    ("put", "/profiles/me/avatar"),
    ("delete", "/profiles/me/avatar"),
    ("put", "/creators/{profile_id}"),
    ("get", "/admin/clients"),
    ("post", "/admin/clients"),
    ("get", "/admin/clients/{client_id}"),
    ("put", "/admin/clients/{client_id}"),
    ("delete", "/admin/clients/{client_id}"),
    ("post", "/admin/clients/{client_id}/secret"),
    ("get", "/auth/consents"),
    ("delete", "/auth/consents/{client_id}"),
}
INTERNAL_OPERATIONS = {
    ("get", "/internal/events"),
    ("get", "/internal/confirmations/{confirmation_id}"),
    ("get", "/internal/jobs/due"),
    ("post", "/internal/avatars/{avatar_id}/claim"),
    ("post", "/internal/avatars/{avatar_id}/result"),
    ("post", "/internal/avatars/{avatar_id}/failure"),
    ("post", "/internal/exports/{export_id}/claim"),
    ("post", "/internal/exports/{export_id}/chunks"),
    ("post", "/internal/exports/{export_id}/result"),
    ("post", "/internal/exports/{export_id}/failure"),
    ("get", "/internal/export-parts"),
    ("get", "/internal/users/{user_id}/data"),
}
OPEN_OPERATIONS = {
    ("post", "/profiles"),
    ("get", "/profiles/{profile_id}"),
    ("get", "/profiles/by-username/{username}"),
    ("get", "/profiles/{profile_id}/avatars/{avatar_id}"),
    ("post", "/profiles/confirmations"),
    ("post", "/auth/confirmation-mails"),
    ("post", "/auth/password-resets"),
    ("put", "/auth/password-resets"),
    ("get", "/auth/password-reset"),
    ("post", "/auth/password-reset"),
    ("put", "/auth/email-changes"),
    ("get", "/auth/email-change"),
    ("post", "/auth/email-change"),
    ("get", "/auth/confirmation"),
    ("post", "/auth/confirmation"),
    ("get", "/creators/{profile_id}"),
    ("post", "/auth/passkeys/authentication/options"),
    ("post", "/auth/token"),
    ("post", "/auth/logout"),
    ("get", "/auth/authorize"),
    ("post", "/auth/authorize"),
    ("post", "/auth/introspect"),
    ("post", "/auth/revoke"),
    ("get", "/.well-known/oauth-authorization-server"),
    ("get", "/.well-known/jwks.json"),
}
INPUT_SCHEMAS = (
    "ProfileCreate",
    "ProfileUpdate",
    "SessionUpdate",
    "MailRequest",
    "PasswordReset",
    "ResetForm",
    "PasswordChange",
    "EmailChange",
    "LinkUse",
    "CreatorUpdate",
    "ConfirmationUse",
    "ConfirmationForm",
    "TokenForm",
    "PasskeyCreate",
    "PasskeyUpdate",
    "RegistrationInput",
    "AssertionInput",
    "AssertionAnswerInput",
    "AttestationInput",
    "StepUp",
    "StepForm",
    "TokenQuestion",
    "AppCreate",
    "AppUpdate",
)


@pytest.fixture
def document() -> dict[str, Any]:
    return create_app().openapi()


def list_operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def set_production(monkeypatch: pytest.MonkeyPatch, **changes: str) -> None:
    secrets = {"DATABASE_PASSWORD": "d7" * 20, "CONFIRMATION_SECRET": "c7" * 20}
    for name, value in {"ENVIRONMENT": "production", **secrets, **changes}.items():
        monkeypatch.setenv(name, value)
    load_config.cache_clear()


class TestCreateApp:
    async def test_without_database(self, create_client: Callable[[FastAPI], httpx.AsyncClient]) -> None:
        """It starts, says that it is not ready, and refuses what it cannot do."""
        app = create_app()
        async with app.router.lifespan_context(app):
            client = create_client(app)
            live, ready, keys = [await client.get(path) for path in ("/livez", "/readyz", "/.well-known/jwks.json")]
        assert live.status_code == 200
        assert (ready.status_code, ready.json()["failing"]) == (503, ["database", "signing_key"])
        assert (keys.status_code, keys.json()["code"]) == (503, "service_unavailable")

    @pytest.mark.parametrize("name", ["KEYS_ENCRYPTION_KEY", "CONFIRMATION_SECRET", "DATABASE_HOST"])
    def test_missing_variable(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.delenv(name)
        load_config.cache_clear()
        with pytest.raises(ConfigError, match=f"^{name} is not set"):
            create_app()

    def test_placeholder_in_production(self, monkeypatch: pytest.MonkeyPatch) -> None:
        set_production(monkeypatch, CONFIRMATION_SECRET="change-me-" * 5)
        with pytest.raises(ConfigError, match="CONFIRMATION_SECRET is a placeholder"):
            create_app()

    @pytest.mark.parametrize("url", ["broadsheet.example", "https://broadsheet.example/api", ""])
    def test_public_url_of_another_shape(self, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        monkeypatch.setenv("PUBLIC_URL", url)
        with pytest.raises(ConfigError, match="PUBLIC_URL"):
            create_app()

    async def test_no_reference_in_production(
        self, monkeypatch: pytest.MonkeyPatch, create_client: Callable[[FastAPI], httpx.AsyncClient]
    ) -> None:
        set_production(monkeypatch)
        client = create_client(create_app())
        for path in ("/docs", "/docs/", "/docs/openapi.json", "/openapi.json"):
            assert (await client.get(path)).status_code == 404


class TestOpenapi:
    def test_operations(self, document: dict[str, Any]) -> None:
        operations = {(method, path) for method, path, _ in list_operations(document)}
        assert operations == USER_OPERATIONS | INTERNAL_OPERATIONS | OPEN_OPERATIONS

    def test_who_may_call(self, document: dict[str, Any]) -> None:
        schemes = {
            (method, path): [name for option in operation.get("security", []) for name in option]
            for method, path, operation in list_operations(document)
        }
        assert {place for place, names in schemes.items() if names == ["userToken"]} == USER_OPERATIONS
        assert {place for place, names in schemes.items() if names == ["serviceToken"]} == INTERNAL_OPERATIONS

    def test_all_are_described(self, document: dict[str, Any]) -> None:
        for method, path, operation in list_operations(document):
            assert operation["summary"], (method, path)
            assert operation["description"], (method, path)
            assert operation["tags"], (method, path)

    def test_input_is_bounded(self, document: dict[str, Any]) -> None:
        inputs = {name: document["components"]["schemas"][name] for name in INPUT_SCHEMAS}
        inputs["parameters"] = [operation.get("parameters") for *_, operation in list_operations(document)]
        assert [place for place, schema in walk_schemas(inputs) if not is_bounded(schema)] == []


def walk_schemas(node: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        if isinstance(node.get("type"), str):
            yield place, node
        for name, child in node.items():
            yield from walk_schemas(child, f"{place}/{name}")
    elif isinstance(node, list):
        for number, child in enumerate(node):
            yield from walk_schemas(child, f"{place}/{number}")


def is_bounded(schema: dict[str, Any]) -> bool:
    if schema["type"] == "string":
        return bool({"maxLength", "format", "enum", "const", "pattern"} & schema.keys())
    return schema["type"] != "array" or "maxItems" in schema


class TestListEvents:
    """`GET /internal/events`: what other services learn from this one."""

    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/internal/events")).status_code == 401

    async def test_forbidden(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        act_as_service: Callable[[FastAPI, str, str], Awaitable[dict[str, str]]],
    ) -> None:
        headers = await act_as_service(app, "worker", "jobs:work")
        assert (await client.get("/internal/events", headers=headers)).status_code == 403

    async def test_valid(
        self,
        committed_app: FastAPI,
        committed_client: httpx.AsyncClient,
        sign_up_form: dict[str, str],
        act_as_service: Callable[[FastAPI, str, str], Awaitable[dict[str, str]]],
    ) -> None:
        profile = (await committed_client.post("/profiles", json=sign_up_form)).json()
        headers = await act_as_service(committed_app, "notifications", "events:read")
        response = await committed_client.get("/internal/events", headers=headers)
        [envelope] = FeedPage.model_validate_json(response.content).items
        event = UserRegistered.model_validate(envelope.payload)
        assert (envelope.type, str(event.user_id), event.email) == ("user.registered", profile["id"], profile["email"])
        assert sign_up_form["password"] not in response.text
