"""How the demo takes answers, good and bad, from a transport that gives them."""

from collections.abc import Callable

import httpx
import pytest
from deploy.demo.api import Account, Platform
from deploy.demo.exceptions import AnswerError, DemoError, PlatformAwayError
from deploy.demo.mailbox import Mailbox, find_token
from deploy.demo.people import list_people

HUMAN = list_people(1)[0]
Answer = Callable[[httpx.Request], httpx.Response]


def create_platform(answer: Answer) -> Platform:
    return Platform("http://platform", httpx.MockTransport(answer))


def refuse(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody listens")


class TestPlatform:
    async def test_away(self) -> None:
        async with create_platform(refuse) as platform:
            with pytest.raises(PlatformAwayError, match="make run"):
                await platform.check_health()

    async def test_not_ready(self) -> None:
        async with create_platform(lambda _: httpx.Response(503, text='{"failing":["posts"]}')) as platform:
            with pytest.raises(DemoError, match=r"not ready yet.*posts"):
                await platform.check_health()

    async def test_busy(self) -> None:
        answers = [httpx.Response(503, headers={"Retry-After": "0"}), httpx.Response(429, headers={"Retry-After": "0"})]
        async with create_platform(lambda _: answers.pop() if answers else httpx.Response(200)) as platform:
            assert (await platform.call("GET", "/posts")).status_code == 200

    async def test_error(self) -> None:
        answer = httpx.Response(422, json={"code": "validation_failed"})
        async with create_platform(lambda _: answer) as platform:
            with pytest.raises(AnswerError, match="POST /api/v1/posts was answered 422 validation_failed"):
                await platform.call("POST", "/posts")


class TestAccount:
    @pytest.mark.parametrize(("status", "code", "outcome"), [(200, "", True), (401, "credentials_invalid", False)])
    async def test_log_in(self, status: int, code: str, outcome: bool) -> None:
        answer = httpx.Response(status, json={"code": code, "access_token": "a-token"})
        async with create_platform(lambda _: answer) as platform:
            assert await Account(platform, HUMAN, "password").log_in() is outcome

    async def test_another_password(self) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            status = {"/api/v1/profiles": 409, "/api/v1/profiles/confirmations": 400}.get(request.url.path, 401)
            return httpx.Response(status, json={"code": "refused"})

        async with create_platform(answer) as platform:
            account = Account(platform, HUMAN, "password")
            assert not await account.sign_up()
            with pytest.raises(DemoError, match="BROADSHEET_DEMO_PASSWORD"):
                await account.confirm("a-token-of-long-ago")

    async def test_token_runs_out(self) -> None:
        tokens: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("/auth/token"):
                tokens.append(f"token-{len(tokens)}")
                return httpx.Response(200, json={"access_token": tokens[-1]})
            is_current = request.headers.get("Authorization") == "Bearer token-1"
            return httpx.Response(200 if is_current else 401)

        async with create_platform(answer) as platform:
            account = Account(platform, HUMAN, "password")
            await account.log_in()
            assert (await account.call("GET", "/profiles/me")).status_code == 200
            assert tokens == ["token-0", "token-1"]

    async def test_list_titles(self) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            cursor = request.url.params.get("cursor", "1")
            following = "2" if cursor == "1" else None
            return httpx.Response(
                200, json={"items": [{"title": f"t{cursor}", "id": cursor}], "next_cursor": following}
            )

        async with create_platform(answer) as platform:
            assert await Account(platform, HUMAN, "password").list_titles() == {"t1": "1", "t2": "2"}

    async def test_post_that_cannot_be_rendered(self) -> None:
        post = {"id": "1", "title": "t", "status": "draft", "publication_error": "rendering_failed"}
        async with create_platform(lambda _: httpx.Response(200, json=post)) as platform:
            with pytest.raises(DemoError, match="rendering_failed"):
                await Account(platform, HUMAN, "password").publish("key", "t", "body")


class TestMailbox:
    async def test_wait_for_token(self) -> None:
        mails = [{"text": "Hello"}, {"text": "https://x/api/v1/auth/confirmation?token=abc-DEF_1\n"}]
        async with Mailbox("http://mailbox", httpx.MockTransport(lambda _: httpx.Response(200, json=mails))) as mailbox:
            assert await mailbox.wait_for_token("a@example.org") == "abc-DEF_1"

    async def test_away(self) -> None:
        async with Mailbox("http://mailbox", httpx.MockTransport(refuse)) as mailbox:
            with pytest.raises(PlatformAwayError, match="no mailbox answers at http://mailbox"):
                await mailbox.check_health()

    async def test_another_program(self) -> None:
        answer = httpx.Response(200, text="<html>")
        async with Mailbox("http://mailbox", httpx.MockTransport(lambda _: answer)) as mailbox:
            with pytest.raises(DemoError, match="is not the mailbox"):
                await mailbox.check_health()


class TestFindToken:
    def test_none(self) -> None:
        assert find_token("Good morning") is None
