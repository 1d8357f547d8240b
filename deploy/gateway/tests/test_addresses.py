"""The same file serves plain HTTP on a port, and HTTPS where it is given a domain."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

CADDYFILE = Path(__file__).parents[1] / "Caddyfile"
CADDY = Path(sys.executable).with_name("caddy")


def read_server(**variables: str) -> dict[str, Any]:
    """The one server that Caddy makes of our file."""
    adapted = subprocess.run(
        [str(CADDY), "adapt", "--adapter", "caddyfile", "--config", str(CADDYFILE)],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **variables},
        capture_output=True,
        check=True,
    )
    (server,) = json.loads(adapted.stdout)["apps"]["http"]["servers"].values()
    assert isinstance(server, dict)
    return server


class TestAddress:
    def test_default_is_plain_http_on_this_machine(self) -> None:
        server = read_server()

        assert server["listen"] == ["127.0.0.1:8080"]
        assert "match" not in server["routes"][0]

    def test_domain_has_https(self) -> None:
        server = read_server(GATEWAY_ADDRESS="news.example", GATEWAY_BIND="0.0.0.0")  # noqa: S104 (in a container)

        assert server["listen"] == ["0.0.0.0:443"]
        assert server["routes"][0]["match"] == [{"host": ["news.example"]}]


class TestUpstreams:
    def test_dynamic_ones_are_looked_up_by_name(self) -> None:
        text = json.dumps(read_server(GATEWAY_UPSTREAMS="dynamic"))

        for service in ("auth", "posts", "notifications", "status"):
            assert f'"name": "{service}", "port": "8000"' in text
