from pathlib import Path

import pytest
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from chassis.config import BaseConfig, ConfigError, SecretsConfig, load_config


class VaultConfig(SecretsConfig):
    model_config = SettingsConfigDict(env_prefix="VAULT_")

    key: SecretStr
    size: int = Field(default=1, ge=1)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENVIRONMENT", "VAULT_KEY", "VAULT_SIZE"):
        monkeypatch.delenv(name, raising=False)
    load_config.cache_clear()


class TestLoadConfig:
    def test_missing_variables_are_named_in_one_line(self) -> None:
        with pytest.raises(ConfigError) as caught:
            load_config(VaultConfig)
        message = str(caught.value)
        assert "ENVIRONMENT is not set" in message
        assert "VAULT_KEY is not set" in message
        assert "\n" not in message

    @pytest.mark.parametrize("environment", ["staging", "production"])
    @pytest.mark.parametrize("secret", ["change-me-" + "x" * 40, "tiny-canary", "placeholder" * 4])
    def test_placeholder_is_refused_outside_local(
        self, monkeypatch: pytest.MonkeyPatch, environment: str, secret: str
    ) -> None:
        monkeypatch.setenv("ENVIRONMENT", environment)
        monkeypatch.setenv("VAULT_KEY", secret)
        with pytest.raises(ConfigError, match="VAULT_KEY is a placeholder") as caught:
            load_config(VaultConfig)
        assert secret not in str(caught.value)

    def test_placeholder_is_allowed_in_local(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ENVIRONMENT", "local")
        monkeypatch.setenv("VAULT_KEY", "change-me")
        assert load_config(VaultConfig).key.get_secret_value() == "change-me"

    def test_wrong_value_is_named_and_not_repeated(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ENVIRONMENT", "local")
        monkeypatch.setenv("VAULT_KEY", "k" * 32)
        monkeypatch.setenv("VAULT_SIZE", "many-canary")
        with pytest.raises(ConfigError, match="VAULT_SIZE: ") as caught:
            load_config(VaultConfig)
        assert "canary" not in str(caught.value)

    def test_secret_is_read_from_a_file(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("ENVIRONMENT", "production")
        (tmp_path / "vault_key").write_text("f" * 40)
        config = VaultConfig(_secrets_dir=tmp_path)
        assert config.key.get_secret_value() == "f" * 40

    def test_settings_are_frozen(self) -> None:
        assert BaseConfig.model_config["frozen"] is True
