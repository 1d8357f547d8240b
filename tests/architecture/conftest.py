import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Not settings of a service, but what these read themselves.
READERS = ("docker-compose.yml", "deploy", "Makefile")


@pytest.fixture(scope="session")
def example() -> set[str]:
    """The names of all variables in `.env.example`, also of those that are commented out."""
    return set(re.findall(r"^#?\s?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


@pytest.fixture(scope="session")
def other_readers() -> set[str]:
    """Variables that Compose, the gateway and the tools under deploy/ read."""
    paths = [path for name in READERS for path in [ROOT / name, *(ROOT / name).rglob("*")] if path.is_file()]
    text = "\n".join(path.read_text(errors="ignore") for path in paths if "__pycache__" not in path.parts)
    return set(re.findall(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+", text))
