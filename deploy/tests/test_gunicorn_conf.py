"""The settings of gunicorn that are worked out, not written down."""

import runpy
from pathlib import Path
from typing import Any

import pytest

CONF = Path(__file__).parents[1] / "gunicorn.conf.py"
HEADER = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
# A default route, 172.20.0.0/16 and 172.21.4.0/24, as Linux writes them on x86 and ARM.
ROUTES = (
    f"{HEADER}eth0\t00000000\t010014AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
    "eth0\t000014AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
    "eth1\t000415AC\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
)


@pytest.fixture
def conf(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    for name in ("GATEWAY_NETWORK_NAME", "WEB_CONCURRENCY", "HOST", "PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MEMBER", "posts")
    return runpy.run_path(str(CONF))


class TestFindNetwork:
    @pytest.mark.parametrize(("address", "network"), [("172.20.0.7", "172.20.0.0/16"), ("172.21.4.2", "172.21.4.0/24")])
    def test_valid(self, conf: dict[str, Any], address: str, network: str) -> None:
        assert conf["find_network"](address, ROUTES) == network

    def test_default_route_is_no_network_of_ours(self, conf: dict[str, Any]) -> None:
        with pytest.raises(LookupError, match=r"10\.0\.0\.1"):
            conf["find_network"]("10.0.0.1", ROUTES)


class TestSettings:
    def test_without_a_gateway_only_this_machine_is_believed(self, conf: dict[str, Any]) -> None:
        assert conf["forwarded_allow_ips"] == "127.0.0.1"

    def test_runs_the_member_of_the_image(self, conf: dict[str, Any]) -> None:
        assert conf["wsgi_app"] == "posts.main:create_app()"
        assert conf["worker_class"] == "asgi"
        assert conf["workers"] == 1

    def test_ends_before_docker_kills(self, conf: dict[str, Any]) -> None:
        grace = (CONF.parents[1] / "docker-compose.yml").read_text().partition("stop_grace_period: ")[2]
        assert conf["graceful_timeout"] < int(grace.partition("s")[0])

    def test_gateway_closes_idle_connections_first(self, conf: dict[str, Any]) -> None:
        caddyfile = (CONF.parent / "gateway" / "Caddyfile").read_text()
        seconds = int(caddyfile.partition("keepalive ")[2].partition("s")[0])
        assert seconds < conf["keepalive"]
