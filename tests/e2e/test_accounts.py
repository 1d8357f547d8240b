"""Accounts: sign-up, confirmation, login, refresh, logout."""

import zlib
from collections.abc import Awaitable, Callable
from struct import pack

import httpx
from e2e.mail import Mailbox, find_confirmation_link
from e2e.people import API, Person
from e2e.polling import wait_until

CreatePerson = Callable[..., Awaitable[Person]]
NewPerson = Callable[[], Person]


class TestConfirmation:
    async def test_scanner_burns_nothing_and_link_works_once(self, new_person: NewPerson, mailbox: Mailbox) -> None:
        person = new_person()
        assert (await person.sign_up()).status_code == httpx.codes.CREATED
        message = await mailbox.wait_for(person.email, "confirm")
        link = httpx.URL(find_confirmation_link(message)).raw_path.decode()
        for _ in range(3):
            assert (await person.client.get(link)).is_success
        refused = await person.log_in()
        assert (refused.status_code, refused.json()["code"]) == (401, "credentials_invalid")
        await person.confirm()
        assert (await person.log_in()).is_success
        token = link.partition("token=")[2]
        again = await person.client.post(f"{API}/profiles/confirmations", json={"token": token})
        assert (again.status_code, again.json()["code"]) == (400, "confirmation_invalid")


class TestSession:
    async def test_refresh_rotates_and_logout_ends(self, create_person: CreatePerson) -> None:
        person = await create_person()
        first = person.refresh_token
        assert first
        refreshed = await self.refresh(person, first)
        assert refreshed.is_success
        second = refreshed.cookies.get("__Host-refresh_token")
        assert second
        assert second != first
        person.use_token(refreshed.json()["access_token"])
        assert (await person.read("/profiles/me"))["id"] == person.id
        await person.client.post(f"{API}/auth/logout", headers={"Cookie": f"__Host-refresh_token={second}"})
        assert (await self.refresh(person, second)).status_code == httpx.codes.UNAUTHORIZED

    async def test_logout_ends_the_access_token_in_every_service(self, create_person: CreatePerson) -> None:
        person = await create_person(creator=True)
        draft = await person.create_post("Draft", "Text")
        paths = ("/profiles/me", f"/posts/{draft['id']}", "/notifications")

        async def ask_all() -> set[tuple[int, str | None]]:
            answers = [await person.client.get(API + path) for path in paths]
            return {(answer.status_code, answer.json().get("code")) for answer in answers}

        assert await ask_all() == {(200, None)}
        (await person.client.post(f"{API}/auth/logout")).raise_for_status()
        # A second is what it is measured to take; a machine that is busy otherwise gets a few.
        await wait_until(ask_all, lambda answers: answers == {(401, "token_revoked")}, seconds=5)

    async def refresh(self, person: Person, token: str) -> httpx.Response:
        person.client.cookies.clear()
        headers = {"Cookie": f"__Host-refresh_token={token}", "Sec-Fetch-Site": "same-origin"}
        return await person.client.post(f"{API}/auth/token", data={"grant_type": "refresh_token"}, headers=headers)

    async def test_cookie_is_out_of_reach_of_scripts_and_other_sites(self, create_person: CreatePerson) -> None:
        person = await create_person()
        cookie = (await person.log_in()).headers["set-cookie"]
        for attribute in ("__Host-refresh_token=", "Secure", "HttpOnly", "SameSite=strict", "Path=/"):
            assert attribute.lower() in cookie.lower()


def create_png(side: int = 40) -> bytes:
    """A green square."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return pack(">I", len(content)) + kind + content + pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    rows = zlib.compress((b"\0" + b"\x00\x80\x00" * side) * side)
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


class TestProfiles:
    async def test_public_view_hides_the_address(self, create_person: CreatePerson) -> None:
        person, stranger = await create_person(), await create_person()
        shown = await stranger.client.get(f"{API}/profiles/{person.id}")
        assert shown.json()["username"] == person.username
        assert person.email not in shown.text

    async def test_not_found_as_creator_before_becoming_one(self, create_person: CreatePerson) -> None:
        person = await create_person()
        path = f"{API}/creators/{person.id}"
        assert (await person.client.get(path)).status_code == httpx.codes.NOT_FOUND
        await person.become_creator()
        assert (await person.client.get(path)).is_success

    async def test_new_name_is_shown_everywhere_and_the_former_leads_there(self, create_person: CreatePerson) -> None:
        person, reader = await create_person(creator=True), await create_person()
        post = await person.create_post("Under another name", "Text")
        await person.publish(post["id"])
        former, username = person.username, f"{person.username}_2"
        link = f"{API}/profiles/by-username/{former}"
        assert (await reader.client.get(link)).json()["id"] == person.id

        changes = {"username": username, "first_name": "Augusta", "language": "en-GB", "time_zone": "Europe/London"}
        changed = await person.client.patch(f"{API}/profiles/me", json=changes)
        assert changed.is_success
        assert changed.json().items() >= changes.items()
        moved = await reader.client.get(link, follow_redirects=True)
        assert [answer.status_code for answer in moved.history] == [308]
        assert (moved.json()["id"], moved.json()["username"]) == (person.id, username)
        assert "language" not in moved.json()
        taken = await reader.client.patch(f"{API}/profiles/me", json={"username": former.upper()})
        assert (taken.status_code, taken.json()["code"]) == (409, "username_taken")

        shown = await wait_until(
            lambda: reader.read(f"/posts/{post['id']}"), lambda found: found["creator"]["username"] == username
        )
        assert shown["creator"]["first_name"] == "Augusta"

    async def test_avatar_is_made_and_shown_with_what_they_wrote(self, create_person: CreatePerson) -> None:
        person, reader = await create_person(creator=True), await create_person()
        post = await person.create_post("With a face", "Text")
        await person.publish(post["id"])
        no_image = await person.client.put(f"{API}/profiles/me/avatar", content=b"<svg/>")
        assert (no_image.status_code, no_image.json()["code"]) == (422, "image_type_unsupported")
        uploaded = await person.client.put(f"{API}/profiles/me/avatar", content=create_png())
        assert uploaded.status_code == httpx.codes.ACCEPTED
        await wait_until(lambda: person.read("/profiles/me/avatar"), lambda avatar: avatar["state"] == "ready")

        url = (await reader.read(f"/profiles/{person.id}"))["avatar_url"]
        for size in (96, 512):
            image = await reader.client.get(url, params={"size": size})
            assert (image.status_code, image.headers["Content-Type"]) == (200, "image/webp")
            assert image.content[8:12] == b"WEBP"
            known = {"If-None-Match": image.headers["ETag"]}
            again = await reader.client.get(url, params={"size": size}, headers=known)
            assert again.status_code == httpx.codes.NOT_MODIFIED
        shown = await wait_until(
            lambda: reader.read(f"/posts/{post['id']}"), lambda found: found["creator"]["avatar_url"] is not None
        )
        assert shown["creator"]["avatar_url"] == url
