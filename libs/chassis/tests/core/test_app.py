import errno
import json
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from chassis.config import Environment
from chassis.context import create_traceparent
from chassis.database import errors
from chassis.database.dependencies import SessionDep
from chassis.database.routing import TransactionalRoute
from chassis.logs import configure_logging
from chassis.middleware import MAX_BODY_BYTES
from chassis.problems import ServiceUnavailableError, UnprocessableError, problem_responses
from chassis.testing.databases import RolledBackDatabase

CreateClient = Callable[[FastAPI], httpx.AsyncClient]
CreateApp = Callable[[Environment], FastAPI]


class BusyError(ServiceUnavailableError):
    code = "busy"


async def count_notes(database: RolledBackDatabase) -> int:
    async with database.transaction() as session:
        return int((await session.execute(text("select count(*) from note"))).scalar_one())


class TestProblems:
    async def assert_problem(self, response: httpx.Response, status: int, code: str) -> dict[str, Any]:
        assert response.status_code == status
        assert response.headers["content-type"] == "application/problem+json"
        body: dict[str, Any] = response.json()
        assert body["code"] == code
        assert body["status"] == status
        assert body["request_id"] == response.headers["x-request-id"]
        return body

    async def test_not_found_route(self, client: httpx.AsyncClient) -> None:
        await self.assert_problem(await client.get("/nowhere"), 404, "route_not_found")

    async def test_method_not_allowed(self, client: httpx.AsyncClient) -> None:
        await self.assert_problem(await client.put("/notes"), 405, "method_not_allowed")

    async def test_broken_json(self, client: httpx.AsyncClient) -> None:
        response = await client.post("/notes", content=b'{"text": ', headers={"content-type": "application/json"})
        await self.assert_problem(response, 422, "validation_failed")

    async def test_broken_utf8(self, client: httpx.AsyncClient) -> None:
        response = await client.post(
            "/notes", content=b'{"text": "\xff"}', headers={"content-type": "application/json"}
        )
        body = await self.assert_problem(response, 400, "malformed_body")
        assert "UTF-8" in body["detail"]

    async def test_unknown_field_is_named_and_its_value_not_repeated(self, client: httpx.AsyncClient) -> None:
        response = await client.post("/notes", json={"text": "a", "pasword": "hunter2hunter2"})
        body = await self.assert_problem(response, 422, "validation_failed")
        assert body["errors"][0]["field"] == "body.pasword"
        assert "hunter2" not in response.text

    @pytest.mark.parametrize("value", ["nul \x00 char", "lone \ud800 surrogate"])
    async def test_text_that_cannot_be_stored(self, client: httpx.AsyncClient, value: str) -> None:
        content = json.dumps({"text": value})
        response = await client.post("/notes", content=content, headers={"content-type": "application/json"})
        await self.assert_problem(response, 422, "validation_failed")

        assert [item["field"] for item in response.json()["errors"]] == ["body.text"]

    async def test_conflict_is_the_problem_of_its_constraint(self, client: httpx.AsyncClient) -> None:
        await client.post("/notes", json={"text": "same"})
        await self.assert_problem(await client.post("/notes", json={"text": "same"}), 409, "note_exists")

    async def test_fault_of_ours_tells_nothing_and_leaves_nothing(
        self, client: httpx.AsyncClient, database: RolledBackDatabase
    ) -> None:
        response = await client.post("/failures", json={"text": "half done"})
        await self.assert_problem(response, 500, "internal_error")
        assert "secret" not in response.text
        assert await count_notes(database) == 0

    async def test_unique_constraint_that_nobody_registered(
        self, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(errors, "_CONFLICTS", {})
        await client.post("/notes", json={"text": "canary"})
        await self.assert_problem(await client.post("/notes", json={"text": "canary"}), 409, "conflict")
        assert "note_text_key" in caplog.text
        assert "23505" in caplog.text
        assert "canary" not in caplog.text

    async def test_any_other_constraint_is_a_fault_of_ours(
        self, client: httpx.AsyncClient, database: RolledBackDatabase, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with database.transaction() as session:
            await session.execute(text("alter table note add constraint note_text_check check (text <> 'canary')"))
        response = await client.post("/notes", json={"text": "canary"})
        await self.assert_problem(response, 500, "internal_error")
        assert "note_text_check (23514)" in caplog.text
        assert "canary" not in caplog.text

    @pytest.mark.parametrize("sqlstate", ["40P01", "40001", "55P03", "57014", "53300"])
    async def test_what_may_succeed_a_moment_later_is_503(
        self, app: FastAPI, client: httpx.AsyncClient, sqlstate: str
    ) -> None:
        async def read_conflict(session: SessionDep) -> None:
            statement = f"do $$ begin raise exception 'in the way' using errcode = '{sqlstate}'; end $$"
            await session.execute(text(statement))

        app.router.routes.append(TransactionalRoute("/conflicts", read_conflict))
        response = await client.get("/conflicts")
        await self.assert_problem(response, 503, "service_unavailable")
        assert response.headers["retry-after"] == "2"

    @pytest.mark.parametrize(
        "error",
        [
            socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
            OSError(errno.EHOSTUNREACH, "No route to host"),
            ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
            TimeoutError(),
        ],
        ids=lambda error: type(error).__name__,
    )
    async def test_database_host_out_of_reach(self, app: FastAPI, client: httpx.AsyncClient, error: OSError) -> None:
        async def connect() -> None:
            raise error

        app.router.routes.append(TransactionalRoute("/unreachable", connect))
        response = await client.get("/unreachable")
        await self.assert_problem(response, 503, "service_unavailable")
        assert response.headers["retry-after"] == "2"

    async def test_file_that_is_missing_is_a_fault_of_ours(self, app: FastAPI, client: httpx.AsyncClient) -> None:
        async def read() -> None:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")

        app.router.routes.append(TransactionalRoute("/missing", read))
        await self.assert_problem(await client.get("/missing"), 500, "internal_error")

    async def test_body_with_length_too_large(self, client: httpx.AsyncClient) -> None:
        response = await client.post("/notes", content=b"x" * (MAX_BODY_BYTES + 1))
        await self.assert_problem(response, 413, "content_too_large")

    async def test_body_in_chunks_too_large(self, client: httpx.AsyncClient) -> None:
        async def stream() -> AsyncIterator[bytes]:
            for _ in range(3):
                yield b"x" * (MAX_BODY_BYTES // 2)

        response = await client.post("/notes", content=stream(), headers={"content-type": "application/json"})
        await self.assert_problem(response, 413, "content_too_large")


class TestRequestContext:
    async def test_valid_request_id_comes_back(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/notes", headers={"X-Request-ID": "my-request-1"})
        assert response.headers["X-Request-ID"] == "my-request-1"

    async def test_hostile_request_id_is_replaced(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/notes", headers={"X-Request-ID": 'x"} forged: {"level'})
        assert "forged" not in response.headers["X-Request-ID"]

    async def test_each_request_is_one_json_line(
        self, capsys: pytest.CaptureFixture[str], client: httpx.AsyncClient
    ) -> None:
        configure_logging("INFO", "json")  # anew, on the standard output that is captured here
        traceparent = create_traceparent()
        headers = {"X-Request-ID": "logged-request", "traceparent": traceparent, "Authorization": "Bearer canary"}
        await client.get("/notes", headers=headers)
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "logged-request" in line]
        assert [(line["event"], line["status"], line["route"]) for line in lines] == [("request", 200, "/notes")]
        assert lines[0]["trace_id"] == traceparent.split("-")[1]
        assert "canary" not in json.dumps(lines)

    async def test_security_headers_stand_on_every_answer(self, client: httpx.AsyncClient) -> None:
        for path in ("/notes", "/nowhere", "/livez"):
            headers = (await client.get(path)).headers
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


class TestDocs:
    @pytest.mark.parametrize(
        ("environment", "status"),
        [(Environment.LOCAL, 200), (Environment.STAGING, 200), (Environment.PRODUCTION, 404)],
    )
    async def test_shown_only_in_local_and_staging(
        self, create_client: CreateClient, create_notes_app: CreateApp, environment: Environment, status: int
    ) -> None:
        client = create_client(create_notes_app(environment))
        for path in ("/docs/", "/docs/openapi.json"):
            assert (await client.get(path)).status_code == status
        for path in ("/openapi.json", "/redoc"):
            assert (await client.get(path)).status_code == 404

    def test_every_error_is_documented_as_a_problem(self, create_notes_app: CreateApp) -> None:
        document = create_notes_app(Environment.PRODUCTION).openapi()
        responses = document["paths"]["/notes"]["post"]["responses"]
        assert {"201", "400", "413", "422", "500", "503"} <= set(responses)
        for status, response in responses.items():
            if status >= "400":
                assert list(response["content"]) == ["application/problem+json"]

    def test_codes_of_a_route_stand_beside_those_of_any(self, create_notes_app: CreateApp) -> None:
        app = create_notes_app(Environment.PRODUCTION)

        async def read(name: str) -> None: ...

        declared = problem_responses(UnprocessableError, BusyError)
        declared[400] = {"description": "A page.", "content": {"text/html": {}}}
        app.add_api_route("/busy", read, responses=declared, methods=["POST"])
        responses = app.openapi()["paths"]["/busy"]["post"]["responses"]
        assert responses["422"]["description"] == "`unprocessable`, `validation_failed`"
        assert responses["503"]["description"] == "`busy`, `service_unavailable`"
        assert responses["500"]["description"] == "`internal_error`"
        assert (responses["400"]["description"], list(responses["400"]["content"])) == ("A page.", ["text/html"])


class TestHealth:
    async def test_livez(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/livez")).json() == {"status": "ok"}

    async def test_readyz(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/readyz")).status_code == 200

    async def test_metrics(self, client: httpx.AsyncClient) -> None:
        await client.get("/notes")
        assert 'route="/notes"' in (await client.get("/metrics")).text

    async def test_metrics_know_no_method_that_a_stranger_thinks_up(self, client: httpx.AsyncClient) -> None:
        await client.request("BREW", "/notes")
        metrics = (await client.get("/metrics")).text
        assert "BREW" not in metrics
        assert 'method="OTHER"' in metrics
