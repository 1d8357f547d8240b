"""The migrations, up and down and up again, and that they make what the models say."""

import re
from collections.abc import Iterable

import pytest

from chassis.jobs.models import JobState
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.migrations import MigrationSuite
from notifications.deliveries.constants import DeliveryPolicy, EmailKind, EmailState
from notifications.inbox.constants import NotificationKind


class TestMigrations(MigrationSuite):
    @pytest.mark.parametrize(
        ("constraint", "values"),
        [
            ("notification_kind_check", NotificationKind),
            ("delivery_email_kind_check", EmailKind),
            ("delivery_email_policy_check", DeliveryPolicy),
            ("delivery_email_state_check", [*JobState, *EmailState]),
        ],
    )
    async def test_values(self, database: RolledBackDatabase, constraint: str, values: Iterable[str]) -> None:
        """What the code may write is what the database takes."""
        query = "select pg_get_constraintdef(oid) from pg_constraint where conname = $1"
        definition = await database.driver_connection.fetchval(query, constraint)
        assert set(re.findall(r"'(\w+)'", definition)) == set(values)
