"""Several replicas of a service behind the gateway, where there are containers to have several of."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest
from e2e.compose import ComposePlatform
from e2e.people import API, Person
from e2e.platform import Platform
from e2e.polling import wait_until

CreatePerson = Callable[..., Awaitable[Person]]
REPLICAS = 3
AT_ONCE = 30


@pytest.mark.timeout(300)
class TestScale:
    async def test_all_replicas_answer(self, platform: Platform, create_person: CreatePerson) -> None:
        """More at once than one of them has connections for, and none is refused."""
        if not isinstance(platform, ComposePlatform):
            pytest.skip("replicas are containers; the embedded platform has one process of each kind")
        creator = await create_person(creator=True)
        post = await creator.create_post("Three printers", "Text")
        await creator.publish(post["id"])
        path = f"{API}/posts/{post['id']}"
        await platform.scale("posts", REPLICAS)
        try:
            found = await wait_until(
                lambda: self.ask_until_seen(platform, creator, path), lambda seen: len(seen) == REPLICAS, seconds=60
            )
        finally:
            await platform.scale("posts", 1)
        assert len(found) == REPLICAS

    async def ask_until_seen(self, platform: ComposePlatform, person: Person, path: str) -> set[str]:
        answers = await asyncio.gather(*(person.client.get(path) for _ in range(AT_ONCE)))
        assert {answer.status_code for answer in answers} == {httpx.codes.OK}
        return await platform.list_replicas("posts", path.removeprefix(API))
