"""The public API of the platform, as somebody with an account uses it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import httpx
from deploy.demo.exceptions import AnswerError, DemoError, PlatformAwayError
from deploy.demo.people import Human

API: Final = "/api/v1"
CONCURRENT_CALLS: Final = 8
TIMEOUT_SECONDS: Final = 20.0
PATIENCE_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.2
BUSY: Final = frozenset({429, 502, 503, 504})

T = TypeVar("T")


class Platform:
    """One connection pool for everybody; at most so many calls at a time."""

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._url = url
        self._client = httpx.AsyncClient(base_url=url, timeout=TIMEOUT_SECONDS, transport=transport)
        self._slots = asyncio.Semaphore(CONCURRENT_CALLS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def check_health(self) -> None:
        """Raises DemoError unless every service is ready."""
        response = await self._send("GET", "/healthz")
        if response.is_error:
            raise DemoError(f"the platform at {self._url} is not ready yet: {response.text.strip()[:200]}")

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A 2xx answer. A platform that is busy is asked again. Raises AnswerError, PlatformAwayError."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            response = await self._send(method, f"{API}{path}", **options)
            if response.is_success:
                return response
            if response.status_code not in BUSY or time.monotonic() > deadline:
                raise AnswerError(response)
            await asyncio.sleep(float(response.headers.get("Retry-After", 1)))

    async def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        async with self._slots:
            try:
                return await self._client.request(method, path, **options)
            except httpx.TransportError as error:
                raise PlatformAwayError("platform", self._url, "BROADSHEET_URL") from error


class Account:
    """Somebody who has an account, or is about to."""

    def __init__(self, platform: Platform, human: Human, password: str) -> None:
        self.human = human
        self.id = ""
        self._platform = platform
        self._password = password
        self._headers: dict[str, str] = {}

    async def sign_up(self) -> bool:
        """Whether it is new; else a demo that was interrupted has signed it up, or it has another password."""
        body = {
            "email": self.human.email,
            "username": self.human.username,
            "password": self._password,
            "first_name": self.human.first_name,
            "last_name": self.human.last_name,
        }
        return not await self._is_refused(self._platform.call("POST", "/profiles", json=body), 409)

    async def confirm(self, token: str) -> None:
        """Raises DemoError when that lets nobody in."""
        confirmation = self._platform.call("POST", "/profiles/confirmations", json={"token": token})
        await self._is_refused(confirmation, 400)  # by a mail of long ago, for instance
        if not await self.log_in():
            raise DemoError(f"{self.human.email} is there with another password: set BROADSHEET_DEMO_PASSWORD")

    async def log_in(self) -> bool:
        """Not where there is no such account, it is not confirmed, or has another password: which is not told."""
        form = {"grant_type": "password", "username": self.human.email, "password": self._password}
        try:
            answer = await self._platform.call("POST", "/auth/token", data=form)
        except AnswerError as error:
            if error.status == httpx.codes.UNAUTHORIZED:
                return False
            raise
        self._headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return True

    async def become_creator(self) -> None:
        me = (await self.call("GET", "/profiles/me")).json()
        self.id = me["id"]
        await self.call("PUT", f"/creators/{self.id}", json={"bio": self.human.bio})

    async def follow(self, other: "Account") -> None:
        """A new creator is known to the posts service a moment after auth has said so."""
        await wait_for(lambda: self._try_follow(other), f"{other.human.username} is not known as a creator")

    async def list_reviewers(self, post_id: str) -> set[str]:
        """Usernames of those who reviewed a post, the newest hundred."""
        page = (await self.call("GET", f"/posts/{post_id}/reviews?limit=100")).json()
        return {review["reviewer"]["username"] for review in page["items"]}

    async def list_titles(self) -> dict[str, str]:
        """Ids of one's published posts by their titles."""
        titles: dict[str, str] = {}
        path: str | None = f"/creators/{self.id}/posts?limit=100"
        while path:
            page = (await self.call("GET", path)).json()
            titles |= {post["title"]: post["id"] for post in page["items"]}
            cursor = page["next_cursor"]
            path = f"/creators/{self.id}/posts?limit=100&cursor={cursor}" if cursor else None
        return titles

    async def publish(self, key: str, title: str, body: str) -> str:
        """Write and publish a post, and wait until readers see it; returns its id.

        An interrupted run goes on with its own draft: the platform remembers the answer by the key.
        """
        headers = {"Idempotency-Key": f"demo-{key}"}
        post_id = str(
            (await self.call("POST", "/posts", json={"title": title, "body": body}, headers=headers)).json()["id"]
        )
        await self.call("PUT", f"/posts/{post_id}/publication")
        await wait_for(lambda: self._is_published(post_id), f"“{title}” was not rendered")
        return post_id

    async def review(self, post_id: str, rating: int, text: str) -> bool:
        """Whether it is new: everybody has one review of a post."""
        review = {"rating": rating, "text": text}
        return not await self._is_refused(self.call("POST", f"/posts/{post_id}/reviews", json=review), 409)

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """With this account's token, a new one if it has run out."""
        headers = options.pop("headers", {})
        try:
            return await self._platform.call(method, path, headers=self._headers | headers, **options)
        except AnswerError as error:
            if error.status != httpx.codes.UNAUTHORIZED or not await self.log_in():
                raise
        return await self._platform.call(method, path, headers=self._headers | headers, **options)

    async def _try_follow(self, other: "Account") -> bool:
        return not await self._is_refused(self.call("PUT", f"/creators/{other.id}/followers/me"), 404)

    async def _is_published(self, post_id: str) -> bool:
        post = (await self.call("GET", f"/posts/{post_id}")).json()
        if post["status"] == "draft":
            raise DemoError(f"“{post['title']}” cannot be published: {post['publication_error']}")
        return bool(post["status"] == "published")

    async def _is_refused(self, call: Awaitable[httpx.Response], status: int) -> bool:
        try:
            await call
        except AnswerError as error:
            if error.status != status:
                raise
            return True
        return False


async def wait_for(read: Callable[[], Awaitable[T | None]], failure: str) -> T:
    """The first truthy answer. Raises DemoError when none comes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        answer = await read()
        if answer:
            return answer
        await asyncio.sleep(POLL_SECONDS)
    raise DemoError(f"{failure} within {PATIENCE_SECONDS:.0f} s")
