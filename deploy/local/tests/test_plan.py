from pathlib import Path

import pytest
from deploy.local.child import ProcessPlan
from deploy.local.credentials import SECRETS
from deploy.local.greeting import format_greeting
from deploy.local.plan import SERVICES, plan_platform
from deploy.local.settings import ROOT, LocalSettings

from embedded.postgres import EmbeddedPostgres
from embedded.valkey import EmbeddedValkey

VALUES = {name: f"value-of-{name.lower()}" for name in SECRETS}
# Who may know which secret; PostgreSQL's superuser is nobody's.
KNOWS = {
    "databases": {name for name in SECRETS if name.endswith("_DATABASE_PASSWORD")},
    "auth": {"AUTH_DATABASE_PASSWORD", "KEYS_ENCRYPTION_KEY", "CONFIRMATION_SECRET"}
    | {name for name in SECRETS if name.startswith("CLIENTS_")},
    "posts": {"POSTS_DATABASE_PASSWORD", "CLIENTS_POSTS_SECRET"},
    "notifications": {"NOTIFICATIONS_DATABASE_PASSWORD", "CLIENTS_NOTIFICATIONS_SECRET"},
    "worker": {"CLIENTS_WORKER_SECRET"},
    "beat": {"CLIENTS_WORKER_SECRET"},
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> LocalSettings:
    return LocalSettings.from_environment({}, ephemeral=tmp_path_factory.mktemp("platform"))


@pytest.fixture(scope="module")
def plans(settings: LocalSettings) -> dict[str, ProcessPlan]:
    postgres = EmbeddedPostgres(None, settings.ports["postgres"], durable=False)
    valkey = EmbeddedValkey(settings.data / "redis", settings.ports["redis"])
    postgres.prepare()
    try:
        return {plan.name: plan for plan in plan_platform(settings, VALUES, postgres, valkey)}
    finally:
        postgres.stop()


class TestPlanPlatform:
    def test_every_service_has_its_processes(self, plans: dict[str, ProcessPlan]) -> None:
        names = sorted(path.parent.name for path in ROOT.glob("services/*/pyproject.toml"))
        assert sorted(SERVICES) == names
        for name in names:
            assert {name, f"{name}-migrate", f"{name}-background"} <= set(plans)

    def test_needs_are_there_and_start_before(self, plans: dict[str, ProcessPlan]) -> None:
        """No process waits for one that waits for it."""
        settled: set[str] = set()
        while ready := {name for name, plan in plans.items() if name not in settled and settled >= set(plan.needs)}:
            settled |= ready
        assert settled == set(plans)

    def test_secrets_reach_only_who_needs_them(self, plans: dict[str, ProcessPlan]) -> None:
        for name, plan in plans.items():
            known = {secret for secret, value in VALUES.items() if value in plan.env.values()}
            assert known == KNOWS.get(name, KNOWS.get(name.partition("-")[0], set())), name

    def test_no_secret_is_an_argument(self, plans: dict[str, ProcessPlan]) -> None:
        arguments = {argument for plan in plans.values() for argument in plan.argv}
        assert not arguments & set(VALUES.values())

    def test_each_listens_on_its_own_port(self, plans: dict[str, ProcessPlan], settings: LocalSettings) -> None:
        for name in (*SERVICES, "status"):
            assert plans[name].env["PORT"] == str(settings.ports[name])
            assert plans["gateway"].env[f"{name.upper()}_UPSTREAM"] == settings.get_address(name)

    def test_all_listen_on_the_loopback_address(self, plans: dict[str, ProcessPlan]) -> None:
        assert {plans[name].env["HOST"] for name in (*SERVICES, "status", "mailbox")} == {"127.0.0.1"}
        assert plans["gateway"].env["GATEWAY_BIND"] == "127.0.0.1"


class TestFormatGreeting:
    def test_valid(self, settings: LocalSettings) -> None:
        greeting = format_greeting(settings, 12.34)
        assert "after 12.3 s" in greeting
        assert f"curl {settings.get_url('gateway')}/api/v1/profiles" in greeting
        assert settings.get_url("mailbox") in greeting
        assert str(settings.logs) in greeting

    def test_paths_below_the_working_folder_are_short(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.chdir(tmp_path)
        settings = LocalSettings.from_environment({"BROADSHEET_DATA": ".local"})
        assert "  data           .local   " in format_greeting(settings, 1)
