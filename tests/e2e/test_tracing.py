"""One trace id follows an article through every process that touches it."""

import secrets
from collections.abc import Awaitable, Callable

from e2e.mail import Mailbox
from e2e.people import API, Person
from e2e.platform import Platform
from e2e.polling import wait_until

CreatePerson = Callable[..., Awaitable[Person]]
TOUCHED = ("posts", "notifications-background", "worker-mail", "notifications")


class TestTrace:
    async def test_one_id_in_the_logs_of_all(
        self, platform: Platform, create_person: CreatePerson, mailbox: Mailbox
    ) -> None:
        creator, follower = await create_person(creator=True), await create_person()
        await follower.follow(creator)
        post = await creator.create_post("Traced", "Text")
        await wait_until(lambda: is_rendered(creator, post["id"]))
        trace_id = secrets.token_hex(16)
        headers = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"}
        (await creator.client.put(f"{API}/posts/{post['id']}/publication", headers=headers)).raise_for_status()
        await mailbox.wait_for(follower.email, "Traced")
        for name in TOUCHED:
            await wait_until(lambda name=name: platform.read_logs(name), lambda log: trace_id in log)  # type: ignore[misc]

    async def test_no_log_tells_addresses_passwords_or_tokens(
        self, platform: Platform, create_person: CreatePerson
    ) -> None:
        person = await create_person()
        token = person.client.headers["Authorization"].removeprefix("Bearer ")
        await wait_until(lambda: person.list_notifications("welcome"))
        logs = platform.read_all_logs()
        for secret in (person.email, "Correct-Horse-7-Battery", token, person.refresh_token):
            assert secret
            assert secret not in logs


async def is_rendered(creator: Person, post_id: str) -> bool:
    return (await creator.read(f"/posts/{post_id}"))["html"] is not None
