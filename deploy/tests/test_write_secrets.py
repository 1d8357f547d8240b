"""`make secrets`: written once, readable by whom they are for, and all that docker-compose.yml wants."""

import base64
import re
import stat
from pathlib import Path

import pytest
from deploy.write_secrets import DERIVED, INDEPENDENT, UNMOUNTED, write_env, write_secrets

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "deploy" / "secrets"


def read_all(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


class TestWriteSecrets:
    def test_valid(self, folder: Path) -> None:
        written = write_secrets(folder)

        values = read_all(folder)
        assert set(written) == set(values) == {*INDEPENDENT, *DERIVED}
        assert all(len(value) >= 32 for value in values.values())
        assert len(set(values.values())) == len(values)
        assert len(base64.urlsafe_b64decode(values["keys_encryption_key"])) == 32

    def test_redis_knows_the_password_of_its_clients(self, folder: Path) -> None:
        write_secrets(folder)

        values = read_all(folder)
        assert values["redis_url"] == f"redis://default:{values['redis_password']}@redis:6379/0"
        assert f">{values['redis_password']} " in values["redis_acl"]
        assert values["redis_acl"].count("\n") == 1

    def test_files_are_for_containers_and_the_folder_for_nobody_else(self, folder: Path) -> None:
        write_secrets(folder)

        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o444}

    def test_second_time_changes_nothing(self, folder: Path) -> None:
        write_secrets(folder)
        before = read_all(folder)

        assert write_secrets(folder) == []
        assert read_all(folder) == before

    def test_only_what_is_missing_is_written(self, folder: Path) -> None:
        write_secrets(folder)
        before = read_all(folder)
        (folder / "redis_password").unlink()

        assert write_secrets(folder) == ["redis_password", "redis_url", "redis_acl"]
        after = read_all(folder)
        assert {name for name in after if after[name] != before[name]} == {"redis_password", "redis_url", "redis_acl"}


class TestWriteEnv:
    @pytest.fixture
    def example(self, tmp_path: Path) -> Path:
        example = tmp_path / ".env.example"
        example.write_text("ENVIRONMENT=local\n# POSTGRES_PASSWORD_FILE=somewhere\n")
        return example

    def test_made_from_the_example(self, tmp_path: Path, example: Path) -> None:
        path = tmp_path / ".env"

        assert write_env(path, example, "deploy/secrets") is True

        lines = path.read_text().splitlines()
        assert lines[0] == "ENVIRONMENT=local"
        assert "POSTGRES_PASSWORD_FILE=deploy/secrets/postgres_password" in lines
        assert not any(line.startswith("REDIS_PASSWORD_FILE") for line in lines)

    def test_what_somebody_set_stays(self, tmp_path: Path, example: Path) -> None:
        path = tmp_path / ".env"
        path.write_text("ENVIRONMENT=production\nREDIS_URL_FILE=/etc/broadsheet/redis_url")

        write_env(path, example, "deploy/secrets")

        lines = path.read_text().splitlines()
        assert lines[:2] == ["ENVIRONMENT=production", "REDIS_URL_FILE=/etc/broadsheet/redis_url"]
        assert sum(line.startswith("REDIS_URL_FILE=") for line in lines) == 1

    def test_second_time_changes_nothing(self, tmp_path: Path, example: Path) -> None:
        path = tmp_path / ".env"
        write_env(path, example, "deploy/secrets")

        assert write_env(path, example, "deploy/secrets") is False


def test_compose_wants_what_is_written() -> None:
    wanted = set(re.findall(r"\$\{([A-Z_]+)_FILE:\?", (ROOT / "docker-compose.yml").read_text()))
    assert wanted == {name.upper() for name in (*INDEPENDENT, *DERIVED) if name not in UNMOUNTED}
