"""Over the routes, their dependencies and the schemas of all services."""

import importlib
import inspect
import json
import os
import pkgutil
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import AwareDatetime, BaseModel

from chassis.config import load_config
from chassis.schemas import CustomModel

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.parent.name for path in (ROOT / "services").glob("*/pyproject.toml"))
MEMBERS = (*SERVICES, "chassis", "worker")
RESOURCE = re.compile(r"/([a-z-]+)/\{(\w+)\}")
# One thing may have two names: a creator is a profile.
SAME_THING = {"creators": "profiles", "users": "users"}
VERBS = re.compile(r"/(get|list|create|update|delete|publish|follow|confirm|send|do)(?=/|$)")
# What identifies without an id: no two may have the same.
NATURAL_KEYS = {"username"}
# What takes no part in REST: OAuth 2.0 has its own names, and a job's steps are reports of the worker.
NOT_REST = ("/auth/", "/internal/")


@pytest.fixture(scope="module", params=SERVICES)
def app(request: pytest.FixtureRequest) -> Iterator[FastAPI]:
    with pytest.MonkeyPatch.context() as patch:
        for line in (ROOT / ".env.example").read_text().splitlines():
            name, separator, value = line.partition("=")
            if separator and not name.startswith("#"):
                patch.setitem(os.environ, name, value)
        patch.setitem(os.environ, "ENVIRONMENT", "local")
        load_config.cache_clear()
        yield importlib.import_module(f"{request.param}.main").create_app()
        load_config.cache_clear()


def list_dependencies(dependant: Dependant) -> Iterator[Any]:
    for dependency in dependant.dependencies:
        yield dependency.call
        yield from list_dependencies(dependency)


def is_async(call: Any) -> bool:
    # Security schemes are instances: what runs is their `__call__`.
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004


class TestRoutes:
    def test_routes_and_dependencies_are_async(self, app: FastAPI) -> None:
        routes = [context.route for context in iter_route_contexts(app.routes)]
        checked = [route for route in routes if isinstance(route, APIRoute)]
        assert checked
        sync = [
            f"{route.path}: {getattr(call, '__name__', call)}"
            for route in checked
            for call in [route.endpoint, *list_dependencies(route.dependant)]
            if not is_async(call)
        ]
        assert sync == []


class TestPaths:
    def list_paths(self) -> list[str]:
        files = ((ROOT / "docs" / "openapi" / f"{service}.json").read_text() for service in SERVICES)
        return [path for file in files for path in json.loads(file)["paths"]]

    def test_same_thing_has_the_same_parameter_everywhere(self) -> None:
        names: dict[str, set[str]] = defaultdict(set)
        for path in self.list_paths():
            for resource, parameter in RESOURCE.findall(path):
                names[SAME_THING.get(resource, resource)].add(parameter)
        assert names
        assert {thing: found for thing, found in names.items() if len(found) > 1} == {}

    def test_parameters_say_what_they_identify(self) -> None:
        parameters = {name for path in self.list_paths() for name in re.findall(r"\{(\w+)\}", path)}
        assert [name for name in parameters - NATURAL_KEYS if not name.endswith("_id")] == []

    def test_paths_are_nouns(self) -> None:
        paths = [path for path in self.list_paths() if not path.startswith(NOT_REST)]
        assert [path for path in paths if VERBS.search(path)] == []


def list_models() -> list[type[BaseModel]]:
    modules = (
        importlib.import_module(info.name)
        for member in MEMBERS
        for info in pkgutil.walk_packages(importlib.import_module(member).__path__, f"{member}.")
        if info.name.endswith(("schemas", "contracts.accounts", "contracts.posts", "contracts.base"))
    )
    found = {value for module in modules for value in vars(module).values() if inspect.isclass(value)}
    models = (value for value in found if issubclass(value, BaseModel) and value is not BaseModel)
    return sorted(models, key=lambda model: f"{model.__module__}.{model.__qualname__}")


@pytest.mark.parametrize("model", list_models(), ids=lambda model: f"{model.__module__}.{model.__qualname__}")
class TestSchemas:
    def test_derives_from_the_custom_model(self, model: type[BaseModel]) -> None:
        assert issubclass(model, CustomModel)

    def test_no_moment_without_a_zone(self, model: type[BaseModel]) -> None:
        naive = [name for name, field in model.model_fields.items() if field.annotation is datetime]
        assert naive == []
        aware = [field for field in model.model_fields.values() if field.annotation is AwareDatetime]
        assert all(field.metadata for field in aware), "declare moments as UtcDatetime"
