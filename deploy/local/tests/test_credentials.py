import base64
import stat
from pathlib import Path

from deploy.local.credentials import SECRETS, load_secrets


class TestLoadSecrets:
    def test_valid(self, tmp_path: Path) -> None:
        values = load_secrets(tmp_path / "new" / "secrets.env")
        assert set(values) == set(SECRETS)
        assert len(set(values.values())) == len(SECRETS)
        assert all(len(value) >= 32 for value in values.values())
        assert len(base64.urlsafe_b64decode(values["KEYS_ENCRYPTION_KEY"])) == 32

    def test_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "secrets.env"
        assert load_secrets(path) == load_secrets(path)

    def test_only_its_owner_reads_it(self, tmp_path: Path) -> None:
        path = tmp_path / "secrets.env"
        load_secrets(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [entry.name for entry in tmp_path.iterdir()] == ["secrets.env"]

    def test_new_secret_is_added(self, tmp_path: Path) -> None:
        path = tmp_path / "secrets.env"
        path.write_text("# mine\nCONFIRMATION_SECRET=chosen-by-hand\nUNKNOWN=stays\n")
        values = load_secrets(path)
        assert values["CONFIRMATION_SECRET"] == "chosen-by-hand"
        assert values["UNKNOWN"] == "stays"
        assert set(SECRETS) < set(values)
        assert load_secrets(path) == values
