from auth.accounts.constants import Role
from auth.accounts.utils import find_spelling
from auth.admin.service import grant_role
from auth.audit.service import verify_chain
from auth.background import run_background
from auth.clients.config import ClientsConfig
from auth.clients.service import seed_clients
from auth.config import MIGRATIONS
from auth.keys.config import KeysConfig
from auth.keys.service import ensure_signing_key
from auth.main import create_app
from chassis.cli import OperatorCommand, ServiceCommands, run_service
from chassis.config import ConfigError, load_config
from chassis.database.config import DatabaseConfig
from chassis.database.engine import Database


async def seed() -> None:
    """What nobody could get a token without: a key to sign with, and the services as clients."""
    keys_config, clients_config = load_config(KeysConfig), load_config(ClientsConfig)
    async with Database(load_config(DatabaseConfig)) as database, database.transaction() as session:
        await ensure_signing_key(session, keys_config.create_fernet())
        await seed_clients(session, clients_config.list_secrets())


async def grant(email: str, role: str) -> list[str]:
    """How the first admin becomes one. Raises ConfigError."""
    if role not in set(Role):
        raise ConfigError(f"there is no role {role}; there are: {', '.join(Role)}")
    async with Database(load_config(DatabaseConfig)) as database, database.transaction() as session:
        is_granted = await grant_role(session, find_spelling(email), Role(role))
    if not is_granted:
        raise ConfigError("nobody has confirmed this e-mail address: sign up and confirm first")
    return [f"granted: {role}. It holds from the next login on."]


async def verify() -> list[str]:
    """Raises ConfigError at the first link that does not hold."""
    async with Database(load_config(DatabaseConfig)) as database:
        number, broken = await verify_chain(database)
    if broken is not None:
        raise ConfigError(f"the audit log holds up to link {number}, and is broken at link {broken}")
    return [f"the audit log holds: {number} links"]


TOOLS = (
    OperatorCommand("admin", "grant", "give somebody a role (admin, moderator, support)", ("email", "role"), grant),
    OperatorCommand("audit", "verify", "check the chain of the audit log", (), verify),
)

if __name__ == "__main__":
    run_service(
        ServiceCommands(
            name="auth",
            create_app=create_app,
            run_background=run_background,
            migrations=MIGRATIONS,
            after_migrate=seed,
            tools=TOOLS,
        )
    )
