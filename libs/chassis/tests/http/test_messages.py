import json
import pickle
from datetime import UTC, datetime
from uuid import UUID

import pytest

from chassis.http.exceptions import FailureReason, UpstreamRejectedError, UpstreamUnavailableError
from chassis.http.messages import UpstreamResponse, build_request
from chassis.problems import ServiceUnavailableError
from chassis.schemas import CustomModel, UtcDatetime

SHIP_ID = UUID(int=7)


class Ship(CustomModel):
    ship_id: UUID
    sailed_at: UtcDatetime


class TestBuildRequest:
    @pytest.mark.parametrize("path", ["ships", "http://elsewhere.example/ships", "//elsewhere.example/ships", ""])
    def test_another_host(self, path: str) -> None:
        with pytest.raises(ValueError, match="one slash"):
            build_request("GET", path)

    @pytest.mark.parametrize(
        ("method", "is_idempotent"),
        [("GET", True), ("HEAD", True), ("PUT", True), ("DELETE", True), ("POST", False), ("PATCH", False)],
    )
    def test_idempotent_by_method(self, method: str, is_idempotent: bool) -> None:
        assert build_request(method, "/ships").idempotent is is_idempotent

    def test_idempotent_by_key(self) -> None:
        assert build_request("POST", "/ships", headers={"idempotency-KEY": "1"}).idempotent

    def test_idempotent_by_word(self) -> None:
        assert build_request("POST", "/ships", idempotent=True).idempotent
        assert not build_request("GET", "/ships", idempotent=False).idempotent

    def test_models_in_json(self) -> None:
        ship = Ship(ship_id=SHIP_ID, sailed_at=datetime(2026, 1, 2, tzinfo=UTC))

        request = build_request("POST", "/ships", json={"ship": ship, "id": SHIP_ID})

        assert request.content is not None
        assert json.loads(request.content) == {
            "ship": {"ship_id": str(SHIP_ID), "sailed_at": "2026-01-02T00:00:00.000000Z"},
            "id": str(SHIP_ID),
        }
        assert request.headers["Content-Type"] == "application/json"

    def test_form(self) -> None:
        request = build_request("POST", "/ships", form={"name": "a b&c"})

        assert request.content == b"name=a+b%26c"
        assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"

    def test_parameters_without_a_value_are_left_out(self) -> None:
        assert build_request("GET", "/ships", params={"after": None, "limit": 5}).params == {"limit": 5}


class TestUpstreamResponse:
    def test_empty(self) -> None:
        assert UpstreamResponse("ships", 204, {}, b"").json() is None

    @pytest.mark.parametrize("content", [b"<html>", b"\xff\xfe", b"[" * 100_000])
    def test_malformed(self, content: bytes) -> None:
        with pytest.raises(UpstreamUnavailableError) as caught:
            UpstreamResponse("ships", 200, {}, content).json()

        assert caught.value.reason is FailureReason.MALFORMED


class TestUpstreamErrors:
    def test_unavailable_is_a_503_that_names_nobody(self) -> None:
        error = UpstreamUnavailableError("ships", FailureReason.SERVER_ERROR, status=502, retry_after=4)

        assert isinstance(error, ServiceUnavailableError)
        assert error.headers == {"Retry-After": "4"}
        assert error.to_dict()["code"] == "service_unavailable"
        assert "ships" not in json.dumps(error.to_dict())
        assert str(error) == "ships: server_error 502"

    def test_errors_survive_a_process_border(self) -> None:
        unavailable = UpstreamUnavailableError("ships", FailureReason.TIMEOUT, retry_after=4)
        rejected = UpstreamRejectedError("ships", 409, {"code": "stale_fence"})

        copies = pickle.loads(pickle.dumps([unavailable, rejected]))  # noqa: S301 - our own bytes

        assert (copies[0].target, copies[0].reason, copies[0].retry_after) == ("ships", FailureReason.TIMEOUT, 4)
        assert (copies[1].status, copies[1].code) == (409, "stale_fence")
