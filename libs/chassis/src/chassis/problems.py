"""Errors for clients: RFC 9457 problem details with a stable code, the same in every service.

ProblemError
├── BadRequestError            400
├── UnauthorizedError          401, with WWW-Authenticate
├── ForbiddenError             403
├── NotFoundError              404
├── ConflictError              409
├── PreconditionFailedError    412
├── ContentTooLargeError       413
├── UnprocessableError         422
├── TooManyRequestsError       429, with Retry-After
└── ServiceUnavailableError    503, with Retry-After
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from pydantic import Field

from chassis.context import get_request_id
from chassis.schemas import CustomModel

PROBLEM_MEDIA_TYPE = "application/problem+json"


class FieldProblem(CustomModel):
    """One thing that is wrong with the input. The value itself is never echoed."""

    field: str = Field(max_length=500, description="Where: a path such as `body.title` or `query.limit`.")
    code: str = Field(max_length=100, description="The rule that is broken, stable.")
    message: str = Field(max_length=1000)


class Problem(CustomModel):
    """RFC 9457 problem details."""

    type: str = Field(max_length=200, description="A URI reference that names the kind of the problem.")
    title: str = Field(max_length=200)
    status: int = Field(ge=400, le=599)
    code: str = Field(max_length=100, description="Stable, for programs.")
    detail: str | None = Field(default=None, max_length=2000)
    request_id: str | None = Field(default=None, max_length=128)
    errors: list[FieldProblem] | None = Field(default=None, max_length=1000)


class ProblemError(Exception):
    """Base of every error that a client may see. Subclasses set `code` and, where it helps, `title`."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str | None] = None
    keeps_changes: ClassVar[bool] = False
    """Whether what was written before it is committed: a refusal that must leave a trace."""

    def __init__(
        self,
        detail: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail or self.code)
        self.detail = detail
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    def to_dict(self) -> dict[str, Any]:
        return create_problem(self.status, self.code, title=self.title, detail=self.detail, extra=self.extra)


class BadRequestError(ProblemError):
    status = 400
    code = "bad_request"


class UnauthorizedError(ProblemError):
    status = 401
    code = "unauthorized"

    def __init__(self, detail: str | None = None, *, challenge: str = "Bearer") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class ForbiddenError(ProblemError):
    status = 403
    code = "forbidden"


class NotFoundError(ProblemError):
    status = 404
    code = "not_found"


class ConflictError(ProblemError):
    status = 409
    code = "conflict"


class PreconditionFailedError(ProblemError):
    status = 412
    code = "precondition_failed"


class ContentTooLargeError(ProblemError):
    status = 413
    code = "content_too_large"


class UnprocessableError(ProblemError):
    status = 422
    code = "unprocessable"


class _RetryableError(ProblemError):
    def __init__(self, detail: str | None = None, *, retry_after: int = 1) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class TooManyRequestsError(_RetryableError):
    status = 429
    code = "too_many_requests"


class ServiceUnavailableError(_RetryableError):
    status = 503
    code = "service_unavailable"


def create_problem(
    status: int,
    code: str,
    *,
    title: str | None = None,
    detail: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The body of a problem, members without a value left out."""
    body = {
        "type": f"/problems/{code.replace('_', '-')}",
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": get_request_id(),
        **(extra or {}),
    }
    return {name: value for name, value in body.items() if value is not None}


def problem_responses(*errors: type[ProblemError]) -> dict[int | str, dict[str, Any]]:
    """What a route declares as `responses=`: one entry a status, the codes in its description."""
    codes: dict[int, list[str]] = {}
    for error in errors:
        codes.setdefault(error.status, []).append(error.code)
    return {
        status: {
            "description": ", ".join(f"`{code}`" for code in sorted(set(names))),
            "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, names in sorted(codes.items())
    }
