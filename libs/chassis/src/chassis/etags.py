"""Strong entity tags and the conditions on them (RFC 9110, section 13).

A tag is `"<version>.<digest>"`. The digest covers the bytes, so that any change is a new tag. A write compares
the version alone: an editor must not lose to a review that arrived meanwhile (docs/adr).
"""

import hashlib
import re
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response

from chassis.problems import PreconditionFailedError

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "Not changed since the `ETag` in `If-None-Match`."}
}
"""For `responses=` of routes that answer with `create_tagged_response`."""

_TAG = re.compile(r'^"(\d{1,18})\.[0-9a-f]{16}"$')


class VersionStaleError(PreconditionFailedError):
    code = "version_stale"
    title = "The resource has changed since it was read"


def create_etag(version: int, body: bytes) -> str:
    return f'"{version}.{hashlib.blake2b(body, digest_size=8).hexdigest()}"'


def create_tagged_response(request: Request, version: int, body: bytes) -> Response:
    """200 with the tag, or 304 when the client has these very bytes."""
    etag = create_etag(version, body)
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


class IfMatch:
    """The versions that the client holds for current; without the header any will do."""

    def __init__(self, header: str | None) -> None:
        self._tags = None if header is None else [tag.strip() for tag in header.split(",")]

    def check(self, version: int) -> None:
        """Raises VersionStaleError when none of the tags is of this version."""
        if self._tags is None or "*" in self._tags:
            return
        matches = (_TAG.match(tag) for tag in self._tags)
        if not any(match and int(match[1]) == version for match in matches):
            raise VersionStaleError(f"The current version is {version}. Read it again and repeat the change.")


async def get_if_match(
    if_match: Annotated[str | None, Header(max_length=1000, description="The `ETag` of the version to change.")] = None,
) -> IfMatch:
    return IfMatch(if_match)


IfMatchDep = Annotated[IfMatch, Depends(get_if_match)]
