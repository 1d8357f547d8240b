"""The containers: hardened without exception, nothing open that need not be, nothing secret in the open."""

import re

import pytest
from composefile import (
    BASE,
    PROJECTS,
    ROOT,
    Service,
    has_compose,
    list_host_ports,
    list_names,
    list_services,
    list_variables,
    load_project,
    run_config,
)

SERVICES = sorted(path.parent.name for path in (ROOT / "services").glob("*/pyproject.toml"))
MEMBERS = {*SERVICES, "worker", "status", "mailbox"}
PUBLIC_IMAGES = {"caddy:2", "postgres:18", "redis:8"}
# Who gets a capability back, and which; the reason stands in docker-compose.yml.
CAPABILITIES = {"gateway": ["NET_BIND_SERVICE"]}
# Who has a port on the host, in which project.
HOST_PORTS = {
    "plain": {"gateway"},
    "people": {"gateway", "mailbox"},
    "e2e": {"gateway", "mailbox"},
    "production": {"gateway"},
}
# Which networks reach outside this machine, and who is on them.
OPEN_NETWORKS = {"public": {"gateway", "mailbox"}, "mail": {"worker-mail", "mailbox"}}
CONTAINERS = [
    pytest.param((name, service), id=f"{project}-{name}")
    for project in PROJECTS
    for name, service in list_services(project).items()
]


def is_one_shot(name: str) -> bool:
    return name.endswith("-migrate")


@pytest.mark.parametrize("container", CONTAINERS)
class TestHardening:
    def test_root_file_system_is_read_only(self, container: tuple[str, Service]) -> None:
        _, service = container
        assert service["read_only"] is True
        for mount in service["tmpfs"]:
            assert {"noexec", "nosuid", "nodev"} <= set(mount.partition(":")[2].split(",")), mount
            assert "size=" in mount

    def test_no_rights_to_gain(self, container: tuple[str, Service]) -> None:
        name, service = container
        assert service["cap_drop"] == ["ALL"]
        assert service.get("cap_add", []) == CAPABILITIES.get(name, [])
        assert service["security_opt"] == ["no-new-privileges:true"]

    def test_is_not_root(self, container: tuple[str, Service]) -> None:
        _, service = container
        # Images of ours say it themselves (TestDockerfile).
        assert service["image"].startswith("broadsheet/") or service["user"].partition(":")[0] not in ("", "root", "0")

    def test_has_limits(self, container: tuple[str, Service]) -> None:
        _, service = container
        assert service["pids_limit"] > 0
        assert service["mem_limit"]
        assert service["init"] is True
        assert service["stop_grace_period"]

    def test_restarts_by_itself(self, container: tuple[str, Service]) -> None:
        name, service = container
        assert service["restart"] == ("no" if is_one_shot(name) else "unless-stopped")

    def test_has_a_health_check(self, container: tuple[str, Service]) -> None:
        name, service = container
        if is_one_shot(name):
            assert service["healthcheck"] == {"disable": True}
        else:
            assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
            assert service["healthcheck"]["timeout"]

    def test_shares_nothing_with_the_host(self, container: tuple[str, Service]) -> None:
        _, service = container
        assert not {"privileged", "network_mode", "pid", "ipc", "devices", "userns_mode"} & set(service)
        assert "docker.sock" not in str(service.get("volumes", ""))

    def test_scales(self, container: tuple[str, Service]) -> None:
        _, service = container
        assert "container_name" not in service


@pytest.mark.parametrize("project", PROJECTS)
class TestImages:
    def test_only_known_ones(self, project: str) -> None:
        for service in list_services(project).values():
            image = service["image"]
            ours = re.fullmatch(r"broadsheet/([a-z]+):\S+", image)
            assert ours or image in PUBLIC_IMAGES, image
            assert not ours or ours[1] in MEMBERS

    def test_each_of_ours_is_built_by_one_service(self, project: str) -> None:
        services = list_services(project).values()
        built = {service["image"]: service["build"]["args"]["MEMBER"] for service in services if "build" in service}
        assert set(built) == {service["image"] for service in services if service["image"].startswith("broadsheet/")}
        assert len(built) == sum("build" in service for service in services)
        assert all(image.startswith(f"broadsheet/{member}:") for image, member in built.items())

    def test_mailbox_is_not_where_mail_goes_out(self, project: str) -> None:
        assert ("mailbox" in list_services(project)) is (project in {"people", "e2e"})


