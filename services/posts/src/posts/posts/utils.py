from fastapi import Request, Response

from chassis.etags import create_etag, create_tagged_response
from posts.posts.constants import PostStatus
from posts.posts.models import Post
from posts.posts.schemas import PostRead


def serialize_post(post: Post) -> bytes:
    """As its creator sees it."""
    return PostRead.model_validate(post).model_dump_json().encode()


def create_read_response(request: Request, post: Post) -> Response:
    return create_tagged_response(request, post.version, serialize_post(post))


def create_written_response(post: Post, status_code: int = 200) -> Response:
    """After a write: with the tag that the next `If-Match` may name."""
    body = serialize_post(post)
    headers = {"ETag": create_etag(post.version, body)}
    return Response(body, status_code, headers, media_type="application/json")


def create_created_response(post: Post) -> Response:
    response = create_written_response(post, 201)
    # Relative to the request, so that it holds behind a gateway that strips a prefix.
    response.headers["Location"] = f"posts/{post.id}"
    return response


def create_publication_response(post: Post) -> Response:
    return create_written_response(post, 200 if post.status == PostStatus.PUBLISHED else 202)
