"""What an app may ask for: what is wrong with it is told to the person or to the app, and never to a stranger."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from auth.authorizations.constants import SCOPE_TEXTS
from auth.authorizations.utils import build_form_target
from auth.clients.constants import DELEGABLE_SCOPES
from chassis.testing.databases import RolledBackDatabase

PATH = "/auth/authorize"
Headers = dict[str, str]
Register = Callable[..., Awaitable[Any]]


def read_location(answer: httpx.Response) -> tuple[str, dict[str, str]]:
    assert answer.status_code == 303, answer.text
    location = httpx.URL(answer.headers["location"])
    return str(location.copy_with(query=None)), dict(location.params)


class TestRefusedOnThePage:
    @pytest.mark.parametrize(
        "changes",
        [
            {"client_id": ""},
            {"client_id": "posts"},
            {"client_id": "broadsheet"},
            {"client_id": "not-a-uuid\x7f"},
            {"client_id": "01890000-0000-7000-8000-000000000000"},
            {"redirect_uri": "https://reader.example/callback/"},
            {"redirect_uri": "https://reader.example/callback?next=https://evil.example"},
            {"redirect_uri": "https://reader.example.evil.example/callback"},
            {"redirect_uri": "https://reader.example@evil.example/callback"},
            {"redirect_uri": "http://reader.example/callback"},
            {"redirect_uri": "javascript:alert(1)"},
        ],
    )
    async def test_unknown_app_or_place(self, client: httpx.AsyncClient, other: Any, changes: dict[str, str]) -> None:
        """Nobody is sent to a place that is not the app's: RFC 9700, 4.11."""
        answer = await client.get(PATH, params=other.ask(**changes))
        assert (answer.status_code, answer.headers["content-type"]) == (400, "text/html; charset=utf-8")
        assert "location" not in answer.headers
        assert "evil" not in answer.text

    async def test_place_left_out_where_there_are_two(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, register_app: Register
    ) -> None:
        two = await register_app(database, redirect_uris=["https://a.example/", "https://b.example/"])
        assert (await client.get(PATH, params=two.ask(redirect_uri=""))).status_code == 400

    @pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
    async def test_named_twice(self, client: httpx.AsyncClient, other: Any, name: str) -> None:
        query = other.ask()
        answer = await client.get(PATH, params={**query, name: [query[name], query[name]]})
        assert answer.status_code == 400

    async def test_client_id_in_other_letters(self, client: httpx.AsyncClient, other: Any) -> None:
        assert (await client.get(PATH, params=other.ask(client_id=other.client_id.upper()))).status_code == 400

    async def test_too_long(self, client: httpx.AsyncClient, other: Any) -> None:
        answer = await client.get(PATH, params=other.ask(state="x" * 2001))
        assert (answer.status_code, "cannot be read" in answer.text) == (400, True)


class TestSentBack:
    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"response_type": ""}, "invalid_request"),
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": "code token"}, "unsupported_response_type"),
            ({"code_challenge": ""}, "invalid_request"),
            ({"code_challenge": "x" * 42}, "invalid_request"),
            ({"code_challenge": "x" * 42 + "="}, "invalid_request"),
            ({"code_challenge": "x" * 43 + "\n"}, "invalid_request"),
            ({"code_challenge_method": ""}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"scope": "profile:write"}, "invalid_scope"),
            ({"scope": "profile:read users:ban"}, "invalid_scope"),
            ({"scope": "openid"}, "invalid_scope"),
        ],
    )
    async def test_refused(
        self, client: httpx.AsyncClient, other: Any, browser: Headers, changes: dict[str, str], error: str
    ) -> None:
        """RFC 6749, 4.1.2.1, and RFC 9207."""
        place, told = read_location(await client.get(PATH, params=other.ask(**changes), headers=browser))
        assert place == other.redirect_uri
        assert told.pop("error_description")
        assert told == {"error": error, "state": "of-the-app", "iss": "https://broadsheet.example"}

    async def test_parameter_twice(self, client: httpx.AsyncClient, other: Any) -> None:
        answer = await client.get(PATH, params={**other.ask(), "scope": ["profile:read", "posts:write"]})
        assert read_location(answer)[1]["error"] == "invalid_request"

    async def test_no_state_is_made_up_and_the_own_query_stays(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, register_app: Register
    ) -> None:
        other = await register_app(database, redirect_uris=["https://reader.example/?tenant=a%20b"])
        answer = await client.get(PATH, params=other.ask(state="", scope="nothing"))
        _, told = read_location(answer)
        assert (told["tenant"], told["error"], "state" in told) == ("a b", "invalid_scope", False)

    @pytest.mark.parametrize("state", ["a&error=b", "ü✓ \"<>'", "%00%0d%0a", "x" * 2000])
    async def test_state_comes_back_as_it_was(self, client: httpx.AsyncClient, other: Any, state: str) -> None:
        answer = await client.get(PATH, params=other.ask(state=state, response_type="token"))
        assert read_location(answer)[1]["state"] == state


class TestScopeTexts:
    def test_every_scope_is_put_into_words(self) -> None:
        assert SCOPE_TEXTS.keys() == DELEGABLE_SCOPES


class TestBuildFormTarget:
    @pytest.mark.parametrize(
        ("uri", "target"),
        [
            ("https://reader.example/callback?a=b", "https://reader.example"),
            ("https://reader.example:8443/", "https://reader.example:8443"),
            ("http://127.0.0.1:51776/callback", "http://127.0.0.1:51776"),
            ("http://[::1]:51776/callback", "http:"),
            ("com.example.app:/callback", "com.example.app:"),
        ],
    )
    def test_valid(self, uri: str, target: str) -> None:
        assert build_form_target(uri) == target
