"""`make migration`, on a copy of the migrations of a service."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from deploy.write_migration import ROOT

from embedded.postgres import EmbeddedPostgres

# In a process of its own: this one may know the models of other tests.
WRITE = """
import asyncio, sys
from pathlib import Path
from deploy.write_migration import write_migration
asyncio.run(write_migration(sys.argv[1], Path(sys.argv[2]), "add_again"))
"""


class TestMain:
    @pytest.mark.parametrize(
        ("service", "slug", "told"),
        [
            ("", "add_subtitle", "SERVICE must be one of auth, notifications, posts"),
            ("weather", "add_subtitle", "SERVICE must be one of auth, notifications, posts"),
            ("posts", "", "SLUG must say what changes"),
            ("posts", "Add-Subtitle", "SLUG must say what changes"),
        ],
    )
    def test_wrong_name_is_one_line(self, service: str, slug: str, told: str) -> None:
        argv = [sys.executable, "-m", "deploy.write_migration", service, slug]
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith(f"make migration: {told}")
        assert done.stderr.count("\n") == 1


class TestWriteMigration:
    def test_valid(self, tmp_path: Path) -> None:
        """What the newest migration made is written again once that one is gone."""
        migrations = tmp_path / "migrations"
        shutil.copytree(ROOT / "services" / "posts" / "migrations", migrations)
        newest = find_newest(migrations / "versions")
        lost = find_made(newest)
        assert lost
        newest.unlink()
        before = set((migrations / "versions").glob("*.py"))
        with EmbeddedPostgres(None, durable=False) as server:
            argv = [sys.executable, "-c", WRITE, server.dsn(), str(migrations)]
            subprocess.run(argv, cwd=ROOT, capture_output=True, check=True)
        (written,) = set((migrations / "versions").glob("*.py")) - before
        assert written.name.endswith("_add_again.py")
        assert find_made(written) == lost


def find_made(migration: Path) -> set[tuple[str, str]]:
    """Its new tables, columns and indexes."""
    upgrade = migration.read_text().partition("def downgrade")[0]
    tables = re.findall(r"""create_table\(\s*["'](\w+)""", upgrade)
    columns = re.findall(r"""add_column\(\s*["'](\w+)["'],\s*sa\.Column\(["'](\w+)""", upgrade)
    indexes = re.findall(r"""create_index\(\s*(?:op\.f\()?["'](\w+)["']\)?,\s*["'](\w+)""", upgrade)
    return {(table, "") for table in tables} | set(columns) | set(indexes)


def find_newest(versions: Path) -> Path:
    """The one that no other builds on."""
    files = list(versions.glob("*.py"))
    revisions = {path: read_value(path, "revision") for path in files}
    parents = {read_value(path, "down_revision") for path in files}
    (newest,) = [path for path, revision in revisions.items() if revision not in parents]
    return newest


def read_value(path: Path, name: str) -> str:
    (line,) = [line for line in path.read_text().splitlines() if line.startswith((f"{name} =", f"{name}:"))]
    return line.partition("=")[2].strip().strip("'\"")
