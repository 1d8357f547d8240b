import socket
from pathlib import Path

import pytest
import redis

from embedded.exceptions import PortTakenError, StartError
from embedded.ports import is_port_taken
from embedded.valkey import EmbeddedValkey


class TestStart:
    def test_valid(self, folder: Path) -> None:
        with EmbeddedValkey(folder) as server, redis.Redis.from_url(server.url) as client:
            assert client.ping()
            assert client.config_get("save") == {"save": ""}
            assert client.config_get("bind") == {"bind": "127.0.0.1"}

    def test_forgets_everything(self, folder: Path) -> None:
        with EmbeddedValkey(folder) as first, redis.Redis.from_url(first.url) as client:
            client.set("hint", "1")
        with EmbeddedValkey(folder) as second, redis.Redis.from_url(second.url) as client:
            assert client.get("hint") is None

    def test_taken_port(self, folder: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with pytest.raises(PortTakenError, match=f"Valkey: port {port} on 127.0.0.1 is taken"):
                EmbeddedValkey(folder, port).start()

    def test_wrong_setting_is_one_line(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(EmbeddedValkey.start.__globals__["SETTINGS"], "maxmemory-policy", "hopeful")
        with pytest.raises(StartError, match="Valkey did not start") as raised:
            EmbeddedValkey(folder).start()
        assert "\n" not in str(raised.value)


class TestStop:
    def test_valid(self) -> None:
        server = EmbeddedValkey()
        server.start()
        pid, data = server.pid, server.data
        assert data is not None
        server.stop()
        assert not Path(f"/proc/{pid}").exists()
        assert not data.exists()
        assert not is_port_taken(server.port)
