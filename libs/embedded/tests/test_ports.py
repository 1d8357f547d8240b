import socket

from embedded.ports import can_connect, get_free_port, is_port_taken


class TestGetFreePort:
    def test_valid(self) -> None:
        port = get_free_port()
        assert not is_port_taken(port)
        assert not can_connect(port)


class TestIsPortTaken:
    def test_conflict(self) -> None:
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen()
            port = server.getsockname()[1]
            assert is_port_taken(port)
            assert can_connect(port)
