"""The layout shows the architecture: these tests keep it so."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.name for path in (ROOT / "services").iterdir() if (path / "pyproject.toml").exists())
FEATURE_FILES = {
    "__init__", "router", "schemas", "models", "dependencies", "service", "constants", "exceptions", "config", "utils",
    "client", "events", "queries",
}  # fmt: skip
SERVICE_FILES = {"__init__", "__main__", "main", "config", "router", "background"}
# What `None` checks, SQL and transactions in a router would be called.
FORBIDDEN_IN_ROUTERS = {"select", "insert", "update", "delete", "execute", "commit", "rollback", "flush", "scalars"}
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 35


def list_features() -> list[Path]:
    folders = (path for service in SERVICES for path in (ROOT / "services" / service / "src" / service).iterdir())
    return sorted(path for path in folders if path.is_dir() and path.name != "__pycache__")


def list_sources(*tops: str) -> list[Path]:
    files = (path for top in tops for path in (ROOT / top).rglob("*.py"))
    return sorted(path for path in files if not {".venv", "versions", "__pycache__"} & set(path.parts))


def name_path(path: Path) -> str:
    return str(path.relative_to(ROOT))


def list_functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("service", SERVICES)
class TestService:
    def test_has_the_same_files_in_the_same_place(self, service: str) -> None:
        folder = ROOT / "services" / service
        for name in ("pyproject.toml", "alembic.ini", "README.md", "migrations/env.py", "tests/conftest.py"):
            assert (folder / name).is_file(), f"{service} has no {name}"
        names = {path.stem for path in (folder / "src" / service).glob("*.py")}
        assert names == SERVICE_FILES

    def test_migrations_are_named_by_date_and_slug(self, service: str) -> None:
        names = [path.name for path in (ROOT / "services" / service / "migrations" / "versions").glob("*.py")]
        assert names
        assert [name for name in names if not re.fullmatch(r"\d{4}-\d{2}-\d{2}_[a-z0-9_]+\.py", name)] == []


def test_every_feature_stands_in_the_contract_of_layers() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (contract for contract in contracts if contract["name"] == "Layers inside a feature")
    assert sorted(layers["containers"]) == sorted(f"{path.parent.name}.{path.name}" for path in list_features())


@pytest.mark.parametrize("feature", list_features(), ids=name_path)
class TestFeature:
    def test_files_have_the_names_of_their_concern(self, feature: Path) -> None:
        assert {path.stem for path in feature.glob("*.py")} <= FEATURE_FILES

    def test_no_file_is_empty(self, feature: Path) -> None:
        empty = [path.name for path in feature.glob("*.py") if path.stem != "__init__" and not path.read_text().strip()]
        assert empty == []


@pytest.mark.parametrize(
    "router", [path / "router.py" for path in list_features() if (path / "router.py").exists()], ids=name_path
)
class TestRouter:
    def test_holds_no_sql_no_commit_no_try_no_none_check(self, router: Path) -> None:
        tree = ast.parse(router.read_text())
        called = {
            ast.unparse(node.func)
            for function in list_functions(tree)
            for statement in function.body
            for node in ast.walk(statement)
            if isinstance(node, ast.Call)
        }
        passed_on = {name for name in called if name.rpartition(".")[0].endswith(("service", "queries"))}
        assert {name.rpartition(".")[2] for name in called - passed_on} & FORBIDDEN_IN_ROUTERS == set()
        assert [node for node in ast.walk(tree) if isinstance(node, ast.Try | ast.Raise)] == []
        compared = (node for node in ast.walk(tree) if isinstance(node, ast.Compare))
        assert [node.lineno for node in compared if any(is_none(part) for part in node.comparators)] == []


def is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


class TestSources:
    @pytest.mark.parametrize(
        "path", list_sources("libs", "services", "worker", "deploy", "tests", "benchmarks"), ids=name_path
    )
    def test_file_and_functions_stay_small(self, path: Path) -> None:
        text = path.read_text()
        is_test = "tests" in path.parts
        assert len(text.splitlines()) <= MAX_FILE_LINES + (200 if is_test else 0)
        for function in list_functions(ast.parse(text)):
            length = (function.end_lineno or 0) - function.lineno + 1
            assert length <= MAX_FUNCTION_LINES + (15 if is_test else 0), f"{function.name} has {length} lines"

    @pytest.mark.parametrize("path", list_sources("services", "worker", "libs"), ids=name_path)
    def test_commits_stand_at_the_edge_only(self, path: Path) -> None:
        if "tests" in path.parts or path.name == "routing.py":
            return
        calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
        names = (node.func.attr for node in calls if isinstance(node.func, ast.Attribute))
        assert "commit" not in names

    @pytest.mark.parametrize("path", list_sources("services"), ids=name_path)
    def test_service_functions_know_no_fastapi(self, path: Path) -> None:
        if path.name != "service.py":
            return
        modules = re.findall(r"^(?:from|import) (\w+)", path.read_text(), re.MULTILINE)
        assert not {"fastapi", "starlette"} & set(modules)

    @pytest.mark.parametrize("path", list_sources("tests/e2e"), ids=name_path)
    def test_journeys_import_no_service(self, path: Path) -> None:
        modules = re.findall(r"^(?:from|import) (\w+)", path.read_text(), re.MULTILINE)
        assert not {*SERVICES, "worker", "chassis"} & set(modules)

    def test_tests_wait_for_something_and_never_sleep(self) -> None:
        """To a deadline, by a helper; `sleep(0)` only lets others run."""
        sleeps = re.compile(r"\bsleep\((?!0\))")
        sources = (
            path for path in list_sources("libs", "services", "worker", "deploy", "tests") if "tests" in path.parts
        )
        found = [name_path(path) for path in sources if sleeps.search(path.read_text()) and path.name != "polling.py"]
        assert found == []

    def test_no_unfinished_marks(self) -> None:
        marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))|raise NotImplementedError")
        found = [
            name_path(path)
            for path in list_sources("libs", "services", "worker", "deploy", "tests/e2e")
            if marks.search(path.read_text())
        ]
        assert found == []
