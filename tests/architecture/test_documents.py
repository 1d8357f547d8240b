"""What the documents say is there, is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.parent.name for path in (ROOT / "services").glob("*/pyproject.toml"))
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")
PATH = re.compile(r"`((?:libs|services|worker|deploy|tests|docs|benchmarks)/[\w./-]+)`")
MAKE = re.compile(r"\bmake ([a-z][a-z0-9-]+)")


def list_documents() -> list[Path]:
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/*/README.md"), *ROOT.glob("worker/*.md")]
    return sorted(found)


@pytest.mark.parametrize("document", list_documents(), ids=lambda path: str(path.relative_to(ROOT)))
class TestDocument:
    def test_links_lead_somewhere(self, document: Path) -> None:
        links = LINK.findall(document.read_text())
        assert [link for link in links if not (document.parent / link).exists()] == []

    def test_paths_exist(self, document: Path) -> None:
        paths = PATH.findall(document.read_text())
        assert [path for path in paths if not (ROOT / path).exists()] == []

    def test_make_targets_exist(self, document: Path) -> None:
        targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        blocks = re.findall(r"```[a-z]*\n.*?```|`[^`\n]+`", document.read_text(), re.DOTALL)
        named = {target for block in blocks for target in MAKE.findall(block)}
        assert named - targets == set()


class TestReadme:
    def test_table_lists_every_service(self) -> None:
        table = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("|")]
        for service in SERVICES:
            assert any(f"services/{service}" in line for line in table), f"the README's table does not list {service}"

    def test_every_decision_is_in_the_index(self) -> None:
        index = (ROOT / "docs/adr/README.md").read_text()
        decisions = [path.name for path in (ROOT / "docs/adr").glob("[0-9]*.md")]
        assert [name for name in decisions if name not in index] == []

    def test_no_number_of_a_decision_is_missing_or_twice(self) -> None:
        numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs/adr").glob("[0-9]*.md"))
        assert numbers == list(range(1, len(numbers) + 1))

    @pytest.mark.parametrize("path", sorted((ROOT / "docs/adr").glob("[0-9]*.md")), ids=lambda path: path.name)
    def test_every_decision_says_when_it_is_violated(self, path: Path) -> None:
        assert "**Violated when**" in path.read_text()
