import asyncio
import os
import shutil
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from embedded import accounts
from embedded.exceptions import EmbeddedError, PortTakenError, StartError
from embedded.ports import can_connect, is_port_taken
from embedded.postgres import EmbeddedPostgres

WaitFor = Callable[[Callable[[], object]], None]
FetchValue = Callable[[str, str], Any]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root lends the server another account")


@pytest.fixture
def shared_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Root's folder for what `nobody` must reach, in a place of its own that `nobody` does reach."""
    # Not under tmp_path, which is closed to other users.
    state = Path("/var/tmp") / f"{tmp_path.parent.name}-{tmp_path.name}-{os.getpid()}"  # noqa: S108 -- open on purpose
    monkeypatch.setattr(accounts, "SHARED_STATE", state)
    yield state
    shutil.rmtree(state, ignore_errors=True)


class TestStart:
    def test_valid(self, postgres: EmbeddedPostgres, fetch_value: FetchValue) -> None:
        assert (
            fetch_value(postgres.dsn(), "select current_user || current_setting('server_encoding')") == "postgresUTF8"
        )
        assert fetch_value(postgres.dsn(), "select current_setting('timezone')") == "UTC"

    def test_sorts_and_folds_by_the_builtin_locale(self, postgres: EmbeddedPostgres, fetch_value: FetchValue) -> None:
        assert fetch_value(postgres.dsn(), "select datlocale from pg_database where datname = 'postgres'") == "C.UTF-8"
        assert fetch_value(postgres.dsn(), "select upper('é') || to_tsvector('simple', 'Äpfel')") == "É'äpfel':1"

    def test_listens_on_the_loopback_address_only(self, postgres: EmbeddedPostgres, fetch_value: FetchValue) -> None:
        assert fetch_value(postgres.dsn(), "select current_setting('listen_addresses')") == "127.0.0.1"
        assert fetch_value(postgres.dsn(), "select current_setting('unix_socket_directories')") == ""

    def test_wrong_password(self, postgres: EmbeddedPostgres, fetch_value: FetchValue) -> None:
        with pytest.raises(asyncpg.InvalidPasswordError):
            fetch_value(f"postgresql://postgres:guess@127.0.0.1:{postgres.port}/postgres", "select 1")

    def test_throwaway_skips_fsync(self, postgres: EmbeddedPostgres, fetch_value: FetchValue) -> None:
        assert fetch_value(postgres.dsn(), "select current_setting('fsync')") == "off"

    def test_two_at_once(self, postgres: EmbeddedPostgres, fetch_value: FetchValue) -> None:
        with EmbeddedPostgres(None, durable=False) as other:
            assert other.port != postgres.port
            assert other.data != postgres.data
            assert fetch_value(other.dsn(), "select 1") == 1

    def test_taken_port(self, folder: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with pytest.raises(PortTakenError, match=f"port {port} on 127.0.0.1 is taken"):
                EmbeddedPostgres(folder, port, durable=False).start()

    def test_wrong_setting_is_one_line(self, folder: Path) -> None:
        server = EmbeddedPostgres(folder, durable=False, settings={"max_connections": "many"})
        with pytest.raises(StartError, match="max_connections") as raised:
            server.start()
        assert "\n" not in str(raised.value)
        server.stop()

    def test_foreign_folder(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "letter.txt").write_text("dear diary")
        with pytest.raises(EmbeddedError) as raised:
            EmbeddedPostgres(folder).start()
        assert "\n" not in str(raised.value)
        assert (folder / "letter.txt").read_text() == "dear diary"


class TestStop:
    def test_valid(self, folder: Path) -> None:
        server = EmbeddedPostgres(folder, durable=False)
        server.start()
        pid = server.pid
        assert pid is not None
        server.stop()
        assert server.pid is None
        assert not Path(f"/proc/{pid}").exists()
        assert not is_port_taken(server.port)

    def test_removes_temporary_files(self) -> None:
        server = EmbeddedPostgres(None, durable=False)
        server.start()
        data = server.data
        assert data is not None
        assert data.exists()
        server.stop()
        assert not data.exists()

    async def test_open_transaction_does_not_hold_it(self, postgres: EmbeddedPostgres) -> None:
        connection = await asyncpg.connect(postgres.dsn())
        await connection.execute("begin; create table note (id int)")
        await asyncio.wait_for(asyncio.to_thread(postgres.stop), 8)
        assert not can_connect(postgres.port)
        connection.terminate()

    def test_never_started(self, folder: Path) -> None:
        EmbeddedPostgres(folder).stop()
        assert not folder.exists()


@pytest.mark.usefixtures("shared_state")
class TestDurable:
    def test_data_and_password_are_kept(self, folder: Path, fetch_value: FetchValue) -> None:
        with EmbeddedPostgres(folder) as first:
            fetch_value(first.dsn(), "create table note (id int)")
            password = first.password
        assert folder.exists()
        with EmbeddedPostgres(folder) as second:
            assert second.password == password
            assert fetch_value(second.dsn(), "select count(*) from note") == 0
            assert fetch_value(second.dsn(), "select current_setting('fsync')") == "on"

    def test_survives_a_kill(self, folder: Path, fetch_value: FetchValue, wait_for: WaitFor) -> None:
        with EmbeddedPostgres(folder) as first:
            fetch_value(first.dsn(), "create table note (id int)")
            fetch_value(first.dsn(), "insert into note values (7)")
            pid = first.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: first.pid is None)
        with EmbeddedPostgres(folder) as second:
            assert fetch_value(second.dsn(), "select id from note") == 7

    def test_conflict(self, folder: Path) -> None:
        with EmbeddedPostgres(folder), pytest.raises(StartError, match=r"postmaster\.pid"):
            EmbeddedPostgres(folder).start()

    @as_root
    def test_unreachable_folder_becomes_a_link(self, folder: Path, shared_state: Path) -> None:
        with EmbeddedPostgres(folder) as server:
            assert folder.is_symlink()
            assert server.data == folder.resolve()
            assert server.data.parent == shared_state
            assert shared_state.stat().st_mode & 0o777 == 0o711

    @as_root
    def test_dangling_link_starts_anew(self, folder: Path, fetch_value: FetchValue) -> None:
        EmbeddedPostgres(folder).prepare()
        shutil.rmtree(folder.resolve())
        with EmbeddedPostgres(folder) as server:
            assert fetch_value(server.dsn(), "select 1") == 1


