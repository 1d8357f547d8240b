from auth.accounts.constants import Role
from auth.accounts.utils import find_spelling
from auth.admin.service import grant_role
from auth.audit.service import count_strays, verify_chain
from auth.background import run_background
from auth.clients.config import ClientsConfig
from auth.clients.service import seed_clients
from auth.config import MIGRATIONS
from auth.keys.config import KeysConfig
from auth.keys.service import ensure_signing_key, list_keys, rotate_keys, withdraw_key
from auth.keys.utils import describe_key, parse_key_id
from auth.main import create_app
from auth.sessions.service import refuse_tokens
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
    """Raises ConfigError at the first link that does not hold, and where there is an entry beside the chain."""
    async with Database(load_config(DatabaseConfig)) as database:
        (number, broken), strays = await verify_chain(database), await count_strays(database)
    if broken is not None:
        raise ConfigError(f"the audit log holds up to link {number}, and is broken at link {broken}")
    if strays:
        raise ConfigError(f"the audit log holds {strays} entries that no link knows: they were put in later")
    # What was cut off at its end is missing in no chain: who keeps the logs compares.
    return [f"the audit log holds: {number} links. The last audit_chained in the logs says the same number, or less."]


async def list_signing_keys() -> list[str]:
    async with Database(load_config(DatabaseConfig)) as database, database.transaction() as session:
        return [describe_key(pair) for pair in await list_keys(session)]


async def rotate() -> list[str]:
    """Raises NextKeyTooYoungError."""
    config = load_config(KeysConfig)
    async with Database(load_config(DatabaseConfig)) as database, database.transaction() as session:
        kid = await rotate_keys(session, config.create_fernet(), min_age=config.next_min_age)
    return [f"{kid} signs from now on. What the one before has signed holds until it expires."]


async def withdraw(key_id: str) -> list[str]:
    """Raises SigningKeyUnknownError."""
    kid, fernet = parse_key_id(key_id), load_config(KeysConfig).create_fernet()
    async with Database(load_config(DatabaseConfig)) as database, database.transaction() as session:
        await withdraw_key(session, fernet, kid)
        await refuse_tokens(session, [kid])
    return [f"{kid} is withdrawn: within a second no service takes what it has signed. Who is logged in stays so."]


TOOLS = (
    OperatorCommand("admin", "grant", "give somebody a role (admin, moderator, support)", ("email", "role"), grant),
    OperatorCommand("audit", "verify", "check the chain of the audit log", (), verify),
    OperatorCommand("keys", "list", "the keys that sign tokens, the oldest first", (), list_signing_keys),
    OperatorCommand("keys", "rotate", "let the next key sign; no request fails", (), rotate),
    OperatorCommand("keys", "withdraw", "drop a key that leaked, and all that it has signed", ("key_id",), withdraw),
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
