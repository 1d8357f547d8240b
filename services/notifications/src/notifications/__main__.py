from chassis.cli import ServiceCommands, run_service
from notifications.background import run_background
from notifications.config import MIGRATIONS
from notifications.main import create_app


async def seed_nothing() -> None:
    """All that this service needs comes by events."""


if __name__ == "__main__":
    run_service(
        ServiceCommands(
            name="notifications",
            create_app=create_app,
            run_background=run_background,
            migrations=MIGRATIONS,
            after_migrate=seed_nothing,
        )
    )
