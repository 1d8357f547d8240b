import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from pydantic import SecretStr

from chassis.context import bind_context
from chassis.http.client import ServiceClient
from chassis.http.config import ServiceClientConfig
from chassis.http.exceptions import FailureReason, UpstreamRejectedError, UpstreamUnavailableError
from chassis.http.sync import SyncServiceClient, SyncServiceTokenSource
from chassis.http.tokens import MIN_AGE_SECONDS, ServiceTokenSource
from chassis.testing.clock import HeldClock
from chassis.testing.upstreams import INSTANT, ScriptedUpstream

SECRET = "s3cret/with+odd=chars and more of it"


@pytest.fixture
def config() -> ServiceClientConfig:
    return ServiceClientConfig.model_construct(service_client_id="fleet", service_client_secret=SecretStr(SECRET))


@pytest.fixture
def auth() -> ScriptedUpstream:
    """Grants t1, t2, …, each for 300 seconds."""
    auth = ScriptedUpstream()

    def grant(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"access_token": f"t{len(auth.requests)}", "expires_in": 300})

    return auth.answer_by(grant)


@pytest.fixture
async def source(
    auth: ScriptedUpstream, config: ServiceClientConfig, clock: HeldClock
) -> AsyncIterator[ServiceTokenSource]:
    async with ServiceClient("auth", "http://auth", policy=INSTANT, backend=auth.backend) as client:
        yield ServiceTokenSource(client, config, clock=clock)


class TestGetToken:
    async def test_valid(self, source: ServiceTokenSource, auth: ScriptedUpstream) -> None:
        assert await source.get_token() == "t1"

        request = auth.requests[0]
        assert (request.method, request.path) == ("POST", "/auth/token")
        assert request.body == b"grant_type=client_credentials"
        credentials = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
        assert credentials == "fleet:s3cret%2Fwith%2Bodd%3Dchars%20and%20more%20of%20it"

    async def test_kept_until_shortly_before_its_end(
        self, source: ServiceTokenSource, auth: ScriptedUpstream, clock: HeldClock
    ) -> None:
        await source.get_token()
        clock.advance(269.0)
        assert await source.get_token() == "t1"

        clock.advance(1.0)

        assert await source.get_token() == "t2"
        assert len(auth.requests) == 2

    async def test_short_lived(self, source: ServiceTokenSource, auth: ScriptedUpstream, clock: HeldClock) -> None:
        auth.clear().answer(200, {"access_token": "short", "expires_in": 20})
        await source.get_token()

        clock.advance(9.0)
        await source.get_token()
        assert len(auth.requests) == 1

        clock.advance(1.0)
        await source.get_token()
        assert len(auth.requests) == 2

    async def test_single_flight(self, source: ServiceTokenSource, auth: ScriptedUpstream) -> None:
        tokens = await asyncio.gather(*(source.get_token() for _ in range(50)))

        assert set(tokens) == {"t1"}
        assert len(auth.requests) == 1

    async def test_deadline_of_one_caller_is_not_that_of_the_fetch(
        self, source: ServiceTokenSource, auth: ScriptedUpstream
    ) -> None:
        with bind_context(seconds=0.5):
            await source.get_token()

        assert auth.requests[0].headers["X-Deadline-Ms"] == "2000"

    async def test_no_time_to_wait(self, source: ServiceTokenSource) -> None:
        with bind_context(seconds=0.0), pytest.raises(UpstreamUnavailableError) as caught:
            await source.get_token()

        assert caught.value.reason is FailureReason.DEADLINE

    async def test_auth_is_away(self, source: ServiceTokenSource, auth: ScriptedUpstream) -> None:
        auth.clear().fail()

        results = await asyncio.gather(*(source.get_token() for _ in range(10)), return_exceptions=True)

        assert all(isinstance(error, UpstreamUnavailableError) for error in results)
        assert len(auth.requests) == 3

    async def test_credentials_refused(self, source: ServiceTokenSource, auth: ScriptedUpstream) -> None:
        """Not a rejection: the caller would take the 401 for the answer of the service it wanted to call."""
        auth.clear().answer(401, {"error": "invalid_client"})

        with pytest.raises(UpstreamUnavailableError) as caught:
            await source.get_token()

        assert (caught.value.target, caught.value.reason) == ("auth", FailureReason.CREDENTIALS)

    @pytest.mark.parametrize("body", [None, [], {}, {"access_token": ""}, {"access_token": "t", "expires_in": 0}])
    async def test_malformed(self, source: ServiceTokenSource, auth: ScriptedUpstream, body: object) -> None:
        auth.clear().answer(200, body)

        with pytest.raises(UpstreamUnavailableError) as caught:
            await source.get_token()

        assert caught.value.reason is FailureReason.MALFORMED


class EndlessTokens:
    """A source that has a new token whenever it is asked."""

    def __init__(self) -> None:
        self.count = 0

    async def get_token(self, *, stale: str | None = None) -> str:  # noqa: ARG002 - each is new
        self.count += 1
        return f"e{self.count}"


