"""How a client decides; what sockets do to it stands in test_transport."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client import REGISTRY

from chassis.context import TRACEPARENT, bind_context
from chassis.http.client import ServiceClient
from chassis.http.exceptions import FailureReason, UpstreamRejectedError, UpstreamUnavailableError
from chassis.http.policy import ClientPolicy
from chassis.testing.upstreams import INSTANT, ScriptedUpstream

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
async def client(upstream: ScriptedUpstream) -> AsyncIterator[ServiceClient]:
    async with ServiceClient("ships", "http://ships", policy=INSTANT, backend=upstream.backend) as client:
        yield client


async def fail(client: ServiceClient, times: int = 1) -> UpstreamUnavailableError:
    error: UpstreamUnavailableError | None = None
    for _ in range(times):
        with pytest.raises(UpstreamUnavailableError) as caught:
            await client.request("POST", "/ships")
        error = caught.value
    assert error is not None
    return error


class TestRequest:
    async def test_valid(self, client: ServiceClient, upstream: ScriptedUpstream) -> None:
        upstream.answer(200, {"name": "Argo"})

        assert await client.get_json("/ships/1", params={"deep": True}) == {"name": "Argo"}
        assert await client.post_json("/ships", json={"name": "Argo"}) == {"name": "Argo"}

        assert [(seen.method, seen.path, seen.query) for seen in upstream.requests] == [
            ("GET", "/ships/1", {"deep": "true"}),
            ("POST", "/ships", {}),
        ]
        assert json.loads(upstream.requests[1].body) == {"name": "Argo"}

    async def test_base_url_with_a_path(self, upstream: ScriptedUpstream) -> None:
        upstream.answer(204)
        async with ServiceClient("ships", "http://ships/fleet/", backend=upstream.backend) as client:
            await client.request("GET", "/ships")

        assert upstream.requests[0].path == "/fleet/ships"

    async def test_not_modified(self, client: ServiceClient, upstream: ScriptedUpstream) -> None:
        upstream.answer(304)

        assert (await client.request("GET", "/ships/1", headers={"If-None-Match": '"1"'})).status == 304

    async def test_context_is_passed_on(self, client: ServiceClient, upstream: ScriptedUpstream) -> None:
        upstream.answer(204)

        with bind_context(request_id="request-0001", traceparent=TRACE, seconds=1.5):
            await client.request("GET", "/ships")
            await client.request("GET", "/ships")

        first, second = (seen.headers for seen in upstream.requests)
        assert first["X-Request-ID"] == second["X-Request-ID"] == "request-0001"
        assert first["traceparent"].split("-")[1] == TRACE.split("-")[1]
        spans = {TRACE.split("-")[2], first["traceparent"].split("-")[2], second["traceparent"].split("-")[2]}
        assert len(spans) == 3
        assert 1000 < int(first["X-Deadline-Ms"]) < 1500

    async def test_without_a_context(self, client: ServiceClient, upstream: ScriptedUpstream) -> None:
        upstream.answer(204)

        await client.request("GET", "/ships")

        headers = upstream.requests[0].headers
        assert TRACEPARENT.match(headers["traceparent"])
        assert len(headers["X-Request-ID"]) == 32
        assert headers["X-Deadline-Ms"] == "2000"

    async def test_a_call_may_have_its_own_timeout(self, client: ServiceClient, upstream: ScriptedUpstream) -> None:
        upstream.answer(204)

        await client.request("GET", "/events", timeout=35.0)

        assert upstream.requests[0].headers["X-Deadline-Ms"] == "35000"


class TestDeadline:
    @pytest.mark.parametrize("seconds", [-1.0, 0.0, 0.03])
    async def test_no_call_without_time(
        self, client: ServiceClient, upstream: ScriptedUpstream, seconds: float
    ) -> None:
        with bind_context(seconds=seconds), pytest.raises(UpstreamUnavailableError) as caught:
            await client.request("GET", "/ships")

        assert caught.value.reason is FailureReason.DEADLINE
        assert upstream.requests == []

    async def test_no_retry_without_room_for_it(self, upstream: ScriptedUpstream) -> None:
        upstream.fail()
        policy = ClientPolicy(backoff_base=1.0, random=lambda: 1.0)
        async with ServiceClient("ships", "http://ships", policy=policy, backend=upstream.backend) as client:
            with bind_context(seconds=0.9), pytest.raises(UpstreamUnavailableError) as caught:
                await client.request("GET", "/ships")

        assert caught.value.reason is FailureReason.CONNECT
        assert len(upstream.requests) == 1

    async def test_hurried_callers_do_not_open_the_breaker(
        self, client: ServiceClient, upstream: ScriptedUpstream
    ) -> None:
        upstream.fail(httpx.ReadTimeout)

        with bind_context(seconds=0.5):
            assert (await fail(client, times=20)).reason is FailureReason.TIMEOUT

        assert len(upstream.requests) == 20


class TestRetry:
    @pytest.mark.parametrize("status", [502, 503, 504])
    async def test_server_away_for_a_moment(
        self, client: ServiceClient, upstream: ScriptedUpstream, status: int
    ) -> None:
        upstream.answer(status).answer(status).answer(200, "ok")

        assert await client.get_json("/ships") == "ok"
        assert len(upstream.requests) == 3

    @pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError])
    async def test_connection_lost(
        self, client: ServiceClient, upstream: ScriptedUpstream, error: type[httpx.RequestError]
    ) -> None:
        upstream.fail(error).answer(200, "ok")

        assert await client.get_json("/ships") == "ok"

    async def test_at_most_two(self, client: ServiceClient, upstream: ScriptedUpstream) -> None:
        upstream.answer(503)

        with pytest.raises(UpstreamUnavailableError) as caught:
            await client.request("GET", "/ships")

        assert caught.value.upstream_status == 503
        assert len(upstream.requests) == 3

    async def test_not_what_is_not_idempotent(self, client: ServiceClient, upstream: ScriptedUpstream) -> None:
        upstream.answer(503)

        await fail(client)

        assert len(upstream.requests) == 1

    async def test_post_with_a_key(self, client: ServiceClient, upstream: ScriptedUpstream) -> None:
        upstream.answer(503).answer(201, "made")

        assert await client.post_json("/ships", json={}, headers={"Idempotency-Key": "k"}) == "made"
        assert [seen.headers["Idempotency-Key"] for seen in upstream.requests] == ["k", "k"]

    @pytest.mark.parametrize("status", [400, 404, 409, 422, 500])
    async def test_not_what_would_only_fail_again(
        self, client: ServiceClient, upstream: ScriptedUpstream, status: int
    ) -> None:
        upstream.answer(status)

        with pytest.raises((UpstreamRejectedError, UpstreamUnavailableError)):
            await client.request("GET", "/ships")

        assert len(upstream.requests) == 1

    async def test_not_before_the_server_wants_it(self, client: ServiceClient, upstream: ScriptedUpstream) -> None:
        upstream.answer(503, headers={"Retry-After": "30"})

        with pytest.raises(UpstreamUnavailableError) as caught:
            await client.request("GET", "/ships")

        assert caught.value.headers["Retry-After"] == "30"
        assert len(upstream.requests) == 1

    async def test_budget(self, upstream: ScriptedUpstream) -> None:
        """A dead dependency sees at most a tenth more than it would without retries."""
        upstream.answer(503)
        policy = ClientPolicy(backoff_base=0.0, failure_threshold=10_000)
        async with ServiceClient("ships", "http://ships", policy=policy, backend=upstream.backend) as client:
            for _ in range(300):
                with pytest.raises(UpstreamUnavailableError):
                    await client.request("GET", "/ships")

        assert 300 < len(upstream.requests) <= 300 * 1.1 + 2


class TestTranslation:
    async def test_problem(self, client: ServiceClient, upstream: ScriptedUpstream) -> None:
        upstream.answer(409, {"code": "stale_fence", "status": 409, "fence": 3})

        with pytest.raises(UpstreamRejectedError) as caught:
            await client.request("POST", "/ships")

        error = caught.value
        assert (error.target, error.status, error.code, error.problem["fence"]) == ("ships", 409, "stale_fence", 3)
        assert str(error) == "ships: 409 stale_fence"

    @pytest.mark.parametrize("body", ["<html>", "[]", '"text"', '{"code": 7}', ""])
    async def test_rejection_without_a_problem(
        self, client: ServiceClient, upstream: ScriptedUpstream, body: str
    ) -> None:
        upstream.answer_text(body, 418)

        with pytest.raises(UpstreamRejectedError) as caught:
            await client.request("GET", "/ships")

        assert (caught.value.status, caught.value.code) == (418, None)

    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (httpx.ConnectError, FailureReason.CONNECT),
            (httpx.ConnectTimeout, FailureReason.TIMEOUT),
            (httpx.ReadTimeout, FailureReason.TIMEOUT),
            (httpx.WriteTimeout, FailureReason.TIMEOUT),
            (httpx.PoolTimeout, FailureReason.POOL_FULL),
            (httpx.ReadError, FailureReason.DISCONNECT),
            (httpx.RemoteProtocolError, FailureReason.DISCONNECT),
            (httpx.DecodingError, FailureReason.MALFORMED),
        ],
    )
    async def test_lower_failures(
        self,
        client: ServiceClient,
        upstream: ScriptedUpstream,
        error: type[httpx.RequestError],
        reason: FailureReason,
    ) -> None:
        upstream.fail(error)

        failure = await fail(client)

        assert (failure.target, failure.reason) == ("ships", reason)
        assert isinstance(failure.__cause__, error)

    async def test_redirect_is_not_followed(self, client: ServiceClient, upstream: ScriptedUpstream) -> None:
        upstream.answer(302, headers={"Location": "http://elsewhere.example/"})

        assert (await fail(client)).reason is FailureReason.MALFORMED
        assert len(upstream.requests) == 1

    async def test_outcomes_are_counted(self, upstream: ScriptedUpstream) -> None:
        upstream.answer(200).answer(404).fail()
        async with ServiceClient("docks", "http://docks", policy=INSTANT, backend=upstream.backend) as client:
            await client.request("GET", "/docks")
            with pytest.raises(UpstreamRejectedError):
                await client.request("GET", "/docks")
            await fail(client)

        for outcome in ("ok", "rejected", "connect"):
            labels = {"target": "docks", "outcome": outcome}
            assert REGISTRY.get_sample_value("upstream_call_duration_seconds_count", labels) == 1
