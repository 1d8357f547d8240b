from chassis.cli import ServiceCommands, run_service
from posts.background import run_background
from posts.config import MIGRATIONS
from posts.main import create_app


async def seed() -> None:
    """There is nothing that posts must have."""


if __name__ == "__main__":
    run_service(
        ServiceCommands(
            name="posts",
            create_app=create_app,
            run_background=run_background,
            migrations=MIGRATIONS,
            after_migrate=seed,
        )
    )
