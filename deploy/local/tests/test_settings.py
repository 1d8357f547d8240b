import socket
from pathlib import Path

import pytest
from deploy.local.settings import DEFAULT_PORTS, ROOT, LocalSettings, SettingsError


class TestFromEnvironment:
    def test_defaults(self) -> None:
        settings = LocalSettings.from_environment({})
        assert settings.data == ROOT / ".local"
        assert settings.ports == DEFAULT_PORTS
        assert settings.get_url("gateway") == "http://127.0.0.1:8080"
        assert not settings.verbose

    def test_valid(self, tmp_path: Path) -> None:
        environment = {"BROADSHEET_DATA": str(tmp_path), "BROADSHEET_POSTS_PORT": "9002", "VERBOSE": "1"}
        settings = LocalSettings.from_environment(environment)
        assert settings.data == tmp_path
        assert settings.ports == {**DEFAULT_PORTS, "posts": 9002}
        assert settings.verbose

    def test_port_base(self) -> None:
        environment = {"BROADSHEET_PORT_BASE": "9100", "BROADSHEET_MAILBOX_PORT": "9200"}
        ports = LocalSettings.from_environment(environment).ports
        assert [ports["gateway"], ports["auth"], ports["smtp"], ports["mailbox"]] == [9100, 9101, 9107, 9200]

    def test_ephemeral(self, tmp_path: Path) -> None:
        settings = LocalSettings.from_environment({"BROADSHEET_GATEWAY_PORT": "9000"}, ephemeral=tmp_path)
        assert settings.data == tmp_path
        assert settings.ports["gateway"] == 9000
        assert len(set(settings.ports.values())) == len(DEFAULT_PORTS)
        assert not set(settings.ports.values()) & set(DEFAULT_PORTS.values())
        settings.check_ports()

    @pytest.mark.parametrize("text", ["http", "-1", "0", "65536", "٣"])
    def test_bad_port(self, text: str) -> None:
        with pytest.raises(SettingsError, match="BROADSHEET_SMTP_PORT must be a port number"):
            LocalSettings.from_environment({"BROADSHEET_SMTP_PORT": text})


class TestCheckPorts:
    def test_conflict(self, tmp_path: Path) -> None:
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen()
            port = server.getsockname()[1]
            settings = LocalSettings.from_environment({"BROADSHEET_POSTS_PORT": str(port)}, ephemeral=tmp_path)
            with pytest.raises(SettingsError, match=rf"port {port} \(posts\) is taken: .* BROADSHEET_POSTS_PORT"):
                settings.check_ports()

    def test_same_port_twice(self, tmp_path: Path) -> None:
        environment = {"BROADSHEET_AUTH_PORT": "9001", "BROADSHEET_POSTS_PORT": "9001"}
        settings = LocalSettings.from_environment(environment, ephemeral=tmp_path)
        with pytest.raises(SettingsError, match="BROADSHEET_AUTH_PORT and BROADSHEET_POSTS_PORT are both 9001"):
            settings.check_ports()
