import time
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from chassis.security.dependencies import require_service_scope
from chassis.security.verifier import TokenVerifier
from chassis.testing.tokens import TokenSigner


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class TestParseJwtData:
    @pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer  ", "Basic dXNlcjpwYXNz", "token abc"])
    async def test_anonymous(self, client: httpx.AsyncClient, header: str | None) -> None:
        response = await client.get("/me", headers={} if header is None else {"Authorization": header})

        assert response.status_code == 401
        assert response.json()["code"] == "token_missing"
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert response.headers["Content-Type"] == "application/problem+json"

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    async def test_valid(self, client: httpx.AsyncClient, signer: TokenSigner, user_id: UUID, scheme: str) -> None:
        token = signer.issue_user_token(user_id, scopes=["a:b"])

        response = await client.get("/me", headers={"Authorization": f"{scheme} {token}"})

        assert response.status_code == 200
        assert response.json()["user_id"] == str(user_id)
        assert response.json()["scopes"] == ["a:b"]

    async def test_token_of_a_service(self, client: httpx.AsyncClient, signer: TokenSigner) -> None:
        response = await client.get("/me", headers=bearer(signer.issue_service_token("fleet", ["ships:read"])))

        assert response.status_code == 401

    async def test_runs_once_in_a_request(
        self,
        client: httpx.AsyncClient,
        signer: TokenSigner,
        user_id: UUID,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        calls: list[str] = []
        verify = TokenVerifier.verify_user_token

        async def count(self: TokenVerifier, token: str) -> object:
            calls.append(token)
            return await verify(self, token)

        monkeypatch.setattr(TokenVerifier, "verify_user_token", count)

        response = await client.get("/chained", headers=bearer(signer.issue_user_token(user_id)))

        assert response.json() == str(user_id)
        assert len(calls) == 1


class TestParseOptionalJwtData:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/anyone")

        assert (response.status_code, response.json()) == (200, None)

    async def test_valid(self, client: httpx.AsyncClient, signer: TokenSigner, user_id: UUID) -> None:
        response = await client.get("/anyone", headers=bearer(signer.issue_user_token(user_id)))

        assert response.json()["user_id"] == str(user_id)

    async def test_invalid_is_not_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/anyone", headers=bearer("forged"))).status_code == 401


class TestAllowScope:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/letters")

        assert (response.status_code, response.json()) == (200, None)

    @pytest.mark.parametrize(
        ("client_id", "scopes"), [("broadsheet", []), ("broadsheet", ["letters:read"]), ("reader", ["letters:read"])]
    )
    async def test_valid(
        self, client: httpx.AsyncClient, signer: TokenSigner, user_id: UUID, client_id: str, scopes: list[str]
    ) -> None:
        token = signer.issue_user_token(user_id, scopes=scopes, claims={"client_id": client_id})

        response = await client.get("/letters", headers=bearer(token))

        assert response.json()["user_id"] == str(user_id)

    async def test_forbidden(self, client: httpx.AsyncClient, signer: TokenSigner, user_id: UUID) -> None:
        token = signer.issue_user_token(user_id, scopes=["letters:write"], claims={"client_id": "reader"})

        response = await client.get("/letters", headers=bearer(token))

        assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")


class TestRequireServiceScope:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/internal/ships")

        assert (response.status_code, response.json()["code"]) == (401, "token_missing")

    async def test_token_of_a_person(self, client: httpx.AsyncClient, signer: TokenSigner, user_id: UUID) -> None:
        """Scopes do not help: a person is no service."""
        token = signer.issue_user_token(user_id, scopes=["ships:read"])

        assert (await client.get("/internal/ships", headers=bearer(token))).status_code == 401

    @pytest.mark.parametrize("scopes", [[], ["ships:write"], ["ships:read-all"], ["SHIPS:READ"]])
    async def test_forbidden(self, client: httpx.AsyncClient, signer: TokenSigner, scopes: list[str]) -> None:
        response = await client.get("/internal/ships", headers=bearer(signer.issue_service_token("fleet", scopes)))

        assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")
        assert response.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="ships:read"'

    async def test_valid(self, client: httpx.AsyncClient, signer: TokenSigner) -> None:
        token = signer.issue_service_token("fleet", ["ships:read", "ships:write"])

        response = await client.get("/internal/ships", headers=bearer(token))

        assert response.status_code == 200
        assert response.json()["client_id"] == "fleet"

    def test_same_scope_is_the_same_dependency(self) -> None:
        assert require_service_scope("ships:read") is require_service_scope("ships:read")
        assert require_service_scope("ships:read") is not require_service_scope("ships:write")


class TestOpenapi:
    def test_schemes(self, app: FastAPI) -> None:
        document = app.openapi()

        assert document["components"]["securitySchemes"] == {
            "userToken": {
                "type": "oauth2",
                "flows": {"password": {"scopes": {}, "tokenUrl": "/api/v1/auth/token"}},
            },
            "serviceToken": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "A token of a service, by client credentials.",
            },
        }

    @pytest.mark.parametrize(
        ("path", "security"),
        [
            ("/me", [{"userToken": []}]),
            ("/chained", [{"userToken": []}]),
            ("/anyone", [{"userToken": []}, {}]),
            ("/internal/ships", [{"serviceToken": []}]),
        ],
    )
    def test_each_route_says_whom_it_wants(self, app: FastAPI, path: str, security: list[dict[str, list[str]]]) -> None:
        assert app.openapi()["paths"][path]["get"]["security"] == security


