"""The chassis is no service: a small migrations folder of its own builds the tables that its tests use."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("ENVIRONMENT", "local")


@pytest.fixture(scope="session")
def migrations_path() -> Path:
    """Each test package that needs tables adds a revision to `migrations/versions`."""
    return Path(__file__).parent / "migrations"
