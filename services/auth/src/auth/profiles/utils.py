import hashlib

import asyncpg
from fastapi import Request, Response

from chassis.etags import create_tagged_response


def compute_name_digest(username: str) -> bytes:
    """The same for every case of it."""
    return hashlib.sha256(username.lower().encode()).digest()


def create_named_response(request: Request, document: asyncpg.Record) -> Response:
    """The profile at its name of today; from any other name and spelling the way there.

    Relative to the request, so that it holds behind a gateway that strips a prefix. The way is not for keeping: who
    takes a former name back turns it round.
    """
    username: str = document["username"]
    if request.path_params["username"] != username:
        return Response(status_code=308, headers={"Location": username, "Cache-Control": "no-store"})
    return create_tagged_response(request, document["version"], document["body"])
