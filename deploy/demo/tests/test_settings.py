import pytest
from deploy.demo.settings import DemoSettings


class TestFromEnvironment:
    @pytest.mark.parametrize(
        ("environment", "url", "mailbox_url"),
        [
            ({}, "http://127.0.0.1:8080", "http://127.0.0.1:8026"),
            ({"BROADSHEET_GATEWAY_PORT": "9000"}, "http://127.0.0.1:9000", "http://127.0.0.1:8026"),
            (
                {"BROADSHEET_URL": "https://news.example/", "BROADSHEET_MAILBOX_URL": "http://mail/"},
                "https://news.example",
                "http://mail",
            ),
        ],
    )
    def test_valid(self, environment: dict[str, str], url: str, mailbox_url: str) -> None:
        settings = DemoSettings.from_environment(environment)
        assert (settings.url, settings.mailbox_url) == (url, mailbox_url)
