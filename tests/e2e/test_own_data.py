"""One's own data: a copy of it, and the end of it, over all services."""

import json
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import httpx
import pytest
from e2e.mail import Mailbox
from e2e.people import API, Person
from e2e.platform import Platform
from e2e.polling import wait_until

CreatePerson = Callable[..., Awaitable[Person]]
NewPerson = Callable[[], Person]
READY_MAIL = "copy of your data"


async def request_export(person: Person) -> str:
    response = await person.client.post(f"{API}/auth/exports")
    assert response.status_code == httpx.codes.ACCEPTED, response.text
    return str(response.json()["id"])


async def list_states(person: Person) -> list[tuple[str, str]]:
    return [(item["id"], item["state"]) for item in (await person.read("/auth/exports"))["items"]]


async def fetch_archive(person: Person, export_id: str) -> ZipFile:
    response = await person.client.get(f"{API}/auth/exports/{export_id}/archive")
    assert response.status_code == httpx.codes.OK, response.text
    assert response.headers["Content-Type"] == "application/zip"
    archive = ZipFile(BytesIO(response.content))
    assert archive.testzip() is None
    return archive


def read_part(archive: ZipFile, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(archive.read(path))
    return items


async def is_refused(person: Person) -> bool:
    """By auth, posts and notifications alike."""
    paths = ("/profiles/me", "/notifications")
    answers = [await person.client.get(f"{API}{path}") for path in paths]
    answers.append(await person.client.post(f"{API}/posts", json={"title": "After", "body": "the end"}))
    return all(answer.status_code == httpx.codes.UNAUTHORIZED for answer in answers)


class TestExport:
    async def test_all_services_give_what_they_hold(self, create_person: CreatePerson, mailbox: Mailbox) -> None:
        person, other = await create_person(creator=True), await create_person(creator=True)
        written = [await person.create_post(f"Essay {number}", f"# Words {number}") for number in range(12)]
        await person.follow(other)
        foreign = await other.create_post("Of another", "Text")
        await other.publish(foreign["id"])
        review = {"rating": 5, "text": "Read it twice."}
        reviewed = await person.client.post(f"{API}/posts/{foreign['id']}/reviews", json=review)
        assert reviewed.status_code == httpx.codes.CREATED

        export_id = await request_export(person)
        message = await mailbox.wait_for(person.email, READY_MAIL, seconds=60)
        assert await list_states(person) == [(export_id, "ready")]
        assert f"/auth/exports/{export_id}/archive" in message["text"]

        archive = await fetch_archive(person, export_id)
        [own] = read_part(archive, "auth/profile.json")
        assert (own["id"], own["email"], own["username"]) == (person.id, person.email, person.username)
        assert {item["action"] for item in read_part(archive, "auth/security-log.json")} >= {"export_requested"}
        posts = read_part(archive, "posts/posts.json")
        assert {post["id"] for post in posts} == {post["id"] for post in written}
        assert [item["text"] for item in read_part(archive, "posts/reviews.json")] == ["Read it twice."]
        assert [item["creator_id"] for item in read_part(archive, "posts/follows.json")] == [other.id]
        assert "welcome" in {item["kind"] for item in read_part(archive, "notifications/inbox.json")}
        assert person.email in {item["recipient"] for item in read_part(archive, "notifications/emails.json")}
        index = archive.read("index.html").decode()
        assert all(name in index for name in archive.namelist() if name.endswith(".json"))
        assert other.email not in "".join(archive.read(name).decode() for name in archive.namelist())

        strange = await other.client.get(f"{API}/auth/exports/{export_id}/archive")
        assert (strange.status_code, strange.json()["code"]) == (404, "export_not_found")

    @pytest.mark.timeout(400)
    async def test_worker_killed_while_it_collects(
        self, platform: Platform, create_person: CreatePerson, mailbox: Mailbox
    ) -> None:
        """It arrives in the end, once: when the lease of the dead worker is over, another begins anew."""
        person = await create_person()
        await platform.pause("posts")
        try:
            export_id = await request_export(person)
            # Claimed, and what auth holds written; now it waits for posts.
            claimed = f"/internal/exports/{export_id}/claim"
            await wait_until(lambda: platform.read_logs("auth"), lambda log: claimed in log, seconds=60)
            await platform.kill("worker-cpu")
        finally:
            await platform.resume("posts")
        await mailbox.wait_for(person.email, READY_MAIL, seconds=240)
        assert await list_states(person) == [(export_id, "ready")]
        archive = await fetch_archive(person, export_id)
        assert read_part(archive, "posts/posts.json") == []
        assert len(await mailbox.list_messages(person.email, READY_MAIL)) == 1
        assert len(await person.list_notifications("export_completed")) == 1


class TestDeletion:
    async def test_nothing_is_left_in_any_service(
        self, create_person: CreatePerson, new_person: NewPerson, mailbox: Mailbox
    ) -> None:
        person, reader = await create_person(creator=True), await create_person(creator=True)
        await reader.follow(person)
        post = await person.create_post("My last words", "Text")
        await person.publish(post["id"])
        theirs = await reader.create_post("Of a reader", "Text")
        await reader.publish(theirs["id"])
        review = {"rating": 5, "text": "Secret words."}
        await person.client.post(f"{API}/posts/{theirs['id']}/reviews", json=review)
        await wait_until(lambda: reader.list_notifications("review_created"), bool)
        await wait_until(lambda: reader.list_notifications("post_published"), bool)

        assert (await person.client.delete(f"{API}/profiles/me")).status_code == httpx.codes.NO_CONTENT
        await wait_until(lambda: is_refused(person), seconds=5)
        refused = await person.log_in()
        assert (refused.status_code, refused.json()["code"]) == (401, "credentials_invalid")
        last = await mailbox.wait_for(person.email, "your account was deleted", seconds=60)
        assert "Good-bye" in last["text"]

        paths = (f"/profiles/{person.id}", f"/profiles/by-username/{person.username}", f"/posts/{post['id']}")
        await wait_until(lambda: are_gone(reader, paths))
        page = await wait_until(
            lambda: reader.read(f"/posts/{theirs['id']}/reviews"), lambda found: found["items"][0]["text"] == ""
        )
        [left] = page["items"]
        assert (left["rating"], left["reviewer"]["first_name"]) == (5, "Deleted")
        assert person.username not in json.dumps(page)
        for kind in ("post_published", "review_created"):
            await wait_until(lambda kind=kind: reader.list_notifications(kind), lambda found: not found)  # type: ignore[misc]

        again = new_person()
        taken = await again.sign_up(username=person.username.upper())
        assert (taken.status_code, taken.json()["code"]) == (409, "username_taken")
        again.email = person.email
        assert (await again.sign_up()).status_code == httpx.codes.CREATED

    async def test_while_an_export_is_under_way(self, create_person: CreatePerson, mailbox: Mailbox) -> None:
        """The last mail is that the account is gone: none tells of an archive afterwards."""
        person = await create_person()
        await request_export(person)
        assert (await person.client.delete(f"{API}/profiles/me")).status_code == httpx.codes.NO_CONTENT
        await mailbox.wait_for(person.email, "your account was deleted", seconds=60)
        again = await create_person()
        await request_export(again)
        await mailbox.wait_for(again.email, READY_MAIL, seconds=60)
        messages = await mailbox.list_messages(person.email)
        assert "your account was deleted" in messages[0]["subject"].lower()


async def are_gone(reader: Person, paths: tuple[str, ...]) -> bool:
    answers = [await reader.client.get(f"{API}{path}") for path in paths]
    return {answer.status_code for answer in answers} == {httpx.codes.NOT_FOUND}
