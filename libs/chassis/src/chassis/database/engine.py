"""The two ways to the database: SQLAlchemy sessions for writes, an asyncpg pool for hot reads."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any, Self

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from chassis.config import ConfigError
from chassis.database.config import DatabaseConfig
from chassis.database.queries import Reader
from chassis.logs import get_logger

CONNECT_SECONDS = 2.0
# Behind these the server gives up by itself: a query whose client is gone goes on otherwise.
SERVER_SETTINGS = {
    "timezone": "UTC",
    "application_name": "broadsheet",
    "statement_timeout": "5000",
    "lock_timeout": "2000",
    "idle_in_transaction_session_timeout": "10000",
    # A client whose machine is gone says no word: its locks, the leader's among them, would stay for two hours.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
RESERVED_CONNECTIONS = 10
# Beside its pools: the LISTEN of an API process; the leader locks, the LISTEN and the housekeeping of a background one.
API_CONNECTIONS = 1
BACKGROUND_CONNECTIONS = 5
CLOSE_SECONDS = 5.0
# What the role may have; a role without a limit, all but what other roles and a superuser need.
GET_CONNECTION_LIMIT = (
    "select case rolconnlimit when -1 then current_setting('max_connections')::int - $1 else rolconnlimit end"
    " from pg_roles where rolname = current_user"
)

logger = get_logger(__name__)


class Database:
    """Opens nothing until `open`, which is where a process learns whether its database can carry it."""

    def __init__(self, config: DatabaseConfig) -> None:
        self.config = config
        self.engine: AsyncEngine = create_async_engine(
            config.url,
            pool_size=config.pool_size,
            max_overflow=0,
            pool_timeout=config.acquire_seconds,
            pool_pre_ping=True,
            pool_recycle=1800,
            hide_parameters=True,  # an error's text would repeat them: addresses, passwords, whole posts
            connect_args={"server_settings": SERVER_SETTINGS, "timeout": CONNECT_SECONDS},
        )
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False, autoflush=False)
        self.reader = Reader(self._acquire)
        self._pool: asyncpg.Pool | None = None

    async def __aenter__(self) -> Self:
        """Open for the length of a process, which ends at once if its pools are too large for the database."""
        await self.open()
        try:
            await self.check_connection_budget()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            logger.warning("database_away", reason=type(error).__name__)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Create the reader pool lazily connected: the API starts also while the database does not answer."""
        self._pool = await asyncpg.create_pool(
            **self._connect_arguments(),
            min_size=0,
            max_size=self.config.reader_pool_size,
            command_timeout=SERVER_TIMEOUT_SECONDS,
            init=_init_connection,
            reset=_keep_connection,
        )

    async def close(self) -> None:
        try:
            if self._pool is not None:
                await self._close_pool(self._pool)
        finally:
            await self.engine.dispose()

    async def _close_pool(self, pool: asyncpg.Pool) -> None:
        try:
            await asyncio.wait_for(pool.close(), CLOSE_SECONDS)
        except TimeoutError:
            logger.warning("database_pool_terminated")
            pool.terminate()

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection of its own outside the pools, for LISTEN and advisory locks. The caller closes it."""
        return await asyncpg.connect(**self._connect_arguments(), command_timeout=SERVER_TIMEOUT_SECONDS)

    async def check(self) -> None:
        await self.reader.fetch_value("select 1")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One transaction for a task outside a request: committed at the end, rolled back on an error."""
        async with self.sessions() as session, session.begin():
            yield session

    async def check_connection_budget(self) -> None:
        """Refuse to start when all processes of this service together want more connections than its role may have."""
        config = self.config
        pools = config.pool_size + config.reader_pool_size
        wanted = config.processes * (pools + API_CONNECTIONS) + pools + BACKGROUND_CONNECTIONS
        allowed = await self._get_connection_limit()
        if wanted > allowed:
            raise ConfigError(
                "DATABASE_PROCESSES x (DATABASE_POOL_SIZE + DATABASE_READER_POOL_SIZE) and the background process "
                f"ask for {wanted} connections; PostgreSQL allows {config.user} {allowed}"
            )

    async def _get_connection_limit(self) -> int:
        async with self._acquire() as connection:
            return int(await connection.fetchval(GET_CONNECTION_LIMIT, RESERVED_CONNECTIONS))

    def _connect_arguments(self) -> dict[str, Any]:
        config = self.config
        return {
            "host": config.host,
            "port": config.port,
            "user": config.user,
            "password": config.password.get_secret_value(),
            "database": config.name,
            "timeout": CONNECT_SECONDS,
            "server_settings": SERVER_SETTINGS,
        }

    def _acquire(self) -> AbstractAsyncContextManager["asyncpg.Connection[asyncpg.Record]"]:
        if self._pool is None:
            raise RuntimeError("Database.open was not called")
        connection: AbstractAsyncContextManager[asyncpg.Connection[asyncpg.Record]] = self._pool.acquire(
            timeout=self.config.acquire_seconds
        )
        return connection


SERVER_TIMEOUT_SECONDS = 6.0


async def _init_connection(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    await set_json_codec(connection)


async def set_json_codec(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """JSON leaves as the bytes that PostgreSQL built: in binary format they are its text as it is."""
    await connection.set_type_codec("json", schema="pg_catalog", encoder=bytes, decoder=bytes, format="binary")


async def _keep_connection(_: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Hot reads set no session state, so the reset query (a fifth of a single read's cost) is left out."""
