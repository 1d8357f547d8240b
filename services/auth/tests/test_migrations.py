"""The migrations, up and down and up again, and that they make what the models say."""

import re

import pytest

from auth.keys.constants import KeyState
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.migrations import MigrationSuite


class TestMigrations(MigrationSuite):
    @pytest.mark.parametrize(("constraint", "values"), [("key_pair_state_check", KeyState)])
    async def test_values(self, database: RolledBackDatabase, constraint: str, values: type[KeyState]) -> None:
        """What the code may write is what the database takes."""
        query = "select pg_get_constraintdef(oid) from pg_constraint where conname = $1"
        definition = await database.driver_connection.fetchval(query, constraint)
        assert set(re.findall(r"'(\w+)'", definition)) == set(values)