class TestRequireScope:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        response = await client.post("/letters")
        assert (response.status_code, response.json()["code"]) == (401, "token_missing")

    @pytest.mark.parametrize("client_id", ["broadsheet", "reader"])
    async def test_valid(self, client: httpx.AsyncClient, signer: TokenSigner, user_id: UUID, client_id: str) -> None:
        token = signer.issue_user_token(user_id, scopes=["letters:write"], claims={"client_id": client_id})
        response = await client.post("/letters", headers=bearer(token))
        assert (response.status_code, response.json()) == (200, str(user_id))

    @pytest.mark.parametrize("client_id", ["broadsheet", "reader"])
    async def test_forbidden(
        self, client: httpx.AsyncClient, signer: TokenSigner, user_id: UUID, client_id: str
    ) -> None:
        token = signer.issue_user_token(user_id, scopes=["letters:read"], claims={"client_id": client_id})
        response = await client.post("/letters", headers=bearer(token))
        assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")
        assert response.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="letters:write"'

    @pytest.mark.parametrize("path", ["/me", "/anyone", "/chained"])
    async def test_app_of_somebody_else_where_nothing_is_said(
        self, client: httpx.AsyncClient, signer: TokenSigner, user_id: UUID, path: str
    ) -> None:
        scopes = ["letters:write", "orders:write"]
        token = signer.issue_user_token(user_id, scopes=scopes, claims={"client_id": "reader"})
        response = await client.get(path, headers=bearer(token))
        assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")


class TestRequireRecentLogin:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        assert (await client.post("/helm")).json()["code"] == "token_missing"

    @pytest.mark.parametrize(("path", "acr"), [("/helm", "aal1"), ("/helm", "aal2"), ("/powder", "aal2")])
    async def test_valid(
        self, client: httpx.AsyncClient, signer: TokenSigner, user_id: UUID, path: str, acr: str
    ) -> None:
        claims = {"acr": acr, "auth_time": int(time.time()) - 590}
        token = signer.issue_user_token(user_id, claims=claims)
        assert (await client.post(path, headers=bearer(token))).status_code == 200

    @pytest.mark.parametrize(
        ("path", "claims", "wanted"),
        [
            ("/helm", {"acr": "aal2", "auth_time": int(time.time()) - 3600}, 'max_age="600"'),
            ("/powder", {"acr": "aal2", "auth_time": int(time.time()) - 3600}, 'max_age="600", acr_values="aal2"'),
            ("/powder", {"acr": "aal1"}, 'max_age="600", acr_values="aal2"'),
            ("/powder", {"acr": "aal9"}, 'max_age="600", acr_values="aal2"'),
        ],
    )
    async def test_too_old_or_too_weak(
        self,
        client: httpx.AsyncClient,
        signer: TokenSigner,
        user_id: UUID,
        path: str,
        claims: dict[str, object],
        wanted: str,
    ) -> None:
        response = await client.post(path, headers=bearer(signer.issue_user_token(user_id, claims=claims)))
        assert (response.status_code, response.json()["code"]) == (401, "login_too_old")
        challenge = response.headers["WWW-Authenticate"]
        assert challenge.startswith('Bearer error="insufficient_user_authentication"')
        assert challenge.endswith(wanted)