@as_root
class TestUnreachableWheel:
    def test_valid(self, shared_state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The binaries lie below a folder that is closed to others, as in a checkout under /root."""
        can_reach = accounts.can_reach
        installed = accounts.get_postgres_home(None)
        monkeypatch.setattr(
            accounts, "can_reach", lambda account, path: installed not in path.parents and can_reach(account, path)
        )
        home = accounts.get_postgres_home(accounts.get_server_account())
        assert shared_state in home.parents
        assert (home / "bin" / "postgres").exists()
        assert accounts.get_postgres_home(accounts.get_server_account()) == home
        with EmbeddedPostgres(None, durable=False) as server:
            assert server.command[0] == str(home / "bin" / "postgres")
        assert [entry.name for entry in shared_state.iterdir() if entry.name.startswith(".")] == []


class TestFormerServer:
    def test_one_that_is_still_ending_is_waited_for(self, tmp_path: Path) -> None:
        former = EmbeddedPostgres(tmp_path / "data", durable=False)
        former.start()
        assert former.pid is not None
        ending = threading.Timer(0.5, former.stop)
        ending.start()
        successor = EmbeddedPostgres(tmp_path / "data", durable=False)
        try:
            successor.start()
            assert successor.pid is not None
        finally:
            ending.join()
            successor.stop()
