"""The OpenAPI document of a service: the problem schema, and the errors that any route may answer."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from chassis.problems import PROBLEM_MEDIA_TYPE, Problem

PROBLEM_REF = {"schema": {"$ref": "#/components/schemas/Problem"}}
COMMON_RESPONSES = {
    "500": "`internal_error`",
    "503": "`service_unavailable`",
}
INPUT_RESPONSES = {"422": "`validation_failed`"}
VALIDATED_BODIES = {"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}
BODY_RESPONSES = {"400": "`malformed_body`", "413": "`content_too_large`"}


def install_openapi(app: FastAPI) -> None:
    def create_openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = build_openapi(app)
        return app.openapi_schema

    app.openapi = create_openapi  # type: ignore[method-assign]


def build_openapi(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        servers=[{"url": "/api/v1"}],
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for operations in document.get("paths", {}).values():
        for operation in operations.values():
            _complete_responses(operation)
    return document


def _complete_responses(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    common = dict(COMMON_RESPONSES)
    if "requestBody" in operation:
        common |= BODY_RESPONSES
    if _is_validated(operation):
        common |= INPUT_RESPONSES
    if "application/json" in responses.get("422", {}).get("content", {}):
        # The framework's own words on what does not validate.
        del responses["422"]
    for status, codes in common.items():
        response = responses.setdefault(status, {"description": codes})
        # A route's own codes stand beside these; where it says it in words, a page or OAuth, its words stay alone.
        if response["description"].startswith("`") and codes not in response["description"]:
            response["description"] = ", ".join(sorted([*response["description"].split(", "), codes]))
    for status, response in responses.items():
        if int(status) >= HTTPStatus.BAD_REQUEST:
            # What a route declares stays: OAuth has a media type of its own, and pages are pages.
            response.setdefault("content", {PROBLEM_MEDIA_TYPE: PROBLEM_REF})


def _is_validated(operation: dict[str, Any]) -> bool:
    """Whether there is anything that could be invalid: an image is taken as it comes."""
    bodies = operation.get("requestBody", {}).get("content", {})
    return "parameters" in operation or not VALIDATED_BODIES.isdisjoint(bodies)
