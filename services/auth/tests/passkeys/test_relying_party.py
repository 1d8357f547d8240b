"""Whom passkeys are bound to, by the settings."""

import pytest

from auth.config import PublicConfig
from auth.main import create_app
from auth.passkeys.config import PasskeyConfig
from auth.passkeys.utils import create_relying_party
from chassis.config import ConfigError, load_config


class TestCreateRelyingParty:
    @pytest.mark.parametrize(
        ("public_url", "rp_id", "more", "expected_id", "expected_origins"),
        [
            ("https://broadsheet.example", None, "", "broadsheet.example", ["https://broadsheet.example"]),
            ("https://Broadsheet.example:443/", None, "", "broadsheet.example", ["https://broadsheet.example"]),
            ("https://www.b.example:8443", "b.example", "", "b.example", ["https://www.b.example:8443"]),
            ("http://localhost:8080", None, "", "localhost", ["http://localhost:8080"]),
            # No browser binds a passkey to an address.
            ("http://127.0.0.1:8080", None, "", "localhost", ["http://localhost:8080"]),
            ("http://[::1]:8080", None, "", "localhost", ["http://localhost:8080"]),
            (
                "https://b.example",
                "",
                "https://app.b.example, android:apk-key-hash:abc,",
                "b.example",
                ["https://b.example", "https://app.b.example", "android:apk-key-hash:abc"],
            ),
        ],
    )
    def test_valid(
        self, public_url: str, rp_id: str | None, more: str, expected_id: str, expected_origins: list[str]
    ) -> None:
        rp = create_relying_party(PublicConfig(public_url=public_url), PasskeyConfig(rp_id=rp_id, origins=more))
        assert (rp.id, list(rp.origins)) == (expected_id, expected_origins)

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("PASSKEYS_RP_ID", "elsewhere.example", "PASSKEYS_RP_ID is elsewhere.example"),
            ("PASSKEYS_RP_ID", "sheet.example", "PASSKEYS_RP_ID is sheet.example"),
            ("PASSKEYS_RP_ID", "203.0.113.7", "^PASSKEYS_RP_ID"),
            ("PASSKEYS_RP_ID", "https://broadsheet.example", "^PASSKEYS_RP_ID"),
            ("PASSKEYS_ORIGINS", "https://elsewhere.example", "https://elsewhere.example is no page of it"),
            ("PASSKEYS_ORIGINS", "app.broadsheet.example", "^PASSKEYS_ORIGINS"),
            ("PASSKEYS_ORIGINS", "https://app.broadsheet.example/", "^PASSKEYS_ORIGINS"),
        ],
    )
    def test_start_tells_what_is_wrong(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
    ) -> None:
        monkeypatch.setenv(name, value)
        load_config.cache_clear()
        with pytest.raises(ConfigError, match=message):
            create_app()
