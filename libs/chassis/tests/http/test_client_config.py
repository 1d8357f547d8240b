import pytest

from chassis.http.config import AuthUpstreamConfig, ServiceClientConfig


class TestServiceClientConfig:
    def test_valid(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ENVIRONMENT", "production")
        monkeypatch.setenv("SERVICE_CLIENT_ID", "fleet")
        monkeypatch.setenv("SERVICE_CLIENT_SECRET", "x7" * 20)
        monkeypatch.setenv("AUTH_URL", "http://127.0.0.1:8001")

        config = ServiceClientConfig()

        assert (config.service_client_id, config.service_client_secret.get_secret_value()) == ("fleet", "x7" * 20)
        assert str(AuthUpstreamConfig().auth_url) == "http://127.0.0.1:8001/"

    def test_placeholder(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ENVIRONMENT", "production")
        monkeypatch.setenv("SERVICE_CLIENT_ID", "fleet")
        monkeypatch.setenv("SERVICE_CLIENT_SECRET", "change-me-" * 5)

        with pytest.raises(ValueError, match="SERVICE_CLIENT_SECRET is a placeholder"):
            ServiceClientConfig()
