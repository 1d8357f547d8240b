from auth.background import run_background
from auth.clients.config import ClientsConfig
from auth.clients.service import seed_clients
from auth.config import MIGRATIONS
from auth.keys.config import KeysConfig
from auth.keys.service import ensure_signing_key
from auth.main import create_app
from chassis.cli import ServiceCommands, run_service
from chassis.config import load_config
from chassis.database.config import DatabaseConfig
from chassis.database.engine import Database


async def seed() -> None:
    """What nobody could get a token without: a key to sign with, and the services as clients."""
    keys_config, clients_config = load_config(KeysConfig), load_config(ClientsConfig)
    async with Database(load_config(DatabaseConfig)) as database, database.transaction() as session:
        await ensure_signing_key(session, keys_config.create_fernet())
        await seed_clients(session, clients_config.list_secrets())


if __name__ == "__main__":
    run_service(
        ServiceCommands(
            name="auth",
            create_app=create_app,
            run_background=run_background,
            migrations=MIGRATIONS,
            after_migrate=seed,
        )
    )
