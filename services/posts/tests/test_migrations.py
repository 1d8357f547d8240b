"""The migrations, up and down and up again, and that they make what the models say."""

from chassis.testing.migrations import MigrationSuite


class TestMigrations(MigrationSuite):
    pass
