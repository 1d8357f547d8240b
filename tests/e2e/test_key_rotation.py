"""The signing keys change, every half minute here, and nobody notices."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable

import pytest
from e2e.people import API, PASSWORD, Person
from e2e.polling import wait_until

CreatePerson = Callable[..., Awaitable[Person]]
KEYS = 3
"""So many in turn: some have retired by then, and what they signed is still good."""


def read_key_id(token: str) -> str:
    header = token.partition(".")[0]
    kid: str = json.loads(urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"]
    return kid


class Caller:
    """Goes on asking every service, with the newest token of each key. Any refusal is an error."""

    def __init__(self, person: Person, draft: str) -> None:
        self.answers = 0
        self._paths = ("/profiles/me", f"/posts/{draft}", "/notifications")
        self._tokens: dict[str, str] = {}
        self._published: set[str] = set()
        self._person = person
        self._refresh_token = ""

    async def log_in(self) -> None:
        self._published = await self._list_keys()
        await self._fetch_token(grant_type="password", username=self._person.email, password=PASSWORD, delivery="body")

    async def call_all(self) -> int:
        """Of how many keys there are tokens now."""
        self._published = await self._list_keys()
        await self._fetch_token(grant_type="refresh_token", refresh_token=self._refresh_token)
        for token in self._tokens.values():
            for path in self._paths:
                headers = {"Authorization": f"Bearer {token}"}
                (await self._person.client.get(API + path, headers=headers)).raise_for_status()
                self.answers += 1
        return len(self._tokens)

    async def _list_keys(self) -> set[str]:
        answer = await self._person.client.get(f"{API}/.well-known/jwks.json")
        return {key["kid"] for key in answer.raise_for_status().json()["keys"]}

    async def _fetch_token(self, **form: str) -> None:
        answer = await self._person.client.post(f"{API}/auth/token", data=form)
        answer.raise_for_status()
        token, self._refresh_token = answer.json()["access_token"], answer.json()["refresh_token"]
        kid = read_key_id(token)
        assert kid in self._published, "it signed before it was published"
        is_new = kid not in self._tokens
        self._tokens[kid] = token
        if is_new:
            self._person.use_token(token)
            # Rendering needs the tokens of services and worker, which are signed as well.
            await self._person.publish((await self._person.create_post("Under a new key", "Text"))["id"])


@pytest.mark.timeout(300)
class TestRotation:
    async def test_no_request_fails(self, create_person: CreatePerson) -> None:
        person = await create_person(creator=True)
        caller = Caller(person, (await person.create_post("Draft", "Text"))["id"])
        await caller.log_in()
        await wait_until(caller.call_all, lambda keys: keys >= KEYS, seconds=240)
        assert caller.answers > 100
