import pytest

from chassis.config import ConfigError, load_config
from notifications.deliveries.config import MailConfig


class TestMailConfig:
    def test_valid(self) -> None:
        config = load_config(MailConfig)
        assert (config.mail_domain, config.base_url) == ("mail.example", "https://broadsheet.example")

    def test_bare_address(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MAIL_FROM", "news@example.org")
        assert load_config(MailConfig).mail_domain == "example.org"

    @pytest.mark.parametrize("value", ["Broadsheet", "", "a@", "@b.example", "A <a@b.example>\r\nBcc: c@d.example"])
    def test_no_sender(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        monkeypatch.setenv("MAIL_FROM", value)
        with pytest.raises(ConfigError, match="MAIL_FROM"):
            load_config(MailConfig)

    def test_no_url(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PUBLIC_URL", "broadsheet.example")
        with pytest.raises(ConfigError, match="PUBLIC_URL"):
            load_config(MailConfig)
