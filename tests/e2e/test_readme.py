"""The README's first calls, word by word, against the platform under test."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from e2e.people import Person
from e2e.platform import Platform

README = Path(__file__).parents[2] / "README.md"
SHELL_BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)


@pytest.fixture
def blocks(platform: Platform, anybody: Person) -> list[str]:
    """The calls as they stand, but for the address of the platform and the name of the person."""
    text = README.read_text().partition("## The first calls")[2].partition("\n## ")[0]
    text = text.replace("http://127.0.0.1:8080", platform.base_url)
    text = text.replace("ada@example.org", anybody.email).replace(
        '"username":"ada"', f'"username":"{anybody.username}"'
    )
    return SHELL_BLOCK.findall(text)


async def run_block(block: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", block, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, output.decode()
    return output.decode()


class TestFirstCalls:
    async def test_lead_from_nothing_to_an_own_profile(self, blocks: list[str], anybody: Person) -> None:
        first, second = blocks
        output = await run_block(first)
        assert '"status"' in output
        assert anybody.username in output
        await anybody.confirm()
        profile = json.loads(await run_block(second))
        assert profile["username"] == anybody.username
