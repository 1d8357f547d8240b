"""Rules that range over inputs: any cursor, any text, any tag."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from chassis.pagination import encode_cursor
from chassis.schemas import is_storable
from chassis.testing.databases import RolledBackDatabase
from posts.creators.models import Creator
from posts.posts.constants import BODY_MAX_BYTES
from posts.posts.schemas import PostCreate

# The database is rolled back after the test, not after each example: the examples do not mind.
IN_ONE_TEST = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
END_OF_TIME = st.sampled_from(["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+00:00"])
MOMENTS = st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()) | END_OF_TIME
KEYS = st.tuples(JSON | MOMENTS, JSON | st.uuids().map(str))


class TestCursors:
    @IN_ONE_TEST
    @given(cursor=st.text(max_size=200) | KEYS.map(lambda key: encode_cursor("posts", key)))
    async def test_any_text(self, client: httpx.AsyncClient, cursor: str) -> None:
        """A cursor is ours and answered, or somebody's invention and refused; never a failure."""
        response = await client.get("/posts", params={"cursor": cursor.encode(errors="replace").decode()})

        assert response.status_code in {200, 400, 422}
        assert response.status_code == 200 or response.json()["code"] in {"cursor_invalid", "validation_failed"}


class TestBodies:
    @given(body=st.text(max_size=200))
    def test_kept_to_the_letter(self, body: str) -> None:
        try:
            data = PostCreate.model_validate({"title": "Quiet", "body": body})
        except ValidationError:
            assert body == "" or not is_storable(body)
        else:
            assert data.body == body

    @given(char=st.characters(codec="utf-8", exclude_characters="\x00"), over=st.integers(0, 1))
    @settings(max_examples=20)
    def test_limit_is_in_bytes(self, char: str, over: int) -> None:
        body = char * (BODY_MAX_BYTES // len(char.encode()) + over)
        is_refused = False
        try:
            PostCreate.model_validate({"title": "Quiet", "body": body})
        except ValidationError:
            is_refused = True

        assert is_refused == (len(body.encode()) > BODY_MAX_BYTES)


class TestEtags:
    @IN_ONE_TEST
    @given(
        tag=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60)
        | st.builds('"{}.{:016x}"'.format, st.integers(-1, 10**20), st.integers(0, 2**64 - 1))
    )
    async def test_any_condition(
        self,
        client: httpx.AsyncClient,
        database: RolledBackDatabase,
        create_profile: Callable[..., Awaitable[Creator]],
        create_post: Callable[..., Awaitable[Any]],
        login: Callable[[UUID], dict[str, str]],
        tag: str,
    ) -> None:
        """A write goes through exactly when one of the tags names the version that is there."""
        creator = await create_profile(database)
        post = await create_post(database, creator)
        headers = {**login(creator.id), "If-Match": tag}
        response = await client.delete(f"/posts/{post.id}/publication", headers=headers)
        names_it = any(part.strip() == "*" or part.strip().startswith('"1.') for part in tag.split(","))

        assert response.status_code in ({204, 412} if names_it else {412})
