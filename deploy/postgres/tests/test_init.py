"""The script that gives each service its database, run against a real PostgreSQL."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from embedded.postgres import EmbeddedPostgres

SCRIPT = Path(__file__).parents[1] / "init" / "10-databases.sh"
PASSWORDS = {"SHOP_DATABASE_PASSWORD": "shop-secret", "LIBRARY_DATABASE_PASSWORD": "library-'quoted'-\\secret"}
RunScript = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(None, durable=False) as server:
        yield server


@pytest.fixture
def run_script(server: EmbeddedPostgres, tmp_path: Path) -> RunScript:
    def run(**passwords: str) -> "subprocess.CompletedProcess[str]":
        environment = {
            "PATH": f"{Path(server.get_binary('psql')).parent}:{os.environ['PATH']}",
            "PGHOST": server.host,
            "PGPORT": str(server.port),
            "PGPASSWORD": server.password,
            "SECRETS_DIR": str(tmp_path),
            **passwords,
        }
        return subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def databases(run_script: RunScript) -> None:
    done = run_script(**PASSWORDS)
    assert (done.returncode, done.stderr) == (0, "")


@asynccontextmanager
async def connect(
    server: EmbeddedPostgres, user: str, password: str, database: str | None = None
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(
        host=server.host, port=server.port, user=user, password=password, database=database or user
    )
    try:
        yield connection
    finally:
        await connection.close()


@pytest.mark.usefixtures("databases")
class TestRoles:
    @pytest.mark.parametrize(("user", "variable"), [("shop", "SHOP"), ("library", "LIBRARY")])
    async def test_valid(self, server: EmbeddedPostgres, user: str, variable: str) -> None:
        async with connect(server, user, PASSWORDS[f"{variable}_DATABASE_PASSWORD"]) as connection:
            await connection.execute("create table if not exists note (id int)")
            settings = {
                name: await connection.fetchval("select current_setting($1)", name)
                for name in ("timezone", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
            }
            locale = await connection.fetchval("select datlocale from pg_database where datname = current_database()")
        assert list(settings.values()) == ["UTC", "5s", "2s", "10s"]
        assert locale == "C.UTF-8"

    async def test_connections_are_shared_out(self, server: EmbeddedPostgres) -> None:
        async with connect(server, "shop", PASSWORDS["SHOP_DATABASE_PASSWORD"]) as connection:
            limit = await connection.fetchval("select rolconnlimit from pg_roles where rolname = current_user")
            assert limit == (int(await connection.fetchval("show max_connections")) - 20) // len(PASSWORDS)

    @pytest.mark.parametrize("database", ["library", "postgres", "template1"])
    async def test_forbidden_in_other_databases(self, server: EmbeddedPostgres, database: str) -> None:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with connect(server, "shop", PASSWORDS["SHOP_DATABASE_PASSWORD"], database):
                pass

    @pytest.mark.parametrize(
        "statement",
        [
            "create role friend",
            "create database friend",
            "alter role library password 'mine'",
            "set role library",
            "copy (select 1) to program 'true'",
            "create extension file_fdw",
            "drop database library",
        ],
    )
    async def test_forbidden_statement(self, server: EmbeddedPostgres, statement: str) -> None:
        async with connect(server, "shop", PASSWORDS["SHOP_DATABASE_PASSWORD"]) as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)

    async def test_wrong_password(self, server: EmbeddedPostgres) -> None:
        with pytest.raises(asyncpg.InvalidPasswordError):
            async with connect(server, "shop", "guess"):
                pass


@pytest.mark.usefixtures("databases")
class TestSecondRun:
    async def test_keeps_data_and_sets_new_password(self, server: EmbeddedPostgres, run_script: RunScript) -> None:
        async with connect(server, "shop", PASSWORDS["SHOP_DATABASE_PASSWORD"]) as connection:
            await connection.execute("create table kept (id int); insert into kept values (1)")
        assert (await asyncio.to_thread(run_script, SHOP_DATABASE_PASSWORD="new-secret")).returncode == 0
        async with connect(server, "shop", "new-secret") as connection:
            assert await connection.fetchval("select id from kept") == 1
            await connection.execute("drop table kept")

    async def test_adds_a_new_service(self, server: EmbeddedPostgres, run_script: RunScript) -> None:
        assert (
            await asyncio.to_thread(run_script, **PASSWORDS, BILLING_DATABASE_PASSWORD="billing-secret")
        ).returncode == 0
        async with connect(server, "billing", "billing-secret") as connection:
            assert await connection.fetchval("select 1") == 1

    async def test_secret_file_wins(self, server: EmbeddedPostgres, run_script: RunScript, tmp_path: Path) -> None:
        (tmp_path / "archive_database_password").write_text("from-the-file\n")
        assert (await asyncio.to_thread(run_script, ARCHIVE_DATABASE_PASSWORD="from-the-environment")).returncode == 0
        async with connect(server, "archive", "from-the-file") as connection:
            assert await connection.fetchval("select 1") == 1


class TestRefusal:
    def test_no_service(self, run_script: RunScript) -> None:
        done = run_script()
        assert done.returncode == 1
        assert "_database_password" in done.stderr

    def test_empty_password(self, run_script: RunScript) -> None:
        done = run_script(SHOP_DATABASE_PASSWORD="")
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "password of shop is empty" in done.stderr

    @pytest.mark.parametrize("name", ["POSTGRES", "_"])
    def test_bad_name(self, run_script: RunScript, name: str) -> None:
        done = run_script(**{f"{name}_DATABASE_PASSWORD": "secret"})
        assert done.returncode == 1
        assert "no name for a service" in done.stderr

    def test_password_is_not_shown(self, run_script: RunScript) -> None:
        done = run_script(SHOP_DATABASE_PASSWORD="shop-secret", PGPASSWORD="guess")
        assert done.returncode != 0
        assert "shop-secret" not in done.stdout + done.stderr
