"""Reads the compose project, by Docker's own `compose config` where it is installed, else as plain YAML."""

import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[3]
BASE: Final = "docker-compose.yml"
# What people and machines start, by name.
PROJECTS: Final = {
    "plain": (BASE,),
    "people": (BASE, "docker-compose.override.yml"),
    "e2e": (BASE, "docker-compose.override.yml", "deploy/compose.e2e.yml"),
    "production": (BASE, "deploy/compose.production.yml"),
}
Service = dict[str, Any]


class OverrideLoader(yaml.SafeLoader):
    """YAML with the one tag of Compose that is used here; what it marks replaces what was there."""


def _construct_list(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> list[Any]:
    return loader.construct_sequence(node)


OverrideLoader.add_constructor("!override", _construct_list)


@cache
def has_compose() -> bool:
    """Whether `docker compose` is on this machine; no engine has to run."""
    docker = shutil.which("docker")
    if docker is None:
        return False
    return subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0


def run_config(*files: str, env_file: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What `docker compose config` says of some files."""
    options = [option for file in files for option in ("--file", file)]
    return subprocess.run(
        ["docker", "compose", "--env-file", env_file, *options, "config", "--format", "json"],
        cwd=ROOT,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def list_variables(*files: str) -> dict[str, str]:
    """The variables that some compose files read, each with what follows its name, such as `:-8080` or `:?why`."""
    text = "\n".join((ROOT / file).read_text() for file in files)
    return dict(re.findall(r"(?<!\$)\$\{([A-Z][A-Z0-9_]*)([^}]*)\}", text))


@cache
def load_project(name: str) -> dict[str, Any]:
    """A project with its files merged."""
    files = PROJECTS[name]
    if not has_compose():
        return _merge_files(files)
    required = {
        variable: f"set-{variable.lower()}" for variable, rest in list_variables(*files).items() if ":?" in rest
    }
    ended = run_config(*files, env_file="/dev/null", variables=required | {"ENVIRONMENT": "local"})
    assert ended.returncode == 0, ended.stderr
    project: dict[str, Any] = json.loads(ended.stdout)
    return project


def list_services(name: str) -> dict[str, Service]:
    """The services of a project by name."""
    services: dict[str, Service] = load_project(name)["services"]
    return services


def list_names(entries: Any, key: str = "source") -> list[str]:
    """The names in a list or mapping that Compose lets be written in a short and in a long form."""
    if isinstance(entries, dict):
        return list(entries)
    return [entry[key] if isinstance(entry, dict) else entry for entry in entries or []]


def list_host_ports(service: Service) -> list[tuple[str, str]]:
    """The interface and the port on the host of each port that a service opens there; empty where it is every one."""
    ports = []
    for port in service.get("ports", []):
        if isinstance(port, dict):
            ports.append((port.get("host_ip", ""), str(port["published"])))
        else:
            plain = re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", port)
            interface, _, published = plain.rpartition(":")[0].rpartition(":")
            ports.append((interface, published))
    return ports


def _merge_files(files: tuple[str, ...]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for file in files:
        merged = _merge(merged, yaml.load((ROOT / file).read_text(), Loader=OverrideLoader))  # noqa: S506 (a SafeLoader)
    return merged


def _merge(under: Any, over: Any) -> Any:
    if isinstance(under, dict) and isinstance(over, dict):
        return under | {key: _merge(under.get(key), value) for key, value in over.items()}
    return under if over is None else over
