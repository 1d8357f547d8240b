"""`GET /.well-known/oauth-authorization-server`: what is told is there, and what is not for others is not told."""

from typing import Any

import httpx
import pytest

from auth.main import create_app
from auth.metadata.schemas import ServerMetadata
from auth.tokens.constants import GrantType

ISSUER = "https://broadsheet.example"
API = f"{ISSUER}/api/v1"
FIRST_PARTY = {GrantType.PASSWORD, GrantType.MFA, GrantType.PASSKEY}


@pytest.fixture
def paths() -> set[str]:
    return set(create_app().openapi()["paths"])


@pytest.fixture
async def metadata(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/.well-known/oauth-authorization-server")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["cache-control"] == "public, max-age=300"
    return ServerMetadata.model_validate_json(answer.content).model_dump()


class TestMetadata:
    async def test_valid(self, metadata: dict[str, Any]) -> None:
        assert metadata["issuer"] == ISSUER
        assert metadata["response_types_supported"] == ["code"]
        assert metadata["code_challenge_methods_supported"] == ["S256"]
        assert metadata["authorization_response_iss_parameter_supported"] is True
        assert "none" not in metadata["introspection_endpoint_auth_methods_supported"]

    async def test_every_endpoint_is_there(self, paths: set[str], metadata: dict[str, Any]) -> None:
        endpoints = [value for name, value in metadata.items() if name.endswith(("_endpoint", "_uri"))]
        assert len(endpoints) == 5
        assert [url for url in endpoints if url.removeprefix(API) not in paths] == []

    async def test_grants_are_told_but_those_of_our_own_apps(self, metadata: dict[str, Any]) -> None:
        assert set(metadata["grant_types_supported"]) == set(GrantType) - FIRST_PARTY
