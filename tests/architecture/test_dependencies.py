"""Each member declares what it imports: what comes with something else today may be gone with its next version."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEMBERS = [*sorted(path.parent for path in ROOT.glob("*/*/pyproject.toml")), ROOT / "worker"]
DISTRIBUTIONS = packages_distributions()
# Halves of one thing: none of these can be had without the other, nor in another version.
COMES_WITH = {"pydantic-core": "pydantic", "markupsafe": "jinja2", "billiard": "celery"}


def normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def list_imports(member: Path) -> set[str]:
    """Top-level names of what is neither Python's own nor the member's."""
    names: set[str] = set()
    for path in [*member.glob("src/**/*.py"), *member.glob("migrations/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names - set(sys.stdlib_module_names) - {path.name for path in (member / "src").iterdir()}


def list_declared(member: Path) -> set[str]:
    project = tomllib.loads((member / "pyproject.toml").read_text())["project"]
    groups = [project.get("dependencies", []), *project.get("optional-dependencies", {}).values()]
    return {normalize(re.split(r"[\[<>=!~; ]", text)[0]) for group in groups for text in group}


@pytest.mark.parametrize("member", MEMBERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_imported_is_declared(member: Path) -> None:
    declared = list_declared(member)
    missing = [
        name
        for name in list_imports(member)
        for distribution in {normalize(found) for found in DISTRIBUTIONS.get(name, [f"broadsheet-{name}"])}
        if COMES_WITH.get(distribution, distribution) not in declared and f"broadsheet-{name}" not in declared
    ]
    assert sorted(set(missing)) == []


def test_there_are_members() -> None:
    assert {"auth", "posts", "notifications", "worker", "chassis"} <= {path.name for path in MEMBERS}
