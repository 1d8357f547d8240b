"""The path through every part: from a new account to an article in a follower's inbox and mailbox."""

from collections.abc import Awaitable, Callable

import httpx
from bs4 import BeautifulSoup
from e2e.mail import Mailbox
from e2e.people import API, Person
from e2e.polling import wait_until

CreatePerson = Callable[..., Awaitable[Person]]

ARTICLE = """# The press room

A *real* article with a table and code:

| part | state |
|------|-------|
| press | ready |

```python
print("hello")
```

<script>alert("xss")</script>

[bad](javascript:alert(1)) <img src=x onerror=alert(2)> [good](https://example.org)
"""


class TestPublishing:
    async def test_article_reaches_follower_rendered_and_safe(
        self, create_person: CreatePerson, mailbox: Mailbox
    ) -> None:
        creator, follower = await create_person(creator=True), await create_person()
        await follower.follow(creator)
        title = f"The press room of {creator.username}"
        post = await creator.create_post(title, ARTICLE)
        assert post["status"] == "draft"
        published = await creator.publish(post["id"])
        self.assert_rendered_and_safe(published["html"])

        found = await wait_until(lambda: follower.list_notifications("post_published"))
        assert [item["title"] for item in found if title in (item["title"] + item["text"])]
        message = await mailbox.wait_for(follower.email, title)
        assert "<script" not in message["html"]
        assert post["id"] in message["text"]
        assert post["id"] in message["html"]

    def assert_rendered_and_safe(self, html: str) -> None:
        page = BeautifulSoup(html, "html.parser")
        assert page.find("table")
        assert page.find("pre")
        assert page.find("em")
        assert not page.find("script")
        assert [link["href"] for link in page.find_all("a", href=True)] == ["https://example.org"]
        assert not [tag for tag in page.find_all() if any(name.startswith("on") for name in tag.attrs)]

    async def test_reader_sees_post_by_every_way(self, create_person: CreatePerson) -> None:
        creator, reader = await create_person(creator=True), await create_person()
        post = await creator.create_post("Every way", "Text")
        assert (await reader.client.get(f"{API}/posts/{post['id']}")).status_code == httpx.codes.NOT_FOUND
        await creator.publish(post["id"])
        shown = await reader.read(f"/posts/{post['id']}")
        assert shown["creator"]["username"] == creator.username
        listed = await reader.read(f"/creators/{creator.id}/posts")
        assert [item["id"] for item in listed["items"]] == [post["id"]]
        assert listed["items"][0]["creator"]["id"] == creator.id
        own = await creator.read(f"/users/{creator.id}/posts/{post['id']}")
        assert own["id"] == post["id"]
        newest = await reader.read("/posts?limit=100")
        assert post["id"] in [item["id"] for item in newest["items"]]

    async def test_review_reaches_creator(self, create_person: CreatePerson, mailbox: Mailbox) -> None:
        creator, reader = await create_person(creator=True), await create_person()
        post = await creator.create_post("To be reviewed", "Text")
        await creator.publish(post["id"])
        review = {"rating": 5, "text": "Well set."}
        response = await reader.client.post(f"{API}/posts/{post['id']}/reviews", json=review)
        assert response.status_code == httpx.codes.CREATED
        assert (await reader.read(f"/posts/{post['id']}"))["rating"] == {"average": 5.0, "count": 1}
        await wait_until(lambda: creator.list_notifications("review_created"))
        await mailbox.wait_for(creator.email, "review")

    async def test_inbox_counts_and_is_marked_read(self, create_person: CreatePerson) -> None:
        person = await create_person()
        await wait_until(lambda: person.list_notifications("welcome"))
        assert (await person.read("/notifications/unread-count"))["unread_count"] == 1
        (notification,) = await person.list_notifications()
        response = await person.client.put(f"{API}/notifications/{notification['id']}/read")
        assert response.status_code == httpx.codes.NO_CONTENT
        assert (await person.read("/notifications/unread-count"))["unread_count"] == 0
        assert (await person.read("/notifications?unread=true"))["items"] == []

    async def test_who_unfollowed_hears_nothing(self, create_person: CreatePerson) -> None:
        creator, leaver, stayer = await create_person(creator=True), await create_person(), await create_person()
        for person in (leaver, stayer):
            await person.follow(creator)
        (await leaver.client.delete(f"{API}/creators/{creator.id}/followers/me")).raise_for_status()
        post = await creator.create_post("For those who stay", "Text")
        await creator.publish(post["id"])
        await wait_until(lambda: stayer.list_notifications("post_published"))
        assert await leaver.list_notifications("post_published") == []


class TestEditing:
    async def test_etag_saves_the_bytes_and_guards_the_edit(self, create_person: CreatePerson) -> None:
        creator = await create_person(creator=True)
        post = await creator.create_post("First", "Text")
        path = f"{API}/posts/{post['id']}"
        etag = (await creator.client.get(path)).headers["ETag"]
        unchanged = await creator.client.get(path, headers={"If-None-Match": etag})
        assert unchanged.status_code == httpx.codes.NOT_MODIFIED
        edit = {"title": "Second", "body": "Text"}
        assert (await creator.client.put(path, json=edit, headers={"If-Match": etag})).is_success
        stale = await creator.client.put(path, json=edit, headers={"If-Match": etag})
        assert (stale.status_code, stale.json()["code"]) == (412, "version_stale")

    async def test_repeated_post_is_done_once(self, create_person: CreatePerson) -> None:
        creator = await create_person(creator=True)
        key = {"Idempotency-Key": f"key-{creator.username}"}
        first = await creator.create_post("Once", "Text", **key)
        again = await creator.create_post("Once", "Text", **key)
        assert first == again
