"""Settings: small classes, every variable of them in `.env.example`, and none that a container could not be given."""

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest
from composefile import list_names, list_services

from chassis.config import BaseConfig

MEMBERS = ("chassis", "auth", "posts", "notifications", "worker")
MAX_FIELDS = 15


def list_config_modules() -> list[ModuleType]:
    found = []
    for member in MEMBERS:
        package = importlib.import_module(member)
        names = [info.name for info in pkgutil.walk_packages(package.__path__, f"{member}.")]
        found += [importlib.import_module(name) for name in names if name.endswith("config")]
    return found


def list_config_classes() -> list[type[BaseConfig]]:
    modules = list_config_modules()
    classes = {value for module in modules for value in vars(module).values() if isinstance(value, type)}
    return sorted((cls for cls in classes if issubclass(cls, BaseConfig)), key=lambda cls: cls.__qualname__)


def list_variables(config_class: type[BaseConfig]) -> set[str]:
    prefix = str(config_class.model_config.get("env_prefix", ""))
    return {str(field.validation_alias or prefix + name).upper() for name, field in config_class.model_fields.items()}


@pytest.mark.parametrize("config_class", list_config_classes(), ids=lambda cls: cls.__qualname__)
class TestConfig:
    def test_is_small_and_frozen(self, config_class: type[BaseConfig]) -> None:
        assert len(config_class.model_fields) <= MAX_FIELDS
        assert config_class.model_config["frozen"] is True

    def test_every_variable_is_in_the_example(self, config_class: type[BaseConfig], example: set[str]) -> None:
        assert list_variables(config_class) - example == set()

    def test_every_variable_reaches_a_container(self, config_class: type[BaseConfig]) -> None:
        """What somebody sets in `.env` is not lost on its way into the compose project."""
        member = config_class.__module__.partition(".")[0]
        reached: set[str] = set()
        for service in list_services("production").values():
            if member == "chassis" or service["image"].startswith(f"broadsheet/{member}:"):
                reached |= set(service.get("environment", {}))
                reached |= {Path(name).name.upper() for name in list_names(service.get("secrets"), "target")}
        assert list_variables(config_class) - reached == set()


def test_example_holds_no_variable_that_nobody_reads(example: set[str], other_readers: set[str]) -> None:
    known = set().union(*(list_variables(config_class) for config_class in list_config_classes()))
    assert example - known - other_readers == set()
