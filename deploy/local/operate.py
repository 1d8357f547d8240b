"""`make operate ARGS="auth audit verify"`: a command of a service, on the platform of `make run`."""

import os
import sys

from deploy.local.credentials import SECRETS_FILE, load_secrets
from deploy.local.plan import SERVICES, plan_migration
from deploy.local.settings import ROOT, LocalSettings, SettingsError


def main() -> None:
    """Becomes that command: its exit code is its own."""
    if len(sys.argv) < 3 or sys.argv[1] not in SERVICES:  # noqa: PLR2004
        sys.exit('make operate: say which command: ARGS="auth audit verify", or ARGS="auth --help" for a list')
    try:
        settings = LocalSettings.from_environment()
    except SettingsError as error:
        sys.exit(f"make operate: {error}")
    secrets = settings.data / SECRETS_FILE
    if not secrets.exists():
        sys.exit(f"make operate: no platform ran in {settings.data}; start one with: make run")
    service, *arguments = sys.argv[1:]
    environment = plan_migration(settings, load_secrets(secrets), service).env
    os.chdir(ROOT)
    os.execve(sys.executable, [sys.executable, "-m", service, *arguments], dict(environment))  # noqa: S606 (no shell is wanted)


if __name__ == "__main__":
    main()
