"""The committed OpenAPI files are those that the services make, and all speak the same language."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.parent.name for path in (ROOT / "services").glob("*/pyproject.toml"))
OTHER_ERRORS = {
    **dict.fromkeys(("/auth/token", "/auth/logout", "/auth/introspect", "/auth/revoke"), "application/json"),
    "/auth/authorize": "text/html",
}
"""RFC 6749, 5.2, fixes the media type of what OAuth refuses; a page is for people."""
METHODS = {"get", "post", "put", "patch", "delete"}


def load_document(service: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((ROOT / "docs" / "openapi" / f"{service}.json").read_text())
    return document


def list_operations(service: str) -> list[tuple[str, str, dict[str, Any]]]:
    paths: dict[str, dict[str, Any]] = load_document(service)["paths"]
    return [
        (method, path, operation)
        for path, operations in paths.items()
        for method, operation in operations.items()
        if method in METHODS
    ]


@pytest.mark.parametrize("service", SERVICES)
class TestOpenapi:
    def test_committed_file_is_not_stale(self, service: str) -> None:
        environment = {**os.environ, **read_example_environment()}
        made = subprocess.run(
            [sys.executable, "-m", service, "openapi"], env=environment, capture_output=True, text=True, check=True
        )
        assert json.loads(made.stdout) == load_document(service), "run `make openapi`"

    def test_every_operation_is_documented(self, service: str) -> None:
        for method, path, operation in list_operations(service):
            for name in ("summary", "description", "tags", "responses"):
                assert operation.get(name), f"{method} {path} has no {name}"

    def test_every_error_is_a_problem(self, service: str) -> None:
        for method, path, operation in list_operations(service):
            for status, response in operation["responses"].items():
                if status >= "400":
                    allowed = {"application/problem+json", OTHER_ERRORS.get(path)}
                    assert set(response["content"]) <= allowed, f"{method} {path} {status}"

    def test_every_list_is_an_envelope(self, service: str) -> None:
        for method, path, operation in list_operations(service):
            schema = (
                operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
            )
            assert schema.get("type") != "array", f"{method} {path} answers a bare list"

    def test_input_is_bounded(self, service: str) -> None:
        """Every string that comes in has a length or a format, every number a range, every list a maximum."""
        schemas: dict[str, Any] = load_document(service)["components"]["schemas"]
        loose = [
            f"{name}.{field}"
            for name, schema in schemas.items()
            if schema.get("additionalProperties") is False or name.startswith("Body_")
            for field, value in schema["properties"].items()
            if not is_bounded(value)
        ]
        assert loose == []


def is_bounded(schema: dict[str, Any]) -> bool:
    if "anyOf" in schema:
        return all(is_bounded(option) for option in schema["anyOf"])
    kind = schema.get("type")
    if kind == "string":
        return bool({"maxLength", "format", "enum", "const", "pattern"} & schema.keys())
    if kind in {"integer", "number"}:
        return bool({"maximum", "exclusiveMaximum"} & schema.keys()) and bool(
            {"minimum", "exclusiveMinimum"} & schema.keys()
        )
    if kind == "array":
        return "maxItems" in schema
    return True


def read_example_environment() -> dict[str, str]:
    lines = (line.strip() for line in (ROOT / ".env.example").read_text().splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs} | {"ENVIRONMENT": "local"}
