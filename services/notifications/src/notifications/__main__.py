from chassis.cli import ServiceCommands, run_service
from notifications.background import AUTH_HANDLERS, CONSUMER, POSTS_HANDLERS, run_background
from notifications.config import MIGRATIONS
from notifications.main import create_app

if __name__ == "__main__":
    run_service(
        ServiceCommands(
            name="notifications",
            create_app=create_app,
            run_background=run_background,
            migrations=MIGRATIONS,
            handlers={CONSUMER: {**AUTH_HANDLERS, **POSTS_HANDLERS}},
        )
    )