@pytest.mark.parametrize("project", PROJECTS)
class TestPorts:
    def test_only_the_gateway_and_the_mails(self, project: str) -> None:
        open_ones = {name for name, service in list_services(project).items() if list_host_ports(service)}
        assert open_ones == HOST_PORTS[project]

    def test_on_this_machine_only(self, project: str) -> None:
        if project == "production":
            ports = {port for _, port in list_host_ports(list_services(project)["gateway"])}
            assert ports == {"80", "443"}
        else:
            for service in list_services(project).values():
                assert {interface for interface, _ in list_host_ports(service)} <= {"127.0.0.1"}


@pytest.mark.parametrize("project", PROJECTS)
class TestNetworks:
    def test_closed_but_two(self, project: str) -> None:
        for name, network in load_project(project)["networks"].items():
            assert (network or {}).get("internal", False) is (name not in OPEN_NETWORKS), name

    def test_who_reaches_outside(self, project: str) -> None:
        for name, service in list_services(project).items():
            for network in list_names(service["networks"]):
                assert network not in OPEN_NETWORKS or name in OPEN_NETWORKS[network], (name, network)

    def test_gateway_sees_no_store(self, project: str) -> None:
        services = list_services(project)
        seen = set(list_names(services["gateway"]["networks"]))
        for store in ("postgres", "redis"):
            assert not seen & set(list_names(services[store]["networks"]))

    def test_redis_and_postgres_have_a_network_each(self, project: str) -> None:
        services = list_services(project)
        assert list_names(services["postgres"]["networks"]) == ["database"]
        assert list_names(services["redis"]["networks"]) == ["broker"]


class TestVariables:
    def test_every_variable_is_in_the_example(self, example: set[str]) -> None:
        files = {file for files in PROJECTS.values() for file in files}
        assert set(list_variables(*files)) - example == set()

    def test_every_variable_of_the_gateway_is_in_the_example(self, example: set[str]) -> None:
        caddyfile = (ROOT / "deploy/gateway/Caddyfile").read_text()
        assert set(re.findall(r"\{\$([A-Z_]+)", caddyfile)) - example == set()

    @pytest.mark.skipif(not has_compose(), reason="docker compose is not on this machine")
    @pytest.mark.parametrize("variable", [name for name, rest in list_variables(BASE).items() if ":?" in rest])
    def test_unset_one_fails_by_name(self, variable: str) -> None:
        required = [name for name, rest in list_variables(BASE).items() if ":?" in rest]
        ended = run_config(BASE, env_file="/dev/null", variables={name: "x" for name in required if name != variable})

        assert ended.returncode != 0
        assert f"required variable {variable} is missing a value" in ended.stderr
        assert "make secrets" in ended.stderr


@pytest.mark.parametrize("project", PROJECTS)
class TestSecrets:
    def test_none_in_the_environment(self, project: str) -> None:
        for name, service in list_services(project).items():
            secret = [
                key for key in service.get("environment", {}) if re.search(r"(PASSWORD|SECRET|_KEY|REDIS_URL)$", key)
            ]
            assert secret == [], name

    def test_are_files_that_must_be_named(self, project: str) -> None:
        variables = list_variables(*PROJECTS[project])
        for name, secret in load_project(project)["secrets"].items():
            assert set(secret) <= {"file", "name"}, name
            assert variables[f"{name.upper()}_FILE"].startswith(":?"), name

    def test_each_is_read_by_somebody(self, project: str) -> None:
        read = {secret for service in list_services(project).values() for secret in list_names(service.get("secrets"))}
        assert read == set(load_project(project)["secrets"])

    def test_no_service_has_the_password_of_another(self, project: str) -> None:
        for name, service in list_services(project).items():
            passwords = [
                secret for secret in list_names(service.get("secrets")) if secret.endswith("_database_password")
            ]
            if name != "postgres":
                owner = name.removesuffix("-migrate").removesuffix("-background")
                assert passwords in ([], [f"{owner}_database_password"]), name


@pytest.mark.parametrize("service", SERVICES)
class TestOrder:
    def test_migrations_come_first(self, service: str) -> None:
        services = list_services("plain")
        assert services[f"{service}-migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
        for process in (service, f"{service}-background"):
            migrated = services[process]["depends_on"][f"{service}-migrate"]
            assert migrated["condition"] == "service_completed_successfully"

    def test_gateway_opens_last(self, service: str) -> None:
        assert list_services("plain")["gateway"]["depends_on"][service]["condition"] == "service_healthy"

    def test_status_asks_every_service(self, service: str) -> None:
        asked = list_services("plain")["status"]["environment"]["STATUS_SERVICES"]
        assert f"{service}=http://{service}:8000" in asked.split(",")