class TestCallsWithToken:
    @pytest.fixture
    async def client(self, upstream: ScriptedUpstream, source: ServiceTokenSource) -> AsyncIterator[ServiceClient]:
        async with ServiceClient(
            "ships", "http://ships", token_source=source, policy=INSTANT, backend=upstream.backend
        ) as client:
            yield client

    def sent(self, upstream: ScriptedUpstream) -> list[str]:
        return [seen.headers["Authorization"] for seen in upstream.requests]

    async def test_valid(self, client: ServiceClient, upstream: ScriptedUpstream) -> None:
        upstream.answer(204)

        await client.request("GET", "/ships")
        await client.request("POST", "/ships")

        assert self.sent(upstream) == ["Bearer t1", "Bearer t1"]

    async def test_refused_token_is_replaced_once(
        self, client: ServiceClient, upstream: ScriptedUpstream, source: ServiceTokenSource, clock: HeldClock
    ) -> None:
        await source.get_token()
        clock.advance(MIN_AGE_SECONDS)
        upstream.answer(401).answer(201, "made")

        assert await client.post_json("/ships") == "made"
        assert self.sent(upstream) == ["Bearer t1", "Bearer t2"]

    async def test_refused_again(
        self,
        client: ServiceClient,
        upstream: ScriptedUpstream,
        source: ServiceTokenSource,
        auth: ScriptedUpstream,
        clock: HeldClock,
    ) -> None:
        await source.get_token()
        clock.advance(MIN_AGE_SECONDS)
        upstream.answer(401, {"code": "token_invalid"})

        for _ in range(10):
            with pytest.raises(UpstreamRejectedError) as caught:
                await client.request("GET", "/ships")
            assert caught.value.code == "token_invalid"

        # A service that refuses everything costs auth one new token, not one a call.
        assert len(auth.requests) == 2
        assert len(upstream.requests) == 11

    async def test_refused_whatever_comes(self, upstream: ScriptedUpstream) -> None:
        upstream.answer(401)
        async with ServiceClient(
            "ships", "http://ships", token_source=EndlessTokens(), backend=upstream.backend
        ) as client:
            with pytest.raises(UpstreamRejectedError):
                await client.request("GET", "/ships")

        assert self.sent(upstream) == ["Bearer e1", "Bearer e2"]

    async def test_auth_is_away(
        self, client: ServiceClient, upstream: ScriptedUpstream, auth: ScriptedUpstream
    ) -> None:
        auth.clear().fail()
        upstream.answer(200)

        for _ in range(10):
            with pytest.raises(UpstreamUnavailableError) as caught:
                await client.request("GET", "/ships")
            assert caught.value.target == "auth"

        # And it is not held against the service that was never asked.
        auth.clear().answer(200, {"access_token": "late", "expires_in": 300})
        assert upstream.requests == []


class TestSyncTokenSource:
    @pytest.fixture
    def source(
        self, auth: ScriptedUpstream, config: ServiceClientConfig, clock: HeldClock
    ) -> Iterator[SyncServiceTokenSource]:
        with SyncServiceClient("auth", "http://auth", policy=INSTANT, backend=auth.backend) as client:
            yield SyncServiceTokenSource(client, config, clock=clock)

    @pytest.fixture
    def client(self, upstream: ScriptedUpstream, source: SyncServiceTokenSource) -> Iterator[SyncServiceClient]:
        with SyncServiceClient(
            "ships", "http://ships", token_source=source, policy=INSTANT, backend=upstream.backend
        ) as client:
            yield client

    def test_valid(self, client: SyncServiceClient, upstream: ScriptedUpstream, auth: ScriptedUpstream) -> None:
        upstream.answer(503).answer(200, {"name": "Argo"})

        with bind_context(request_id="request-0001"):
            assert client.get_json("/ships/1") == {"name": "Argo"}
            assert client.post_json("/ships", json={"a": 1}) == {"name": "Argo"}

        assert [seen.headers["Authorization"] for seen in upstream.requests] == ["Bearer t1"] * 3
        assert {seen.headers["X-Request-ID"] for seen in upstream.requests} == {"request-0001"}
        assert json.loads(upstream.requests[2].body) == {"a": 1}
        assert len(auth.requests) == 1

    def test_refused_token_is_replaced_once(
        self, client: SyncServiceClient, upstream: ScriptedUpstream, source: SyncServiceTokenSource, clock: HeldClock
    ) -> None:
        source.get_token()
        clock.advance(MIN_AGE_SECONDS)
        upstream.answer(401).answer(204)

        client.request("POST", "/ships")

        assert [seen.headers["Authorization"] for seen in upstream.requests] == ["Bearer t1", "Bearer t2"]

    def test_conflict(self, client: SyncServiceClient, upstream: ScriptedUpstream) -> None:
        upstream.answer(409, {"code": "stale_fence"})

        with pytest.raises(UpstreamRejectedError) as caught:
            client.post_json("/jobs/1/result", json={"fence": 1})

        assert caught.value.code == "stale_fence"

    @pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout])
    def test_service_is_away(
        self, client: SyncServiceClient, upstream: ScriptedUpstream, error: type[httpx.RequestError]
    ) -> None:
        upstream.fail(error)

        with pytest.raises(UpstreamUnavailableError) as caught:
            client.post_json("/jobs/1/claim")

        assert isinstance(caught.value.__cause__, error)
        assert len(upstream.requests) == 1

    def test_credentials_refused(
        self, client: SyncServiceClient, upstream: ScriptedUpstream, auth: ScriptedUpstream
    ) -> None:
        auth.clear().answer(401, {"error": "invalid_client"})

        with pytest.raises(UpstreamUnavailableError) as caught:
            client.get_json("/ships")

        assert caught.value.reason is FailureReason.CREDENTIALS
        assert upstream.requests == []
