"""The table of security requirements is whole, and the tests that it names exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([12]) \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
TEST = re.compile(r"`([\w/.-]+\.py)::(\w+)::(\w+)`")
# The requirements of levels 1 and 2 of each section of ASVS 5.0.0; those of level 3 are left out.
SECTIONS = {
    "6.1": (1, 2, 3),
    "6.2": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
    "6.3": (1, 2, 3),
    "6.4": (1, 2, 3, 4),
    "6.5": (1, 2, 3, 4, 5),
    "6.6": (1, 2, 3),
    "6.8": (1, 2, 3, 4),
    "7.1": (1, 2, 3),
    "7.2": (1, 2, 3, 4),
    "7.3": (1, 2),
    "7.4": (1, 2, 3, 4, 5),
    "7.5": (1, 2),
    "7.6": (1, 2),
    "9.1": (1, 2, 3),
    "9.2": (1, 2, 3, 4),
    "10.1": (1, 2),
    "10.2": (1, 2),
    "10.3": (1, 2, 3, 4),
    "10.4": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
    "10.5": (1, 2, 3, 4, 5),
    "10.6": (1, 2),
    "10.7": (1, 2, 3),
}
REQUIREMENTS = [f"{section}.{number}" for section, numbers in SECTIONS.items() for number in numbers]


@cache
def list_tests(path: Path) -> set[tuple[str, str]]:
    classes = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)]
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    return {(cls.name, node.name) for cls in classes for node in cls.body if isinstance(node, functions)}


@pytest.fixture(scope="module")
def rows() -> list[tuple[str, str, str]]:
    return ROW.findall((ROOT / "docs/security.md").read_text())


def test_every_requirement_stands_once(rows: list[tuple[str, str, str]]) -> None:
    assert [number for number, _, _ in rows] == REQUIREMENTS


def test_each_is_shown_or_says_why_not(rows: list[tuple[str, str, str]]) -> None:
    silent = [number for number, _, shown in rows if not TEST.search(shown) and not shown.startswith("not shown: ")]
    assert silent == []


def test_named_tests_exist(rows: list[tuple[str, str, str]]) -> None:
    named = {found for _, _, shown in rows for found in TEST.findall(shown)}
    assert len(named) > len(rows) / 2
    missing = [name for name in named if not (ROOT / name[0]).exists() or name[1:] not in list_tests(ROOT / name[0])]
    assert missing == []
