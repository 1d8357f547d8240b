from chassis.cli import ServiceCommands, run_service
from posts.background import CONSUMER, HANDLERS, run_background
from posts.config import MIGRATIONS
from posts.main import create_app

if __name__ == "__main__":
    run_service(
        ServiceCommands(
            name="posts",
            create_app=create_app,
            run_background=run_background,
            migrations=MIGRATIONS,
            handlers={CONSUMER: HANDLERS},
        )
    )
