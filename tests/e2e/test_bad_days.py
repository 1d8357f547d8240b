"""Bad days: whatever is killed, wiped or hangs, everything arrives in the end, and in the inbox exactly once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from e2e.mail import Mailbox
from e2e.people import API, Person
from e2e.platform import Platform
from e2e.polling import wait_until

CreatePerson = Callable[..., Awaitable[Person]]
POSTS = 8


@pytest.fixture
async def creator(create_person: CreatePerson) -> Person:
    return await create_person(creator=True)


@pytest.fixture
async def followers(create_person: CreatePerson, creator: Person) -> list[Person]:
    people = [await create_person() for _ in range(3)]
    for person in people:
        await person.follow(creator)
    return people


async def create_drafts(creator: Person) -> list[str]:
    drafts = [await creator.create_post(f"Edition {number}", f"Text {number}") for number in range(POSTS)]
    return [draft["id"] for draft in drafts]


async def request_publication(creator: Person, post_ids: list[str]) -> None:
    for post_id in post_ids:
        await wait_until(lambda post_id=post_id: try_publish(creator, post_id), seconds=60)  # type: ignore[misc]


@asynccontextmanager
async def publishing_meanwhile(creator: Person, post_ids: list[str]) -> AsyncIterator[None]:
    """What is done within happens when the first is published and the rest is under way."""
    await request_publication(creator, post_ids[:1])
    async with asyncio.TaskGroup() as group:
        group.create_task(request_publication(creator, post_ids[1:]))
        yield


async def try_publish(creator: Person, post_id: str) -> bool:
    """A client that repeats what failed: the request is idempotent."""
    try:
        response = await creator.client.put(f"{API}/posts/{post_id}/publication")
    except httpx.TransportError:
        return False
    return response.is_success


async def assert_all_arrive_once(
    followers: list[Person], mailbox: Mailbox, post_ids: list[str], *, copies: int = 1
) -> None:
    for person in followers:
        await wait_until(
            lambda person=person: count_posts(person),  # type: ignore[misc]
            lambda found: set(found) >= set(post_ids),
            seconds=90,
        )
    for person in followers:
        messages = await wait_until(
            lambda person=person: mailbox.list_messages(person.email, "edition"),  # type: ignore[misc]
            lambda found: len({message["message_id"] for message in found}) >= len(post_ids),
            seconds=240,
        )
        by_id = Counter(message["message_id"] for message in messages)
        assert len(by_id) == len(post_ids)
        assert max(by_id.values()) <= copies
        assert await count_posts(person) == dict.fromkeys(post_ids, 1)


async def count_posts(person: Person) -> dict[str, int]:
    try:
        found = await person.list_notifications("post_published")
    except httpx.HTTPError:
        return {}
    return dict(Counter(item["data"]["post_id"] for item in found))


# A mail whose worker was killed waits for the end of its lease, two minutes, before anybody else may send it.
@pytest.mark.timeout(400)
class TestNothingIsLost:
    async def test_redis_wiped_while_events_and_mails_are_under_way(
        self, platform: Platform, creator: Person, followers: list[Person], mailbox: Mailbox
    ) -> None:
        post_ids = await create_drafts(creator)
        await platform.wipe_redis()
        for half in (post_ids[: POSTS // 2], post_ids[POSTS // 2 :]):
            await request_publication(creator, half)
            await platform.wipe_redis()
        await assert_all_arrive_once(followers, mailbox, post_ids)

    @pytest.mark.parametrize("victim", ["notifications-background", "posts-background"])
    async def test_background_process_killed(
        self, platform: Platform, creator: Person, followers: list[Person], mailbox: Mailbox, victim: str
    ) -> None:
        post_ids = await create_drafts(creator)
        await platform.kill(victim)
        async with publishing_meanwhile(creator, post_ids):
            await platform.kill(victim)
        await assert_all_arrive_once(followers, mailbox, post_ids)

    async def test_workers_killed(
        self, platform: Platform, creator: Person, followers: list[Person], mailbox: Mailbox
    ) -> None:
        post_ids = await create_drafts(creator)
        await platform.kill("worker-cpu")
        await request_publication(creator, post_ids)
        await platform.kill("worker-mail")
        # A mailer that dies between the final dot and its report may hand one mail over twice (docs/events.md).
        await assert_all_arrive_once(followers, mailbox, post_ids, copies=2)

    async def test_posts_restarted_while_publishing(
        self, platform: Platform, creator: Person, followers: list[Person], mailbox: Mailbox
    ) -> None:
        post_ids = await create_drafts(creator)
        async with publishing_meanwhile(creator, post_ids):
            await platform.restart("posts")
        await assert_all_arrive_once(followers, mailbox, post_ids)

    async def test_mail_server_refuses_for_a_while(self, new_person: Callable[[], Person], mailbox: Mailbox) -> None:
        person = new_person()
        await mailbox.refuse(person.email, times=1)
        assert (await person.sign_up()).status_code == httpx.codes.CREATED
        await wait_until(lambda: mailbox.has_refused(person.email), seconds=30)
        assert await mailbox.list_messages(person.email) == []
        await mailbox.wait_for(person.email, "confirm", seconds=60)


class TestNeighboursAway:
    async def test_auth_away_reads_and_known_tokens_go_on(self, platform: Platform, creator: Person) -> None:
        post = await creator.create_post("While auth sleeps", "Text")
        await creator.publish(post["id"])
        # Keys change every 20 s here: each service has to have met the one that this token is signed with.
        assert (await creator.client.get(f"{API}/notifications")).is_success
        await platform.pause("auth")
        try:
            assert (await creator.client.get(f"{API}/posts/{post['id']}")).is_success
            assert (await creator.client.post(f"{API}/posts", json={"title": "T", "body": "B"})).is_success
            assert (await creator.client.get(f"{API}/notifications")).is_success
            # What was seen within the last second is told once more.
            health = await wait_until(
                lambda: creator.client.get("/healthz"),
                lambda answer: answer.status_code == httpx.codes.SERVICE_UNAVAILABLE,
                seconds=10,
            )
            assert "auth" in health.text
        finally:
            await platform.resume("auth")
        await wait_until(lambda: is_healthy(creator), seconds=30)

    async def test_redis_hangs_requests_go_on(self, platform: Platform, creator: Person) -> None:
        await platform.pause("redis")
        try:
            response = await creator.client.post(f"{API}/posts", json={"title": "T", "body": "B"})
            assert response.status_code == httpx.codes.CREATED
        finally:
            await platform.resume("redis")

    async def test_database_hangs_and_comes_back(self, platform: Platform, creator: Person) -> None:
        post = await creator.create_post("Before", "Text")
        await platform.pause("postgres")
        try:
            response = await creator.client.get(f"{API}/posts/{post['id']}")
            assert response.status_code == httpx.codes.SERVICE_UNAVAILABLE
            assert int(response.headers["Retry-After"]) > 0
            assert response.json()["code"] == "service_unavailable"
        finally:
            await platform.resume("postgres")
        await wait_until(lambda: is_healthy(creator), seconds=60)
        assert (await creator.client.get(f"{API}/posts/{post['id']}")).is_success

    async def test_database_restarted(self, platform: Platform, creator: Person) -> None:
        await platform.restart("postgres")
        # Not /healthz: what it tells may be from before.
        response = await wait_until(
            lambda: creator.client.post(f"{API}/posts", json={"title": "After", "body": "B"}),
            lambda answer: answer.is_success,
            seconds=60,
        )
        assert response.status_code == httpx.codes.CREATED
        await wait_until(lambda: is_healthy(creator), seconds=60)


async def is_healthy(person: Person) -> bool:
    return (await person.client.get("/healthz")).is_success
