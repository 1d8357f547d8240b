"""What is wrong gets a clear problem document with the right status, and leaves nothing half written."""

import asyncio
import base64
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from e2e.people import API, Person

CreatePerson = Callable[..., Awaitable[Person]]
NewPerson = Callable[[], Person]


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    problem: dict[str, Any] = response.json()
    assert (problem["status"], problem["code"]) == (status, code)
    return problem


class TestTokens:
    async def test_wrong_password_and_unknown_account_look_alike(
        self, create_person: CreatePerson, new_person: NewPerson
    ) -> None:
        person = await create_person()
        wrong = await person.log_in("Wrong-Horse-8-Battery")
        unknown = await new_person().log_in()
        assert wrong.status_code == unknown.status_code == httpx.codes.UNAUTHORIZED
        assert wrong.json()["code"] == unknown.json()["code"]
        assert "WWW-Authenticate" in wrong.headers

    async def test_anonymous(self, new_person: NewPerson) -> None:
        response = await new_person().client.get(f"{API}/notifications")
        assert_problem(response, 401, "token_missing")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")

    @pytest.mark.parametrize("forgery", ["none", "foreign", "expired", "tampered", "garbage"])
    @pytest.mark.parametrize("path", ["/notifications", "/profiles/me", "/users/{id}/posts/{id}"])
    async def test_forged_token_is_refused_by_every_service(
        self, create_person: CreatePerson, forgery: str, path: str
    ) -> None:
        person = await create_person()
        token = person.client.headers["Authorization"].removeprefix("Bearer ")
        person.use_token(forge_token(token, forgery))
        response = await person.client.get(API + path.format(id=person.id))
        assert response.status_code == httpx.codes.UNAUTHORIZED
        assert response.json()["code"] in {"token_invalid", "token_expired"}
        assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


def forge_token(token: str, forgery: str) -> str:
    header, claims, signature = token.split(".")
    known = jwt.decode(token, options={"verify_signature": False})
    kid = jwt.get_unverified_header(token)["kid"]
    headers = {"kid": kid, "typ": "at+jwt"}
    if forgery == "none":
        unsigned = base64.urlsafe_b64encode(json.dumps({"alg": "none", **headers}).encode()).decode().rstrip("=")
        return f"{unsigned}.{claims}."
    if forgery == "tampered":
        flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
        return f"{header}.{claims}.{flipped}"
    if forgery == "garbage":
        return "not.a.token"
    if forgery == "expired":
        known |= {"iat": known["iat"] - 7200, "exp": known["exp"] - 7200}
    return jwt.encode(known, Ed25519PrivateKey.generate(), algorithm="EdDSA", headers=headers)


class TestOwnership:
    async def test_forbidden(self, create_person: CreatePerson) -> None:
        owner, other = await create_person(creator=True), await create_person(creator=True)
        post = await owner.create_post("Mine", "Text")
        edit = {"title": "Yours", "body": "Text"}
        path = f"{API}/posts/{post['id']}"
        assert_problem(await other.client.put(path, json=edit), 404, "post_not_found")
        await owner.publish(post["id"])
        assert_problem(await other.client.put(path, json=edit), 403, "not_post_owner")
        assert (await owner.read(f"/posts/{post['id']}"))["title"] == "Mine"

    @pytest.mark.parametrize(
        ("path", "code"),
        [
            ("/posts/{}", "post_not_found"),
            ("/profiles/{}", "profile_not_found"),
            ("/creators/{}", "creator_not_found"),
            ("/creators/{}/posts", "creator_not_found"),
            ("/posts/{}/reviews", "post_not_found"),
        ],
    )
    async def test_not_found(self, create_person: CreatePerson, path: str, code: str) -> None:
        person = await create_person()
        assert_problem(await person.client.get(API + path.format(uuid.uuid4())), 404, code)
        malformed = await person.client.get(API + path.format("42"))
        assert assert_problem(malformed, 422, "validation_failed")["errors"][0]["field"].startswith("path.")

    async def test_reader_cannot_write(self, create_person: CreatePerson) -> None:
        reader = await create_person()
        response = await reader.client.post(f"{API}/posts", json={"title": "T", "body": "B"})
        assert_problem(response, 403, "not_a_creator")


class TestInput:
    async def test_too_long_title_is_named(self, create_person: CreatePerson) -> None:
        creator = await create_person(creator=True)
        response = await creator.client.post(f"{API}/posts", json={"title": "x" * 201, "body": "B"})
        problem = assert_problem(response, 422, "validation_failed")
        assert [error["field"] for error in problem["errors"]] == ["body.title"]

    async def test_weak_password_is_named_and_not_repeated(self, new_person: NewPerson) -> None:
        response = await new_person().sign_up(password="canary1")
        problem = assert_problem(response, 422, "validation_failed")
        assert problem["errors"][0]["field"] == "body.password"
        assert "canary1" not in response.text

    async def test_conflict_of_two_at_once(self, new_person: NewPerson) -> None:
        one, other = new_person(), new_person()
        answers = await asyncio.gather(one.sign_up(), other.sign_up(username=one.username))
        created, refused = sorted(answers, key=lambda answer: answer.status_code)
        assert created.status_code == httpx.codes.CREATED
        assert_problem(refused, 409, "username_taken")

    async def test_two_at_once_with_one_address_learn_nothing(self, new_person: NewPerson) -> None:
        one, other = new_person(), new_person()
        answers = await asyncio.gather(one.sign_up(), other.sign_up(email=one.email))
        assert [answer.status_code for answer in answers] == [httpx.codes.CREATED] * 2
        assert len({frozenset(answer.json()) for answer in answers}) == 1

    async def test_cursor_of_another_list(self, create_person: CreatePerson) -> None:
        creator = await create_person(creator=True)
        for number in range(2):
            post = await creator.create_post(f"Post {number}", "Text")
            await creator.publish(post["id"])
        cursor = (await creator.read("/posts?limit=1"))["next_cursor"]
        response = await creator.client.get(f"{API}/creators/{creator.id}/posts", params={"cursor": cursor})
        assert_problem(response, 400, "cursor_invalid")

    async def test_broken_json(self, create_person: CreatePerson) -> None:
        creator = await create_person(creator=True)
        headers = {"content-type": "application/json"}
        response = await creator.client.post(f"{API}/posts", content=b'{"title": "half', headers=headers)
        assert_problem(response, 422, "validation_failed")

    async def test_body_of_50_megabytes(self, create_person: CreatePerson) -> None:
        creator = await create_person(creator=True)

        async def stream() -> Any:
            for _ in range(50):
                yield b"x" * 1024 * 1024

        try:
            response = await creator.client.post(f"{API}/posts", content=stream())
        except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
            return  # the gateway may close the door while we still push
        assert_problem(response, 413, "content_too_large")

    async def test_declared_body_of_50_megabytes(self, create_person: CreatePerson) -> None:
        creator = await create_person(creator=True)
        response = await creator.client.post(f"{API}/posts", content=b"x" * 50 * 1024 * 1024)
        assert_problem(response, 413, "content_too_large")


class TestSurface:
    @pytest.mark.parametrize(
        "path",
        [
            "/internal/events",
            "/api/v1/internal/events",
            "/metrics",
            "/api/v1/metrics",
            "/readyz",
            "/api/v1/posts/../internal/events",
        ],
    )
    async def test_internal_doors_are_closed(self, new_person: NewPerson, path: str) -> None:
        response = await new_person().client.get(path)
        assert response.status_code == httpx.codes.NOT_FOUND
        assert response.headers["content-type"].startswith("application/problem+json")
