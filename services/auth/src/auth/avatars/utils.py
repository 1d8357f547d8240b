"""Images as they come in and go out. What is in them is the worker's business."""

from fastapi import Request, Response

from auth.avatars.constants import CACHE_CONTROL, SIGNATURES


def is_image(content: bytes) -> bool:
    """By its first bytes, whatever its name or header says."""
    return content.startswith(SIGNATURES) or is_webp(content)


def is_webp(content: bytes) -> bool:
    return content.startswith(b"RIFF") and content[8:12] == b"WEBP"


def create_image_response(request: Request, etag: str, image: bytes) -> Response:
    headers = {
        "ETag": f'"{etag}"',
        "Cache-Control": CACHE_CONTROL,
        # Pages of others show it.
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if headers["ETag"] in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(image, media_type="image/webp", headers=headers)
