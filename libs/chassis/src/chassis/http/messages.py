"""A request and an answer between services, free of the library that carries them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack
from urllib.parse import urlencode

from pydantic_core import to_json

from chassis.http.exceptions import FailureReason, UpstreamUnavailableError

IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})

QueryParams = Mapping[str, str | int | float | bool | None]


class RequestOptions(TypedDict, total=False):
    """`json` may hold models, UUIDs and datetimes. `timeout` in seconds replaces the client's own (long polls).

    `idempotent` overrides the rule: GET, HEAD, PUT, DELETE, and whatever carries an Idempotency-Key.
    """

    params: QueryParams
    json: object
    form: Mapping[str, str]
    headers: Mapping[str, str]
    idempotent: bool
    timeout: float


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    method: str
    path: str
    params: QueryParams
    headers: dict[str, str]
    content: bytes | None
    idempotent: bool
    timeout: float | None


@dataclass(frozen=True, slots=True)
class UpstreamResponse:
    target: str
    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """None for an empty body. Raises UpstreamUnavailableError when the body is no JSON."""
        if not self.content:
            return None
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError) as error:
            raise UpstreamUnavailableError(self.target, FailureReason.MALFORMED, status=self.status) from error


def build_request(method: str, path: str, **options: Unpack[RequestOptions]) -> UpstreamRequest:
    # An absolute URL here would carry the service token to a host that somebody else chose.
    if not path.startswith("/") or path.startswith("//"):
        raise ValueError(f"the path of a call starts with one slash: {path!r}")
    headers = dict(options.get("headers", {}))
    content = _encode_body(options, headers)
    has_key = any(name.lower() == "idempotency-key" for name in headers)
    return UpstreamRequest(
        method=method,
        path=path,
        params={name: value for name, value in options.get("params", {}).items() if value is not None},
        headers=headers,
        content=content,
        idempotent=options.get("idempotent", method in IDEMPOTENT_METHODS or has_key),
        timeout=options.get("timeout"),
    )


def _encode_body(options: RequestOptions, headers: dict[str, str]) -> bytes | None:
    if "form" in options:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return urlencode(options["form"]).encode()
    if "json" in options:
        headers["Content-Type"] = "application/json"
        return to_json(options["json"])
    return None
